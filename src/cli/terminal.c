/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static int raw_fd = -1;
static sigset_t mask_before;

/* Async-signal-safe: a crash runs it too. */
void terminal_restore(void)
{
	int fd = raw_fd;

	raw_fd = -1;
	if (fd >= 0)
		tcsetattr(fd, TCSADRAIN, &before);
}

static void crashed(int number)
{
	terminal_restore();
	raise(number); /* SA_RESETHAND: the default action now */
}

int terminal_raw(int fd, struct why *why)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static bool arranged;
	struct sigaction act = { .sa_handler = crashed, .sa_flags = (int)SA_RESETHAND };
	struct termios raw;
	size_t i;

	if (tcgetattr(fd, &before))
		return why_errno(why, -errno, "terminal");
	if (!arranged) {
		for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
			sigaction(crashes[i], &act, NULL);
		atexit(terminal_restore);
		arranged = true;
	}
	raw = before;
	cfmakeraw(&raw);
	raw_fd = fd;
	if (tcsetattr(fd, TCSADRAIN, &raw)) {
		raw_fd = -1;
		return why_errno(why, -errno, "terminal: raw mode");
	}
	return 0;
}

void terminal_reset_modes(bool other_screen)
{
	static const char back[] = "\033[?1049l";
	static const char modes[] = "\033[?25h\033[0m\033[?1000l\033[?1002l"
				    "\033[?1003l\033[?1006l\033[?2004l\033[?1l\033>\r\n";

	if (!isatty(STDOUT_FILENO))
		return;
	/* Said to a terminal that is not there, some go to an old place of the cursor. */
	if (other_screen && write(STDOUT_FILENO, back, sizeof(back) - 1) < 0)
		return;
	if (write(STDOUT_FILENO, modes, sizeof(modes) - 1) < 0)
		return; /* nobody is there to see it */
}

void terminal_size(unsigned *rows, unsigned *cols)
{
	struct winsize size;

	*rows = 24;
	*cols = 80;
	if ((ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) &&
	     ioctl(STDIN_FILENO, TIOCGWINSZ, &size)) ||
	    !size.ws_row || !size.ws_col)
		return;
	*rows = size.ws_row;
	*cols = size.ws_col;
}

int signals_open(const int *list, struct why *why)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (; *list; list++)
		sigaddset(&set, *list);
	if (sigprocmask(SIG_BLOCK, &set, &mask_before))
		return why_errno(why, -errno, "signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return why_errno(why, -errno, "signalfd");
	return fd;
}

int signals_next(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

void signals_unblock(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_close(int fd)
{
	if (fd < 0)
		return;
	/* What waits is dropped: it was meant for the work that is done. */
	while (signals_next(fd))
		;
	close(fd);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}
