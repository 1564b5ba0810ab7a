/* SPDX-License-Identifier: MIT */
#include "linkfault/line.h"

#include "base/check.h"
#include "base/ns.h"
#include "linkfault/cycle.h"
#include "linkfault/delay.h"
#include "linkfault/edit.h"

#define NS_PER_BIT_AT_1BPS UINT64_C(1000000000)
#define NS_PER_MS	   UINT64_C(1000000)
/* A frame that would wait past this is one too many for any queue. */
#define END_OF_TIME_NS (NS_END / 2)

enum {
	OPPORTUNITY_BYTES = 1500, /* mahimahi's */
	RED_WEIGHT_LOG2 = 9,
	RED_FRACTION_BITS = 16,
	RED_IDLE_BYTES = 500,	    /* the small frame of RED's idle time */
	BYTES_IN_64_BITS = 1 << 30, /* as nanoseconds at 1 bit/s, and a rest */
	CODEL_FRAME_BYTES = 1514,   /* a queue of one such frame is never too slow */
};

static void note_time(struct fault_trail *trail, enum fault_note_kind kind, uint16_t rule,
		      uint64_t ns)
{
	fault_note_add_line(trail, kind, rule, (uint32_t)ns, (uint32_t)(ns >> 32));
}

/* ---- entering ---------------------------------------------------------- */

/* While the queue was empty, as if small frames had met an empty queue at the
 * line's rate: the average shrinks to (1 - w)^n of itself. */
static void red_idle(const struct fault_rule *rule, struct fault_line *line,
		     uint64_t now_ns)
{
	uint64_t keep = (UINT64_C(1) << 32) - (UINT64_C(1) << (32 - RED_WEIGHT_LOG2));
	uint64_t rate_bps = line->rate_bps ? line->rate_bps : rule->rate_bps;
	uint64_t n = 0;

	if (rate_bps)
		n = (uint64_t)((unsigned __int128)(now_ns - line->idle_ns) * rate_bps /
			       (8 * RED_IDLE_BYTES * NS_PER_BIT_AT_1BPS));
	for (; n && line->average; n >>= 1) {
		if (n & 1)
			line->average =
				(uint64_t)((unsigned __int128)line->average * keep >> 32);
		keep = (uint64_t)((unsigned __int128)keep * keep >> 32);
	}
}

/* Shall it be marked or dropped?  The note's numbers go to *average_bytes, *ppb. */
static bool red(const struct fault_rule *rule, struct fault_line *line,
		struct fault_dice dice, uint64_t now_ns, uint32_t *average_bytes,
		uint32_t *ppb)
{
	uint64_t queue = line->bytes << RED_FRACTION_BITS, span, pb, part;

	if (!line->frames)
		red_idle(rule, line, now_ns);
	if (queue >= line->average)
		line->average += (queue - line->average) >> RED_WEIGHT_LOG2;
	else
		line->average -= (line->average - queue) >> RED_WEIGHT_LOG2;
	*average_bytes = (uint32_t)(line->average >> RED_FRACTION_BITS);
	*ppb = 0;
	if (*average_bytes < rule->red_min_bytes) {
		line->since_drop = 0;
		return false;
	}
	*ppb = FAULT_PPB_ALL;
	if (*average_bytes >= rule->red_max_bytes) {
		line->since_drop = 0;
		return true;
	}
	span = rule->red_max_bytes - rule->red_min_bytes;
	pb = (uint64_t)((unsigned __int128)rule->red_ppb *
			(*average_bytes - rule->red_min_bytes) / span);
	part = line->since_drop * pb;
	line->since_drop++;
	if (part < FAULT_PPB_ALL) {
		unsigned __int128 pa =
			(unsigned __int128)pb * FAULT_PPB_ALL / (FAULT_PPB_ALL - part);

		if (pa < FAULT_PPB_ALL)
			*ppb = (uint32_t)pa;
	}
	if (!dice_yes(dice, LANE_RED, *ppb))
		return false;
	line->since_drop = 0;
	return true;
}

static uint32_t limit_frames(const struct fault_rule *rule)
{
	return rule->limit_frames ? rule->limit_frames : FAULT_LIMIT_FRAMES_DEFAULT;
}

/* May others make room?  What is at the front stays. */
static bool can_evict(const struct fault_rule *rule, const struct fault_line *line,
		      uint32_t size)
{
	return rule->queue == QUEUE_RANDOM && line->frames > 1 &&
	       (!rule->limit_bytes || line->front_bytes + size <= rule->limit_bytes);
}

