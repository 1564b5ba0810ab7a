/* SPDX-License-Identifier: MIT */
/* inputs.h - what reached the machines of a virtual lab from outside, for good
 *
 * Each input is an entry of the journal, `input`, at the virtual time at which it
 * happened, with all that is needed to do it once more without the client that asked
 * for it:
 *
 *	{"event":"input","do":"exec","command":3,"node":"n1","argv":["cat"],...}
 *	{"event":"input","do":"stdin","command":3,"at":0,"bytes":6,"hash":"..."}
 *	{"event":"input","do":"signal","command":3,"signal":2}
 *
 * `do` and the members are those of the control protocol; commands have numbers from
 * 1 on instead of a connection's ids.  `close` is a command that was left alone, by its
 * client's end too.  The bytes of stdin go to stdin.bin of the run directory, one after
 * the other; those that it cannot take (INPUTS_BYTES_MAX, a full disk) are counted, and
 * their entry has "kept":false instead of a place.
 *
 * Errors:    creation: -ENOMEM.
 * Ownership: takes the descriptor over; the journal is borrowed.
 * Threads:   the loop's.
 */
#ifndef NL_RUN_INPUTS_H
#define NL_RUN_INPUTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/why.h"
#include "run/journal.h"

#define INPUTS_BYTES_MAX (UINT64_C(1) << 30)

struct inputs;

/* stdin_fd: of stdin.bin, opened for appending; -1: bytes are not kept. */
int inputs_create(struct inputs **out, struct journal *journal, int stdin_fd,
		  struct why *why);
void inputs_destroy(struct inputs *inputs); /* NULL does nothing */

/* All of these do nothing if inputs is NULL: in real time nothing can be repeated. */
json_int_t inputs_command(struct inputs *inputs); /* the number of the next command */
/* fields is an object whose reference is taken over; id and do are left out. */
void inputs_note(struct inputs *inputs, const char *verb, json_t *fields);
/* size 0: its end. */
void inputs_stdin(struct inputs *inputs, json_int_t command, const uint8_t *bytes,
		  size_t size);
/* What comes from now on is not repeated: the lab is being ended. */
/* 0, or -errno: why there is input that is not in stdin.bin.  NULL: 0. */
int inputs_error(const struct inputs *inputs);
void inputs_end(struct inputs *inputs);

#endif
