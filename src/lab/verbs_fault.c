/* SPDX-License-Identifier: MIT */
/* fault-set, fault-clear, fault-ls, and faults whose time is over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "lab/control_args.h"
#include "lab/fault_changes.h"
#include "lab/verbs.h"
#include "topology/fault_restore.h"

/* ---- telling ----------------------------------------------------------- */

static json_t *target_json(const struct lab *lab, const struct fault_target *target,
			   bool counters)
{
	json_t *all = json_array();

	for (size_t i = 0; i < target->count; i++)
		json_array_append_new(all, direction_json(lab, &target->at[i], counters));
	return all;
}

/* Each warning once, however many directions have it. */
static json_t *warnings_json(const struct fault_changes *changes)
{
	json_t *all = json_array();
	struct why why;

	for (size_t i = 0; i < changes->count; i++)
		for (unsigned n = 0;
		     fault_spec_warning(changes->items[i].spec, n, &why); n++) {
			const json_t *said;
			bool known = false;
			size_t k;

			json_array_foreach(all, k, said)
			{
				known |= !strcmp(json_string_value(said), why.text);
			}
			if (!known)
				json_array_append_new(all, json_string(why.text));
		}
	return all;
}

/* The target of a request, NULL text: the whole lab, which is then left empty. */
static int read_target(const struct lab *lab, struct call *call, enum arg_need need,
		       struct fault_target *target, bool *given, struct why *why)
{
	const char *text = NULL;
	int err = arg_text(call->body, "target", need, &text, why);

	*target = (struct fault_target){ 0 };
	*given = text != NULL;
	if (err || !text)
		return err;
	return fault_target_resolve(target, lab->plan, text, why);
}

static struct fault_context context_of(const struct lab *lab)
{
	return (struct fault_context){ .dir = lab->plan->dir,
				       .profiles = lab->plan->profiles,
				       .profile_count = lab->plan->profile_count,
				       .now_ns = clock_now_ns(lab->clock) };
}

/* ---- what is over ------------------------------------------------------ */

int verbs_fault_over(void *ctx, const struct fault_at *at, const struct fault_end *due,
		     size_t count)
{
	struct lab *lab = ctx;
	struct fault_restore what = { .from = fault_planned(lab, at),
				      .now_ns = clock_now_ns(lab->clock),
				      .with_needs = true };
	struct fault_changes changes = { .lab = lab };
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

int verbs_fault_watch(struct lab *lab, struct why *why)
{
	int err = 0;

	for (uint32_t link = 0; !err && link < lab->plan->link_count; link++)
		for (int dir = 0; !err && dir < DIRS; dir++)
			err = fault_watch_rules(
				lab, &(struct fault_at){ .link = link, .dir = dir }, why);
	return err;
}

/* ---- set --------------------------------------------------------------- */

/* What `fault-set` asks for. */
struct asked {
	struct fault_target target;
	json_t *words;
	bool replace;
	uint64_t due_ns;
};

static int add_words(struct fault_changes *changes, const struct fault_at *at,
		     const struct asked *asked, const json_t *words, bool whole,
		     struct why *why)
{
	struct fault_context context = context_of(changes->lab);
	char name[FAULT_NAME_BYTES_MAX];
	struct fault_change *change;
	int err = fault_changes_add(changes, at, &change, why);

	if (err)
		return err;
	change->keys = fault_keys_of(words);
	change->whole = whole;
	change->due_ns = asked->due_ns;
	if (whole) {
		fault_spec_free(change->spec);
		change->spec = NULL;
	}
	err = fault_words_from_json(&change->spec, &context, words, why);
	if (!err)
		return 0;
	fault_at_name(name, changes->lab->plan, at);
	return why_wrap(why, err, "%s", name);
}

/* A network that is down is down for its members too: they lose their carrier.  And they
 * get it back with whatever takes the place of that. */
static int mirror_down(struct fault_changes *changes, const struct asked *asked,
		       struct why *why)
{
	json_t *down = json_object_get(asked->words, "down"), *only;
	int err = 0;

	if (!asked->target.network || (!down && !asked->replace))
		return 0;
	only = down ? json_pack("{s:O}", "down", down) : json_pack("{s:b}", "down", 0);
	if (!only)
		return why_set(why, -ENOMEM, "fault: out of memory");
	for (size_t i = 0; !err && i < asked->target.count; i++) {
		struct fault_at back = asked->target.at[i];

		back.dir = DIR_BA;
		if (down || fault_spec_is_down(wire_fault_get(changes->lab->wire, &back)))
			err = add_words(changes, &back, asked, only, false, why);
	}
	json_decref(only);
	return err;
}

static int set_all(struct lab *lab, struct call *call, const struct asked *asked,
		   struct why *why)
{
	const struct fault_target *target = &asked->target;
	struct fault_changes changes = { .lab = lab };
	int err = 0;

	for (size_t i = 0; !err && i < target->count; i++)
		err = add_words(&changes, &target->at[i], asked, asked->words,
				asked->replace, why);
	if (!err)
		err = mirror_down(&changes, asked, why);
	if (!err)
		err = fault_changes_apply(&changes, NULL, why);
	if (!err)
		call_answer(call, json_pack("{s:o, s:o}", "directions",
					    target_json(lab, target, false), "warnings",
					    warnings_json(&changes)));
	fault_changes_free(&changes);
	return err;
}

/* The words with the request's own "for" in each rule; *due_ns for the others. */
static int read_words(const struct lab *lab, struct call *call, json_t **words,
		      uint64_t *due_ns, struct why *why)
{
	const json_t *given = json_object_get(call->body, "fault");
	const char *text = NULL;
	uint64_t ns = 0;
	json_t *rule;
	size_t i;
	int err = arg_text(call->body, "for", ARG_OPTIONAL, &text, why);

	*due_ns = 0;
	if (err)
		return err;
	if (!json_is_object(given))
		return why_set(
			why, -EINVAL,
			"\"fault\": an object such as {\"loss\":\"10%%\"} was expected");
	if (text) {
		err = units_parse_ns(text, &ns, why);
		if (!err && !ns)
			err = why_set(why, -EINVAL, "it would be over at once");
		if (err)
			return why_wrap(why, err, "for");
		*due_ns = fault_until_ns(clock_now_ns(lab->clock), ns);
	}
	*words = json_deep_copy(given);
	if (!*words)
		return why_set(why, -ENOMEM, "fault: out of memory");
	json_array_foreach(json_object_get(*words, "faults"), i, rule)
	{
		if (text && json_is_object(rule) && !json_object_get(rule, "for"))
			json_object_set_new(rule, "for", json_string(text));
	}
	return 0;
}

int verb_fault_set(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct asked asked = { .words = NULL };
	bool given;
	int err = arg_flag(call->body, "replace", &asked.replace, why);

	if (!err)
		err = read_words(lab, call, &asked.words, &asked.due_ns, why);
	if (!err && json_object_size(asked.words) == 0 && !asked.replace)
		err = why_set(why, -EINVAL,
			      "\"fault\": nothing is to be set; with \"replace\" an "
			      "empty object "
			      "makes a perfect wire");
	if (!err)
		err = read_target(lab, call, ARG_REQUIRED, &asked.target, &given, why);
	if (!err)
		err = set_all(lab, call, &asked, why);
	fault_target_free(&asked.target);
	json_decref(asked.words);
	return err;
}

/* ---- clear ------------------------------------------------------------- */

/* Which part of a fault is to be cleared; all NULL: all of it. */
struct part {
	const json_t *keys; /* array of texts */
	const char *rule;
};

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
		      uint64_t now_ns, const struct part *part, struct why *why)
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
		      const struct part *part, struct why *why)
{
	struct lab *lab = changes->lab;
	struct fault_spec *planned = fault_planned(lab, at);
	struct fault_change *change;
	int err = fault_changes_add(changes, at, &change, why);

	if (err)
		return err;
	if (part->rule || part->keys)
		return clear_keys(change, planned, clock_now_ns(lab->clock), part, why);
	fault_spec_free(change->spec);
	change->spec = fault_spec_ref(planned);
	change->whole = true;
	return 0;
}

