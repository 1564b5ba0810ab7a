/* SPDX-License-Identifier: MIT */
#include "cli/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/draw.h"
#include "cli/ui.h"
#include "replay/recheck.h"
#include "linkfault/chance.h"
#include "linkfault/fault.h"
#include "faultwords/fault_words.h"
#include "linkfault/word.h"

/* A draw of several bits takes keys that follow one another. */
enum { KEYS_IN_A_ROW = 64, QUEUE_KEYS_MAX = 1 << 16, ALONE_FRAMES_MAX = 50000000 };

struct drawn {
	uint64_t key, n, bits;
	enum draw_lane lane;
};

struct explain {
	const struct history *history;
	uint64_t id; /* of the frame */
	json_t *frame, *steps, *sights;
};

static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%016" PRIx64, value);
}

/* Of uniform bits, as a part of 100: what a percentage is compared with. */
static double percent(uint64_t bits)
{
	return (double)(bits >> 11) / (double)(UINT64_C(1) << 53) * 100;
}

/* Who drew: a rule of the direction's fault, or the link's own; for which copy. */
struct drawer {
	const char *rule; /* NULL: the link's own */
	unsigned copy;	  /* 0: the frame itself */
};

static json_t *draw_json(const struct drawn *drawn, const struct drawer *by)
{
	json_t *json = json_pack(
		"{s:s, s:f, s:o, s:o}", "what", draw_lane_name(drawn->lane), "percent",
		percent(drawn->bits), "bits", hex(drawn->bits), "key", hex(drawn->key));

	if (by->rule)
		json_object_set_new(json, "rule", json_string(by->rule));
	if (by->copy)
		json_object_set_new(json, "copy", json_integer(by->copy));
	return json;
}

static json_t *step_of(struct explain *e, const struct link_replay *replay,
		       const struct fault_step *step)
{
	const json_t *fault = link_replay_fault(replay, step->direction);
	json_t *one;
	size_t i;

	json_array_foreach(e->steps, i, one)
	{
		const char *name = json_string_value(json_object_get(one, "direction"));

		if (!strcmp(name, step->direction))
			return one;
	}
	one = json_pack("{s:s, s:I, s:o, s:O, s:I, s:[], s:[]}", "direction",
			step->direction, "number", (json_int_t)step->frame_no, "key",
			hex(draw_key(e->history->seed, step->direction)), "fault",
			fault ? fault : json_object(), "since_ns",
			(json_int_t)link_replay_fault_since_ns(replay, step->direction),
			"draws", "notes");
	json_array_append_new(e->steps, one);
	return one;
}

static void add_notes(json_t *step, const struct fault_trail *trail, unsigned index)
{
	json_t *notes = json_object_get(step, "notes");
	char text[FAULT_NOTE_BYTES_MAX];
	unsigned known = (unsigned)json_array_size(notes), met = 0;

	for (unsigned n = 0; n < trail->notes; n++) {
		if (trail->note[n].step != index || met++ < known)
			continue;
		fault_note_format(text, &trail->note[n]);
		json_array_append_new(notes, json_string(text));
	}
}

/* Is its number that of a frame?  Of the others it is a period's, a slot's, a state's. */
static bool is_for_frame(enum draw_lane lane)
{
	return lane != LANE_CYCLE_ON && lane != LANE_CYCLE_OFF && lane != LANE_SLOT &&
	       lane != LANE_SLOT_JITTER && lane != LANE_STATE_TIME &&
	       lane != LANE_STATE_NEXT;
}

/* For which copy was it made with this key, or one of those in a row behind it? */
static bool is_with(const struct drawn *drawn, uint64_t key, unsigned *copy)
{
	/* At a queue the copies take keys in a row, and more of them if one drawn frame
	 * did not make room enough. */
	if (drawn->lane == LANE_RED || drawn->lane == LANE_OVERFLOW) {
		*copy = (unsigned)((drawn->key - key) % FAULT_COPIES_MAX);
		return drawn->key - key < QUEUE_KEYS_MAX;
	}
	for (*copy = 0; *copy < FAULT_COPIES_MAX; ++*copy)
		if (drawn->key - fault_copy_key(key, *copy) < KEYS_IN_A_ROW)
			return true;
	return false;
}

