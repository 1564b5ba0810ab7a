/* SPDX-License-Identifier: MIT */
/* What a spec may not be, and what it should not be. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "linkfault/spec.h"

static int check_share(uint32_t ppb, const char *what, struct why *why)
{
	char a[UNITS_TEXT_BYTES_MAX];

	if (ppb > FAULT_PPB_ALL)
		return why_set(why, -EINVAL, "%s %s is more than 100%%", what,
			       units_format_ppb(a, ppb));
	return 0;
}

static int check_chance(struct fault_chance chance, const char *what, struct why *why)
{
	int err = check_share(chance.p_ppb, what, why);

	if (!err && chance.rho_ppb >= FAULT_PPB_ALL)
		err = why_set(
			why, -EINVAL,
			"%s: a correlation of 100%% would repeat the first draw for "
			"ever",
			what);
	return err;
}

static int check_cycle(const struct fault_cycle *cycle, const char *what, struct why *why)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX], c[UNITS_TEXT_BYTES_MAX];
	uint64_t least = cycle->on_ns < cycle->off_ns ? cycle->on_ns : cycle->off_ns;
	uint64_t most = cycle->on_ns > cycle->off_ns ? cycle->on_ns : cycle->off_ns;

	if (!cycle->on_ns)
		return 0;
	if (least < FAULT_CYCLE_NS_MIN || most > FAULT_CYCLE_NS_MAX)
		return why_set(
			why, -EINVAL, "%s %s is not between %s and %s", what,
			units_format_ns(a, least < FAULT_CYCLE_NS_MIN ? least : most),
			units_format_ns(b, FAULT_CYCLE_NS_MIN),
			units_format_ns(c, FAULT_CYCLE_NS_MAX));
	if (cycle->random && cycle->phase_ns)
		return why_set(why, -EINVAL, "%s: a random one has no phase", what);
	return 0;
}

static int check_loss(const struct fault_rule *r, struct why *why)
{
	int err = check_chance(r->loss, "loss", why);

	for (unsigned i = 0; !err && i < 5; i++)
		err = check_share(r->loss_p_ppb[i], "loss", why);
	if (err)
		return err;
	if (r->loss_model == LOSS_STATE &&
	    ((uint64_t)r->loss_p_ppb[0] + r->loss_p_ppb[4] > FAULT_PPB_ALL ||
	     (uint64_t)r->loss_p_ppb[1] + r->loss_p_ppb[2] > FAULT_PPB_ALL))
		return why_set(why, -EINVAL,
			       "loss state: p13 + p14 and p31 + p32 may not be more than "
			       "100%%");
	if ((r->loss_model == LOSS_EVERY && !r->loss_every) ||
	    (r->loss_model == LOSS_LISTED && !r->loss_list))
		return why_set(why, -EINVAL, "loss: which frames?");
	return 0;
}

static int check_delay(const struct fault_rule *r, struct why *why)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX];
	int err;

	if (r->delay_ns > FAULT_DELAY_NS_MAX)
		return why_set(why, -EINVAL, "delay %s is longer than %s",
			       units_format_ns(a, r->delay_ns),
			       units_format_ns(b, FAULT_DELAY_NS_MAX));
	if (r->jitter_ns > r->delay_ns)
		return why_set(why, -EINVAL,
			       "jitter %s is larger than delay %s: a frame cannot arrive "
			       "before it was sent",
			       units_format_ns(a, r->jitter_ns),
			       units_format_ns(b, r->delay_ns));
	err = check_chance((struct fault_chance){ 0, r->jitter_rho_ppb }, "correlation",
			   why);
	if (err)
		return err;
	if (r->distribution >= DIST_TABLE && !r->table)
		return why_set(why, -EINVAL, "distribution: which file?");
	if (r->distribution != DIST_UNIFORM && r->distribution < DIST_SAMPLES &&
	    !r->jitter_ns)
		return why_set(why, -EINVAL,
			       "distribution needs a jitter: without one, every delay is "
			       "the same");
	if (r->distribution >= DIST_SAMPLES && r->jitter_ns)
		return why_set(why, -EINVAL,
			       "jitter and a distribution of samples or a trace exclude "
			       "each other: the file has the times");
	if (r->jitter_rho_ppb && (!r->jitter_ns || r->distribution == DIST_TRACE) &&
	    r->distribution != DIST_SAMPLES)
		return why_set(why, -EINVAL, "correlation needs a jitter that is drawn");
	if (r->reorder.p_ppb && !fault_rule_has_delay(r))
		return why_set(
			why, -EINVAL,
			"reorder needs a delay: a frame overtakes others by having "
			"none");
	if (r->reorder.p_ppb && r->keep_order)
		return why_set(why, -EINVAL, "reorder and order keep exclude each other");
	if (r->gap && !r->reorder.p_ppb)
		return why_set(why, -EINVAL, "gap needs a reorder");
	return check_chance(r->reorder, "reorder", why);
}

static int check_rate(const struct fault_rule *r, struct why *why)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX];

	if (r->rate_bps && r->rate_bps < FAULT_RATE_BPS_MIN)
		return why_set(why, -EINVAL, "rate %s is less than %s",
			       units_format_bps(a, r->rate_bps),
			       units_format_bps(b, FAULT_RATE_BPS_MIN));
	if (r->rate_bps > FAULT_RATE_BPS_MAX)
		return why_set(why, -EINVAL, "rate %s is more than %s",
			       units_format_bps(a, r->rate_bps),
			       units_format_bps(b, FAULT_RATE_BPS_MAX));
	if (r->rate_bps && r->capacity)
		return why_set(why, -EINVAL, "rate and capacity exclude each other");
	if (!r->rate_bps && (r->overhead_bytes || r->cell_bytes))
		return why_set(why, -EINVAL, "overhead and cell need a rate");
	if (r->cell_overhead_bytes < 0 &&
	    (uint32_t)-r->cell_overhead_bytes >= r->cell_bytes)
		return why_set(why, -EINVAL, "cell: nothing of it would be left");
	return 0;
}

static int check_queue(const struct fault_rule *r, bool has_line, struct why *why)
{
	if (!has_line && (r->limit_frames || r->limit_bytes))
		return why_set(why, -EINVAL,
			       "limit needs a rate: without one, no frame waits for the "
			       "line");
	if (!has_line && r->queue != QUEUE_TAIL)
		return why_set(why, -EINVAL,
			       "queue needs a rate: without one, no frame waits for the "
			       "line");
	if (r->queue == QUEUE_RED && (!r->red_ppb || r->red_ppb > FAULT_PPB_ALL ||
				      r->red_min_bytes >= r->red_max_bytes))
		return why_set(
			why, -EINVAL,
			"queue red: the minimum must be below the maximum, and the "
			"probability in between 0%% and 100%%");
	if (r->queue == QUEUE_CODEL && (!r->codel_target_ns || !r->codel_interval_ns))
		return why_set(why, -EINVAL, "queue codel: a time is 0");
	if (r->ecn && r->queue != QUEUE_RED && r->queue != QUEUE_CODEL &&
	    !fault_rule_has_loss(r))
		return why_set(why, -EINVAL,
			       "ecn needs a loss, or a queue of red or codel: there is "
			       "nothing to mark instead");
	if (r->slot_min_ns > r->slot_max_ns)
		return why_set(why, -EINVAL, "slot: the least is longer than the most");
	if (r->slot_jitter_ns > r->slot_min_ns)
		return why_set(why, -EINVAL,
			       "slot: the jitter is larger than the time: a slot cannot "
			       "come before the one that was before it");
	if (r->slot_distribution >= DIST_SAMPLES ||
	    (r->slot_distribution == DIST_TABLE && !r->slot_table) ||
	    (r->slot_jitter_ns && r->slot_min_ns != r->slot_max_ns))
		return why_set(why, -EINVAL, "slot: which time, by which distribution?");
	if (!r->slot_max_ns && (r->slot_frames || r->slot_bytes))
		return why_set(why, -EINVAL, "slot: no time");
	return check_cycle(&r->clog, "clog", why);
}

static int check_copies(const struct fault_rule *r, struct why *why)
{
	int err = check_chance(r->duplicate, "duplicate", why);

	if (!err)
		err = check_share(r->replay_ppb, "replay", why);
	if (!err)
		err = check_chance(r->corrupt, "corrupt", why);
	if (err)
		return err;
	if (r->duplicate_count >= FAULT_COPIES_MAX)
		return why_set(why, -EINVAL, "duplicate: at most %d copies",
			       FAULT_COPIES_MAX - 1);
	if (r->replay_ppb && !r->replay_ns)
		return why_set(why, -EINVAL, "replay: after how long? Write \"1%% 5s\"");
	if (r->corrupt_bits > FAULT_FLIPS_MAX)
		return why_set(why, -EINVAL, "corrupt-bits: at most %d", FAULT_FLIPS_MAX);
	if (r->corrupt_bits && r->corrupt_at)
		return why_set(why, -EINVAL,
			       "corrupt-bits and corrupt-at exclude each other");
	if (!r->corrupt.p_ppb && (r->corrupt_bits || r->corrupt_at || r->corrupt_mode))
		return why_set(why, -EINVAL,
			       "corrupt-bits, -at and -mode need a corrupt");
	return 0;
}

/* Something has to take the carrier, and to give it back. */
static int check_carrier(const struct fault_spec *spec, const struct fault_rule *r,
			 struct why *why)
{
	bool goes_down = r->flap.on_ns;

