/* SPDX-License-Identifier: MIT */
/* Virtual time that does not go on, or hardly: whose doing that is, and what helps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/vtime.h"
#include "lab/lab_internal.h"
#include "base/text.h"
#include "lab/verbs.h"
#include "machine/backtrace.h"

/* Its kernel's answer takes two signals and a line; a busy host has other things to do. */
#define ANSWER_NS (3 * NS_PER_S)

/* Steps of time below this are a matter of the links. */
#define SMALL_STEP_NS UINT64_C(20000)

static json_t *place_json(const struct backtrace *where)
{
	char pc[24], call[BACKTRACE_CALL_BYTES];

	snprintf(pc, sizeof(pc), "0x%" PRIx64, where->pc);
	backtrace_call(call, where);
	return json_pack("{s:o, s:i, s:i, s:b, s:s, s:o, s:o}", "process",
			 text_json_z(where->comm), "pid", (int)where->pid, "tid",
			 (int)where->tid, "user", where->user, "pc", pc, "in",
			 text_json_z(where->in), "call",
			 *call ? text_json_z(call) : json_null());
}

/* ---- who does not go on ------------------------------------------------------ */

static void say_why(char *reason, size_t size, const struct lab *lab,
		    const struct backtrace *where)
{
	char at[BACKTRACE_TEXT_BYTES];

	if (!where) {
		snprintf(reason, size,
			 "it %s for %u s of the host's time without going on: virtual "
			 "time cannot pass",
			 lab->stuck.doing, lab->guard_s);
		return;
	}
	backtrace_text(at, where);
	snprintf(reason, size,
		 "%s has used the processor for %u s of the host's time, and no virtual "
		 "time passed: it neither sleeps nor waits for anything, and makes no system "
		 "call, which would take time.  Let it wait; up --guard has more patience",
		 at, lab->guard_s);
}

/* where NULL: it has not said. */
static void end_stuck(struct lab *lab, const struct backtrace *where)
{
	struct machine *machine = lab->stuck.machine;
	const char *name = machine_plan(machine)->name;
	char reason[BACKTRACE_TEXT_BYTES + 320], named[sizeof(reason) + 64];
	json_t *entry;

	say_why(reason, sizeof(reason), lab, where);
	timer_cancel(lab->host, &lab->stuck.due);
	lab->stuck.machine = NULL;
	snprintf(named, sizeof(named), "%s: %s", name, reason);
	entry = json_pack("{s:s, s:o}", "node", name, "why", text_json_z(reason));
	if (where)
		json_object_update_new(entry, place_json(where));
	journal_write(lab->journal, "stuck", entry);
	fprintf(stderr, "%s\n", named);
	machine_break(machine, reason);
	if (lab->phase == LAB_RUNNING)
		lab_stop(lab, false, named);
	loop_defer(lab->loop, &lab->advance);
}

/* ---- who goes on slowly -------------------------------------------------------- */

/* So many turns of machines for a frame, at most, where frames are what they do. */
enum { ROUNDS_PER_FRAME = 8, FRAMES_MIN = 100 };

/* How many frames there were since the last look; text: on which links. */
static uint64_t look_at_links(struct lab *lab, char text[TALKERS_TEXT_BYTES])
{
	size_t count = lab->plan->link_count;
	uint64_t *frames = calloc(count + 1, sizeof(*frames)), sum;

	if (!frames) {
		if (text)
			*text = 0;
		return 0;
	}
	for (uint32_t link = 0; link < count; link++)
		for (int dir = 0; dir < 2; dir++)
			frames[link] += wire_fault_count(lab->fabric.wire,
							 &(struct fault_at){ .link = link,
									     .dir = dir })
						->frames;
	sum = talkers_look(lab->talkers, frames, clock_now_ns(lab->clock), text);
	free(frames);
	return sum;
}

void lab_slow_window(void *ctx)
{
	look_at_links(ctx, NULL);
}

/* What helps: where links make the steps small it is theirs, else the program's. */
static void say_cure(char *text, size_t size, const struct vtime_slowness *slow,
		     const struct backtrace *where)
{
	char call[BACKTRACE_CALL_BYTES] = "";
	uint64_t step_ns = slow->rounds ? slow->lab_ns / slow->rounds : 0;

	if (where)
		backtrace_call(call, where);
	if (slow->rounds > slow->host_ns / NS_PER_MS && step_ns < SMALL_STEP_NS)
		snprintf(text, size,
			 "time passes in steps of %" PRIu64 " ns, because what machines "
			 "send one another arrives at once: give the links a delay or a "
			 "rate",
			 step_ns);
	else if (*call)
		snprintf(text, size,
			 "it makes one system call after another (%s): let it wait, or "
			 "have calls take more time (up --cost syscall=20us)",
			 call);
	else
		snprintf(text, size,
			 "work takes no virtual time, and while a machine works none "
			 "passes: let it do less, or be patient");
}

