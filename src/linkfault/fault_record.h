/* SPDX-License-Identifier: MIT */
/* fault_record.h - specs, states and notes as values of a record (base/record.h)
 *
 *	spec    0: none; n: the n-th of the record, whose values follow where n is
 *	        first seen: its rules, and of each the name, the profile, and for each
 *	        word of word.h that is given its key and its fields; "" ends them
 *	data    the same, of the fields that are rows of numbers: kind, name, values
 *	filter  its text: it is compiled again, which waits if the text is long
 *	state   for each rule all of struct fault_rule_state but what follows from the
 *	        spec
 *	note    with its rule's name: numbers of names are those of one process
 *
 * So a record is complete: what came from the topology file, or a file of samples, and
 * what was set by hand are in it alike, and a new word is in it by itself.
 *
 * Errors:    the record's.  A spec that fault_spec_check() refuses is no spec.
 * Ownership: a book keeps a reference to each that it has seen, until fault_book_free();
 *            what is loaded has a reference that is the caller's.
 * Threads:   one.
 */
#ifndef NL_LINKFAULT_FAULT_RECORD_H
#define NL_LINKFAULT_FAULT_RECORD_H

#include "base/record.h"
#include "linkfault/fault_state.h"
#include "linkfault/note.h"
#include "linkfault/spec.h"

/* What several refer to, in the order in which they were seen.  All-zero is empty. */
struct fault_book {
	void **specs, **data;
	uint32_t spec_count, data_count;
};

void fault_book_free(struct fault_book *book);

void fault_spec_record(struct fault_spec **spec, struct fault_book *book,
		       struct record *record);
/* Of a state that is there for that spec. */
void fault_state_record(struct fault_state *state, const struct fault_spec *spec,
			struct record *record);
void fault_note_record(struct fault_note *note, struct record *record);

#endif
