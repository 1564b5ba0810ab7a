/* SPDX-License-Identifier: MIT */
/* setup.h - make the machine what its settings say: all but the network
 *
 * Errors:    0 or -errno; *why names the item: "file /etc/x: ...".
 * Ownership: settings are borrowed for the call.
 * Threads:   any.
 */
#ifndef NL_INIT_SETUP_H
#define NL_INIT_SETUP_H

#include <stddef.h>

#include "init/environ.h"
#include "init/settings.h"

enum { SETUP_FILE_BYTES_MAX = 64 << 20 }; /* of one that is copied */

int setup_hostname(const struct settings *settings, struct why *why);
int setup_clock(const struct settings *settings, struct why *why);

/* root is "" on a machine; tests give a folder.  hosts, hostname and an empty
 * resolv.conf: the host's name servers are out of reach anyway. */
int setup_names(const struct settings *settings, const char *root, struct why *why);
/* "files"; lab is the folder that "source" is relative to. */
int setup_files(const struct settings *settings, const char *root, const char *lab,
		struct why *why);

/* One setting below proc_sys ("/proc/sys"), named as for sysctl(8). */
int setup_sysctl(const char *proc_sys, const char *key, const char *value,
		 struct why *why);

int setup_environ(const struct settings *settings, struct environ_list *out,
		  struct why *why);

#endif
