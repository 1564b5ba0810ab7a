/* SPDX-License-Identifier: MIT */
#include "clock/turns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"

/* Waiting is read so often; what is older says nothing of this turn. */
#define SAMPLE_NS (2 * NS_PER_MS)

/* Where the program lies, given by the linker: a call is told as an offset into it, which
 * the symbol table of the program file names. */
extern const char __executable_start[];

struct turns {
	struct loop *loop;
	struct turn_watcher watcher;
	int schedstat_fd; /* -1: there is none */
	uint64_t longest_ns;
	unsigned told;

	/* The thread had waited for so long when that was asked for last. */
	uint64_t waited_ns, sampled_ns;

	/* This turn. */
	uint64_t begun_ns, called_ns;
	struct {
		loop_code *code;
		uint64_t took_ns;
	} longest_call;
};

/* As it was, if the host does not say. */
static uint64_t read_waited_ns(const struct turns *turns)
{
	char text[96];
	ssize_t got = turns->schedstat_fd < 0 ?
			      -1 :
			      pread(turns->schedstat_fd, text, sizeof(text) - 1, 0);
	uint64_t waited_ns;

	text[got > 0 ? got : 0] = 0;
	if (sscanf(text, "%*u %" SCNu64, &waited_ns) != 1)
		return turns->waited_ns;
	return waited_ns;
}

/* Since that was asked for last. */
static uint64_t ask_waited_ns(struct turns *turns)
{
	uint64_t before_ns = turns->waited_ns;

	turns->waited_ns = read_waited_ns(turns);
	turns->sampled_ns = clock_host_ns();
	return turns->waited_ns - before_ns;
}

static void on_begins(void *ctx)
{
	struct turns *turns = ctx;

	turns->begun_ns = turns->called_ns = clock_host_ns();
	turns->longest_call.took_ns = 0;
	if (turns->begun_ns - turns->sampled_ns >= SAMPLE_NS)
		ask_waited_ns(turns);
}

static bool on_called(void *ctx, loop_code *what)
{
	struct turns *turns = ctx;
	uint64_t now_ns = clock_host_ns(), took_ns = now_ns - turns->called_ns;

	turns->called_ns = now_ns;
	if (took_ns > turns->longest_call.took_ns) {
		turns->longest_call.took_ns = took_ns;
		turns->longest_call.code = what;
	}
	return now_ns - turns->begun_ns >= TURNS_CUT_NS;
}

static void tell(struct turns *turns, uint64_t took_ns)
{
	if (turns->told == TURNS_TOLD_MAX)
		return;
	turns->told++;
	fprintf(stderr,
		"a turn of the loop took %.1f ms, the call to +0x%" PRIxPTR
		" in it %.1f ms: so long nothing else was served\n",
		(double)took_ns / (double)NS_PER_MS,
		(uintptr_t)turns->longest_call.code - (uintptr_t)__executable_start,
		(double)turns->longest_call.took_ns / (double)NS_PER_MS);
}

static void on_ends(void *ctx)
{
	struct turns *turns = ctx;
	uint64_t took_ns = clock_host_ns() - turns->begun_ns, waited_ns;

	/* What is no longer even with the waiting needs no closer look. */
	if (took_ns <= turns->longest_ns && took_ns <= TURNS_LONG_NS)
		return;
	waited_ns = ask_waited_ns(turns);
	took_ns -= waited_ns < took_ns ? waited_ns : took_ns;
	if (took_ns > turns->longest_ns)
		turns->longest_ns = took_ns;
	if (took_ns > TURNS_LONG_NS)
		tell(turns, took_ns);
}

int turns_create(struct turns **out, struct loop *loop, struct why *why)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (!turns)
		return why_set(why, -ENOMEM, "watchdog of the event loop: out of memory");
	*turns = (struct turns){
		.loop = loop,
		.schedstat_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC),
		.watcher = { on_begins, on_called, on_ends, turns },
	};
	loop_watch_turns(loop, &turns->watcher);
	*out = turns;
	return 0;
}

void turns_destroy(struct turns *turns)
{
	if (!turns)
		return;
	loop_watch_turns(turns->loop, NULL);
	if (turns->schedstat_fd >= 0)
		close(turns->schedstat_fd);
	free(turns);
}

uint64_t turns_longest_ns(const struct turns *turns)
{
	return turns->longest_ns;
}
