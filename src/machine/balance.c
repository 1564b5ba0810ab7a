/* SPDX-License-Identifier: MIT */
#include "machine/balance.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/cpus.h"
#include "machine/placement.h"
#include "node/herd.h"

#define LOOK_NS (500 * NS_PER_MS)
/* What it costs is at most one part in so many of all time. */
enum { COST_SHARE = 100 };
/* Threads a turn of the loop: some tens of microseconds each. */
enum { LOOK_SLICE = 16, MOVE_SLICE = 8 };
enum { MOVES_MAX = 64 };

/* What a machine had run and waited when it was last looked at. */
struct counted {
	pid_t first; /* 0: it does not run */
	bool before;
	uint64_t at_ns, ran_ns, waited_ns;
};

enum balance_does { DOES_NOTHING, COUNTS, MOVES };

struct balance {
	struct loop *loop;
	struct clock *clock;
	struct timer look_due;
	struct deferred slice;

	struct cpus cpus;
	uint64_t looked_ns;
	uint64_t cost_ns; /* processor time of this look so far */
	struct placement_cpu cpu[PLACEMENT_CPUS_MAX];
	struct placement placement; /* its machines are ours */
	size_t start;		    /* where the first machine goes */
	struct counted *counted;    /* by machine */

	enum balance_does does;
	size_t at; /* the machine, or the move */
	bool all_before;
	struct herd herd;
	struct placement_move moves[MOVES_MAX];
	size_t move_count;
};

_Static_assert((int)CPUS_MAX <= (int)PLACEMENT_CPUS_MAX, "a place for each");

/* ---- the processors ---------------------------------------------------- */

static int index_of(const struct balance *balance, int number)
{
	for (size_t i = 0; i < balance->cpus.count; i++)
		if (balance->cpus.at[i].number == number)
			return (int)i;
	return PLACEMENT_NOWHERE;
}

/* Others than before: who was on one that is gone has none. */
static int find_cpus(struct balance *balance)
{
	struct placement *placement = &balance->placement;
	int number[PLACEMENT_CPUS_MAX], err;

	for (size_t i = 0; i < balance->cpus.count; i++)
		number[i] = balance->cpus.at[i].number;
	err = cpus_find(&balance->cpus);
	if (err)
		return err;
	for (size_t i = 0; i < placement->machine_count; i++)
		if (placement->machines[i].at != PLACEMENT_NOWHERE)
			placement->machines[i].at =
				index_of(balance, number[placement->machines[i].at]);
	for (size_t i = 0; i < balance->cpus.count; i++)
		balance->cpu[i] =
			(struct placement_cpu){ .core = balance->cpus.at[i].core };
	placement->cpu_count = balance->cpus.count;
	balance->looked_ns = clock_now_ns(balance->clock);
	return cpus_look(&balance->cpus);
}

static uint32_t part_ppm(uint64_t part_ns, uint64_t whole_ns)
{
	if (part_ns >= whole_ns)
		return PLACEMENT_ALL_PPM;
	return (uint32_t)(part_ns * PLACEMENT_ALL_PPM / whole_ns);
}

static int look_at_cpus(struct balance *balance, uint64_t now_ns)
{
	uint64_t passed_ns = now_ns - balance->looked_ns;
	uint64_t before_ns[CPUS_MAX];
	int err;

	for (size_t i = 0; i < balance->cpus.count; i++)
		before_ns[i] = balance->cpus.at[i].busy_ns;
	err = cpus_look(&balance->cpus);
	if (err || !passed_ns)
		return err;
	for (size_t i = 0; i < balance->cpus.count; i++) {
		uint64_t busy_ns = balance->cpus.at[i].busy_ns;

		/* What a host tells of itself has been seen to go back. */
		balance->cpu[i].busy_ppm =
			busy_ns > before_ns[i] ?
				part_ppm(busy_ns - before_ns[i], passed_ns) :
				0;
	}
	balance->looked_ns = now_ns;
	return 0;
}

/* ---- counting and moving ----------------------------------------------- */

static void rest(struct balance *balance)
{
	uint64_t wait_ns = balance->cost_ns * COST_SHARE;

	balance->does = DOES_NOTHING;
	balance->cost_ns = 0;
	timer_set(balance->clock, &balance->look_due,
		  clock_now_ns(balance->clock) + (wait_ns > LOOK_NS ? wait_ns : LOOK_NS));
}

static void next_move(struct balance *balance)
{
	for (; balance->at < balance->move_count; balance->at++) {
		const struct placement_move *move = &balance->moves[balance->at];
		pid_t first = balance->counted[move->machine].first;

		if (first && !herd_begin(&balance->herd, first,
					 balance->cpus.at[move->to].number)) {
			loop_defer(balance->loop, &balance->slice);
			return;
		}
	}
	rest(balance);
}

static void decide(struct balance *balance)
{
	balance->move_count =
		placement_moves(balance->moves, MOVES_MAX, &balance->placement);
	balance->does = MOVES;
	balance->at = 0;
	next_move(balance);
}

static void next_count(struct balance *balance)
{
	for (; balance->at < balance->placement.machine_count; balance->at++) {
		pid_t first = balance->counted[balance->at].first;

		if (first && !herd_begin(&balance->herd, first, HERD_STAY)) {
			loop_defer(balance->loop, &balance->slice);
			return;
		}
	}
	if (balance->all_before)
		decide(balance);
	else
		rest(balance);
}

