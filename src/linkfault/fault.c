/* SPDX-License-Identifier: MIT */
#include "linkfault/fault.h"

#include <string.h>

#include "base/ns.h"
#include "linkfault/chance.h"
#include "linkfault/cycle.h"
#include "linkfault/delay.h"
#include "linkfault/edit.h"
#include "linkfault/loss.h"

/* An MTU counts neither the header nor a VLAN tag. */
enum { HEADER_BYTES = 14, TAG_BYTES = 4 };

static struct fault_dice dice_of(const struct fault_rule_state *state,
				 const struct fault_frame *frame, unsigned copy)
{
	return (struct fault_dice){ fault_copy_key(state->key, copy), frame->no };
}

/* ---- match ------------------------------------------------------------- */

/* The name of the state that the link is in; NULL: it has none. */
static const char *state_at(const struct fault_spec *spec, struct fault_rule_state *own,
			    uint64_t now_ns)
{
	const struct fault_chain *chain = spec->rule[0].states;
	uint64_t until_ns;

	if (!chain)
		return NULL;
	return chain
		->node[fault_chain_at(chain, &own->states, own->key, now_ns, &until_ns)]
		.name;
}

static bool is_in_state(const struct fault_rule *rule, const char *at)
{
	return !*rule->in || (at && !strcmp(rule->in, at));
}

static bool applies(const struct fault_rule *rule, struct fault_rule_state *state,
		    const char *at, const struct fault_frame *frame, uint64_t *number)
{
	uint64_t until_ns;

	if (!is_in_state(rule, at))
		return false;
	if (rule->until_ns && frame->now_ns >= rule->until_ns)
		return false;
	if (rule->when.on_ns &&
	    !cycle_is_on(&rule->when, &state->when, state->key, frame->now_ns, &until_ns))
		return false;
	if (rule->filter && !filter_wants(rule->filter, frame->bytes, frame->size))
		return false;
	if (rule->apply_ppb &&
	    !dice_yes(dice_of(state, frame, 0), LANE_MATCH, rule->apply_ppb))
		return false;
	*number = state->seen++;
	return *number >= rule->after &&
	       (!rule->first || *number - rule->after < rule->first);
}

void fault_match(struct fault_matches *out, const struct fault_spec *spec,
		 struct fault_state *state, const struct fault_frame *frame)
{
	const char *at = state_at(spec, &state->rule[0], frame->now_ns);

	out->rules = 0;
	for (uint32_t i = 0; i < spec->count; i++)
		if (applies(&spec->rule[i], &state->rule[i], at, frame, &out->number[i]))
			out->rules |= UINT32_C(1) << i;
}

/* Each rule that is in the mask, with its index. */
#define each_match(i, mask)                                                              \
	for (uint32_t left_ = (mask), i;                                                 \
	     left_ && (i = (uint32_t)__builtin_ctz(left_), 1); left_ &= left_ - 1)

/* ---- admit ------------------------------------------------------------- */

static bool flapped_down(const struct fault_rule *rule, struct fault_rule_state *state,
			 uint64_t now_ns)
{
	uint64_t until_ns;

	return rule->flap.on_ns &&
	       !cycle_is_on(&rule->flap, &state->flap, state->key, now_ns, &until_ns);
}

static uint32_t payload_bytes(const struct fault_frame *frame)
{
	bool tagged = frame->size >= HEADER_BYTES + TAG_BYTES &&
		      frame->bytes[12] == 0x81 && frame->bytes[13] == 0;

	return frame->size - HEADER_BYTES - (tagged ? TAG_BYTES : 0);
}

enum fault_fate fault_admit(const struct fault_spec *spec, struct fault_state *state,
			    const struct fault_matches *matches,
			    const struct fault_frame *frame, struct fault_trail *trail)
{
	each_match(i, matches->rules)
	{
		const struct fault_rule *rule = &spec->rule[i];

		if (rule->down) {
			fault_note_add(trail, NOTE_LOST_DOWN, rule->name_number, 0, 0);
			return FAULT_DOWN;
		}
		if (flapped_down(rule, &state->rule[i], frame->now_ns)) {
			fault_note_add(trail, NOTE_LOST_FLAP, rule->name_number, 0, 0);
			return FAULT_DOWN;
		}
		if (rule->mtu_bytes && payload_bytes(frame) > rule->mtu_bytes) {
			fault_note_add(trail, NOTE_LOST_MTU, rule->name_number,
				       payload_bytes(frame), rule->mtu_bytes);
			return FAULT_MTU;
		}
	}
	return FAULT_PASS;
}

