/* SPDX-License-Identifier: MIT */
/* machine.h - one machine's life, from the plan's line to its last word
 *
 *   WAITING ─► BOOTING ─► CONFIGURING ─► CONFIGURED ─► STARTING ─► READY
 *                 │            │             │            │          │
 *                 └────────────┴──────┬──────┴────────────┴──────────┤
 *                                     ▼                              ▼
 *                     FAILED (see machine_reason())          LOST, STOPPED, FAILED
 *
 *   WAITING      not started: machine_start() comes when others have booted
 *   BOOTING      its process runs; the agent has not said HELLO yet
 *   CONFIGURING  the agent has its CONFIG and sets up the machine
 *   CONFIGURED   all but services; waits for the machines it depends on.  From
 *                here on commands can be run
 *   STARTING     services start; not all are ready
 *   READY        all services are, or were, ready
 *   STOPPING     told to end; its process still runs
 *   STOPPED      ended because it was told to, from outside or inside
 *   FAILED       will not be ready, or ended when it should not have; its process may
 *                still run until the lab ends it
 *   LOST         its process runs, but its agent does not talk to us any more
 *
 * Each change goes through one function, which writes it to the journal with its
 * reason.  STOPPED, FAILED and LOST are final, also when the process of a FAILED or LOST
 * machine ends, until machine_renew() makes it WAITING once more: with the same name,
 * addresses, cables and logs, and nothing that it had written.
 *
 * A machine has a console (a pty: to consoles/NODE.log and a ring for readers),
 * an agent (machine/machine_agent.c, over virtio-console), and commands running in it
 * (machine/exec.h).
 *
 * Errors:    what goes wrong later is a state, not an error of a call.
 * Ownership: machine_destroy() kills what still runs.
 * Threads:   the loop's.
 */
#ifndef NL_MACHINE_MACHINE_H
#define NL_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/why.h"
#include "clock/clock.h"
#include "clock/vtime.h"
#include "machine/balance.h"
#include "run/digest.h"
#include "run/journal.h"
#include "base/ring.h"
#include "run/rundir.h"
#include "fabric/wire.h"
#include "node/node.h"
#include "plan/plan.h"

enum machine_state {
	MACHINE_WAITING,
	MACHINE_BOOTING,
	MACHINE_CONFIGURING,
	MACHINE_CONFIGURED,
	MACHINE_STARTING,
	MACHINE_READY,
	MACHINE_STOPPING,
	MACHINE_STOPPED,
	MACHINE_FAILED,
	MACHINE_LOST,
	MACHINE_STATES,
};
const char *machine_state_name(enum machine_state state);

/* Of a service.  restarting, exited and failed keep what was_ready said. */
enum service_state {
	SERVICE_WAITING,
	SERVICE_STARTING,
	SERVICE_READY,
	SERVICE_RESTARTING,
	SERVICE_EXITED,
	SERVICE_FAILED,
	SERVICE_STATES,
};
const char *service_state_name(enum service_state state);

struct service {
	enum service_state state;
	bool was_ready;
	int exit; /* SERVICE_EXITED */
	unsigned restarts; /* how often it has ended and was to begin again */
};

struct machine;
struct backtrace;

struct machine_ops {
	void (*state)(void *ctx, struct machine *machine, enum machine_state from);
	void (*service)(void *ctx, struct machine *machine, size_t service);
	void (*console)(void *ctx, struct machine *machine); /* it printed something */
	/* It answers machine_ask_where(). */
	void (*where)(void *ctx, struct machine *machine, const struct backtrace *where);
	void (*gone)(void *ctx, struct machine *machine); /* its process has ended */
};

/* What all machines of a lab share; borrowed for their life. */
struct machine_env {
	const char *lab;
	const struct plan *plan;
	struct loop *loop;
	struct clock *clock;
	struct vtime *vtime; /* NULL: real time */
	struct journal *journal;
	struct wire *wire;
	struct digest *digest; /* NULL: real time */
	bool keeps_time;	 /* clocks of machines are set and watched (real time) */
	struct balance *balance; /* NULL: virtual time, or machines run anywhere */
	const struct rundir *run;
	const char *nodes_dir; /* absolute, and the working folder of this process; a
				* folder per node is made in it */
	const char *memory_dir;
	const char *initramfs;
	const char *preload;	 /* "" if there is none */
	const char *kernel_args; /* or NULL */
	uint64_t seed;
	uint64_t boot_timeout_ns;
	const struct machine_ops *ops;
	void *ctx;
};

