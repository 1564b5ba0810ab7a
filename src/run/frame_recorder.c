/* SPDX-License-Identifier: MIT */
#include "run/frame_recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"

enum { BUFFERED = 2048 };

struct frame_recorder {
	struct digest_watch watch;
	int fd; /* -1: given up, or full */
	uint64_t written;
	int error;
	size_t have;
	struct frame_record buffer[BUFFERED];
};

struct frame_record frame_record(enum digest_way way, uint32_t port, uint64_t now_ns,
				 size_t size, uint64_t hash)
{
	return (struct frame_record){ .at_ns = now_ns,
				      .hash = hash,
				      .port = port,
				      .size_and_way = (uint32_t)way << 30 |
						      (uint32_t)size };
}

static void give_up(struct frame_recorder *recorder, const char *why)
{
	fprintf(stderr,
		"frames.bin ends after %llu frames: %s; a replay cannot compare those "
		"that follow\n",
		(unsigned long long)recorder->written, why);
	close(recorder->fd);
	recorder->fd = -1;
}

void frame_recorder_flush(struct frame_recorder *recorder)
{
	int err;

	if (!recorder || recorder->fd < 0 || !recorder->have)
		return;
	err = fdio_append(recorder->fd, recorder->buffer,
			  recorder->have * sizeof(*recorder->buffer));
	if (!err)
		recorder->written += recorder->have;
	recorder->have = 0;
	if (!err && recorder->written >= RECORDING_FRAMES_MAX)
		err = -EFBIG;
	recorder->error = err;
	if (err)
		give_up(recorder, strerror(-err));
}

static void on_frame(void *ctx, enum digest_way way, uint32_t port, uint64_t now_ns,
		     size_t size, uint64_t hash)
{
	struct frame_recorder *recorder = ctx;

	if (recorder->fd < 0)
		return;
	recorder->buffer[recorder->have++] = frame_record(way, port, now_ns, size, hash);
	if (recorder->have == BUFFERED)
		frame_recorder_flush(recorder);
}

int frame_recorder_create(struct frame_recorder **out, struct digest *digest, int fd,
			  struct why *why)
{
	struct recording_head head = { .record_bytes = sizeof(struct frame_record) };
	struct frame_recorder *recorder = calloc(1, sizeof(*recorder));
	int err;

	memcpy(head.magic, RECORDING_MAGIC, sizeof(head.magic));
	err = recorder ? fdio_write(fd, &head, sizeof(head)) : -ENOMEM;
	if (err) {
		close(fd);
		free(recorder);
		return why_errno(why, err, "frames.bin");
	}
	recorder->fd = fd;
	recorder->watch = (struct digest_watch){ .frame = on_frame, .ctx = recorder };
	digest_watch(digest, &recorder->watch);
	*out = recorder;
	return 0;
}

int frame_recorder_error(const struct frame_recorder *recorder)
{
	return recorder ? recorder->error : 0;
}

void frame_recorder_destroy(struct frame_recorder *recorder)
{
	if (!recorder)
		return;
	frame_recorder_flush(recorder);
	if (recorder->fd >= 0)
		close(recorder->fd);
	free(recorder);
}
