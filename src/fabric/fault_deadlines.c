/* SPDX-License-Identifier: MIT */
#include "fabric/fault_deadlines.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/ns.h"
#include "base/units.h"
#include "faultwords/fault_words.h"

/* What of one direction is only for a while: the first member is how it is found. */
struct direction {
	struct fault_at at;
	struct fault_deadlines *all;
	struct timer timer;
	size_t count, room;
	struct fault_end *ends;
};

struct fault_deadlines {
	struct clock *clock;
	void *tree; /* of struct direction, by at */
	size_t count;
	int (*over)(void *ctx, const struct fault_at *at, const struct fault_end *due,
		    size_t count);
	void *ctx;
};

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_at(const void *left, const void *right)
{
	const struct fault_at *a = left, *b = right;
	int order = by_number(a->pair, b->pair);

	if (order)
		return order;
	if (!a->pair) {
		order = by_number(a->link, b->link);
		return order ? order : by_number((uint64_t)a->dir, (uint64_t)b->dir);
	}
	order = by_number(a->segment, b->segment);
	if (!order)
		order = by_number(a->from.node, b->from.node);
	if (!order)
		order = by_number(a->from.interface, b->from.interface);
	if (!order)
		order = by_number(a->to.node, b->to.node);
	return order ? order : by_number(a->to.interface, b->to.interface);
}

static struct direction *find(const struct fault_deadlines *all,
			      const struct fault_at *at)
{
	void *node = tfind(at, &all->tree, by_at);

	return node ? *(struct direction **)node : NULL;
}

static void free_direction(struct direction *direction)
{
	timer_cancel(direction->all->clock, &direction->timer);
	free(direction->ends);
	free(direction);
}

/* Wait for the first of them; without any, nothing is left to know. */
static void settle(struct direction *direction)
{
	uint64_t first_ns = UINT64_MAX;

	for (size_t i = 0; i < direction->count; i++)
		if (direction->ends[i].due_ns < first_ns)
			first_ns = direction->ends[i].due_ns;
	if (direction->count) {
		timer_set(direction->all->clock, &direction->timer, first_ns);
		return;
	}
	direction->all->count--;
	tdelete(&direction->at, &direction->all->tree, by_at);
	free_direction(direction);
}

static void take_out(struct direction *direction, size_t i)
{
	memmove(&direction->ends[i], &direction->ends[i + 1],
		(--direction->count - i) * sizeof(*direction->ends));
}

static void on_due(void *ctx, uint64_t now_ns)
{
	struct direction *direction = ctx;
	struct fault_deadlines *all = direction->all;
	struct fault_at at = direction->at;
	struct fault_end due[FAULT_ENDS_MAX] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < direction->count;) {
		if (direction->ends[i].due_ns > now_ns) {
			i++;
			continue;
		}
		due[count++] = direction->ends[i];
		take_out(direction, i);
	}
	if (all->over(all->ctx, &at, due, count)) {
		/* Short of memory: once more in a second, rather than never. */
		for (size_t i = 0; i < count; i++) {
			due[i].due_ns = ns_add(now_ns, NS_PER_S);
			direction->ends[direction->count++] = due[i];
		}
	}
	fault_deadlines_tidy(all, &at);
}

int fault_deadlines_create(struct fault_deadlines **out, struct clock *clock,
			   int (*over)(void *ctx, const struct fault_at *at,
				       const struct fault_end *due, size_t count),
			   void *ctx, struct why *why)
{
	struct fault_deadlines *all = calloc(1, sizeof(*all));

	if (!all)
		return why_set(why, -ENOMEM, "deadlines: out of memory");
	all->clock = clock;
	all->over = over;
	all->ctx = ctx;
	*out = all;
	return 0;
}

static void free_node(void *node)
{
	free_direction(node);
}

void fault_deadlines_destroy(struct fault_deadlines *deadlines)
{
	if (!deadlines)
		return;
	tdestroy(deadlines->tree, free_node);
	free(deadlines);
}

