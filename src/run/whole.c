/* SPDX-License-Identifier: MIT */
#include "run/whole.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void whole_lacks(struct whole *whole, const char *fmt, ...)
{
	va_list ap;

	if (!whole_is(whole))
		return; /* the first is the one that explains the others */
	va_start(ap, fmt);
	vsnprintf(whole->why.text, sizeof(whole->why.text), fmt, ap);
	va_end(ap);
}

static void take_mark(struct whole *whole, const json_t *object)
{
	const char *why = json_string_value(json_object_get(object, "incomplete"));

	if (why)
		whole_lacks(whole, "%s", why);
}

/* Of an entry that breaks off when it happened may still be there. */
static bool stop_within(struct whole *whole, const char *line)
{
	unsigned long long n, t;
	char after = 0;

	if (sscanf(line, "{\"n\":%llu,\"t\":%llu%c", &n, &t, &after) == 3 &&
	    after == ',' && n == whole->next && t > whole->until_ns)
		whole->until_ns = t - 1;
	whole->gap = true;
	return false;
}

/* Is it an entry from its beginning to its end?  One that was cut short is followed by
 * the next on the same line. */
static bool is_entry(const char *line, bool ended, unsigned long long *n,
		     unsigned long long *t)
{
	size_t size = strlen(line);
	json_t *entry;

	if (!ended || size < 2 || line[size - 1] != '}' ||
	    sscanf(line, "{\"n\":%llu,\"t\":%llu,", n, t) != 2)
		return false;
	if (!strstr(line + 1, "{\"n\":"))
		return true;
	entry = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	json_decref(entry);
	return entry != NULL;
}

bool whole_line(struct whole *whole, const char *line, bool ended)
{
	unsigned long long n, t;
	json_t *entry;

	if (whole->gap)
		return false;
	if (!is_entry(line, ended, &n, &t)) {
		whole_lacks(whole, "journal.jsonl breaks off within entry %" PRIu64,
			    whole->next);
		return stop_within(whole, line);
	}
	if (n != whole->next) {
		whole_lacks(whole, "entry %" PRIu64 " of journal.jsonl is missing",
			    whole->next);
		whole->gap = true;
		return false;
	}
	whole->next = n + 1;
	whole->until_ns = t;
	if (strstr(line, "\"incomplete\":")) {
		entry = json_loads(line, 0, NULL);
		take_mark(whole, entry);
		json_decref(entry);
	}
	return true;
}

void whole_digest(struct whole *whole, const json_t *digest)
{
	take_mark(whole, digest);
}
