/* SPDX-License-Identifier: MIT */
#include "base/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

_Static_assert(CPUS_MAX == CPU_SETSIZE, "a place for each");

static int allowed(cpu_set_t *out)
{
	/* EINVAL: this host could have more than fit. */
	if (sched_getaffinity(0, sizeof(*out), out))
		return errno == EINVAL ? -ENOTSUP : -errno;
	return CPU_COUNT(out) ? 0 : -ENOTSUP;
}

/* The lowest number of those on its core; itself where that is not told. */
static int core_of(int cpu)
{
	char path[96];
	int first = cpu;

	snprintf(path, sizeof(path),
		 "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
	cleanup_file FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%d", &first) != 1)
		first = cpu;
	return first;
}

int cpus_find(struct cpus *out)
{
	int core[CPUS_MAX];
	cpu_set_t set;
	int err = allowed(&set);

	if (err)
		return err;
	out->count = 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		size_t index = out->count, same = 0;

		if (!CPU_ISSET(cpu, &set))
			continue;
		core[index] = core_of(cpu);
		while (same < index && core[same] != core[index])
			same++;
		out->at[index].number = cpu;
		out->at[index].core = (uint32_t)same;
		out->at[index].busy_ns = 0;
		out->count++;
	}
	return 0;
}

int cpus_same(const struct cpus *cpus)
{
	cpu_set_t set;
	int err = allowed(&set);

	if (err)
		return err;
	if ((size_t)CPU_COUNT(&set) != cpus->count)
		return 0;
	for (size_t i = 0; i < cpus->count; i++)
		if (!CPU_ISSET(cpus->at[i].number, &set))
			return 0;
	return 1;
}

int cpus_nth(uint32_t n)
{
	cpu_set_t set;

	if (allowed(&set))
		return -1;
	n %= (uint32_t)CPU_COUNT(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && n-- == 0)
			return cpu;
	return -1;
}

static void take_line(struct cpus *cpus, size_t *next, const char *line, uint64_t tick_ns)
{
	/* user nice system idle iowait irq softirq steal; guests' time is in user's. */
	uint64_t t[8] = { 0 };
	int cpu;

	if (sscanf(line,
		   "cpu%d %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &cpu, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) < 5)
		return;
	while (*next < cpus->count && cpus->at[*next].number < cpu)
		(*next)++;
	if (*next < cpus->count && cpus->at[*next].number == cpu)
		cpus->at[*next].busy_ns =
			(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) * tick_ns;
}

int cpus_look(struct cpus *cpus)
{
	uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	cleanup_file FILE *file = fopen("/proc/stat", "re");
	char line[512];
	size_t next = 0;

	if (!file)
		return -errno;
	/* The first line is their sum, and those of the processors come before all else. */
	while (fgets(line, sizeof(line), file) && !strncmp(line, "cpu", 3))
		if (line[3] != ' ')
			take_line(cpus, &next, line, tick_ns);
	return 0;
}
