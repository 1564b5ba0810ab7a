/* SPDX-License-Identifier: MIT */
/* Each model against its formula (docs/faults.md), a million frames each.
 *
 * A mean is compared by z = (mean - expected) / standard error.  Frames of a chain
 * depend on one another, so the standard error comes from the means of 1000 batches
 * of 1000 frames.  |z| < 4: an honest model fails once in 16,000 seeds; the seeds are
 * fixed, so it never does.  A distribution is compared by Kolmogorov and Smirnov's
 * distance, at 1.95 / sqrt(n): once in 1000 seeds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lib/fault_rig.h"
#include "linkfault/line.h"
#include "linkfault/quantile.h"

#if defined(__SANITIZE_ADDRESS__) || defined(NETLAB_FEW_FRAMES)
enum { BATCHES = 200 };
#else
enum { BATCHES = 1000 };
#endif
enum { BATCH = 1000, FRAMES = BATCHES * BATCH };

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static const uint8_t blank[1514];

static struct {
	double sum, batch_sum, batch_squares;
	unsigned n;
} sample;

static void sample_begin(void)
{
	sample.sum = sample.batch_sum = sample.batch_squares = 0;
	sample.n = 0;
}

static void sample_add(double x)
{
	sample.batch_sum += x;
	sample.sum += x;
	if (++sample.n % BATCH == 0) {
		double mean = sample.batch_sum / BATCH;

		sample.batch_squares += mean * mean;
		sample.batch_sum = 0;
	}
}

static void assert_mean(const char *what, double expected)
{
	double mean = sample.sum / sample.n;
	double variance = (sample.batch_squares / BATCHES - mean * mean) / (BATCHES - 1);
	double z = (mean - expected) / sqrt(variance);

	if (!(fabs(z) < 4))
		fail_msg("%s: mean %g, expected %g, z %g", what, mean, expected, z);
}

/* ---- loss -------------------------------------------------------------- */

