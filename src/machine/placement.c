/* SPDX-License-Identifier: MIT */
#include "machine/placement.h"

#include <string.h>

#include "base/check.h"

enum {
	/* A processor with less to do gives everybody on it what it wants. */
	CROWDED_PPM = 800000,
	/* A machine that moves leaves its caches behind: for less it stays. */
	GAIN_PPM = 150000,
	/* Who wants less than this is no cause of a crowd. */
	WANT_PPM_MIN = 20000,
	/* Who wants this much minds being the one that waits. */
	WANT_PPM_GREEDY = PLACEMENT_ALL_PPM / 2,
	/* So much longer than elsewhere, on the average, somebody has had to wait: in
	 * parts of one measured time. */
	TURN_PPM = 300000,
	/* What was waited counts for less with each time measured after it. */
	FORGET = 8,
};

static uint32_t want_ppm(const struct placement_machine *machine)
{
	uint64_t want = (uint64_t)machine->ran_ppm + machine->waited_ppm;

	return want < PLACEMENT_ALL_PPM ? (uint32_t)want : PLACEMENT_ALL_PPM;
}

static bool is_at(const struct placement_machine *machine, int cpu)
{
	return machine->lives && machine->at == cpu;
}

/* Of each processor. */
struct tally {
	uint64_t machines, ran_ppm, want_ppm;
	uint64_t on_core; /* machines on the core that has this index */
};

static void tally(struct tally *tallies, const struct placement *placement)
{
	memset(tallies, 0, placement->cpu_count * sizeof(*tallies));
	for (size_t i = 0; i < placement->machine_count; i++) {
		const struct placement_machine *machine = &placement->machines[i];
		struct tally *at;

		if (!machine->lives || machine->at == PLACEMENT_NOWHERE)
			continue;
		ASSERT((size_t)machine->at < placement->cpu_count);
		at = &tallies[machine->at];
		at->machines++;
		at->ran_ppm += machine->ran_ppm;
		at->want_ppm += want_ppm(machine);
		tallies[placement->cpus[machine->at].core].on_core++;
	}
}

/* What others took of it. */
static uint64_t others_ppm(const struct placement_cpu *cpu, const struct tally *tally)
{
	return cpu->busy_ppm > tally->ran_ppm ? cpu->busy_ppm - tally->ran_ppm : 0;
}

static void check(const struct placement *placement)
{
	ASSERT(placement->cpu_count && placement->cpu_count <= PLACEMENT_CPUS_MAX);
	for (size_t i = 0; i < placement->cpu_count; i++)
		ASSERT(placement->cpus[i].core < placement->cpu_count);
}

int placement_first(const struct placement *placement, size_t start)
{
	struct tally tallies[PLACEMENT_CPUS_MAX];
	uint64_t best_cost = UINT64_MAX;
	int best = PLACEMENT_NOWHERE;

	check(placement);
	tally(tallies, placement);
	for (size_t i = 0; i < placement->cpu_count; i++) {
		size_t at = (start + i) % placement->cpu_count;
		const struct placement_cpu *cpu = &placement->cpus[at];
		uint64_t cost = (tallies[at].machines * 4 + tallies[cpu->core].on_core) *
					PLACEMENT_ALL_PPM / 2 +
				others_ppm(cpu, &tallies[at]);

		if (cost < best_cost) {
			best_cost = cost;
			best = (int)at;
		}
	}
	return best;
}

bool placement_is_crowded(const struct placement_cpu *cpus, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cpus[i].busy_ppm >= CROWDED_PPM)
			return true;
	return false;
}

/* ---- moves ------------------------------------------------------------- */

struct load {
	uint64_t *ppm; /* by processor */
	int most, least;
};

static void find_ends(struct load *load, size_t count)
{
	load->most = load->least = 0;
	for (int cpu = 1; cpu < (int)count; cpu++) {
		if (load->ppm[cpu] > load->ppm[load->most])
			load->most = cpu;
		if (load->ppm[cpu] < load->ppm[load->least])
			load->least = cpu;
	}
}

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Of the fullest processor, who makes the higher of the two loads lowest by going to the
 * emptiest one? */
static int find_for_room(const struct placement *placement, const struct load *load)
{
	uint64_t most = load->ppm[load->most], best = most;
	int found = -1;

	if (most < CROWDED_PPM)
		return -1;
	for (size_t i = 0; i < placement->machine_count; i++) {
		const struct placement_machine *machine = &placement->machines[i];
		uint64_t want = want_ppm(machine), after;

		if (!is_at(machine, load->most) || want < WANT_PPM_MIN)
			continue;
		after = higher(most - want, load->ppm[load->least] + want);
		if (after + GAIN_PPM <= most && after < best) {
			best = after;
			found = (int)i;
		}
	}
	return found;
}

