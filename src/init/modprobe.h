/* SPDX-License-Identifier: MIT */
/* modprobe.h - the agent as the kernel's modprobe
 *
 * When something asks the kernel for what lies in a module (mount -t nfs, ip link add
 * type bond, an nftables rule, opening /dev/fuse), it starts the program that
 * kernel.modprobe names, as
 *
 *	PROGRAM -q -- NAME
 *
 * The agent puts itself there, as /proc/1/exe: so it works in every image, needs no
 * program of the machine's and is done in a few milliseconds.  NAME is a module's, or
 * an alias like "fs-nfs4" or "rtnl-link-bond", which modules.alias resolves with
 * patterns; modules.softdep may name others to load before or after.
 *
 * Options are those of the machine's modprobe.d (/lib, /etc, /run, in this order; later
 * ones win), as for modprobe(8); the agent's own file is in /run.
 *
 * Errors:    exit status 1, and a line in the kernel's log where a module is there
 *	      and cannot be loaded.
 * Threads:   one.
 */
#ifndef NL_INIT_MODPROBE_H
#define NL_INIT_MODPROBE_H

#include "init/modules.h"

#define MODPROBE_OPTIONS "/run/modprobe.d/netlab.conf"

/* The program's end; argv as the kernel gives it. */
int modprobe_run(const char *name);

/* As modprobe_run(), with the folder and one file of options to use.  Returns how many
 * modules answer to the name, or -errno. */
int modprobe_load(const struct modules *modules, const char *name,
		  const char *options_file, struct why *why);

/* The next module after *at that an alias stands for, by modules.alias' text ("alias
 * PATTERN MODULE"), with its length; NULL at the end.  *at moves on. */
const char *modprobe_alias(const char **at, const char *name, size_t *size);

/* "options MODULE WORDS": those words, or "". */
void modprobe_options(const char *text, const char *module, char *out, size_t bytes);

#endif
