/* SPDX-License-Identifier: MIT */
/* rule.h - one fault: which frames it is for, and what it does to them
 *
 * A rule is data: what was asked for, in base units.  All-zero is for every frame
 * and does nothing.  docs/faults.md has each model with its formula, its draws and
 * its stationary values; the words of the topology file are faultwords/fault_words.h.
 *
 * Errors:    none here; fault_spec_check() says if the whole makes sense.
 * Ownership: filter and data are counted; fault_rule_copy() and fault_rule_clear()
 *            count them.
 * Units:     in the names: _ppb parts per billion, _ns nanoseconds, _bps bits per
 *            second.
 * Threads:   pure.
 */
#ifndef NL_LINKFAULT_RULE_H
#define NL_LINKFAULT_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "linkfault/chain.h"
#include "linkfault/data.h"
#include "linkfault/filter.h"

enum {
	FAULT_PPB_ALL = 1000000000,
	FAULT_PPM_ALL = 1000000,
	FAULT_LIMIT_FRAMES_DEFAULT = 1000, /* netem's and most drivers' queue */
	FAULT_NAME_BYTES = 24,
	FAULT_COPIES_MAX = 16, /* of one frame, itself included */
	FAULT_FLIPS_MAX = 64,  /* bits in one frame */
	FAULT_RULES_MAX = 16,  /* of one direction */
	FAULT_CELL_BYTES_MAX = 65535,
};

/* One part per million, as people say it. */
#define FAULT_PPM UINT32_C(1000)

#define FAULT_DELAY_NS_MAX UINT64_C(3600000000000) /* an hour */
#define FAULT_RATE_BPS_MIN UINT64_C(8)		   /* a byte a second */
#define FAULT_RATE_BPS_MAX UINT64_C(1000000000000)
#define FAULT_CYCLE_NS_MIN UINT64_C(1000000) /* a millisecond */
#define FAULT_CYCLE_NS_MAX UINT64_C(86400000000000)

/* Something that goes on and off with time.  on_ns 0: there is none. */
struct fault_cycle {
	uint64_t on_ns, off_ns; /* fixed lengths, or means of exponential ones */
	uint64_t phase_ns;	/* how far it is at time 0; fixed lengths only */
	bool random;
};

/* Yes with probability p; with probability rho the draw of the frame before is used
 * again, which keeps p and makes the lag-k autocorrelation rho^k. */
struct fault_chance {
	uint32_t p_ppb, rho_ppb;
};

enum fault_loss_model {
	LOSS_RANDOM,  /* loss */
	LOSS_GEMODEL, /* loss_p: p, r, 1-h (lost in bad), 1-k (lost in good) */
	LOSS_STATE,   /* loss_p: p13 p31 p32 p23 p14 */
	LOSS_LISTED,  /* loss_list */
	LOSS_EVERY,   /* loss_every */
};

enum fault_corrupt_mode {
	CORRUPT_FLIP,	/* the bits are wrong, and checksums tell */
	CORRUPT_REPAIR, /* checksums are made right again: nobody can tell */
	CORRUPT_FCS,	/* the receiver's hardware would have dropped it: so do we */
};

enum fault_queue {
	QUEUE_TAIL,   /* full: the newcomer is dropped */
	QUEUE_RANDOM, /* full: of those that wait, drawn ones */
	QUEUE_RED,
	QUEUE_CODEL,
};

enum fault_distribution {
	DIST_UNIFORM, /* jitter is half the width */
	DIST_NORMAL,  /* from here on jitter is the standard deviation */
	DIST_PARETO,
	DIST_PARETONORMAL,
	DIST_EXPONENTIAL,
	DIST_TABLE,   /* table, of netem's kind */
	DIST_SAMPLES, /* table: added to the delay, drawn */
	DIST_TRACE,   /* table: added to the delay, in turn */
};

struct fault_rule {
	char name[FAULT_NAME_BYTES];	/* "": the link's own, for every frame */
	uint16_t name_number;		/* of the name: rule_name.h */
	char profile[FAULT_NAME_BYTES]; /* whose words it began with, or "" */

