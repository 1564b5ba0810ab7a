/* SPDX-License-Identifier: MIT */
/* machine_internal.h - what the files of one machine share
 *
 * For machine.c (life), machine_console.c (pty), machine_agent.c (conversation),
 * machine_record.c (what is kept of it) and exec.c (commands); others use machine.h.
 */
#ifndef NL_MACHINE_MACHINE_INTERNAL_H
#define NL_MACHINE_MACHINE_INTERNAL_H

#include "agentproto/proto.h"
#include "clock/exchange.h"
#include "machine/budget.h"
#include "machine/exec.h"
#include "machine/machine.h"
#include "machine/backtrace.h"
#include "base/outbuf.h"
#include "device/vconsole.h"

enum {
	CONSOLE_RING_BYTES = 64 << 10,
	SERVICE_RING_BYTES = 4 << 10,	/* the last words of each service */
	AGENT_OUT_BYTES_MAX = 96 << 20, /* all commands' windows, CONFIG, and some */
};

struct service_run {
	struct service is;
	struct logfile log;
	struct ring tail;
	struct why error; /* why it failed */
};

/* machine_time.c */
struct machine_time {
	bool known;
	struct machine_off off;
	struct timer again;

	/* the measurement under way */
	bool waits, set_right;
	uint32_t number, asked;
	uint64_t sent_ns, begun_ns;
	struct exchanges seen;
};

struct machine {
	const struct machine_env *env;
	const struct plan_node *plan;
	const struct kernel *kernel;
	uint32_t index;
	enum machine_state state;
	struct why reason;
	uint64_t ready_ns;
	int failed_service; /* whose log explains the failure; -1: none */
	bool again;	    /* to be started when it is over */
	bool stalled;	    /* in real time: it stands still */
	uint64_t lives;	    /* that were before this one */

	/* its process */
	struct node *node;
	int cpu; /* that it began on */
	struct watch *start_watch; /* until it runs */
	struct watch *node_watch;
	struct timer timeout; /* of the state it is in */

	/* its console */
	int console_fd;
	struct watch *console_watch;
	struct logfile console_log;
	struct ring console;
	bool asked; /* where it is: the answer comes on the console */
	struct backtrace answer;
	struct deferred answered; /* for whoever asked */

	/* its agent */
	struct vconsole *vconsole;
	struct proto_reader reader;
	struct outbuf to_agent;
	bool agent_dead;      /* no more is read from it or written to it */
	struct why agent_why; /* for the end that comes later */
	struct deferred agent_end;
	struct timer agent_grace;
	struct timer config_due; /* in virtual time */
	struct machine_clock clock;
	int64_t drifted_ns; /* what drift has added to it until then */
	uint64_t drifted_until_ns;
	struct machine_time time;
	struct service_run *services;
	struct exec_list execs;

	struct budget budget; /* of the journal, for what its agent says */
};

/* machine.c: the one setter.  reason NULL or "": none. */
void machine_set_state(struct machine *machine, enum machine_state state,
		       const char *reason);

/* machine_record.c: what it says goes to its files, as far as there is room for it. */
void machine_record_console(struct machine *machine, const char *bytes, size_t size);
void machine_record_log(struct machine *machine, size_t service, const uint8_t *bytes,
			size_t size);
/* size: of the message whose body that is. */
void machine_record_service(struct machine *machine, const json_t *body, size_t size);

/* machine_console.c */
int machine_console_open(struct machine *machine, int *slave_fd, struct why *why);
void machine_console_drain(struct machine *machine);
void machine_console_close(struct machine *machine);

/* machine_clock.c: before its process starts; before it is configured. */
void machine_clock_prepare(struct machine *machine);
void machine_clock_begin(struct machine *machine);
/* The machine's clock is off by as much the other way; then what the plan wants. */
void machine_clock_set_right(struct machine *machine, int64_t step_ns);
/* By how much its clock is to be off now. */
int64_t machine_clock_wanted_ns(const struct machine *machine);

/* machine_time.c: from HELLO on; configures the machine when its clock is right. */
void machine_time_begin(struct machine *machine);
void machine_time_end(struct machine *machine);
int machine_time_answer(struct machine *machine, const struct proto_message *message,
			struct why *why);

/* machine_agent.c */
int machine_agent_open(struct machine *machine, const char *work_dir, struct why *why);
void machine_agent_close(struct machine *machine, const char *reason);
void machine_agent_configure(struct machine *machine); /* send CONFIG */
bool machine_agent_talks(const struct machine *machine);
/* Queue a message.  An agent that does not read until the queue is full is lost. */
void machine_agent_send(struct machine *machine, enum proto_type type, uint32_t channel,
			const void *payload, size_t size);
void machine_agent_send_json(struct machine *machine, enum proto_type type,
			     uint32_t channel, json_t *payload /* taken over */);

#endif