	if (!r->carrier)
		return 0;
	if (r != &spec->rule[0])
		return why_set(why, -EINVAL, "carrier: only of the link itself");
	for (uint32_t i = 1; i < spec->count; i++)
		goes_down |= *spec->rule[i].in && spec->rule[i].down;
	return goes_down
		       ? 0
		       : why_set(why, -EINVAL,
				 "carrier needs a flap, or a state in which the link is "
				 "down (down alone takes the carrier anyway)");
}

/* What goes by the state of the link is either the link's own, or for all frames. */
static int check_in(const struct fault_spec *spec, const struct fault_rule *r,
		    struct why *why)
{
	const struct fault_chain *chain = spec->rule[0].states;

	if (r != &spec->rule[0] && r->states)
		return why_set(why, -EINVAL, "states: only of the link itself");
	if (!*r->in)
		return r->states ? fault_chain_check(r->states, why) : 0;
	if (!chain)
		return why_set(why, -EINVAL, "in: the link has no states");
	if (fault_chain_find(chain, r->in) < 0)
		return why_set(why, -EINVAL,
			       "in: the link has no state \"%s\"; the first is \"%s\"",
			       r->in, chain->node[0].name);
	if (r->limit_frames || r->limit_bytes || r->queue != QUEUE_TAIL || r->capacity ||
	    r->slot_max_ns || r->clog.on_ns || r->hold || r->flap.on_ns)
		return why_set(
			why, -EINVAL,
			"in: limit, queue, capacity, slot, clog, hold and flap are "
			"the link's own, in every state");
	if ((r->rate_bps || r->down) &&
	    (!fault_rule_is_for_all(r) || r->until_ns || r->when.on_ns))
		return why_set(why, -EINVAL,
			       "in: rate and down are for every frame of the state: put "
			       "them in a rule without match, apply, after, first, when, "
			       "until and for");
	return 0;
}

