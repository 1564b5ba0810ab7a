/* SPDX-License-Identifier: MIT */
#include "lib/fault_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "linkfault/line.h"
#include "faultwords/fault_words.h"

static int read_words(const char *words, struct fault_spec **spec, struct why *why)
{
	struct fault_context context = { .dir = "/" };
	char text[1024];
	json_t *json;
	int err;

	assert_true(strlen(words) < sizeof(text));
	for (size_t i = 0; i <= strlen(words); i++)
		text[i] = words[i];
	for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	json = json_loads(text, 0, NULL);
	if (!json)
		fail_msg("%s is not JSON", words);
	err = fault_words_from_json(spec, &context, json, why);
	json_decref(json);
	return err;
}

struct fault_rig rig_open(uint64_t seed, const char *words)
{
	struct fault_rig rig = { 0 };
	struct why why = { "" };

	if (read_words(words, &rig.spec, &why))
		fail_msg("%s: %s", words, why.text);
	assert_non_null(rig.spec);
	rig.state = fault_state_create(rig.spec, draw_key(seed, "L a->b"), NULL, NULL);
	assert_non_null(rig.state);
	return rig;
}

void rig_refused(const char *words, char text[WHY_BYTES_MAX])
{
	struct fault_spec *spec = NULL;
	struct why why = { "" };

	if (!read_words(words, &spec, &why))
		fail_msg("%s: was accepted", words);
	snprintf(text, WHY_BYTES_MAX, "%s", why.text);
}

void rig_close(struct fault_rig *rig)
{
	fault_state_free(rig->state);
	fault_spec_free(rig->spec);
}

static struct fault_verdict judge(struct fault_rig *rig, const struct fault_frame *frame,
				  unsigned copy)
{
	struct fault_verdict v;

	fault_judge(&v, rig->spec, rig->state, &rig->matches, frame, copy,
		    &rig->copies[copy], &rig->trail);
	return v;
}

struct fault_verdict rig_offer(struct fault_rig *rig, const uint8_t *bytes, uint32_t size,
			       uint64_t now_ns)
{
	struct fault_frame frame = { rig->no++, bytes, size, now_ns };
	struct fault_verdict v = { .line = NO_RULE, .order = NO_RULE };

	trail_begin(&rig->trail);
	trail_step(&rig->trail, "L a->b", frame.no);
	fault_match(&rig->matches, rig->spec, rig->state, &frame);
	v.fate = fault_admit(rig->spec, rig->state, &rig->matches, &frame, &rig->trail);
	if (v.fate != FAULT_PASS)
		return v;
	rig->copy_count = fault_multiply(rig->spec, rig->state, &rig->matches, &frame,
					 rig->copies, &rig->trail);
	return judge(rig, &frame, 0);
}

struct fault_verdict rig_copy(struct fault_rig *rig, unsigned copy, uint64_t now_ns)
{
	static const uint8_t bytes[64];
	struct fault_frame frame = { rig->no - 1, bytes, sizeof(bytes), now_ns };

	return judge(rig, &frame, copy);
}

/* ---- a line ------------------------------------------------------------ */

struct line {
	struct fault_rig *rig;
	struct rig_frame *frames;
	size_t *queue; /* indices of frames */
	size_t first, last;
	uint64_t event_ns; /* UINT64_MAX: none */
	bool sending;
};

static size_t pop(struct line *line, uint64_t now_ns)
{
	size_t i = line->queue[line->first++];

	fault_line_leave(&line->rig->state->rule[0], line->frames[i].size, now_ns);
	return i;
}

static void run(struct line *line, uint64_t now_ns)
{
	struct fault_rig *rig = line->rig;

	line->event_ns = UINT64_MAX;
	line->sending = false;
	while (line->first < line->last) {
		struct rig_frame *front = &line->frames[line->queue[line->first]];
		struct fault_line_start start = fault_line_start(
			&rig->spec->rule[0], fault_pace(rig->spec, rig->state, 0, now_ns),
			&rig->state->rule[0], front->size, true, front->at_ns, now_ns,
			&rig->trail);

		assert_true(start.step == LINE_DROPS || start.at_ns >= now_ns);
		front->marked |= start.mark;
		if (start.step == LINE_DROPS) {
			line->frames[pop(line, now_ns)].fate = FAULT_AQM;
			continue;
		}
		if (start.at_ns > now_ns) {
			line->event_ns = start.at_ns;
			line->sending = start.step == LINE_SENDS;
			return;
		}
		line->frames[pop(line, now_ns)].leave_ns = now_ns;
	}
}

static void events_until(struct line *line, uint64_t now_ns)
{
	while (line->event_ns <= now_ns) {
		uint64_t at_ns = line->event_ns;

		if (line->sending)
			line->frames[pop(line, at_ns)].leave_ns = at_ns;
		run(line, at_ns);
	}
}

static void evict(struct line *line, uint32_t victim)
{
	size_t at = line->first + 1 + victim, i = line->queue[at];

	fault_line_leave(&line->rig->state->rule[0], line->frames[i].size, 0);
	line->frames[i].fate = FAULT_LIMIT;
	memmove(&line->queue[at], &line->queue[at + 1],
		(--line->last - at) * sizeof(*line->queue));
}

void rig_line(struct fault_rig *rig, struct rig_frame *frames, size_t count)
{
	static const uint8_t bytes[65536];
	struct line line = { .rig = rig,
			     .frames = frames,
			     .queue = calloc(count + 1, sizeof(size_t)),
			     .event_ns = UINT64_MAX };

	assert_non_null(line.queue);
	for (size_t i = 0; i < count; i++) {
		struct fault_frame frame = { rig->no++, bytes, frames[i].size,
					     frames[i].at_ns };
		struct fault_dice dice = { rig->state->rule[0].key, frame.no };
		struct fault_line_entry entry;

		trail_begin(&rig->trail);
		events_until(&line, frame.now_ns);
		while ((entry = fault_line_enter(&rig->spec->rule[0],
						 &rig->state->rule[0], dice, &frame,
						 &rig->trail))
			       .evict) {
			evict(&line, entry.victim);
			dice.key += FAULT_COPIES_MAX;
		}
		frames[i].fate = entry.fate;
		frames[i].marked = entry.mark;
		if (entry.fate != FAULT_PASS)
			continue;
		line.queue[line.last++] = i;
		if (line.event_ns == UINT64_MAX)
			run(&line, frame.now_ns);
	}
	events_until(&line, UINT64_MAX - 1);
	assert_int_equal(line.first, line.last);
	assert_int_equal(rig->state->rule[0].line.frames, 0);
	free(line.queue);
}
