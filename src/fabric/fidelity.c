/* SPDX-License-Identifier: MIT */
#include "fabric/fidelity.h"

#include <math.h>

#include "fabric/expectation.h"
#include "linkfault/word.h"

/* Of a normal distribution, 99.9 % lie within so many standard deviations. */
#define DEVIATIONS 3.2905

json_t *fidelity_json(const struct histogram *late, uint64_t pool)
{
	uint64_t p99_ns = histogram_quantile(late, 990);
	/* One in a hundred, and not fewer than can be no accident. */
	uint64_t late_permille = late->count < 100 * FIDELITY_LATE_FRAMES_MIN && late->count ?
					 1000 * FIDELITY_LATE_FRAMES_MIN / late->count :
					 10;
	bool suspect = late_permille <= 1000 &&
		       histogram_quantile(late, (unsigned)(1000 - late_permille)) >
			       FIDELITY_LATE_NS;

	return json_pack("{s:I, s:I, s:I, s:I, s:b, s:I}", "frames",
			 (json_int_t)late->count,
			 "p50_ns", (json_int_t)histogram_quantile(late, 500), "p99_ns",
			 (json_int_t)p99_ns, "most_ns", (json_int_t)late->most, "suspect",
			 suspect, "pool", (json_int_t)pool);
}

json_t *fidelity_run(const struct wire *wire)
{
	return fidelity_json(wire_lateness(wire), wire_pool_lost(wire));
}

void fidelity_wilson(double hits, double of, double *low_ppm, double *high_ppm)
{
	double n = of, p = hits / n, z2 = DEVIATIONS * DEVIATIONS;
	double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
	double half =
		DEVIATIONS / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

	/* At the ends rounding must not leave out what is certain. */
	*low_ppm = hits <= 0 ? 0 : (middle - half) * 1e6;
	*high_ppm = hits >= of ? 1e6 : (middle + half) * 1e6;
}

/* The interval of hits of n, if the share is the expected one; what was asked for is in
 * it, or not. */
static json_t *share_json(const char *what, uint64_t hits, uint64_t n,
			  const struct expected_share *expected)
{
	double part = (double)hits / (double)n, low = part * 1e6, high = part * 1e6;
	double effective = expected ? expected->effective : 1;
	json_t *json;

	if (isfinite(effective))
		fidelity_wilson(part * (double)n * effective, (double)n * effective, &low,
				&high);
	if (expected) {
		low -= fabs(expected->start) / (double)n * 1e6;
		high += fabs(expected->start) / (double)n * 1e6;
	}
	low = low < 0 ? 0 : low;
	high = high > 1e6 ? 1e6 : high;
	json = json_pack("{s:I, s:I, s:f, s:f, s:f}", "frames", (json_int_t)n, what,
			 (json_int_t)hits, "percent", part * 100, "low", low / 1e4,
			 "high", high / 1e4);
	if (expected) {
		json_object_set_new(json, "asked", json_real(expected->p * 100));
		/* A rounding error is none of the link's. */
		json_object_set_new(json, "ok",
				    json_boolean(expected->p * 1e6 >= low - 1e-6 &&
						 expected->p * 1e6 <= high + 1e-6));
	}
	return json;
}

/* What was counted since the fault was set. */
static struct sw_count since(const struct sw_count *now, const struct sw_count *before)
{
	struct sw_count count = *now;

	count.frames -= before->frames;
	count.copies -= before->copies;
	count.edited -= before->edited;
	for (unsigned fate = 0; fate < SW_FATES; fate++)
		count.dropped[fate] -= before->dropped[fate];
	return count;
}

/* Those for which there was a way at all. */
static uint64_t admitted(const struct sw_count *count)
{
	return count->frames - count->dropped[SW_DROP_CUT] -
	       count->dropped[SW_DROP_DOWN] - count->dropped[SW_DROP_MTU];
}

/* Is a rule's own count of frames the direction's?  Rules beside it add to what is
 * counted, and a link that goes down loses frames after they were judged. */
static bool is_alone(const struct fault_spec *spec)
{
	return spec->count == 1 && !spec->rule[0].flap.on_ns;
}

/* Does the link's own rule lose frames by another word than loss? */
static bool loses_otherwise(const struct fault_rule *rule)
{
	const struct fault_word *loss = fault_word_find("loss");

	for (size_t i = 0; i < fault_word_count; i++)
		if (&fault_words[i] != loss && fault_words[i].loses &&
		    fault_word_acts(&fault_words[i], rule))
			return true;
	return false;
}

static json_t *loss_json(const struct fault_spec *spec, const struct sw_count *count)
{
	static const struct fault_rule none;
	const struct fault_rule *rule = spec ? &spec->rule[0] : &none;
	uint64_t judged = admitted(count) + count->copies;
	struct expected_share expected;
	/* All copies of a frame have its number, and so one fate by that. */
	bool known = (!spec || is_alone(spec)) && !rule->ecn && !loses_otherwise(rule) &&
		     !(rule->loss_model == LOSS_EVERY && count->copies) &&
		     expected_loss(&expected, rule);

	if (!judged)
		return json_null();
	return share_json("lost", count->dropped[SW_DROP_LOSS], judged,
			  known ? &expected : NULL);
}

