/* SPDX-License-Identifier: MIT */
/* probe.h - lab_probe: small programs that use one feature of a machine's kernel each
 *
 *	lab_probe NAME [ARGUMENT...]
 *
 * A probe uses what it is named after as a program would, and looks at the result; that a
 * device or a system call is there is not enough.  It returns 0, or ends through NEED(),
 * which says what went wrong.  tests/lab/features.py has the list of them.
 *
 * Static, so that it runs in any machine.  Threads: none but where a probe makes its own.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>

struct probe {
	const char *name;
	int (*run)(char **args); /* NULL-terminated; [0] is the first argument */
};

/* Each file's own, ended by one without a name. */
extern const struct probe probe_block[], probe_bpf[], probe_fuse[], probe_ipc[],
	probe_net[], probe_sys[];

/* End with status 1 and the place, the text and errno. */
_Noreturn __attribute__((format(printf, 3, 4))) void
probe_failed(const char *file, int line, const char *format, ...);

#define NEED(condition, ...)                                                             \
	do {                                                                             \
		if (!(condition))                                                        \
			probe_failed(__FILE__, __LINE__, __VA_ARGS__);                   \
	} while (0)

/* The argument, or an end. */
const char *probe_arg(char **args, size_t index, const char *what);
long probe_number(char **args, size_t index, const char *what);
/* For so long, or until the descriptor (-1: none) can be read; true if it can. */
int probe_wait(int fd, int milliseconds);
/* The child must have ended with status 0. */
void probe_child_ok(int pid, const char *what);

#endif
