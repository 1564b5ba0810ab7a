/* SPDX-License-Identifier: MIT */
/* One machine: its streams are ours, its exit status is ours.  Several, or --json:
 * exec_many.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/exec_many.h"
#include "cli/node_set.h"
#include "cli/streams.h"
#include "cli/ui.h"

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

int cmd_exec(struct command_call *call)
{
	bool tty = call_option(call, "tty") != NULL;
	struct nodes nodes = { 0 };
	json_t *what = NULL;
	struct why why;
	int rc;

	if (call->raw == call->argc) {
		ui_error("exec: what is to be run? netlab exec %s -- COMMAND",
			 call->argv[0]);
		return STATUS_USAGE;
	}
	rc = node_set_named(&nodes, call->client, call->argv[0], &why);
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
		rc = exec_many(&nodes, call->client, what, call->json);
	}
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
	struct nodes one = { 0 };
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
	rc = node_set_named(&one, call->client, call->argv[0], &why);
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
	node_set_free(&one);
	return rc;
}
