/* SPDX-License-Identifier: MIT */
/* apt_sources.h - where the system gets Debian from: apt's own lists, both forms
 *
 *	deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian trixie main
 *
 *	Types: deb
 *	URIs: http://mirror.example/debian
 *	Suites: trixie trixie-updates
 *	Components: main
 *	Signed-By: /usr/share/keyrings/x.gpg
 *
 * Looked for is the main archive of Debian: a mirror of it, not its security updates
 * and not somebody else's packages.  What tells it: the archive's keyring, or a path
 * that ends in /debian (surer if no key is named with it); with a suite named after a
 * release and the component main.  See sources.list(5).
 *
 * Errors:    none; what cannot be read is no entry.
 * Ownership: plain values.
 * Threads:   pure.
 */
#ifndef NL_KERNEL_APT_SOURCES_H
#define NL_KERNEL_APT_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

struct apt_archive {
	char uri[512];
	char signed_by[512]; /* a file; "": the keys that the system trusts */
	int sure;	     /* 0: none was found; more is surer */
};

/* Looks through one file's text; a surer entry than *best replaces it. */
void apt_sources_read(const char *text, bool deb822, struct apt_archive *best);

/* Debian's releases from that one on ("bookworm"): NULL ends the list.  The one that
 * is never released is the last; an unknown name gives that alone. */
const char *const *apt_releases_from(const char *codename);

#endif
