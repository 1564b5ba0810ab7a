/* SPDX-License-Identifier: MIT */
#include "fabric/expectation.h"

#include <math.h>

enum { STATES_MAX = 4, HEAVY_FRAMES = 10000, DEVIATIONS_TO_ZERO = 6 };

#define NOTHING 1e-15

/* A chain; h: how likely a frame is lost in a state. */
struct chain {
	unsigned states;
	double step[STATES_MAX][STATES_MAX];
	double h[STATES_MAX];
};

static void swap(double *a, double *b)
{
	double before = *a;

	*a = *b;
	*b = before;
}

/* a x = b by elimination with pivots; b becomes x. */
static bool solve(unsigned n, double a[STATES_MAX][STATES_MAX], double b[STATES_MAX])
{
	for (unsigned k = 0; k < n; k++) {
		unsigned best = k;

		for (unsigned i = k + 1; i < n; i++)
			if (fabs(a[i][k]) > fabs(a[best][k]))
				best = i;
		if (fabs(a[best][k]) < NOTHING)
			return false;
		for (unsigned j = 0; j < n; j++)
			swap(&a[k][j], &a[best][j]);
		swap(&b[k], &b[best]);
		for (unsigned i = 0; i < n; i++) {
			double factor = i == k ? 0 : a[i][k] / a[k][k];

			for (unsigned j = k; factor != 0 && j < n; j++)
				a[i][j] -= factor * a[k][j];
			b[i] -= factor * b[k];
		}
	}
	for (unsigned k = 0; k < n; k++)
		b[k] /= a[k][k];
	return true;
}

/* pi (I - P + J) = (1 ... 1), J all ones. */
static bool stationary(const struct chain *c, double pi[STATES_MAX])
{
	double a[STATES_MAX][STATES_MAX];

	for (unsigned i = 0; i < c->states; i++) {
		pi[i] = 1;
		for (unsigned j = 0; j < c->states; j++)
			a[j][i] = (i == j) - c->step[i][j] + 1;
	}
	return solve(c->states, a, pi);
}

/* g with (I - P + 1 pi) g = h - p. */
static bool poisson(const struct chain *c, const double pi[STATES_MAX], double p,
		    double g[STATES_MAX])
{
	double a[STATES_MAX][STATES_MAX];

	for (unsigned i = 0; i < c->states; i++) {
		g[i] = c->h[i] - p;
		for (unsigned j = 0; j < c->states; j++)
			a[i][j] = (i == j) - c->step[i][j] + pi[j];
	}
	return solve(c->states, a, g);
}

/* It begins in state 0.  steps_first: a frame's state is the one after the step. */
static bool of_chain(struct expected_share *out, const struct chain *c, bool steps_first)
{
	double pi[STATES_MAX], g[STATES_MAX], v = 0;

	if (!stationary(c, pi))
		return false;
	out->p = 0;
	for (unsigned i = 0; i < c->states; i++)
		out->p += pi[i] * c->h[i];
	if (!poisson(c, pi, out->p, g))
		return false;
	for (unsigned i = 0; i < c->states; i++) {
		double f = c->h[i] - out->p;

		v += pi[i] * (f * (2 * g[i] - f) + c->h[i] * (1 - c->h[i]));
	}
	out->start = g[0] - (steps_first ? c->h[0] - out->p : 0);
	out->effective = v > NOTHING ? out->p * (1 - out->p) / v : 1;
	return true;
}

static double share(uint32_t ppb)
{
	return (double)ppb / FAULT_PPB_ALL;
}

static bool of_gemodel(struct expected_share *out, const struct fault_rule *rule)
{
	double p = share(rule->loss_p_ppb[0]), r = share(rule->loss_p_ppb[1]);
	struct chain c = { .states = 2,
			   .step = { { 1 - p, p }, { r, 1 - r } },
			   .h = { share(rule->loss_p_ppb[3]),
				  share(rule->loss_p_ppb[2]) } };

	return of_chain(out, &c, false);
}

/* loss.c has the steps in words. */
static bool of_four_states(struct expected_share *out, const struct fault_rule *rule)
{
	double p13 = share(rule->loss_p_ppb[0]), p31 = share(rule->loss_p_ppb[1]);
	double p32 = share(rule->loss_p_ppb[2]), p23 = share(rule->loss_p_ppb[3]);
	double p14 = share(rule->loss_p_ppb[4]);
	struct chain c = { .states = 4,
			   .step = { { 1 - p13 - p14, 0, p13, p14 },
				     { 0, 1 - p23, p23, 0 },
				     { p31, p32, 1 - p31 - p32, 0 },
				     { 1, 0, 0, 0 } },
			   .h = { 0, 0, 1, 1 } };

	return of_chain(out, &c, true);
}

struct expected_share expected_chance(struct fault_chance chance)
{
	double rho = share(chance.rho_ppb);

	return (struct expected_share){ .p = share(chance.p_ppb),
					.effective = (1 - rho) / (1 + rho) };
}

bool expected_loss(struct expected_share *out, const struct fault_rule *rule)
{
	switch (rule->loss_model) {
	case LOSS_RANDOM:
		*out = expected_chance(rule->loss);
		return true;
	case LOSS_GEMODEL:
		return of_gemodel(out, rule);
	case LOSS_STATE:
		return of_four_states(out, rule);
	case LOSS_EVERY:
		/* Counted, not drawn: one more or fewer, for where the count began. */
		*out = (struct expected_share){ .p = 1 / (double)rule->loss_every,
						.effective = INFINITY,
						.start = 1 };
		return true;
	case LOSS_LISTED:
		break;
	}
	return false;
}

bool expected_delay(double *mean_ns, double *deviation_ns, double *effective,
		    const struct fault_rule *rule, uint64_t frames)
{
	double delay = (double)rule->delay_ns, jitter = (double)rule->jitter_ns;
	double z = jitter > 0 ? delay / jitter : INFINITY,
	       rho = share(rule->jitter_rho_ppb);

	*mean_ns = delay;
	*deviation_ns = jitter;
	*effective = (1 - rho) / (1 + rho);
	switch (rule->distribution) {
	case DIST_UNIFORM:
		*deviation_ns = jitter / sqrt(3);
		return true;
	case DIST_NORMAL:
		/* Without those below zero, which are not on their way: the mean of what
		 * is left of a normal distribution (inverse Mills ratio). */
		if (z < DEVIATIONS_TO_ZERO)
			*mean_ns += jitter * exp(-z * z / 2) / sqrt(2 * M_PI) /
				    (erfc(-z / sqrt(2)) / 2);
		return true;
	case DIST_EXPONENTIAL:
		return true; /* e - 1 is at least -1: never below zero */
	case DIST_PARETO:
		return frames >= HEAVY_FRAMES; /* at least -0.58 */
	case DIST_PARETONORMAL:
		return frames >= HEAVY_FRAMES && z > DEVIATIONS_TO_ZERO;
	case DIST_TABLE:
	case DIST_SAMPLES:
	case DIST_TRACE:
		break;
	}
	return false;
}
