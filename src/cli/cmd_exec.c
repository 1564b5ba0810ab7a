/* SPDX-License-Identifier: MIT */
/* One machine: its streams are ours, its exit status is ours.  Several, or --json:
 * all at once, collected line by line. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/node_set.h"
#include "cli/remote.h"
#include "cli/streams.h"
#include "cli/ui.h"

enum { KEEP_BYTES_MAX = 16 << 20 }; /* of each stream, for --json */

struct kept {
	char *bytes;
	size_t have, room;
	bool cut;
};

struct one {
	struct remote remote;
	const char *name;
	char *prefix;
	struct lines lines[2];
	struct kept kept[2];
};

/* -e K=V, -e K (as here), -w DIR and the words. */
static int what_to_run(const struct command_call *call, json_t **out, struct why *why)
{
	json_t *what = json_object(), *argv = json_array(), *env = json_object();
	const char *pair, *value, *folder = call_option(call, "workdir");
	size_t cursor = 0;
	int i;

	json_object_set_new(what, "argv", argv);
	json_object_set_new(what, "env", env);
	if (folder)
		json_object_set_new(what, "cwd", json_string(folder));
	for (i = call->raw; i < call->argc; i++)
		if (json_array_append_new(argv, json_string(call->argv[i])))
			goto not_text;
	while ((pair = call_option_next(call, "env", &cursor))) {
		cleanup_free char *key = ui_need(strndup(pair, strcspn(pair, "=")));

		value = strchr(pair, '=') ? strchr(pair, '=') + 1 : getenv(pair);
		if (value && *key && json_object_set_new(env, key, json_string(value)))
			goto not_text;
		if (!*key) {
			json_decref(what);
			return why_set(why, -EINVAL, "-e %s: write -e NAME=VALUE", pair);
		}
	}
	*out = what;
	return 0;

not_text:
	json_decref(what);
	return why_set(why, -EINVAL, "the command is not UTF-8 text");
}

static void keep(struct kept *k, const uint8_t *bytes, size_t size)
{
	if (size > KEEP_BYTES_MAX - k->have) {
		size = KEEP_BYTES_MAX - k->have;
		k->cut = true;
	}
	if (k->have + size > k->room) {
		k->room = (k->have + size) * 2;
		k->bytes = ui_need(realloc(k->bytes, k->room));
	}
	memcpy(k->bytes + k->have, bytes, size);
	k->have += size;
}

static void keep_output(void *ctx, enum remote_stream stream, const uint8_t *bytes,
			size_t size)
{
	struct one *one = ctx;

	keep(&one->kept[stream == REMOTE_STDERR], bytes, size);
}

static void print_output(void *ctx, enum remote_stream stream, const uint8_t *bytes,
			 size_t size)
{
	struct one *one = ctx;

	lines_put(&one->lines[stream == REMOTE_STDERR], bytes, size);
}

/* Text as text; what is no UTF-8 as base64 under another name. */
static void put_stream(json_t *to, const char *name, const struct kept *k)
{
	cleanup_free char *text = NULL;
	json_t *string = json_stringn(k->have ? k->bytes : "", k->have);
	char key[32];

	if (!string) {
		text = ui_need(malloc(BASE64_ROOM(k->have)));
		base64_encode(text, (const uint8_t *)k->bytes, k->have);
		string = json_string(text);
		snprintf(key, sizeof(key), "%s_base64", name);
		name = key;
	}
	json_object_set_new(to, name, string);
	if (k->cut)
		json_object_set_new(to, "truncated", json_true());
}

static json_t *as_json(const struct one *one)
{
	json_t *o = json_object();

	json_object_set_new(o, "node", json_string(one->name));
	if (one->remote.exit == REMOTE_FAILED)
		json_object_set_new(o, "exit", json_null());
	else
		json_object_set_new(o, "exit", json_integer(one->remote.exit));
	if (one->remote.signal)
		json_object_set_new(o, "signal", json_integer(one->remote.signal));
	if (one->remote.error.text[0])
		json_object_set_new(o, "error", json_string(one->remote.error.text));
	put_stream(o, "stdout", &one->kept[0]);
	put_stream(o, "stderr", &one->kept[1]);
	return o;
}

