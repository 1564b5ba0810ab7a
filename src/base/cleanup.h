/* SPDX-License-Identifier: MIT */
/* cleanup.h - what a scope owns, it gives back on every way out
 *
 *	cleanup_free char *s = strdup(x);
 *	cleanup_close int fd = open(...);
 *	...
 *	*out = steal_ptr(&s);		// hand over: the scope no longer owns it
 *
 * A cleanup_close variable holds an fd or -1.  errno is preserved.
 */
#ifndef NL_BASE_CLEANUP_H
#define NL_BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_file_(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define cleanup_free  __attribute__((cleanup(cleanup_free_)))
#define cleanup_close __attribute__((cleanup(cleanup_close_)))
#define cleanup_file  __attribute__((cleanup(cleanup_file_)))

#define steal_ptr(p)                                                                     \
	({                                                                               \
		__typeof__(*(p)) stolen_ = *(p);                                         \
		*(p) = NULL;                                                             \
		stolen_;                                                                 \
	})

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* From a pointer to a member, the struct that holds it. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
