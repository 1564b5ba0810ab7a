/* SPDX-License-Identifier: MIT */
/* closed.h - what of the host's files its permissions keep from the machines
 *
 * A machine's kernel is an ordinary process, so the machine's root can read what that
 * user can.  Below /etc and /var there is more: /etc/shadow, /etc/frr,
 * /var/lib/redis.  To those the machine's own root must not be a stranger; so its
 * agent is told what is closed, and has something of the machine's own there
 * (init/standin.h).
 *
 * The list, a line each, in the order of names:
 *
 *	KIND MODE UID GID PATH		KIND d: a folder that cannot be entered;
 *					f: a file that cannot be read
 *
 * Errors:    what cannot be looked at is not listed.
 * Ownership: the text is this file's, and stays.
 * Threads:   look first, from one thread.
 */
#ifndef NL_NODE_CLOSED_H
#define NL_NODE_CLOSED_H

#include <sys/types.h>

enum { CLOSED_BYTES_MAX = 64 << 10 };

/* Before there is a sandbox: in it, ids do not tell whose a file is. */
void closed_look(uid_t uid, gid_t gid);
const char *closed_text(void); /* "" if nobody looked, or nothing is */

/* The same of another root than "/"; out has CLOSED_BYTES_MAX.  For tests. */
void closed_list(const char *root, uid_t uid, gid_t gid, char *out);

#endif
