/* SPDX-License-Identifier: MIT */
#include "agent/drains.h"

#include <errno.h>
#include <unistd.h>

static void end(struct drain *drain)
{
	if (drain->fd < 0)
		return;
	watch_close(drain->watch);
	close(drain->fd);
	*drain = (struct drain){ .fd = -1 };
}

static void on_readable(void *ctx, uint32_t events)
{
	static char dropped[4096];
	struct drain *drain = ctx;
	ssize_t n = read(drain->fd, dropped, sizeof(dropped));

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(drain);
}

void drains_init(struct drains *drains, struct loop *loop)
{
	drains->loop = loop;
	drains->next = 0;
	for (unsigned i = 0; i < DRAINS_MAX; i++)
		drains->slots[i] = (struct drain){ .fd = -1 };
}

void drains_close(struct drains *drains)
{
	for (unsigned i = 0; i < DRAINS_MAX; i++)
		end(&drains->slots[i]);
}

void drains_add(struct drains *drains, int fd)
{
	struct drain *drain = NULL;

	if (fd < 0)
		return;
	for (unsigned i = 0; i < DRAINS_MAX && !drain; i++)
		if (drains->slots[i].fd < 0)
			drain = &drains->slots[i];
	if (!drain) {
		drain = &drains->slots[drains->next];
		drains->next = (drains->next + 1) % DRAINS_MAX;
		end(drain);
	}
	if (loop_watch(drains->loop, fd, EPOLLIN, on_readable, drain, &drain->watch, NULL)) {
		close(fd);
		return;
	}
	drain->fd = fd;
}
