/* SPDX-License-Identifier: MIT */
/* chain.h - a link that changes its state as time goes by
 *
 * A Markov chain in continuous time, of two to eight named states.  It begins in the
 * first at time 0; stays in each for an exponential time of the state's mean, and goes
 * on to another by the state's shares:
 *
 *	good 10s fair 70% bad 30%, fair 3s good, bad 500ms fair
 *
 *	          70 %          100 %
 *	    good ------> fair  <------ bad
 *	     | ^----------' 100 %       ^
 *	     `--------------------------'  30 %
 *
 * The n-th time and the n-th step are keyed draws, so the state at a time depends on
 * key and time only, not on the frames that came.  In the long run a state has the
 * share pi_i m_i / sum of pi_j m_j of the time, where m are the means and pi is the
 * stationary distribution of the steps (pi = pi P).
 *
 * Errors:    -EINVAL with the reason; fault_chain_create(): NULL, out of memory.
 * Ownership: counted; immutable once it is in a rule.
 * Units:     nanoseconds of lab time; shares in parts per billion.
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_CHAIN_H
#define NL_LINKFAULT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

enum { FAULT_STATES_MAX = 8, FAULT_STATE_NAME_BYTES = 24 };

struct fault_chain {
	unsigned refs;
	uint32_t count;
	struct fault_chain_node {
		char name[FAULT_STATE_NAME_BYTES];
		uint64_t mean_ns;
		uint32_t to_ppb[FAULT_STATES_MAX]; /* which comes next */
	} node[FAULT_STATES_MAX];
};

/* The stay that a chain is in. */
struct fault_chain_state {
	uint64_t n; /* stays before it */
	uint64_t end_ns;
	uint8_t at; /* index of its node */
	bool begun;
};

struct fault_chain *fault_chain_create(void);			/* of no state yet */
struct fault_chain *fault_chain_ref(struct fault_chain *chain); /* NULL is nothing */
void fault_chain_free(struct fault_chain *chain);

/* The index of that name, or -1. */
int fault_chain_find(const struct fault_chain *chain, const char *name);
/* Do both mean the same?  Either may be NULL. */
bool fault_chain_same(const struct fault_chain *a, const struct fault_chain *b);
int fault_chain_check(const struct fault_chain *chain, struct why *why);

/* The index of the state at now_ns, which never goes back.  *change_ns: until when. */
unsigned fault_chain_at(const struct fault_chain *chain, struct fault_chain_state *state,
			uint64_t key, uint64_t now_ns, uint64_t *change_ns);

#endif
