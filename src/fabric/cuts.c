/* SPDX-License-Identifier: MIT */
#include "fabric/cuts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/draw.h"
#include "base/ns.h"
#include "base/units.h"
#include "plan/cut_ways.h"
#include "partition/partition.h"
#include "plan/plan_json.h"

struct cut {
	struct cuts *cuts;
	struct cut *next; /* in the order of their beginning */
	struct partition partition;
	struct cut_draw draw;
	uint64_t key, round;
	uint64_t since_ns, until_ns; /* until 0: healed by hand */
	struct timer end, again;
};

struct cuts {
	const struct plan *plan;
	uint64_t seed;
	struct clock *clock;
	struct wire *wire;
	struct journal *journal;
	struct cut *first;
	uint32_t count;
	uint64_t named;	  /* the last number that was given as a name */
	uint8_t *demands; /* by from * nodes + to: partitions that cut it; NULL: none yet
			   */
};
_Static_assert(CUTS_PARTITIONS_MAX <= UINT8_MAX, "a demand is counted in a byte");

int cuts_create(struct cuts **out, const struct plan *plan, uint64_t seed,
		struct clock *clock, struct wire *wire, struct journal *journal,
		struct why *why)
{
	struct cuts *cuts = calloc(1, sizeof(*cuts));

	if (!cuts)
		return why_set(why, -ENOMEM, "partitions: out of memory");
	*cuts = (struct cuts){ .plan = plan,
			       .seed = seed,
			       .clock = clock,
			       .wire = wire,
			       .journal = journal };
	*out = cuts;
	return 0;
}

static void free_cut(struct cut *cut)
{
	timer_cancel(cut->cuts->clock, &cut->end);
	timer_cancel(cut->cuts->clock, &cut->again);
	cut_draw_free(&cut->draw);
	free(cut->partition.part_of);
	free(cut);
}

void cuts_destroy(struct cuts *cuts)
{
	if (!cuts)
		return;
	while (cuts->first) {
		struct cut *cut = cuts->first;

		cuts->first = cut->next;
		free_cut(cut);
	}
	free(cuts->demands);
	free(cuts);
}

/* ---- what is cut ------------------------------------------------------- */

static uint8_t *demand(const struct cuts *cuts, uint32_t from, uint32_t to)
{
	return &cuts->demands[(size_t)from * cuts->plan->node_count + to];
}

/* Count the draw's demands in or out; the wire is told by tell_wire(). */
static void count_demands(struct cuts *cuts, const struct cut_draw *draw, bool in)
{
	uint32_t nodes = (uint32_t)cuts->plan->node_count;

	for (uint32_t from = 0; from < nodes; from++)
		for (uint32_t to = 0; to < nodes; to++)
			if (cut_draw_cuts(draw, from, to))
				*demand(cuts, from, to) += in ? 1 : UINT8_MAX;
}

static void tell_wire(struct cuts *cuts)
{
	uint32_t nodes = (uint32_t)cuts->plan->node_count;

	for (uint32_t from = 0; from < nodes; from++)
		for (uint32_t to = 0; to < nodes; to++)
			wire_cut(cuts->wire, from, to, *demand(cuts, from, to) > 0);
}

static size_t list_cuts(const struct cuts *cuts, const struct cut_draw *draw,
			json_t *list)
{
	const struct plan *plan = cuts->plan;
	size_t count = 0;

	for (uint32_t from = 0; from < plan->node_count; from++)
		for (uint32_t to = 0; to < plan->node_count; to++) {
			if (draw ? !cut_draw_cuts(draw, from, to)
				 : !wire_is_cut(cuts->wire, from, to))
				continue;
			if (++count <= CUTS_LISTED_MAX)
				json_array_append_new(
					list, json_pack("[s, s]", plan->nodes[from].name,
							plan->nodes[to].name));
		}
	return count;
}

json_t *cuts_json(const struct cuts *cuts, size_t *count)
{
	json_t *list = json_array();

	*count = list_cuts(cuts, NULL, list);
	return list;
}

const char *cuts_who(const struct cuts *cuts, uint32_t from_node, uint32_t to_node)
{
	for (const struct cut *cut = cuts->first; cut; cut = cut->next)
		if (cut_draw_cuts(&cut->draw, from_node, to_node))
			return cut->partition.name;
	return NULL;
}

/* ---- words ------------------------------------------------------------- */

static void rename_key(json_t *object, const char *from, const char *to)
{
	json_t *value = json_object_get(object, from);

	if (value) {
		json_object_set(object, to, value);
		json_object_del(object, from);
	}
}

/* Who stands on which side: [["n3"],["n1","n2"]]; on a ring, in its order. */
static json_t *drawn_json(const struct cut *cut)
{
	const struct plan *plan = cut->cuts->plan;
	json_t *sides = json_array();

	for (uint32_t place = 1; place <= cut->draw.count; place++) {
		json_t *side = json_array();

		for (size_t n = 0; n < plan->node_count; n++)
			if (cut->draw.place[n] == place)
				json_array_append_new(side,
						      json_string(plan->nodes[n].name));
		json_array_append_new(sides, side);
	}
	return sides;
}

