/* SPDX-License-Identifier: MIT */
/* Who can reach whom: as things are set, and as the machines find them. */
#include <string.h>

#include "clock/clock.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/fault_text.h"
#include "cli/reach_probe.h"
#include "cli/ui.h"

enum { NAME_COLUMNS_MIN = 4 };

static const struct probe_plan PLAN = {
	.datagrams = 3,
	.bytes = 64,
	.interval_ns = 200 * NS_PER_MS,
	.wait_ns = NS_PER_S,
	.per_way_ns = 50 * NS_PER_US,
};

static void widen(size_t *widest, const json_t *words)
{
	const json_t *word;
	size_t i;

	json_array_foreach((json_t *)words, i, word) if (json_string_length(word) > *widest)
		*widest = json_string_length(word);
}

static int width(const json_t *names, const json_t *reach)
{
	size_t i, widest = NAME_COLUMNS_MIN;
	const json_t *row;

	widen(&widest, names);
	json_array_foreach((json_t *)reach, i, row) widen(&widest, row);
	return (int)widest;
}

static void print_cell(const char *word, int columns, bool last)
{
	enum paint paint = !strcmp(word, "yes")	   ? PAINT_GREEN
			   : !strcmp(word, "-")	   ? PAINT_DIM
			   : !strcmp(word, "flap") ? PAINT_YELLOW
						   : PAINT_RED;

	printf("%s%-*s%s", ui_paint(stdout, paint), last ? 0 : columns + 2, word,
	       ui_paint(stdout, PAINT_OFF));
}

static void print_matrix(const json_t *nodes, const json_t *reach)
{
	const json_t *row;
	size_t count = json_array_size(nodes), i, k, reached = 0;
	int columns = width(nodes, reach);

	printf("%*s", columns + 2, "");
	for (i = 0; i < count; i++)
		printf("%-*s", i + 1 == count ? 0 : columns + 2,
		       fault_word(json_array_get(nodes, i)));
	putchar('\n');
	json_array_foreach((json_t *)reach, i, row)
	{
		printf("%-*s", columns + 2, fault_word(json_array_get(nodes, i)));
		for (k = 0; k < count; k++) {
			const char *word =
				i == k ? "-" : fault_word(json_array_get(row, k));

			reached +=
				i != k && (!strcmp(word, "yes") || !strcmp(word, "part"));
			print_cell(word, columns, k + 1 == count);
		}
		putchar('\n');
	}
	if (count > 1)
		printf("%zu of %zu ways are open\n", reached, count * (count - 1));
}

/* ---- as measured ------------------------------------------------------- */

static const char *way_word(const struct probe *probe, size_t from, size_t to)
{
	const struct reach_probe_way *way = reach_probe_way(probe, from, to);

	if (from == to)
		return "yes";
	if (*probe->machines[from].failed.text || *probe->machines[to].failed.text)
		return "off";
	if (!way->heard)
		return way->unsent && !way->sent ? "unsent" : "lost";
	return way->heard < way->sent ? "part" : "yes";
}

static json_t *measured_json(const struct probe *probe)
{
	json_t *all = json_array();
	size_t from, to;

	for (from = 0; from < probe->count; from++) {
		json_t *row = json_array();

		for (to = 0; to < probe->count; to++)
			json_array_append_new(row,
					      json_string(way_word(probe, from, to)));
		json_array_append_new(all, row);
	}
	return all;
}

static void warn_of(const struct probe *probe, size_t from, size_t to, const char *can)
{
	const struct reach_probe_way *way = reach_probe_way(probe, from, to);
	const char *does = way_word(probe, from, to);
	const char *a = probe->machines[from].name, *b = probe->machines[to].name;

	if (!strcmp(does, "unsent"))
		ui_warning("%s -> %s: %s by what is set, but %s cannot send there: %s", a, b,
			   can, a, strerror(way->unsent_for));
	else
		ui_warning("%s -> %s: %s by what is set, but %s", a, b, can,
			   way->heard ? "it was heard" : does);
}

/* Where what was heard is not what the wiring permits; returns how often. */
static size_t differences(const json_t *answer, const struct probe *probe, bool quiet)
{
	const json_t *set = json_object_get(answer, "reach");
	size_t from, to, count = 0;

	for (from = 0; from < probe->count; from++)
		for (to = 0; to < probe->count; to++) {
			const char *can =
				fault_word(json_array_get(json_array_get(set, from), to));
			const char *does = way_word(probe, from, to);
			bool heard = !strcmp(does, "yes") || !strcmp(does, "part");

			/* At times it passes: then either is right. */
			if (heard == !strcmp(can, "yes") || !strcmp(can, "flap"))
				continue;
			count++;
			if (!quiet)
				warn_of(probe, from, to, can);
		}
	return count;
}

/* Adds "measured" to the answer; *differs: how many ways are not as they are set. */
static int measure(const struct command_call *call, json_t *answer, size_t *differs,
		   struct why *why)
{
	struct probe probe;
	int rc = reach_probe_lab(&probe, call->client, &PLAN, why);

	if (!rc) {
		json_object_set_new(answer, "measured", measured_json(&probe));
		*differs = differences(answer, &probe, call->json);
	}
	reach_probe_free(&probe);
	return rc;
}

int cmd_matrix(struct command_call *call)
{
	bool probe = call_option(call, "probe") != NULL;
	json_t *answer = NULL;
	size_t differs = 0;
	struct why why;
	int rc = client_call(call->client, "matrix", NULL, CLIENT_CALL_MS, &answer, &why);

	if (!rc && probe)
		rc = measure(call, answer, &differs, &why);
	if (rc) {
		ui_error("%s", why.text);
		json_decref(answer);
		return STATUS_FAILED;
	}
	json_object_del(answer, "id");
	json_object_del(answer, "ok");
	if (call->json)
		ui_json(answer);
	else
		print_matrix(json_object_get(answer, "nodes"),
			     json_object_get(answer, probe ? "measured" : "reach"));
	json_decref(answer);
	return differs ? STATUS_FAILED : STATUS_DONE;
}
