/* SPDX-License-Identifier: MIT */
/* What is kept of what a machine says.  Its programs and its kernel may be anybody's, so no
 * file of the host's grows for as long as they talk: a console and a log are full at
 * LOGFILE_BYTES_MAX, and what the agent says of services has a budget in the journal. */
#include "machine/machine_internal.h"

#include <limits.h>
#include <stdio.h>

/* Of an entry, beside what the agent said. */
enum { ENTRY_BYTES = 160 };

/* Once for each: what is missing from then on is counted. */
static void tell(const struct machine *machine, const char *file, const char *why)
{
	journal_write(machine->env->journal, "left-out",
		      json_pack("{s:s, s:s, s:s}", "node", machine->plan->name, "file",
				file, "why", why));
}

/* True: it is full, since just now. */
static bool fills(struct logfile *log, const void *bytes, size_t size)
{
	bool was_whole = !log->lost;

	logfile_write(log, bytes, size);
	return was_whole && log->lost && !log->error;
}

static void tell_full(const struct machine *machine, const char *file)
{
	char why[64];

	snprintf(why, sizeof(why), "it has taken %d MiB, which is as much as is kept",
		 LOGFILE_BYTES_MAX >> 20);
	tell(machine, file, why);
}

void machine_record_console(struct machine *machine, const char *bytes, size_t size)
{
	char file[NAME_MAX];

	if (!fills(&machine->console_log, bytes, size))
		return;
	snprintf(file, sizeof(file), "consoles/%s.log", machine->plan->name);
	tell_full(machine, file);
}

void machine_record_log(struct machine *machine, size_t service, const uint8_t *bytes,
			size_t size)
{
	char file[NAME_MAX];

	if (!fills(&machine->services[service].log, bytes, size))
		return;
	snprintf(file, sizeof(file), "logs/%s.%s.log", machine->plan->name,
		 machine->plan->services[service].name);
	tell_full(machine, file);
}

void machine_record_service(struct machine *machine, const json_t *body, size_t size)
{
	struct budget *budget = &machine->budget;
	char why[160];

	if (budget_take(budget, ENTRY_BYTES + size, clock_now_ns(machine->env->clock))) {
		journal_write(machine->env->journal, "service",
			      json_pack("{s:s, s:o}", "node", machine->plan->name,
					"service", json_deep_copy(body)));
	} else if (budget->left_out == 1) {
		snprintf(why, sizeof(why),
			 "more was said of its services than %d KiB at once, %d bytes a "
			 "second and %d MiB in all: the rest is only counted",
			 BUDGET_BYTES_AT_ONCE >> 10, BUDGET_BYTES_PER_S,
			 BUDGET_BYTES_IN_ALL >> 20);
		tell(machine, "journal.jsonl", why);
	}
}

struct machine_left_out machine_left_out(const struct machine *machine)
{
	struct machine_left_out out = { .messages = machine->budget.left_out };

	/* What a disk did not take is told as that. */
	if (!machine->console_log.error)
		out.console_bytes = machine->console_log.lost;
	for (size_t i = 0; i < machine->plan->service_count; i++)
		if (!machine->services[i].log.error)
			out.log_bytes += machine->services[i].log.lost;
	return out;
}

int machine_log_error(const struct machine *machine, const char **name)
{
	int err = machine->console_log.error;

	*name = "a console";
	for (size_t i = 0; !err && i < machine->plan->service_count; i++) {
		err = machine->services[i].log.error;
		*name = "the log of a service";
	}
	return err;
}
