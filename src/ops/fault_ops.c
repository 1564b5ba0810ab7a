/* SPDX-License-Identifier: MIT */
#include "ops/fault_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "faultwords/fault_restore.h"
#include "faultwords/fault_words.h"

/* ---- set --------------------------------------------------------------- */

struct fault_context fault_ops_context(const struct fabric *fabric)
{
	return (struct fault_context){ .dir = fabric->plan->dir,
				       .profiles = fabric->plan->profiles,
				       .profile_count = fabric->plan->profile_count,
				       .now_ns = clock_now_ns(fabric->clock),
				       .files = fabric->fault_files };
}

static int add_words(struct fault_changes *changes, const struct fault_context *context,
		     const struct fault_at *at, const struct fault_order *order,
		     const json_t *words, bool whole, struct why *why)
{
	char name[FAULT_NAME_BYTES_MAX];
	struct fault_change *change;
	int err = fault_changes_add(changes, at, &change, why);

	if (err)
		return err;
	change->keys = fault_keys_of(words);
	change->whole = whole;
	change->due_ns = order->due_ns;
	if (whole) {
		fault_spec_free(change->spec);
		change->spec = NULL;
	}
	err = fault_words_from_json(&change->spec, context, words, why);
	if (!err)
		return 0;
	fault_at_name(name, changes->fabric->plan, at);
	return why_wrap(why, err, "%s", name);
}

/* A network that is down is down for its members too: they lose their carrier.  And they
 * get it back with whatever takes the place of that. */
static int mirror_down(struct fault_changes *changes, const struct fault_context *context,
		       const struct fault_order *order, struct why *why)
{
	json_t *down = json_object_get(order->words, "down"), *only;
	int err = 0;

	if (!order->target->network || (!down && !order->replace))
		return 0;
	only = down ? json_pack("{s:O}", "down", down) : json_pack("{s:b}", "down", 0);
	if (!only)
		return why_set(why, -ENOMEM, "fault: out of memory");
	for (size_t i = 0; !err && i < order->target->count; i++) {
		struct fault_at back = order->target->at[i];

		back.dir = DIR_BA;
		if (down || fault_spec_is_down(wire_fault_get(changes->fabric->wire, &back)))
			err = add_words(changes, context, &back, order, only, false, why);
	}
	json_decref(only);
	return err;
}

int fault_ops_set(const struct fabric *fabric, const struct fault_order *order,
		  struct fault_changes *made, struct why *why)
{
	const struct fault_target *target = order->target;
	struct fault_context context = fault_ops_context(fabric);
	struct fault_files files = { 0 };
	int err = 0;

	/* A file that nobody has read yet is read once for all directions. */
	if (!context.files)
		context.files = &files;
	*made = (struct fault_changes){ .fabric = fabric };
	for (size_t i = 0; !err && i < target->count; i++)
		err = add_words(made, &context, &target->at[i], order, order->words,
				order->replace, why);
	if (!err)
		err = mirror_down(made, &context, order, why);
	fault_files_drop(&files);
	return err ? err : fault_changes_apply(made, NULL, why);
}

/* ---- clear ------------------------------------------------------------- */

/* A rule, or all of them (NULL): as the topology file has it; away, if it is so. */
static int clear_rules(struct fault_spec **spec, const struct fault_spec *planned,
		       uint64_t now_ns, const char *rule, struct why *why)
{
	struct fault_restore what = { .from = planned, .now_ns = now_ns };
	const struct fault_spec *both[] = { *spec, planned };
	bool same = true;

	for (size_t k = 0; k < 2; k++)
		for (uint32_t i = 1; both[k] && i < both[k]->count; i++) {
			const char *name = both[k]->rule[i].name;

			if (rule && strcmp(rule, name) != 0)
				continue;
			same &= fault_restore_is_same(*spec, planned, name);
			what.rules[what.rule_count++] = name;
		}
	if (same)
		return fault_words_clear(spec, rule, rule ? NULL : "faults", why);
	return fault_restore(spec, &what, why);
}

static int clear_keys(struct fault_change *change, const struct fault_spec *planned,
		      uint64_t now_ns, const struct fault_part *part, struct why *why)
{
	struct fault_restore what = { .from = planned };
	const json_t *key;
	size_t i;
	int err = 0;

	if (part->rule && !json_array_size(part->keys))
		return clear_rules(&change->spec, planned, now_ns, part->rule, why);
	json_array_foreach((json_t *)part->keys, i, key)
	{
		const char *text = json_string_value(key);
		uint64_t bit = text ? fault_key_bit(text) : 0;

		if (err)
			return err;
		if (!text)
			return why_set(why, -EINVAL, "\"keys\": a list of a few texts");
		if (!part->rule && bit)
			what.keys |= strcmp(text, "profile") ? bit : FAULT_KEYS_ALL;
		else if (!part->rule && !strcmp(text, "faults"))
			err = clear_rules(&change->spec, planned, now_ns, NULL, why);
		else
			err = fault_words_clear(&change->spec, part->rule, text, why);
	}
	change->keys = what.keys;
	return err ? err : fault_restore(&change->spec, &what, why);
}

