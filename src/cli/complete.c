/* SPDX-License-Identifier: MIT */
#include "cli/complete.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/ui.h"
#include "kernel/store.h"
#include "faultwords/fault_profiles.h"
#include "faultwords/fault_words.h"
#include "partition/partition.h"

struct line {
	char *words[COMPLETE_WORDS_MAX]; /* without the program's name; the last is the
					  * one under the cursor, maybe "" */
	int count;
	const char *current;
	size_t skip; /* of a candidate: what the shell holds to be another word */
	complete_ask *ask;
	const struct complete_sink *sink;
	const struct command *command;
	const char *lab;
};

/* ---- the shell's words ----------------------------------------------------------------
 */

/* Takes quotes and backslashes away, in place.  Returns where the word ended. */
static char *unquote(char *from, char *to)
{
	char quote = 0;

	for (; *from && (quote || (*from != ' ' && *from != '\t')); from++) {
		if (quote && *from == quote)
			quote = 0;
		else if (!quote && (*from == '\'' || *from == '"'))
			quote = *from;
		else if (*from == '\\' && quote != '\'' && from[1])
			*to++ = *++from;
		else
			*to++ = *from;
	}
	if (*from)
		from++;
	else
		from = NULL;
	*to = 0;
	return from;
}

static void split(struct line *l, char *text)
{
	char *word;

	while (text) {
		while (*text == ' ' || *text == '\t')
			text++;
		word = text;
		text = unquote(text, word);
		if (l->count == COMPLETE_WORDS_MAX)
			l->count--; /* nobody's line; the last word is what counts */
		l->words[l->count++] = word;
	}
	/* The program's own name goes. */
	memmove(l->words, l->words + 1, sizeof(l->words[0]) * (size_t)(l->count - 1));
	l->count--;
}

/* ---- offering
 * --------------------------------------------------------------------------- */

static void offer(struct line *l, const char *word, const char *brief)
{
	if (!strncmp(word, l->current, strlen(l->current)))
		l->sink->offer(l->sink->ctx, word + l->skip, brief);
}

static void offer_all(struct line *l, const struct nodes *words, const char *brief)
{
	size_t i;

	for (i = 0; i < words->count; i++)
		offer(l, words->names[i], brief);
}

/* After the last comma (or bar) of the word, whatever came before stays. */
static void offer_in_list(struct line *l, const struct nodes *words, const char *brief)
{
	const char *comma = l->current + strlen(l->current);
	char whole[512];
	size_t i;

	while (comma > l->current && comma[-1] != ',' && comma[-1] != '|')
		comma--;
	for (i = 0; i < words->count; i++) {
		snprintf(whole, sizeof(whole), "%.*s%s", (int)(comma - l->current),
			 l->current, words->names[i]);
		offer(l, whole, brief);
	}
}

static void offer_pairs(struct line *l, const struct nodes *nodes)
{
	char pair[256];
	size_t a, b;

	/* Only once the first is clear, or there are n * n of them. */
	if (!strchr(l->current, '-'))
		return;
	for (a = 0; a < nodes->count; a++)
		for (b = 0; b < nodes->count; b++) {
			snprintf(pair, sizeof(pair), "%s--%s", nodes->names[a],
				 nodes->names[b]);
			if (a != b)
				offer(l, pair, "both ways");
		}
}

static void offer_commands(struct line *l, const char *family)
{
	size_t i, bytes = family ? strlen(family) : 0;

	for (i = 0; i < command_count; i++) {
		const char *name = commands[i].name, *blank = strchr(name, ' ');
		char first[32];

		if (commands[i].flags & HIDDEN)
			continue;
		if (family) {
			if (blank && (size_t)(blank - name) == bytes &&
			    !memcmp(name, family, bytes))
				offer(l, blank + 1, commands[i].brief);
			continue;
		}
		snprintf(first, sizeof(first), "%.*s", blank ? (int)(blank - name) : 31,
			 name);
		/* A family once. */
		if (!i || strncmp(commands[i - 1].name, first, strlen(first)) || !blank)
			offer(l, first, blank ? "..." : commands[i].brief);
	}
}