static void prepare(struct one *one, const char *name, bool json, size_t widest)
{
	one->name = name;
	one->remote.ctx = one;
	one->remote.output = json ? keep_output : print_output;
	if (asprintf(&one->prefix, "%s%-*s |%s ", ui_paint(stdout, PAINT_BOLD),
		     (int)widest, name, ui_paint(stdout, PAINT_OFF)) < 0)
		one->prefix = ui_need(NULL);
	one->lines[0] = (struct lines){ .out = stdout, .prefix = one->prefix };
	one->lines[1] = (struct lines){ .out = stderr, .prefix = one->prefix };
}

static int run_all(struct command_call *call, struct one *ones, size_t count, json_t *what,
		   struct why *why)
{
	size_t i, left = count;
	int rc = 0;

	json_object_set_new(what, "stdin", json_false());
	client_together(call->client);
	for (i = 0; !rc && i < count; i++)
		rc = remote_start(&ones[i].remote, call->client, ones[i].name,
				  json_deep_copy(what), why);
	if (!rc)
		rc = client_together_end(call->client, why);
	while (!rc && left && !ui_is_broken()) {
		rc = client_turn(call->client, -1, NULL, why);
		for (i = 0, left = 0; i < count; i++)
			left += !ones[i].remote.ended;
	}
	return rc;
}

/* A result of which the end is missing is none. */
static bool is_cut(const struct one *one)
{
	if (!one->kept[0].cut && !one->kept[1].cut)
		return false;
	ui_error("%s: %s has more than %d MiB, and JSON has only its beginning; without "
		 "--json there is no limit",
		 one->name, one->kept[0].cut ? "stdout" : "stderr", KEEP_BYTES_MAX >> 20);
	return true;
}

/* What did not end well, in words, after all output. */
static int verdicts(struct one *ones, size_t count, bool quiet)
{
	int status = STATUS_DONE;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct remote *r = &ones[i].remote;
		bool cut = is_cut(&ones[i]);

		lines_end(&ones[i].lines[0]);
		lines_end(&ones[i].lines[1]);
		if (!remote_status(r) && !cut)
			continue;
		status = STATUS_FAILED;
		if (quiet)
			continue;
		if (r->error.text[0])
			ui_error("%s: %s", ones[i].name, r->error.text);
		else if (r->signal)
			ui_error("%s: killed by signal %d", ones[i].name, r->signal);
		else
			ui_error("%s: exit status %d", ones[i].name, r->exit);
	}
	return status;
}

static void print_json(const struct one *ones, size_t count)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(all, as_json(&ones[i]));
	ui_json(all);
	json_decref(all);
}

static int exec_many(struct command_call *call, const struct nodes *nodes, json_t *what)
{
	cleanup_free struct one *ones = ui_need(calloc(nodes->count, sizeof(*ones)));
	size_t i, widest = 0;
	struct why why;
	int rc, status;

	for (i = 0; i < nodes->count; i++)
		if (strlen(nodes->names[i]) > widest)
			widest = strlen(nodes->names[i]);
	for (i = 0; i < nodes->count; i++)
		prepare(&ones[i], nodes->names[i], call->json, widest);
	rc = run_all(call, ones, nodes->count, what, &why);
	json_decref(what);
	status = verdicts(ones, nodes->count, call->json || rc);
	if (call->json && !rc)
		print_json(ones, nodes->count);
	if (rc) {
		ui_error("%s", why.text);
		status = STATUS_FAILED;
	}
	for (i = 0; i < nodes->count; i++) {
		free(ones[i].prefix);
		free(ones[i].kept[0].bytes);
		free(ones[i].kept[1].bytes);
	}
	return status;
}