/* What it is once that part is gone; -ENOENT: no such rule there. */
static int make_clear(struct fault_changes *changes, const struct fault_at *at,
		      const struct fault_part *part, struct why *why)
{
	const struct fabric *fabric = changes->fabric;
	struct fault_spec *planned = fault_planned(fabric, at);
	struct fault_change *change;
	int err = fault_changes_add(changes, at, &change, why);

	if (err)
		return err;
	if (part->rule || part->keys)
		return clear_keys(change, planned, clock_now_ns(fabric->clock), part, why);
	fault_spec_free(change->spec);
	change->spec = fault_spec_ref(planned);
	change->whole = true;
	return 0;
}

/* All directions of the target or none; a rule has to be in one of them. */
static int clear_all(const struct fabric *fabric, const struct fault_target *target,
		     const struct fault_part *part, struct why *why)
{
	struct fault_changes changes = { .fabric = fabric };
	bool found = false;
	int err = 0;

	for (size_t i = 0; !err && i < target->count; i++) {
		err = make_clear(&changes, &target->at[i], part, why);
		found |= !err;
		if (err == -ENOENT && part->rule)
			err = 0;
	}
	if (!err && !found && target->count)
		err = -ENOENT; /* *why says it */
	if (!err)
		err = fault_changes_apply(&changes, NULL, why);
	fault_changes_free(&changes);
	return err;
}

/* With what `fault-set` of a network may have put down. */
static int clear_target(const struct fabric *fabric, const struct fault_target *target,
			const struct fault_part *part, struct why *why)
{
	struct fault_target both = { .count = target->count };
	int err;

	if (!target->network)
		return clear_all(fabric, target, part, why);
	both.at = calloc(2 * target->count + 1, sizeof(*both.at));
	if (!both.at)
		return why_set(why, -ENOMEM, "fault: out of memory");
	memcpy(both.at, target->at, target->count * sizeof(*both.at));
	for (size_t i = 0; i < target->count; i++) {
		both.at[both.count] = target->at[i];
		both.at[both.count++].dir = DIR_BA;
	}
	err = clear_all(fabric, &both, part, why);
	free(both.at);
	return err;
}

int fault_ops_everything(const struct fabric *fabric, struct fault_target *everything,
			 struct why *why)
{
	size_t pairs;
	const struct fault_at *pair = wire_pairs(fabric->wire, &pairs);

	*everything = (struct fault_target){ 0 };
	everything->at = calloc(DIRS * fabric->plan->link_count + pairs + 1,
				sizeof(*everything->at));
	if (!everything->at)
		return why_set(why, -ENOMEM, "fault: out of memory");
	for (uint32_t link = 0; link < fabric->plan->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++)
			everything->at[everything->count++] =
				(struct fault_at){ .link = link, .dir = dir };
	for (size_t i = 0; i < pairs; i++)
		everything->at[everything->count++] = pair[i];
	return 0;
}

static int clear_lab(const struct fabric *fabric, const struct fault_part *part,
		     struct why *why)
{
	struct fault_target everything;
	int err = fault_ops_everything(fabric, &everything, why);

	if (!err)
		err = clear_all(fabric, &everything, part, why);
	fault_target_free(&everything);
	return err;
}

int fault_ops_clear(const struct fabric *fabric, const struct fault_target *target,
		    const struct fault_part *part, struct why *why)
{
	return target ? clear_target(fabric, target, part, why) : clear_lab(fabric, part, why);
}

/* ---- what is over ------------------------------------------------------ */

int fault_ops_over(void *ctx, const struct fault_at *at, const struct fault_end *due,
		     size_t count)
{
	const struct fabric *fabric = ctx;
	struct fault_restore what = { .from = fault_planned(fabric, at),
				      .now_ns = clock_now_ns(fabric->clock),
				      .with_needs = true };
	struct fault_changes changes = { .fabric = fabric };
	struct fault_change *change;
	struct why why = { "" };
	int err = fault_changes_add(&changes, at, &change, &why);

	for (size_t i = 0; i < count; i++) {
		what.keys |= due[i].keys;
		if (*due[i].rule && what.rule_count < ARRAY_SIZE(what.rules))
			what.rules[what.rule_count++] = due[i].rule;
	}
	if (!err)
		err = fault_restore(&change->spec, &what, &why);
	if (!err)
		err = fault_changes_apply(
			&changes,
			what.took_more
				? "its time is over, and what needed it went with it"
				: "its time is over",
			&why);
	fault_changes_free(&changes);
	return err;
}

int fault_ops_watch_plan(const struct fabric *fabric, struct why *why)
{
	int err = 0;

	for (uint32_t link = 0; !err && link < fabric->plan->link_count; link++)
		for (int dir = 0; !err && dir < DIRS; dir++)
			err = fault_watch_rules(
				fabric, &(struct fault_at){ .link = link, .dir = dir }, why);
	return err;
}