/* The rule that has the link down for every frame of now_ns, or NO_RULE: the link's
 * own, or one of the state that it is in. */
static uint8_t down_by(const struct fault_spec *spec, struct fault_rule_state *own,
		       uint64_t now_ns)
{
	const char *at;

	if (spec->rule[0].down || flapped_down(&spec->rule[0], own, now_ns))
		return 0;
	at = state_at(spec, own, now_ns);
	for (uint32_t i = 1; at && i < spec->count; i++)
		if (spec->rule[i].down && *spec->rule[i].in &&
		    is_in_state(&spec->rule[i], at))
			return (uint8_t)i;
	return NO_RULE;
}

bool fault_is_down(const struct fault_spec *spec, struct fault_state *state,
		   uint64_t now_ns, struct fault_trail *trail)
{
	uint8_t by = spec ? down_by(spec, &state->rule[0], now_ns) : NO_RULE;

	if (by == NO_RULE)
		return false;
	fault_note_add(trail, spec->rule[by].down ? NOTE_LOST_DOWN : NOTE_LOST_FLAP,
		       spec->rule[by].name_number, 0, 0);
	return true;
}

bool fault_has_carrier(const struct fault_spec *spec, struct fault_rule_state *own,
		       uint64_t now_ns, uint64_t *change_ns)
{
	const struct fault_rule *rule = spec ? &spec->rule[0] : NULL;
	uint64_t flap_ns = UINT64_MAX, state_ns = UINT64_MAX;

	*change_ns = UINT64_MAX;
	if (!rule || rule->down || !rule->carrier)
		return !rule || !rule->down;
	if (rule->flap.on_ns)
		cycle_is_on(&rule->flap, &own->flap, own->key, now_ns, &flap_ns);
	if (rule->states)
		fault_chain_at(rule->states, &own->states, own->key, now_ns, &state_ns);
	*change_ns = flap_ns < state_ns ? flap_ns : state_ns;
	return down_by(spec, own, now_ns) == NO_RULE;
}

const struct fault_rule *fault_pace(const struct fault_spec *spec,
				    struct fault_state *state, uint32_t index,
				    uint64_t now_ns)
{
	const char *at = index ? NULL : state_at(spec, &state->rule[0], now_ns);

	for (uint32_t i = spec->count; at && i-- > 1;)
		if (*spec->rule[i].in && spec->rule[i].rate_bps &&
		    is_in_state(&spec->rule[i], at))
			return &spec->rule[i];
	return &spec->rule[index];
}

/* ---- multiply ---------------------------------------------------------- */

unsigned fault_multiply(const struct fault_spec *spec, struct fault_state *state,
			const struct fault_matches *matches,
			const struct fault_frame *frame,
			struct fault_copy copies[FAULT_COPIES_MAX],
			struct fault_trail *trail)
{
	unsigned count = 1;

	copies[0] = (struct fault_copy){ .kind = COPY_ITSELF };
	each_match(i, matches->rules)
	{
		const struct fault_rule *rule = &spec->rule[i];
		struct fault_rule_state *s = &state->rule[i];
		struct fault_dice dice = dice_of(s, frame, 0);
		uint32_t more = rule->duplicate_count ? rule->duplicate_count : 1;

		if (chance_yes(rule->duplicate, dice, LANE_DUPLICATE,
			       LANE_DUPLICATE_AGAIN, &s->duplicate)) {
			if (more > FAULT_COPIES_MAX - count)
				more = FAULT_COPIES_MAX - count;
			if (more)
				fault_note_add_value(trail, NOTE_DUPLICATED,
						     rule->name_number, more);
			while (more--)
				copies[count++] =
					(struct fault_copy){ .kind = COPY_DUPLICATE,
							     .rule = (uint8_t)i };
		}
		if (rule->replay_ppb && count < FAULT_COPIES_MAX &&
		    dice_yes(dice, LANE_REPLAY, rule->replay_ppb)) {
			fault_note_add_value(trail, NOTE_REPLAYED, rule->name_number,
					     rule->replay_ns);
			copies[count++] =
				(struct fault_copy){ .kind = COPY_REPLAY,
						     .rule = (uint8_t)i,
						     .later_ns = rule->replay_ns };
		}
	}
	return count;
}