/* Was the draw made by that direction, or by a rule of its fault? */
static bool find_drawer(struct drawer *by, const struct drawn *drawn, uint64_t key,
			const json_t *fault)
{
	const json_t *rule;
	size_t i;

	by->rule = NULL;
	if (is_with(drawn, key, &by->copy))
		return true;
	json_array_foreach(json_object_get(fault, "faults"), i, rule)
	{
		by->rule = json_string_value(json_object_get(rule, "name"));
		if (by->rule && is_with(drawn, draw_key(key, by->rule), &by->copy))
			return true;
	}
	return false;
}

static void on_draw(void *ctx, uint64_t key, uint64_t n, enum draw_lane lane,
		    uint64_t bits)
{
	const struct explain *e = ctx;
	const struct drawn drawn = { key, n, bits, lane };
	struct drawer by;
	json_t *step;
	size_t i;

	json_array_foreach(e->steps, i, step)
	{
		const char *direction =
			json_string_value(json_object_get(step, "direction"));
		uint64_t own = draw_key(e->history->seed, direction);

		if (is_for_frame(lane) &&
		    (uint64_t)json_integer_value(json_object_get(step, "number")) == n &&
		    find_drawer(&by, &drawn, own, json_object_get(step, "fault")))
			json_array_append_new(json_object_get(step, "draws"),
					      draw_json(&drawn, &by));
	}
}

static void on_seen(void *ctx, struct link_replay *replay, const struct sw_tap_event *event)
{
	struct explain *e = ctx;
	char text[VERDICT_BYTES_MAX];
	struct capture_frame frame =
		verdict_frame(text, event, 0, link_replay_cut_name, replay);
	const char *where = event->inbound ? event->fate == SW_PASS ? "entered"
					     : event->late	    ? "lost on its way"
								    : "lost at once"
					   : "arrived";

	if (frame.id == e->id) {
		for (unsigned i = 0; i < event->trail->steps; i++)
			add_notes(step_of(e, replay, &event->trail->step[i]),
				  event->trail, i);
		json_array_append_new(e->sights,
				      json_pack("{s:I, s:s, s:s, s:s, s:s}", "t",
						(json_int_t)event->now_ns, "port",
						link_replay_port_name(replay, event->port),
						"what", where, "verdict",
						sw_fate_name(event->fate), "comment",
						frame.comment ? frame.comment : ""));
	}
}

static void on_enters(void *ctx, const struct pcapng_record *record)
{
	struct explain *e = ctx;

	if (record->id != e->id)
		return;
	json_object_set_new(e->frame, "bytes", json_integer(record->size));
	json_object_set_new(e->frame, "number", json_integer((json_int_t)record->number));
	json_object_set_new(e->frame, "t",
			    json_integer((json_int_t)(record->wall_ns -
						      e->history->wall_at_zero_ns)));
}

/* Whose frame is that number of the file? */
static int find_id(const char *capture, uint64_t number, uint64_t *id, struct why *why)
{
	struct pcapng_record record = { .number = 0 };
	struct pcapng_file file;
	int rc = pcapng_open(&file, capture, why);

	if (rc)
		return rc;
	while ((rc = pcapng_next(&file, &record, why)) == 1 && record.number < number)
		;
	if (rc == 1)
		*id = record.id;
	else if (rc == 0)
		rc = why_set(why, -ENOENT,
			     "%s has %" PRIu64 " frames, so no frame %" PRIu64, capture,
			     file.count, number);
	if (rc == 1 && *id == PCAPNG_NO_ID)
		rc = why_set(why, -EINVAL,
			     "frame %" PRIu64 " never came to a link, or this is a plain "
			     "capture: %s",
			     number,
			     *record.comment ? record.comment : "it says nothing");
	pcapng_close(&file);
	return rc < 0 ? rc : 0;
}

