/* SPDX-License-Identifier: MIT */
#include "linkfault/rule.h"

#include "linkfault/word.h"

/* What a field of the rule points to, if that is counted. */
static void each_counted(struct fault_rule *rule, void (*data)(struct fault_data *),
			 void (*chain)(struct fault_chain *),
			 void (*filter)(struct filter *))
{
	const struct fault_word *word;

	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
		for (size_t i = 0; i < WORD_FIELDS_MAX && word->fields[i].bytes; i++) {
			void *at = (char *)rule + word->fields[i].at;

			switch (word->fields[i].kind) {
			case FIELD_DATA:
				data(*(struct fault_data **)at);
				break;
			case FIELD_CHAIN:
				chain(*(struct fault_chain **)at);
				break;
			case FIELD_FILTER:
				filter(*(struct filter **)at);
				break;
			case FIELD_PLAIN:
				break;
			}
		}
}

static void ref_data(struct fault_data *data)
{
	fault_data_ref(data);
}

static void ref_chain(struct fault_chain *chain)
{
	fault_chain_ref(chain);
}

static void ref_filter(struct filter *filter)
{
	filter_ref(filter);
}

void fault_rule_copy(struct fault_rule *to, const struct fault_rule *from)
{
	*to = *from;
	each_counted(to, ref_data, ref_chain, ref_filter);
}

void fault_rule_clear(struct fault_rule *rule)
{
	each_counted(rule, fault_data_free, fault_chain_free, filter_free);
	*rule = (struct fault_rule){ 0 };
}

bool fault_rule_is_idle(const struct fault_rule *rule)
{
	const struct fault_word *word;

	for (size_t n = 0; (word = fault_word_at(n)) != NULL; n++)
		if (fault_word_acts(word, rule))
			return false;
	return rule->distribution < DIST_SAMPLES;
}