/* The partition as it was asked for, and what came of it. */
static json_t *cut_json(const struct cut *cut)
{
	json_t *json = plan_partition_json(cut->cuts->plan, &cut->partition);
	json_t *list = json_array();
	char key[32], time[UNITS_TEXT_BYTES_MAX];

	rename_key(json, "one-way", "one_way");
	rename_key(json, "min-stable", "min_stable");
	if (cut->until_ns)
		json_object_set_new(json, "for",
				    json_string(units_format_ns(
					    time, cut->until_ns - cut->since_ns)));
	snprintf(key, sizeof(key), "0x%016" PRIx64, cut->key);
	json_object_set_new(json, "key", json_string(key));
	if (cut->partition.kind == PARTITION_RANDOM) {
		json_object_set_new(json, "round", json_integer((json_int_t)cut->round));
		json_object_set_new(
			json, "drew",
			json_string(cut->draw.kind == PARTITION_KINDS
					    ? "nothing"
					    : partition_kind_name(cut->draw.kind)));
		json_object_set_new(json, "drew_one_way",
				    json_boolean(cut->draw.one_way));
	}
	if (cut->partition.kind != PARTITION_SIDES)
		json_object_set_new(json, "drawn", drawn_json(cut));
	json_object_set_new(
		json, "cut_count",
		json_integer((json_int_t)list_cuts(cut->cuts, &cut->draw, list)));
	json_object_set_new(json, "cuts", list);
	json_object_set_new(json, "at",
			    json_integer((json_int_t)wire_switch_ns(cut->cuts->wire)));
	return json;
}

/* With what it leaves open, which may not be meant. */
static json_t *told_json(const struct cut *cut)
{
	const struct plan *plan = cut->cuts->plan;
	json_t *json = cut_json(cut);
	struct cut_draw most;
	struct cut_ways ways;
	struct why why = { "" };
	int err = cut_draw_most(&most, &cut->partition, plan->node_count, cut->key, &why);

	if (!err) {
		err = cut_ways(&ways, plan, &most, &why);
		cut_draw_free(&most);
	}
	/* Without memory for it nothing is said; it is cut all the same. */
	if (!err && cut_ways_warning(&ways, plan, &why))
		json_object_set_new(json, "warning", json_string(why.text));
	return json;
}

json_t *cuts_partitions_json(const struct cuts *cuts)
{
	json_t *all = json_array(), *one;

	for (const struct cut *cut = cuts->first; cut; cut = cut->next) {
		one = told_json(cut);
		json_object_set_new(one, "since_ns",
				    json_integer((json_int_t)cut->since_ns));
		if (cut->until_ns)
			json_object_set_new(one, "until_ns",
					    json_integer((json_int_t)cut->until_ns));
		json_array_append_new(all, one);
	}
	return all;
}

json_t *cuts_partition_json(const struct cuts *cuts, const char *name)
{
	const struct cut *cut = cuts->first;

	while (strcmp(cut->partition.name, name))
		cut = cut->next;
	return told_json(cut);
}

/* ---- beginning and end ------------------------------------------------- */

static struct cut **find(struct cuts *cuts, const char *name)
{
	struct cut **at = &cuts->first;

	while (*at && strcmp((*at)->partition.name, name))
		at = &(*at)->next;
	return at;
}

bool cuts_has(const struct cuts *cuts, const char *name)
{
	const struct cut *cut = cuts->first;

	while (cut && strcmp(cut->partition.name, name))
		cut = cut->next;
	return cut != NULL;
}

/* The names and what is no longer cut, for the journal. */
static void heal(struct cuts *cuts, struct cut **at, const char *reason)
{
	struct cut *cut = *at;

	wire_catch_up(cuts->wire);
	count_demands(cuts, &cut->draw, false);
	tell_wire(cuts);
	*at = cut->next;
	cuts->count--;
	journal_write(cuts->journal, "heal",
		      json_pack("{s:s, s:s, s:I}", "name", cut->partition.name, "why",
				reason, "at", (json_int_t)wire_switch_ns(cuts->wire)));
	free_cut(cut);
}

int cuts_heal(struct cuts *cuts, const char *name, struct why *why)
{
	struct cut **at = find(cuts, name);

	if (!*at)
		return why_set(why, -ENOENT,
			       "no partition is named %.64s: `netlab partition "
			       "ls` lists them",
			       name);
	heal(cuts, at, "asked");
	return 0;
}

void cuts_heal_all(struct cuts *cuts)
{
	while (cuts->first)
		heal(cuts, &cuts->first, "asked");
}

