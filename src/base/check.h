/* SPDX-License-Identifier: MIT */
/* check.h - assertions for our own bugs, compiled in always
 *
 * ASSERT() is for what can only be false if netlab itself is wrong.  The
 * world's failures return an error; a guest's misbehaviour costs the guest its
 * port; neither ever reaches an ASSERT.
 */
#ifndef NL_BASE_CHECK_H
#define NL_BASE_CHECK_H

_Noreturn void check_failed(const char *what, const char *file, int line);

#define ASSERT(cond)                                                                     \
	do {                                                                             \
		if (__builtin_expect(!(cond), 0))                                        \
			check_failed(#cond, __FILE__, __LINE__);                         \
	} while (0)

#endif
