/* SPDX-License-Identifier: MIT */
#include "topology/cost.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "topology/fields.h"

static const char *const words[] = { "syscall", "switch", NULL };

static uint32_t *field_of(struct plan_cost *cost, size_t word)
{
	return word == 0 ? &cost->syscall_ns : &cost->switch_ns;
}

bool cost_read(struct diagnostics *diags, const struct tree *value, struct plan_cost *out)
{
	const struct tree *object = field_object(diags, value);

	if (!object)
		return false;
	*out = (struct plan_cost){ 0 };
	field_keys(diags, object, words, false);
	for (size_t i = 0; words[i]; i++) {
		uint64_t ns = 0;

		field_quantity(diags, tree_get(object, words[i]), units_parse_ns, "300ns",
			       0, COST_NS_MAX, "0ns and 1ms", &ns);
		*field_of(out, i) = (uint32_t)ns;
	}
	out->syscall_given = tree_get(object, words[0]) != NULL;
	return true;
}

/* One of "syscall=300ns". */
static int parse_one(const char *text, struct plan_cost *out, unsigned *seen,
		     struct why *why)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : 0, i = 0;
	uint64_t ns;
	int err;

	while (words[i] &&
	       (strlen(words[i]) != length || strncmp(words[i], text, length) != 0))
		i++;
	if (!equals || !words[i])
		return why_set(why, -EINVAL,
			       "\"%.40s\": write syscall=TIME, switch=TIME or both, such "
			       "as syscall=300ns,switch=2us",
			       text);
	if (*seen & (1U << i))
		return why_set(why, -EINVAL, "%s is given twice", words[i]);
	err = units_parse_ns(equals + 1, &ns, why);
	if (err)
		return err;
	if (ns > COST_NS_MAX)
		return why_set(why, -EINVAL, "%s=%.40s: at most 1ms", words[i],
			       equals + 1);
	*seen |= 1U << i;
	*field_of(out, i) = (uint32_t)ns;
	return 0;
}

int cost_parse(const char *text, struct plan_cost *out, struct why *why)
{
	struct plan_cost cost = { 0 };
	unsigned seen = 0;

	for (;;) {
		size_t length = strcspn(text, ",");
		char one[80];
		int err;

		snprintf(one, sizeof(one), "%.*s", (int)length, text);
		err = parse_one(one, &cost, &seen, why);
		if (err)
			return err;
		if (!text[length])
			break;
		text += length + 1;
	}
	cost.syscall_given = seen & 1U;
	*out = cost;
	return 0;
}
