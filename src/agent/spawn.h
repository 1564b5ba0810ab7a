/* SPDX-License-Identifier: MIT */
/* spawn.h - start a program in a session of its own
 *
 * The program begins with default signal handling, an empty signal mask and no
 * descriptor but 0, 1 and 2.
 *
 * Errors:    -errno with *why, and *exit_code as a shell would give: 127 for a
 *            program that is not there, 126 for one that cannot be run.
 * Ownership: descriptors that come out are the caller's, close on exec and do
 *            not block.  The caller collects the child.
 * Threads:   the loop's.
 */
#ifndef NL_AGENT_SPAWN_H
#define NL_AGENT_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"

enum spawn_io {
	SPAWN_PIPES,  /* three pipes */
	SPAWN_TTY,    /* a new pseudo-terminal, the session's controlling one */
	SPAWN_LOG,    /* stdin from /dev/null, two pipes */
	SPAWN_QUIET,  /* all three /dev/null */
	SPAWN_ON_TTY, /* all three on tty_path, which becomes the controlling terminal */
};

struct spawn {
	char *const *argv; /* at least one; looked up in the PATH of envp */
	char *const *envp;
	const char *cwd;
	enum spawn_io io;
	uint16_t rows, cols; /* SPAWN_TTY; 0: the kernel's default */
	const char *tty_path; /* SPAWN_ON_TTY */
	int group_fd; /* a cgroup's door that it goes through (cgroup.h); 0: none */
};

/* What is not there is -1.  With a terminal, in and out are one and the same
 * master, opened twice, and err is -1. */
struct spawned {
	pid_t pid;
	int in, out, err;
};

int spawn_program(const struct spawn *spawn, struct spawned *out, int *exit_code,
		  struct why *why);

#endif
