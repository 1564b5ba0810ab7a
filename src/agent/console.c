/* SPDX-License-Identifier: MIT */
#include "agent/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "init/environ.h"
#include "agent/session.h"
#include "agent/spawn.h"

/* This name, and not the terminal's own: when a shell that controlled a terminal
 * ends, the kernel hangs up all who have it open, except through this one. */
#define CONSOLE_DEVICE "/dev/console"

struct console {
	struct loop *loop;
	struct reaper *reaper;
	struct environ_list env;
	int fd;
	struct watch *watch;
	struct child child;
	struct termios mode; /* as it was found: a shell may leave another */
};

static void wait_for_enter(struct console *console);

static void on_shell_gone(void *ctx, int wait_status)
{
	struct console *console = ctx;

	(void)wait_status;
	console->child.pid = 0;
	tcsetattr(console->fd, TCSANOW, &console->mode);
	dprintf(console->fd, "\r\nThe shell has ended.  Press Enter for another.\r\n");
	wait_for_enter(console);
}

static void run_shell(struct console *console)
{
	char *bash[] = { (char *)"/bin/bash", (char *)"-i", NULL };
	char *sh[] = { (char *)"/bin/sh", (char *)"-i", NULL };
	struct spawn spawn = {
		.argv = access(bash[0], X_OK) == 0 ? bash : sh,
		.envp = console->env.vars,
		.cwd = "/",
		.io = SPAWN_ON_TTY,
		.tty_path = CONSOLE_DEVICE,
	};
	struct spawned spawned;
	struct why why;
	int exit_code;

	if (spawn_program(&spawn, &spawned, &exit_code, &why)) {
		dprintf(console->fd, "netlab-agent: no shell: %s\r\n", why.text);
		wait_for_enter(console);
		return;
	}
	console->child =
		(struct child){ .pid = spawned.pid, .gone = on_shell_gone, .ctx = console };
	reaper_watch(console->reaper, &console->child);
}

/* A line is there.  No end of file opens a shell, nor keeps us busy. */
static void on_line(void *ctx, uint32_t events)
{
	struct console *console = ctx;
	char dropped[256];
	ssize_t n = read(console->fd, dropped, sizeof(dropped));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	watch_close(console->watch);
	console->watch = NULL;
	if (n > 0)
		run_shell(console);
}

static void wait_for_enter(struct console *console)
{
	struct why why;

	if (loop_watch(console->loop, console->fd, EPOLLIN, on_line, console, &console->watch,
		       &why))
		dprintf(console->fd, "netlab-agent: console: %s\r\n", why.text);
}

/* What is at the other end is not known; most terminals are like this one. */
static int copy_env(struct console *console, char *const *envp, struct why *why)
{
	for (; *envp; envp++) {
		int err = environ_add(&console->env, *envp, why);

		if (err)
			return err;
	}
	return environ_set(&console->env, "TERM", "xterm", why);
}

int console_create(struct console **out, struct loop *loop, struct reaper *reaper,
		   char *const *envp, struct why *why)
{
	struct console *console = calloc(1, sizeof(*console));
	int err;

	if (!console)
		return why_set(why, -ENOMEM, "console: out of memory");
	console->loop = loop;
	console->reaper = reaper;
	console->fd = -1;
	err = copy_env(console, envp, why);
	if (err) {
		console_destroy(console);
		return err;
	}
	console->fd = open(CONSOLE_DEVICE, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (console->fd < 0 || tcgetattr(console->fd, &console->mode) < 0) {
		err = why_errno(why, -errno, "console: %s", CONSOLE_DEVICE);
		console_destroy(console);
		return err;
	}
	wait_for_enter(console);
	*out = console;
	return 0;
}

void console_destroy(struct console *console)
{
	if (!console)
		return;
	watch_close(console->watch);
	if (console->child.pid) {
		reaper_forget(&console->child);
		session_signal(console->child.pid, 9);
	}
	if (console->fd >= 0)
		close(console->fd);
	environ_free(&console->env);
	free(console);
}