static void on_end(void *ctx, uint64_t now_ns)
{
	struct cut *cut = ctx;

	(void)now_ns;
	heal(cut->cuts, find(cut->cuts, cut->partition.name), "its time was over");
}

/* The next round of a random partition. */
static void on_again(void *ctx, uint64_t now_ns)
{
	struct cut *cut = ctx;
	struct cuts *cuts = cut->cuts;
	struct cut_draw draw;
	struct why why;

	(void)now_ns;
	wire_catch_up(cuts->wire);
	/* It lasts from where it begins, not from when its timer was looked at. */
	cut->round++;
	timer_set(cuts->clock, &cut->again,
		  wire_switch_ns(cuts->wire) +
			  cut_draw_lasts_ns(&cut->partition, cut->key, cut->round));
	if (cut_draw(&draw, &cut->partition, cuts->plan->node_count, cut->key, cut->round,
		     &why)) {
		journal_write(cuts->journal, "partition-kept",
			      json_pack("{s:s, s:s}", "name", cut->partition.name, "why",
					why.text));
		return;
	}
	count_demands(cuts, &cut->draw, false);
	count_demands(cuts, &draw, true);
	cut_draw_free(&cut->draw);
	cut->draw = draw;
	tell_wire(cuts);
	journal_write(cuts->journal, "partition", cut_json(cut));
}

/* "p1", "p2", ...: never one that is, or was, another's. */
static void give_name(struct cuts *cuts, char name[PLAN_NAME_BYTES_MAX])
{
	do
		snprintf(name, PLAN_NAME_BYTES_MAX, "p%" PRIu64, ++cuts->named);
	while (cuts_has(cuts, name));
}

static int make_cut(struct cut **out, struct cuts *cuts,
		    const struct partition *partition, struct why *why)
{
	size_t nodes = cuts->plan->node_count;
	struct cut *cut = calloc(1, sizeof(*cut));
	char key_name[PLAN_NAME_BYTES_MAX + 16];
	int err;

	if (!cuts->demands)
		cuts->demands = calloc(nodes * nodes + 1, sizeof(*cuts->demands));
	if (!cut || !cuts->demands) {
		free(cut);
		return why_set(why, -ENOMEM, "partition: out of memory");
	}
	snprintf(key_name, sizeof(key_name), "partition %s", partition->name);
	cut->cuts = cuts;
	cut->partition = *partition;
	cut->key = draw_key(cuts->seed, key_name);
	cut->end = (struct timer){ .fire = on_end, .ctx = cut };
	cut->again = (struct timer){ .fire = on_again, .ctx = cut };
	err = cut_draw(&cut->draw, partition, nodes, cut->key, 0, why);
	if (err) {
		free(cut);
		return err;
	}
	*out = cut;
	return 0;
}

int cuts_begin(struct cuts *cuts, struct partition *partition, uint64_t for_ns,
	       struct why *why)
{
	struct cut *cut = NULL, **last = &cuts->first;
	int err;

	if (cuts->count >= CUTS_PARTITIONS_MAX)
		return why_set(why, -EBUSY,
			       "%d partitions are in force already: heal some",
			       CUTS_PARTITIONS_MAX);
	if (!*partition->name)
		give_name(cuts, partition->name);
	else if (cuts_has(cuts, partition->name))
		return why_set(
			why, -EEXIST,
			"a partition named %s is in force already: heal it first, or "
			"give another name",
			partition->name);
	err = make_cut(&cut, cuts, partition, why);
	if (err)
		return err;
	wire_catch_up(cuts->wire);
	count_demands(cuts, &cut->draw, true);
	tell_wire(cuts);
	cut->since_ns = wire_switch_ns(cuts->wire);
	if (for_ns) {
		cut->until_ns = ns_add(cut->since_ns, for_ns);
		timer_set(cuts->clock, &cut->end, cut->until_ns);
	}
	if (partition->kind == PARTITION_RANDOM)
		timer_set(cuts->clock, &cut->again,
			  cut->since_ns + cut_draw_lasts_ns(partition, cut->key, 0));
	while (*last)
		last = &(*last)->next;
	*last = cut;
	cuts->count++;
	journal_write(cuts->journal, "partition", cut_json(cut));
	return 0;
}

int cuts_begin_plan(struct cuts *cuts, struct why *why)
{
	const struct plan *plan = cuts->plan;
	int err = 0;

	for (size_t i = 0; !err && i < plan->partition_count; i++) {
		struct partition copy = plan->partitions[i];
		size_t bytes = plan->node_count * sizeof(*copy.part_of);

		copy.part_of = malloc(bytes + 1);
		if (!copy.part_of)
			return why_set(why, -ENOMEM, "partition: out of memory");
		memcpy(copy.part_of, plan->partitions[i].part_of, bytes);
		err = cuts_begin(cuts, &copy, 0, why);
		if (err)
			free(copy.part_of);
	}
	return err;
}
