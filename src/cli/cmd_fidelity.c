/* SPDX-License-Identifier: MIT */
/* Was what happened what was asked for?  By the switch's own counters, and by a probe. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/fault_text.h"
#include "cli/reach_probe.h"
#include "cli/ui.h"
#include "clock/clock.h"
#include "fabric/fidelity.h"

static const struct probe_plan PLAN = {
	.datagrams = 300,
	.bytes = 64,
	.interval_ns = 10 * NS_PER_MS,
	.wait_ns = NS_PER_S,
};

static bool is_off(const json_t *part)
{
	return json_is_false(json_object_get(part, "ok"));
}

static void cell(struct table *table, const json_t *part, const char *text)
{
	table_cell(table, is_off(part) ? PAINT_RED : PAINT_OFF, "%s%s", text,
		   is_off(part) ? " !" : "");
}

static void share_cell(struct table *table, const json_t *share)
{
	const json_t *asked = json_object_get(share, "asked");
	char text[96] = "-", want[32] = "?";

	if (json_is_real(asked))
		snprintf(want, sizeof(want), "%g", json_real_value(asked));
	if (json_is_object(share))
		snprintf(text, sizeof(text), "%s: %.3f [%.3f, %.3f]", want,
			 json_real_value(json_object_get(share, "percent")),
			 json_real_value(json_object_get(share, "low")),
			 json_real_value(json_object_get(share, "high")));
	cell(table, share, text);
}

static const char *ms(char text[32], double ns)
{
	snprintf(text, 32, "%.3f", ns / 1e6);
	return text;
}

static void delay_cells(struct table *table, const json_t *delay)
{
	const json_t *asked = json_object_get(delay, "asked_ns");
	char text[96] = "-", late[96] = "-", a[32] = "?", b[32], c[32];

	if (json_is_integer(asked))
		ms(a, (double)json_integer_value(asked));
	if (json_is_object(delay)) {
		snprintf(text, sizeof(text), "%s: %s", a,
			 ms(b, json_real_value(json_object_get(delay, "mean_ns"))));
		snprintf(late, sizeof(late), "%s %s",
			 ms(b, (double)json_integer_value(
				       json_object_get(delay, "late_p50_ns"))),
			 ms(c, (double)json_integer_value(
				       json_object_get(delay, "late_p99_ns"))));
	}
	cell(table, delay, text);
	table_cell(table, PAINT_OFF, "%s", late);
}

static void rate_cell(struct table *table, const json_t *rate)
{
	char text[96] = "-";

	if (json_is_object(rate))
		snprintf(text, sizeof(text), "%.3f: %.3f",
			 (double)json_integer_value(json_object_get(rate, "asked_bps")) /
				 1e6,
			 json_real_value(json_object_get(rate, "bps")) / 1e6);
	cell(table, rate, text);
}

static void print_directions(const json_t *directions)
{
	struct table *table = table_new(7, "DIRECTION", "LOSS %", "COPIES %", "DAMAGE %",
					"DELAY ms", "LATE ms p50 p99", "RATE Mbit");
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)directions, i, one)
	{
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(one, "name")));
		share_cell(table, json_object_get(one, "loss"));
		share_cell(table, json_object_get(one, "copies"));
		share_cell(table, json_object_get(one, "damage"));
		delay_cells(table, json_object_get(one, "delay"));
		rate_cell(table, json_object_get(one, "rate"));
	}
	table_print(table, stdout);
	table_free(table);
	printf("each cell: configured: measured; ! = the configured value is outside the "
	       "measurement's 99.9 %% confidence interval\n");
	json_array_foreach((json_t *)directions, i, one)
	{
		json_int_t pool = json_integer_value(json_object_get(one, "pool"));

		if (pool)
			ui_warning("%s: %" JSON_INTEGER_FORMAT
				   " frames more were lost for want of memory, which "
				   "nobody asked for: a shorter delay, or a lower rate",
				   fault_word(json_object_get(one, "name")), pool);
	}
}

/* "the run: 1,234 frames waited, late by p50 0.041 ms, p99 0.3 ms" */
static void print_run(const json_t *run)
{
	char a[32], b[32], c[32];

	printf("run: %" JSON_INTEGER_FORMAT
	       " frames waited; late by %s ms p50, %s ms p99, "
	       "%s ms at most\n",
	       json_integer_value(json_object_get(run, "frames")),
	       ms(a, (double)json_integer_value(json_object_get(run, "p50_ns"))),
	       ms(b, (double)json_integer_value(json_object_get(run, "p99_ns"))),
	       ms(c, (double)json_integer_value(json_object_get(run, "most_ns"))));
	if (json_is_true(json_object_get(run, "suspect")))
		ui_warning("this run is suspect: " FIDELITY_SUSPECT);
}

