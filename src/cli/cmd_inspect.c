/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/fault_text.h"
#include "cli/labref.h"
#include "cli/ui.h"

static void line(const char *name, const char *text)
{
	printf("%s%-10s%s ", ui_paint(stdout, PAINT_BOLD), name,
	       ui_paint(stdout, PAINT_OFF));
	ui_safe(stdout, text, false);
	putchar('\n');
}

static void print_head(const json_t *a)
{
	char text[64], up[32];
	json_int_t now = json_integer_value(json_object_get(a, "now_ns"));
	json_int_t ready = json_integer_value(json_object_get(a, "ready_ns"));

	line("lab", fault_word(json_object_get(a, "lab")));
	if (ready)
		snprintf(text, sizeof(text), "%s, for %s",
			 fault_word(json_object_get(a, "state")),
			 ui_duration(up, sizeof(up), (uint64_t)(now - ready)));
	else
		snprintf(text, sizeof(text), "%s",
			 fault_word(json_object_get(a, "state")));
	line("state", text);
	snprintf(text, sizeof(text), "%d",
		 (int)json_integer_value(json_object_get(a, "pid")));
	line("pid", text);
	snprintf(text, sizeof(text), "%llu%s",
		 (unsigned long long)json_integer_value(json_object_get(a, "seed")),
		 json_is_true(json_object_get(a, "seed_drawn")) ? " (drawn)" : "");
	line("seed", text);
	line("topology", fault_word(json_object_get(a, "topology")));
	line("run", fault_word(json_object_get(a, "run_dir")));
}

static const char *join(char *text, size_t bytes, const json_t *array)
{
	const json_t *one;
	size_t i, used = 0;

	snprintf(text, bytes, "-");
	json_array_foreach(array, i, one) if (used < bytes) used += (size_t)snprintf(
		text + used, bytes - used, "%s%s", i ? " " : "", fault_word(one));
	return text;
}

static void print_nodes(const json_t *nodes)
{
	struct table *table = table_new(5, "NODE", "STATE", "PID", "KERNEL", "ADDRESSES");
	const json_t *node;
	char text[512];
	size_t i;

	json_array_foreach(nodes, i, node)
	{
		const json_t *kernel = json_object_get(node, "kernel");

		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(node, "name")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(node, "state")));
		table_cell(table, PAINT_OFF, "%d",
			   (int)json_integer_value(json_object_get(node, "pid")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(kernel, "release")));
		table_cell(table, PAINT_OFF, "%s",
			   join(text, sizeof(text), json_object_get(node, "addrs")));
	}
	putchar('\n');
	table_print(table, stdout);
	table_free(table);
}

static void print_ports(const json_t *nodes)
{
	struct table *table = table_new(6, "PORT", "STATE", "MAC", "LINK", "SENT", "GOT");
	const json_t *node, *port;
	size_t i, k;

	json_array_foreach(nodes, i, node)
		json_array_foreach(json_object_get(node, "ports"), k, port)
	{
		const json_t *in = json_object_get(port, "in");
		const json_t *out = json_object_get(port, "out");

		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(port, "name")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(port, "state")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(port, "mac")));
		table_cell(table, PAINT_OFF, "%s",
			   fault_word(json_object_get(port, "link")));
		table_cell(table, PAINT_OFF, "%" JSON_INTEGER_FORMAT,
			   json_integer_value(json_object_get(in, "frames")));
		table_cell(table, PAINT_OFF, "%" JSON_INTEGER_FORMAT,
			   json_integer_value(json_object_get(out, "passed")));
	}
	putchar('\n');
	table_print(table, stdout);
	table_free(table);
}

static void print_rest(const json_t *a)
{
	const json_t *captures = json_object_get(a, "captures"), *one;
	json_int_t cuts = json_integer_value(json_object_get(a, "cut_count"));
	size_t i;

	putchar('\n');
	fault_print(a, false, true);
	if (cuts)
		printf("\npartitions cut %" JSON_INTEGER_FORMAT
		       " way%s between machines; "
		       "`netlab heal` ends them\n",
		       cuts, UI_PLURAL(cuts));
	if (json_is_true(json_object_get(json_object_get(a, "fidelity"), "suspect")))
		printf("\nthe host was too busy to keep the delays: `netlab fidelity` says how "
		       "late frames came, and what to do\n");
	json_array_foreach(captures, i, one)
	{
		printf("%scapture of ", i ? "" : "\n");
		ui_safe(stdout, fault_word(json_object_get(one, "target")), false);
		printf(": %" JSON_INTEGER_FORMAT " frames\n",
		       json_integer_value(json_object_get(one, "frames")));
	}
}

int cmd_inspect(struct command_call *call)
{
	const char *wanted = call->argc ? call->argv[0] : call->lab_wanted;
	struct state_info lab;
	json_t *answer = NULL;
	struct why why;
	int rc;

	rc = labref_find(&lab, wanted, true, &why);
	if (!rc)
		rc = labref_connect(lab.name, &call->client, &why);
	if (!rc)
		rc = client_call(call->client, "inspect", NULL, CLIENT_CALL_MS, &answer,
				 &why);
	if (rc) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	json_object_del(answer, "id");
	json_object_del(answer, "ok");
	if (call->json) {
		ui_json(answer);
	} else {
		print_head(answer);
		print_nodes(json_object_get(answer, "nodes"));
		print_ports(json_object_get(answer, "nodes"));
		print_rest(answer);
	}
	json_decref(answer);
	return STATUS_DONE;
}
