/* SPDX-License-Identifier: MIT */
/* node.h - a machine of the lab: start it, watch it, end it
 *
 * One driver per kind of machine (uml; later others), found by name.  The lab
 * prepares a *work folder* per node that holds the listening sockets
 * ("agent", "net0", "net1", …, one a port, in the order of interfaces); the
 * driver starts the machine's processes inside their confinement and gives back
 * one descriptor (a pidfd) that becomes readable when the machine is gone.
 *
 *   node_start() ──► being set up ──► RUNNING ──(power-off, crash, node_kill())──► gone
 *                          └──(node_started() says why)──────────────────────────► gone
 *
 * Confinement of a uml node: own user, mount, pid, net, ipc and uts namespaces
 * below the lab's, no-new-privileges, no capabilities, a seccomp allow-list; its
 * root is a read-only view of the host's without homes, /tmp, /run, devices and
 * other processes.  See sandbox.h.
 *
 * node_start() does not wait: what takes long is done by the machine's first process.
 *
 * Errors:    0 or -errno; *why names the step that failed.  A machine that ends
 *            later is told through the pidfd and node_reap().
 * Ownership: node_start() gives the node; node_free() kills it if it lives.
 * Threads:   the loop's.
 */
#ifndef NL_NODE_NODE_H
#define NL_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"
#include "kernel/kernel.h"
#include "plan/plan.h"

struct node;

/* What the driver needs beyond the plan.  All paths are absolute and as the lab
 * process sees them; all are borrowed for the call. */
struct node_start {
	const struct plan_node *plan;
	const char *lab_dir;    /* the topology's folder, shown at /lab; NULL: none */
	const char *work_dir;   /* per node; becomes the machine's working folder */
	const char *memory_dir; /* a tmpfs for the guest's memory; NULL: one of its own,
				 * no larger than needed, and gone with the node */
	const struct kernel *kernel;
	const char *initramfs;  /* with the agent as /init */
	const char *preload;    /* library for packaged kernels, or NULL */
	const char *extra_args; /* kernel parameters of the user, or NULL */
	uint64_t seed;          /* the node's own */
	bool virtual_time;      /* its calendar is the socket "clock" in the work folder */
	uint32_t index;         /* of the node in the plan */
	int cpu;                /* the processor it begins on; -1: any.  A kernel and its
				 * programs always wait for one another: on one they do
				 * so ten times faster than over two */
	int console_fd;         /* slave side of the console's pty; stdin, out and err */
};

/* Would showing this folder to machines show the user's home, with its keys?  Then it
 * is not shown: /lab is empty. */
bool node_dir_shows_home(const char *dir);

int node_start(struct node **out, const struct node_start *start, struct why *why);
/* Readable when node_started() has something to say.  Who watches it stops before he
 * closes it: a machine that is just starting has a copy, for which the loop would go on
 * to be told of it. */
int node_report_fd(const struct node *node);
void node_report_close(struct node *node);
/* Did it come to run?  -EAGAIN: it is not so far; 0; or why not, once: it ends then. */
int node_started(struct node *node, struct why *why);
int node_pidfd(const struct node *node);
pid_t node_pid(const struct node *node); /* of the confinement's first process */
void node_kill(struct node *node);       /* everything in it, at once */
/* Have it say on its console what it is doing: only with a kernel that can
 * (KERNEL_WHERE).  Others may end. */
void node_ask(const struct node *node);

/* After the pidfd became readable: collect it.  Says how it ended in words:
 * "powered off", "kernel panic (exit status 1)", "killed by signal 9". */
void node_reap(struct node *node, char *how, size_t how_bytes);
void node_free(struct node *node); /* NULL does nothing */

#endif