/* Where frames are what machines do, who of them ran most says nothing. */
static bool say_links(struct lab *lab, const struct vtime_slowness *slow)
{
	if (lab->slow.frames < FRAMES_MIN ||
	    lab->slow.frames < slow->rounds / ROUNDS_PER_FRAME)
		return false;
	snprintf(lab->slow.text, sizeof(lab->slow.text),
		 "virtual time is slow (%.3f s in %.1f s of the host's), for machines talk "
		 "without end: %s.  A loop of bridges does that: cut it, or let them run STP; "
		 "else give the links a delay or a rate",
		 (double)slow->lab_ns / 1e9, (double)slow->host_ns / 1e9, lab->slow.links);
	return true;
}

/* A guest that is slow and quick in turns would have this said for ever. */
enum { SLOW_TOLD_MAX = 1000 };

/* where NULL: it has not said. */
static void tell_slow(struct lab *lab, const struct backtrace *where)
{
	const struct vtime_slowness *slow = &lab->slow.what;
	const char *name = machine_plan(lab->machines[slow->guest])->name;
	char at[BACKTRACE_TEXT_BYTES] = "it", cure[256];

	lab->slow.asked = false;
	timer_cancel(lab->host, &lab->slow.due);
	if (where)
		backtrace_text(at, where);
	say_cure(cure, sizeof(cure), slow, where);
	if (!say_links(lab, slow))
		snprintf(lab->slow.text, sizeof(lab->slow.text),
			 "%s makes virtual time slow (%.3f s in %.1f s of the host's, %.1f s of "
			 "which it ran): %s; %s",
			 name, (double)slow->lab_ns / 1e9, (double)slow->host_ns / 1e9,
			 (double)slow->guest_ns / 1e9, at, cure);
	json_decref(lab->slow.json);
	lab->slow.json = json_pack(
		"{s:s, s:o, s:I, s:I, s:I, s:I}", "node", name, "why",
		text_json_z(lab->slow.text), "lab_ns", (json_int_t)slow->lab_ns,
		"host_ns", (json_int_t)slow->host_ns, "ran_ns",
		(json_int_t)slow->guest_ns, "rounds", (json_int_t)slow->rounds);
	if (where)
		json_object_update_new(lab->slow.json, place_json(where));
	/* Once until it is over: the same again would be said every three seconds. */
	if (lab->slow.told)
		return;
	lab->slow.told = true;
	if (lab->slow.times++ < SLOW_TOLD_MAX) {
		journal_write(lab->journal, "slow", json_incref(lab->slow.json));
		fprintf(stderr, "%s\n", lab->slow.text);
	}
	control_wake(lab->control, WAKE_SLOW);
}

static void on_slow_silent(void *ctx, uint64_t now_ns)
{
	(void)now_ns;
	tell_slow(ctx, NULL);
}

void lab_slow_found(void *ctx, const struct vtime_slowness *slow)
{
	struct lab *lab = ctx;

	if (!slow) {
		lab->slow.told = false;
		json_decref(lab->slow.json);
		lab->slow.json = NULL;
		return;
	}
	/* While machines boot they work, each for a moment; and the end is patient. */
	if (lab->slow.asked || lab->stuck.machine || lab->phase >= LAB_STOPPING ||
	    (lab->phase < LAB_RUNNING && slow->guest_ns < slow->host_ns / 2))
		return;
	lab->slow.what = *slow;
	/* Now: the next window begins before its kernel has answered. */
	lab->slow.frames = look_at_links(lab, lab->slow.links);
	lab->slow.asked = true;
	lab->slow.due = (struct timer){ .fire = on_slow_silent, .ctx = lab };
	if (machine_ask_where(lab->machines[slow->guest]))
		timer_set(lab->host, &lab->slow.due,
			  clock_now_ns(lab->host) + ANSWER_NS);
	else
		tell_slow(lab, NULL);
}

/* ---- asking ----------------------------------------------------------------------- */

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

void lab_stuck_answer(struct lab *lab, struct machine *machine, const struct backtrace *where)
{
	if (lab->stuck.machine == machine)
		end_stuck(lab, where);
	else if (lab->slow.asked && lab->machines[lab->slow.what.guest] == machine)
		tell_slow(lab, where);
}

void lab_stuck_found(void *ctx, uint32_t guest, const char *doing)
{
	struct lab *lab = ctx;
	struct machine *machine = lab->machines[guest];

	if (lab->stuck.machine)
		return;
	lab->stuck.machine = machine;
	lab->stuck.doing = doing;
	lab->stuck.due = (struct timer){ .fire = on_no_answer, .ctx = lab };
	if (machine_ask_where(machine))
		timer_set(lab->host, &lab->stuck.due,
			  clock_now_ns(lab->host) + ANSWER_NS);
	else
		end_stuck(lab, NULL);
}

void lab_stuck_detach(struct lab *lab)
{
	timer_cancel(lab->host, &lab->stuck.due);
	timer_cancel(lab->host, &lab->slow.due);
	json_decref(lab->slow.json);
	lab->slow.json = NULL;
}
