/* SPDX-License-Identifier: MIT */
#include "fabric/fault_json.h"

#include "fabric/fault_deadlines.h"
#include "faultwords/fault_words.h"

json_t *count_json(const struct sw_count *count)
{
	json_t *dropped = json_object();

	if (!count) {
		json_decref(dropped);
		return json_null();
	}
	for (int fate = SW_PASS + 1; fate < SW_FATES; fate++)
		if (count->dropped[fate])
			json_object_set_new(
				dropped, sw_fate_name((enum sw_fate)fate),
				json_integer((json_int_t)count->dropped[fate]));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "frames",
			 (json_int_t)count->frames, "bytes", (json_int_t)count->bytes,
			 "passed", (json_int_t)count->passed, "passed_bytes",
			 (json_int_t)count->passed_bytes, "queued",
			 (json_int_t)count->queued, "copies", (json_int_t)count->copies,
			 "edited", (json_int_t)count->edited, "dropped", dropped);
}

/* What is in force at this moment, beside what was asked for. */
static json_t *now_json(const struct fabric *fabric, const struct fault_at *at)
{
	const struct fault_spec *spec = wire_fault_get(fabric->wire, at);
	const struct fault_state *state = wire_fault_state(fabric->wire, at);
	uint64_t now_ns = clock_now_ns(fabric->clock), frames = 0, bytes = 0;
	json_t *rules = json_array();

	for (uint32_t i = 0; spec && i < spec->count; i++) {
		frames += state->rule[i].line.frames;
		bytes += state->rule[i].line.bytes;
		if (i)
			json_array_append_new(
				rules,
				json_pack("{s:s, s:b, s:I}", "name", spec->rule[i].name,
					  "in_force",
					  fault_rule_in_force(spec, state, i, now_ns),
					  "matched", (json_int_t)state->rule[i].seen));
	}
	return json_pack(
		"{s:b, s:s*, s:I, s:I, s:I, s:o}", "up",
		!spec || fault_is_up(spec, state, now_ns), "state",
		spec ? fault_in_state(spec, state, now_ns) : NULL, "waiting",
		(json_int_t)frames, "waiting_bytes", (json_int_t)bytes, "floor_ns",
		(json_int_t)(at->pair ? 0 : wire_floor_ns(fabric->wire)), "rules", rules);
}

json_t *fault_at_json(const struct fabric *fabric, const struct fault_at *at, bool counters)
{
	const struct fault_spec *spec = wire_fault_get(fabric->wire, at);
	json_t *fault = fault_words_to_json(spec);
	json_t *ends = fault_deadlines_json(fabric->deadlines, at, fault);
	char name[FAULT_NAME_BYTES_MAX], words[FAULT_WORDS_BYTES_MAX];
	json_t *one;

	fault_at_name(name, fabric->plan, at);
	one = json_pack("{s:s, s:s, s:b, s:o}", "link", fault_at_wire(fabric->plan, at),
			"name", name, "pair", at->pair, "fault", fault);
	if (spec && *spec->rule[0].profile)
		json_object_set_new(one, "profile", json_string(spec->rule[0].profile));
	if (ends)
		json_object_set_new(one, "ends", ends);
	if (!counters)
		return one;
	json_object_set_new(one, "words", json_string(fault_words_format(spec, words)));
	json_object_set_new(one, "now", now_json(fabric, at));
	json_object_set_new(one, "counters", count_json(wire_fault_count(fabric->wire, at)));
	return one;
}

json_t *fault_all_json(const struct fabric *fabric, bool counters)
{
	json_t *all = json_array();
	size_t pair_count;
	const struct fault_at *pairs = wire_pairs(fabric->wire, &pair_count);

	for (uint32_t link = 0; link < fabric->plan->link_count; link++)
		for (int dir = 0; dir < DIRS; dir++) {
			struct fault_at at = { .link = link, .dir = dir };

			json_array_append_new(all, fault_at_json(fabric, &at, counters));
		}
	for (size_t i = 0; i < pair_count; i++)
		json_array_append_new(all, fault_at_json(fabric, &pairs[i], counters));
	return all;
}