static int check_rule(const struct fault_spec *spec, uint32_t index, struct why *why)
{
	const struct fault_rule *r = &spec->rule[index];
	static int (*const checks[])(const struct fault_rule *, struct why *) = {
		check_loss,
		check_delay,
		check_rate,
		check_copies,
	};
	int err = check_cycle(&r->flap, "flap", why);

	if (!err)
		err = check_cycle(&r->when, "when", why);
	if (!err)
		err = check_share(r->apply_ppb, "apply", why);
	for (size_t i = 0; !err && i < sizeof(checks) / sizeof(*checks); i++)
		err = checks[i](r, why);
	if (!err)
		err = check_in(spec, r, why);
	if (!err)
		err = check_carrier(spec, r, why);
	if (!err)
		err = check_queue(r, fault_spec_has_line(spec, index), why);
	return err;
}

int fault_spec_check(const struct fault_spec *spec, struct why *why)
{
	int err = 0;

	for (uint32_t i = 0; spec && !err && i < spec->count; i++) {
		const struct fault_rule *r = &spec->rule[i];

		err = check_rule(spec, i, why);
		if (!err && i && fault_rule_is_idle(r))
			err = why_set(why, -EINVAL, "it does nothing");
		if (err && i)
			why_wrap(why, err, "faults: rule %s", r->name);
	}
	return err;
}