	/* Match.  Those that pass are counted from 0; the rule is for number n iff
	 * after <= n < after + first. */
	struct filter *filter;	   /* NULL: every frame */
	uint64_t after, first;	   /* first 0: no end */
	uint32_t apply_ppb;	   /* 0: always */
	uint64_t until_ns;	   /* of lab time; 0: for ever */
	bool brief; /* it was to be "for" a while: setting it again without is for ever */
	struct fault_cycle when;   /* only while on */
	char in[FAULT_NAME_BYTES]; /* only in that state of the link; "": in any */

	bool down;		    /* the carrier is lost; nothing passes */
	struct fault_cycle flap;    /* nothing passes while off */
	bool carrier;		    /* and the carrier is lost, too (of states as well) */
	struct fault_chain *states; /* of the link: what rules with `in` go by */
	uint32_t mtu_bytes; /* larger frames vanish; 0: none do.  Without header */

	struct fault_chance duplicate;
	uint32_t duplicate_count; /* further copies; 0: one */
	uint32_t replay_ppb;
	uint64_t replay_ns; /* how much later it is seen again */

	enum fault_loss_model loss_model;
	struct fault_chance loss; /* LOSS_RANDOM */
	uint32_t loss_p_ppb[5];
	uint64_t loss_every;
	struct fault_data *loss_list;
	uint64_t drop_first; /* frames, from when it was set on; 0: none */

	struct fault_chance corrupt;
	enum fault_corrupt_mode corrupt_mode;
	uint32_t corrupt_bits;	       /* at random; 0: one, unless corrupt_at */
	struct fault_data *corrupt_at; /* these bits instead */

	/* The line: what a frame waits for before it is on its way. */
	uint64_t rate_bps;	     /* 0: as fast as it comes */
	struct fault_data *capacity; /* instead of a rate */
	int32_t overhead_bytes;	     /* of a frame on the line, besides its own */
	uint32_t cell_bytes;	     /* 0: no cells */
	int32_t cell_overhead_bytes;
	uint32_t limit_frames, limit_bytes; /* 0: the default; none */
	enum fault_queue queue;
	uint64_t red_min_bytes, red_max_bytes;
	uint32_t red_ppb; /* probability at red_max_bytes */
	uint64_t codel_target_ns, codel_interval_ns;
	bool ecn; /* mark instead of drop, where the frame allows */
	/* The next slot is uniform in [min, max] later, and jitter * x by the
	 * distribution if that is not uniform (min is max then). */
	uint64_t slot_min_ns, slot_max_ns; /* slot_max_ns 0: no slots */
	uint64_t slot_jitter_ns;
	enum fault_distribution slot_distribution;
	struct fault_data *slot_table;
	uint32_t slot_frames, slot_bytes; /* to a slot; 0: no limit */
	struct fault_cycle clog;	  /* nothing leaves while off */
	bool hold;			  /* nothing leaves until this is lifted */

	uint64_t delay_ns, jitter_ns;
	uint32_t jitter_rho_ppb;
	enum fault_distribution distribution;
	struct fault_data *table;
	bool keep_order;
	struct fault_chance reorder;
	uint32_t gap; /* of reorder; 0: 1 */
};

void fault_rule_copy(struct fault_rule *to, const struct fault_rule *from);
void fault_rule_clear(struct fault_rule *rule); /* all-zero then */

/* Is it for every frame, as long as it is in force? */
static inline bool fault_rule_is_for_all(const struct fault_rule *rule)
{
	return !rule->filter && !rule->apply_ppb && !rule->after && !rule->first;
}

/* Does a frame of this rule have to wait for something before it is on its way? */
static inline bool fault_rule_has_line(const struct fault_rule *rule)
{
	return rule->rate_bps || rule->capacity || rule->slot_max_ns ||
	       rule->clog.on_ns || rule->hold;
}

static inline bool fault_rule_has_delay(const struct fault_rule *rule)
{
	return rule->delay_ns || rule->jitter_ns || rule->distribution >= DIST_SAMPLES;
}

static inline bool fault_rule_has_loss(const struct fault_rule *rule)
{
	return rule->loss.p_ppb || rule->loss_model != LOSS_RANDOM;
}

/* Does it leave every frame as it is? */
bool fault_rule_is_idle(const struct fault_rule *rule);

#endif
