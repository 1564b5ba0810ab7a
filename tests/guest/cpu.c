/* SPDX-License-Identifier: MIT */
#include "guest/cpu.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	int (*run)(char **args);
} tests[] = {
	{ "switches", cpu_test_switches }, { "frames", cpu_test_frames },
	{ "threads", cpu_test_threads },   { "forks", cpu_test_forks },
	{ "forked", cpu_forked_child },
};

uint64_t cpu_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--avx2")) {
		cpu_limit_to_avx2();
		argc--;
		argv++;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!strcmp(argv[1], tests[i].name))
			return tests[i].run(argv + 2);
	if (argc > 1 && !strcmp(argv[1], "widest"))
		return puts(cpu_widest()) < 0;
	fprintf(stderr, "usage: lab_cpu [--avx2] widest|switches|frames|threads|forks "
			"[NUMBER...]\n");
	return 2;
}