/* ---- judge ------------------------------------------------------------- */

static bool lost(struct fault_verdict *v, const struct fault_rule *rule,
		 struct fault_rule_state *state, struct fault_dice dice, uint64_t number,
		 const struct fault_frame *frame, struct fault_trail *trail)
{
	struct fault_note why;
	bool loses = fault_rule_has_loss(rule) &&
		     fault_loses(rule, state, dice, number, &why);

	if (number - state->drop_from < rule->drop_first) {
		fault_note_add_value(trail, NOTE_LOST_FIRST, rule->name_number,
				     rule->drop_first);
		return true;
	}
	if (!loses)
		return false;
	if (rule->ecn && edit_can_mark(frame->bytes, frame->size)) {
		v->mark = true;
		fault_note_add(trail, NOTE_MARKED_LOSS, rule->name_number, 0, 0);
		return false;
	}
	fault_note_add(trail, why.kind, rule->name_number, why.a, why.b);
	return true;
}

static void flip(struct fault_verdict *v, const struct fault_rule *rule, uint32_t bit,
		 uint32_t bits, struct fault_trail *trail)
{
	if (bit >= bits || v->flips == FAULT_FLIPS_MAX)
		return;
	v->flip[v->flips++] = bit;
	if (rule->corrupt_mode != CORRUPT_FCS)
		fault_note_add_value(trail, NOTE_FLIPPED, rule->name_number, bit);
}

/* The bits that are wrong; false: the frame is dropped for them. */
static bool corrupt(struct fault_verdict *v, const struct fault_rule *rule,
		    struct fault_rule_state *state, struct fault_dice dice,
		    const struct fault_frame *frame, struct fault_trail *trail)
{
	uint32_t bits = 8 * frame->size;
	uint32_t count = rule->corrupt_bits ? rule->corrupt_bits : 1;
	uint8_t before = v->flips;

	if (!chance_yes(rule->corrupt, dice, LANE_CORRUPT, LANE_CORRUPT_AGAIN,
			&state->corrupt))
		return true;
	if (rule->corrupt_at) {
		const struct fault_data *at = rule->corrupt_at;

		for (size_t k = 0; k < at->count; k += 2)
			for (int64_t bit = at->value[k];
			     bit <= at->value[k + 1] && bit < bits &&
			     v->flips < FAULT_FLIPS_MAX;
			     bit++)
				flip(v, rule, (uint32_t)bit, bits, trail);
	} else {
		/* A second flip of the same bit undoes the first: chance is like that. */
		for (uint32_t k = 0; k < count; k++)
			flip(v, rule,
			     (uint32_t)bits_below(
				     draw_bits(dice.key + k, dice.n, LANE_CORRUPT_BIT),
				     bits),
			     bits, trail);
	}
	if (rule->corrupt_mode == CORRUPT_FCS && v->flips > before) {
		fault_note_add_value(trail, NOTE_LOST_FCS, rule->name_number,
				     v->flip[before]);
		return false;
	}
	if (rule->corrupt_mode == CORRUPT_REPAIR && v->flips > before) {
		v->repair = true;
		fault_note_add(trail, NOTE_REPAIRED, rule->name_number, 0, 0);
	}
	return true;
}

static void delay(struct fault_verdict *v, const struct fault_rule *rule, uint8_t i,
		  struct fault_rule_state *state, struct fault_dice dice, uint64_t number,
		  struct fault_trail *trail)
{
	uint64_t ns;

	/* Of a link without a delay too: a rule may add one. */
	if (rule->keep_order && v->order == NO_RULE)
		v->order = i;
	if (!fault_rule_has_delay(rule))
		return;
	/* The delay is drawn in any case: so a repeated draw can be of any frame. */
	ns = fault_delay_ns(rule, state, dice, number);
	if (rule->reorder.p_ppb && fault_reorders(rule, state, dice)) {
		fault_note_add(trail, NOTE_REORDERED, rule->name_number, 0, 0);
		return;
	}
	v->delay_ns += ns;
	if (ns)
		fault_note_add_value(trail, NOTE_DELAYED, rule->name_number, ns);
}