/* ---- warnings ---------------------------------------------------------- */

enum { FRAME_BYTES_USUAL = 1514, MEMORY_BYTES_SAFE = 100000000 };

/* What a machine sends that nothing holds back, roughly. */
#define RATE_BPS_USUAL UINT64_C(1000000000)

/* A queue that is shorter than what a sender may have under way at this rate and
 * delay (there and back) loses frames before the rate is reached. */
static bool queue_too_small(const struct fault_rule *r, struct why *why)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX];
	unsigned __int128 product = (unsigned __int128)r->rate_bps * 2 * r->delay_ns;
	uint64_t need = (uint64_t)(product / UINT64_C(8000000000));
	uint32_t frames = r->limit_frames ? r->limit_frames : FAULT_LIMIT_FRAMES_DEFAULT;
	uint64_t have = (uint64_t)frames * FRAME_BYTES_USUAL;

	if (r->limit_bytes && r->limit_bytes < have)
		have = r->limit_bytes;
	if (!r->rate_bps || have >= need)
		return false;
	why_set(why, 0,
		"limit: the queue holds about %s, less than the %s that are under way at "
		"this rate and delay (there and back): frames will be lost before the "
		"rate "
		"is reached",
		units_format_size(a, have), units_format_size(b, need));
	return true;
}

/* What is on its way lies in memory: of what the lab has for that, half is one machine's
 * at most (switch/pool.h). */
static bool delay_takes_memory(const struct fault_rule *r, struct why *why)
{
	char delay[UNITS_TEXT_BYTES_MAX], rate[UNITS_TEXT_BYTES_MAX];
	uint64_t bps = r->rate_bps ? r->rate_bps : RATE_BPS_USUAL;
	unsigned __int128 bytes =
		(unsigned __int128)bps * r->delay_ns / UINT64_C(8000000000);

	if (bytes <= MEMORY_BYTES_SAFE)
		return false;
	why_set(why, 0,
		"delay: %s of %s are more than the memory for frames on their way holds "
		"(100MB): if so much is sent, what is above is lost, and counted as \"pool\"",
		units_format_ns(delay, r->delay_ns), units_format_bps(rate, bps));
	return true;
}

static bool jitter_reorders(const struct fault_rule *r, struct why *why)
{
	if (!r->jitter_ns || r->keep_order || r->distribution == DIST_UNIFORM ||
	    2 * r->jitter_ns <= r->delay_ns)
		return false;
	why_set(why, 0,
		"jitter is more than half of the delay: what would be below zero is sent "
		"at "
		"once, so the mean is longer than the delay");
	return true;
}

static bool repair_is_silent(const struct fault_rule *r, struct why *why)
{
	if (!r->corrupt.p_ppb || r->corrupt_mode != CORRUPT_REPAIR)
		return false;
	why_set(why, 0,
		"corrupt-mode repair: the machines cannot tell these frames from good "
		"ones");
	return true;
}

static bool two_chains(const struct fault_spec *spec, struct why *why)
{
	unsigned chains = 0;

	for (uint32_t i = 0; i < spec->count; i++)
		chains += spec->rule[i].loss_model == LOSS_GEMODEL ||
			  spec->rule[i].loss_model == LOSS_STATE;
	if (chains < 2)
		return false;
	why_set(why, 0,
		"loss: %u loss chains act on top of one another; each has its own bursts",
		chains);
	return true;
}

bool fault_spec_warning(const struct fault_spec *spec, unsigned n, struct why *why)
{
	static bool (*const warns[])(const struct fault_rule *, struct why *) = {
		queue_too_small,
		delay_takes_memory,
		jitter_reorders,
		repair_is_silent,
	};

	for (uint32_t i = 0; spec && i < spec->count; i++)
		for (size_t k = 0; k < sizeof(warns) / sizeof(*warns); k++)
			if (warns[k](&spec->rule[i], why) && n-- == 0) {
				if (i)
					why_wrap(why, 0, "faults: rule %s",
						 spec->rule[i].name);
				return true;
			}
	return spec && n == 0 && two_chains(spec, why);
}
