/* SPDX-License-Identifier: MIT */
#include "cli/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggestion.h"

struct parse {
	struct command_call *call;
	int argc, at;
	char **argv;
	struct why *why;
};

static const struct option_spec *spec_by_name(const struct option_spec *list,
					      const char *name, size_t bytes)
{
	for (; list && list->name; list++)
		if (strlen(list->name) == bytes && !memcmp(list->name, name, bytes))
			return list;
	return NULL;
}

static const struct option_spec *spec_by_letter(const struct option_spec *list, char c)
{
	for (; list && list->name; list++)
		if (list->letter && list->letter == c)
			return list;
	return NULL;
}

static const char *nearest_option(const struct command_call *call, const char *name)
{
	struct suggestion near;
	const struct option_spec *o;

	suggestion_start(&near, name);
	for (o = call->command ? call->command->options : NULL; o && o->name; o++)
		suggestion_offer(&near, o->name);
	for (o = options_of_all; o->name; o++)
		if (!call->command || command_takes(call->command, o))
			suggestion_offer(&near, o->name);
	return near.best;
}

static int give(struct parse *p, const struct option_spec *spec, const char *value)
{
	struct command_call *call = p->call;
	struct given *more;

	if (!spec->many && call_option(call, spec->name) && spec->value)
		return why_set(p->why, -EINVAL, "option --%s is given twice", spec->name);
	more = reallocarray(call->given, call->given_count + 1, sizeof(*more));
	if (!more)
		return why_errno(p->why, -ENOMEM, "options");
	call->given = more;
	call->given[call->given_count++] = (struct given){ spec, value };
	return 0;
}

static int long_option(struct parse *p, const char *text)
{
	const struct command *command = p->call->command;
	const char *equals = strchr(text, '='), *near;
	size_t bytes = equals ? (size_t)(equals - text) : strlen(text);
	const struct option_spec *spec = NULL;
	char name[64];

	if (command)
		spec = spec_by_name(command->options, text, bytes);
	if (!spec)
		spec = spec_by_name(options_of_all, text, bytes);
	if (!spec) {
		snprintf(name, sizeof(name), "%.*s", (int)bytes, text);
		near = nearest_option(p->call, name);
		return why_set(p->why, -EINVAL, "there is no option --%s%s%s%s", name,
			       near ? "; did you mean --" : "", near ? near : "",
			       near ? "?" : "");
	}
	if (!spec->value && equals)
		return why_set(p->why, -EINVAL, "option --%s takes no value", spec->name);
	if (!spec->value)
		return give(p, spec, "");
	if (equals)
		return give(p, spec, equals + 1);
	if (p->at >= p->argc)
		return why_set(p->why, -EINVAL, "option --%s needs a value: --%s %s",
			       spec->name, spec->name, spec->value);
	return give(p, spec, p->argv[p->at++]);
}

static int short_options(struct parse *p, const char *letters)
{
	const struct command *command = p->call->command;
	const struct option_spec *spec;
	int rc;

	for (; *letters; letters++) {
		spec = command ? spec_by_letter(command->options, *letters) : NULL;
		if (!spec)
			spec = spec_by_letter(options_of_all, *letters);
		if (!spec)
			return why_set(p->why, -EINVAL, "there is no option -%c",
				       *letters);
		if (!spec->value) {
			rc = give(p, spec, "");
			if (rc)
				return rc;
			continue;
		}
		if (letters[1])
			return give(p, spec, letters + 1);
		if (p->at >= p->argc)
			return why_set(p->why, -EINVAL,
				       "option -%c needs a value: -%c %s", *letters,
				       *letters, spec->value);
		return give(p, spec, p->argv[p->at++]);
	}
	return 0;
}

/* What other tools call it, and what has no command yet. */
static const struct {
	const char *word, *instead;
} known_elsewhere[] = {
	{ "attach", "netlab console NODE, or netlab shell NODE" },
	{ "deploy", "netlab up FILE" },
	{ "destroy", "netlab down" },
	{ "kill", "a machine: netlab node kill NODE; a lab: netlab down" },
	{ "list", "netlab ps" },
	{ "ls", "netlab ps" },
	{ "pause", "a machine: netlab node pause NODE; virtual time: netlab clock pause" },
	{ "pingall", "netlab matrix --probe" },
	{ "reboot", "netlab node restart NODE" },
	{ "reset", "netlab node reset NODE" },
	{ "restart", "a machine: netlab node restart NODE; a lab: netlab down, netlab up FILE" },
	{ "run", "a lab: netlab up FILE; a command: netlab exec NODE -- COMMAND" },
	{ "save", "a running lab cannot be saved yet; netlab replay RUN repeats a recorded one" },
	{ "ssh", "netlab shell NODE" },
	{ "start", "a lab: netlab up FILE; a machine that has ended: netlab node start NODE" },
	{ "status", "netlab ps, netlab inspect" },
	{ "stop", "a lab: netlab down; a machine: netlab node stop NODE" },
	{ "validate", "netlab check FILE" },
};

static const char *called_otherwise(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_elsewhere); i++)
		if (!strcmp(word, known_elsewhere[i].word))
			return known_elsewhere[i].instead;
	return NULL;
}

