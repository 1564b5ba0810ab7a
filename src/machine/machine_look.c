/* SPDX-License-Identifier: MIT */
/* What others may know of a machine. */
#include <string.h>

#include "base/check.h"
#include "machine/machine_internal.h"

uint32_t machine_index(const struct machine *machine)
{
	return machine->index;
}

const struct plan_node *machine_plan(const struct machine *machine)
{
	return machine->plan;
}

bool machine_is_paused(const struct machine *machine)
{
	return machine->env->vtime ? machine->clock.frozen : machine->stalled;
}

bool machine_wants_again(const struct machine *machine)
{
	return machine->again;
}

enum machine_state machine_state(const struct machine *machine)
{
	return machine->state;
}

const char *machine_reason(const struct machine *machine)
{
	return machine->reason.text;
}

bool machine_has_process(const struct machine *machine)
{
	return machine->node != NULL;
}

pid_t machine_pid(const struct machine *machine)
{
	return machine->node ? node_pid(machine->node) : 0;
}

int machine_cpu(const struct machine *machine)
{
	if (!machine->node)
		return -1;
	return machine->env->vtime ? machine->cpu :
				     balance_cpu(machine->env->balance, machine->index);
}

uint64_t machine_ready_ns(const struct machine *machine)
{
	return machine->ready_ns;
}

const struct kernel *machine_kernel(const struct machine *machine)
{
	return machine->kernel;
}

const struct service *machine_service(const struct machine *machine, size_t service)
{
	ASSERT(service < machine->plan->service_count);
	return &machine->services[service].is;
}

const char *machine_service_error(const struct machine *machine, size_t service)
{
	ASSERT(service < machine->plan->service_count);
	return machine->services[service].error.text;
}

const struct ring *machine_console(const struct machine *machine)
{
	return &machine->console;
}

void machine_drain(struct machine *machine)
{
	machine_console_drain(machine);
}

size_t machine_last_words(const struct machine *machine, char *bytes, size_t size)
{
	const struct ring *ring = &machine->console;

	if (machine->failed_service >= 0)
		ring = &machine->services[machine->failed_service].tail;
	return ring_tail(ring, (uint8_t *)bytes, size);
}
