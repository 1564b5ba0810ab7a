/* SPDX-License-Identifier: MIT */
#include "capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "capture/outbox.h"
#include "capture/pcapng.h"
#include "linkfault/filter.h"

enum { SEND_AT_BYTES = 64 << 10 }; /* do not wait for the turn to end */

enum capture_state {
	CAPTURE_OPEN,	   /* frames are taken */
	CAPTURE_FINISHING, /* no more; what waits is being written */
	CAPTURE_OVER,	   /* nothing is written any more */
};

struct port_count {
	uint64_t received, accepted, written;
	uint64_t missed_since; /* the last frame that was written */
};

struct capture {
	struct loop *loop;
	enum capture_state state;
	int fd; /* of an open file of our own, where that can be: see open_descriptor() */
	enum quiet_kind kind;
	bool full;	     /* the descriptor said so: EPOLLOUT will tell */
	struct watch *watch; /* NULL: a regular file, which is always ready */
	struct deferred send, end;
	struct outbox outbox;
	size_t frames_limit; /* of the outbox; the rest is kept for statistics */
	struct filter *filter;
	uint32_t snap_bytes;
	uint64_t last_wall_ns;
	struct capture_stats stats;
	struct port_count *ports;
	size_t port_count;
	void (*ended)(void *ctx, const char *why);
	void *ctx;
	int err;	/* 0 when nothing went wrong */
	struct why why; /* of err */
};

static void be_over(struct capture *capture, int err)
{
	if (capture->state == CAPTURE_OVER)
		return;
	capture->state = CAPTURE_OVER;
	capture->err = err;
	if (err == -EPIPE)
		why_set(&capture->why, err, "the reader has gone");
	else if (err)
		why_errno(&capture->why, err, "capture: write");
	/* Nothing more is heard of the descriptor; who is told is told later,
	 * for we may be deep in a call of his. */
	watch_close(steal_ptr(&capture->watch));
	deferred_cancel(&capture->send);
	loop_defer(capture->loop, &capture->end);
}

static void run_end(void *ctx)
{
	struct capture *capture = ctx;

	/* The last word: the capture may be gone when this returns. */
	capture->ended(capture->ctx, capture->err ? capture->why.text : NULL);
}

/* Write what waits, as far as it goes. */
static void send_waiting(struct capture *capture)
{
	int err;

	if (capture->full || capture->state == CAPTURE_OVER)
		return;
	err = outbox_send(&capture->outbox, capture->fd, capture->kind);
	if (err == -EAGAIN && capture->watch) {
		capture->full = true;
		watch_events(capture->watch, EPOLLOUT);
	} else if (err) {
		be_over(capture, err);
	} else if (capture->state == CAPTURE_FINISHING) {
		be_over(capture, 0);
	}
}

static void run_send(void *ctx)
{
	send_waiting(ctx);
}

static void on_events(void *ctx, uint32_t events)
{
	struct capture *capture = ctx;

	if (events & (EPOLLERR | EPOLLHUP)) {
		be_over(capture, -EPIPE);
		return;
	}
	if (events & EPOLLOUT) {
		capture->full = false;
		watch_events(capture->watch, 0);
		send_waiting(capture);
	}
}

/* The section and its interfaces. */
static int write_head(struct capture *capture, const struct capture_config *config)
{
	cleanup_free char *comment = NULL;
	struct pcapng_section section = { .program = "netlab" };
	struct pcapng_interface interface = {
		.filter = config->filter && *config->filter ? config->filter : NULL,
		.snap_bytes = capture->snap_bytes,
	};
	size_t bytes, tail = config->interface_count * pcapng_statistics_bytes();
	uint8_t *at;

	if (config->lab && asprintf(&comment, "netlab lab %s", config->lab) < 0)
		return -ENOMEM;
	section.comment = comment;
	bytes = pcapng_section_bytes(&section);
	for (size_t i = 0; i < config->interface_count; i++) {
		interface.name = config->interfaces[i];
		bytes += pcapng_interface_bytes(&interface);
	}
	capture->frames_limit = bytes + CAPTURE_BUFFER_BYTES;
	if (outbox_init(&capture->outbox, capture->frames_limit + tail) < 0)
		return -ENOMEM;
	at = pcapng_put_section(outbox_add(&capture->outbox, bytes), &section);
	for (size_t i = 0; i < config->interface_count; i++) {
		interface.name = config->interfaces[i];
		at = pcapng_put_interface(at, &interface);
	}
	outbox_added(&capture->outbox, at);
	return 0;
}