static int unknown_command(struct parse *p, const char *word, const char *second)
{
	struct suggestion near;
	char both[80];
	size_t i;

	if (called_otherwise(word))
		return why_set(p->why, -EINVAL, "there is no command \"%s\": %s", word,
			       called_otherwise(word));
	if (command_family(word)) {
		snprintf(both, sizeof(both), "%s %s", word, second ? second : "");
		suggestion_start(&near, both);
	} else {
		suggestion_start(&near, word);
	}
	for (i = 0; i < command_count; i++)
		if (!(commands[i].flags & HIDDEN))
			suggestion_offer(&near, commands[i].name);
	if (command_family(word) && !second)
		return why_set(p->why, -EINVAL, "%s what? try `netlab help %s`", word,
			       word);
	return why_set(p->why, -EINVAL, "there is no command \"%s%s%s\"%s%s%s", word,
		       command_family(word) ? " " : "",
		       command_family(word) ? second : "",
		       near.best ? "; did you mean \"" : "; `netlab help` lists them",
		       near.best ? near.best : "", near.best ? "\"?" : "");
}

/* The command's name, one or two words, stands at p->at - 1. */
static int take_command(struct parse *p)
{
	int used = 0;

	p->call->command = command_find(p->argc - p->at + 1, p->argv + p->at - 1, &used);
	if (!p->call->command) {
		const char *word = p->argv[p->at - 1];
		const char *second = p->at < p->argc ? p->argv[p->at] : NULL;

		/* `netlab fault --help` asks about the family. */
		if (command_family(word) && second &&
		    (!strcmp(second, "--help") || !strcmp(second, "-h"))) {
			p->call->help = true;
			p->call->argv[p->call->argc++] = p->argv[p->at - 1];
			p->at = p->argc;
			return 0;
		}
		return unknown_command(p, word, second);
	}
	p->at += used - 1;
	return 0;
}

/* An option of all commands that this one has no use for must not pass unseen. */
static int check_given(struct parse *p)
{
	struct command_call *call = p->call;
	size_t i;

	for (i = 0; i < call->given_count; i++) {
		const struct option_spec *spec = call->given[i].spec;

		if (!call->command ||
		    spec_by_name(options_of_all, spec->name, strlen(spec->name)) != spec)
			continue;
		if (!command_takes(call->command, spec))
			return why_set(p->why, -EINVAL, "%s has no option --%s",
				       call->command->name, spec->name);
	}
	return 0;
}

static int check_words(struct parse *p)
{
	const struct command *c = p->call->command;
	int given = p->call->argc;

	if (given < c->args_min)
		return why_set(p->why, -EINVAL,
			       given ? "%s: something is missing: netlab %s %s"
				     : "%s needs arguments: netlab %s %s",
			       c->name, c->name, c->args);
	if (c->args_max >= 0 && given > c->args_max)
		return why_set(p->why, -EINVAL,
			       "%s: \"%s\" is one word too many: netlab %s %s", c->name,
			       p->call->argv[c->args_max], c->name, c->args);
	return 0;
}

static int take_words(struct parse *p)
{
	struct command_call *call = p->call;
	int rc;

	call->raw = -1;
	while (p->at < p->argc) {
		char *word = p->argv[p->at++];
		const struct command *c = call->command;

		if (c && c->raw_after && call->argc >= c->raw_after &&
		    (word[0] != '-' || !word[1] || !strcmp(word, "--"))) {
			call->raw = call->argc;
			if (strcmp(word, "--"))
				call->argv[call->argc++] = word;
			while (p->at < p->argc)
				call->argv[call->argc++] = p->argv[p->at++];
			break;
		}
		if (!strcmp(word, "--")) {
			while (p->at < p->argc)
				call->argv[call->argc++] = p->argv[p->at++];
			break;
		}
		if (word[0] == '-' && word[1])
			rc = word[1] == '-' ? long_option(p, word + 2)
					    : short_options(p, word + 1);
		else if (!c)
			rc = take_command(p);
		else
			rc = (call->argv[call->argc++] = word, 0);
		if (rc)
			return rc;
	}
	if (call->raw < 0)
		call->raw = call->argc;
	return 0;
}

int args_parse(struct command_call *call, int argc, char **argv, struct why *why)
{
	struct parse p = { .call = call, .argc = argc, .argv = argv, .why = why };
	int rc;

	memset(call, 0, sizeof(*call));
	call->argv = calloc((size_t)argc + 2, sizeof(*call->argv));
	if (!call->argv)
		return why_errno(why, -ENOMEM, "arguments");
	rc = take_words(&p);
	/* Who asks for help gets it, whatever else is wrong. */
	call->help |= call_option(call, "help") != NULL;
	if (call->help && (!rc || call->command))
		return 0;
	if (rc)
		return rc;
	call->version = call_option(call, "version") != NULL;
	call->json = call_option(call, "json") != NULL;
	call->lab_wanted = call_option(call, "lab");
	if (!call->lab_wanted) {
		call->lab_wanted = getenv("NETLAB_LAB");
		if (call->lab_wanted && !*call->lab_wanted)
			call->lab_wanted = NULL;
	}
	if (!call->command || call->version)
		return 0;
	rc = check_given(&p);
	return rc ? rc : check_words(&p);
}