/* "lab: at most 1.204 ms at one thing, in which it served nothing else" */
static void print_loop(const json_t *loop)
{
	char text[32];

	if (loop)
		printf("lab: at most %s ms at one thing, in which it served nothing else\n",
		       ms(text, (double)json_integer_value(
					json_object_get(loop, "longest_ns"))));
}

/* "clocks: 4 machines are within 0.021 ms of where they should be" */
static void print_clocks(const json_t *clocks)
{
	const json_t *one;
	double far_ns = 0;
	char text[32];
	size_t i, right = 0;

	json_array_foreach((json_t *)clocks, i, one)
	{
		double off_ns = (double)json_integer_value(json_object_get(one, "off_ns"));
		double error_ns =
			(double)json_integer_value(json_object_get(one, "error_ns"));

		if (!json_is_true(json_object_get(one, "ok")))
			continue;
		right++;
		if (fabs(off_ns) + error_ns > far_ns)
			far_ns = fabs(off_ns) + error_ns;
	}
	if (right)
		printf("clocks: of %zu machine%s within %s ms of where they should be\n", right,
		       UI_PLURAL(right), ms(text, far_ns));
	json_array_foreach((json_t *)clocks, i, one)
	{
		if (json_is_true(json_object_get(one, "ok")))
			continue;
		printf("clock of %s: %s ms off", fault_word(json_object_get(one, "node")),
		       ms(text, (double)json_integer_value(json_object_get(one, "off_ns"))));
		printf(" (to within %s ms) !\n",
		       ms(text,
			  (double)json_integer_value(json_object_get(one, "error_ns"))));
	}
}

/* ---- probe ------------------------------------------------------------- */

/* What the plan's directions between two neighbours add up to is not for us to guess: a
 * probe says what is there, beside what is set. */
static json_t *way_json(const struct probe *probe, size_t from, size_t to)
{
	const struct reach_probe_way *way = reach_probe_way(probe, from, to);
	double low, high;

	if (!way->sent)
		return NULL;
	fidelity_wilson(way->sent - way->heard, way->sent, &low, &high);
	return json_pack(
		"{s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:I, s:I, s:I, s:I}", "from",
		probe->machines[from].name, "to", probe->machines[to].name, "sent",
		(int)way->sent, "heard", (int)way->heard, "answered", (int)way->answered,
		"lost_percent", (double)(way->sent - way->heard) / way->sent * 100, "low",
		low / 1e4, "high", high / 1e4, "rtt_min_ns", (json_int_t)way->min_ns,
		"rtt_p50_ns", (json_int_t)way->p50_ns, "rtt_p99_ns",
		(json_int_t)way->p99_ns, "rtt_max_ns", (json_int_t)way->max_ns);
}

static int probe_all(struct command_call *call, json_t **out, struct why *why)
{
	struct probe probe;
	int rc = reach_probe_lab(&probe, call->client, &PLAN, why);

	if (!rc)
		*out = json_array();
	for (size_t a = 0; !rc && a < probe.count; a++)
		for (size_t b = 0; b < probe.count; b++) {
			json_t *way = way_json(&probe, a, b);

			if (way)
				json_array_append_new(*out, way);
		}
	reach_probe_free(&probe);
	return rc;
}