static void offer_options(struct line *l)
{
	const struct option_spec *o;
	char word[64];

	for (o = l->command ? l->command->options : NULL; o && o->name; o++) {
		snprintf(word, sizeof(word), "--%s", o->name);
		offer(l, word, o->brief);
	}
	for (o = options_of_all; o->name; o++) {
		if (l->command && !command_takes(l->command, o))
			continue;
		snprintf(word, sizeof(word), "--%s", o->name);
		offer(l, word, o->brief);
	}
}

static void offer_with(struct line *l, const char *const *words, const char *format)
{
	char word[64];

	for (; *words; words++) {
		snprintf(word, sizeof(word), format, *words);
		offer(l, word, "KEY=VALUE");
	}
}

static void offer_faults(struct line *l)
{
	static const char *const more[] = { "name", NULL };

	offer_with(l, fault_word_keys(), "%s=");
	offer_with(l, fault_match_keys(), "%s=");
	offer_with(l, more, "%s=");
	if (!strncmp(l->current, "profile=", 8))
		offer_with(l, fault_profile_names, "profile=%s");
}

static void offer_fault_keys(struct line *l)
{
	static const char *const more[] = { "faults", "rule=", NULL };

	offer_with(l, fault_word_keys(), "%s");
	offer_with(l, more, "%s");
}

static void offer_words(struct line *l, const char *const *words)
{
	for (; *words; words++)
		offer(l, *words, "");
}

static void offer_files(struct line *l, bool folders)
{
	l->sink->offer(l->sink->ctx, folders ? ":folders" : ":files", "");
}

static void offer_place(struct line *l, const struct nodes *nodes)
{
	char word[128];
	size_t i;

	/* The inside of a machine is not looked into. */
	if (strchr(l->current, ':') && !strchr(l->current, '/'))
		return;
	for (i = 0; !strchr(l->current, '/') && i < nodes->count; i++) {
		snprintf(word, sizeof(word), "%s:", nodes->names[i]);
		offer(l, word, "machine");
	}
	offer_files(l, false);
}

static void free_facts(struct complete_facts *facts)
{
	node_set_free(&facts->labs);
	node_set_free(&facts->nodes);
	node_set_free(&facts->links);
	node_set_free(&facts->ports);
	node_set_free(&facts->services);
	node_set_free(&facts->partitions);
}

static void offer_facts(struct line *l, enum complete what, const char *node)
{
	static const char *const all[] = { "all", NULL };
	struct complete_facts facts = { 0 };

	l->ask(&facts, l->lab, what == COMPLETE_SERVICE ? node : NULL);
	if (what == COMPLETE_LAB)
		offer_all(l, &facts.labs, "lab");
	if (what == COMPLETE_NODE)
		offer_all(l, &facts.nodes, "machine");
	if (what == COMPLETE_SERVICE)
		offer_all(l, &facts.services, "service");
	if (what == COMPLETE_TARGET || what == COMPLETE_CAPTURE)
		offer_all(l, &facts.links, "link");
	if (what == COMPLETE_TARGET)
		offer_pairs(l, &facts.nodes);
	if (what == COMPLETE_CAPTURE) {
		offer_all(l, &facts.nodes, "machine");
		offer_all(l, &facts.ports, "interface");
	}
	if (what == COMPLETE_PARTITIONS)
		offer_all(l, &facts.partitions, "partition");
	if (what == COMPLETE_NODES || what == COMPLETE_PARTITION)
		offer_in_list(l, &facts.nodes, "machine");
	if (what == COMPLETE_NODES || what == COMPLETE_CAPTURE)
		offer_words(l, all);
	if (what == COMPLETE_PATH)
		offer_place(l, &facts.nodes);
	free_facts(&facts);
}

/* A file can be meant as well. */
static void offer_kernels(struct line *l)
{
	cleanup_free struct stored *list = NULL;
	size_t count = 0, i;

	if (store_list(&list, &count, NULL))
		count = 0;
	for (i = 0; i < count; i++)
		offer(l, list[i].name, "kernel");
	offer(l, "packaged", "kernel");
	offer_files(l, false);
}

