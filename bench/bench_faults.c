/* SPDX-License-Identifier: MIT */
/* bench_faults - what faults cost: CPU per frame of a link with every model on, beside
 * one with none.
 *
 *	bench_faults [--rounds N] [--seconds S]
 *
 * Rounds are interleaved.  Counted are the frames that were offered to the switch, for
 * a frame that a fault drops costs, too.  Printed are the medians of the rounds, and of
 * the ratios within a round.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "bench_run.h"
#include "netlab_guest.h"

enum { ROUNDS_MAX = 101, SIZES = 2 };

static const uint32_t sizes[SIZES] = { 64, 1500 };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(double), by_value);
	return count % 2 ? values[count / 2]
			 : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* How the frames come. */
static const struct load {
	const char *name;
	const struct side *none, *all;
} loads[] = {
	{ "50,000 frames/s", &netlab_link_paced_side, &netlab_faults_paced_side },
	{ "all that the ring takes", &netlab_link_side, &netlab_faults_side },
};
_Static_assert(BENCH_PACE == 50000, "as the name says");

static int run_case(const struct load *load, uint32_t size, int rounds, double seconds)
{
	double none[ROUNDS_MAX], all[ROUNDS_MAX], ratio[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		struct result a, b;

		if (bench_run(load->none, size, 0, seconds, &a) ||
		    bench_run(load->all, size, 0, seconds, &b))
			return -1;
		none[i] = a.cpu_ns_per_offered;
		all[i] = b.cpu_ns_per_offered;
		ratio[i] = all[i] / none[i];
	}
	printf("%-24s %5u bytes: no fault %5.0f ns/frame, every fault %5.0f: %.2f times "
	       "(target 3)\n",
	       load->name, size, middle(none, rounds), middle(all, rounds),
	       middle(ratio, rounds));
	return 0;
}

static double number(const char *text, double least, double most)
{
	char *end;
	double n = strtod(text, &end);

	return end != text && !*end && n >= least && n <= most ? n : -1;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	double rounds = 5, seconds = 1;
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'r')
			rounds = number(optarg, 1, ROUNDS_MAX);
		else if (c == 's')
			seconds = number(optarg, 0.01, 1000);
		else
			rounds = -1;
	}
	if (optind < argc || rounds < 1 || seconds < 0) {
		fprintf(stderr, "usage: bench_faults [--rounds N] [--seconds S]\n");
		return 2;
	}
	for (size_t load = 0; load < ARRAY_SIZE(loads); load++)
		for (int i = 0; i < SIZES; i++)
			if (run_case(&loads[load], sizes[i], (int)rounds, seconds))
				return 1;
	return 0;
}
