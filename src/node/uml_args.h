/* SPDX-License-Identifier: MIT */
/* uml_args.h - the command line of a User-Mode Linux machine
 *
 * Nothing in it depends on the run: paths are those inside the jail, sockets are
 * names in the working folder.
 *
 * Boot time.  Of the 1.1 s that Debian's 6.1 takes to its first process, 0.75 s are
 * raid6_select_algo() comparing itself with itself, 0.18 s pty_init() making 256
 * old-style terminals, 0.06 s calibrate_delay().  Parameters switch them off.
 *
 * The user's own parameters come last.  One of ours that has the same name is left
 * out then, except for those that netlab itself stands on: giving one of these is
 * an error.
 *
 * Errors:    0 or -errno with *why.
 * Ownership: uml_args_free() frees.
 * Threads:   pure.
 */
#ifndef NL_NODE_UML_ARGS_H
#define NL_NODE_UML_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agentproto/params.h"
#include "base/why.h"
#include "kernel/kernel.h"
#include "plan/plan.h"

enum { UML_ARGS_BYTES_MAX = 4096 }; /* the kernel's COMMAND_LINE_SIZE */

struct uml_machine {
	uint64_t memory_bytes;
	size_t interface_count;
	bool initramfs;
	unsigned kernel_can;    /* of enum kernel_can: what depends on it is given */
	bool virtual_time;      /* by the socket "clock" */
	uint32_t index;         /* its number there */
	uint64_t seed;		/* of its entropy, in virtual time */
	struct plan_cost cost;  /* in virtual time */
	struct params params;   /* for the agent */
	const char *extra_args; /* the user's, or NULL */
};

struct uml_args {
	char **argv; /* argv[0] is what the kernel executes to reboot */
	size_t count;
};

int uml_args_build(struct uml_args *out, const struct uml_machine *machine,
		   struct why *why);
void uml_args_free(struct uml_args *args);

#endif
