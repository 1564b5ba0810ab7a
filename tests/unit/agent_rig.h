/* SPDX-License-Identifier: MIT */
/* agent_rig.h - a lab of one: talks to an agent that runs as a plain process
 *
 * netlab-agent --serve FD over a socketpair.  Every wait has an end
 * (RIG_PATIENCE_MS); what does not come in time fails the test.
 */
#ifndef NL_TESTS_AGENT_RIG_H
#define NL_TESTS_AGENT_RIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agentproto/proto.h"

enum { RIG_PATIENCE_MS = 20000, RIG_TEXT_BYTES = 4 << 20 };

struct rig {
	pid_t pid;
	int fd;
	bool credit; /* acknowledge output as it comes */
	struct proto_reader reader;
	uint8_t in[65536];
	size_t at, have;
};

/* What a command did. */
struct outcome {
	char *out, *err; /* with a zero behind */
	size_t out_size, err_size;
	int exit, signal; /* -1 if not that */
	char failed[512]; /* FAILED's words, or "" */
	int pid;
};

/* HELLO has come. */
void rig_start(struct rig *rig);
/* CONFIG with these members beside the necessary ones ("" or "\"env\":{}"), then
 * CONFIGURED. */
void rig_config(struct rig *rig, const char *members);
/* Both of them. */
void rig_up(struct rig *rig);
/* SHUTDOWN; the agent must end well. */
void rig_down(struct rig *rig);
/* Wait for the agent's end; its exit status. */
int rig_wait(struct rig *rig);

void rig_send(struct rig *rig, enum proto_type type, uint32_t channel, const void *bytes,
	      size_t size);
void rig_text(struct rig *rig, enum proto_type type, uint32_t channel, const char *text);
void rig_credit(struct rig *rig, uint32_t channel, uint32_t bytes);

/* The next message; false if none came within so many ms, or at the end. */
bool rig_poll(struct rig *rig, struct proto_message *message, int timeout_ms);
/* The next message, which must come. */
void rig_next(struct rig *rig, struct proto_message *message);
/* The next one, which must be of this type; its JSON, to be freed. */
json_t *rig_expect(struct rig *rig, enum proto_type type, uint32_t channel);

/* EXEC of `sh -c SCRIPT` with further members ("" or ",\"tty\":true"). */
void rig_exec(struct rig *rig, uint32_t channel, const char *script, const char *members);
/* Take messages until the channel is free again. */
void rig_collect(struct rig *rig, uint32_t channel, struct outcome *outcome);
/* Both; without input. */
void rig_run(struct rig *rig, const char *script, const char *members,
	     struct outcome *outcome);
void outcome_free(struct outcome *outcome);

/* Wait until some bytes have come on STDOUT of a channel that contain this. */
void rig_await_output(struct rig *rig, uint32_t channel, const char *text);

/* Wait until a process is in this state: 'T' stopped, 'S' asleep. */
void rig_await_state(pid_t pid, char state);

/* Wait until a process is gone (or a zombie). */
void rig_await_gone(pid_t pid);

#endif
