/* SPDX-License-Identifier: MIT */
/* verbs.h - what clients can ask a lab (docs/control-protocol.md)
 *
 * One function per verb, by theme in verbs_*.c; the table is in verbs.c.  ctx is
 * the struct lab.
 */
#ifndef NL_LAB_VERBS_H
#define NL_LAB_VERBS_H

#include "control/control.h"
#include "lab/lab_internal.h"

int verb_hello(void *ctx, struct call *call, struct why *why);
int verb_ps(void *ctx, struct call *call, struct why *why);
int verb_inspect(void *ctx, struct call *call, struct why *why);
int verb_wait(void *ctx, struct call *call, struct why *why);
int verb_down(void *ctx, struct call *call, struct why *why);
int verb_exec(void *ctx, struct call *call, struct why *why);
int verb_go_on(void *ctx, struct call *call, struct why *why);
int verb_stdin(void *ctx, struct call *call, struct why *why);
int verb_resize(void *ctx, struct call *call, struct why *why);
int verb_signal(void *ctx, struct call *call, struct why *why);
int verb_console(void *ctx, struct call *call, struct why *why);
int verb_input(void *ctx, struct call *call, struct why *why);
int verb_close(void *ctx, struct call *call, struct why *why);
int verb_events(void *ctx, struct call *call, struct why *why);
int verb_fault_set(void *ctx, struct call *call, struct why *why);
int verb_fault_clear(void *ctx, struct call *call, struct why *why);
int verb_fault_ls(void *ctx, struct call *call, struct why *why);
int verb_partition(void *ctx, struct call *call, struct why *why);
int verb_partition_ls(void *ctx, struct call *call, struct why *why);
int verb_matrix(void *ctx, struct call *call, struct why *why);
int verb_fidelity(void *ctx, struct call *call, struct why *why);
int verb_heal(void *ctx, struct call *call, struct why *why);
int verb_clock(void *ctx, struct call *call, struct why *why);
int verb_replay(void *ctx, struct call *call, struct why *why);
int verb_node_clock(void *ctx, struct call *call, struct why *why);
int verb_node_life(void *ctx, struct call *call, struct why *why);
int verb_capture(void *ctx, struct call *call, struct why *why);

/* Parts of several answers. */
json_t *digest_json(const struct lab *lab); /* virtual time only */
json_t *node_clocks_json(const struct lab *lab);

#endif