/* All directions of the target or none; a rule has to be in one of them. */
static int clear_all(struct lab *lab, const struct fault_target *target,
		     const struct part *part, struct why *why)
{
	struct fault_changes changes = { .lab = lab };
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
static int clear_target(struct lab *lab, const struct fault_target *target,
			const struct part *part, struct why *why)
{
	struct fault_target both = { .count = target->count };
	int err;

	if (!target->network)
		return clear_all(lab, target, part, why);
	both.at = calloc(2 * target->count + 1, sizeof(*both.at));
	if (!both.at)
		return why_set(why, -ENOMEM, "fault: out of memory");
	memcpy(both.at, target->at, target->count * sizeof(*both.at));
	for (size_t i = 0; i < target->count; i++) {
		both.at[both.count] = target->at[i];
		both.at[both.count++].dir = DIR_BA;
	}
	err = clear_all(lab, &both, part, why);
	free(both.at);
	return err;
}

/* Every link, and every pair. */
static int clear_lab(struct lab *lab, struct why *why)
{
	const struct part all = { 0 };
	struct fault_target everything = { 0 };
	size_t pairs;
	const struct fault_at *pair = wire_pairs(lab->wire, &pairs);
	int err;

	everything.at =
		calloc(DIRS * lab->plan->link_count + pairs + 1, sizeof(*everything.at));
	if (!everything.at)
		return why_set(why, -ENOMEM, "fault: out of memory");
	for (uint32_t link = 0; link < lab->plan->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++)
			everything.at[everything.count++] =
				(struct fault_at){ .link = link, .dir = dir };
	for (size_t i = 0; i < pairs; i++)
		everything.at[everything.count++] = pair[i];
	err = clear_all(lab, &everything, &all, why);
	free(everything.at);
	return err;
}

int verb_fault_clear(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct part part = { .keys = json_object_get(call->body, "keys") };
	struct fault_target target;
	bool given;
	int err = arg_text(call->body, "rule", ARG_OPTIONAL, &part.rule, why);

	if (!err && part.keys && !json_array_size(part.keys))
		err = why_set(why, -EINVAL,
			      "\"keys\": a list such as [\"loss\"] was expected");
	if (!err)
		err = read_target(lab, call, ARG_OPTIONAL, &target, &given, why);
	if (err)
		return err;
	if (given) {
		err = clear_target(lab, &target, &part, why);
	} else if (part.keys || part.rule) {
		err = why_set(why, -EINVAL, "of which target?");
	} else {
		err = clear_lab(lab, why);
	}
	if (!err)
		call_answer(call, json_pack("{s:o}", "directions",
					    given ? target_json(lab, &target, false)
						  : directions_json(lab, false)));
	fault_target_free(&target);
	return err;
}

int verb_fault_ls(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct fault_target target;
	bool given;
	int err = read_target(lab, call, ARG_OPTIONAL, &target, &given, why);

	if (err)
		return err;
	call_answer(call, json_pack("{s:o}", "directions",
				    given ? target_json(lab, &target, true)
					  : directions_json(lab, true)));
	fault_target_free(&target);
	return 0;
}
