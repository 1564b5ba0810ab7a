/* SPDX-License-Identifier: MIT */
#include "cli/live_graph.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/dot.h"

/* More arrows than these hide what is below them. */
enum { CUTS_DRAWN_MAX = 60 };

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static const char *colour_of(const char *state)
{
	static const struct {
		const char *state, *colour;
	} colours[] = { { "ready", "#d9f2d9" }, { "failed", "#f7c6c5" },
			{ "stopped", "#d9d9d9" }, { "lost", "#f7c6c5" },
			{ "paused", "#d9d9d9" } };

	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (!strcmp(colours[i].state, state))
			return colours[i].colour;
	return "#fff2cc"; /* on its way */
}

static void print_node(FILE *out, const json_t *node)
{
	bool paused = json_is_true(json_object_get(node, "paused"));
	const char *name = word(node, "name"),
		   *state = paused ? "paused" : word(node, "state");
	const json_t *addr;
	size_t i;

	fprintf(out, "\t\"node %s\" [shape=box, style=filled, fillcolor=\"%s\", label=\"%s",
		name, colour_of(state), name);
	json_array_foreach(json_object_get(node, "addrs"), i, addr)
		fprintf(out, "\\n%s", json_string_value(addr));
	if (strcmp(state, "ready") != 0)
		fprintf(out, "\\n%s", state);
	fputs("\"];\n", out);
}

/* "n1:eth0" */
static void print_end(FILE *out, const char *end)
{
	fprintf(out, "\"node %.*s\"", (int)strcspn(end, ":"), end);
}

static const char *interface_of(const char *end)
{
	const char *colon = strchr(end, ':');

	return colon ? colon + 1 : "";
}

static bool is_up(const json_t *direction)
{
	return !json_is_false(
		json_object_get(json_object_get(direction, "now"), "up"));
}

static void print_link(FILE *out, const json_t *link, const json_t *there,
		       const json_t *back)
{
	const char *a = word(link, "a"), *b = word(link, "b"),
		   *words[] = { word(there, "words"), word(back, "words") };
	bool up = is_up(there) && is_up(back);

	fputc('\t', out);
	print_end(out, a);
	fputs(" -- ", out);
	if (*b)
		print_end(out, b);
	else
		fprintf(out, "\"net %s\"", word(link, "network"));
	fprintf(out, " [taillabel=\"%s\", headlabel=\"%s\"%s, label=\"", interface_of(a),
		interface_of(b), up ? "" : ", style=dotted, color=red");
	if (*b)
		dot_quoted(out, word(link, "name"));
	for (int dir = 0; dir < 2; dir++)
		if (*words[dir] && strcmp(words[dir], "-") != 0) {
			fputs(dir ? "\\n<- " : "\\n-> ", out);
			dot_quoted(out, words[dir]);
		}
	fputs("\"];\n", out);
}

/* Directions come link by link, both ways of each; pairs behind them. */
static void print_links(FILE *out, const json_t *lab)
{
	const json_t *directions = json_object_get(lab, "directions"), *link;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(lab, "plan"), "links"), i, link)
		print_link(out, link, json_array_get(directions, 2 * i),
			   json_array_get(directions, 2 * i + 1));
}

/* The place of that cut in the list, or its end. */
static size_t find_cut(const json_t *cuts, const json_t *from, const json_t *to)
{
	const json_t *cut;
	size_t i;

	json_array_foreach(cuts, i, cut)
	{
		if (json_equal(json_array_get(cut, 0), from) &&
		    json_equal(json_array_get(cut, 1), to))
			break;
	}
	return i;
}

static void print_cuts(FILE *out, const json_t *cuts)
{
	const json_t *cut;
	size_t i, back;

	json_array_foreach(cuts, i, cut)
	{
		const json_t *from = json_array_get(cut, 0), *to = json_array_get(cut, 1);

		if (i == CUTS_DRAWN_MAX)
			return;
		back = find_cut(cuts, to, from);
		if (back < i)
			continue; /* drawn with that one */
		fprintf(out,
			"\t\"node %s\" -- \"node %s\" [%s, arrowhead=tee, style=dashed, "
			"color=red, constraint=false];\n",
			json_string_value(from), json_string_value(to),
			back < json_array_size(cuts) ? "dir=both, arrowtail=tee"
						     : "dir=forward");
	}
}

void live_graph_print(const json_t *lab, FILE *out)
{
	const json_t *plan = json_object_get(lab, "plan"), *one,
		     *cuts = json_object_get(lab, "cuts");
	size_t i;

	fprintf(out,
		"graph \"%s\" {\n\tnode [fontname=\"sans-serif\"];\n"
		"\tedge [fontname=\"sans-serif\", fontsize=9];\n"
		"\tlabel=\"%s: %s, at %.3f s",
		word(lab, "lab"), word(lab, "lab"), word(lab, "state"),
		(double)json_integer_value(json_object_get(lab, "now_ns")) / 1e9);
	if (json_array_size(cuts) > CUTS_DRAWN_MAX)
		fprintf(out, "; %zu of %zu cuts are drawn", (size_t)CUTS_DRAWN_MAX,
			json_array_size(cuts));
	fputs("\";\n", out);
	json_array_foreach(json_object_get(lab, "nodes"), i, one)
		print_node(out, one);
	json_array_foreach(json_object_get(plan, "networks"), i, one)
		fprintf(out, "\t\"net %s\" [shape=ellipse, label=\"%s\"];\n",
			word(one, "name"), word(one, "name"));
	print_links(out, lab);
	print_cuts(out, cuts);
	fputs("}\n", out);
}
