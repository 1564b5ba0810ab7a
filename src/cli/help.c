/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <string.h>
#include <unistd.h>

#include "cli/terminal.h"
#include "cli/ui.h"

#ifndef NETLAB_VERSION
#error "NETLAB_VERSION comes from CMake"
#endif

enum { COLUMNS = 78 };

/* Of the terminal, if that is narrow. */
static int columns(void)
{
	unsigned rows, cols = COLUMNS + 1;

	if (isatty(STDOUT_FILENO))
		terminal_size(&rows, &cols);
	return cols - 1 < COLUMNS ? (int)cols - 1 : COLUMNS;
}

/* Paragraphs to lines that fit, with an indent; the first one begins at that column. */
static void print_from(FILE *out, const char *text, int indent, int column)
{
	int width = columns();

	/* Where there is no room for words, lines get longer than the terminal. */
	if (width < indent + 20)
		width = indent + 20;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (column > indent && column + 1 + (int)word > width) {
			fputc('\n', out);
			column = 0;
		}
		if (column > indent)
			column += fprintf(out, " ");
		else
			column += fprintf(out, "%*s", indent - column, "");
		column += fprintf(out, "%.*s", (int)word, text);
		text += word;
		if (*text == '\n') {
			fputs("\n", out);
			column = 0;
			for (; *text == '\n'; text++)
				if (text[1] == '\n')
					fputs("\n", out);
		} else if (*text) {
			text++;
		}
	}
	fputc('\n', out);
}

static void print_wrapped(FILE *out, const char *text, int indent)
{
	print_from(out, text, indent, 0);
}

/* A word and what it is; on a line of its own if it is too long or the terminal is narrow. */
static void print_pair(FILE *out, const char *word, int width, const char *what)
{
	int used = fprintf(out, "  %s", word);

	if (columns() < COLUMNS)
		width = 6;
	if (used > width + 2) {
		fputc('\n', out);
		used = 0;
	}
	print_from(out, what, width + 4, used);
}

static void print_command_line(FILE *out, const struct command *c)
{
	char both[128];

	snprintf(both, sizeof(both), "%s%s%s", c->name, *c->args ? " " : "", c->args);
	print_pair(out, both, 28, c->brief);
}

void help_usage(FILE *out)
{
	size_t i;

	fprintf(out,
		"netlab - a lab of real Linux machines from one JSON file\n\n"
		"Usage: netlab [-l LAB] COMMAND [OPTION...] [ARG...]\n\nCommands:\n");
	for (i = 0; i < command_count; i++)
		if (!(commands[i].flags & HIDDEN))
			print_command_line(out, &commands[i]);
	fprintf(out, "\n`netlab help COMMAND` says more. Begin with: netlab doctor\n");
}

static void print_option(FILE *out, const struct option_spec *o)
{
	char text[64];
	int used;

	used = o->letter ? snprintf(text, sizeof(text), "-%c, --%s", o->letter, o->name)
			 : snprintf(text, sizeof(text), "    --%s", o->name);
	if (o->value)
		snprintf(text + used, sizeof(text) - (size_t)used, " %s", o->value);
	print_pair(out, text, 24, o->brief);
}

static void print_help(FILE *out, const struct command *c)
{
	const struct option_spec *o;

	fprintf(out, "Usage: netlab %s%s%s%s\n\n", c->name,
		c->options ? " [OPTION...]" : "", *c->args ? " " : "", c->args);
	fprintf(out, "%c%s.\n", c->brief[0] - 'a' + 'A', c->brief + 1);
	if (c->more) {
		fputc('\n', out);
		print_wrapped(out, c->more, 0);
	}
	fputs("\nOptions:\n", out);
	for (o = c->options; o && o->name; o++)
		print_option(out, o);
	for (o = options_of_all; o->name; o++)
		if (command_takes(c, o) && strcmp(o->name, "version"))
			print_option(out, o);
}

int help_print(const struct command *command, const char *family)
{
	size_t i, bytes = family ? strlen(family) : 0;

	if (command) {
		print_help(stdout, command);
	} else if (family && command_family(family)) {
		printf("Commands:\n");
		for (i = 0; i < command_count; i++)
			if (!strncmp(commands[i].name, family, bytes) &&
			    commands[i].name[bytes] == ' ')
				print_command_line(stdout, &commands[i]);
	} else if (family) {
		ui_error("there is no command \"%s\"; `netlab help` lists them", family);
		return STATUS_USAGE;
	} else {
		help_usage(stdout);
	}
	return STATUS_DONE;
}

int cmd_help(struct command_call *call)
{
	const struct command *command;
	int used = 0;

	command = command_find(call->argc, call->argv, &used);
	if (command && used < call->argc) {
		ui_error("there is no command \"%s %s\"", call->argv[0], call->argv[1]);
		return STATUS_USAGE;
	}
	return help_print(command, call->argc ? call->argv[0] : NULL);
}

int cmd_version(struct command_call *call)
{
	if (call->json)
		printf("{\"version\": \"%s\"}\n", NETLAB_VERSION);
	else
		printf("netlab %s\n", NETLAB_VERSION);
	return STATUS_DONE;
}

/* ---- mdoc ---- */

/* A line of text as mdoc wants it: no line begins with . or ', backslashes and
 * hyphens are themselves, one sentence a line. */
static void man_text(FILE *out, const char *text)
{
	bool begin = true;

	for (; *text; text++) {
		if (begin && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		begin = false;
		if (*text == '\\') {
			fputs("\\e", out);
		} else if (*text == '\n') {
			while (text[1] == '\n')
				text++;
			fputs("\n.Pp\n", out);
			begin = true;
		} else if ((*text == '.' || *text == '?') && text[1] == ' ' &&
			   (text[2] < 'a' || text[2] > 'z')) {
			fprintf(out, "%c\n", *text++);
			begin = true;
		} else {
			fputc(*text, out);
		}
	}
	fputc('\n', out);
}

static void man_option(FILE *out, const struct option_spec *o)
{
	fputs(".It ", out);
	if (o->letter)
		fprintf(out, "Fl %c%s%s , ", o->letter, o->value ? " Ar " : "",
			o->value ? o->value : "");
	fprintf(out, "Fl Fl %s%s%s\n", o->name, o->value ? " Ar " : "",
		o->value ? o->value : "");
	man_text(out, o->brief);
}

static void man_command(FILE *out, const struct command *c)
{
	const struct option_spec *o;

	fprintf(out, ".It Cm %s", c->name);
	if (c->options)
		fputs(" Oo Ar option ... Oc", out);
	if (*c->args)
		fprintf(out, " No \"%s\"", c->args);
	fprintf(out, "\n%c%s.\n", c->brief[0] - 'a' + 'A', c->brief + 1);
	if (c->more)
		man_text(out, c->more);
	if (!c->options)
		return;
	fputs(".Bl -tag -width Ds\n", out);
	for (o = c->options; o->name; o++)
		man_option(out, o);
	fputs(".El\n", out);
}

void help_man(FILE *out)
{
	size_t i;

	fputs(".Bl -tag -width Ds\n", out);
	for (i = 0; i < command_count; i++)
		if (!(commands[i].flags & HIDDEN))
			man_command(out, &commands[i]);
	fputs(".El\n", out);
}

int cmd_man(struct command_call *call)
{
	(void)call;
	help_man(stdout);
	return STATUS_DONE;
}