static void every_loss_model_loses_its_stationary_share(void **state)
{
	/* gemodel: (r(1-k) + p(1-h)) / (p + r); state: (p13/p31 + p14) / D with
	 * D = 1 + p14 + (p13/p31)(1 + p32/p23). */
	static const struct {
		const char *words;
		double loss;
	} cases[] = {
		{ "{'loss':'0.1%'}", 0.001 },
		{ "{'loss':'1%'}", 0.01 },
		{ "{'loss':'50%'}", 0.5 },
		{ "{'loss':'20% 75%'}", 0.2 },
		{ "{'loss':'5% 25%'}", 0.05 },
		{ "{'loss':'gemodel 1% 10% 70% 0.1%'}",
		  (0.10 * 0.001 + 0.01 * 0.70) / (0.01 + 0.10) },
		{ "{'loss':'gemodel 1% 10%'}", 0.01 / (0.01 + 0.10) },
		{ "{'loss':'gemodel 3%'}", 0.03 },
		{ "{'loss':'burst 5% 4'}", 0.05 },
		{ "{'loss':'state 1% 30% 10% 20% 0.5%'}",
		  (0.01 / 0.30 + 0.005) /
			  (1 + 0.005 + (0.01 / 0.30) * (1 + 0.10 / 0.20)) },
		{ "{'loss':'state 2%'}", (0.02 / 0.98) / (1 + 0.02 / 0.98) },
		{ "{'loss':'every 7'}", 1.0 / 7 },
		{ "{'faults':[{'apply':'30%','loss':'50%'}]}", 0.15 },
		{ "{'faults':[{'name':'a','loss':'10%'},{'name':'b','loss':'20%'}]}",
		  1 - 0.9 * 0.8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rig rig = rig_open(100 + i, cases[i].words);

		sample_begin();
		for (uint64_t n = 0; n < FRAMES; n++)
			sample_add(rig_offer(&rig, blank, 64, n).fate == FAULT_LOSS);
		assert_mean(cases[i].words, cases[i].loss);
		rig_close(&rig);
	}
}

static void bursts_have_their_mean_length(void **state)
{
	/* The chain leaves the bad state with r: runs of 1/r; independent losses run
	 * for 1 / (1 - p); repeated draws for 1 / ((1 - rho)(1 - p)). */
	static const struct {
		const char *words;
		double length;
	} cases[] = {
		{ "{'loss':'burst 5% 4'}", 4 },
		{ "{'loss':'gemodel 2% 25%'}", 4 },
		{ "{'loss':'30%'}", 1 / 0.7 },
		{ "{'loss':'20% 75%'}", 1 / (0.25 * 0.8) },
		{ "{'loss':'state 3% 50%'}", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fault_rig rig = rig_open(200 + i, cases[i].words);
		double runs = 0, sum = 0, squares = 0, mean, error;
		unsigned run = 0;

		for (uint64_t n = 0; n < FRAMES; n++) {
			bool lost = rig_offer(&rig, blank, 64, n).fate == FAULT_LOSS;

			if (lost) {
				run++;
			} else if (run) {
				runs++;
				sum += run;
				squares += (double)run * run;
				run = 0;
			}
		}
		mean = sum / runs;
		error = sqrt((squares / runs - mean * mean) / runs);
		if (fabs(mean - cases[i].length) > 4 * error)
			fail_msg("%s: runs of %g, expected %g, error %g", cases[i].words,
				 mean, cases[i].length, error);
		rig_close(&rig);
	}
}

/* E[x_n x_{n+k}] = p (p + (1 - p) rho^k): the share of frames that are lost k after
 * one that is. */
static void a_correlation_is_rho_to_the_k_and_leaves_the_mean(void **state)
{
	static const unsigned lags[] = { 1, 2, 5 };
	static bool lost[FRAMES];
	struct fault_rig rig = rig_open(300, "{'loss':'20% 75%'}");

	(void)state;
	for (uint64_t n = 0; n < FRAMES; n++)
		lost[n] = rig_offer(&rig, blank, 64, n).fate == FAULT_LOSS;
	for (size_t i = 0; i < ARRAY_SIZE(lags); i++) {
		sample_begin();
		for (unsigned n = 0; n < FRAMES; n++)
			sample_add(n >= lags[i] && lost[n] && lost[n - lags[i]]);
		assert_mean("lost k apart", 0.2 * (0.2 + 0.8 * pow(0.75, lags[i])));
	}
	rig_close(&rig);
}

/* ---- copies, bytes, order ---------------------------------------------- */

static void copies_damage_and_overtaking_have_their_shares(void **state)
{
	struct fault_rig rig =
		rig_open(400, "{'duplicate':'3% 30%','replay':'2% 1s','corrupt':'4% 60%',"
			      "'delay':'1ms','reorder':'50%','gap':5}");
	static bool copied[FRAMES], replayed[FRAMES], damaged[FRAMES], early[FRAMES];

	(void)state;
	for (uint64_t n = 0; n < FRAMES; n++) {
		struct fault_verdict v = rig_offer(&rig, blank, 64, n);

		for (unsigned c = 1; c < rig.copy_count; c++) {
			copied[n] |= rig.copies[c].kind == COPY_DUPLICATE;
			replayed[n] |= rig.copies[c].kind == COPY_REPLAY;
		}
		damaged[n] = v.flips > 0;
		early[n] = v.delay_ns == 0;
	}
	sample_begin();
	for (unsigned n = 0; n < FRAMES; n++)
		sample_add(copied[n]);
	assert_mean("duplicate", 0.03);
	sample_begin();
	for (unsigned n = 0; n < FRAMES; n++)
		sample_add(replayed[n]);
	assert_mean("replay", 0.02);
	sample_begin();
	for (unsigned n = 0; n < FRAMES; n++)
		sample_add(damaged[n]);
	assert_mean("corrupt", 0.04);
	sample_begin();
	for (unsigned n = 0; n < FRAMES; n++)
		sample_add(early[n]);
	assert_mean("reorder", 1 / (5 - 1 + 1 / 0.5)); /* 1 / (gap - 1 + 1 / p) */
	rig_close(&rig);
}

/* Chi square with 511 degrees of freedom: mean 511, standard deviation 32. */
static void every_bit_is_as_likely_as_another(void **state)
{
	struct fault_rig rig = rig_open(401, "{'corrupt':'100%','corrupt-bits':2}");
	static double seen[512];
	double chi = 0, expected = 2.0 * FRAMES / 512;

	(void)state;
	for (uint64_t n = 0; n < FRAMES; n++) {
		struct fault_verdict v = rig_offer(&rig, blank, 64, n);

		assert_int_equal(v.flips, 2);
		seen[v.flip[0]]++;
		seen[v.flip[1]]++;
	}
	for (unsigned bit = 0; bit < 512; bit++)
		chi += (seen[bit] - expected) * (seen[bit] - expected) / expected;
	assert_true(fabs(chi - 511) < 4 * sqrt(2 * 511));
	rig_close(&rig);
}

/* ---- delays ------------------------------------------------------------ */

static double uniform_cdf(double x) /* of half width 1 */
{
	return x < -1 ? 0 : x > 1 ? 1 : (x + 1) / 2;
}

static double normal_cdf(double x)
{
	return erfc(-x / sqrt(2)) / 2;
}

static double exponential_cdf(double x)
{
	return x < -1 ? 0 : 1 - exp(-(x + 1));
}

static double pareto_cdf(double x)
{
	double y = x * sqrt(0.75) + 1.5; /* shape 3: mean 3/2, variance 3/4 */

	return y < 1 ? 0 : 1 - pow(y, -3);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double delays[FRAMES];

static void draw_delays(const char *words, uint64_t seed, double mean_ns, double unit_ns)
{
	struct fault_rig rig = rig_open(seed, words);

	sample_begin();
	for (uint64_t n = 0; n < FRAMES; n++) {
		struct fault_verdict v = rig_offer(&rig, blank, 64, n);

		delays[n] = ((double)v.delay_ns - mean_ns) / unit_ns;
		sample_add(delays[n]);
	}
	rig_close(&rig);
}

/* What draw_delays() or draw_slots() has left, by Kolmogorov and Smirnov. */
static void assert_distribution(const char *what, double (*cdf)(double x))
{
	double distance = 0;

	qsort(delays, FRAMES, sizeof(*delays), compare);
	for (unsigned n = 0; n < FRAMES; n++) {
		double f = cdf(delays[n]);

		distance = fmax(distance, fabs(f - (double)n / FRAMES));
		distance = fmax(distance, fabs(f - (n + 1.0) / FRAMES));
	}
	if (distance > 1.95 / sqrt(FRAMES))
		fail_msg("%s: distance %g", what, distance);
}

static void delays_have_the_distribution_that_was_asked_for(void **state)
{
	static const struct {
		const char *words;
		double (*cdf)(double x);
	} cases[] = {
		{ "{'delay':'100ms','jitter':'10ms'}", uniform_cdf },
		{ "{'delay':'100ms','jitter':'10ms','distribution':'normal'}",
		  normal_cdf },
		{ "{'delay':'100ms','jitter':'10ms','distribution':'exponential'}",
		  exponential_cdf },
		{ "{'delay':'100ms','jitter':'10ms','distribution':'pareto'}",
		  pareto_cdf },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		draw_delays(cases[i].words, 500 + i, 100.0 * 1e6, 10.0 * 1e6);
		assert_mean(cases[i].words, 0);
		assert_distribution(cases[i].words, cases[i].cdf);
	}
}

/* The same of the times from slot to slot. */
static void draw_slots(const char *words, uint64_t seed, double mean_ns, double unit_ns)
{
	struct fault_rig rig = rig_open(seed, words);
	struct fault_line *line = &rig.state->rule[0].line;
	uint64_t now_ns = 0;

	sample_begin();
	for (uint64_t n = 0; n < FRAMES; n++) {
		struct fault_line_start start;

		trail_begin(&rig.trail);
		start = fault_line_start(&rig.spec->rule[0], &rig.spec->rule[0],
					 &rig.state->rule[0], 64, false, 0, now_ns,
					 &rig.trail);
		assert_int_equal(start.step, LINE_SENDS);
		delays[n] = ((double)(line->slot_next_ns - now_ns) - mean_ns) / unit_ns;
		sample_add(delays[n]);
		now_ns = line->slot_next_ns;
	}
	rig_close(&rig);
}

static void slots_have_the_distribution_that_was_asked_for(void **state)
{
	static const struct {
		const char *words;
		double (*cdf)(double x);
	} cases[] = {
		{ "{'slot':'90ms 110ms 1frames'}", uniform_cdf },
		{ "{'slot':'uniform 100ms 10ms 1frames'}", uniform_cdf },
		{ "{'slot':'normal 100ms 10ms 1frames'}", normal_cdf },
		{ "{'slot':'exponential 100ms 10ms 1frames'}", exponential_cdf },
		{ "{'slot':'pareto 100ms 10ms 1frames'}", pareto_cdf },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		draw_slots(cases[i].words, 520 + i, 100.0 * 1e6, 10.0 * 1e6);
		assert_mean(cases[i].words, 0);
		assert_distribution(cases[i].words, cases[i].cdf);
	}
	draw_slots("{'slot':'paretonormal 100ms 10ms 1frames'}", 530, 100.0 * 1e6,
		   10.0 * 1e6);
	assert_mean("paretonormal", 0);
	/* Cut at zero, 1 + z has the mean Phi(1) + phi(1). */
	draw_slots("{'slot':'normal 1ms 1ms 1frames'}", 531, 0, 1e6);
	assert_mean("cut", normal_cdf(1) + exp(-0.5) / sqrt(2 * M_PI));
}

static void a_paretonormal_delay_has_its_mean_and_its_deviation(void **state)
{
	double squares = 0;

	(void)state;
	draw_delays("{'delay':'100ms','jitter':'10ms','distribution':'paretonormal'}",
		    510, 100.0 * 1e6, 10.0 * 1e6);
	assert_mean("paretonormal", 0);
	for (unsigned n = 0; n < FRAMES; n++)
		squares += delays[n] * delays[n];
	/* Its fourth moment has no bound, so this is not a z. */
	assert_true(fabs(sqrt(squares / FRAMES) - 1) < 0.05);
}

/* The mean of |x| has a variance: of (N + 3 P) / sqrt(10), by its two quantile
 * functions, on a grid. */
static void a_paretonormal_delay_is_as_wide_as_its_parts_say(void **state)
{
	enum { GRID = 1000 };
	double expected = 0;

	(void)state;
	for (unsigned i = 0; i < GRID; i++)
		for (unsigned k = 0; k < GRID; k++) {
			uint64_t u = (2 * i + 1) * (UINT64_MAX / (2 * GRID));
			uint64_t v = (2 * k + 1) * (UINT64_MAX / (2 * GRID));

			expected += fabs(quantile(&quantiles_normal, u) +
					 3.0 * quantile(&quantiles_pareto, v));
		}
	expected /= (double)GRID * GRID * QUANTILE_ONE * sqrt(10);
	draw_delays("{'delay':'100ms','jitter':'10ms','distribution':'paretonormal'}",
		    511, 100.0 * 1e6, 10.0 * 1e6);
	sample_begin();
	for (unsigned n = 0; n < FRAMES; n++)
		sample_add(fabs(delays[n]));
	assert_mean("paretonormal", expected);
}

static void correlated_jitter_keeps_its_mean_and_has_its_correlation(void **state)
{
	struct fault_rig rig =
		rig_open(520, "{'delay':'50ms 10ms 60%','distribution':'normal'}");
	double before = 0;

	(void)state;
	sample_begin();
	for (uint64_t n = 0; n < FRAMES; n++) {
		struct fault_verdict v = rig_offer(&rig, blank, 64, n);

		delays[n] = ((double)v.delay_ns - 50e6) / 10e6;
		sample_add(delays[n]);
	}
	assert_mean("correlated jitter", 0);
	sample_begin();
	for (uint64_t n = 0; n < FRAMES; n++) {
		sample_add(n ? delays[n] * before : 0.6);
		before = delays[n];
	}
	assert_mean("correlation", 0.6);
	rig_close(&rig);
}

/* ---- time, queues ------------------------------------------------------ */

static void a_random_cycle_is_on_for_its_share_of_the_time(void **state)
{
	struct fault_rig rig = rig_open(600, "{'flap':'up 20ms down 5ms random'}");

	(void)state;
	sample_begin();
	for (uint64_t n = 0; n < FRAMES; n++)
		sample_add(rig_offer(&rig, blank, 64, n * MS).fate == FAULT_DOWN);
	assert_mean("down", 5.0 / 25);
	rig_close(&rig);
}

/* The share is pi_i m_i / sum of pi_j m_j.  pi of these steps, for one visit of good:
 * good = 0.4 bad, so bad = 2.5; bad = 0.3 good + 0.5 fair, so fair = 4.4; slow = 0.5 fair
 * = 2.2; and fair = 0.7 good + slow + 0.6 bad = 4.4. */
static void a_link_is_in_each_state_for_its_share_of_the_time(void **state)
{
	static const struct {
		const char *name;
		double visits, mean_ms;
	} of[] = { { "good", 1, 20 },
		   { "fair", 4.4, 10 },
		   { "slow", 2.2, 3 },
		   { "bad", 2.5, 5 } };
	double sum = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++)
		sum += of[i].visits * of[i].mean_ms;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct fault_rig rig;
		char words[256];

		snprintf(words, sizeof(words),
			 "{'states':'good 20ms fair 70%% bad 30%%, fair 10ms slow 50%% "
			 "bad "
			 "50%%, slow 3ms fair, bad 5ms good 40%% fair 60%%',"
			 "'faults':[{'in':'%s','loss':'100%%'}]}",
			 of[i].name);
		rig = rig_open(610, words);
		sample_begin();
		for (uint64_t n = 0; n < FRAMES; n++)
			sample_add(rig_offer(&rig, blank, 64, n * MS).fate == FAULT_LOSS);
		assert_mean(of[i].name, of[i].visits * of[i].mean_ms / sum);
		rig_close(&rig);
	}
}

/* Each stay on its own: how long, how spread (of an exponential time the square has the
 * mean 2 m^2), what follows. */
static void a_state_lasts_and_is_left_as_it_says(void **state)
{
	struct fault_rig rig = rig_open(
		611, "{'states':'a 2ms b 25% c 75%, b 30ms, c 400ms a 99.5% b 0.5%'}");
	static const double mean_ms[] = { 2, 30, 400 };
	/* from, to, share */
	static const struct {
		unsigned from, to;
		double share;
	} steps[] = { { 0, 1, 0.25 }, { 1, 2, 1 }, { 2, 1, 0.005 } };

	(void)state;
	for (unsigned what = 0; what < 3 * ARRAY_SIZE(mean_ms); what++) {
		struct fault_chain_state chain = { 0 };
		unsigned want = what % 3, before = 0;
		uint64_t now_ns = 0, end_ns;

		sample_begin();
		while (sample.n < FRAMES) {
			unsigned at =
				fault_chain_at(rig.spec->rule[0].states, &chain,
					       rig.state->rule[0].key, now_ns, &end_ns);
			double ms = (double)(end_ns - now_ns) / (double)MS;

			if (what >= 6 && now_ns && before == steps[want].from)
				sample_add(at == steps[want].to);
			else if (what < 6 && at == want)
				sample_add(what < 3 ? ms : ms * ms);
			before = at;
			now_ns = end_ns;
		}
		if (what >= 6 && steps[want].share == 1)
			assert_true(sample.sum == sample.n);
		else
			assert_mean("stay", what < 3   ? mean_ms[want]
					    : what < 6 ? 2 * mean_ms[want] * mean_ms[want]
						       : steps[want].share);
	}
	rig_close(&rig);
}

/* At a constant average, the distance between two drops is uniform in 1 .. 1/pb
 * (Floyd and Jacobson), so 2 pb / (1 + pb) of the frames are dropped. */
static void red_drops_its_share_at_a_constant_queue(void **state)
{
	struct fault_rig rig = rig_open(
		601, "{'rate':'1Mbit','queue':'red 10kB 30kB 10%','limit':'100frames'}");
	struct fault_rule_state *s = &rig.state->rule[0];
	double pb = 0.10 * 0.5; /* half way between the two */

	(void)state;
	sample_begin();
	for (uint64_t n = 0; n < FRAMES; n++) {
		struct fault_frame frame = { n, blank, 1000, n };
		struct fault_dice dice = { s->key, n };

		s->line.frames = 20;
		s->line.bytes = 20000;
		s->line.average = UINT64_C(20000) << 16;
		trail_begin(&rig.trail);
		sample_add(
			fault_line_enter(&rig.spec->rule[0], s, dice, &frame, &rig.trail)
				.fate == FAULT_AQM);
	}
	assert_mean("red", 2 * pb / (1 + pb));
	rig_close(&rig);
}

/* Below its rate a random-drop queue would be a tail-drop one; at twice its rate half
 * of the frames are lost, and each that waits as likely as another. */
static void an_overflowing_queue_at_twice_its_rate_loses_half(void **state)
{
	enum { COUNT = 20000 };
	static struct rig_frame frames[COUNT];
	struct fault_rig rig =
		rig_open(602, "{'rate':'8Mbit','limit':'10frames','queue':'random'}");
	unsigned lost = 0;

	(void)state;
	for (uint64_t n = 0; n < COUNT; n++)
		frames[n] = (struct rig_frame){ .at_ns = n * 500000, .size = 1000 };
	rig_line(&rig, frames, COUNT);
	for (unsigned n = 0; n < COUNT; n++)
		lost += frames[n].fate == FAULT_LIMIT;
	assert_in_range(lost, COUNT / 2 - 12, COUNT / 2);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_loss_model_loses_its_stationary_share),
		cmocka_unit_test(bursts_have_their_mean_length),
		cmocka_unit_test(a_correlation_is_rho_to_the_k_and_leaves_the_mean),
		cmocka_unit_test(copies_damage_and_overtaking_have_their_shares),
		cmocka_unit_test(every_bit_is_as_likely_as_another),
		cmocka_unit_test(delays_have_the_distribution_that_was_asked_for),
		cmocka_unit_test(slots_have_the_distribution_that_was_asked_for),
		cmocka_unit_test(a_paretonormal_delay_has_its_mean_and_its_deviation),
		cmocka_unit_test(a_paretonormal_delay_is_as_wide_as_its_parts_say),
		cmocka_unit_test(
			correlated_jitter_keeps_its_mean_and_has_its_correlation),
		cmocka_unit_test(a_random_cycle_is_on_for_its_share_of_the_time),
		cmocka_unit_test(a_link_is_in_each_state_for_its_share_of_the_time),
		cmocka_unit_test(a_state_lasts_and_is_left_as_it_says),
		cmocka_unit_test(red_drops_its_share_at_a_constant_queue),
		cmocka_unit_test(an_overflowing_queue_at_twice_its_rate_loses_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