static int run(const struct history *history, const char *link, const char *capture,
	       const struct recheck_ops *ops, struct why *why)
{
	struct recheck recheck;
	int rc = recheck_run(&recheck, history, link, capture, ops, why);

	if (!rc)
		recheck_free(&recheck);
	return rc;
}

int explain_frame(json_t **out, const struct history *history, const char *link,
		  const char *capture, uint64_t number, struct why *why)
{
	struct explain *e = ui_need(calloc(1, sizeof(*e)));
	struct recheck_ops ops = { .seen = on_seen, .enters = on_enters, .ctx = e };
	int rc;

	e->history = history;
	e->frame = json_object();
	e->steps = json_array();
	e->sights = json_array();
	rc = find_id(capture, number, &e->id, why);
	if (!rc)
		rc = run(history, link, capture, &ops, why);
	if (!rc && !json_array_size(e->sights))
		rc = why_set(why, -ENOENT,
			     "frame %" PRIu64
			     " is none of %s, or entered before the capture "
			     "began",
			     number, link);
	/* Its directions and numbers are known now, and so which draws are its own. */
	if (!rc) {
		draw_watch(on_draw, e);
		rc = run(history, link, capture, &(struct recheck_ops){ 0 }, why);
		draw_watch(NULL, NULL);
	}
	if (!rc)
		*out = json_pack("{s:O, s:O, s:O}", "frame", e->frame, "steps", e->steps,
				 "sights", e->sights);
	json_decref(e->frame);
	json_decref(e->steps);
	json_decref(e->sights);
	free(e);
	return rc;
}

/* ---- without a capture ------------------------------------------------- */

/* The fault of a direction of the plan, by the name that keys its draws. */
static const json_t *planned(const struct history *history, const char *direction,
			     struct why *why)
{
	const json_t *fault = NULL;
	struct link_replay *replay;

	if (link_replay_create(&replay, history, NULL, NULL, why))
		return NULL;
	fault = link_replay_fault(replay, direction);
	if (!fault)
		why_set(why, -ENOENT,
			"no direction of this run is named \"%.100s\": `netlab fault ls` "
			"prints the names",
			direction);
	link_replay_free(replay);
	return fault;
}

/* The link's own words that need nothing but a frame's number, and those before it. */
struct alone {
	struct fault_spec *spec;
	struct fault_state *state; /* NULL with it */
	uint64_t key;
	struct fault_trail trail; /* of the frame that was judged last */
};

static int alone_set(struct alone *alone, const json_t *fault, struct why *why)
{
	const struct fault_context context = { .dir = "/" };
	struct fault_spec *spec = NULL;
	struct fault_state *state = NULL;
	json_t *words = json_object();
	int rc;

	for (size_t i = 0; i < fault_word_count; i++)
		if (fault_words[i].by_number && json_object_get(fault, fault_words[i].key))
			json_object_set(words, fault_words[i].key,
					json_object_get(fault, fault_words[i].key));
	rc = fault_words_from_json(&spec, &context, words, why);
	json_decref(words);
	if (rc)
		return rc;
	if (spec)
		state = fault_state_create(spec, alone->key, alone->spec, alone->state);
	fault_state_free(alone->state);
	fault_spec_free(alone->spec);
	alone->spec = spec;
	alone->state = state;
	return 0;
}

