/* SPDX-License-Identifier: MIT */
/* clock: what time it is, and how it passes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_args.h"
#include "lab/verbs.h"

/* A pace of a thousandth to a thousand times the host's. */
enum { PACE_PPM_MIN = 1000, PACE_PPM_MAX = 1000000000 };

static json_t *hash_json(uint64_t hash)
{
	char text[DIGEST_TEXT_BYTES];

	return json_string(digest_text(text, hash));
}

json_t *digest_json(const struct lab *lab)
{
	struct digest_value value;

	for (size_t i = 0; i < lab->plan->node_count; i++)
		machine_drain(lab->machines[i]);
	value = digest_value(lab->digest);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:b}", "all",
			 hash_json(value.all), "frames", hash_json(value.frames),
			 "journal", hash_json(value.journal), "consoles",
			 hash_json(value.consoles), "logs", hash_json(value.logs),
			 "frame_count", (json_int_t)value.frame_count, "entry_count",
			 (json_int_t)value.entry_count, "console_bytes",
			 (json_int_t)value.console_bytes, "log_bytes",
			 (json_int_t)value.log_bytes, "sealed", value.sealed);
}

static json_t *stats_json(const struct vtime_state *state)
{
	uint64_t standing_ns = state->standing_host_ns, guests_ns = state->guests_host_ns;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rounds",
			 (json_int_t)state->rounds, "timers", (json_int_t)state->timers,
			 "calls", (json_int_t)state->calls, "host_ns",
			 (json_int_t)state->host_ns, "guests_ns", (json_int_t)guests_ns,
			 "netlab_ns",
			 (json_int_t)(state->host_ns - guests_ns - standing_ns),
			 "standing_ns", (json_int_t)standing_ns);
}

static json_t *clock_json(const struct lab *lab)
{
	struct vtime_state state;

	if (!lab->vtime)
		return json_pack("{s:s, s:I, s:o}", "clock", "real", "now_ns",
				 (json_int_t)clock_now_ns(lab->clock), "nodes",
				 node_clocks_json(lab));
	state = vtime_state(lab->vtime);
	return json_pack("{s:s, s:I, s:I, s:b, s:b, s:o, s:o, s:o, s:O?}", "clock", "virtual",
			 "now_ns", (json_int_t)state.now_ns, "pace_ppm",
			 (json_int_t)state.pace_ppm, "paused", state.paused, "standing",
			 state.standing, "stats", stats_json(&state), "digest",
			 digest_json(lab), "nodes", node_clocks_json(lab), "slow",
			 lab->slow.json);
}

/* ---- a step, until it is done -------------------------------------------------- */

struct step {
	struct request request;
	struct lab *lab;
	uint64_t slow_times; /* that it was told, who makes it slow */
};

static bool pump_step(struct request *request)
{
	struct step *step = (struct step *)request;
	struct lab *lab = step->lab;

	if (step->slow_times != lab->slow.times && lab->phase < LAB_STOPPING) {
		step->slow_times = lab->slow.times;
		request_event(request, "slow", json_pack("{s:s}", "why", lab->slow.text));
	}
	if (lab->phase >= LAB_STOPPING)
		request_fail(request, NULL, "the lab was taken down");
	else if (vtime_state(lab->vtime).step_to_ns)
		return false;
	else
		request_answer(request, clock_json(lab));
	free(step);
	return false;
}

/* Nobody waits for it any more: time has passed far enough. */
static void drop_step(struct request *request)
{
	struct step *step = (struct step *)request;

	vtime_step(step->lab->vtime, 0);
	free(step);
}

static void close_step(struct request *request)
{
	request_answer(request, NULL);
	drop_step(request);
}

static int begin_step(struct lab *lab, struct call *call, json_int_t ns, struct why *why)
{
	static const struct request_ops ops = {
		.pump = pump_step,
		.close = close_step,
		.drop = drop_step,
	};
	struct step *step;

	if (vtime_state(lab->vtime).step_to_ns)
		return why_set(why, -EBUSY, "a step is under way already");
	step = calloc(1, sizeof(*step));
	if (!step)
		return why_set(why, -ENOMEM, "clock: out of memory");
	step->lab = lab;
	step->slow_times = lab->slow.times - (lab->slow.json != NULL);
	request_begin(&step->request, call, &ops, WAKE_CLOCK | WAKE_PROGRESS | WAKE_SLOW);
	vtime_step(lab->vtime, clock_now_ns(lab->clock) + (uint64_t)ns);
	return 0;
}

/* How time was let pass changes nothing that happens in it, but explains the run. */
static void journal_change(struct lab *lab, const json_t *body)
{
	json_t *fields = json_copy((json_t *)body);

	json_object_del(fields, "id");
	json_object_del(fields, "do");
	journal_write(lab->journal, "clock", fields);
}

int verb_clock(void *ctx, struct call *call, struct why *why)
{
	struct lab *lab = ctx;
	json_int_t pace = -1, step = 0;
	const json_t *paused = json_object_get(call->body, "paused");
	bool pause = false;
	int err = arg_integer(call->body, "pace_ppm", ARG_OPTIONAL, 0, PACE_PPM_MAX,
			      &pace, why);

	if (!err)
		err = arg_integer(call->body, "step_ns", ARG_OPTIONAL, 1,
				  (json_int_t)CLOCK_STEP_NS_MAX, &step, why);
	if (!err)
		err = arg_flag(call->body, "paused", &pause, why);
	if (!err && pace > 0 && pace < PACE_PPM_MIN)
		err = why_set(why, -EINVAL, "\"pace_ppm\": 0 (max) or %d to %d expected",
			      PACE_PPM_MIN, PACE_PPM_MAX);
	if (err)
		return err;
	if (!lab->vtime && (pace >= 0 || step || paused))
		return why_set(why, -EINVAL,
			       "lab %s runs in real time, which nobody can change; see "
			       "netlab up --clock virtual",
			       lab->name);
	if (pace >= 0 || step || paused)
		journal_change(lab, call->body);
	if (pace >= 0)
		vtime_set_pace(lab->vtime, (uint64_t)pace);
	if (paused)
		vtime_pause(lab->vtime, pause);
	if (step)
		return begin_step(lab, call, step, why);
	call_answer(call, clock_json(lab));
	return 0;
}