static void tell_copy(const struct fault_copy *what, const struct fault_spec *spec,
		      const struct fault_frame *frame, struct fault_trail *trail)
{
	if (what->kind != COPY_ITSELF)
		fault_note_add_value(trail,
				     what->kind == COPY_DUPLICATE ? NOTE_DUPLICATE_OF
								  : NOTE_REPLAY_OF,
				     spec->rule[what->rule].name_number, frame->no);
}

void fault_judge(struct fault_verdict *out, const struct fault_spec *spec,
		 struct fault_state *state, const struct fault_matches *matches,
		 const struct fault_frame *frame, unsigned copy,
		 const struct fault_copy *what, struct fault_trail *trail)
{
	struct fault_verdict *v = out;

	v->fate = FAULT_PASS;
	v->line = v->order = NO_RULE;
	v->mark = v->repair = false;
	v->flips = 0;
	v->delay_ns = what->later_ns;
	tell_copy(what, spec, frame, trail);
	each_match(i, matches->rules)
	{
		struct fault_rule_state *s = &state->rule[i];

		/* Every chain takes its step, whatever another rule decides. */
		if (lost(v, &spec->rule[i], s, dice_of(s, frame, copy),
			 matches->number[i], frame, trail))
			v->fate = FAULT_LOSS;
	}
	if (v->fate != FAULT_PASS)
		return;
	each_match(i, matches->rules)
	{
		struct fault_rule_state *s = &state->rule[i];

		if (spec->rule[i].corrupt.p_ppb &&
		    !corrupt(v, &spec->rule[i], s, dice_of(s, frame, copy), frame, trail))
			v->fate = FAULT_FCS;
		if (fault_spec_has_line(spec, i))
			v->line = (uint8_t)i;
	}
	if (v->fate != FAULT_PASS)
		return;
	each_match(i, matches->rules)
	{
		struct fault_rule_state *s = &state->rule[i];

		delay(v, &spec->rule[i], (uint8_t)i, s, dice_of(s, frame, copy),
		      matches->number[i], trail);
	}
}

void fault_edit(const struct fault_verdict *verdict, uint8_t *bytes, uint32_t size)
{
	for (unsigned k = 0; k < verdict->flips; k++)
		bytes[verdict->flip[k] / 8] ^= (uint8_t)(0x80 >> verdict->flip[k] % 8);
	if (verdict->repair)
		edit_repair(bytes, size);
	if (verdict->mark)
		edit_mark(bytes, size);
}

uint64_t fault_due_ns(struct fault_state *state, uint8_t order, uint64_t delay_ns,
		      uint64_t now_ns, struct fault_trail *trail)
{
	uint64_t due_ns = ns_add(now_ns, delay_ns);
	uint64_t *last_ns;

	if (order == NO_RULE)
		return due_ns;
	last_ns = &state->rule[order].last_due_ns;
	if (due_ns < *last_ns) {
		fault_note_add_value(trail, NOTE_ORDER_KEPT,
				     state->rule[order].name_number, *last_ns - due_ns);
		due_ns = *last_ns;
	}
	return *last_ns = due_ns;
}

/* ---- looking ----------------------------------------------------------- */

bool fault_is_up(const struct fault_spec *spec, const struct fault_state *state,
		 uint64_t now_ns)
{
	struct fault_rule_state copy = state->rule[0];

	return down_by(spec, &copy, now_ns) == NO_RULE;
}

const char *fault_in_state(const struct fault_spec *spec, const struct fault_state *state,
			   uint64_t now_ns)
{
	struct fault_rule_state copy = state->rule[0];

	return state_at(spec, &copy, now_ns);
}

bool fault_rule_in_force(const struct fault_spec *spec, const struct fault_state *all,
			 uint32_t index, uint64_t now_ns)
{
	const struct fault_rule *rule = &spec->rule[index];
	const struct fault_rule_state *state = &all->rule[index];
	struct fault_cycle_state copy = state->when;
	uint64_t until_ns;

	if (!is_in_state(rule, fault_in_state(spec, all, now_ns)))
		return false;
	if (rule->until_ns && now_ns >= rule->until_ns)
		return false;
	if (rule->first && state->seen >= rule->after + rule->first)
		return false;
	return !rule->when.on_ns ||
	       cycle_is_on(&rule->when, &copy, state->key, now_ns, &until_ns);
}
