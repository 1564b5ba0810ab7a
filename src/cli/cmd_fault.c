/* SPDX-License-Identifier: MIT */
/* Faults.  The lab knows their words and says what is wrong with them; here they only
 * become JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/fault_text.h"
#include "cli/ui.h"

/* "delay=20ms" -> "delay": "20ms"; "down" -> true. */
static int add_word(json_t *fault, const char *word, struct why *why)
{
	const char *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
	size_t bytes = equals ? (size_t)(equals - word) : strlen(word);
	cleanup_free char *key = strndup(word, bytes);
	json_t *json;

	if (!equals && strcmp(word, "down"))
		return why_set(why, -EINVAL,
			       "\"%s\": write KEY=VALUE, such as delay=20ms", word);
	if (!*key || (equals && !*value))
		return why_set(why, -EINVAL,
			       "\"%s\": write KEY=VALUE, such as delay=20ms", word);
	if (json_object_get(fault, key))
		return why_set(why, -EINVAL, "%s is given twice", key);
	if (!equals || !strcmp(value, "true"))
		json = json_true();
	else if (!strcmp(value, "false"))
		json = json_false();
	else
		json = json_string(value);
	if (json_object_set_new(fault, key, json))
		return why_set(why, -EINVAL, "\"%s\" is not UTF-8 text", word);
	return 0;
}

static int refused(const struct why *why)
{
	ui_error("%s", why->text);
	return STATUS_FAILED;
}

int cmd_fault_set(struct call *call)
{
	json_t *fault = json_object(), *fields, *answer = NULL;
	struct why why;
	int i, rc = 0;

	for (i = 1; !rc && i < call->argc; i++)
		rc = add_word(fault, call->argv[i], &why);
	if (rc) {
		json_decref(fault);
		ui_error("%s", why.text);
		return STATUS_USAGE;
	}
	fields = json_pack("{s:s, s:o, s:b}", "target", call->argv[0], "fault", fault,
			   "replace", call_option(call, "replace") != NULL);
	rc = client_call(call->client, "fault-set", fields, CLIENT_CALL_MS, &answer,
			 &why);
	if (rc)
		return refused(&why);
	fault_print(answer, call->json, false);
	json_decref(answer);
	return STATUS_DONE;
}

int cmd_fault_clear(struct call *call)
{
	bool all = call_option(call, "all") != NULL;
	json_t *fields = json_object(), *answer = NULL;
	struct why why;
	int rc;

	if (all == (call->argc > 0)) {
		json_decref(fields);
		ui_error(all ? "either a target or --all, not both"
			     : "which faults? netlab fault clear TARGET, or --all");
		return STATUS_USAGE;
	}
	if (!all)
		json_object_set_new(fields, "target", json_string(call->argv[0]));
	rc = client_call(call->client, "fault-clear", fields, CLIENT_CALL_MS, &answer,
			 &why);
	if (rc)
		return refused(&why);
	fault_print(answer, call->json, false);
	json_decref(answer);
	return STATUS_DONE;
}

int cmd_fault_ls(struct call *call)
{
	json_t *answer = NULL;
	struct why why;

	if (client_call(call->client, "fault-ls", NULL, CLIENT_CALL_MS, &answer, &why))
		return refused(&why);
	fault_print(answer, call->json, true);
	json_decref(answer);
	return STATUS_DONE;
}
