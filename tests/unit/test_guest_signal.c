/* SPDX-License-Identifier: MIT */
/* What a guest gives to be told through never makes us wait, whatever the guest does to
 * it meanwhile.  Who waits all the same is ended by the alarm. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "vhost/guest_signal.h"

enum { RINGS = 200000, PATIENCE_S = 30 };

/* ours goes to the lab; guests hears; both are the guest's, too. */
struct ends {
	int guests, ours;
};

static struct ends unix_pair(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct ends){ fds[0], fds[1] };
}

static struct ends pipe_pair(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	return (struct ends){ fds[0], fds[1] };
}

static struct ends event_pair(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_true(fd >= 0);
	return (struct ends){ fd, fcntl(fd, F_DUPFD_CLOEXEC, 0) };
}

static struct guest_signal take(const struct ends *ends)
{
	struct guest_signal signal;
	struct why why;

	guest_signal_init(&signal);
	assert_int_equal(
		guest_signal_take(&signal, fcntl(ends->ours, F_DUPFD_CLOEXEC, 0), &why),
		0);
	return signal;
}

static void each_kind_is_heard(void **state)
{
	struct ends (*const kinds[])(void) = { unix_pair, pipe_pair, event_pair };
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct ends ends = kinds[i]();
		struct guest_signal signal = take(&ends);

		for (int k = 0; k < 3; k++) {
			guest_signal_ring(&signal);
			assert_int_equal(read(ends.guests, &n, sizeof(n)), sizeof(n));
			assert_int_equal(n, 1);
		}
		guest_signal_close(&signal);
		close(ends.guests);
		close(ends.ours);
	}
}

/* The guest fills it, and says of the open file that it shall block. */
static void a_guest_that_never_reads_costs_no_wait(void **state)
{
	struct ends (*const kinds[])(void) = { unix_pair, pipe_pair, event_pair };
	uint64_t most = UINT64_MAX - 1;

	(void)state;
	alarm(PATIENCE_S);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct ends ends = kinds[i]();
		struct guest_signal signal = take(&ends);

		assert_int_equal(fcntl(ends.ours, F_SETFL, 0), 0);
		if (signal.kind == GUEST_SIGNAL_EVENTFD)
			assert_int_equal(write(ends.ours, &most, sizeof(most)), 8);
		for (int k = 0; k < RINGS; k++)
			guest_signal_ring(&signal);
		guest_signal_close(&signal);
		close(ends.guests);
		close(ends.ours);
	}
	alarm(0);
}

static void a_guest_that_is_gone_costs_nothing(void **state)
{
	struct ends (*const kinds[])(void) = { unix_pair, pipe_pair };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct ends ends = kinds[i]();
		struct guest_signal signal = take(&ends);

		close(ends.guests);
		guest_signal_ring(&signal);
		guest_signal_close(&signal);
		close(ends.ours);
	}
}

static void everything_else_is_refused(void **state)
{
	const int others[] = {
		memfd_create("file", MFD_CLOEXEC),
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
		epoll_create1(EPOLL_CLOEXEC),
		socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
		open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		open("/dev/null", O_WRONLY | O_CLOEXEC),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct guest_signal signal;
		struct why why = { "" };

		guest_signal_init(&signal);
		assert_true(others[i] >= 0);
		assert_true(guest_signal_take(&signal, others[i], &why) < 0);
		assert_non_null(strstr(why.text, "no pipe, no Unix socket"));
		assert_int_equal(signal.kind, GUEST_SIGNAL_NONE);
		/* It was taken over all the same. */
		assert_int_equal(fcntl(others[i], F_GETFD), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_heard),
		cmocka_unit_test(a_guest_that_never_reads_costs_no_wait),
		cmocka_unit_test(a_guest_that_is_gone_costs_nothing),
		cmocka_unit_test(everything_else_is_refused),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
