/* SPDX-License-Identifier: MIT */
#include "run/comparison.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { LINE_SHOWN_MAX = 1024, WAYS = 3 };

struct comparison {
	const struct recorded *recorded;
	uint64_t frames, entries; /* that were the same */
	uint64_t *numbers;	  /* of the next frame, by port and way */
	uint32_t port_count;
	size_t *consoles, *logs; /* bytes that were the same */
	bool diverged;
	struct divergence first;
};

int comparison_create(struct comparison **out, const struct recorded *recorded,
		      uint32_t port_count, struct why *why)
{
	struct comparison *comparison = calloc(1, sizeof(*comparison));
	uint32_t nodes = recorded->node_count;

	if (comparison) {
		comparison->recorded = recorded;
		comparison->port_count = port_count;
		comparison->numbers = calloc((size_t)port_count * WAYS + 1,
					     sizeof(*comparison->numbers));
		comparison->consoles = calloc(nodes + 1, sizeof(*comparison->consoles));
		comparison->logs = calloc(recorded->first_log[nodes] + 1,
					  sizeof(*comparison->logs));
	}
	if (!comparison || !comparison->numbers || !comparison->consoles ||
	    !comparison->logs) {
		comparison_destroy(comparison);
		return why_set(why, -ENOMEM, "comparison: out of memory");
	}
	*out = comparison;
	return 0;
}

void comparison_destroy(struct comparison *comparison)
{
	if (!comparison)
		return;
	free(comparison->numbers);
	free(comparison->consoles);
	free(comparison->logs);
	free(comparison->first.was.text);
	free(comparison->first.is.text);
	free(comparison);
}

const struct divergence *comparison_first(const struct comparison *comparison)
{
	return comparison->diverged ? &comparison->first : NULL;
}

uint64_t comparison_frames(const struct comparison *comparison)
{
	return comparison->frames;
}

uint64_t comparison_entries(const struct comparison *comparison)
{
	return comparison->entries;
}

/* ---- what differs ------------------------------------------------------------------ */

static bool diverge(struct comparison *comparison, enum divergence_kind kind,
		    struct divergence_side was, struct divergence_side is)
{
	struct divergence *first = &comparison->first;

	comparison->diverged = true;
	first->kind = kind;
	first->was = was;
	first->is = is;
	first->at_ns = !was.there		 ? is.at_ns
		       : !is.there		 ? was.at_ns
		       : was.at_ns < is.at_ns ? was.at_ns
						 : is.at_ns;
	return true;
}

static uint64_t *number_of(struct comparison *comparison,
			   const struct frame_record *frame)
{
	/* One past the end is a place for what a broken file says. */
	return frame->port < comparison->port_count
		       ? &comparison->numbers[(size_t)frame->port * WAYS +
					      FRAME_WAY(frame) % WAYS]
		       : &comparison->numbers[(size_t)comparison->port_count * WAYS];
}

static struct divergence_side frame_side(struct comparison *comparison,
					 const struct frame_record *frame)
{
	if (!frame)
		return (struct divergence_side){ 0 };
	return (struct divergence_side){ .there = true,
					 .at_ns = frame->at_ns,
					 .frame = *frame,
					 .number = *number_of(comparison, frame) };
}

static struct divergence_side text_side(uint64_t at_ns, const char *text, size_t size)
{
	return (struct divergence_side){ .there = true,
					 .at_ns = at_ns,
					 .text = strndup(text, size) };
}

static const struct frame_record *next_frame(const struct comparison *comparison)
{
	return comparison->frames < comparison->recorded->frame_count
		       ? &comparison->recorded->frames[comparison->frames]
		       : NULL;
}

static const struct recorded_entry *next_entry(const struct comparison *comparison)
{
	return comparison->entries < comparison->recorded->entry_count
		       ? &comparison->recorded->entries[comparison->entries]
		       : NULL;
}

static struct divergence_side entry_side(const struct recorded_entry *entry)
{
	return entry ? text_side(entry->at_ns, entry->text, entry->size)
		     : (struct divergence_side){ 0 };
}

/* Has something not come that should have, before this time? */
static bool overdue(struct comparison *comparison, uint64_t now_ns)
{
	const struct frame_record *frame = next_frame(comparison);
	const struct recorded_entry *entry = next_entry(comparison);
	uint64_t frame_ns = frame ? frame->at_ns : UINT64_MAX,
		 entry_ns = entry ? entry->at_ns : UINT64_MAX;

	if (frame_ns < now_ns && frame_ns <= entry_ns)
		return diverge(comparison, DIVERGED_FRAME, frame_side(comparison, frame),
			       (struct divergence_side){ 0 });
	if (entry_ns < now_ns)
		return diverge(comparison, DIVERGED_ENTRY, entry_side(entry),
			       (struct divergence_side){ 0 });
	return false;
}

/* More than the recording has: is that a difference? */
static bool is_beyond(const struct comparison *comparison, uint64_t now_ns, bool all)
{
	return !all || now_ns >= comparison->recorded->end_ns;
}

/* ---- what comes ---------------------------------------------------------------------- */

