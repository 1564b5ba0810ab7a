/* SPDX-License-Identifier: MIT */
#include "linkfault/passage.h"

static bool loses_all(const struct fault_rule *rule)
{
	if (rule->corrupt.p_ppb == FAULT_PPB_ALL && rule->corrupt_mode == CORRUPT_FCS &&
	    !rule->corrupt_at)
		return true;
	if (rule->ecn)
		return false; /* marks some instead */
	switch (rule->loss_model) {
	case LOSS_RANDOM:
		return rule->loss.p_ppb == FAULT_PPB_ALL;
	case LOSS_GEMODEL:
		return rule->loss_p_ppb[2] == FAULT_PPB_ALL &&
		       rule->loss_p_ppb[3] == FAULT_PPB_ALL;
	case LOSS_EVERY:
		return rule->loss_every == 1;
	case LOSS_STATE:
	case LOSS_LISTED:
		break;
	}
	return false;
}

static enum fault_passage of_rule(const struct fault_rule *rule, uint64_t now_ns)
{
	bool at_times = rule->when.on_ns || *rule->in;

	if (!fault_rule_is_for_all(rule) || (rule->until_ns && now_ns >= rule->until_ns))
		return PASSAGE_OPEN;
	if (rule->down)
		return at_times ? PASSAGE_AT_TIMES : PASSAGE_DOWN;
	if (loses_all(rule))
		return at_times ? PASSAGE_AT_TIMES : PASSAGE_LOST;
	return rule->flap.on_ns ? PASSAGE_AT_TIMES : PASSAGE_OPEN;
}

enum fault_passage fault_passage(const struct fault_spec *spec, uint64_t now_ns)
{
	enum fault_passage worst = PASSAGE_OPEN, one;

	for (uint32_t i = 0; spec && i < spec->count; i++) {
		one = of_rule(&spec->rule[i], now_ns);
		worst = one > worst ? one : worst;
	}
	return worst;
}
