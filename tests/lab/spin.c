/* SPDX-License-Identifier: MIT */
/* spin WORD... - programs that keep a processor busy, and what a machine's clocks show
 *
 *   spin            for ever, without a system call
 *   calls COUNT     so many system calls that take no time
 *   poll NS         system calls until CLOCK_MONOTONIC as the kernel's tick has it
 *                   (CLOCK_MONOTONIC_COARSE) is so much further
 *   clocks          CLOCK_REALTIME and CLOCK_MONOTONIC, in nanoseconds
 *   sleep NS        until CLOCK_MONOTONIC is so much further
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void poll_clock(long long ns)
{
	long long end_ns = read_ns(CLOCK_MONOTONIC_COARSE) + ns;

	while (read_ns(CLOCK_MONOTONIC_COARSE) < end_ns)
		syscall(SYS_getppid);
}

static void sleep_ns(long long ns)
{
	struct timespec time = { ns / 1000000000, ns % 1000000000 };

	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* to the nanosecond */
	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "0";

		if (!strcmp(argv[i], "spin")) {
			for (volatile int n = 0;; n++)
				;
		} else if (!strcmp(argv[i], "calls")) {
			for (long n = strtol(value, NULL, 10); n > 0; n--)
				syscall(SYS_getppid);
			i++;
		} else if (!strcmp(argv[i], "poll")) {
			poll_clock(strtoll(value, NULL, 10));
			i++;
		} else if (!strcmp(argv[i], "sleep")) {
			sleep_ns(strtoll(value, NULL, 10));
			i++;
		} else if (!strcmp(argv[i], "clocks")) {
			printf("%lld %lld\n", read_ns(CLOCK_REALTIME),
			       read_ns(CLOCK_MONOTONIC));
		} else {
			fprintf(stderr, "spin: %s?\n", argv[i]);
			return 2;
		}
	}
	return 0;
}
