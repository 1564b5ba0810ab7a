/* SPDX-License-Identifier: MIT */
#include "fabric/fault_changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "fabric/fault_json.h"
#include "faultwords/fault_words.h"

struct fault_spec *fault_planned(const struct fabric *fabric, const struct fault_at *at)
{
	return at->pair ? NULL : fabric->plan->links[at->link].fault[at->dir];
}

int fault_changes_add(struct fault_changes *changes, const struct fault_at *at,
		      struct fault_change **change, struct why *why)
{
	struct fault_change *now;

	if (changes->count == changes->room) {
		size_t room = changes->room ? 2 * changes->room : 8;

		now = reallocarray(changes->items, room, sizeof(*now));
		if (!now)
			return why_set(why, -ENOMEM, "fault: out of memory");
		changes->items = now;
		changes->room = room;
	}
	now = &changes->items[changes->count++];
	*now = (struct fault_change){ .at = *at };
	now->before = fault_spec_ref(wire_fault_get(changes->fabric->wire, at));
	now->spec = fault_spec_ref(now->before);
	*change = now;
	return 0;
}

void fault_changes_free(struct fault_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		fault_spec_free(changes->items[i].spec);
		fault_spec_free(changes->items[i].before);
	}
	free(changes->items);
	*changes = (struct fault_changes){ 0 };
}

/* What is needed to judge every frame anew; and why it changed, if by itself. */
static void journal_fault(const struct fabric *fabric, const struct fault_at *at, const char *cause)
{
	json_t *entry = fault_at_json(fabric, at, false);
	const struct sw_count *count = wire_fault_count(fabric->wire, at);
	char name[FAULT_NAME_BYTES_MAX], key[32];

	wire_fault_name(fabric->wire, at, name);
	snprintf(key, sizeof(key), "0x%016" PRIx64, draw_key(fabric->seed, name));
	json_object_set_new(entry, "draws", json_string(name));
	json_object_set_new(entry, "key", json_string(key));
	json_object_set_new(entry, "frame",
			    json_integer(count ? (json_int_t)count->frames : 0));
	json_object_set_new(entry, "at",
			    json_integer((json_int_t)wire_switch_ns(fabric->wire)));
	if (cause)
		json_object_set_new(entry, "cause", json_string(cause));
	journal_write(fabric->journal, "fault", entry);
}

/* ---- what has an end --------------------------------------------------- */

/* Does the rule of the file have to come back by itself? */
static bool comes_back(const struct fault_change *change, const struct fault_rule *planned)
{
	for (uint32_t i = 1; change->spec && i < change->spec->count; i++)
		if (!strcmp(change->spec->rule[i].name, planned->name))
			return false; /* it has an end of its own, or none */
	return change->whole && change->due_ns;
}

static size_t ends_of(const struct fault_change *change, const struct fault_spec *planned)
{
	size_t ends = change->due_ns && (change->keys || change->whole);

	for (uint32_t i = 1; change->spec && i < change->spec->count; i++)
		ends += change->spec->rule[i].until_ns != 0;
	for (uint32_t i = 1; planned && i < planned->count; i++)
		ends += comes_back(change, &planned->rule[i]);
	return ends;
}

static int make_room(const struct fault_changes *changes, struct why *why)
{
	const struct fabric *fabric = changes->fabric;
	int err = 0;

	for (size_t i = 0; !err && i < changes->count; i++) {
		const struct fault_change *change = &changes->items[i];
		const struct fault_spec *planned = fault_planned(fabric, &change->at);

		err = fault_deadlines_room(fabric->deadlines, &change->at,
					   ends_of(change, planned), why);
	}
	return err;
}

static void add_end(const struct fabric *fabric, const struct fault_at *at, const char *rule,
		    uint64_t keys, uint64_t due_ns)
{
	struct fault_end end = { .keys = keys, .due_ns = due_ns };

	snprintf(end.rule, sizeof(end.rule), "%s", rule);
	fault_deadlines_add(fabric->deadlines, at, &end);
}

static void add_rules(const struct fabric *fabric, const struct fault_at *at,
		      const struct fault_spec *spec)
{
	for (uint32_t i = 1; spec && i < spec->count; i++) {
		fault_deadlines_drop_rule(fabric->deadlines, at, spec->rule[i].name);
		if (spec->rule[i].until_ns)
			add_end(fabric, at, spec->rule[i].name, 0, spec->rule[i].until_ns);
	}
}

static void set_ends(const struct fabric *fabric, const struct fault_change *change)
{
	const struct fault_spec *planned = fault_planned(fabric, &change->at);
	uint64_t keys = change->whole ? FAULT_KEYS_ALL : change->keys;

	if (change->whole)
		fault_deadlines_forget(fabric->deadlines, &change->at);
	else
		fault_deadlines_drop_keys(fabric->deadlines, &change->at, keys);
	/* What is gone does not come back but for what is said below. */
	for (uint32_t i = 1; change->before && i < change->before->count; i++)
		fault_deadlines_drop_rule(fabric->deadlines, &change->at,
					  change->before->rule[i].name);
	add_rules(fabric, &change->at, change->spec);
	if (keys && change->due_ns)
		add_end(fabric, &change->at, "", keys, change->due_ns);
	for (uint32_t i = 1; planned && i < planned->count; i++)
		if (comes_back(change, &planned->rule[i]))
			add_end(fabric, &change->at, planned->rule[i].name, 0,
				change->due_ns);
}

static void tidy(const struct fault_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		fault_deadlines_tidy(changes->fabric->deadlines, &changes->items[i].at);
}

int fault_watch_rules(const struct fabric *fabric, const struct fault_at *at, struct why *why)
{
	const struct fault_spec *spec = wire_fault_get(fabric->wire, at);
	struct fault_change rules = { .at = *at, .spec = wire_fault_get(fabric->wire, at) };
	int err = fault_deadlines_room(fabric->deadlines, at, ends_of(&rules, NULL), why);

	if (!err)
		add_rules(fabric, at, spec);
	fault_deadlines_tidy(fabric->deadlines, at);
	return err;
}

/* ---- all of them or none ----------------------------------------------- */

static int check(const struct fault_changes *changes, struct why *why)
{
	const struct fabric *fabric = changes->fabric;
	size_t pairs = 0;
	int err = 0;

	for (size_t i = 0; !err && i < changes->count; i++) {
		const struct fault_change *change = &changes->items[i];

		err = wire_fault_check(&change->at, change->spec, why);
		pairs += change->at.pair && change->spec && !change->before;
	}
	return err ? err : wire_fault_room(fabric->wire, pairs, why);
}

static void take_back(const struct fault_changes *changes, size_t count)
{
	const struct fabric *fabric = changes->fabric;

	for (size_t i = 0; i < count; i++) {
		const struct fault_change *change = &changes->items[i];

		wire_fault_set(fabric->wire, &change->at, change->before, NULL);
		journal_fault(fabric, &change->at, "another one could not be set: memory");
	}
}

int fault_changes_apply(struct fault_changes *changes, const char *cause, struct why *why)
{
	const struct fabric *fabric = changes->fabric;
	size_t done = 0;
	int err = check(changes, why);

	if (!err)
		err = make_room(changes, why);
	for (; !err && done < changes->count; done++) {
		const struct fault_change *change = &changes->items[done];

		err = wire_fault_set(fabric->wire, &change->at, change->spec, why);
		if (err)
			break;
		journal_fault(fabric, &change->at, cause);
	}
	if (err)
		take_back(changes, done);
	for (size_t i = 0; !err && i < changes->count; i++)
		set_ends(fabric, &changes->items[i]);
	tidy(changes);
	return err;
}