/* A missing frame shows in that a later one comes. */
bool comparison_frame(struct comparison *comparison, const struct frame_record *frame)
{
	const struct frame_record *was = next_frame(comparison);
	const struct recorded_entry *entry = next_entry(comparison);

	if (comparison->diverged)
		return false;
	if (entry && entry->at_ns < frame->at_ns && overdue(comparison, frame->at_ns))
		return true;
	if (!was && is_beyond(comparison, frame->at_ns, comparison->recorded->frames_all))
		return false;
	if (!was || memcmp(was, frame, sizeof(*frame)) != 0)
		return diverge(comparison, DIVERGED_FRAME, frame_side(comparison, was),
			       frame_side(comparison, frame));
	comparison->frames++;
	++*number_of(comparison, frame);
	return false;
}

bool comparison_entry(struct comparison *comparison, uint64_t now_ns, const char *text,
		      size_t size)
{
	const struct recorded_entry *was = next_entry(comparison);
	const struct frame_record *frame = next_frame(comparison);

	if (comparison->diverged)
		return false;
	if (frame && frame->at_ns < now_ns && overdue(comparison, now_ns))
		return true;
	if (!was && is_beyond(comparison, now_ns, comparison->recorded->ended))
		return false;
	if (!was || was->size != size || memcmp(was->text, text, size) != 0)
		return diverge(comparison, DIVERGED_ENTRY, entry_side(was),
			       text_side(now_ns, text, size));
	comparison->entries++;
	return false;
}

static size_t same_bytes(const uint8_t *a, const uint8_t *b, size_t size)
{
	size_t same = 0;

	if (size == 0 || memcmp(a, b, size) == 0)
		return size;
	while (a[same] == b[same])
		same++;
	return same;
}

/* The line around byte `at`; more: what comes after it in place of what is there. */
static char *line_at(const struct recorded_stream *stream, size_t at,
		     const uint8_t *more, size_t more_size)
{
	size_t from = at, head, tail = 0;
	char *line;

	while (from > 0 && stream->bytes[from - 1] != '\n' && at - from < LINE_SHOWN_MAX)
		from--;
	head = at - from;
	while (tail < more_size && tail < LINE_SHOWN_MAX && more[tail] != '\n')
		tail++;
	line = malloc(head + tail + 1);
	if (!line)
		return NULL;
	if (head)
		memcpy(line, stream->bytes + from, head);
	if (tail)
		memcpy(line + head, more, tail);
	line[head + tail] = 0;
	return line;
}

static bool stream_diverges(struct comparison *comparison, uint64_t now_ns,
			    uint32_t node, uint32_t service, size_t at,
			    const uint8_t *bytes, size_t size)
{
	const struct recorded *recorded = comparison->recorded;
	const struct recorded_stream *stream =
		service == DIGEST_CONSOLE
			? &recorded->consoles[node]
			: &recorded->logs[recorded->first_log[node] + service];
	struct divergence_side was = { .at_ns = now_ns }, is = { .at_ns = now_ns };
	struct divergence *first = &comparison->first;

	was.there = at < stream->size;
	is.there = size > 0;
	was.text = line_at(stream, at, stream->bytes ? stream->bytes + at : NULL,
			   stream->size - at);
	is.text = line_at(stream, at, bytes, size);
	first->node = node;
	first->service = service;
	first->byte = at;
	first->line = 1;
	for (size_t i = 0; i < at; i++)
		first->line += stream->bytes[i] == '\n';
	return diverge(comparison, DIVERGED_STREAM, was, is);
}

bool comparison_stream(struct comparison *comparison, uint64_t now_ns, uint32_t node,
		       uint32_t service, const uint8_t *bytes, size_t size)
{
	const struct recorded *recorded = comparison->recorded;
	size_t log = service == DIGEST_CONSOLE ? 0
					       : recorded->first_log[node] + service;
	const struct recorded_stream *stream = service == DIGEST_CONSOLE
						       ? &recorded->consoles[node]
						       : &recorded->logs[log];
	size_t *at = service == DIGEST_CONSOLE ? &comparison->consoles[node]
					       : &comparison->logs[log];
	size_t left = stream->size - *at, n = size < left ? size : left, same;

	if (comparison->diverged)
		return false;
	if (overdue(comparison, now_ns))
		return true;
	same = stream->bytes ? same_bytes(stream->bytes + *at, bytes, n) : 0;
	*at += same;
	if (same == size || (same == left && is_beyond(comparison, now_ns, stream->all)))
		return false;
	/* Where something is missing what follows stands at the wrong place. */
	if (stream->cut) {
		*at = stream->size;
		return false;
	}
	return stream_diverges(comparison, now_ns, node, service, *at, bytes + same,
			       size - same);
}

bool comparison_until(struct comparison *comparison, uint64_t now_ns)
{
	return !comparison->diverged && overdue(comparison, now_ns + 1);
}

static bool log_is_short(struct comparison *comparison, uint32_t node, uint32_t service)
{
	const struct recorded *recorded = comparison->recorded;
	size_t log = recorded->first_log[node] + service, at = comparison->logs[log];

	return recorded->logs[log].all && at < recorded->logs[log].size &&
	       stream_diverges(comparison, recorded->end_ns, node, service, at, NULL, 0);
}

bool comparison_end(struct comparison *comparison)
{
	const struct recorded *recorded = comparison->recorded;
	bool diverged = comparison->diverged || overdue(comparison, UINT64_MAX);

	for (uint32_t n = 0; !diverged && n < recorded->node_count; n++)
		for (uint32_t l = recorded->first_log[n];
		     !diverged && l < recorded->first_log[n + 1]; l++)
			diverged = log_is_short(comparison, n,
						l - recorded->first_log[n]);
	return diverged;
}
