/* SPDX-License-Identifier: MIT */
/* kconfig.h - was every option that was asked for granted?
 *
 * The kernel's configuration drops what it does not know, and what needs something
 * that is off, without a word.
 *
 * Errors: none.  Threads: pure.
 */
#ifndef NL_KERNEL_KCONFIG_H
#define NL_KERNEL_KCONFIG_H

#include <stddef.h>

/* asked: lines "CONFIG_X=…" and "# CONFIG_X is not set"; if one stands there twice,
 * the last counts.  got: a whole .config.  Returns how many of asked are otherwise in
 * got; their names go to names, separated by blanks, as far as there is room (0: names
 * may be NULL). */
size_t kconfig_denied(const char *asked, const char *got, char *names, size_t room);

#endif
