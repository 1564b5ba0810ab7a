/* SPDX-License-Identifier: MIT */
#include "cli/exec_many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/lines.h"
#include "cli/remote.h"
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

static int run_all(struct client *client, struct one *ones, size_t count, json_t *what,
		   struct why *why)
{
	size_t i, left = count;
	int rc = 0;

	json_object_set_new(what, "stdin", json_false());
	client_together(client);
	for (i = 0; !rc && i < count; i++)
		rc = remote_start(&ones[i].remote, client, ones[i].name,
				  json_deep_copy(what), why);
	if (!rc)
		rc = client_together_end(client, why);
	while (!rc && left && !ui_is_broken()) {
		rc = client_turn(client, -1, NULL, why);
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

int exec_many(const struct nodes *nodes, struct client *client, json_t *what, bool json)
{
	cleanup_free struct one *ones = ui_need(calloc(nodes->count, sizeof(*ones)));
	size_t i, widest = 0;
	struct why why;
	int rc, status;

	for (i = 0; i < nodes->count; i++)
		if (strlen(nodes->names[i]) > widest)
			widest = strlen(nodes->names[i]);
	for (i = 0; i < nodes->count; i++)
		prepare(&ones[i], nodes->names[i], json, widest);
	rc = run_all(client, ones, nodes->count, what, &why);
	json_decref(what);
	status = verdicts(ones, nodes->count, json || rc);
	if (json && !rc)
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