static int exec_one(struct command_call *call, const char *node, json_t *what)
{
	struct session session = {
		.client = call->client,
		.node = node,
		.what = what,
		.tty = call_option(call, "tty") != NULL,
		.with_stdin = !call_option(call, "no-stdin"),
	};
	const char *term = getenv("TERM");
	json_t *env = json_object_get(what, "env");

	if (session.tty && term && !json_object_get(env, "TERM"))
		json_object_set_new(env, "TERM", json_string(term));
	return session_run(&session);
}

/* By the agent, which is in every machine. */
static int proc(struct command_call *call, int signal_no)
{
	struct nodes all = { 0 }, nodes = { 0 };
	char number[16];
	json_t *what;
	struct why why;
	int rc = node_set_of_lab(&all, call->client, &why);

	if (!rc)
		rc = node_set_select(&nodes, &all, call->argv[0], &why);
	if (rc) {
		ui_error("%s", why.text);
		rc = STATUS_FAILED;
	} else {
		snprintf(number, sizeof(number), "%d", signal_no);
		what = ui_need(json_pack("{s:[s,s,s,s]}", "argv", "/proc/1/exe", "signal",
					 number, call->argv[1]));
		rc = exec_many(call, &nodes, what);
	}
	node_set_free(&all);
	node_set_free(&nodes);
	return rc;
}

int cmd_proc_kill(struct command_call *call)
{
	return proc(call, SIGKILL);
}

int cmd_proc_stop(struct command_call *call)
{
	return proc(call, SIGSTOP);
}

int cmd_proc_cont(struct command_call *call)
{
	return proc(call, SIGCONT);
}

int cmd_exec(struct command_call *call)
{
	bool tty = call_option(call, "tty") != NULL;
	struct nodes all = { 0 }, nodes = { 0 };
	json_t *what = NULL;
	struct why why;
	int rc;

	if (call->raw == call->argc) {
		ui_error("exec: what is to be run? netlab exec %s -- COMMAND",
			 call->argv[0]);
		return STATUS_USAGE;
	}
	rc = node_set_of_lab(&all, call->client, &why);
	if (!rc)
		rc = node_set_select(&nodes, &all, call->argv[0], &why);
	if (!rc && tty && (nodes.count > 1 || call->json))
		rc = why_set(&why, -EINVAL,
			     "a terminal (-t) is for one machine, without --json");
	if (!rc)
		rc = what_to_run(call, &what, &why);
	if (rc) {
		ui_error("%s", why.text);
		rc = rc == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
	} else if (nodes.count == 1 && !call->json && strcmp(call->argv[0], "all")) {
		rc = exec_one(call, nodes.names[0], what);
	} else {
		rc = exec_many(call, &nodes, what);
	}
	node_set_free(&all);
	node_set_free(&nodes);
	return rc;
}

/* An interactive shell keeps the environment of the topology file, so it is none
 * that logs in; bash where there is one. */
int cmd_shell(struct command_call *call)
{
	static const char find_shell[] =
		"if [ -x /bin/bash ]; then exec /bin/bash -i; fi; "
		"exec /bin/sh -i";
	struct nodes all = { 0 }, one = { 0 };
	const char *term = getenv("TERM");
	struct why why;
	json_t *what;
	int rc;

	if (!isatty(STDIN_FILENO)) {
		ui_error(
			"shell needs a terminal; for scripts there is: netlab exec %s -- "
			"COMMAND",
			call->argv[0]);
		return STATUS_FAILED;
	}
	rc = node_set_of_lab(&all, call->client, &why);
	if (!rc)
		rc = node_set_select(&one, &all, call->argv[0], &why);
	if (!rc && one.count != 1)
		rc = why_set(&why, -EINVAL, "a shell is for one machine");
	if (rc) {
		ui_error("%s", why.text);
		rc = STATUS_FAILED;
	} else {
		what = json_pack("{s:[s,s,s], s:{s:s}}", "argv", "/bin/sh", "-c",
				 find_shell, "env", "TERM",
				 term && *term ? term : "vt100");
		rc = session_run(&(struct session){ .client = call->client,
						    .node = one.names[0],
						    .what = what,
						    .tty = true,
						    .with_stdin = true });
	}
	node_set_free(&all);
	node_set_free(&one);
	return rc;
}
