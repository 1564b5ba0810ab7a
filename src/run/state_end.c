/* SPDX-License-Identifier: MIT */
/* Waiting for a lab's end, ending it, and clearing away what a dead one left. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "run/state_base.h"
#include "run/state_internal.h"

static int wait_process(const struct proc_id *id, int timeout_ms, struct why *why)
{
	cleanup_close int pidfd = proc_open(id, why);
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n;

	if (pidfd < 0)
		return pidfd == -ESRCH ? 0 : pidfd;
	do
		n = poll(&poll_fd, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return why_set(why, -ETIMEDOUT, "process %d has not ended within %d ms",
			       id->pid, timeout_ms);
	return n < 0 ? why_errno(why, -errno, "wait for process %d", id->pid) : 0;
}

int state_wait_gone(const struct state_info *info, int timeout_ms, struct why *why)
{
	struct state_info now;

	if (info->process.pid)
		return wait_process(&info->process, timeout_ms, why);
	/* From another pid namespace only the lock can be seen. */
	for (int waited = 0;; waited += STATE_LOOK_AGAIN_MS) {
		int err = state_look(&now, info->name, why);

		if (err == -ENOENT || (err == 0 && now.kind == STATE_DEAD))
			return 0;
		if (err)
			return err;
		if (waited >= timeout_ms)
			return why_set(why, -ETIMEDOUT,
				       "lab %s has not ended within %d ms", info->name,
				       timeout_ms);
		state_look_again();
	}
}

int state_clear_locked(int base_fd, const char *base, const char *name, struct why *why)
{
	struct state_info info;
	int err = state_look_locked(&info, base_fd, base, name, why);

	if (err)
		return err;
	if (info.kind != STATE_DEAD && info.process.pid)
		return why_set(why, -EBUSY, "lab %s is %s (pid %d): netlab down %s", name,
			       state_kind_name(info.kind), info.process.pid, name);
	if (info.kind != STATE_DEAD)
		return why_set(why, -EBUSY, "lab %s is %s: netlab down %s", name,
			       state_kind_name(info.kind), name);
	/* The lock goes first, the machines a moment later. */
	if (info.process.pid && proc_alive(&info.process))
		err = wait_process(&info.process, STATE_LAST_BREATH_MS, why);
	return err ? why_wrap(why, err, "lab %s", name)
		   : fdio_remove_tree(base_fd, name, why);
}

int state_clear(const char *name, struct why *why)
{
	char base[PATH_MAX];
	int err = state_name_check(name, why);

	if (err)
		return err;
	for (unsigned place = 0; place < STATE_PLACES; place++) {
		cleanup_close int base_fd = -1;

		err = state_base_open(&base_fd, base, place, false, why);
		if (!err)
			err = state_clear_locked(base_fd, base, name, why);
		if (err != -ENOENT)
			return err;
	}
	return why_set(why, -ENOENT, "no lab is named %s", name);
}

int state_kill(const char *name, int timeout_ms, struct why *why)
{
	struct state_info info;
	int err;

	for (int waited = 0;; waited += STATE_LOOK_AGAIN_MS) {
		err = state_look(&info, name, why);
		if (err)
			return err;
		if (info.kind == STATE_DEAD || info.process.pid)
			break;
		/* The lock comes first, its number a moment later. */
		if (waited >= timeout_ms)
			return why_set(
				why, -ESRCH,
				"lab %s runs, but its process is not in sight from here",
				name);
		state_look_again();
	}
	if (info.process.pid)
		err = proc_kill(&info.process, timeout_ms, why);
	return err ? why_wrap(why, err, "lab %s", name) : state_clear(name, why);
}
