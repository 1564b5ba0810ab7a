/* SPDX-License-Identifier: MIT */
/* streams.h - the user's streams joined to one command or one console
 *
 *	stdin ──► machine        stdout, stderr ◄── machine
 *
 * With a tty the user's terminal goes raw, so each key reaches the machine, and
 * a change of its size is passed on.  Without one, Ctrl-C is sent to the command as
 * SIGINT; a second one leaves it to be hung up.
 *
 * Ways out that do not need the machine: Enter ~ . in a shell, Ctrl-] in a console,
 * SIGTERM and SIGHUP everywhere.  The terminal is restored on each.
 *
 * Errors:    session_run() prints what went wrong and returns an exit status.
 * Ownership: everything is borrowed, but `what`, which is taken over.
 */
#ifndef NL_CLI_STREAMS_H
#define NL_CLI_STREAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;

struct session {
	struct client *client;
	const char *node;
	json_t *what;    /* of the verb exec: argv, env, cwd */
	bool tty;        /* the command gets a terminal */
	bool with_stdin; /* else it sees the end at once */
};

/* The command's exit status, or STATUS_FAILED. */
int session_run(struct session *session);

/* ---- the keys that leave; pure ---- */

enum escape_kind { ESCAPE_NONE, ESCAPE_TILDE, ESCAPE_BRACKET };

struct escape {
	enum escape_kind kind;
	bool line_begun; /* the last key was none of Enter */
	bool tilde;      /* ~ was typed at the start of a line and is held back */
};

/* Copies what is meant for the machine to out (room for size + 1) and returns how
 * much that is; *leave: the user wants out, what came after that is dropped. */
size_t escape_filter(struct escape *escape, const uint8_t *in, size_t size, uint8_t *out,
		     bool *leave);

/* Is the program on the terminal's alternate screen?  It says so in what it prints, in any
 * number of pieces. */
struct screen {
	size_t seen; /* bytes of the sequence so far */
	bool other;
};
void screen_watch(struct screen *screen, const uint8_t *bytes, size_t size);

#endif
