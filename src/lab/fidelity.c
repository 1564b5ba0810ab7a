/* SPDX-License-Identifier: MIT */
#include "lab/fidelity.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

/* Of a normal distribution, 99.9 % lie within so many standard deviations. */
#define DEVIATIONS 3.2905

json_t *fidelity_json(const struct histogram *late)
{
	uint64_t p99_ns = histogram_quantile(late, 990);

	return json_pack("{s:I, s:I, s:I, s:I, s:b}", "frames", (json_int_t)late->count,
			 "p50_ns", (json_int_t)histogram_quantile(late, 500), "p99_ns",
			 (json_int_t)p99_ns, "most_ns", (json_int_t)late->most, "suspect",
			 p99_ns > FIDELITY_LATE_NS);
}

void fidelity_wilson(uint64_t hits, uint64_t of, double *low_ppm, double *high_ppm)
{
	double n = (double)of, p = (double)hits / n, z2 = DEVIATIONS * DEVIATIONS;
	double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
	double half =
		DEVIATIONS / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));

	/* At the ends rounding must not leave out what is certain. */
	*low_ppm = hits == 0 ? 0 : (middle - half) * 1e6;
	*high_ppm = hits == of ? 1e6 : (middle + half) * 1e6;
}

static const char *word(const json_t *fault, const char *key)
{
	return json_string_value(json_object_get(fault, key));
}

/* Does the fault have nothing but these keys? */
static bool only(const json_t *fault, const char *const *keys)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)fault, key, value)
	{
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], key))
			i++;
		if (!keys[i])
			return false;
	}
	return true;
}

/* Judged for loss: all but what was cut off, down, or too large before that. */
static json_t *loss_json(const json_t *fault, const struct sw_count *now,
			 const struct sw_count *before)
{
	static const char *const plain[] = { "loss", "delay", "jitter",
					     "rate", "limit", NULL };
	uint64_t lost = now->dropped[SW_DROP_LOSS] - before->dropped[SW_DROP_LOSS];
	uint64_t judged = now->frames - before->frames;
	const char *asked = word(fault, "loss");
	double low, high;
	uint64_t ppb = 0;
	json_t *json;

	judged -= now->dropped[SW_DROP_CUT] - before->dropped[SW_DROP_CUT];
	judged -= now->dropped[SW_DROP_DOWN] - before->dropped[SW_DROP_DOWN];
	if (!judged)
		return json_null();
	fidelity_wilson(lost, judged, &low, &high);
	json = json_pack("{s:I, s:I, s:f, s:f, s:f}", "frames", (json_int_t)judged,
			 "lost", (json_int_t)lost, "percent",
			 (double)lost / (double)judged * 100, "low", low / 1e4, "high",
			 high / 1e4);
	if (only(fault, plain) && (!asked || !units_parse_ppb(asked, &ppb, NULL))) {
		json_object_set_new(json, "asked", json_real((double)ppb / 1e7));
		json_object_set_new(json, "ok",
				    json_boolean((double)ppb / 1e3 >= low &&
						 (double)ppb / 1e3 <= high));
	}
	return json;
}

/* Never early, and late by no more than a wire of a busy host may be. */
static json_t *delay_json(const json_t *fault, const struct sw_timing *timing)
{
	static const char *const plain[] = { "loss", "delay", "jitter", NULL };
	const char *delay = word(fault, "delay"), *jitter = word(fault, "jitter");
	uint64_t asked_ns, jitter_ns = 0;
	double mean, error;
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
	if (!delay || units_parse_ns(delay, &asked_ns, NULL) || !only(fault, plain) ||
	    (jitter && units_parse_ns(jitter, &jitter_ns, NULL)))
		return json;
	/* Uniform jitter: its deviation is its half width over the root of three. */
	error = DEVIATIONS * (double)jitter_ns / sqrt(3) / sqrt((double)timing->frames);
	json_object_set_new(json, "asked_ns", json_integer((json_int_t)asked_ns));
	json_object_set_new(json, "error_ns", json_real(error));
	json_object_set_new(json, "ok",
			    json_boolean(mean >= (double)asked_ns - error &&
					 mean <= (double)asked_ns + error +
							 (double)FIDELITY_LATE_NS));
	return json;
}

static json_t *rate_json(const json_t *fault, const struct sw_timing *timing)
{
	/* Frames are larger on the line, or wait for something else as well. */
	static const char *const plain[] = {
		"loss",	 "delay",   "jitter", "correlation", "distribution",
		"order", "reorder", "gap",    "rate",	     "limit",
		"queue", "ecn",	    "down",   NULL
	};
	const char *rate = word(fault, "rate");
	uint64_t asked_bps;
	double measured;
	json_t *json;

	if (!timing || !timing->busy_ns || !rate ||
	    units_parse_bps(rate, &asked_bps, NULL))
		return json_null();
	measured = (double)timing->busy_bytes * 8e9 / (double)timing->busy_ns;
	json = json_pack("{s:I, s:f, s:I}", "asked_bps", (json_int_t)asked_bps, "bps",
			 measured, "busy_bytes", (json_int_t)timing->busy_bytes);
	/* A frame is late or is not: over many of them that does not matter. */
	if (only(fault, plain))
		json_object_set_new(
			json, "ok",
			json_boolean(fabs(measured / (double)asked_bps - 1) < 0.02));
	return json;
}

json_t *fidelity_of(const json_t *fault, const struct sw_count *count,
		    const struct sw_timing *timing)
{
	static const struct sw_count nothing;
	const struct sw_count *before = timing ? &timing->before : &nothing;

	return json_pack("{s:I, s:o, s:o, s:o}", "since_ns",
			 (json_int_t)(timing ? timing->since_ns : 0), "loss",
			 loss_json(fault, count ? count : &nothing, before), "delay",
			 delay_json(fault, timing), "rate", rate_json(fault, timing));
}
