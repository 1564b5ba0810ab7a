/* SPDX-License-Identifier: MIT */
/* fault-set, fault-clear, fault-ls, and faults whose time is over. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "base/units.h"
#include "lab/control_args.h"
#include "lab/fault_deadlines.h"
#include "lab/verbs.h"
#include "topology/fault_words.h"

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
static json_t *warnings_json(struct fault_spec *const *specs, size_t count)
{
	json_t *all = json_array();
	struct why why;

	for (size_t i = 0; i < count; i++)
		for (unsigned n = 0; fault_spec_warning(specs[i], n, &why); n++) {
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

/* What is needed to judge every frame anew; and why it changed, if by itself. */
static void journal_fault(struct lab *lab, const struct fault_at *at, const char *cause)
{
	json_t *entry = direction_json(lab, at, false);
	const struct sw_count *count = wire_fault_count(lab->wire, at);
	char name[FAULT_NAME_BYTES_MAX], key[32];

	wire_fault_name(lab->wire, at, name);
	snprintf(key, sizeof(key), "0x%016" PRIx64, draw_key(lab->seed, name));
	json_object_set_new(entry, "draws", json_string(name));
	json_object_set_new(entry, "key", json_string(key));
	json_object_set_new(entry, "frame",
			    json_integer(count ? (json_int_t)count->frames : 0));
	json_object_set_new(entry, "at",
			    json_integer((json_int_t)wire_switch_ns(lab->wire)));
	if (cause)
		json_object_set_new(entry, "cause", json_string(cause));
	journal_write(lab->journal, "fault", entry);
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

/* As the topology file has it; a pair has nothing there. */
static struct fault_spec *planned(const struct lab *lab, const struct fault_at *at)
{
	return at->pair ? NULL : lab->plan->links[at->link].fault[at->dir];
}

/* ---- several specs at once --------------------------------------------- */

/* New specs for all directions of a target: all made before the first is set. */
struct changes {
	struct fault_target target;
	struct fault_spec **specs;
};

static int changes_begin(struct changes *changes, const struct lab *lab,
			 const struct fault_target *target, bool replace, struct why *why)
{
	changes->target = *target;
	changes->specs = calloc(target->count + 1, sizeof(struct fault_spec *));
	if (!changes->specs)
		return why_set(why, -ENOMEM, "fault: out of memory");
	for (size_t i = 0; !replace && i < target->count; i++)
		changes->specs[i] =
			fault_spec_ref(wire_fault_get(lab->wire, &target->at[i]));
	return 0;
}

static void changes_free(struct changes *changes)
{
	for (size_t i = 0; changes->specs && i < changes->target.count; i++)
		fault_spec_free(changes->specs[i]);
	free(changes->specs);
}

static int changes_apply(const struct changes *changes, struct lab *lab,
			 const char *cause, struct why *why)
{
	int err = wire_fault_check(changes->target.at, changes->specs,
				   changes->target.count, why);

	for (size_t i = 0; !err && i < changes->target.count; i++) {
		err = wire_fault_set(lab->wire, &changes->target.at[i], changes->specs[i],
				     why);
		if (!err)
			journal_fault(lab, &changes->target.at[i], cause);
	}
	return err;
}

/* ---- deadlines --------------------------------------------------------- */

/* The rules that know when they end. */
static int watch_rules(struct lab *lab, const struct fault_at *at, struct why *why)
{
	const struct fault_spec *spec = wire_fault_get(lab->wire, at);
	int err = 0;

	for (uint32_t i = 1; spec && !err && i < spec->count; i++)
		if (spec->rule[i].until_ns)
			err = fault_deadlines_set(lab->deadlines, at, spec->rule[i].name,
						  "", spec->rule[i].until_ns, why);
	return err;
}

/* Those of the words that are set now: at due_ns, or never if that is 0. */
static int watch_words(struct lab *lab, const struct fault_at *at, const json_t *words,
		       uint64_t due_ns, struct why *why)
{
	const char *key;
	const json_t *value;
	int err = watch_rules(lab, at, why);

	json_object_foreach((json_t *)words, key, value)
	{
		if (!err && fault_word_is_key(key))
			err = fault_deadlines_set(lab->deadlines, at, "", key, due_ns,
						  why);
	}
	return err;
}

void verbs_fault_over(void *ctx, const struct fault_deadline *due, size_t count)
{
	struct lab *lab = ctx;
	const struct fault_at *at = &due[0].at;
	struct fault_spec *spec = fault_spec_ref(wire_fault_get(lab->wire, at));
	const char *keys[FAULT_KEYS_MAX];
	struct why why = { "" };
	size_t key_count = 0;
	int err = 0;

	for (size_t i = 0; !err && i < count; i++) {
		if (*due[i].rule)
			err = fault_words_clear(&spec, due[i].rule, NULL, &why);
		else if (key_count < FAULT_KEYS_MAX)
			keys[key_count++] = due[i].key;
		/* Somebody took it away before its time. */
		if (err == -ENOENT)
			err = 0;
	}
	if (!err)
		err = fault_words_restore(&spec, planned(lab, at), keys, key_count, &why);
	if (!err)
		err = wire_fault_set(lab->wire, at, spec, &why);
	journal_fault(lab, at, err ? why.text : "its time is over");
	fault_spec_free(spec);
}

int verbs_fault_watch(struct lab *lab, struct why *why)
{
	int err = 0;

	for (uint32_t link = 0; !err && link < lab->plan->link_count; link++)
		for (int dir = 0; !err && dir < DIRS; dir++)
			err = watch_rules(
				lab, &(struct fault_at){ .link = link, .dir = dir }, why);
	return err;
}

/* ---- set --------------------------------------------------------------- */

static int make_specs(struct changes *changes, const struct lab *lab, const json_t *words,
		      struct why *why)
{
	struct fault_context context = context_of(lab);
	char name[FAULT_NAME_BYTES_MAX];

	for (size_t i = 0; i < changes->target.count; i++) {
		int err = fault_words_from_json(&changes->specs[i], &context, words, why);

		if (err) {
			fault_at_name(name, lab->plan, &changes->target.at[i]);
			return why_wrap(why, err, "%s", name);
		}
	}
	return 0;
}

/* A network that is down is down for its members too: they lose their carrier. */
static int mirror_down(struct lab *lab, const struct fault_target *target,
		       const json_t *words, uint64_t due_ns, struct why *why)
{
	json_t *down = json_object_get(words, "down"), *only;
	struct fault_target back = { 0 };
	struct changes changes = { 0 };
	int err = 0;

	if (!target->network || !down)
		return 0;
	only = json_pack("{s:O}", "down", down);
	back.at = calloc(target->count + 1, sizeof(*back.at));
	if (!only || !back.at)
		err = why_set(why, -ENOMEM, "fault: out of memory");
	for (size_t i = 0; !err && i < target->count; i++) {
		back.at[back.count] = target->at[i];
		back.at[back.count++].dir = DIR_BA;
	}
	if (!err)
		err = changes_begin(&changes, lab, &back, false, why);
	if (!err)
		err = make_specs(&changes, lab, only, why);
	if (!err)
		err = changes_apply(&changes, lab, NULL, why);
	for (size_t i = 0; !err && i < back.count; i++)
		err = watch_words(lab, &back.at[i], only, due_ns, why);
	changes_free(&changes);
	json_decref(only);
	free(back.at);
	return err;
}

static int set_all(struct lab *lab, struct call *call, const struct fault_target *target,
		   const json_t *words, bool replace, uint64_t due_ns, struct why *why)
{
	struct changes changes = { 0 };
	int err = changes_begin(&changes, lab, target, replace, why);

	if (!err)
		err = make_specs(&changes, lab, words, why);
	for (size_t i = 0; !err && replace && i < target->count; i++)
		fault_deadlines_forget(lab->deadlines, &target->at[i]);
	if (!err)
		err = changes_apply(&changes, lab, NULL, why);
	for (size_t i = 0; !err && i < target->count; i++)
		err = watch_words(lab, &target->at[i], words, due_ns, why);
	if (!err)
		err = mirror_down(lab, target, words, due_ns, why);
	if (!err)
		call_answer(call, json_pack("{s:o, s:o}", "directions",
					    target_json(lab, target, false), "warnings",
					    warnings_json(changes.specs, target->count)));
	changes_free(&changes);
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
	struct fault_target target;
	bool given, replace = false;
	json_t *words = NULL;
	uint64_t due_ns;
	int err = arg_flag(call->body, "replace", &replace, why);

	if (!err)
		err = read_words(lab, call, &words, &due_ns, why);
	if (!err && json_object_size(words) == 0 && !replace)
		err = why_set(why, -EINVAL,
			      "\"fault\": nothing is to be set; with \"replace\" an "
			      "empty object "
			      "makes a perfect wire");
	if (!err)
		err = read_target(lab, call, ARG_REQUIRED, &target, &given, why);
	if (!err) {
		err = set_all(lab, call, &target, words, replace, due_ns, why);
		fault_target_free(&target);
	}
	json_decref(words);
	return err;
}

/* ---- clear ------------------------------------------------------------- */

/* Which part of a fault is to be cleared; all NULL: all of it. */
struct part {
	const json_t *keys; /* array of texts */
	const char *rule;
};

static int clear_keys(const struct lab *lab, const struct fault_at *at,
		      const struct part *part, struct fault_spec **spec, struct why *why)
{
	const char *keys[FAULT_KEYS_MAX];
	size_t count = 0, i;
	const json_t *key;
	int err = 0;

	if (part->rule && !json_array_size(part->keys))
		return fault_words_clear(spec, part->rule, NULL, why);
	json_array_foreach((json_t *)part->keys, i, key)
	{
		const char *text = json_string_value(key);

		if (err)
			return err;
		if (!text || count == FAULT_KEYS_MAX)
			return why_set(why, -EINVAL, "\"keys\": a list of a few texts");
		if (part->rule || !strcmp(text, "faults"))
			err = fault_words_clear(spec, part->rule, text, why);
		else
			keys[count++] = text;
	}
	return err ? err : fault_words_restore(spec, planned(lab, at), keys, count, why);
}

/* What it is once that part is gone; -ENOENT: no such rule there. */
static int make_clear(struct changes *changes, size_t i, const struct lab *lab,
		      const struct part *part, struct why *why)
{
	const struct fault_at *at = &changes->target.at[i];

	if (part->rule || part->keys)
		return clear_keys(lab, at, part, &changes->specs[i], why);
	fault_spec_free(changes->specs[i]);
	changes->specs[i] = fault_spec_ref(planned(lab, at));
	return 0;
}

static int forget_deadlines(struct lab *lab, const struct fault_at *at,
			    const struct part *part, struct why *why)
{
	const json_t *key;
	size_t i;
	int err = 0;

	if (!part->rule && !part->keys) {
		fault_deadlines_forget(lab->deadlines, at);
		return watch_rules(lab, at, why);
	}
	if (part->rule && !part->keys)
		return fault_deadlines_set(lab->deadlines, at, part->rule, "", 0, why);
	json_array_foreach((json_t *)part->keys, i, key)
	{
		if (!err && !part->rule)
			err = fault_deadlines_set(lab->deadlines, at, "",
						  json_string_value(key), 0, why);
	}
	return err;
}

/* All directions of the target or none; a rule has to be in one of them. */
static int clear_all(struct lab *lab, const struct fault_target *target,
		     const struct part *part, struct why *why)
{
	struct changes changes = { 0 };
	bool found = false;
	int err = changes_begin(&changes, lab, target, false, why);

	for (size_t i = 0; !err && i < target->count; i++) {
		err = make_clear(&changes, i, lab, part, why);
		found |= !err;
		if (err == -ENOENT && part->rule)
			err = 0;
	}
	if (!err && !found && target->count)
		err = -ENOENT; /* *why says it */
	if (!err)
		err = changes_apply(&changes, lab, NULL, why);
	for (size_t i = 0; !err && i < target->count; i++)
		err = forget_deadlines(lab, &target->at[i], part, why);
	changes_free(&changes);
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
