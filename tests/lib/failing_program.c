/* SPDX-License-Identifier: MIT */
/* A whole program of which one call fails: failing.h for what runs as a process.
 *
 *	FAILING="files 3" FAILING_TOLD=PATH PROGRAM...
 *
 * The third call of that kind fails, in this process and in each that it forks; PATH is
 * made when one has.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "lib/failing.h"

static const char *told;

/* Not by a call that could be the next to fail. */
static void tell(void)
{
	long fd = told ? syscall(SYS_openat, AT_FDCWD, told, O_WRONLY | O_CREAT, 0600) : -1;

	ASSERT(!told || fd >= 0);
	if (fd >= 0)
		close((int)fd);
}

__attribute__((constructor)) static void begin(void)
{
	const char *asked = getenv("FAILING");
	char kind[16];
	unsigned n;

	if (!asked)
		return;
	told = getenv("FAILING_TOLD");
	ASSERT(sscanf(asked, "%15s %u", kind, &n) == 2);
	for (int k = FAILING_NOTHING; k < FAILING_KINDS; k++)
		if (!strcmp(kind, failing_kind_name((enum failing_kind)k))) {
			failing_on_failure(tell);
			failing_keep_in_forks();
			failing_arm((enum failing_kind)k, n);
			return;
		}
	ASSERT(!"a kind that there is");
}
