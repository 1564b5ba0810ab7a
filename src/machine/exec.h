/* SPDX-License-Identifier: MIT */
/* exec.h - a command that runs in a machine
 *
 *   exec_open() ─► OPENING ──STARTED──► RUNNING ──EXITED, FAILED, machine gone──► ended()
 *
 * ended() is the last call to the owner; the exec is freed after it.  An owner who
 * goes away earlier calls exec_abandon(): the command is hung up, and the exec ends
 * by itself without a further call.
 *
 * Flow control (agentproto/proto.h).  The owner gives stdin at most what exec_room()
 * says and hears of progress by credit(); it returns with exec_consumed() what
 * it has passed on of stdout and stderr, and until then the command can produce
 * no more than PROTO_WINDOW_BYTES.
 *
 * Errors:    0 or -errno with *why.  An agent that breaks the rules is lost.
 * Ownership: see above.  Bytes are lent for the call.
 * Threads:   the loop's.
 */
#ifndef NL_MACHINE_EXEC_H
#define NL_MACHINE_EXEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agentproto/proto.h"
#include "base/why.h"
#include "machine/machine.h"

struct exec;

enum exec_how { EXEC_EXITED, EXEC_SIGNALLED, EXEC_FAILED };

struct exec_end {
	enum exec_how how;
	int value;	   /* exit status, or signal, or the status of a shell that
			    * could not start the command (126, 127), or -1 */
	const char *error; /* EXEC_FAILED; lent */
};

struct exec_ops {
	void (*started)(void *ctx, long pid);
	void (*output)(void *ctx, bool is_stderr, const uint8_t *bytes, size_t size);
	void (*credit)(void *ctx, size_t bytes); /* of stdin, consumed */
	void (*ended)(void *ctx, const struct exec_end *end);
};

/* spec: the payload of EXEC. */
int exec_open(struct exec **out, struct machine *machine, const json_t *spec,
	      const struct exec_ops *ops, void *ctx, struct why *why);
size_t exec_room(const struct exec *exec);
/* size 0: end of file, after which nothing can follow. */
int exec_stdin(struct exec *exec, const uint8_t *bytes, size_t size, struct why *why);
void exec_consumed(struct exec *exec, size_t bytes);
void exec_signal(struct exec *exec, int signal);
void exec_resize(struct exec *exec, int rows, int cols);
void exec_abandon(struct exec *exec);

/* For the machine's side of the conversation. */
struct exec_list {
	struct exec *first;
	uint32_t count;
	uint32_t next_channel;
};
/* A message for a channel: 0, or -EPROTO if the agent broke the rules. */
int exec_message(struct exec_list *list, const struct proto_message *message,
		 struct why *why);
/* The machine is gone: everything in it ends with this reason. */
void exec_end_all(struct exec_list *list, const char *reason);

#endif
