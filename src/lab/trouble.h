/* SPDX-License-Identifier: MIT */
/* trouble.h - what a lab could not record of its run
 *
 * A full disk, a run directory that was removed or cannot be written to must not end a
 * lab, but nobody may take the record for a whole one: each answer of the control socket
 * says it from then on, `ps` shows it, `down` fails, and the journal (as "record-lost")
 * and digest.json have it as "incomplete".  Each file ends with what was whole.
 *
 * A folder that cannot be written to is told while that is so: what is open in it may go on.
 *
 * Threads:   the loop's.
 */
#ifndef NL_LAB_TROUBLE_H
#define NL_LAB_TROUBLE_H

struct lab;

/* "journal.jsonl: No space left on device"; NULL: nothing is missing.  Lent until the next
 * call. */
const char *lab_trouble(struct lab *lab);
/* Something else is missing, for somebody saw it fail. */
void lab_trouble_with(struct lab *lab, const char *name, const char *what);

#endif
