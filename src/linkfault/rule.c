/* SPDX-License-Identifier: MIT */
#include "linkfault/rule.h"

void fault_rule_copy(struct fault_rule *to, const struct fault_rule *from)
{
	*to = *from;
	filter_ref(to->filter);
	fault_chain_ref(to->states);
	fault_data_ref(to->loss_list);
	fault_data_ref(to->corrupt_at);
	fault_data_ref(to->capacity);
	fault_data_ref(to->table);
	fault_data_ref(to->slot_table);
}

void fault_rule_clear(struct fault_rule *rule)
{
	filter_free(rule->filter);
	fault_chain_free(rule->states);
	fault_data_free(rule->loss_list);
	fault_data_free(rule->corrupt_at);
	fault_data_free(rule->capacity);
	fault_data_free(rule->table);
	fault_data_free(rule->slot_table);
	*rule = (struct fault_rule){ 0 };
}

bool fault_rule_is_idle(const struct fault_rule *rule)
{
	return !rule->down && !rule->flap.on_ns && !rule->mtu_bytes &&
	       !rule->duplicate.p_ppb && !rule->replay_ppb &&
	       !fault_rule_has_loss(rule) && !rule->corrupt.p_ppb &&
	       !fault_rule_has_line(rule) && !fault_rule_has_delay(rule);
}
