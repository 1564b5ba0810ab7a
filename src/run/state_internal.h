/* SPDX-License-Identifier: MIT */
/* state_internal.h - what the files of state.h share
 *
 * For state.c (being it), state_find.c (finding it) and state_end.c (ending it); others
 * use state.h.  "locked": with the folder of all labs locked (state_base.h).
 */
#ifndef NL_RUN_STATE_INTERNAL_H
#define NL_RUN_STATE_INTERNAL_H

#include "run/state.h"

enum {
	STATE_LAST_BREATH_MS = 10000, /* for the kernel to end a killed lab's machines */
	STATE_LOOK_AGAIN_MS = 20,
};

/* lab.json, which may be anything: what cannot be read is not known. */
void state_parse(struct state_info *info, const char *bytes, size_t size);
/* -ENOENT: there is none of that name (any more: what it could not remove itself goes
 * now). */
int state_look_locked(struct state_info *out, int base_fd, const char *base,
		      const char *name, struct why *why);
void state_look_again(void); /* a moment later */
/* Of a dead one; -EBUSY: it lives. */
int state_clear_locked(int base_fd, const char *base, const char *name, struct why *why);

#endif
