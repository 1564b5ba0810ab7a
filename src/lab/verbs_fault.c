/* SPDX-License-Identifier: MIT */
/* fault-set, fault-clear, fault-ls. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "lab/control_args.h"
#include "lab/verbs.h"
#include "topology/fault_words.h"

json_t *direction_json(const struct lab *lab, const struct fault_at *at, bool counters)
{
	struct fault_spec spec = wire_fault_get(lab->wire, at);
	char name[FAULT_NAME_BYTES_MAX];
	json_t *one;

	fault_at_name(name, lab->plan, at);
	one = json_pack("{s:s, s:s, s:b, s:o}", "link", fault_at_wire(lab->plan, at),
			"name", name, "pair", at->pair, "fault",
			fault_words_to_json(&spec));
	if (counters)
		json_object_set_new(one, "counters",
				    count_json(wire_fault_count(lab->wire, at)));
	return one;
}

json_t *directions_json(const struct lab *lab, bool counters)
{
	json_t *all = json_array();
	size_t pair_count;
	const struct fault_at *pairs = wire_pairs(lab->wire, &pair_count);

	for (uint32_t link = 0; link < lab->plan->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++) {
			struct fault_at at = { .link = link, .dir = dir };

			json_array_append_new(all, direction_json(lab, &at, counters));
		}
	for (size_t i = 0; i < pair_count; i++)
		json_array_append_new(all, direction_json(lab, &pairs[i], counters));
	return all;
}

static json_t *target_json(const struct lab *lab, const struct fault_target *target,
			   bool counters)
{
	json_t *all = json_array();

	for (size_t i = 0; i < target->count; i++)
		json_array_append_new(all, direction_json(lab, &target->at[i], counters));
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

/* What is needed to judge every frame anew: spec, key, from which frame on. */
static void journal_fault(struct lab *lab, const struct fault_at *at)
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
	json_object_set_new(entry, "at", json_integer((json_int_t)wire_switch_ns(lab->wire)));
	journal_write(lab->journal, "fault", entry);
}

/* ---- set --------------------------------------------------------------- */

/* All specs are made before the first is set: it is all or nothing. */
static int make_specs(const struct lab *lab, const struct fault_target *target,
		      const json_t *words, bool replace, struct fault_spec *specs,
		      struct why *why)
{
	char name[FAULT_NAME_BYTES_MAX];

	for (size_t i = 0; i < target->count; i++) {
		int err;

		specs[i] = replace ? (struct fault_spec){ 0 }
				   : wire_fault_get(lab->wire, &target->at[i]);
		err = fault_words_from_json(&specs[i], words, why);
		if (err) {
			fault_at_name(name, lab->plan, &target->at[i]);
			return why_wrap(why, err, "%s", name);
		}
	}
	return 0;
}

/* A network that is down is down for its members too: they lose their carrier. */
static int mirror_down(struct lab *lab, const struct fault_target *target,
		       const json_t *words, struct why *why)
{
	int err = 0;

	if (!target->network || !json_object_get(words, "down"))
		return 0;
	for (size_t i = 0; !err && i < target->count; i++) {
		struct fault_at back = target->at[i];
		struct fault_spec spec;

		back.dir = DIR_BA;
		spec = wire_fault_get(lab->wire, &back);
		spec.down = wire_fault_get(lab->wire, &target->at[i]).down;
		err = wire_fault_set(lab->wire, &back, &spec, why);
		journal_fault(lab, &back);
	}
	return err;
}

static int set_all(struct lab *lab, const struct fault_target *target,
		   const json_t *words, bool replace, struct why *why)
{
	struct fault_spec *specs = calloc(target->count, sizeof(*specs));
	int err = specs ? make_specs(lab, target, words, replace, specs, why)
			: why_set(why, -ENOMEM, "fault: out of memory");

	for (size_t i = 0; !err && i < target->count; i++) {
		err = wire_fault_set(lab->wire, &target->at[i], &specs[i], why);
		if (!err)
			journal_fault(lab, &target->at[i]);
	}
	free(specs);
	return err ? err : mirror_down(lab, target, words, why);
}

int verb_fault_set(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	const json_t *words = json_object_get(call->body, "fault");
	struct fault_target target;
	bool given, replace = false;
	int err = arg_flag(call->body, "replace", &replace, why);

	if (!err && !json_is_object(words))
		err = why_set(
			why, -EINVAL,
			"\"fault\": an object such as {\"loss\":\"10%%\"} was expected");
	if (!err && json_object_size(words) == 0 && !replace)
		err = why_set(why, -EINVAL,
			      "\"fault\": nothing is to be set; with \"replace\" an "
			      "empty object "
			      "makes a perfect wire");
	if (!err)
		err = read_target(lab, call, ARG_REQUIRED, &target, &given, why);
	if (err)
		return err;
	err = set_all(lab, &target, words, replace, why);
	if (!err)
		call_answer(call, json_pack("{s:o}", "directions",
					    target_json(lab, &target, false)));
	fault_target_free(&target);
	return err;
}

/* ---- clear ------------------------------------------------------------- */

/* As the topology file has it; a pair has nothing there. */
static int clear_one(struct lab *lab, const struct fault_at *at, struct why *why)
{
	struct fault_spec spec = { 0 };
	int err;

	if (!at->pair)
		spec = lab->plan->links[at->link].fault[at->dir];
	err = wire_fault_set(lab->wire, at, &spec, why);
	if (!err)
		journal_fault(lab, at);
	return err;
}

static int clear_links(struct lab *lab, struct why *why)
{
	int err = 0;

	for (uint32_t link = 0; !err && link < lab->plan->link_count; link++)
		for (int dir = 0; !err && dir < DIRS; dir++)
			err = clear_one(
				lab, &(struct fault_at){ .link = link, .dir = dir }, why);
	return err;
}

static int clear_pairs(struct lab *lab, struct why *why)
{
	size_t count;
	int err = 0;

	for (;;) {
		const struct fault_at *pairs = wire_pairs(lab->wire, &count);
		struct fault_at last;

		if (err || count == 0)
			return err;
		last = pairs[count - 1];
		err = clear_one(lab, &last, why);
	}
}

static int clear_target(struct lab *lab, const struct fault_target *target,
			struct why *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < target->count; i++) {
		struct fault_at back = target->at[i];

		err = clear_one(lab, &target->at[i], why);
		/* What `fault-set` of a network may have put down. */
		back.dir = DIR_BA;
		if (!err && target->network)
			err = clear_one(lab, &back, why);
	}
	return err;
}

int verb_fault_clear(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	struct fault_target target;
	bool given;
	int err = read_target(lab, call, ARG_OPTIONAL, &target, &given, why);

	if (err)
		return err;
	if (given) {
		err = clear_target(lab, &target, why);
	} else {
		err = clear_links(lab, why);
		if (!err)
			err = clear_pairs(lab, why);
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