/* Frames that there were further copies of: by one word, or it is not known which. */
static json_t *copies_json(const struct fault_spec *spec, const struct sw_count *count)
{
	const struct fault_rule *rule = spec ? &spec->rule[0] : NULL;
	struct expected_share expected;
	uint64_t each;

	if (!rule || !admitted(count) || !is_alone(spec) ||
	    !rule->duplicate.p_ppb == !rule->replay_ppb)
		return json_null();
	each = rule->duplicate.p_ppb && rule->duplicate_count ? rule->duplicate_count : 1;
	expected = expected_chance(rule->replay_ppb
					   ? (struct fault_chance){ rule->replay_ppb, 0 }
					   : rule->duplicate);
	return share_json("copied", count->copies / each, admitted(count), &expected);
}

/* Frames whose bits were flipped.  A queue that loses some of them is in the way, and
 * bits that a frame may not have. */
static json_t *damage_json(const struct fault_spec *spec, const struct sw_count *count)
{
	const struct fault_rule *rule = spec ? &spec->rule[0] : NULL;
	struct expected_share expected;
	uint64_t judged, damaged;

	if (!rule || !rule->corrupt.p_ppb || !is_alone(spec) || rule->ecn ||
	    rule->corrupt_at || count->dropped[SW_DROP_LIMIT] ||
	    count->dropped[SW_DROP_AQM] || count->dropped[SW_DROP_POOL])
		return json_null();
	judged = admitted(count) + count->copies - count->dropped[SW_DROP_LOSS];
	damaged = rule->corrupt_mode == CORRUPT_FCS ? count->dropped[SW_DROP_FCS]
						    : count->edited;
	expected = expected_chance(rule->corrupt);
	return judged ? share_json("damaged", damaged, judged, &expected) : json_null();
}

/* Does nothing but the delay of the link itself make frames wait? */
static bool only_delays(const struct fault_spec *spec)
{
	const struct fault_rule *rule = &spec->rule[0];

	return is_alone(spec) && !fault_rule_has_line(rule) && !rule->keep_order &&
	       !rule->reorder.p_ppb && !rule->replay_ppb && rule->delay_ns;
}

/* Never early, and late by no more than a wire of a busy host may be. */
static json_t *delay_json(const struct fault_spec *spec, const struct sw_timing *timing)
{
	double mean, asked, deviation, effective, error;
	json_t *json;

	if (!timing || !timing->frames)
		return json_null();
	mean = (double)timing->wait_ns / (double)timing->frames;
	json = json_pack("{s:I, s:f, s:I, s:I, s:I}", "frames",
			 (json_int_t)timing->frames, "mean_ns", mean, "late_p50_ns",
			 (json_int_t)histogram_quantile(&timing->late, 500),
			 "late_p99_ns",
			 (json_int_t)histogram_quantile(&timing->late, 990),
			 "late_most_ns", (json_int_t)timing->late.most);
	if (!spec || !only_delays(spec) ||
	    !expected_delay(&asked, &deviation, &effective, &spec->rule[0],
			    timing->frames))
		return json;
	error = DEVIATIONS * deviation / sqrt((double)timing->frames * effective);
	json_object_set_new(json, "asked_ns", json_integer((json_int_t)llround(asked)));
	json_object_set_new(json, "error_ns", json_real(error));
	json_object_set_new(
		json, "ok",
		json_boolean(mean >= asked - error - 1 &&
			     mean <= asked + error + (double)FIDELITY_LATE_NS));
	return json;
}

static json_t *rate_json(const struct fault_spec *spec, const struct sw_timing *timing)
{
	const struct fault_rule *rule = spec ? &spec->rule[0] : NULL;
	double measured;
	json_t *json;

	if (!timing || !timing->busy_ns || !rule || !rule->rate_bps)
		return json_null();
	measured = (double)timing->busy_bytes * 8e9 / (double)timing->busy_ns;
	json = json_pack("{s:I, s:f, s:I}", "asked_bps", (json_int_t)rule->rate_bps,
			 "bps", measured, "busy_bytes", (json_int_t)timing->busy_bytes);
	/* Frames may be larger on the line, or wait for something else as well.  A frame
	 * is late or is not: over many of them that does not matter. */
	if (is_alone(spec) && !rule->overhead_bytes && !rule->cell_bytes &&
	    !rule->slot_max_ns && !rule->clog.on_ns && !rule->hold &&
	    !rule->duplicate.p_ppb && !rule->replay_ppb && !rule->corrupt.p_ppb)
		json_object_set_new(
			json, "ok",
			json_boolean(fabs(measured / (double)rule->rate_bps - 1) < 0.02));
	return json;
}

json_t *fidelity_of(const struct fault_spec *spec, const struct sw_count *count,
		    const struct sw_timing *timing)
{
	static const struct sw_count nothing;
	struct sw_count now =
		since(count ? count : &nothing, timing ? &timing->before : &nothing);

	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "since_ns",
			 (json_int_t)(timing ? timing->since_ns : 0), "pool",
			 (json_int_t)now.dropped[SW_DROP_POOL], "loss",
			 loss_json(spec, &now), "copies", copies_json(spec, &now),
			 "damage", damage_json(spec, &now), "delay",
			 delay_json(spec, timing), "rate", rate_json(spec, timing));
}
