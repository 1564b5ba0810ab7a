/* SPDX-License-Identifier: MIT */
/* A lab in virtual time: when it passes, what is let in, who is given up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/vtime.h"
#include "lab/lab_internal.h"
#include "lab/trouble.h"
#include "base/text.h"
#include "lab/verbs.h"

/* A guest that is waited for this long does not go on.  The longest turn of an honest
 * one is its boot, a fraction of a second of work, on a host that may be busy. */
enum { GUARD_S_DEFAULT = 30 };

/* Long enough to tell a slow lab from a busy host's moment. */
#define SLOW_WINDOW_NS (3 * NS_PER_S)

static void on_broken(void *ctx, uint32_t guest, const char *why)
{
	struct lab *lab = ctx;
	char reason[WHY_BYTES_MAX + 32];

	snprintf(reason, sizeof(reason), "its clock: %s", why);
	machine_break(lab->machines[guest], reason);
}

static void on_paced(void *ctx)
{
	struct lab *lab = ctx;

	frame_recorder_flush(lab->frames);
	control_wake(lab->control, WAKE_CLOCK);
}

int lab_vtime_create(struct lab *lab, struct why *why)
{
	static const struct vtime_ops ops = {
		.broken = on_broken,
		.stuck = lab_stuck_found,
		.paced = on_paced,
		.slow = lab_slow_found,
		.slow_window = lab_slow_window,
	};
	struct vtime_config config = { .loop = lab->loop,
				       .guest_count = (uint32_t)lab->plan->node_count,
				       .pace_ppm = lab->pace_ppm,
				       .serial = lab->serial,
				       .wall_at_zero_ns = lab->epoch_s * NS_PER_S,
				       .ops = &ops,
				       .ctx = lab };
	int err = clock_real_create(&lab->host, lab->loop, why);

	lab->clock = lab->host;
	if (err || !lab->virtual_time)
		return err;
	if (!lab->guard_s)
		lab->guard_s = GUARD_S_DEFAULT;
	config.guard_ns = lab->guard_s * NS_PER_S;
	config.host = lab->host;
	config.slow_ns = SLOW_WINDOW_NS;
	/* Their turns are one after the other whenever they start: how many processors
	 * there are shall make no difference. */
	lab->boots_at_once = (uint32_t)lab->plan->node_count;
	err = vtime_create(&lab->vtime, &config, why);
	if (!err)
		lab->clock = vtime_clock(lab->vtime);
	return err;
}

int lab_vtime_keep(struct lab *lab, struct why *why)
{
	int fd = lab->run.fd < 0 ? -1 : rundir_append(&lab->run, "stdin.bin", why), err;

	if (lab->run.fd >= 0 && fd < 0)
		return fd;
	err = talkers_create(&lab->talkers, lab->plan, why);
	if (err) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = inputs_create(&lab->inputs, lab->journal, fd, why);
	if (err || lab->run.fd < 0)
		return err;
	fd = rundir_append(&lab->run, "frames.bin", why);
	return fd < 0 ? fd : frame_recorder_create(&lab->frames, lab->digest, fd, why);
}

/* ---- inputs ---------------------------------------------------------------- */

static bool gate_is_open(void *ctx)
{
	const struct lab *lab = ctx;

	/* A lab that is being ended is past being repeated. */
	return vtime_open(lab->vtime) || lab->phase >= LAB_STOPPING;
}

static void gate_want(void *ctx)
{
	struct lab *lab = ctx;

	if (rerun_state(lab->rerun) == RERUN_RUNNING)
		lab->gate_waits = true;
	else
		vtime_input(lab->vtime, &lab->gate);
}

void lab_vtime_let_in(struct lab *lab)
{
	if (lab->gate_waits)
		gate_want(lab);
	lab->gate_waits = false;
}

static void on_gate(void *ctx)
{
	struct lab *lab = ctx;

	control_gate_opened(lab->control);
}

void lab_vtime_go_down(struct lab *lab)
{
	inputs_note(lab->inputs, "down", json_pack("{s:b}", "graceful", 1));
	lab_stop(lab, true, "down");
}

static void on_stop_gate(void *ctx)
{
	lab_vtime_go_down(ctx);
}

static const struct control_gate gate = { .is_open = gate_is_open, .want = gate_want };

void lab_vtime_attach(struct lab *lab)
{
	lab->gate = (struct vtime_input){ .run = on_gate, .ctx = lab };
	lab->stop_gate = (struct vtime_input){ .run = on_stop_gate, .ctx = lab };
	control_set_gate(lab->control, &gate);
}

void lab_vtime_journal(struct lab *lab)
{
	uint64_t n = journal_next(lab->journal) - 1;
	size_t size;
	const char *line = journal_line(lab->journal, n, &size);
	const char *from = digest_line(line);

	if (from)
		digest_entry(lab->digest, from, size - (size_t)(from - line));
}

/* How much of each console and log counts; more comes while machines are killed. */
static json_t *streams_json(const struct lab *lab)
{
	json_t *streams = json_object();

	for (uint32_t n = 0; n < lab->plan->node_count; n++) {
		const struct plan_node *node = &lab->plan->nodes[n];
		char name[NAME_MAX];

		snprintf(name, sizeof(name), "consoles/%s.log", node->name);
		json_object_set_new(streams, name,
				    json_integer((json_int_t)digest_stream_bytes(
					    lab->digest, n, DIGEST_CONSOLE)));
		for (uint32_t s = 0; s < node->service_count; s++) {
			snprintf(name, sizeof(name), "logs/%s.%s.log", node->name,
				 node->services[s].name);
			json_object_set_new(streams, name,
					    json_integer((json_int_t)digest_stream_bytes(
						    lab->digest, n, s)));
		}
	}
	return streams;
}

void lab_vtime_seal(struct lab *lab)
{
	const char *trouble;
	json_t *digest = NULL;
	char *text;
	struct why why;

	if (digest_value(lab->digest).sealed)
		return;
	rerun_seal(lab->rerun);
	digest = digest_json(lab);
	digest_seal(lab->digest);
	json_object_set_new(digest, "now_ns",
			    json_integer((json_int_t)clock_now_ns(lab->clock)));
	json_object_del(digest, "sealed");
	json_object_set_new(digest, "streams", streams_json(lab));
	frame_recorder_flush(lab->frames);
	trouble = lab_trouble(lab);
	if (trouble)
		json_object_set_new(digest, "incomplete", json_string(trouble));
	text = json_dumps(digest, JSON_INDENT(2));
	json_decref(digest);
	if (lab->run.fd >= 0 && text)
		lab->digest_error = rundir_write(&lab->run, "digest.json", text,
						 strlen(text), &why);
	if (lab->digest_error)
		fprintf(stderr, "%s\n", why.text);
	free(text);
}

/* ---- when it passes ---------------------------------------------------------- */

void lab_vtime_unwant_boot(struct lab *lab)
{
	if (lab->boot_wants)
		vtime_unwant(lab->vtime);
	lab->boot_wants = false;
}

/* Time is wanted while the lab boots and while it stops. */
void lab_vtime_phase(struct lab *lab, enum lab_phase from, enum lab_phase to)
{
	if (to == LAB_RUNNING)
		lab_vtime_unwant_boot(lab);
	if (from == LAB_RUNNING)
		vtime_want(lab->vtime);
	if (to == LAB_STOPPING) {
		vtime_pause(lab->vtime, false);
		vtime_set_pace(lab->vtime, VTIME_PACE_MAX);
		inputs_end(lab->inputs);
		/* Clients that waited for their turn are told that there is none. */
		vtime_input(lab->vtime, &lab->gate);
	}
}
