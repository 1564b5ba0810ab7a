/* SPDX-License-Identifier: MIT */
/* wirefilter (Debian package vde2) one way, from a pipe to a pipe: a frame is its length
 * in two bytes, the high one first, and then itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_delay.h"

enum { PIPE_BYTES = 1 << 20 };

static void prepare(struct delay_case *c)
{
	if (pipe(c->to_wire) || pipe(c->from_wire))
		delay_die("pipe");
	/* As roomy as they can be: the sender is not to wait for the wire. */
	fcntl(c->to_wire[1], F_SETPIPE_SZ, PIPE_BYTES);
	fcntl(c->from_wire[1], F_SETPIPE_SZ, PIPE_BYTES);
}

static void run_wire(struct delay_case *c)
{
	char delay[32];

	if (dup2(c->to_wire[0], STDIN_FILENO) < 0 ||
	    dup2(c->from_wire[1], STDOUT_FILENO) < 0)
		delay_die("dup2");
	close(c->to_wire[1]);
	close(c->from_wire[0]);
	/* What it says of itself goes to stderr. */
	if (!freopen("/dev/null", "w", stderr))
		_exit(1);
	snprintf(delay, sizeof(delay), "%u", (unsigned)(c->delay_ns / 1000000));
	execlp("wirefilter", "wirefilter", "-d", delay, NULL);
	_exit(1);
}

static void run_receiver(struct delay_case *c)
{
	static uint8_t buffer[1 << 16];
	size_t have = 0;

	close(c->from_wire[1]);
	__atomic_store_n(&c->shared->receiver_ready, 1, __ATOMIC_RELEASE);
	for (;;) {
		ssize_t n = read(c->from_wire[0], buffer + have, sizeof(buffer) - have);
		size_t at = 0;

		if (n <= 0)
			delay_die("reading from wirefilter");
		have += (size_t)n;
		while (have - at >= 2) {
			size_t size = (size_t)buffer[at] << 8 | buffer[at + 1];

			if (have - at < 2 + size)
				break;
			delay_received(c, buffer + at + 2, (uint32_t)size);
			at += 2 + size;
		}
		memmove(buffer, buffer + at, have - at);
		have -= at;
	}
}

static bool send_frame(void *ctx, uint64_t number)
{
	struct delay_case *c = ctx;
	uint8_t bytes[2 + DELAY_FRAME_BYTES] = { 0, DELAY_FRAME_BYTES };

	delay_stamp(bytes + 2, number);
	if (write(c->to_wire[1], bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		delay_die("writing to wirefilter");
	return true;
}

static void run_sender(struct delay_case *c)
{
	close(c->to_wire[0]);
	delay_pace(c, send_frame, c);
	/* Its end would be wirefilter's, with what is under way. */
	pause();
}

static void clean_up(struct delay_case *c)
{
	close(c->to_wire[0]);
	close(c->to_wire[1]);
	close(c->from_wire[0]);
	close(c->from_wire[1]);
}

const struct delay_side delay_vde = {
	.name = "wirefilter",
	.prepare = prepare,
	.run_wire = run_wire,
	.run_receiver = run_receiver,
	.run_sender = run_sender,
	.clean_up = clean_up,
};