static struct direction *add_direction(struct fault_deadlines *all,
				       const struct fault_at *at)
{
	struct direction *direction = calloc(1, sizeof(*direction));

	if (!direction)
		return NULL;
	direction->at = *at;
	direction->all = all;
	direction->timer = (struct timer){ .fire = on_due, .ctx = direction };
	if (!tsearch(direction, &all->tree, by_at)) {
		free(direction);
		return NULL;
	}
	all->count++;
	return direction;
}

int fault_deadlines_room(struct fault_deadlines *deadlines, const struct fault_at *at,
			 size_t more, struct why *why)
{
	struct fault_deadlines *all = deadlines;
	struct direction *direction = find(all, at);
	struct fault_end *grown;
	size_t room;

	if (!more)
		return 0;
	if (!direction && all->count == FAULT_DEADLINES_MAX)
		return why_set(why, -ENOSPC,
			       "%d directions have faults with an end already: clear "
			       "some",
			       FAULT_DEADLINES_MAX);
	if (!direction)
		direction = add_direction(all, at);
	room = direction ? direction->count + more : 0;
	if (room > FAULT_ENDS_MAX)
		return why_set(why, -ENOSPC, "more than %d parts of a fault with an end",
			       FAULT_ENDS_MAX);
	if (direction && room <= direction->room)
		return 0;
	grown = direction ? reallocarray(direction->ends, room, sizeof(*grown)) : NULL;
	if (!grown)
		return why_set(why, -ENOMEM, "deadlines: out of memory");
	direction->ends = grown;
	direction->room = room;
	return 0;
}

void fault_deadlines_tidy(struct fault_deadlines *deadlines, const struct fault_at *at)
{
	struct direction *direction = find(deadlines, at);

	if (direction)
		settle(direction);
}

void fault_deadlines_add(struct fault_deadlines *deadlines, const struct fault_at *at,
			 const struct fault_end *end)
{
	struct direction *direction = find(deadlines, at);

	ASSERT(direction && direction->count < direction->room);
	direction->ends[direction->count++] = *end;
}

void fault_deadlines_drop_keys(struct fault_deadlines *deadlines,
			       const struct fault_at *at, uint64_t keys)
{
	struct direction *direction = find(deadlines, at);

	for (size_t i = direction ? direction->count : 0; i-- > 0;) {
		struct fault_end *end = &direction->ends[i];

		end->keys &= ~keys;
		if (!*end->rule && !end->keys)
			take_out(direction, i);
	}
}

void fault_deadlines_drop_rule(struct fault_deadlines *deadlines,
			       const struct fault_at *at, const char *rule)
{
	struct direction *direction = find(deadlines, at);

	for (size_t i = direction ? direction->count : 0; i-- > 0;)
		if (!strcmp(direction->ends[i].rule, rule))
			take_out(direction, i);
}

void fault_deadlines_forget(struct fault_deadlines *deadlines, const struct fault_at *at)
{
	struct direction *direction = find(deadlines, at);

	if (direction)
		direction->count = 0;
}

static void put(json_t **all, const char *key, uint64_t due_ns)
{
	char due[UNITS_TEXT_BYTES_MAX];

	if (!*all)
		*all = json_object();
	json_object_set_new(*all, key, json_string(units_format_ns(due, due_ns)));
}

json_t *fault_deadlines_json(const struct fault_deadlines *deadlines,
			     const struct fault_at *at, const json_t *fault)
{
	const struct direction *direction = deadlines ? find(deadlines, at) : NULL;
	uint64_t whole = fault_key_bit("profile");
	json_t *all = NULL;

	for (size_t i = 0; direction && i < direction->count; i++) {
		const struct fault_end *end = &direction->ends[i];
		bool said = *end->rule; /* a rule says itself until when it is */

		for (const char *const *key = fault_word_keys(); *key; key++)
			if (end->keys & fault_key_bit(*key) &&
			    (!(end->keys & whole) || json_object_get(fault, *key))) {
				put(&all, *key, end->due_ns);
				said = true;
			}
		if (!said)
			put(&all, "all", end->due_ns);
	}
	return all;
}
