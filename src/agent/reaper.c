/* SPDX-License-Identifier: MIT */
#include "agent/reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct reaper {
	int signal_fd;
	struct watch *watch;
	struct child children; /* ring head */
	const struct reaper_listener *listener;
};

void reaper_listen(struct reaper *reaper, const struct reaper_listener *listener)
{
	reaper->listener = listener;
}

void reaper_watch(struct reaper *reaper, struct child *child)
{
	child->prev = reaper->children.prev;
	child->next = &reaper->children;
	child->prev->next = child;
	child->next->prev = child;
}

void reaper_forget(struct child *child)
{
	if (!child->next)
		return;
	child->prev->next = child->next;
	child->next->prev = child->prev;
	child->prev = child->next = NULL;
}

static void collected(struct reaper *reaper, pid_t pid, int status)
{
	for (struct child *c = reaper->children.next; c != &reaper->children; c = c->next) {
		if (c->pid != pid)
			continue;
		reaper_forget(c);
		c->gone(c->ctx, status);
		return;
	}
}

static void on_signal(void *ctx, uint32_t events)
{
	struct reaper *reaper = ctx;
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)events;
	/* One signal may stand for many children: only waitpid() counts. */
	while (read(reaper->signal_fd, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		collected(reaper, pid, status);
		if (reaper->listener)
			reaper->listener->gone(reaper->listener->ctx, status);
	}
}

int reaper_create(struct reaper **out, struct loop *loop, struct why *why)
{
	struct reaper *reaper = calloc(1, sizeof(*reaper));
	sigset_t set;
	int err;

	if (!reaper)
		return why_set(why, -ENOMEM, "out of memory for the list of children");
	reaper->children.prev = reaper->children.next = &reaper->children;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	reaper->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (reaper->signal_fd < 0) {
		err = why_errno(why, -errno, "signalfd");
		free(reaper);
		return err;
	}
	err = loop_watch(loop, reaper->signal_fd, EPOLLIN, on_signal, reaper, &reaper->watch,
			 why);
	if (err) {
		reaper_destroy(reaper);
		return err;
	}
	*out = reaper;
	return 0;
}

void reaper_destroy(struct reaper *reaper)
{
	if (!reaper)
		return;
	watch_close(reaper->watch);
	close(reaper->signal_fd);
	free(reaper);
}
