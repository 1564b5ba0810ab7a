/* SPDX-License-Identifier: MIT */
#include "lab/fault_deadlines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

struct fault_deadlines {
	struct clock *clock;
	struct timer timer;
	struct fault_deadline *items; /* in no order: there are few */
	size_t count;
	void (*over)(void *ctx, const struct fault_deadline *due, size_t count);
	void *ctx;
};

static void arm(struct fault_deadlines *d)
{
	uint64_t first_ns = UINT64_MAX;

	for (size_t i = 0; i < d->count; i++)
		if (d->items[i].due_ns < first_ns)
			first_ns = d->items[i].due_ns;
	if (d->count)
		timer_set(d->clock, &d->timer, first_ns);
	else
		timer_cancel(d->clock, &d->timer);
}

static void take_out(struct fault_deadlines *d, size_t i)
{
	memmove(&d->items[i], &d->items[i + 1], (--d->count - i) * sizeof(*d->items));
}

static void on_due(void *ctx, uint64_t now_ns)
{
	struct fault_deadlines *d = ctx;
	struct fault_deadline *due = malloc((d->count + 1) * sizeof(*due));

	/* Short of memory: once more in a second, rather than never. */
	if (!due) {
		timer_set(d->clock, &d->timer, now_ns + UINT64_C(1000000000));
		return;
	}
	for (;;) {
		size_t first = 0, count = 0;

		while (first < d->count && d->items[first].due_ns > now_ns)
			first++;
		if (first == d->count)
			break;
		due[count++] = d->items[first];
		take_out(d, first);
		for (size_t i = first; i < d->count;) {
			if (d->items[i].due_ns > now_ns ||
			    !fault_at_equal(&d->items[i].at, &due[0].at)) {
				i++;
				continue;
			}
			due[count++] = d->items[i];
			take_out(d, i);
		}
		d->over(d->ctx, due, count);
	}
	free(due);
	arm(d);
}

int fault_deadlines_create(struct fault_deadlines **out, struct clock *clock,
			   void (*over)(void *ctx, const struct fault_deadline *due,
					size_t count),
			   void *ctx, struct why *why)
{
	struct fault_deadlines *d = calloc(1, sizeof(*d));

	if (!d)
		return why_set(why, -ENOMEM, "deadlines: out of memory");
	d->clock = clock;
	d->timer = (struct timer){ .fire = on_due, .ctx = d };
	d->over = over;
	d->ctx = ctx;
	*out = d;
	return 0;
}

void fault_deadlines_destroy(struct fault_deadlines *deadlines)
{
	if (!deadlines)
		return;
	timer_cancel(deadlines->clock, &deadlines->timer);
	free(deadlines->items);
	free(deadlines);
}

int fault_deadlines_set(struct fault_deadlines *deadlines, const struct fault_at *at,
			const char *rule, const char *key, uint64_t due_ns,
			struct why *why)
{
	struct fault_deadlines *d = deadlines;
	struct fault_deadline *grown;

	for (size_t i = 0; i < d->count; i++)
		if (fault_at_equal(&d->items[i].at, at) &&
		    !strcmp(d->items[i].rule, rule) && !strcmp(d->items[i].key, key)) {
			take_out(d, i);
			break;
		}
	if (due_ns) {
		if (d->count == FAULT_DEADLINES_MAX)
			return why_set(why, -ENOSPC, "more than %d faults with an end",
				       FAULT_DEADLINES_MAX);
		grown = reallocarray(d->items, d->count + 1, sizeof(*grown));
		if (!grown)
			return why_set(why, -ENOMEM, "deadlines: out of memory");
		d->items = grown;
		grown = &d->items[d->count++];
		*grown = (struct fault_deadline){ .at = *at, .due_ns = due_ns };
		snprintf(grown->rule, sizeof(grown->rule), "%s", rule);
		snprintf(grown->key, sizeof(grown->key), "%s", key);
	}
	arm(d);
	return 0;
}

void fault_deadlines_forget(struct fault_deadlines *deadlines, const struct fault_at *at)
{
	for (size_t i = 0; i < deadlines->count;) {
		if (fault_at_equal(&deadlines->items[i].at, at))
			take_out(deadlines, i);
		else
			i++;
	}
	arm(deadlines);
}

json_t *fault_deadlines_json(const struct fault_deadlines *deadlines,
			     const struct fault_at *at)
{
	json_t *all = NULL;

	for (size_t i = 0; deadlines && i < deadlines->count; i++) {
		const struct fault_deadline *one = &deadlines->items[i];
		char due[UNITS_TEXT_BYTES_MAX];

		if (!fault_at_equal(&one->at, at) || *one->rule)
			continue; /* a rule says itself until when it is */
		if (!all)
			all = json_object();
		json_object_set_new(all, one->key,
				    json_string(units_format_ns(due, one->due_ns)));
	}
	return all;
}