/* Whether a write waits is a flag of the open file, which others have, too, and can change
 * at any moment.  So a pipe is opened again, to have a file of our own; a socket is asked
 * not to wait each time; a regular file never makes anybody wait long. */
static int open_descriptor(struct capture *capture, struct why *why)
{
	int flags = fcntl(capture->fd, F_GETFL), type, err;
	socklen_t size = sizeof(type);
	char path[32];

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return why_set(why, -EBADF,
			       "capture: the descriptor is not open for writing");
	if (getsockopt(capture->fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) {
		capture->kind = QUIET_SOCKET;
	} else {
		struct stat st;

		if (fstat(capture->fd, &st))
			return why_errno(why, -errno, "capture");
		snprintf(path, sizeof(path), "/proc/self/fd/%d", capture->fd);
		if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
			capture->kind = QUIET_FILE;
		} else {
			capture->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
			capture->kind = QUIET_PIPE;
		}
		if (capture->fd < 0)
			return why_errno(why, -errno,
					 "capture: what it is to be written to cannot be "
					 "opened again");
	}
	err = loop_watch(capture->loop, capture->fd, 0, on_events, capture,
			 &capture->watch, why);
	if (err == -EPERM) /* a file that is always ready: never non-blocking */
		return 0;
	return err ? why_wrap(why, err, "capture") : 0;
}

/* Give everything back but the descriptor. */
static void free_all(struct capture *capture)
{
	watch_close(capture->watch);
	deferred_cancel(&capture->send);
	deferred_cancel(&capture->end);
	filter_free(capture->filter);
	outbox_free(&capture->outbox);
	free(capture->ports);
	free(capture);
}

static uint32_t snap_of(const struct capture_config *config)
{
	if (!config->snap_bytes || config->snap_bytes > CAPTURE_SNAP_BYTES_MAX)
		return CAPTURE_SNAP_BYTES_MAX;
	return config->snap_bytes;
}

static int start(struct capture *capture, const struct capture_config *config,
		 struct why *why)
{
	int err = filter_compile(&capture->filter, config->filter, why);

	if (err)
		return err;
	capture->ports = calloc(config->interface_count + 1, sizeof(*capture->ports));
	if (!capture->ports || write_head(capture, config) < 0)
		return why_set(why, -ENOMEM, "capture: out of memory");
	err = open_descriptor(capture, why);
	if (err)
		return err;
	send_waiting(capture);
	/* What fails at once is the caller's to hear, not ended()'s. */
	if (capture->state == CAPTURE_OVER)
		return why_set(why, capture->err, "%s", capture->why.text);
	return 0;
}

int capture_create(struct capture **out, struct loop *loop,
		   const struct capture_config *config,
		   void (*ended)(void *ctx, const char *why), void *ctx, struct why *why)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int err;

	if (!capture)
		return why_set(why, -ENOMEM, "capture: out of memory");
	capture->loop = loop;
	capture->fd = config->fd;
	capture->snap_bytes = snap_of(config);
	capture->port_count = config->interface_count;
	capture->ended = ended;
	capture->ctx = ctx;
	capture->send = (struct deferred){ .run = run_send, .ctx = capture };
	capture->end = (struct deferred){ .run = run_end, .ctx = capture };
	err = start(capture, config, why);
	if (err) {
		if (capture->fd >= 0 && capture->fd != config->fd)
			close(capture->fd);
		free_all(capture);
		return err;
	}
	if (capture->fd != config->fd)
		close(config->fd);
	*out = capture;
	return 0;
}

_Static_assert(CAPTURE_NO_ID == PCAPNG_NO_ID &&
		       (int)CAPTURE_NO_VERDICT == (int)PCAPNG_NO_VERDICT,
	       "what is not there is not there");

static uint32_t flags_of(const struct capture_frame *frame)
{
	static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint32_t flags = frame->inbound ? PCAPNG_OUTBOUND : PCAPNG_INBOUND;

	if (frame->crc_error)
		flags |= PCAPNG_CRC_ERROR;
	if (frame->size < sizeof(everybody))
		return flags;
	if (memcmp(frame->bytes, everybody, sizeof(everybody)) == 0)
		return flags | PCAPNG_BROADCAST;
	return flags | (frame->bytes[0] & 1 ? PCAPNG_MULTICAST : PCAPNG_UNICAST);
}

