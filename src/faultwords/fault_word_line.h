/* SPDX-License-Identifier: MIT */
/* fault_word_line.h - the words of loss, and of what a frame waits for: delay, rate,
 * queue, gates, states
 *
 * Rows of fault_word_table.c; see there.
 *
 * Errors:  as fault_word_table.h.
 */
#ifndef NL_FAULTWORDS_FAULT_WORD_LINE_H
#define NL_FAULTWORDS_FAULT_WORD_LINE_H

#include "faultwords/fault_word_table.h"

#define LINE_WORD(name)                                                                  \
	int line_apply_##name(struct fault_rule *rule,                                   \
			      const struct fault_context *context, const char *value,    \
			      struct why *why);                                          \
	bool line_show_##name(const struct fault_rule *rule,                             \
			      char text[FAULT_WORD_BYTES_MAX])

enum { LINE_DISTRIBUTIONS = DIST_TRACE + 1 };

/* Their names, by enum fault_distribution; the one of a name, or -1. */
extern const char *const line_distributions[LINE_DISTRIBUTIONS];
int line_distribution(const char *name);

LINE_WORD(loss);
LINE_WORD(delay);
LINE_WORD(jitter);
LINE_WORD(correlation);
LINE_WORD(distribution);
LINE_WORD(order);
LINE_WORD(reorder);
LINE_WORD(rate);
LINE_WORD(overhead);
LINE_WORD(cell);
LINE_WORD(capacity);
LINE_WORD(limit);
LINE_WORD(queue);
LINE_WORD(slot);
LINE_WORD(clog);
LINE_WORD(states);
LINE_WORD(in);

#undef LINE_WORD

#endif
