/* SPDX-License-Identifier: MIT */
#include "machine/machine_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { READ_BYTES = 4096, READS_PER_TURN = 16, PIPE_BYTES = 1 << 20 };

static void put(struct machine *machine, const char *bytes, size_t size)
{
	machine_record_console(machine, bytes, size);
	digest_console(machine->env->digest, machine->index, (const uint8_t *)bytes,
		       size);
	ring_put(&machine->console, (const uint8_t *)bytes, size);
}

/* An answer is written at once, so the rest of one that has begun is there, too. */
static enum backtrace_cut take_answer(struct machine *machine, char *bytes, size_t *size)
{
	enum backtrace_cut cut = backtrace_cut(&machine->answer, bytes, size);

	if (cut == BACKTRACE_WHOLE) {
		machine->asked = false;
		loop_defer(machine->env->loop, &machine->answered);
	}
	return cut;
}

/* Read what is there.  Returns false when the terminal is closed for good. */
static bool read_some(struct machine *machine)
{
	char bytes[READ_BYTES];
	size_t held = 0; /* what may be the beginning of an answer */

	for (int i = 0; i < READS_PER_TURN || held; i++) {
		ssize_t n = read(machine->console_fd, bytes + held, sizeof(bytes) - held);
		int err = errno;
		size_t size;

		if (n <= 0) {
			put(machine, bytes, held);
			return n < 0 && (err == EAGAIN || err == EINTR);
		}
		size = held + (size_t)n;
		held = 0;
		if (machine->asked) {
			held = size;
			if (take_answer(machine, bytes, &size) == BACKTRACE_PART)
				held -= size;
			else
				held = 0;
		}
		put(machine, bytes, size);
		memmove(bytes, bytes + size, held);
	}
	return true;
}

static void tell_answer(void *ctx)
{
	struct machine *machine = ctx;

	machine->env->ops->where(machine->env->ctx, machine, &machine->answer);
}

static void on_readable(void *ctx, uint32_t events)
{
	struct machine *machine = ctx;
	uint64_t before = machine->console.end;

	(void)events;
	if (!read_some(machine))
		machine_console_close(machine);
	if (machine->console.end != before)
		machine->env->ops->console(machine->env->ctx, machine);
}

static int open_pair(int *master, int *slave)
{
	struct winsize size = { .ws_row = 25, .ws_col = 80 };
	cleanup_close int m = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	cleanup_close int s = -1;
	struct termios mode;

	if (m < 0 || grantpt(m) < 0 || unlockpt(m) < 0)
		return -errno;
	/* By descriptor, not by name: /dev/pts may not be in sight. */
	s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s < 0 || tcgetattr(s, &mode) < 0)
		return -errno;
	/* The machine's own terminal does the editing; this one must not. */
	cfmakeraw(&mode);
	if (tcsetattr(s, TCSANOW, &mode) < 0 || ioctl(s, TIOCSWINSZ, &size) < 0)
		return -errno;
	*master = steal_fd(&m);
	*slave = steal_fd(&s);
	return 0;
}

/* In virtual time what a machine has said has to be there when it has said it, which a
 * terminal of the host's does not promise; and nobody types. */
static int open_pipe(int *reader, int *writer)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	/* Room for what is said in one turn; less will do, the machine then waits. */
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	*reader = ends[0];
	*writer = ends[1];
	return 0;
}

int machine_console_open(struct machine *machine, int *slave_fd, struct why *why)
{
	cleanup_close int slave = -1;
	int err;

	machine->answered = (struct deferred){ .run = tell_answer, .ctx = machine };
	err = machine->env->vtime ? open_pipe(&machine->console_fd, &slave)
				      : open_pair(&machine->console_fd, &slave);

	if (err)
		return why_errno(why, err,
				 "console: a terminal or pipe could not be had");
	err = loop_watch(machine->env->loop, machine->console_fd, EPOLLIN, on_readable,
			 machine, &machine->console_watch, why);
	if (err) {
		machine_console_close(machine);
		return why_wrap(why, err, "console");
	}
	*slave_fd = steal_fd(&slave);
	return 0;
}

void machine_console_drain(struct machine *machine)
{
	while (machine->console_fd >= 0) {
		uint64_t before = machine->console.end;

		if (!read_some(machine))
			machine_console_close(machine);
		if (machine->console.end == before)
			return;
	}
}

void machine_console_close(struct machine *machine)
{
	watch_close(steal_ptr(&machine->console_watch));
	deferred_cancel(&machine->answered);
	machine->asked = false;
	if (machine->console_fd >= 0)
		close(machine->console_fd);
	machine->console_fd = -1;
}

ssize_t machine_type(struct machine *machine, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	if (machine->console_fd < 0)
		return -ENOTCONN;
	if (machine->env->vtime)
		return -EOPNOTSUPP;
	n = write(machine->console_fd, bytes, size);
	return n < 0 ? (errno == EAGAIN ? 0 : -errno) : n;
}