static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void take_count(struct balance *balance)
{
	struct counted *counted = &balance->counted[balance->at];
	struct placement_machine *machine = &balance->placement.machines[balance->at];
	uint64_t now_ns = clock_now_ns(balance->clock);
	uint64_t passed_ns = now_ns - counted->at_ns;

	if (counted->before && passed_ns) {
		machine->ran_ppm =
			part_ppm(grown(balance->herd.ran_ns, counted->ran_ns), passed_ns);
		machine->waited_ppm = part_ppm(
			grown(balance->herd.waited_ns, counted->waited_ns), passed_ns);
	}
	balance->all_before &= counted->before;
	counted->before = true;
	counted->at_ns = now_ns;
	counted->ran_ns = balance->herd.ran_ns;
	counted->waited_ns = balance->herd.waited_ns;
}

/* Nobody is crowded: what was counted will be too old when somebody is. */
static void forget_counts(struct balance *balance)
{
	for (size_t i = 0; i < balance->placement.machine_count; i++) {
		balance->counted[i].before = false;
		balance->placement.machines[i].ran_ppm = 0;
		balance->placement.machines[i].waited_ppm = 0;
		balance->placement.machines[i].behind_ppm = 0;
	}
}

static bool somebody_is_nowhere(const struct balance *balance)
{
	const struct placement *placement = &balance->placement;

	for (size_t i = 0; i < placement->machine_count; i++)
		if (placement->machines[i].lives &&
		    placement->machines[i].at == PLACEMENT_NOWHERE)
			return true;
	return false;
}

static void on_slice(void *ctx)
{
	struct balance *balance = ctx;
	uint64_t begin_ns = clock_used_ns();
	bool counts = balance->does == COUNTS;
	size_t machine = counts ? balance->at : balance->moves[balance->at].machine;
	/* One that is gone meanwhile is left. */
	int more = balance->counted[machine].first ?
			   herd_step(&balance->herd, counts ? LOOK_SLICE : MOVE_SLICE) :
			   -ESRCH;

	if (counts && more == 0)
		take_count(balance);
	balance->cost_ns += clock_used_ns() - begin_ns;
	if (more > 0) {
		loop_defer(balance->loop, &balance->slice);
		return;
	}
	balance->at++;
	if (counts)
		next_count(balance);
	else
		next_move(balance);
}

static void on_look(void *ctx, uint64_t now_ns)
{
	struct balance *balance = ctx;
	uint64_t begin_ns = clock_used_ns();
	int same = cpus_same(&balance->cpus);

	if (same < 0 || (same ? look_at_cpus(balance, now_ns) : find_cpus(balance))) {
		rest(balance);
		return;
	}
	balance->cost_ns = clock_used_ns() - begin_ns;
	if (somebody_is_nowhere(balance)) {
		decide(balance);
	} else if (balance->cpus.count > 1 &&
		   placement_is_crowded(balance->cpu, balance->cpus.count)) {
		balance->does = COUNTS;
		balance->at = 0;
		balance->all_before = true;
		next_count(balance);
	} else {
		forget_counts(balance);
		rest(balance);
	}
}

/* ---- machines ---------------------------------------------------------- */

int balance_place(struct balance *balance, size_t machine)
{
	struct placement_machine *who;

	if (!balance)
		return BALANCE_ANYWHERE;
	who = &balance->placement.machines[machine];
	who->at = placement_first(&balance->placement, balance->start);
	return balance->cpus.at[who->at].number;
}

void balance_add(struct balance *balance, size_t machine, pid_t first)
{
	if (!balance || first <= 0)
		return;
	balance->counted[machine] = (struct counted){ .first = first };
	balance->placement.machines[machine].lives = true;
}

void balance_remove(struct balance *balance, size_t machine)
{
	if (!balance)
		return;
	balance->counted[machine].first = 0;
	balance->placement.machines[machine] =
		(struct placement_machine){ .at = PLACEMENT_NOWHERE };
}

int balance_cpu(const struct balance *balance, size_t machine)
{
	int at = balance ? balance->placement.machines[machine].at : PLACEMENT_NOWHERE;

	return at == PLACEMENT_NOWHERE ? BALANCE_ANYWHERE : balance->cpus.at[at].number;
}

int balance_create(struct balance **out, struct loop *loop, struct clock *clock,
		   size_t machine_count, struct why *why)
{
	struct balance *balance = calloc(1, sizeof(*balance));
	int here;

	*out = NULL;
	if (!balance)
		return why_set(why, -ENOMEM, "balance: out of memory");
	balance->loop = loop;
	balance->clock = clock;
	balance->look_due = (struct timer){ .fire = on_look, .ctx = balance };
	balance->slice = (struct deferred){ .run = on_slice, .ctx = balance };
	balance->counted = calloc(machine_count + 1, sizeof(*balance->counted));
	balance->placement.machines =
		calloc(machine_count + 1, sizeof(*balance->placement.machines));
	balance->placement.cpus = balance->cpu;
	if (!balance->counted || !balance->placement.machines) {
		balance_destroy(balance);
		return why_set(why, -ENOMEM, "balance: out of memory");
	}
	balance->placement.machine_count = machine_count;
	for (size_t i = 0; i < machine_count; i++)
		balance->placement.machines[i].at = PLACEMENT_NOWHERE;
	if (find_cpus(balance)) {
		/* It cannot be told which there are: machines run anywhere. */
		balance_destroy(balance);
		return 0;
	}
	/* The host has begun this process where there was room; and labs of one machine
	 * each shall not all be on the first processor. */
	here = index_of(balance, sched_getcpu());
	balance->start = here < 0 ? 0 : (size_t)here;
	rest(balance);
	*out = balance;
	return 0;
}

void balance_destroy(struct balance *balance)
{
	if (!balance)
		return;
	timer_cancel(balance->clock, &balance->look_due);
	deferred_cancel(&balance->slice);
	herd_free(&balance->herd);
	free(balance->placement.machines);
	free(balance->counted);
	free(balance);
}
