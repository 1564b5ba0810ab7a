/* SPDX-License-Identifier: MIT */
/* fault-set, fault-clear, fault-ls. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "control/control_args.h"
#include "fabric/fault_json.h"
#include "ops/fault_ops.h"
#include "lab/clearing.h"
#include "lab/verbs.h"
#include "faultwords/fault_words.h"

/* ---- telling ----------------------------------------------------------- */

static json_t *target_json(const struct lab *lab, const struct fault_target *target,
			   bool counters)
{
	json_t *all = json_array();

	for (size_t i = 0; i < target->count; i++)
		json_array_append_new(all, fault_at_json(&lab->fabric, &target->at[i], counters));
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

/* ---- set --------------------------------------------------------------- */

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
	struct fault_changes made = { .count = 0 };
	struct fault_target target = { .count = 0 };
	struct fault_order order = { .target = &target };
	json_t *words = NULL;
	bool given;
	int err = arg_flag(call->body, "replace", &order.replace, why);

	if (!err)
		err = read_words(lab, call, &words, &order.due_ns, why);
	if (!err && json_object_size(words) == 0 && !order.replace)
		err = why_set(why, -EINVAL,
			      "\"fault\": nothing is to be set; with \"replace\" an "
			      "empty object "
			      "makes a perfect wire");
	if (!err)
		err = read_target(lab, call, ARG_REQUIRED, &target, &given, why);
	order.words = words;
	if (!err)
		err = fault_ops_set(&lab->fabric, &order, &made, why);
	if (!err)
		call_answer(call, json_pack("{s:o, s:o}", "directions",
					    target_json(lab, &target, false), "warnings",
					    warnings_json(&made)));
	fault_changes_free(&made);
	fault_target_free(&target);
	json_decref(words);
	return err;
}

/* ---- clear ------------------------------------------------------------- */

int verb_fault_clear(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct fault_part part = { .keys = json_object_get(call->body, "keys") };
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
	if (!given && (part.keys || part.rule))
		return why_set(why, -EINVAL, "of which target?");
	/* In virtual time all of it happens at one instant. */
	if (!given && !lab->vtime)
		return clearing_begin(lab, call, why);
	err = fault_ops_clear(&lab->fabric, given ? &target : NULL, &part, why);
	if (!err)
		call_answer(call, json_pack("{s:o}", "directions",
					    given ? target_json(lab, &target, false)
						  : fault_all_json(&lab->fabric, false)));
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
					  : fault_all_json(&lab->fabric, true)));
	fault_target_free(&target);
	return 0;
}
