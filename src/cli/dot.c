/* SPDX-License-Identifier: MIT */
#include "cli/dot.h"

#include "faultwords/fault_words.h"
#include "plan/plan_json.h"

void dot_quoted(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void fault_label(FILE *out, const char *way, const struct fault_spec *spec)
{
	char text[FAULT_WORDS_BYTES_MAX];

	if (fault_spec_is_perfect(spec))
		return;
	fprintf(out, "\\n%s ", way);
	dot_quoted(out, fault_words_format(spec, text));
}

static void print_node(FILE *out, const struct plan_node *node)
{
	char addr[PLAN_ADDR_BYTES_MAX];
	size_t i, k;

	fprintf(out, "\t\"node %s\" [shape=box, label=\"%s", node->name, node->name);
	for (i = 0; i < node->interface_count; i++)
		for (k = 0; k < node->interfaces[i].addr_count; k++)
			fprintf(out, "\\n%s %s", node->interfaces[i].name,
				plan_addr_format(&node->interfaces[i].addrs[k], true,
						 addr));
	fputs("\"];\n", out);
}

static void print_link(FILE *out, const struct plan *plan, const struct plan_link *link)
{
	const struct plan_node *a = &plan->nodes[link->a.node];
	const char *head;

	fprintf(out, "\t\"node %s\" -- ", a->name);
	if (link->b_kind == LINK_TO_SEGMENT) {
		head = "";
		fprintf(out, "\"net %s\"", plan->segments[link->segment].name);
	} else {
		head = plan->nodes[link->b.node].interfaces[link->b.interface].name;
		fprintf(out, "\"node %s\"", plan->nodes[link->b.node].name);
	}
	fprintf(out, " [taillabel=\"%s\", headlabel=\"%s\", label=\"",
		a->interfaces[link->a.interface].name, head);
	if (link->b_kind == LINK_TO_INTERFACE)
		dot_quoted(out, link->name);
	fault_label(out, "->", link->fault[DIR_AB]);
	fault_label(out, "<-", link->fault[DIR_BA]);
	fputs("\"];\n", out);
}

void dot_print(const struct plan *plan, FILE *out)
{
	size_t i;

	fprintf(out,
		"graph \"%s\" {\n\tnode [fontname=\"sans-serif\"];\n"
		"\tedge [fontname=\"sans-serif\", fontsize=9];\n",
		plan->name);
	for (i = 0; i < plan->node_count; i++)
		print_node(out, &plan->nodes[i]);
	for (i = 0; i < plan->segment_count; i++)
		fprintf(out, "\t\"net %s\" [shape=ellipse, label=\"%s\"];\n",
			plan->segments[i].name, plan->segments[i].name);
	for (i = 0; i < plan->link_count; i++)
		print_link(out, plan, &plan->links[i]);
	fputs("}\n", out);
}
