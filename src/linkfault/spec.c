/* SPDX-License-Identifier: MIT */
#include "linkfault/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "linkfault/rule_name.h"

static struct fault_spec *with_room(uint32_t count)
{
	struct fault_spec *spec =
		calloc(1, sizeof(*spec) + count * sizeof(struct fault_rule));

	if (spec)
		*spec = (struct fault_spec){ .refs = 1, .count = count };
	return spec;
}

struct fault_spec *fault_spec_create(void)
{
	return with_room(1);
}

struct fault_spec *fault_spec_of(const struct fault_rule *rule)
{
	struct fault_spec *spec = with_room(1);

	if (spec)
		fault_rule_copy(&spec->rule[0], rule);
	return spec;
}

struct fault_spec *fault_spec_copy(const struct fault_spec *spec)
{
	struct fault_spec *copy = with_room(spec ? spec->count : 1);

	for (uint32_t i = 0; copy && spec && i < spec->count; i++)
		fault_rule_copy(&copy->rule[i], &spec->rule[i]);
	return copy;
}

struct fault_spec *fault_spec_ref(struct fault_spec *spec)
{
	if (spec)
		spec->refs++;
	return spec;
}

void fault_spec_free(struct fault_spec *spec)
{
	if (!spec)
		return;
	ASSERT(spec->refs > 0);
	if (--spec->refs)
		return;
	for (uint32_t i = 0; i < spec->count; i++)
		fault_rule_clear(&spec->rule[i]);
	free(spec);
}

struct fault_rule *fault_spec_rule(struct fault_spec *spec, const char *name)
{
	for (uint32_t i = 0; i < spec->count; i++)
		if (!strcmp(spec->rule[i].name, name))
			return &spec->rule[i];
	return NULL;
}

int fault_spec_add(struct fault_spec **spec, const char *name, struct fault_rule **rule,
		   struct why *why)
{
	uint32_t count = (*spec)->count;
	struct fault_spec *grown;

	ASSERT((*spec)->refs == 1);
	if (count == FAULT_RULES_MAX)
		return why_set(why, -ENOSPC,
			       "faults: at most %d rules beside the link's own",
			       FAULT_RULES_MAX - 1);
	grown = realloc(*spec, sizeof(*grown) + (count + 1) * sizeof(struct fault_rule));
	if (!grown)
		return why_set(why, -ENOMEM, "fault: out of memory");
	*spec = grown;
	*rule = &grown->rule[grown->count++];
	**rule = (struct fault_rule){ 0 };
	snprintf((*rule)->name, sizeof((*rule)->name), "%s", name);
	(*rule)->name_number = rule_name_number((*rule)->name);
	return 0;
}

void fault_spec_remove(struct fault_spec *spec, const struct fault_rule *rule)
{
	uint32_t at = (uint32_t)(rule - spec->rule);

	ASSERT(spec->refs == 1 && at > 0 && at < spec->count);
	fault_rule_clear(&spec->rule[at]);
	spec->count--;
	memmove(&spec->rule[at], &spec->rule[at + 1],
		(spec->count - at) * sizeof(*spec->rule));
}

bool fault_spec_is_perfect(const struct fault_spec *spec)
{
	for (uint32_t i = 0; spec && i < spec->count; i++)
		if (!fault_rule_is_idle(&spec->rule[i]))
			return false;
	return true;
}

bool fault_spec_has_line(const struct fault_spec *spec, uint32_t index)
{
	if (index)
		return !*spec->rule[index].in && fault_rule_has_line(&spec->rule[index]);
	for (uint32_t i = 1; spec->rule[0].states && i < spec->count; i++)
		if (*spec->rule[i].in && fault_rule_has_line(&spec->rule[i]))
			return true;
	return fault_rule_has_line(&spec->rule[0]);
}

bool fault_spec_is_empty(const struct fault_spec *spec)
{
	static const struct fault_rule none;

	/* All-zero and nothing else: padding was zeroed with it. */
	return !spec || /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	       (spec->count == 1 && !memcmp(&spec->rule[0], &none, sizeof(none)));
}

/* Of rule 0 only: the others are for some frames, and only add. */
uint64_t fault_spec_least_delay_ns(const struct fault_spec *spec)
{
	const struct fault_rule *rule;

	if (!spec)
		return 0;
	rule = &spec->rule[0];
	if (rule->reorder.p_ppb)
		return 0;
	if (!rule->jitter_ns && rule->distribution < DIST_SAMPLES)
		return rule->delay_ns;
	if (rule->distribution == DIST_UNIFORM)
		return rule->delay_ns - rule->jitter_ns;
	return 0;
}
