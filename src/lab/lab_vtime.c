/* SPDX-License-Identifier: MIT */
/* A lab in virtual time: when it passes, what is let in, who is given up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/vtime.h"
#include "lab/lab_internal.h"
#include "lab/text.h"
#include "lab/verbs.h"
#include "lab/where.h"

/* A guest that is waited for this long does not go on.  The longest turn of an honest
 * one is its boot, a fraction of a second of work, on a host that may be busy. */
enum { GUARD_S_DEFAULT = 30 };

/* More than the longest answer of a kernel that is asked where it is. */
enum { CONSOLE_TAIL_BYTES = 4096 };

static void on_broken(void *ctx, uint32_t guest, const char *why)
{
	struct lab *lab = ctx;
	char reason[WHY_BYTES_MAX + 32];

	snprintf(reason, sizeof(reason), "its clock: %s", why);
	machine_break(lab->machines[guest], reason);
}

/* ---- who does not go on ------------------------------------------------------ */

/* Its kernel's answer takes two signals and a line; a busy host has other things to do. */
#define ANSWER_NS (3 * NS_PER_S)

static void say_why(char *reason, size_t size, const struct lab *lab,
		    const struct where *where)
{
	char at[WHERE_TEXT_BYTES];

	if (!where) {
		snprintf(reason, size,
			 "it %s for %u s of the host's time without going on: virtual "
			 "time cannot pass",
			 lab->stuck.doing, lab->guard_s);
		return;
	}
	where_text(at, where);
	snprintf(reason, size,
		 "%s has used the processor for %u s of the host's time, and no virtual "
		 "time passed: it neither sleeps nor waits for anything.  Let it wait; if it "
		 "calls the system again and again, up --cost lets that take time; up --guard "
		 "has more patience",
		 at, lab->guard_s);
}

/* where NULL: it has not said. */
static void end_stuck(struct lab *lab, const struct where *where)
{
	struct machine *machine = lab->stuck.machine;
	const char *name = machine_plan(machine)->name;
	char reason[WHERE_TEXT_BYTES + 320], named[sizeof(reason) + 64], pc[24];
	json_t *entry;

	say_why(reason, sizeof(reason), lab, where);
	timer_cancel(lab->host, &lab->stuck.due);
	lab->stuck.machine = NULL;
	snprintf(named, sizeof(named), "%s: %s", name, reason);
	entry = json_pack("{s:s, s:o}", "node", name, "why", text_json_z(reason));
	if (where) {
		snprintf(pc, sizeof(pc), "0x%" PRIx64, where->pc);
		json_object_update_new(
			entry, json_pack("{s:o, s:i, s:i, s:b, s:s, s:o}", "process",
					 text_json_z(where->comm), "pid", (int)where->pid,
					 "tid", (int)where->tid, "user", where->user,
					 "pc", pc, "in", text_json_z(where->in)));
	}
	journal_write(lab->journal, "stuck", entry);
	fprintf(stderr, "%s\n", named);
	machine_break(machine, reason);
	if (lab->phase == LAB_RUNNING)
		lab_stop(lab, false, named);
	loop_defer(lab->loop, &lab->advance);
}

static void on_no_answer(void *ctx, uint64_t now_ns)
{
	struct lab *lab = ctx;

	(void)now_ns;
	/* It may have ended while it was asked. */
	if (machine_has_process(lab->stuck.machine))
		end_stuck(lab, NULL);
	else
		lab->stuck.machine = NULL;
}

void lab_vtime_console(struct lab *lab, struct machine *machine)
{
	const struct ring *ring = machine_console(machine);
	uint8_t bytes[CONSOLE_TAIL_BYTES];
	struct where where;
	size_t size;

	if (lab->stuck.machine != machine)
		return;
	size = ring_tail(ring, bytes, sizeof(bytes));
	if (ring->end - lab->stuck.from < size) {
		size_t old = size - (size_t)(ring->end - lab->stuck.from);

		memmove(bytes, bytes + old, size - old);
		size -= old;
	}
	if (where_find(&where, (const char *)bytes, size))
		end_stuck(lab, &where);
}

static void on_stuck(void *ctx, uint32_t guest, const char *doing)
{
	struct lab *lab = ctx;
	struct machine *machine = lab->machines[guest];

	if (lab->stuck.machine)
		return;
	machine_drain(machine);
	lab->stuck.machine = machine;
	lab->stuck.doing = doing;
	lab->stuck.from = machine_console(machine)->end;
	lab->stuck.due = (struct timer){ .fire = on_no_answer, .ctx = lab };
	if (machine_ask_where(machine))
		timer_set(lab->host, &lab->stuck.due,
			  clock_now_ns(lab->host) + ANSWER_NS);
	else
		end_stuck(lab, NULL);
}

void lab_vtime_detach(struct lab *lab)
{
	timer_cancel(lab->host, &lab->stuck.due);
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
		.stuck = on_stuck,
		.paced = on_paced,
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
	text = json_dumps(digest, JSON_INDENT(2));
	json_decref(digest);
	if (lab->run.fd >= 0 && text &&
	    rundir_write(&lab->run, "digest.json", text, strlen(text), &why))
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
