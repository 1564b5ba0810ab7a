/* SPDX-License-Identifier: MIT */
/* fake_machine.h - machines without machines: the devices and the driver, faked
 *
 * A program that links fake_machine.c has its own vconsole_*(), vnet_*() and
 * node_*(): nothing is started, and the test plays the guest.  Machines are found
 * by their node's name.
 */
#ifndef NL_TESTS_FAKE_MACHINE_H
#define NL_TESTS_FAKE_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agentproto/proto.h"
#include "device/vconsole.h"
#include "device/vnet.h"

enum { FAKE_NAME_BYTES = 64 };

struct fake_message {
	enum proto_type type;
	uint32_t channel;
	uint8_t *payload; /* with a 0 behind it */
	uint32_t size;
};

/* Is there a process of that node?  Its console's slave side is console_fd. */
bool fake_machine_runs(const char *node);
bool fake_machine_killed(const char *node);
int fake_machine_console_fd(const char *node);
/* Its process ends. */
void fake_machine_end(const char *node, const char *how);
/* node_start() of the next machine fails with these words; NULL: no more. */
void fake_machine_refuse(const char *words);
/* From now on it takes until fake_machine_started() that a machine's process is what it
 * should be; words: why it could not, and it ends. */
void fake_machine_slow(bool slow);
void fake_machine_started(const char *node, const char *words);
/* A copy of the descriptor that tells of it, as another process may have one. */
int fake_machine_start_copy(const char *node);

/* The agent's side of the console. */
void fake_agent_say(const char *node, enum proto_type type, uint32_t channel,
		    const void *payload, size_t size);
void fake_agent_say_text(const char *node, enum proto_type type, uint32_t channel,
			 const char *text);
void fake_agent_say_raw(const char *node, const void *bytes, size_t size);
/* The next message from the lab, true if there is one; free its payload. */
bool fake_agent_hear(const char *node, struct fake_message *message);
/* How many bytes the console still takes; then the lab has to wait. */
void fake_agent_room(const char *node, size_t bytes);
void fake_agent_close(const char *node); /* the program in the guest ends */

/* The card NODE:IF. */
void fake_card_up(const char *name);
void fake_card_send(const char *name, const uint8_t *bytes, uint32_t size);
void fake_card_break(const char *name, const char *why);
bool fake_card_carrier(const char *name);
uint64_t fake_card_got(const char *name);     /* frames delivered */
uint64_t fake_card_flushed(const char *name); /* notifications */

void fake_machines_forget(void); /* between tests */

#endif