/* Too many: the newcomer goes, or one of those behind the front. */
static struct fault_line_entry overflow(const struct fault_rule *rule,
					const struct fault_line *line,
					struct fault_dice dice, uint32_t size, bool bytes,
					struct fault_trail *trail)
{
	struct fault_line_entry entry = { .fate = FAULT_LIMIT };

	if (can_evict(rule, line, size)) {
		entry.evict = true;
		entry.victim = (uint32_t)bits_below(dice_bits(dice, LANE_OVERFLOW),
						    line->frames - 1);
		return entry;
	}
	if (bytes)
		fault_note_add_line(trail, NOTE_LOST_LIMIT_BYTES, rule->name_number,
				    (uint32_t)line->bytes, rule->limit_bytes);
	else
		fault_note_add_line(trail, NOTE_LOST_LIMIT, rule->name_number,
				    line->frames, limit_frames(rule));
	return entry;
}

struct fault_line_entry fault_line_enter(const struct fault_rule *rule,
					 struct fault_rule_state *state,
					 struct fault_dice dice,
					 const struct fault_frame *frame,
					 struct fault_trail *trail)
{
	struct fault_line_entry entry = { .fate = FAULT_PASS };
	struct fault_line *line = &state->line;
	uint32_t average, ppb;

	if (rule->limit_bytes && line->bytes + frame->size > rule->limit_bytes)
		return overflow(rule, line, dice, frame->size, true, trail);
	if (line->free_ns > END_OF_TIME_NS || line->frames >= limit_frames(rule))
		return overflow(rule, line, dice, frame->size, false, trail);
	if (rule->queue == QUEUE_RED &&
	    red(rule, line, dice, frame->now_ns, &average, &ppb)) {
		entry.mark = rule->ecn && edit_can_mark(frame->bytes, frame->size) &&
			     average < rule->red_max_bytes;
		entry.fate = entry.mark ? FAULT_PASS : FAULT_AQM;
		fault_note_add_line(trail, entry.mark ? NOTE_MARKED_RED : NOTE_LOST_RED,
				    rule->name_number, average, ppb / FAULT_PPM);
	}
	if (entry.fate != FAULT_PASS)
		return entry;
	if (line->frames)
		fault_note_add_line(trail, NOTE_QUEUED, rule->name_number, line->frames,
				    limit_frames(rule));
	line->frames++;
	line->bytes += frame->size;
	return entry;
}

void fault_line_leave(struct fault_rule_state *state, uint32_t size, uint64_t now_ns)
{
	struct fault_line *line = &state->line;

	ASSERT(line->frames > 0 && line->bytes >= size);
	line->frames--;
	line->bytes -= size;
	if (!line->frames)
		line->idle_ns = now_ns;
}

/* ---- gates ------------------------------------------------------------- */

/* Until when nothing leaves; now_ns: it may. */
static uint64_t clogged_until(const struct fault_rule *rule,
			      struct fault_rule_state *state, uint64_t now_ns)
{
	struct fault_line *line = &state->line;
	uint64_t change_ns = UINT64_MAX;
	bool open = !rule->hold;

	if (open && rule->clog.on_ns)
		open = cycle_is_on(&rule->clog, &state->clog, state->key, now_ns,
				   &change_ns);
	if (!open) {
		line->held = true;
		return change_ns;
	}
	if (line->held) {
		line->held = false;
		line->opened_ns = now_ns;
	}
	return now_ns;
}

/* From one slot to the next. */
static uint64_t slot_interval_ns(const struct fault_rule *rule,
				 struct fault_rule_state *state)
{
	uint64_t no = state->line.slot_no++;
	int64_t ns = (int64_t)(rule->slot_min_ns +
			       draw_below(state->key, no, LANE_SLOT,
					  rule->slot_max_ns - rule->slot_min_ns + 1));

	if (rule->slot_jitter_ns)
		ns += fault_spread_ns(rule->slot_distribution, rule->slot_jitter_ns,
				      rule->slot_table,
				      draw_bits(state->key, no, LANE_SLOT_JITTER));
	return ns < 0 ? 0 : (uint64_t)ns;
}

static uint64_t slot_from(const struct fault_rule *rule, struct fault_rule_state *state,
			  uint32_t size, uint64_t since_ns, uint64_t now_ns)
{
	struct fault_line *line = &state->line;
	/* It waited when the slot came; with a rate, its turn may come later. */
	bool in_slot = line->slot_no && since_ns <= line->slot_ns &&
		       (now_ns == line->slot_ns || now_ns < line->slot_next_ns);

	if (in_slot && (!rule->slot_frames || line->slot_frames < rule->slot_frames) &&
	    (!rule->slot_bytes || line->slot_bytes < rule->slot_bytes)) {
		line->slot_frames++;
		if (__builtin_add_overflow(line->slot_bytes, size, &line->slot_bytes))
			line->slot_bytes = UINT32_MAX;
		return now_ns;
	}
	if (now_ns < line->slot_next_ns)
		return line->slot_next_ns;
	line->slot_ns = now_ns;
	line->slot_next_ns = ns_add(now_ns, slot_interval_ns(rule, state));
	line->slot_frames = 1;
	line->slot_bytes = size;
	return now_ns;
}

