/* SPDX-License-Identifier: MIT */
#include "cli/rerun_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "clock/clock.h"
#include "cli/ui.h"

const char *rerun_time(char text[RERUN_TIME_BYTES], uint64_t ns)
{
	int size = snprintf(text, RERUN_TIME_BYTES, "%" PRIu64 ".%09" PRIu64, ns / NS_PER_S,
			    ns % NS_PER_S);

	while (text[size - 1] == '0')
		size--;
	if (text[size - 1] == '.')
		size--;
	text[size++] = 's';
	text[size] = 0;
	return text;
}

static const char *text_at(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static uint64_t number_at(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

static void print_frame(FILE *out, const json_t *frame)
{
	char at[RERUN_TIME_BYTES];

	fprintf(out,
		"%s  %s:%s (%s) %s frame %" PRIu64 ": %" PRIu64 " bytes, hash %s\n",
		rerun_time(at, number_at(frame, "at_ns")), text_at(frame, "node"),
		text_at(frame, "interface"), text_at(frame, "link"),
		text_at(frame, "way"), number_at(frame, "frame"),
		number_at(frame, "bytes"), text_at(frame, "hash"));
}

static void print_entry(FILE *out, const json_t *entry)
{
	json_t *fields = json_copy((json_t *)entry);
	cleanup_free char *text = NULL;
	char at[RERUN_TIME_BYTES];

	fprintf(out, "%s  ", rerun_time(at, number_at(entry, "t")));
	json_object_del(fields, "t");
	json_object_del(fields, "wall");
	text = json_dumps(fields, JSON_COMPACT);
	json_decref(fields);
	ui_safe(out, text ? text : "", false);
	fputc('\n', out);
}

static void print_side(FILE *out, const char *when, const json_t *divergence,
		       const char *key)
{
	const char *kind = text_at(divergence, "kind");
	const json_t *side = json_object_get(divergence, key);

	fprintf(out, "  %-5s ", when);
	if (!side || json_is_null(side)) {
		fprintf(out, "nothing\n");
	} else if (!strcmp(kind, "frame")) {
		print_frame(out, side);
	} else if (!strcmp(kind, "journal")) {
		print_entry(out, side);
	} else {
		ui_safe(out, json_string_value(side), false);
		fputc('\n', out);
	}
}

/* Whose it is: of both sides the one that came first. */
static const json_t *earlier(const json_t *divergence)
{
	const json_t *was = json_object_get(divergence, "was"),
		     *is = json_object_get(divergence, "is");

	if (!json_is_object(was))
		return is;
	if (!json_is_object(is))
		return was;
	return number_at(is, "at_ns") < number_at(was, "at_ns") ? is : was;
}

static void print_where(FILE *out, const json_t *divergence)
{
	const char *kind = text_at(divergence, "kind");

	if (!strcmp(kind, "frame"))
		fprintf(out, "a frame of %s", text_at(earlier(divergence), "node"));
	else if (!strcmp(kind, "journal"))
		fprintf(out, "an entry of the journal");
	else if (!strcmp(kind, "console"))
		fprintf(out, "line %" PRIu64 " of the console of %s",
			number_at(divergence, "line"), text_at(divergence, "node"));
	else
		fprintf(out, "line %" PRIu64 " of the log of %s on %s",
			number_at(divergence, "line"), text_at(divergence, "service"),
			text_at(divergence, "node"));
}

void rerun_text_print(FILE *out, const json_t *divergence)
{
	char at[RERUN_TIME_BYTES];

	fprintf(out, "the first difference is at %s: ",
		rerun_time(at, number_at(divergence, "at_ns")));
	print_where(out, divergence);
	fputc('\n', out);
	print_side(out, "then", divergence, "was");
	print_side(out, "now", divergence, "is");
}
