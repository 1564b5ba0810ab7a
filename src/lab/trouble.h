/* SPDX-License-Identifier: MIT */
/* trouble.h - what a lab could not record of its run
 *
 * A full disk, a run directory that was removed or cannot be written to must not end a
 * lab, but nobody may take the record for a whole one: each answer of the control socket
 * says it from then on, `ps` shows it, `down` fails, and digest.json has it as
 * "incomplete".  Each file ends with what was whole.
 *
 * Threads:   the loop's.
 */
#ifndef NL_LAB_TROUBLE_H
#define NL_LAB_TROUBLE_H

struct lab;

/* "journal.jsonl: No space left on device"; NULL: nothing is missing.  Lent until the next
 * call. */
const char *lab_trouble(struct lab *lab);

#endif