static void print_probe(const json_t *ways)
{
	struct table *table =
		table_new(5, "FROM", "TO", "LOST %", "RTT ms min p50 p99", "ANSWERED");
	const json_t *one;
	char a[32], b[32], c[32];
	size_t i;

	json_array_foreach((json_t *)ways, i, one)
	{
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(one, "from")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(one, "to")));
		table_cell(table, PAINT_OFF, "%.3f [%.3f, %.3f]",
			   json_real_value(json_object_get(one, "lost_percent")),
			   json_real_value(json_object_get(one, "low")),
			   json_real_value(json_object_get(one, "high")));
		table_cell(table, PAINT_OFF, "%s %s %s",
			   ms(a, (double)json_integer_value(
					 json_object_get(one, "rtt_min_ns"))),
			   ms(b, (double)json_integer_value(
					 json_object_get(one, "rtt_p50_ns"))),
			   ms(c, (double)json_integer_value(
					 json_object_get(one, "rtt_p99_ns"))));
		table_cell(table, PAINT_OFF, "%d of %d",
			   (int)json_integer_value(json_object_get(one, "answered")),
			   (int)json_integer_value(json_object_get(one, "sent")));
	}
	printf("\n");
	table_print(table, stdout);
	table_free(table);
}

/* ---- the whole --------------------------------------------------------- */

/* Of every target given, or of all directions. */
static int ask(struct command_call *call, json_t **out, struct why *why)
{
	json_t *all = json_array(), *answer = NULL;
	int rc = 0, count = call->argc ? call->argc : 1;

	for (int i = 0; !rc && i < count; i++) {
		json_t *fields = json_object();

		if (call->argc)
			json_object_set_new(fields, "target", json_string(call->argv[i]));
		json_decref(answer);
		answer = NULL;
		rc = client_call(call->client, "fidelity", fields, CLIENT_CALL_MS,
				 &answer, why);
		if (!rc)
			json_array_extend(all, json_object_get(answer, "directions"));
	}
	if (!rc)
		*out = json_pack("{s:O, s:O, s:O*, s:O*}", "directions", all, "run",
				 json_object_get(answer, "run"), "clocks",
				 json_object_get(answer, "clocks"), "loop",
				 json_object_get(answer, "loop"));
	json_decref(all);
	json_decref(answer);
	return rc;
}

static size_t count_off(const json_t *directions)
{
	static const char *const parts[] = { "loss", "delay", "rate" };
	const json_t *one;
	size_t i, off = 0;

	json_array_foreach((json_t *)directions, i, one)
	{
		for (size_t p = 0; p < 3; p++)
			off += is_off(json_object_get(one, parts[p]));
		off += json_integer_value(json_object_get(one, "pool")) > 0;
	}
	return off;
}

int cmd_fidelity(struct command_call *call)
{
	json_t *probe = NULL, *report = NULL;
	struct why why;
	int rc = 0, status;

	/* First the probe: its frames are measured, too. */
	if (call_option(call, "probe"))
		rc = probe_all(call, &probe, &why);
	if (!rc)
		rc = ask(call, &report, &why);
	if (rc) {
		ui_error("%s", why.text);
		json_decref(probe);
		return STATUS_FAILED;
	}
	if (probe)
		json_object_set(report, "probe", probe);
	status = count_off(json_object_get(report, "directions")) ||
				 json_is_true(json_object_get(
					 json_object_get(report, "run"), "suspect"))
			 ? STATUS_FAILED
			 : STATUS_DONE;
	if (call->json) {
		ui_json(report);
	} else {
		print_directions(json_object_get(report, "directions"));
		print_run(json_object_get(report, "run"));
		print_clocks(json_object_get(report, "clocks"));
		print_loop(json_object_get(report, "loop"));
		if (probe)
			print_probe(probe);
	}
	json_decref(probe);
	json_decref(report);
	return status;
}
