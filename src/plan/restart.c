/* SPDX-License-Identifier: MIT */
#include "plan/restart.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"

static const char *const restart_names[RESTARTS] = {
	[RESTART_NO] = "no",
	[RESTART_ON_FAILURE] = "on-failure",
	[RESTART_ALWAYS] = "always",
};

const char *restart_name(enum restart restart)
{
	ASSERT((unsigned)restart < RESTARTS);
	return restart_names[restart];
}

int restart_find(const char *name, enum restart *restart)
{
	for (int i = 0; i < RESTARTS; i++)
		if (!strcmp(name, restart_names[i])) {
			*restart = (enum restart)i;
			return 0;
		}
	return -EINVAL;
}
