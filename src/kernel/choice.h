/* SPDX-License-Identifier: MIT */
/* choice.h - which kernel is used, and why
 *
 * In this order:
 *
 *	1. who asks has named one: --kernel, a machine's "kernel" in the topology
 *	2. NETLAB_KERNEL in the environment
 *	3. what `netlab kernel use` has set
 *	4. an own kernel made of the present guest/, the latest release
 *	5. any own kernel, the latest release
 *	6. the packaged one: /usr/local/bin/linux.uml, /usr/bin/linux.uml
 *
 * A kernel is named by a path (it has a slash), by a name of the store, or as
 * "packaged".  One that is named and not there is an error; nothing else is taken in
 * its place.
 *
 * Errors:    0 or -errno; *why says who named it and what to do.
 * Ownership: plain values.
 * Threads:   any.
 */
#ifndef NL_KERNEL_CHOICE_H
#define NL_KERNEL_CHOICE_H

#include <limits.h>
#include <stddef.h>

#include "base/why.h"
#include "kernel/kernel.h"
#include "kernel/store.h"

enum choice_reason {
	CHOICE_GIVEN,
	CHOICE_ENVIRONMENT,
	CHOICE_USE,
	CHOICE_OWN,
	CHOICE_OWN_OTHER, /* made of another guest/ than the present one */
	CHOICE_PACKAGED,
	CHOICE_REASONS,
};

struct choice {
	enum choice_reason reason;
	char path[PATH_MAX];
	char name[STORE_NAME_BYTES_MAX]; /* in the store, "packaged", or "" */
};

/* wanted: NULL or "" if nobody named one. */
int choice_make(struct choice *out, const char *wanted, struct why *why);
const char *choice_reason_text(enum choice_reason reason);

/* Make the choice and look at that kernel. */
int choice_find(struct kernel *out, const char *wanted, struct why *why);

/* The packaged kernel's path, or NULL. */
const char *choice_packaged(void);

/* What `netlab kernel use` has set: "" for nothing. */
int choice_used(char out[PATH_MAX], struct why *why);
/* NAME, PATH, "packaged"; "auto" takes it back.  Refused if there is none. */
int choice_use(const char *wanted, struct why *why);

#endif