int machine_create(struct machine **out, const struct machine_env *env, uint32_t index,
		   const struct kernel *kernel, struct why *why);
void machine_destroy(struct machine *machine); /* NULL does nothing */

void machine_start(struct machine *machine);	      /* only when WAITING */
/* Is its life over: a final state, and no process any more? */
bool machine_is_over(const struct machine *machine);
void machine_renew(struct machine *machine); /* only when it is over */
/* Have whoever starts machines begin it anew when it is over; cleared by its start. */
void machine_want_again(struct machine *machine);
bool machine_wants_again(const struct machine *machine);
void machine_start_services(struct machine *machine); /* only when CONFIGURED */
/* Ask it to power off; machine_kill() if it cannot be asked. */
void machine_shutdown(struct machine *machine);
/* As one whose power is gone, at this instant.  reason: NULL if there is none to tell. */
void machine_kill(struct machine *machine, const char *reason);
/* Have its kernel panic.  0, or -ENOTCONN with *why: it cannot be told to. */
int machine_panic(struct machine *machine, struct why *why);
/* Its kernel and all processes stand still, at one instant, or go on; of a kernel without
 * seccomp the processes stand moments after it.  In virtual time its clocks stand as well;
 * in real time they are the host's, which goes on.  0, or -errno with *why, and nothing has
 * changed. */
int machine_pause(struct machine *machine, bool pause, struct why *why);
bool machine_is_paused(const struct machine *machine);
/* It breaks the rules of the lab: it is FAILED, and its process is ended. */
void machine_break(struct machine *machine, const char *reason);

/* ---- its clock (docs/determinism.md) ---- */

struct machine_clock {
	int64_t offset_ns; /* of its wall time, by what was set; drift comes on top */
	int64_t drift_ppb;
	bool frozen;
};
struct clock_change {
	bool has_offset, has_step, has_drift, has_frozen;
	int64_t offset_ns, step_ns, drift_ppb;
	bool frozen;
};
struct machine_clock machine_clock(const struct machine *machine);
/* In virtual time an input.  0, or -errno with *why, and nothing has changed. */
int machine_clock_change(struct machine *machine, const struct clock_change *change,
			 struct why *why);
/* How far its wall clock is from where it should be (the lab's, with what was set), in
 * real time: not by more than error_ns from off_ns, when it was last asked. */
struct machine_off {
	int64_t off_ns;
	uint64_t error_ns, measured_ns;
};
#define MACHINE_OFF_NS_MAX (50 * NS_PER_US) /* what is promised */
bool machine_off(const struct machine *machine, struct machine_off *out); /* false: unknown */
/* A frozen machine hears nothing, also not that it is to end. */
void machine_clock_thaw(struct machine *machine);

uint32_t machine_index(const struct machine *machine);
const struct plan_node *machine_plan(const struct machine *machine);
enum machine_state machine_state(const struct machine *machine);
const char *machine_reason(const struct machine *machine); /* "" if none */
bool machine_has_process(const struct machine *machine);
pid_t machine_pid(const struct machine *machine); /* 0: none */
/* The processor that it belongs to; -1: none of its own. */
int machine_cpu(const struct machine *machine);
/* Lab time at which it was ready; 0: not yet. */
uint64_t machine_ready_ns(const struct machine *machine);
const struct kernel *machine_kernel(const struct machine *machine);
const struct service *machine_service(const struct machine *machine, size_t service);
/* Why it failed or was killed; "" if there is nothing to say. */
const char *machine_service_error(const struct machine *machine, size_t service);
/* Have its kernel say what it is doing (machine/backtrace.h), to ops->where(); false: it cannot. */
bool machine_ask_where(struct machine *machine);
/* Read what its console has said by now. */
void machine_drain(struct machine *machine);
const struct ring *machine_console(const struct machine *machine);
/* Type into the console; what a full terminal does not take is dropped.  Returns
 * the bytes taken or -errno. */
ssize_t machine_type(struct machine *machine, const uint8_t *bytes, size_t size);
/* The last lines of what explains a failure: the log of the service that failed,
 * else the console.  At most size bytes; returns how many. */
size_t machine_last_words(const struct machine *machine, char *bytes, size_t size);

/* What it said that is not in the run directory, because it said so much. */
struct machine_left_out {
	uint64_t messages; /* about its services */
	uint64_t console_bytes;
	uint64_t log_bytes; /* of all its services */
};
struct machine_left_out machine_left_out(const struct machine *machine);
/* 0, or -errno: why its console or a service's log is not whole; *name says which. */
int machine_log_error(const struct machine *machine, const char **name);

#endif
