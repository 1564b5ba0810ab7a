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
#include "faultwords/fault_words.h"

static bool is_drawn(const char *key)
{
	return !strcmp(key, "distribution") || !strcmp(key, "slot");
}

/* A file that a word names: the lab runs elsewhere, so the whole path. */
static int whole_path(const char *key, const char *value, char **whole, struct why *why)
{
	static const char *const with_file[] = { "table ", "samples ", "trace " };
	const char *file =
		strcmp(key, "capacity") || !strcmp(value, "none") ? NULL : value;
	cleanup_free char *name = NULL, *path = NULL;

	*whole = NULL;
	for (size_t i = 0; is_drawn(key) && i < ARRAY_SIZE(with_file); i++)
		if (!strncmp(value, with_file[i], strlen(with_file[i])))
			file = value + strlen(with_file[i]);
	if (!file)
		return 0;
	/* Of a slot, the times are behind it. */
	name = strndup(file, strcmp(key, "slot") ? strlen(file) : strcspn(file, " "));
	if (!name)
		return why_set(why, -ENOMEM, "out of memory");
	path = realpath(name, NULL);
	if (!path)
		return why_errno(why, -errno, "%s: %s", key, name);
	if (asprintf(whole, "%.*s%s%s", (int)(file - value), value, path,
		     file + strlen(name)) < 0) {
		*whole = NULL;
		return why_set(why, -ENOMEM, "out of memory");
	}
	return 0;
}

/* Words of a rule for certain frames go into that rule: "match=tcp loss=1%". */
static bool is_of_rule(const char *key)
{
	return !strcmp(key, "name") ||
	       (fault_match_is_key(key) && strcmp(key, "for") != 0);
}

/* "delay=20ms" -> "delay": "20ms"; "down" -> true. */
static int add_word(json_t *fault, const char *word, struct why *why)
{
	const char *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
	size_t bytes = equals ? (size_t)(equals - word) : strlen(word);
	cleanup_free char *key = ui_need(strndup(word, bytes));
	cleanup_free char *whole = NULL;
	json_t *json;
	int err;

	if (!equals && !fault_word_is_flag(word))
		return why_set(why, -EINVAL,
			       "\"%s\": write KEY=VALUE, such as delay=20ms", word);
	if (!*key || (equals && !*value))
		return why_set(why, -EINVAL,
			       "\"%s\": write KEY=VALUE, such as delay=20ms", word);
	if (json_object_get(fault, key))
		return why_set(why, -EINVAL, "%s is given twice", key);
	err = whole_path(key, value, &whole, why);
	if (err)
		return err;
	if (!equals || (fault_word_is_flag(key) && !strcmp(value, "true")))
		json = json_true();
	else if (fault_word_is_flag(key) && !strcmp(value, "false"))
		json = json_false();
	else
		json = json_string(whole ? whole : value);
	if (json_object_set_new(fault, key, json))
		return why_set(why, -EINVAL, "\"%s\" is not UTF-8 text", word);
	return 0;
}

/* The fields of the request, from the words; fault is taken over. */
static json_t *set_fields(const char *target, json_t *fault, bool replace)
{
	json_t *until = json_incref(json_object_get(fault, "for"));
	json_t *fields;
	const char *key;
	json_t *value;
	bool rule = false;

	json_object_del(fault, "for");
	json_object_foreach(fault, key, value)
	{
		rule |= is_of_rule(key);
	}
	if (rule)
		fault = json_pack("{s:[o]}", "faults", fault);
	fields = json_pack("{s:s, s:o, s:b}", "target", target, "fault", fault, "replace",
			   replace);
	if (until)
		json_object_set_new(fields, "for", until);
	return fields;
}

static int refused(const struct why *why)
{
	ui_error("%s", why->text);
	return STATUS_FAILED;
}

static void print_warnings(const json_t *answer)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "warnings"), i, one)
	{
		ui_warning("%s", json_string_value(one));
	}
}

int cmd_fault_set(struct command_call *call)
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
	fields = set_fields(call->argv[0], fault, call_option(call, "replace") != NULL);
	rc = client_call(call->client, "fault-set", fields, CLIENT_CALL_MS, &answer,
			 &why);
	if (rc)
		return refused(&why);
	fault_print(answer, call->json, false);
	print_warnings(answer);
	json_decref(answer);
	return STATUS_DONE;
}

/* "loss", or "rule=slow". */
static void add_part(json_t *fields, const char *word)
{
	json_t *keys = json_object_get(fields, "keys");

	if (!strncmp(word, "rule=", 5)) {
		json_object_set_new(fields, "rule", json_string(word + 5));
		return;
	}
	if (!keys) {
		keys = json_array();
		json_object_set_new(fields, "keys", keys);
	}
	json_array_append_new(keys, json_string(word));
}

int cmd_fault_clear(struct command_call *call)
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
	for (int i = 1; i < call->argc; i++)
		add_part(fields, call->argv[i]);
	rc = client_call(call->client, "fault-clear", fields, CLIENT_CALL_MS, &answer,
			 &why);
	if (rc)
		return refused(&why);
	fault_print(answer, call->json, false);
	json_decref(answer);
	return STATUS_DONE;
}

int cmd_fault_ls(struct command_call *call)
{
	json_t *answer = NULL;
	struct why why;

	if (client_call(call->client, "fault-ls", NULL, CLIENT_CALL_MS, &answer, &why))
		return refused(&why);
	fault_print(answer, call->json, true);
	json_decref(answer);
	return STATUS_DONE;
}
