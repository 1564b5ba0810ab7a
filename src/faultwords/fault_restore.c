/* SPDX-License-Identifier: MIT */
#include "faultwords/fault_restore.h"

#include <errno.h>
#include <string.h>

#include "faultwords/fault_word_table.h"

/* The words' fields of one rule into another, each reference counted. */
static void take_keys(struct fault_rule *to, const struct fault_rule *from, uint64_t keys)
{
	struct fault_rule before = *to, now = *to;

	for (size_t i = 0; i < fault_word_count; i++)
		if (keys >> i & 1)
			fault_word_take(&fault_words[i], &now, from);
	fault_rule_copy(to, &now);
	fault_rule_clear(&before);
}

static const struct fault_rule *own_rule(const struct fault_spec *spec)
{
	static const struct fault_rule nothing;

	return spec ? &spec->rule[0] : &nothing;
}

/* const: rule 0 is no named one. */
static const struct fault_rule *named(const struct fault_spec *spec, const char *name)
{
	for (uint32_t i = 1; spec && i < spec->count; i++)
		if (!strcmp(spec->rule[i].name, name))
			return &spec->rule[i];
	return NULL;
}

static int take_rule(struct fault_spec **now, const struct fault_restore *what,
		     const char *name, struct why *why)
{
	const struct fault_rule *planned = named(what->from, name);
	struct fault_rule *at = fault_spec_rule(*now, name);
	int err = 0;

	if (!planned || (planned->until_ns && planned->until_ns <= what->now_ns)) {
		if (at)
			fault_spec_remove(*now, at);
		return 0;
	}
	if (!at)
		err = fault_spec_add(now, name, &at, why);
	if (err)
		return err;
	fault_rule_clear(at);
	fault_rule_copy(at, planned);
	return 0;
}

/* The file's rules first, in its order: of lines, that of the last one counts. */
static void order_rules(struct fault_spec *now, const struct fault_spec *from)
{
	uint32_t at = 1;

	for (uint32_t i = 1; from && i < from->count; i++) {
		struct fault_rule *rule = fault_spec_rule(now, from->rule[i].name);
		struct fault_rule moved;

		if (!rule)
			continue;
		moved = *rule;
		memmove(&now->rule[at + 1], &now->rule[at],
			(size_t)(rule - &now->rule[at]) * sizeof(moved));
		now->rule[at++] = moved;
	}
}

/* Take the keys as well, if the whole makes sense then. */
static bool helps(struct fault_spec *now, const struct fault_spec *from, uint64_t keys)
{
	struct fault_rule before;
	bool good;

	fault_rule_copy(&before, &now->rule[0]);
	take_keys(&now->rule[0], own_rule(from), keys);
	good = fault_spec_check(now, NULL) == 0;
	if (!good)
		take_keys(&now->rule[0], &before, keys);
	fault_rule_clear(&before);
	return good;
}

/* One word more, or all; or everything is as it was planned. */
static int take_needs(struct fault_spec **now, const struct fault_spec *from,
		      struct why *why)
{
	struct fault_spec *planned;

	for (size_t i = 0; i < fault_word_count; i++)
		if (helps(*now, from, UINT64_C(1) << i))
			return 0;
	if (helps(*now, from, FAULT_KEYS_ALL))
		return 0;
	planned = fault_spec_copy(from);
	if (!planned)
		return why_set(why, -ENOMEM, "fault: out of memory");
	fault_spec_free(*now);
	*now = planned;
	return 0;
}

int fault_restore(struct fault_spec **spec, struct fault_restore *what, struct why *why)
{
	struct fault_spec *now = fault_spec_copy(*spec);
	int err = 0;

	what->took_more = false;
	if (!now)
		return why_set(why, -ENOMEM, "fault: out of memory");
	take_keys(&now->rule[0], own_rule(what->from), what->keys);
	for (size_t i = 0; !err && i < what->rule_count; i++)
		err = take_rule(&now, what, what->rules[i], why);
	if (!err && what->rule_count)
		order_rules(now, what->from);
	if (!err)
		err = fault_spec_check(now, why);
	if (err == -EINVAL && what->with_needs) {
		what->took_more = true;
		err = take_needs(&now, what->from, why);
	}
	if (err) {
		fault_spec_free(now);
		return err;
	}
	fault_spec_free(*spec);
	*spec = fault_spec_is_empty(now) ? NULL : now;
	if (!*spec)
		fault_spec_free(now);
	return 0;
}

bool fault_restore_is_same(const struct fault_spec *a, const struct fault_spec *b,
			   const char *rule)
{
	const struct fault_rule *in_a = named(a, rule), *in_b = named(b, rule);
	char text_a[FAULT_WORD_BYTES_MAX], text_b[FAULT_WORD_BYTES_MAX];
	const struct fault_word *word;

	if (!in_a || !in_b)
		return in_a == in_b;
	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++) {
		bool shown = fault_word_show(word, in_a, text_a);

		if (shown != fault_word_show(word, in_b, text_b) ||
		    (shown && strcmp(text_a, text_b) != 0))
			return false;
	}
	return true;
}
