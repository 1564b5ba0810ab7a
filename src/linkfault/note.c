/* SPDX-License-Identifier: MIT */
#include "linkfault/note.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "linkfault/rule_name.h"

/* What a kind's numbers are. */
enum shape { PLAIN, VALUE, TIME, PAIR, AVERAGE };

static const struct words {
	enum shape shape;
	const char *format;
} words[NOTE_KINDS] = {
#define NOTE(kind, shape, format) [NOTE_##kind] = { shape, format },
	FAULT_NOTES(NOTE)
#undef NOTE
};

/* "37.2ms": people read it, so three digits of a unit that fits and no rest. */
static const char *human_ns(char text[UNITS_TEXT_BYTES_MAX], uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = { { UINT64_C(1000000000), "s" }, { 1000000, "ms" }, { 1000, "us" } };

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		uint64_t whole = ns / units[i].ns, part = ns % units[i].ns;
		char digits[8];
		size_t n;

		if (!whole)
			continue;
		n = (size_t)snprintf(digits, sizeof(digits), "%03u",
				     (unsigned)(part / (units[i].ns / 1000)));
		while (n && digits[n - 1] == '0')
			digits[--n] = '\0';
		snprintf(text, UNITS_TEXT_BYTES_MAX, "%" PRIu64 "%s%s%s", whole,
			 n ? "." : "", digits, units[i].name);
		return text;
	}
	snprintf(text, UNITS_TEXT_BYTES_MAX, "%" PRIu64 "ns", ns);
	return text;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the table above */
static void fill(char *text, size_t bytes, const struct words *w,
		 const struct fault_note *note)
{
	char quantity[UNITS_TEXT_BYTES_MAX];
	uint64_t value = fault_note_value(note);

	switch (w->shape) {
	case PLAIN:
		snprintf(text, bytes, "%s", w->format);
		break;
	case VALUE:
		snprintf(text, bytes, w->format, value);
		break;
	case TIME:
		snprintf(text, bytes, w->format, human_ns(quantity, value));
		break;
	case PAIR:
		snprintf(text, bytes, w->format, note->a, note->b);
		break;
	case AVERAGE:
		snprintf(text, bytes, w->format, note->a,
			 units_format_ppm(quantity, note->b));
		break;
	}
}
#pragma GCC diagnostic pop

const char *fault_note_format(char text[FAULT_NOTE_BYTES_MAX],
			      const struct fault_note *note)
{
	size_t used = 0;

	if (note->rule)
		used = (size_t)snprintf(text, FAULT_NOTE_BYTES_MAX,
					"rule %s: ", rule_name_text(note->rule));
	if (note->kind < NOTE_KINDS && words[note->kind].format)
		fill(text + used, FAULT_NOTE_BYTES_MAX - used, &words[note->kind], note);
	else
		snprintf(text + used, FAULT_NOTE_BYTES_MAX - used, "note %u", note->kind);
	return text;
}

/* Is it of the way behind the line? */
static bool is_behind_line(const struct fault_note *note)
{
	return note->kind == NOTE_DELAYED || note->kind == NOTE_REORDERED;
}

static bool is_loss_in_line(enum fault_note_kind kind)
{
	return kind == NOTE_LOST_LIMIT || kind == NOTE_LOST_LIMIT_BYTES ||
	       kind == NOTE_LOST_OVERFLOW || kind == NOTE_LOST_RED ||
	       kind == NOTE_LOST_CODEL;
}

void fault_note_add_line(struct fault_trail *trail, enum fault_note_kind kind,
			 uint16_t rule, uint32_t a, uint32_t b)
{
	unsigned at = trail->notes, last;
	struct fault_note note;

	while (at && is_behind_line(&trail->note[at - 1]) &&
	       trail->note[at - 1].step + 1 == trail->steps)
		at--;
	if (is_loss_in_line(kind))
		trail->notes = (uint8_t)at;
	last = trail->notes;
	fault_note_add(trail, kind, rule, a, b);
	if (trail->notes == last)
		return; /* no room: forgot says so */
	note = trail->note[last];
	memmove(&trail->note[at + 1], &trail->note[at], (last - at) * sizeof(note));
	trail->note[at] = note;
}

void fault_note_take_back(struct fault_trail *trail, enum fault_note_kind kind)
{
	unsigned kept = 0;

	for (unsigned n = 0; n < trail->notes; n++)
		if (trail->note[n].kind != kind ||
		    trail->note[n].step + 1 != trail->steps)
			trail->note[kept++] = trail->note[n];
	trail->notes = (uint8_t)kept;
}

static void append(char *text, size_t *used, const char *more)
{
	size_t bytes = strlen(more);

	if (*used + bytes >= FAULT_TRAIL_BYTES_MAX)
		bytes = FAULT_TRAIL_BYTES_MAX - 1 - *used;
	memcpy(text + *used, more, bytes);
	*used += bytes;
	text[*used] = '\0';
}

const char *fault_trail_format(char text[FAULT_TRAIL_BYTES_MAX],
			       const struct fault_trail *trail)
{
	char one[32];
	size_t used = 0;

	*text = '\0';
	for (unsigned s = 0; s < trail->steps; s++) {
		const char *between = ": ";

		append(text, &used, s ? " | " : "");
		append(text, &used, trail->step[s].direction);
		snprintf(one, sizeof(one), " #%" PRIu64, trail->step[s].frame_no);
		append(text, &used, one);
		for (unsigned n = 0; n < trail->notes; n++) {
			const struct fault_note *note = &trail->note[n];
			char what[FAULT_NOTE_BYTES_MAX];

			if (note->step != s)
				continue;
			fault_note_format(what, note);
			append(text, &used, between);
			append(text, &used, what);
			between = "; ";
		}
	}
	if (trail->forgot)
		append(text, &used, "; and more");
	return text;
}
