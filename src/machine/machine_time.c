/* SPDX-License-Identifier: MIT */
/* How far a machine's wall clock is from the lab's, in real time: asked, set once, and
 * asked again and again.
 *
 * A kernel sets its clock at boot by a counter of 4 to 10 ms; from then on it runs as the
 * host's does.  So it is measured before the machine is configured, when nobody in there
 * has read it, and set right; afterwards it is the machine's own business, and is told. */
#include "machine/machine_internal.h"

#include <errno.h>

enum {
	/* Of one measurement. */
	ASKED_MIN = 4,
	ASKED_MAX = 64,
	GOOD_ERROR_NS = 20000,
};
/* A host that is busy does not hold up the boot for long. */
#define BOOT_NS_MAX (50 * NS_PER_MS)
/* Later: until it is known well, and then to see whether it is still so. */
#define AGAIN_SOON_NS NS_PER_S
#define AGAIN_NS      (10 * NS_PER_S)

static uint64_t wall_ns(const struct machine *machine)
{
	const struct clock *clock = machine->env->clock;

	return clock_wall_ns(clock, clock_now_ns(clock));
}

static void ask(struct machine *machine)
{
	struct machine_time *time = &machine->time;
	uint8_t question[PROTO_TIME_ASK_BYTES];

	time->waits = true;
	time->number++;
	proto_put_u32(question, time->number);
	time->sent_ns = wall_ns(machine);
	machine_agent_send(machine, PROTO_TIME, 0, question, sizeof(question));
}

static void measure(struct machine *machine)
{
	struct machine_time *time = &machine->time;

	time->begun_ns = clock_now_ns(machine->env->clock);
	time->seen = (struct exchanges){ 0 };
	time->asked = 0;
	ask(machine);
}

static bool is_enough(const struct machine *machine)
{
	const struct machine_time *time = &machine->time;

	return time->asked >= ASKED_MAX ||
	       (time->asked >= ASKED_MIN &&
		exchanges_error_ns(&time->seen) <= GOOD_ERROR_NS) ||
	       clock_now_ns(machine->env->clock) >= time->begun_ns + BOOT_NS_MAX;
}

static void take_measurement(struct machine *machine)
{
	struct machine_time *time = &machine->time;
	struct clock *clock = machine->env->clock;
	int64_t off_ns = exchanges_offset_ns(&time->seen);

	time->known = true;
	time->off = (struct machine_off){
		.off_ns = off_ns - machine_clock_wanted_ns(machine),
		.error_ns = exchanges_error_ns(&time->seen),
		.measured_ns = clock_now_ns(clock),
	};
	timer_set(clock, &time->again,
		  time->off.measured_ns + (time->off.error_ns <= MACHINE_OFF_NS_MAX ?
						   AGAIN_NS :
						   AGAIN_SOON_NS));
	if (!time->set_right)
		return;
	time->set_right = false;
	time->off.off_ns = 0;
	machine_clock_set_right(machine, -off_ns);
	machine_agent_configure(machine);
}

static void on_again(void *ctx, uint64_t now_ns)
{
	struct machine *machine = ctx;

	(void)now_ns;
	if (machine->state >= MACHINE_CONFIGURED && machine->state <= MACHINE_READY)
		measure(machine);
	else if (machine->state == MACHINE_CONFIGURING)
		timer_set(machine->env->clock, &machine->time.again,
			  now_ns + AGAIN_SOON_NS);
}

void machine_time_begin(struct machine *machine)
{
	machine->time = (struct machine_time){
		.again = { .fire = on_again, .ctx = machine },
		.set_right = true,
	};
	measure(machine);
}

void machine_time_end(struct machine *machine)
{
	timer_cancel(machine->env->clock, &machine->time.again);
	machine->time.known = machine->time.waits = false;
}

int machine_time_answer(struct machine *machine, const struct proto_message *message,
			struct why *why)
{
	struct machine_time *time = &machine->time;
	uint64_t theirs_ns;

	if (!time->waits || message->size != PROTO_TIME_ANSWER_BYTES ||
	    proto_get_u32(message->payload) != time->number)
		return why_set(why, -EPROTO, "TIME that was not asked for");
	theirs_ns = proto_get_u64(message->payload + PROTO_TIME_ASK_BYTES);
	time->waits = false;
	time->asked++;
	exchanges_add(&time->seen, time->sent_ns, theirs_ns, wall_ns(machine));
	if (is_enough(machine))
		take_measurement(machine);
	else
		ask(machine);
	return 0;
}

bool machine_off(const struct machine *machine, struct machine_off *out)
{
	*out = machine->time.off;
	return machine->time.known;
}
