/* SPDX-License-Identifier: MIT */
/* lab_process.h - what the starter prepares and the lab process takes over
 *
 * For lab.c (the starter: folders, kernels, fork) and lab_main.c (the lab process).
 * Both have the same struct, on their side of the fork.
 *
 * Handshake.  The lab process writes to report_fd: an empty text when clients can
 * be served, else what went wrong; then it closes it.
 */
#ifndef NL_LAB_LAB_PROCESS_H
#define NL_LAB_LAB_PROCESS_H

#include "lab/lab_internal.h"
#include "lab/parts.h"

struct lab_process {
	struct lab lab;
	struct parts parts;
	struct kernel *kernel_store; /* each kernel once */
	size_t kernel_count;
	const struct kernel **kernel_of; /* by node */
	char nodes_dir[PATH_MAX];
	int report_fd; /* for writing, in the lab process */
	int client_fd; /* the lab's end of the first connection */
};

/* Never returns.  The process is in its sandbox already. */
_Noreturn void lab_main(struct lab_process *process);

#endif
