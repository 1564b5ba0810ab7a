/* SPDX-License-Identifier: MIT */
#include "cli/labref.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "base/suggestion.h"

enum { PROTOCOL = 1, HELLO_MS = 3000 };

static const char *names(char *text, size_t bytes, const struct state_info *labs,
			 size_t count)
{
	size_t i, used = 0;

	text[0] = 0;
	for (i = 0; i < count && used < bytes; i++)
		used += (size_t)snprintf(text + used, bytes - used, "%s%s%s",
					 i ? ", " : "", labs[i].name,
					 labs[i].kind == STATE_DEAD ? " (dead)" : "");
	return text;
}

static int none_of_that_name(const struct state_info *labs, size_t count,
			     const char *wanted, struct why *why)
{
	struct suggestion near;
	char list[512];
	size_t i;

	suggestion_start(&near, wanted);
	for (i = 0; i < count; i++)
		suggestion_offer(&near, labs[i].name);
	if (near.best)
		return why_set(why, -ENOENT,
			       "no lab \"%s\" is running; did you mean \"%s\"?", wanted,
			       near.best);
	if (count)
		return why_set(why, -ENOENT, "no lab \"%s\" is running; there is: %s",
			       wanted, names(list, sizeof(list), labs, count));
	return why_set(
		why, -ENOENT,
		"no lab \"%s\" is running, nor any other; start one: netlab up FILE",
		wanted);
}

int labref_choose(const struct state_info *labs, size_t count, const char *wanted,
		  bool alive, size_t *chosen, struct why *why)
{
	size_t i, living = 0, found = count;
	char list[512];

	for (i = 0; i < count; i++) {
		if (wanted ? !strcmp(labs[i].name, wanted) : labs[i].kind != STATE_DEAD)
			found = i;
		living += labs[i].kind != STATE_DEAD;
	}
	if (wanted && found == count)
		return none_of_that_name(labs, count, wanted, why);
	if (!wanted && living > 1)
		return why_set(why, -EEXIST,
			       "several labs are running: %s; choose one with -l LAB or "
			       "NETLAB_LAB",
			       names(list, sizeof(list), labs, count));
	/* A dead one is what is meant if nothing else is there. */
	if (!wanted && !living && count == 1)
		found = 0;
	if (!wanted && !living && count > 1)
		return why_set(why, -EEXIST,
			       "no lab is running; these are dead: %s; "
			       "clear them with `netlab down --all`",
			       names(list, sizeof(list), labs, count));
	if (!count)
		return why_set(why, -ENOENT,
			       "no lab is running; start one: netlab up FILE");
	if (alive && labs[found].kind == STATE_DEAD)
		return why_set(
			why, -EHOSTDOWN,
			"lab \"%s\" is dead: its process was killed; `netlab down %s` "
			"clears what is left",
			labs[found].name, labs[found].name);
	*chosen = found;
	return 0;
}

int labref_find(struct state_info *out, const char *wanted, bool alive, struct why *why)
{
	cleanup_free struct state_info *labs = NULL;
	size_t count = 0, chosen = 0;
	int rc = state_list(&labs, &count, why);

	if (!rc)
		rc = labref_choose(labs, count, wanted, alive, &chosen, why);
	if (!rc)
		*out = labs[chosen];
	return rc;
}

const char *labref_without_name(const char *text, const char *name)
{
	char prefix[PLAN_NAME_BYTES_MAX + 8];
	size_t size = (size_t)snprintf(prefix, sizeof(prefix), "lab %s: ", name);

	return strncmp(text, prefix, size) ? text : text + size;
}

int labref_connect(const char *name, struct client **out, struct why *why)
{
	struct client *client = NULL;
	json_t *hello = NULL;
	int fd, rc, protocol;

	rc = state_connect(name, &fd, why);
	if (rc)
		return rc; /* it names the lab */
	rc = client_open(&client, fd, why);
	if (!rc)
		rc = client_call(client, "hello", NULL, HELLO_MS, &hello, why);
	if (!rc) {
		protocol = (int)json_integer_value(json_object_get(hello, "protocol"));
		if (protocol != PROTOCOL)
			rc = why_set(
				why, -EPROTO,
				"the lab speaks version %d of the control protocol, this "
				"netlab version %d: take it down with the netlab that "
				"started it",
				protocol, PROTOCOL);
	}
	json_decref(hello);
	if (rc) {
		client_free(client);
		return why_wrap(why, rc, "lab %s", name);
	}
	*out = client;
	return 0;
}
