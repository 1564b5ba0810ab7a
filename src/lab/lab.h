/* SPDX-License-Identifier: MIT */
/* lab.h - a running lab: the process that `netlab up` leaves behind
 *
 * One process, one thread, one loop.  It owns the clock, the switch, the machines
 * with their devices, the journal, the captures and the control socket, and ends
 * when it is told to (the verb "down", SIGTERM, SIGINT) or when its machines could not be
 * brought up.
 *
 *   lab_start() ──► BOOTING ──every service ready──► RUNNING ──down──► STOPPING ──► gone
 *                      └────── a machine failed ──────────────────────────┘
 *
 * lab_start() forks; the child enters the lab's confinement (node/sandbox.h),
 * opens the control socket and from then on is spoken to through it alone
 * (docs/control-protocol.md).  The state directory is in run/state.h, the run
 * directory in run/rundir.h.
 *
 * A lab whose boot fails keeps its answer for the connection that lab_start()
 * returned until that one has sent `wait` or closed, and then takes itself down.
 *
 * Errors:    0 or -errno with *why; on an error nothing is left but, perhaps, the
 *            run directory.
 * Ownership: the caller closes control_fd.
 * Streams:   the three standard ones are open: they are replaced in the lab process.
 * Threads:   lab_start() forks: call it from a program with one thread.
 */
#ifndef NL_LAB_LAB_H
#define NL_LAB_LAB_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"
#include "lab/rerun.h"
#include "plan/plan.h"

enum { LAB_BOOT_TIMEOUT_S_DEFAULT = 60 };

struct lab_options {
	const char *name;    /* NULL: the plan's */
	const char *out_dir; /* where the run directory goes; NULL: netlab-runs
			      * beside the topology */
	const char *kernel;  /* of all nodes, as for choice_make(); NULL: none named */
	const char *kernel_args; /* more kernel parameters, or NULL */
	const char *capture;	 /* what to record from the first frame, into the run
				  * directory; NULL: nothing */
	bool seed_given;	 /* use seed, whatever the plan says */
	uint64_t seed;
	uint32_t boots_at_once;	 /* 0: two per processor */
	uint32_t boot_timeout_s; /* from start to the agent's first word; 0: default */
	const char *known_as;	 /* to its machines, if that is another name; or NULL */
	const char *topology; /* where the file can be read; NULL: where the plan says */
	const char *const *sets; /* of the compiler, to be kept */
	const char *cost;	 /* of the compiler, to be kept: of all nodes; NULL */
	size_t set_count;
	const struct rerun_config *rerun; /* a recorded run is run again; or NULL */
	bool virtual_time;
	bool serial;	   /* one machine at a time */
	uint64_t pace_ppm; /* VTIME_PACE_MAX or parts per million of the host's time */
	uint64_t epoch_s;  /* what day virtual time begins with; 0: EPOCH_DEFAULT_S */
	uint32_t guard_s;  /* of host time, for a guest that does not go on; 0: default */
};

struct lab_handle {
	char name[PLAN_NAME_BYTES_MAX];
	char run_dir[PATH_MAX];
	pid_t pid; /* as the caller sees it */
	uint64_t seed;
	bool seed_drawn; /* neither the options nor the file gave one */
	int control_fd;	 /* a connection to the control socket, ready to use */
};

int lab_start(const struct plan *plan, const struct lab_options *options,
	      struct lab_handle *out, struct why *why);

#endif
