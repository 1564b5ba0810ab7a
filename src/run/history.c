/* SPDX-License-Identifier: MIT */
#include "run/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "clock/clock.h"

uint64_t history_wall_ns(const char *rfc3339)
{
	struct tm tm = { 0 };
	unsigned ns;

	if (!rfc3339 ||
	    sscanf(rfc3339, "%d-%d-%dT%d:%d:%d.%9uZ", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ns) != 7)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (uint64_t)timegm(&tm) * NS_PER_S + ns;
}

static int read_plan(struct history *history, struct why *why)
{
	char path[sizeof(history->path) + 16];
	const json_t *seed;
	json_error_t error;

	snprintf(path, sizeof(path), "%s/plan.json", history->path);
	history->plan = json_load_file(path, 0, &error);
	if (!history->plan)
		return why_set(why, -EINVAL, "%s: %s: is this a run directory?", path,
			       error.text);
	seed = json_object_get(history->plan, "seed");
	if (!json_is_integer(seed))
		return why_set(why, -EINVAL, "%s: it has no seed", path);
	history->seed = (uint64_t)json_integer_value(seed);
	return 0;
}

static bool kind_of(const char *event, enum change_kind *kind)
{
	static const struct {
		const char *event;
		enum change_kind kind;
	} kinds[] = { { "fault", CHANGE_FAULT },
		      { "partition", CHANGE_CUT },
		      { "heal", CHANGE_HEAL },
		      { "port", CHANGE_PORT } };

	for (size_t i = 0; event && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(event, kinds[i].event)) {
			*kind = kinds[i].kind;
			return true;
		}
	return false;
}

static int add_entry(struct history *history, json_t *entry, struct why *why)
{
	const json_t *t = json_object_get(entry, "t"), *at = json_object_get(entry, "at");
	uint64_t wall =
		history_wall_ns(json_string_value(json_object_get(entry, "wall")));
	enum change_kind kind;
	struct change *grown;

	if (!history->wall_at_zero_ns && wall)
		history->wall_at_zero_ns = wall - (uint64_t)json_integer_value(t);
	if (!strcmp(json_string_value(json_object_get(entry, "event")) ?: "",
		    "lab-start"))
		history->floor_ns =
			(uint64_t)json_integer_value(json_object_get(entry, "floor_ns"));
	if (!strcmp(json_string_value(json_object_get(entry, "event")) ?: "", "lab") &&
	    !strcmp(json_string_value(json_object_get(entry, "to")) ?: "", "gone"))
		history->over = true;
	if (!kind_of(json_string_value(json_object_get(entry, "event")), &kind))
		return 0;
	grown = reallocarray(history->changes, history->change_count + 1, sizeof(*grown));
	if (!grown || json_array_append(history->entries, entry))
		return why_set(why, -ENOMEM, "journal: out of memory");
	history->changes = grown;
	grown[history->change_count++] = (struct change){
		.kind = kind,
		.at_ns = (uint64_t)json_integer_value(json_is_integer(at) ? at : t),
		.entry = entry, /* the array keeps it */
	};
	return 0;
}

static int read_journal(struct history *history, struct why *why)
{
	char path[sizeof(history->path) + 16];
	cleanup_file FILE *file = NULL;
	cleanup_free char *line = NULL;
	size_t room = 0;
	int err = 0;

	snprintf(path, sizeof(path), "%s/journal.jsonl", history->path);
	file = fopen(path, "re");
	if (!file)
		return why_errno(why, -errno, "%s", path);
	while (!err && getline(&line, &room, file) > 0) {
		size_t size = strcspn(line, "\n");
		bool ended = line[size] == '\n';
		json_t *entry;

		line[size] = 0;
		if (!whole_line(&history->whole, line, ended))
			break;
		entry = json_loads(line, 0, NULL);
		if (entry)
			err = add_entry(history, entry, why);
		json_decref(entry);
	}
	if (!err && !history->wall_at_zero_ns)
		err = why_set(why, -EINVAL, "%s: there is no entry in it", path);
	return err;
}

int history_read(struct history *out, const char *run_dir, struct why *why)
{
	struct history history = { .entries = json_array() };
	int err;

	snprintf(history.path, sizeof(history.path), "%s", run_dir);
	err = read_plan(&history, why);
	if (!err)
		err = read_journal(&history, why);
	if (err) {
		history_free(&history);
		return err;
	}
	*out = history;
	return 0;
}

void history_free(struct history *history)
{
	json_decref(history->plan);
	json_decref(history->entries);
	free(history->changes);
	*history = (struct history){ 0 };
}
