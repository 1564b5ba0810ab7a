/* SPDX-License-Identifier: MIT */
#include "cli/run_ref.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/labref.h"

int run_ref_find(char path[PATH_MAX], const char *wanted, struct why *why)
{
	struct state_info lab;
	char plan[PATH_MAX];
	int rc;

	if (wanted &&
	    snprintf(plan, sizeof(plan), "%s/plan.json", wanted) >= (int)sizeof(plan))
		return why_set(why, -ENAMETOOLONG, "%.64s...: the path is too long",
			       wanted);
	if (wanted && (strchr(wanted, '/') || access(plan, R_OK) == 0)) {
		snprintf(path, PATH_MAX, "%s", wanted);
		return 0;
	}
	rc = labref_find(&lab, wanted, false, why);
	if (rc)
		return rc;
	if (!*lab.run_dir)
		return why_set(why, -ENOENT, "lab %s is dead and left no run directory",
			       lab.name);
	snprintf(path, PATH_MAX, "%s", lab.run_dir);
	return 0;
}
