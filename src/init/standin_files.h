/* SPDX-License-Identifier: MIT */
/* standin_files.h - the stand-ins that are the same in every machine
 *
 * Errors:    none; it is a table.
 * Ownership: constant.
 * Threads:   any.
 */
#ifndef NL_INIT_STANDIN_FILES_H
#define NL_INIT_STANDIN_FILES_H

#include <sys/types.h>

/* Put where `path` is closed; or, if beside is given, where that is: then with this
 * mode, and the owner of `beside` if that is a folder, else root's. */
struct standin_file {
	const char *path, *content, *beside;
	mode_t mode;
};

extern const struct standin_file standin_files[]; /* the last has no path */

#endif
