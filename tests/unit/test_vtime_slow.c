/* SPDX-License-Identifier: MIT */
/* Who makes virtual time slow: one guest made of paper, which takes its time. */
#include "clock/vtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock/vtime_internal.h"

enum { PATIENCE_TURNS = 2000 };

static struct {
	unsigned slow, swift, windows;
	struct vtime_slowness last;
} told;

static void on_guest(void *ctx, uint32_t guest, const char *why)
{
	(void)ctx;
	fail_msg("guest %u: %s", guest, why);
}

static void on_paced(void *ctx)
{
	(void)ctx;
}

static void on_slow(void *ctx, const struct vtime_slowness *slow)
{
	(void)ctx;
	if (slow)
		told.last = *slow;
	told.slow += slow != NULL;
	told.swift += slow == NULL;
}

static void on_window(void *ctx)
{
	(void)ctx;
	told.windows++;
}

static void say(int fd, enum tt_op op, uint64_t time)
{
	static uint32_t seq;
	struct tt_message m = { .op = op, .seq = ++seq, .time = time };

	assert_int_equal(write(fd, &m, sizeof(m)), sizeof(m));
}

static int connect_guest(struct vtime *vtime, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct why why;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(vtime_guest_open(vtime, 0, path, &why), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void who_makes_time_slow_is_named_until_it_is_so_no_longer(void **state)
{
	static const struct vtime_ops ops = { on_guest, on_guest, on_paced, on_slow,
					      on_window };
	struct vtime_config config = { .guest_count = 1,
				       .pace_ppm = VTIME_PACE_MAX,
				       .slow_ns = 20 * NS_PER_MS,
				       .ops = &ops };
	char dir[] = "/tmp/vtime.XXXXXX", path[64];
	struct vtime *vtime;
	struct why why;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/clock", dir);
	assert_int_equal(loop_create(&config.loop, &why), 0);
	assert_int_equal(clock_real_create(&config.host, config.loop, &why), 0);
	assert_int_equal(vtime_create(&vtime, &config, &why), 0);
	fd = connect_guest(vtime, path);
	vtime_want(vtime);
	/* It has its first turn, and says nothing. */
	say(fd, TT_START, 0);
	for (int i = 0; i < PATIENCE_TURNS && !told.slow; i++)
		loop_turn(config.loop, 10);
	assert_true(told.slow > 0);
	assert_int_equal(told.windows, told.slow + 1);
	assert_int_equal(told.swift, 0);
	assert_int_equal(told.last.guest, 0);
	assert_true(told.last.host_ns >= 15 * NS_PER_MS);
	assert_true(told.last.guest_ns > 0);
	assert_true(told.last.lab_ns < told.last.host_ns / VTIME_SLOW_PART);
	/* An hour passes. */
	say(fd, TT_REQUEST, 3600 * NS_PER_S);
	say(fd, TT_WAIT, 0);
	for (int i = 0; i < PATIENCE_TURNS && !told.swift; i++)
		loop_turn(config.loop, 10);
	assert_int_equal(told.swift, 1);
	vtime_destroy(vtime);
	clock_destroy(config.host);
	loop_destroy(config.loop);
	close(fd);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_makes_time_slow_is_named_until_it_is_so_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
