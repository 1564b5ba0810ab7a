/* SPDX-License-Identifier: MIT */
/* pipe_end.h - a running program with its three streams, here or in a machine
 *
 * The same face for a child process and for a remote command.  Serve it from a
 * poll() loop: pipe_end_poll() gives up to PIPE_END_FDS entries to wait for,
 * pipe_end_serve() works on what came of them.
 *
 * Output is collected in `out` while want_output is set; who wants no more for
 * now clears it, and the program has to wait.  Of stderr the beginning is kept: what
 * follows the first complaint is mostly its echo.
 *
 * States: RUNNING ──► ended (status is known and all output is in `out`).
 */
#ifndef NL_CLI_PIPE_END_H
#define NL_CLI_PIPE_END_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/why.h"
#include "cli/remote.h"

struct site;

enum {
	PIPE_END_FDS = 3,
	PIPE_END_OUT_BYTES = 512 << 10, /* a machine's window, and what one read adds */
	PIPE_END_WORDS_BYTES = 512,
};

/* What runs: in a machine argv, here a function in a process of its own. */
struct pipe_job {
	const char *argv[6];
	int (*here)(const char *const *argv); /* returns the exit status */
};

struct pipe_end {
	bool ended;
	int status;                       /* as of a shell */
	char words[PIPE_END_WORDS_BYTES]; /* the first it said on stderr */
	size_t words_have;

	bool want_output;
	uint8_t *out;
	size_t out_from, out_to;

	/* here */
	pid_t pid;
	int in_fd, out_fd, err_fd; /* -1: closed */
	/* in a machine */
	struct remote remote;
};

int pipe_end_start(struct pipe_end *end, struct site *place,
		   const struct pipe_job *job, struct why *why);
void pipe_end_poll(struct pipe_end *end, struct pollfd fds[PIPE_END_FDS]);
int pipe_end_serve(struct pipe_end *end, const struct pollfd fds[PIPE_END_FDS],
		   struct why *why);
/* Bytes of stdin that it took, maybe 0. */
long pipe_end_write(struct pipe_end *end, const uint8_t *bytes, size_t size, bool *broken,
		    struct why *why);
bool pipe_end_writable(const struct pipe_end *end);
int pipe_end_close_stdin(struct pipe_end *end, struct why *why);
void pipe_end_free(struct pipe_end *end); /* ends it if it runs */

#endif
