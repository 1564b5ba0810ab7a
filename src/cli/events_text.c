/* SPDX-License-Identifier: MIT */
#include "cli/events_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/fault_text.h"

struct out {
	char *text;
	size_t bytes, used;
};

static void add(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->used >= o->bytes)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->text + o->used, o->bytes - o->used, fmt, ap);
	va_end(ap);
	o->used += n > 0 ? (size_t)n : 0;
}

/* Already said, or of no use to a reader. */
static bool is_spoken_for(const char *key)
{
	static const char *const keys[] = { "n",    "t",  "wall", "event",
					    "from", "to", "node" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

/* "flaky restarting, exit status 7, again in 200 ms" */
static void add_service(struct out *o, const json_t *service)
{
	const json_t *exit = json_object_get(service, "exit");
	const json_t *signal = json_object_get(service, "signal");
	const json_t *again = json_object_get(service, "again_ms");
	const json_t *error = json_object_get(service, "error");

	add(o, " %s %s", fault_word(json_object_get(service, "name")),
	    fault_word(json_object_get(service, "state")));
	if (json_is_integer(exit))
		add(o, ", exit status %" JSON_INTEGER_FORMAT, json_integer_value(exit));
	if (json_is_integer(signal))
		add(o, ", signal %" JSON_INTEGER_FORMAT, json_integer_value(signal));
	if (json_is_integer(again))
		add(o, ", again in %" JSON_INTEGER_FORMAT " ms", json_integer_value(again));
	if (json_is_string(error))
		add(o, ": %s", json_string_value(error));
}

static void add_value(struct out *o, const char *key, const json_t *value)
{
	cleanup_free char *dump = NULL;
	char fault[FAULT_TEXT_BYTES];

	if (json_is_string(value) && !strcmp(key, "why"))
		add(o, ": %s", json_string_value(value));
	else if (json_is_string(value))
		add(o, " %s=%s", key, json_string_value(value));
	else if (json_is_object(value) && !strcmp(key, "service"))
		add_service(o, value);
	else if (json_is_object(value) && !strcmp(key, "fault"))
		add(o, " %s", fault_text_whole(fault, sizeof(fault), value));
	else if ((dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)))
		add(o, " %s=%s", key, dump);
}

const char *events_text(char *text, size_t bytes, const json_t *entry)
{
	struct out o = { text, bytes, 0 };
	const json_t *from = json_object_get(entry, "from"),
		     *to = json_object_get(entry, "to");
	json_int_t ns = json_integer_value(json_object_get(entry, "t"));
	const char *key;
	json_t *value;

	text[0] = 0;
	add(&o, "%5lld.%06lld  ", (long long)(ns / 1000000000),
	    (long long)(ns / 1000 % 1000000));
	if (json_is_string(json_object_get(entry, "node")))
		add(&o, "%s: ", fault_word(json_object_get(entry, "node")));
	add(&o, "%s", fault_word(json_object_get(entry, "event")));
	if (json_is_string(from) && json_is_string(to))
		add(&o, " %s -> %s", json_string_value(from), json_string_value(to));
	json_object_foreach((json_t *)entry, key, value) if (!is_spoken_for(key))
		add_value(&o, key, value);
	return text;
}