/* What those who want much have waited of late, on the average. */
static void tally_behind(uint64_t *behind, const struct placement *placement)
{
	size_t greedy[PLACEMENT_CPUS_MAX] = { 0 };

	memset(behind, 0, placement->cpu_count * sizeof(*behind));
	for (size_t i = 0; i < placement->machine_count; i++) {
		const struct placement_machine *machine = &placement->machines[i];

		if (!machine->lives || want_ppm(machine) < WANT_PPM_GREEDY)
			continue;
		behind[machine->at] += machine->behind_ppm;
		greedy[machine->at]++;
	}
	for (size_t cpu = 0; cpu < placement->cpu_count; cpu++)
		if (greedy[cpu])
			behind[cpu] /= greedy[cpu];
}

/* Of `from`, the greedy one that has waited least and fits on `to` as well as here. */
static int find_least_behind(const struct placement *placement, const struct load *load,
			     int from, int to)
{
	int found = -1;

	for (size_t i = 0; i < placement->machine_count; i++) {
		const struct placement_machine *machine = &placement->machines[i];
		uint32_t want = want_ppm(machine);

		if (is_at(machine, from) && want >= WANT_PPM_GREEDY &&
		    load->ppm[to] + want <= load->ppm[from] + GAIN_PPM &&
		    (found < 0 ||
		     machine->behind_ppm < placement->machines[found].behind_ppm))
			found = (int)i;
	}
	return found;
}

/* A crowded processor on which they have waited longest, and a less crowded one on which
 * they have waited least; both have not taken part yet.  -1: none. */
static int find_turn(const struct placement *placement, const struct load *load,
		     const uint64_t *behind, const bool *took_part, int *to)
{
	int from = -1;

	for (int cpu = 0; cpu < (int)placement->cpu_count; cpu++)
		if (!took_part[cpu] && load->ppm[cpu] > PLACEMENT_ALL_PPM &&
		    (from < 0 || behind[cpu] > behind[from]))
			from = cpu;
	*to = -1;
	for (int cpu = 0; from >= 0 && cpu < (int)placement->cpu_count; cpu++)
		if (!took_part[cpu] && load->ppm[cpu] + GAIN_PPM <= load->ppm[from] &&
		    (*to < 0 || behind[cpu] < behind[*to]))
			*to = cpu;
	return *to >= 0 && behind[*to] + TURN_PPM <= behind[from] ? from : -1;
}

static void move(struct placement *placement, struct load *load,
		 struct placement_move *out, int machine, int to)
{
	struct placement_machine *who = &placement->machines[machine];

	if (who->at != PLACEMENT_NOWHERE)
		load->ppm[who->at] -= want_ppm(who);
	load->ppm[to] += want_ppm(who);
	who->at = to;
	*out = (struct placement_move){ (size_t)machine, to };
}

/* If the one that has waited least changes over, it is as full there as it was here, and
 * the others get their turn. */
static size_t take_turns(struct placement_move *moves, size_t most,
			 struct placement *placement, struct load *load)
{
	bool took_part[PLACEMENT_CPUS_MAX] = { false };
	uint64_t behind[PLACEMENT_CPUS_MAX];
	size_t count = 0;
	int from, to;

	tally_behind(behind, placement);
	while (count < most &&
	       (from = find_turn(placement, load, behind, took_part, &to)) >= 0) {
		int who = find_least_behind(placement, load, from, to);

		took_part[from] = true;
		if (who < 0)
			continue;
		took_part[to] = true;
		move(placement, load, &moves[count++], who, to);
	}
	return count;
}

static void count_waiting(struct placement *placement)
{
	for (size_t i = 0; i < placement->machine_count; i++) {
		struct placement_machine *machine = &placement->machines[i];

		machine->behind_ppm -= machine->behind_ppm / FORGET;
		machine->behind_ppm += machine->waited_ppm < PLACEMENT_ALL_PPM ?
					       machine->waited_ppm :
					       PLACEMENT_ALL_PPM;
	}
}

size_t placement_moves(struct placement_move *moves, size_t most,
		       struct placement *placement)
{
	struct tally tallies[PLACEMENT_CPUS_MAX];
	uint64_t ppm[PLACEMENT_CPUS_MAX];
	struct load load = { .ppm = ppm };
	size_t count = 0;
	int who;

	check(placement);
	count_waiting(placement);
	tally(tallies, placement);
	for (size_t cpu = 0; cpu < placement->cpu_count; cpu++)
		ppm[cpu] = tallies[cpu].want_ppm +
			   others_ppm(&placement->cpus[cpu], &tallies[cpu]);
	for (size_t i = 0; i < placement->machine_count && count < most; i++)
		if (placement->machines[i].lives &&
		    placement->machines[i].at == PLACEMENT_NOWHERE) {
			find_ends(&load, placement->cpu_count);
			move(placement, &load, &moves[count++], (int)i,
			     placement_first(placement, (size_t)load.least));
		}
	while (count < most) {
		find_ends(&load, placement->cpu_count);
		who = find_for_room(placement, &load);
		if (who < 0)
			break;
		move(placement, &load, &moves[count++], who, load.least);
	}
	return count ? count : take_turns(moves, most, placement, &load);
}