/* ---- CoDel ------------------------------------------------------------- */

/* interval / sqrt(count) later, by whole numbers. */
static uint64_t codel_next(const struct fault_rule *rule, uint64_t from_ns,
			   uint32_t count)
{
	uint64_t square = (uint64_t)count << 32, root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= square)
			root += bit;
	return from_ns +
	       (uint64_t)(((unsigned __int128)rule->codel_interval_ns << 16) / root);
}

/* Has it been too slow for a whole interval? */
static bool codel_is_slow(const struct fault_rule *rule, struct fault_line *line,
			  uint32_t size, uint64_t waited_ns, uint64_t now_ns)
{
	if (waited_ns < rule->codel_target_ns ||
	    line->bytes - size <= CODEL_FRAME_BYTES) {
		line->above_ns = 0;
		return false;
	}
	if (!line->above_ns) {
		line->above_ns = ns_add(now_ns, rule->codel_interval_ns);
		return false;
	}
	return now_ns >= line->above_ns;
}

static bool codel(const struct fault_rule *rule, struct fault_line *line, uint32_t size,
		  uint64_t waited_ns, uint64_t now_ns)
{
	bool slow = codel_is_slow(rule, line, size, waited_ns, now_ns);

	if (line->dropping) {
		if (!slow) {
			line->dropping = false;
			return false;
		}
		if (now_ns < line->drop_next_ns)
			return false;
		line->drops++;
		line->drop_next_ns = codel_next(rule, line->drop_next_ns, line->drops);
		return true;
	}
	if (!slow)
		return false;
	/* If it has been here lately, it goes on where it left off. */
	line->dropping = true;
	if (line->drops - line->drops_before > 1 &&
	    now_ns < line->drop_next_ns + 16 * rule->codel_interval_ns)
		line->drops -= line->drops_before;
	else
		line->drops = 1;
	line->drop_next_ns = codel_next(rule, now_ns, line->drops);
	line->drops_before = line->drops;
	return true;
}

/* ---- sending ----------------------------------------------------------- */

static uint64_t line_bytes(const struct fault_rule *rule, uint32_t size)
{
	int64_t bytes = (int64_t)size + rule->overhead_bytes;
	int64_t cell = (int64_t)rule->cell_bytes;

	if (bytes < 1)
		bytes = 1;
	if (cell)
		bytes = (bytes + cell - 1) / cell * (cell + rule->cell_overhead_bytes);
	return (uint64_t)bytes;
}

/* The time is kept as a whole number of nanoseconds and a fraction with rate_bps
 * below the line, so the n-th frame leaves at exactly the sum of what the frames
 * before it took.  Never early: a started nanosecond counts whole. */
static uint64_t send_at_rate(const struct fault_rule *rule, struct fault_line *line,
			     uint32_t size, uint64_t now_ns)
{
	uint64_t bytes = line_bytes(rule, size);
	unsigned __int128 work;

	/* The rest of a nanosecond is in parts of the rate. */
	if (line->rate_bps != rule->rate_bps) {
		line->rate_bps = rule->rate_bps;
		line->free_rest = 0;
	}
	if (line->free_ns + (line->free_rest > 0) < now_ns) {
		line->free_ns = now_ns;
		line->free_rest = 0;
	}
	/* A division of 64 bits takes a fraction of one of 128, and is nearly always
	 * enough. */
	if (bytes < BYTES_IN_64_BITS) {
		uint64_t small = bytes * 8 * NS_PER_BIT_AT_1BPS + line->free_rest;

		line->free_ns += small / rule->rate_bps;
		line->free_rest = small % rule->rate_bps;
		return line->free_ns + (line->free_rest > 0);
	}
	work = (unsigned __int128)bytes * 8 * NS_PER_BIT_AT_1BPS + line->free_rest;
	line->free_ns += (uint64_t)(work / rule->rate_bps);
	line->free_rest = (uint64_t)(work % rule->rate_bps);
	return line->free_ns + (line->free_rest > 0);
}