static void alone_judge(struct alone *alone, uint64_t no)
{
	static const uint8_t bytes[64];
	const struct fault_frame frame = { no, bytes, sizeof(bytes), 0 };
	struct fault_matches matches = { .rules = 1 };
	struct fault_copy copies[FAULT_COPIES_MAX];
	struct fault_trail rest, *trail = &alone->trail;
	struct fault_verdict verdict;
	unsigned count;

	trail_begin(trail);
	trail_step(trail, "", no);
	if (!alone->spec)
		return;
	matches.number[0] = alone->state->rule[0].seen++;
	count = fault_multiply(alone->spec, alone->state, &matches, &frame, copies, trail);
	for (unsigned copy = 0; copy < count; copy++, trail = &rest) {
		if (copy)
			trail_begin(&rest);
		fault_judge(&verdict, alone->spec, alone->state, &matches, &frame, copy,
			    &copies[copy], trail);
	}
}

static bool is_change_of(const struct change *change, const char *direction)
{
	const char *name = json_string_value(json_object_get(change->entry, "draws"));

	return change->kind == CHANGE_FAULT && name && !strcmp(name, direction);
}

/* Judge all frames up to that number by the faults of their time; *fault and *since_ns
 * are those of the last. */
static int judge_until(struct alone *alone, const struct history *history,
		       const char *direction, uint64_t number, const json_t **fault,
		       uint64_t *since_ns, struct why *why)
{
	uint64_t no = 0;
	int rc;

	if (number > ALONE_FRAMES_MAX)
		return why_set(why, -ERANGE,
			       "frame %" PRIu64 ": without a capture at most the first %d "
			       "can be explained: -r CAPTURE",
			       number, ALONE_FRAMES_MAX);
	rc = alone_set(alone, *fault, why);
	for (size_t i = 0; !rc && i < history->change_count; i++) {
		const struct change *change = &history->changes[i];
		uint64_t first = (uint64_t)json_integer_value(
			json_object_get(change->entry, "frame"));

		if (!is_change_of(change, direction) || first > number)
			continue;
		while (no < first)
			alone_judge(alone, no++);
		*fault = json_object_get(change->entry, "fault");
		*since_ns = change->at_ns;
		rc = alone_set(alone, *fault, why);
	}
	while (!rc && no <= number)
		alone_judge(alone, no++);
	return rc;
}

static json_t *notes_of(const struct fault_trail *trail)
{
	char text[FAULT_NOTE_BYTES_MAX];
	json_t *notes = json_array();

	for (unsigned n = 0; n < trail->notes; n++) {
		fault_note_format(text, &trail->note[n]);
		json_array_append_new(notes, json_string(text));
	}
	return notes;
}

int explain_number(json_t **out, const struct history *history, const char *direction,
		   uint64_t number, struct why *why)
{
	static const enum draw_lane lanes[] = { LANE_LOSS,	LANE_JITTER,
						LANE_DUPLICATE, LANE_CORRUPT,
						LANE_REORDER,	LANE_REPLAY };
	static const char *const of_keys[] = { "loss",	  "jitter",  "duplicate",
					       "corrupt", "reorder", "replay" };
	uint64_t key = draw_key(history->seed, direction), since_ns = 0;
	const json_t *fault = planned(history, direction, why);
	struct alone alone = { .key = key };
	json_t *draws;
	int rc = fault ? judge_until(&alone, history, direction, number, &fault,
				     &since_ns, why)
		       : -ENOENT;

	fault_state_free(alone.state);
	fault_spec_free(alone.spec);
	if (rc)
		return rc;
	draws = json_array();
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		if (json_object_get(fault, of_keys[i]))
			json_array_append_new(
				draws, draw_json(&(struct drawn){ key, number,
								  draw_bits(key, number,
									    lanes[i]),
								  lanes[i] },
						 &(struct drawer){ 0 }));
	*out = json_pack("{s:[{s:s, s:I, s:o, s:O, s:I, s:o, s:o}]}", "steps",
			 "direction", direction, "number", (json_int_t)number, "key",
			 hex(key), "fault", fault, "since_ns", (json_int_t)since_ns,
			 "draws", draws, "notes", notes_of(&alone.trail));
	return 0;
}