void capture_frame(struct capture *capture, const struct capture_frame *frame)
{
	struct port_count *port;
	struct pcapng_packet packet = {
		.interface = frame->interface,
		.flags = flags_of(frame),
		.id = frame->id,
		.verdict = frame->verdict,
		.wall_ns = frame->wall_ns,
		.bytes = frame->bytes,
		.captured = frame->size,
		.size = frame->size,
		.comment = frame->comment,
	};
	size_t bytes;

	ASSERT(frame->interface < capture->port_count);
	if (capture->state != CAPTURE_OPEN)
		return;
	port = &capture->ports[frame->interface];
	packet.missed = port->missed_since;
	port->received++;
	capture->last_wall_ns = frame->wall_ns;
	if (!filter_wants(capture->filter, frame->bytes, frame->size)) {
		capture->stats.filtered++;
		return;
	}
	port->accepted++;
	if (packet.captured > capture->snap_bytes)
		packet.captured = capture->snap_bytes;
	bytes = pcapng_packet_bytes(&packet);
	if (outbox_waiting(&capture->outbox) + bytes > capture->frames_limit) {
		capture->stats.missed++;
		port->missed_since++;
		return;
	}
	outbox_added(&capture->outbox,
		     pcapng_put_packet(outbox_add(&capture->outbox, bytes), &packet));
	port->missed_since = 0;
	port->written++;
	capture->stats.written++;
	if (outbox_waiting(&capture->outbox) >= SEND_AT_BYTES)
		send_waiting(capture);
	else if (!capture->full)
		loop_defer(capture->loop, &capture->send);
}

const struct capture_stats *capture_stats(const struct capture *capture)
{
	return &capture->stats;
}

/* The statistics of the interfaces that saw a frame: the outbox has room for them. */
static void write_tail(struct capture *capture)
{
	for (size_t i = 0; i < capture->port_count; i++) {
		const struct port_count *port = &capture->ports[i];
		const struct pcapng_statistics statistics = {
			.interface = (uint32_t)i,
			.wall_ns = capture->last_wall_ns,
			.received = port->received,
			.missed = port->accepted - port->written,
			.accepted = port->accepted,
			.delivered = port->written,
		};
		uint8_t *at;

		if (!port->received)
			continue;
		at = outbox_add(&capture->outbox, pcapng_statistics_bytes());
		outbox_added(&capture->outbox, pcapng_put_statistics(at, &statistics));
	}
}

void capture_finish(struct capture *capture)
{
	if (capture->state != CAPTURE_OPEN)
		return;
	write_tail(capture);
	capture->state = CAPTURE_FINISHING;
	loop_defer(capture->loop, &capture->send);
}

bool capture_end(struct capture *capture, int *patience_ms)
{
	enum { STEP_MS = 50, STEPS_MAX = 512 };
	struct pollfd p = { .fd = capture->fd, .events = POLLOUT };
	bool whole;

	if (capture->state == CAPTURE_OPEN)
		write_tail(capture);
	for (int i = 0; capture->state != CAPTURE_OVER && i < STEPS_MAX; i++) {
		if (outbox_send(&capture->outbox, capture->fd, capture->kind) != -EAGAIN ||
		    *patience_ms <= 0)
			break;
		if (poll(&p, 1, STEP_MS) == 0)
			*patience_ms -= STEP_MS;
	}
	whole = capture->state == CAPTURE_OVER ? !capture->err
					       : !outbox_waiting(&capture->outbox);
	capture_destroy(capture);
	return whole;
}

void capture_destroy(struct capture *capture)
{
	int fd;

	if (!capture)
		return;
	if (capture->state == CAPTURE_OPEN)
		write_tail(capture);
	if (capture->state != CAPTURE_OVER)
		outbox_send(&capture->outbox, capture->fd, capture->kind);
	fd = capture->fd;
	free_all(capture);
	close(fd);
}

int capture_filter_check(const char *filter, struct why *why)
{
	struct filter *compiled;
	int err = filter_compile(&compiled, filter, why);

	filter_free(compiled);
	return err;
}