static uint64_t opportunity_ns(const struct fault_data *trace, uint64_t n)
{
	uint64_t period = (uint64_t)trace->value[trace->count - 1];

	return (n / trace->count * period + (uint64_t)trace->value[n % trace->count]) *
	       NS_PER_MS;
}

/* The first opportunity at or after now_ns. */
static uint64_t first_opportunity(const struct fault_data *trace, uint64_t now_ns)
{
	uint64_t period_ns = (uint64_t)trace->value[trace->count - 1] * NS_PER_MS;
	uint64_t round = now_ns / period_ns;
	size_t low = 0, high = trace->count;

	/* The end of a round is an opportunity of that round. */
	if (round && now_ns % period_ns == 0)
		round--;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (opportunity_ns(trace, round * trace->count + middle) < now_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return round * trace->count + low;
}

static uint64_t send_by_trace(const struct fault_rule *rule, struct fault_line *line,
			      uint32_t size, uint64_t since_ns, uint64_t now_ns)
{
	const struct fault_data *trace = rule->capacity;
	uint32_t need = size;

	/* It waited when the last opportunity came, and there is something left. */
	if (line->left_bytes && line->left_ns == now_ns && since_ns <= now_ns) {
		if (need <= line->left_bytes) {
			line->left_bytes -= need;
			return now_ns;
		}
		need -= line->left_bytes;
	} else {
		uint64_t first = first_opportunity(trace, now_ns);

		if (first > line->opportunity)
			line->opportunity = first;
	}
	while (need > OPPORTUNITY_BYTES) {
		need -= OPPORTUNITY_BYTES;
		line->opportunity++;
	}
	line->left_ns = opportunity_ns(trace, line->opportunity++);
	line->left_bytes = OPPORTUNITY_BYTES - need;
	return line->left_ns > now_ns ? line->left_ns : now_ns;
}

/* When it leaves, which begins to be sent now. */
static uint64_t leaves_at(const struct fault_rule *rule, const struct fault_rule *pace,
			  struct fault_rule_state *state, uint32_t size,
			  uint64_t since_ns, uint64_t now_ns, struct fault_trail *trail)
{
	struct fault_line *line = &state->line;
	uint64_t at_ns = now_ns;

	line->by_trace = !pace->rate_bps && rule->capacity;
	line->restart = false;
	if (pace->rate_bps)
		at_ns = send_at_rate(pace, line, size, now_ns);
	else if (rule->capacity)
		at_ns = send_by_trace(rule, line, size, since_ns, now_ns);
	if ((line->rate_bps || rule->capacity) && at_ns > since_ns)
		note_time(trail, NOTE_WAITED, rule->name_number, at_ns - since_ns);
	return at_ns;
}

struct fault_line_start fault_line_start(const struct fault_rule *rule,
					 const struct fault_rule *pace,
					 struct fault_rule_state *state, uint32_t size,
					 bool can_mark, uint64_t since_ns,
					 uint64_t now_ns, struct fault_trail *trail)
{
	struct fault_line_start start = { .step = LINE_WAITS };
	struct fault_line *line = &state->line;

	line->front_bytes = size;
	start.at_ns = clogged_until(rule, state, now_ns);
	if (start.at_ns > now_ns)
		return start;
	if (rule->slot_max_ns) {
		start.at_ns = slot_from(rule, state, size, since_ns, now_ns);
		if (start.at_ns > now_ns)
			return start;
		if (line->slot_ns > since_ns)
			note_time(trail, NOTE_SLOTTED, rule->name_number,
				  line->slot_ns - since_ns);
	}
	if (line->opened_ns > since_ns)
		note_time(trail, NOTE_HELD, rule->name_number,
			  line->opened_ns - since_ns);
	if (rule->queue == QUEUE_CODEL &&
	    codel(rule, line, size, now_ns - since_ns, now_ns)) {
		start.mark = rule->ecn && can_mark;
		note_time(trail, start.mark ? NOTE_MARKED_CODEL : NOTE_LOST_CODEL,
			  rule->name_number, now_ns - since_ns);
		if (!start.mark) {
			start.step = LINE_DROPS;
			return start;
		}
	}
	start.step = LINE_SENDS;
	start.at_ns = leaves_at(rule, pace, state, size, since_ns, now_ns, trail);
	return start;
}

uint64_t fault_line_restart(const struct fault_rule *rule, const struct fault_rule *pace,
			    struct fault_rule_state *state, uint32_t size,
			    uint64_t since_ns, uint64_t now_ns, struct fault_trail *trail)
{
	fault_note_take_back(trail, NOTE_WAITED);
	return leaves_at(rule, pace, state, size, since_ns, now_ns, trail);
}
