/* SPDX-License-Identifier: MIT */
#include "agent/initctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* initctl(8)'s request, in the machine's own byte order. */
enum { REQUEST_MAGIC = 0x03091969, REQUEST_RUNLEVEL = 1, REQUEST_BYTES = 384 };

struct request {
	int32_t magic, command, runlevel, sleep_s;
	uint8_t rest[REQUEST_BYTES - 16];
};
_Static_assert(sizeof(struct request) == REQUEST_BYTES, "as others write it");

struct initctl {
	int fd;
	struct watch *watch;
	void (*end)(void *ctx, bool reboot);
	void *ctx;
};

/* A request is smaller than PIPE_BUF, so it comes whole. */
static void on_request(void *ctx, uint32_t events)
{
	struct initctl *initctl = ctx;
	struct request request;
	ssize_t n = read(initctl->fd, &request, sizeof(request));

	(void)events;
	if (n != sizeof(request) || request.magic != REQUEST_MAGIC ||
	    request.command != REQUEST_RUNLEVEL)
		return;
	if (request.runlevel == '0' || request.runlevel == '6')
		initctl->end(initctl->ctx, request.runlevel == '6');
}

int initctl_create(struct initctl **out, struct loop *loop, const char *path,
		   void (*end)(void *ctx, bool reboot), void *ctx, struct why *why)
{
	struct initctl *initctl = calloc(1, sizeof(*initctl));
	int err;

	if (!initctl)
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	initctl->end = end;
	initctl->ctx = ctx;
	if (mkfifo(path, 0600) < 0 && errno != EEXIST) {
		err = -errno;
		free(initctl);
		return why_errno(why, err, "%s", path);
	}
	/* For writing, too: else it would be at its end whenever a writer goes. */
	initctl->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (initctl->fd < 0) {
		err = -errno;
		free(initctl);
		return why_errno(why, err, "%s", path);
	}
	err = loop_watch(loop, initctl->fd, EPOLLIN, on_request, initctl, &initctl->watch,
			 why);
	if (err) {
		close(initctl->fd);
		free(initctl);
		return err;
	}
	*out = initctl;
	return 0;
}

void initctl_destroy(struct initctl *initctl)
{
	if (!initctl)
		return;
	watch_close(initctl->watch);
	close(initctl->fd);
	free(initctl);
}