static void offer_what(struct line *l, enum complete what, const char *before)
{
	static const char *const shells[] = { "bash", "zsh", "fish", NULL };
	static const char *const clocks[] = { "real", "virtual", NULL };
	static const char *const paces[] = { "max", "1", NULL };
	static const char *const node_clock[] = { "offset=", "step=", "drift=", NULL };

	switch (what) {
	case COMPLETE_NOTHING:
		break;
	case COMPLETE_FILE:
	case COMPLETE_FOLDER:
		offer_files(l, what == COMPLETE_FOLDER);
		break;
	case COMPLETE_FAULT:
		offer_faults(l);
		break;
	case COMPLETE_PARTITION:
		/* All but "sides": they are written down. */
		offer_words(l, partition_kind_names + 1);
		offer_commands(l, "partition");
		offer_facts(l, what, before);
		break;
	case COMPLETE_FAULT_KEY:
		offer_fault_keys(l);
		break;
	case COMPLETE_COMMAND:
		offer_commands(l, before);
		break;
	case COMPLETE_SHELL:
		offer_words(l, shells);
		break;
	case COMPLETE_KERNEL:
		offer_kernels(l);
		break;
	case COMPLETE_CLOCK:
		offer_words(l, clocks);
		break;
	case COMPLETE_NODE_CLOCK:
		offer_words(l, node_clock);
		break;
	case COMPLETE_PACE:
		offer_words(l, paces);
		break;
	default:
		offer_facts(l, what, before);
	}
}

/* ---- where is the cursor?
 * ------------------------------------------------------------------ */

static const struct option_spec *option_of(const struct line *l, const char *word)
{
	const struct option_spec *lists[] = { l->command ? l->command->options : NULL,
					      options_of_all };
	const struct option_spec *o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (o = lists[i]; o && o->name; o++)
			if ((word[0] == '-' && word[1] == '-' &&
			     !strcmp(word + 2, o->name)) ||
			    (o->letter && word[0] == '-' && word[1] == o->letter &&
			     !word[2]))
				return o;
	return NULL;
}

/* Reads the words before the cursor.  Returns how many words of the command's own
 * there are, -1 if the cursor is at an option's value, which is then offered. */
static int read_words(struct line *l, const char **last)
{
	int i, words = 0, used;

	for (i = 0; i < l->count - 1; i++) {
		char *word = l->words[i];
		const struct option_spec *o;

		if (word[0] == '-' && word[1]) {
			o = option_of(l, word);
			if (!o || !o->value)
				continue;
			if (++i == l->count - 1) {
				offer_what(l, o->complete, NULL);
				return -1;
			}
			if (!strcmp(o->name, "lab"))
				l->lab = l->words[i];
		} else if (!l->command) {
			l->command = command_find(l->count - 1 - i, l->words + i, &used);
			if (!l->command) {
				offer_commands(l, i == l->count - 2 ? word : "");
				return -1;
			}
			i += used - 1;
		} else {
			words++;
			*last = word;
		}
	}
	return words;
}

void complete_line(const char *text, const char *breaks, complete_ask *ask,
		   const struct complete_sink *sink)
{
	cleanup_free char *copy = ui_need(strdup(text));
	struct line l = { .ask = ask, .sink = sink };
	const char *last = NULL;
	size_t i;
	int words;

	split(&l, copy);
	if (l.count < 1)
		return;
	l.current = l.words[l.count - 1];
	for (i = 0; l.current[i]; i++)
		if (strchr(breaks, l.current[i]))
			l.skip = i + 1;
	words = read_words(&l, &last);
	if (words < 0)
		return;
	if (l.current[0] == '-') {
		offer_options(&l);
		return;
	}
	if (!l.command)
		offer_commands(&l, NULL);
	else if (l.command->args_max < 0 || words < l.command->args_max)
		offer_what(&l, l.command->complete[words > 0], last);
}
