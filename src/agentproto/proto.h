/* SPDX-License-Identifier: MIT */
/* proto.h - what the lab and the agent in a guest say to each other
 *
 * A byte stream (the virtio-console port VCONSOLE_PORT_NAME; a socketpair in
 * tests) of messages, each a header of 12 bytes, little-endian, and a payload:
 *
 *	u32 size      of the payload, at most PROTO_PAYLOAD_BYTES_MAX
 *	u16 type      enum proto_type
 *	u16 zero
 *	u32 channel   0: the machine itself; else one exec, chosen by the lab
 *
 * JSON payloads are UTF-8 objects without a terminating zero.
 *
 * Conversation.  Agent: HELLO {"version":1,"kernel":"6.1.176","boot_ns":…}.
 * Lab: CONFIG {…} (docs/agent-protocol.md).  Agent: CONFIGURED {} or FAILED
 * {"error":"…"}.  Lab: SERVICES_START {}.  Agent, as it happens: SERVICE
 * {"name":"redis","state":"starting|ready|exited|failed","exit":…,"error":…} and
 * LOG (channel = index of the service, payload: u8 1 stdout 2 stderr… of raw
 * output, unframed).  Any time after CONFIGURED, the lab opens channels:
 *
 *	lab    EXEC {"argv":[…],"env":{…},"cwd":"/","tty":true,"rows":24,"cols":80}
 *	agent  STARTED {"pid":…}            or FAILED {"error":"…","exit":127}: free again
 *	lab    STDIN bytes; STDIN empty = end of file; SIGNAL {"signal":2};
 *	       RESIZE {"rows":…,"cols":…}
 *	agent  STDOUT bytes, STDERR bytes
 *	agent  EXITED {"exit":0} or {"signal":9}: the last word, the channel is free
 *
 * Flow control: a side may have at most PROTO_WINDOW_BYTES of STDIN (lab) or
 * STDOUT+STDERR (agent) unacknowledged per channel; the receiver gives credit
 * back with CREDIT {u32 bytes} as it consumes.  So one slow reader holds up its
 * own command only.
 *
 * When the lab drops a channel (its client died) it sends CLOSE: the agent hangs
 * up (SIGHUP, then SIGKILL) the command's session and answers EXITED.  What is
 * said to a channel that is free is not an error: it crossed EXITED on its way.
 *
 * CLOCK {"step_ns":-5000000000,"drift_ppb":200000}, any time: set the machine's clock.
 *
 * TIME {u32 number}, any time: the agent answers TIME {u32 number, u64 wall_ns} at once.
 *
 * PANIC {"silent":true}, any time: the kernel panics, with its last words or without.
 *
 * SHUTDOWN {}: SIGTERM to services, sync, power off.
 *
 * All keys and limits: docs/agent-protocol.md.
 *
 * A side that receives a malformed message ends the conversation; the lab then
 * calls that node's agent lost, with the reason in the journal.
 *
 * This file also has the codec: a pure, incremental reader and a header writer.
 * The reader checks all that a header can show: the type, its payload's size,
 * and whether that type goes to a channel or to the machine.
 *
 * Errors:    0 or a count, or -errno with *why.
 * Ownership: a message's payload is lent until the next call on the same reader
 *            or the end of the bytes that were fed, whichever is first.
 * Threads:   none are shared.
 */
#ifndef NL_AGENTPROTO_PROTO_H
#define NL_AGENTPROTO_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/why.h"

/* The agent as a program that can be run in every machine, whatever its image has. */
#define PROTO_AGENT_PATH "/proc/1/exe"

enum {
	PROTO_VERSION = 1,
	PROTO_HEADER_BYTES = 12,
	PROTO_PAYLOAD_BYTES_MAX = 1 << 20, /* CONFIG with files; streams use <= 32 KiB */
	PROTO_STREAM_BYTES_MAX = 32 << 10,  /* of a STDIN, STDOUT, STDERR, LOG */
	PROTO_WINDOW_BYTES = 256 << 10,
	PROTO_TIME_ASK_BYTES = 4,
	PROTO_TIME_ANSWER_BYTES = 12,
	PROTO_CHANNELS_MAX = 256, /* open at once on one machine */
};

/* Numbers are part of the protocol: append only. */
enum proto_type {
	PROTO_HELLO = 1,
	PROTO_CONFIG,
	PROTO_CONFIGURED,
	PROTO_FAILED,
	PROTO_SERVICES_START,
	PROTO_SERVICE,
	PROTO_LOG,
	PROTO_EXEC,
	PROTO_STARTED,
	PROTO_STDIN,
	PROTO_STDOUT,
	PROTO_STDERR,
	PROTO_SIGNAL,
	PROTO_RESIZE,
	PROTO_CREDIT,
	PROTO_CLOSE,
	PROTO_EXITED,
	PROTO_SHUTDOWN,
	PROTO_CLOCK,
	PROTO_LINKS,
	PROTO_TIME,
	PROTO_PANIC,
	PROTO_TYPES,
};

struct proto_message {
	enum proto_type type;
	uint32_t channel;
	const uint8_t *payload; /* lent; never NULL */
	uint32_t size;
};

/* Collects bytes into messages.  proto_reader_feed() takes what it can of the
 * input and returns how many bytes that was; when *ready is set, *message is
 * whole.  Call again with the rest.  -EPROTO: the peer broke the format.  Begin
 * with all zeros. */
struct proto_reader {
	uint8_t *buffer;
	size_t room, have;
	int whole; /* the buffer is lent out as the last message */
};

long proto_reader_feed(struct proto_reader *reader, const uint8_t *bytes, size_t size,
		       struct proto_message *message, int *ready, struct why *why);
void proto_reader_free(struct proto_reader *reader);

/* May this message be sent at all?  What the reader checks, for the writer's side. */
int proto_check(unsigned type, uint32_t channel, uint32_t size, struct why *why);

void proto_header(uint8_t header[PROTO_HEADER_BYTES], enum proto_type type,
		  uint32_t channel, uint32_t size);
const char *proto_type_name(unsigned type); /* "?" if unknown */

/* The payload of CREDIT. */
uint32_t proto_get_u32(const uint8_t bytes[4]);
void proto_put_u32(uint8_t bytes[4], uint32_t value);
/* Of TIME. */
uint64_t proto_get_u64(const uint8_t bytes[8]);
void proto_put_u64(uint8_t bytes[8], uint64_t value);

#endif
