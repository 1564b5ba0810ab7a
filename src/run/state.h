/* SPDX-License-Identifier: MIT */
/* state.h - where a running lab can be found: the state directory
 *
 *	$XDG_RUNTIME_DIR/netlab/LAB/	else /run/user/UID/netlab/LAB/
 *					else /tmp/netlab-UID/LAB/
 *	    lab.json	who it is (struct state_info), replaced as a whole
 *	    lock	locked (flock) as long as the lab process lives
 *	    control	its socket (docs/control-protocol.md)
 *	    nodes/NODE/	working folders of the machines
 *
 * The folder of all labs must belong to the user and be closed to others, else
 * nothing is done with it.  Whoever has none of his own choice in XDG_RUNTIME_DIR
 * finds labs in both of the others: what cron began before the first login is in /tmp.
 * A lab whose folder was removed, as the last logout does it with /run/user/UID, ends.
 *
 * Is it alive?  The kernel answers: the lock goes with the process, whatever
 * killed it, and is never inherited by anything else.  The pid in lab.json is
 * believed only together with its start time, so a number used again is never
 * taken for the lab.
 *
 *   (none) ──state_create()──► BOOTING ──► RUNNING ──► STOPPING ──state_vacate()──►
 *(none) └───────────┴── killed ──► DEAD ──state_clear()──► (none)
 *
 * In its sandbox the lab process can change nothing but what is in its directory, so
 * it cannot remove the directory itself: it takes its files out of it (state_vacate()).
 * A directory without a lock is no lab; whoever looks next removes it.
 *
 * Errors:    0 or -errno; -EBUSY: that lab is running; -ENOENT: no such lab.
 * Ownership: state_create() gives a struct state, freed by state_close(), which
 *            also gives up the lock (but for what another process has of it).
 * Threads:   any process may look at any time; changes are made under a lock
 *            on the folder of all labs.
 */
#ifndef NL_RUN_STATE_H
#define NL_RUN_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/proc.h"
#include "base/why.h"
#include "plan/plan.h"

enum state_kind {
	STATE_BOOTING,	/* alive; not all services are ready yet */
	STATE_RUNNING,	/* alive and ready */
	STATE_STOPPING, /* alive, on its way down */
	STATE_DEAD,	/* killed; its directory is still there */
	STATE_KINDS,
};
const char *state_kind_name(enum state_kind kind);

struct state_info {
	char name[PLAN_NAME_BYTES_MAX];
	enum state_kind kind;
	char dir[PATH_MAX];	 /* the state directory */
	struct proc_id process;	 /* pid 0: not known (it died before it could say) */
	char topology[PATH_MAX]; /* "" if not known */
	char run_dir[PATH_MAX];	 /* "" if not known */
	int64_t started_at;	 /* seconds since 1970; 0 if not known */
};

/* Looking; for every command. */
int state_look(struct state_info *out, const char *name, struct why *why);
/* All labs of this user, by name; the caller frees *out. */
int state_list(struct state_info **out, size_t *count, struct why *why);
/* Connect to its control socket: a blocking descriptor, close on exec.  Waits some
 * seconds for a lab that has just begun. */
int state_connect(const char *name, int *fd, struct why *why);
/* Wait until the lab process is gone, however it ends.  -ETIMEDOUT: it is not. */
int state_wait_gone(const struct state_info *info, int timeout_ms, struct why *why);
/* Remove what a dead lab left.  -EBUSY: it lives.  -ENOENT: nothing to clear. */
int state_clear(const char *name, struct why *why);
/* Kill the lab process (and with it all its machines), then clear. */
int state_kill(const char *name, int timeout_ms, struct why *why);

/* Being it; for the lab process. */
struct state;

/* A directory for a new lab, locked by the caller.  What a dead lab of that name
 * left is cleared first; *cleared (if not NULL) says whether there was something. */
int state_create(struct state **out, const char *name, bool *cleared, struct why *why);
const char *state_dir(const struct state *state);
int state_dir_fd(const struct state *state);
/* Its descriptors in the sandbox, for a process that closes all others. */
enum { STATE_FDS = 2 };
void state_fds(const struct state *state, int fds[STATE_FDS]);
/* Write lab.json.  dir and name in info are ignored. */
int state_write(struct state *state, const struct state_info *info, struct why *why);
/* In the sandbox, before anything else: let go of every way to the host's own view
 * of the folders. */
int state_enter(struct state *state, struct why *why);
/* Can it still be found and connected to, or did somebody remove its folder? */
bool state_is_there(const struct state *state);
/* The end: nothing that says there is a lab.  In the sandbox, or out of it. */
void state_vacate(struct state *state);
/* Outside of the sandbox: the whole directory. */
int state_remove(struct state *state, struct why *why);
void state_close(struct state *state); /* NULL does nothing */

/* May this be a lab's name?  Letters, digits, '-', '_', '.'; not '.' first. */
int state_name_check(const char *name, struct why *why);

#endif
