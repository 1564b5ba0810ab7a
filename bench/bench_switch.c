/* SPDX-License-Identifier: MIT */
/* bench_switch - frames per second and CPU per frame, netlab's switch beside
 * vde_switch, with and without silent ports.
 *
 *	bench_switch [--rounds N] [--seconds S] [--silent N] [--no-vde] [--json]
 *
 * Rounds are interleaved: each round runs every case once, so that what else the
 * machine does hits all of them.  Printed are the median of the rounds, and of the
 * ratios within a round.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bench_run.h"

enum { ROUNDS_MAX = 101, SIDES = 2, SIZES = 2, CROWDS = 2 };

static const struct side *const sides[SIDES] = { &netlab_side, &vde_side };
static const uint32_t sizes[SIZES] = { 64, 1500 };

struct options {
	int rounds;
	double seconds;
	int silent;
	bool vde, json;
};

/* By side, size, and whether silent ports are there. */
struct table {
	struct result rounds[SIDES][SIZES][CROWDS][ROUNDS_MAX];
	struct result median[SIDES][SIZES][CROWDS];
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(double), by_value);
	return count % 2 ? values[count / 2] :
			   (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double median(const struct result *results, int count, size_t member)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&results[i] + member, sizeof(double));
	return middle(values, count);
}

static struct result medians(const struct result *results, int count)
{
	return (struct result){
		median(results, count, offsetof(struct result, frames_per_second)),
		median(results, count, offsetof(struct result, cpu_ns_per_frame)),
		median(results, count, offsetof(struct result, cpu_share)),
		0,
	};
}

static int run_all(const struct options *o, struct table *t)
{
	int side_count = o->vde ? SIDES : 1;

	for (int round = 0; round < o->rounds; round++)
		for (int size = 0; size < SIZES; size++)
			for (int side = 0; side < side_count; side++)
				for (int crowd = 0; crowd < CROWDS; crowd++) {
					if (bench_run(sides[side], sizes[size],
						      crowd ? (unsigned)o->silent : 0,
						      o->seconds,
						      &t->rounds[side][size][crowd][round]))
						return -1;
				}
	for (int side = 0; side < side_count; side++)
		for (int size = 0; size < SIZES; size++)
			for (int crowd = 0; crowd < CROWDS; crowd++)
				t->median[side][size][crowd] =
					medians(t->rounds[side][size][crowd], o->rounds);
	return 0;
}

/* The median of the rounds' own ratios: what disturbs a round disturbs both. */
static double ratio(const struct options *o, const struct result *of,
		    const struct result *to)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < o->rounds; i++)
		values[i] = of[i].frames_per_second / to[i].frames_per_second;
	return middle(values, o->rounds);
}

static double times_vde(const struct options *o, const struct table *t, int size)
{
	return ratio(o, t->rounds[0][size][0], t->rounds[1][size][0]);
}

static double kept(const struct options *o, const struct table *t, int side, int size)
{
	return ratio(o, t->rounds[side][size][1], t->rounds[side][size][0]);
}

static void print_json(const struct options *o, const struct table *t)
{
	const char *comma = "";

	printf("{\"rounds\": %d, \"seconds\": %g, \"silent_ports\": %d, \"results\": [",
	       o->rounds, o->seconds, o->silent);
	for (int side = 0; side < (o->vde ? SIDES : 1); side++)
		for (int size = 0; size < SIZES; size++)
			for (int crowd = 0; crowd < CROWDS; crowd++) {
				const struct result *r = &t->median[side][size][crowd];

				printf("%s\n  {\"switch\": \"%s\", \"frame_bytes\": %u, "
				       "\"silent_ports\": %d, \"frames_per_second\": %.0f, "
				       "\"cpu_ns_per_frame\": %.1f, \"cpu_share\": %.3f}",
				       comma, sides[side]->name, sizes[size],
				       crowd ? o->silent : 0, r->frames_per_second,
				       r->cpu_ns_per_frame, r->cpu_share);
				comma = ",";
			}
	printf("],\n \"ratios\": {");
	for (int size = 0; size < SIZES; size++) {
		printf("%s\"kept_with_silent_%u\": %.3f", size ? ", " : "", sizes[size],
		       kept(o, t, 0, size));
		if (o->vde)
			printf(", \"times_vde_%u\": %.2f", sizes[size], times_vde(o, t, size));
	}
	printf("}}\n");
}

static void print_text(const struct options *o, const struct table *t)
{
	printf("%-10s %5s %7s %14s %14s %8s\n", "switch", "bytes", "silent", "frames/s",
	       "CPU ns/frame", "CPU");
	for (int size = 0; size < SIZES; size++)
		for (int crowd = 0; crowd < CROWDS; crowd++)
			for (int side = 0; side < (o->vde ? SIDES : 1); side++) {
				const struct result *r = &t->median[side][size][crowd];

				printf("%-10s %5u %7d %14.0f %14.1f %7.0f%%\n",
				       sides[side]->name, sizes[size],
				       crowd ? o->silent : 0, r->frames_per_second,
				       r->cpu_ns_per_frame, r->cpu_share * 100);
			}
	for (int size = 0; size < SIZES; size++) {
		if (o->vde)
			printf("%u bytes: %.1f times vde_switch (target 5)\n", sizes[size],
			       times_vde(o, t, size));
		printf("%u bytes: %.2f of its own rate with %d silent ports (target 0.9)",
		       sizes[size], kept(o, t, 0, size), o->silent);
		if (o->vde)
			printf("; vde_switch %.2f", kept(o, t, 1, size));
		printf("\n");
	}
}

/* A number within bounds, or -1. */
static double number(const char *text, double least, double most)
{
	char *end;
	double n = strtod(text, &end);

	return end != text && !*end && n >= least && n <= most ? n : -1;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_switch [--rounds N] [--seconds S] [--silent N] "
			"[--no-vde] [--json]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "silent", required_argument, NULL, 'q' },
		{ "no-vde", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .rounds = 5, .seconds = 1, .silent = 100, .vde = true };
	cleanup_free struct table *table = calloc(1, sizeof(*table));
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'r')
			o.rounds = (int)number(optarg, 1, ROUNDS_MAX);
		else if (c == 's')
			o.seconds = number(optarg, 0.01, 1000);
		else if (c == 'q')
			o.silent = (int)number(optarg, 1, 1000);
		else if (c == 'n')
			o.vde = false;
		else if (c == 'j')
			o.json = true;
		else
			return usage();
	}
	if (optind < argc || o.rounds < 1 || o.seconds < 0 || o.silent < 1)
		return usage();
	if (!table || run_all(&o, table))
		return 1;
	if (o.json)
		print_json(&o, table);
	else
		print_text(&o, table);
	return 0;
}
