/* SPDX-License-Identifier: MIT */
#include "topology/refs.h"

#include <string.h>

#include "topology/fields.h"
#include "plan/names.h"
#include "base/suggestion.h"

/* n4, where there are n1 to n3, is no slip of the fingers. */
static bool differ_in_number(const char *a, const char *b)
{
	while (*a && *a == *b && !(*a >= '0' && *a <= '9')) {
		a++;
		b++;
	}
	return *a && *b && !a[strspn(a, "0123456789")] && !b[strspn(b, "0123456789")];
}

static void complain_missing(struct build *b, const struct tree *value, const char *name)
{
	const struct plan *plan = b->plan;
	struct suggestion near;

	suggestion_start(&near, name);
	/* Who has made fifty errors gets no more guesses: they cost time. */
	for (size_t i = 0; i < plan->node_count && b->diags->total < DIAGNOSTICS_MAX; i++)
		if (!differ_in_number(plan->nodes[i].name, name))
			suggestion_offer(&near, plan->nodes[i].name);
	complain_near(b->diags, value, near.best, "there is no node \"%s\"", name);
}

static void resolve_template(struct build *b, long index, struct refs *out)
{
	const struct node_template *template = &b->templates[index];

	out->nodes = arena_alloc(&b->arena, template->count * sizeof(*out->nodes));
	for (uint32_t i = 0; i < template->count; i++)
		out->nodes[out->count++] = template->first + i;
}

bool refs_resolve(struct build *b, const struct tree *value, const char *text,
		  size_t size, struct refs *out)
{
	char name[PLAN_NAME_BYTES_MAX];
	struct range range;
	struct why why;
	long index;

	*out = (struct refs){ 0 };
	if (range_parse(&range, text, size, &why)) {
		complain(b->diags, value, "%s", why.text);
		return false;
	}
	range_name(&range, 0, name);
	index = strmap_get(&b->template_by_key, name);
	if (!range.span_count && index >= 0 && strmap_get(&b->node_by_name, name) < 0) {
		resolve_template(b, index, out);
		return true;
	}
	out->nodes = arena_alloc(&b->arena, range.total * sizeof(*out->nodes));
	for (size_t i = 0; i < range.total; i++) {
		range_name(&range, i, name);
		index = strmap_get(&b->node_by_name, name);
		if (index < 0) {
			complain_missing(b, value, name);
			return false;
		}
		out->nodes[out->count++] = (uint32_t)index;
	}
	return true;
}

static void append(struct build *b, struct refs *out, size_t *room, uint32_t node)
{
	if (out->count == *room) {
		uint32_t *old = out->nodes;

		*room = *room ? 2 * *room : 4;
		out->nodes = arena_alloc(&b->arena, *room * sizeof(*out->nodes));
		if (out->count)
			memcpy(out->nodes, old, out->count * sizeof(*old));
	}
	out->nodes[out->count++] = node;
}

bool refs_resolve_list(struct build *b, const struct tree *array, struct refs *out)
{
	uint32_t stamp = ++b->seen_stamp;
	size_t room = 0;
	bool good = true;

	*out = (struct refs){ 0 };
	tree_each(item, array) {
		const char *text = field_text(b->diags, item);
		struct refs refs = { 0 };

		if (diagnostics_enough(b->diags))
			return false;
		good &= text && refs_resolve(b, item, text, strlen(text), &refs);
		for (size_t i = 0; i < refs.count; i++) {
			uint32_t node = refs.nodes[i];

			if (b->seen[node] == stamp) {
				complain(b->diags, item, "%s is in this list twice",
					 b->plan->nodes[node].name);
				good = false;
				break;
			}
			b->seen[node] = stamp;
			append(b, out, &room, node);
		}
	}
	return good;
}
