/* SPDX-License-Identifier: MIT */
#include "agent/ready.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/session.h"
#include "agent/spawn.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/units.h"

enum {
	PAUSE_FIRST_MS = 5,
	PAUSE_MAX_MS = 100,
	PROC_NET_BYTES_MAX = 16 << 20,
	TCP_LISTEN_STATE = 0x0a,
};

bool ready_tcp_listens(const char *text, uint16_t port)
{
	/* "  0: 0100007F:18EB 00000000:0000 0A ..." below one line of titles */
	for (const char *line = strchr(text, '\n'); line; line = strchr(line + 1, '\n')) {
		unsigned local = 0, state = 0;

		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &local,
			   &state) == 2 &&
		    state == TCP_LISTEN_STATE && local == port)
			return true;
	}
	return false;
}

static bool listens(uint16_t port)
{
	static const char *const paths[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && !found; i++) {
		cleanup_free char *text = NULL;
		size_t size;

		if (fdio_read_file(AT_FDCWD, paths[i], PROC_NET_BYTES_MAX, &text, &size, NULL) ==
		    0)
			found = ready_tcp_listens(text, port);
	}
	return found;
}

void ready_stop(struct ready *ready)
{
	timer_cancel(ready->clock, &ready->timer);
	if (ready->child.pid) {
		reaper_forget(&ready->child);
		session_signal(ready->child.pid, SIGKILL);
		ready->child.pid = 0;
	}
}

static void over(struct ready *ready, const char *why_not)
{
	ready_stop(ready);
	ready->over(ready->ctx, why_not);
}

static void too_late(struct ready *ready)
{
	const struct plan_ready *test = ready->test;
	char after[UNITS_TEXT_BYTES_MAX], text[512];

	units_format_ns(after, test->timeout_ns);
	switch (test->kind) {
	case READY_TCP:
		snprintf(text, sizeof(text), "nothing listens on tcp port %u after %s",
			 test->tcp_port, after);
		break;
	case READY_FILE:
		snprintf(text, sizeof(text), "there is no %.300s after %s", test->text, after);
		break;
	default:
		if (!ready->asked)
			snprintf(text, sizeof(text), "\"%.300s\" has not ended after %s",
				 test->text, after);
		else if (WIFEXITED(ready->last_status))
			snprintf(text, sizeof(text), "\"%.300s\" still exits with %d after %s",
				 test->text, WEXITSTATUS(ready->last_status), after);
		else
			snprintf(text, sizeof(text),
				 "\"%.300s\" is still killed by signal %d after %s", test->text,
				 WTERMSIG(ready->last_status), after);
	}
	over(ready, text);
}

/* Not yet: again after a pause, or at the deadline if that is sooner. */
static void again(struct ready *ready)
{
	uint64_t now = clock_now_ns(ready->clock);
	uint64_t next = now + ready->pause_ns;

	if (now >= ready->deadline_ns) {
		too_late(ready);
		return;
	}
	if (next > ready->deadline_ns)
		next = ready->deadline_ns;
	ready->pause_ns += ready->pause_ns / 2;
	if (ready->pause_ns > PAUSE_MAX_MS * NS_PER_MS)
		ready->pause_ns = PAUSE_MAX_MS * NS_PER_MS;
	timer_set(ready->clock, &ready->timer, next);
}

static void on_command_gone(void *ctx, int wait_status)
{
	struct ready *ready = ctx;

	ready->child.pid = 0;
	ready->last_status = wait_status;
	ready->asked = true;
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		over(ready, NULL);
	else
		again(ready);
}

/* The timer stands at the deadline while the command runs. */
static void run_command(struct ready *ready)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", ready->test->text, NULL };
	struct spawn spawn = { .argv = argv, .envp = ready->envp, .cwd = "/", .io = SPAWN_QUIET };
	struct spawned spawned;
	struct why why;
	int exit_code;

	if (spawn_program(&spawn, &spawned, &exit_code, &why)) {
		over(ready, why.text);
		return;
	}
	ready->child = (struct child){
		.pid = spawned.pid, .gone = on_command_gone, .ctx = ready
	};
	reaper_watch(ready->reaper, &ready->child);
	timer_set(ready->clock, &ready->timer, ready->deadline_ns);
}

static void ask(void *ctx, uint64_t now_ns)
{
	struct ready *ready = ctx;
	struct stat st;
	bool yes = false;

	(void)now_ns;
	if (ready->child.pid) {
		too_late(ready);
		return;
	}
	switch (ready->test->kind) {
	case READY_TCP:
		yes = listens(ready->test->tcp_port);
		break;
	case READY_FILE:
		yes = stat(ready->test->text, &st) == 0;
		break;
	case READY_CMD:
		run_command(ready);
		return;
	case READY_NONE:
		yes = true;
		break;
	}
	if (yes)
		over(ready, NULL);
	else
		again(ready);
}

void ready_start(struct ready *ready)
{
	uint64_t now = clock_now_ns(ready->clock);
	uint64_t timeout = ready->test->timeout_ns;

	ready->timer = (struct timer){ .fire = ask, .ctx = ready };
	ready->deadline_ns = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
	ready->pause_ns = PAUSE_FIRST_MS * NS_PER_MS;
	timer_set(ready->clock, &ready->timer, now);
}
