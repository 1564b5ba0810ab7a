/* SPDX-License-Identifier: MIT */
#include "kernel/place.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int place_join(char out[PATH_MAX], const char *folder, const char *name, struct why *why)
{
	if (snprintf(out, PATH_MAX, "%s%s%s", folder, *name ? "/" : "", name) < PATH_MAX)
		return 0;
	return why_set(why, -ENAMETOOLONG, "%.200s…: the path is too long", folder);
}

/* A path in those variables that is not absolute does not count. */
static int below_home(char out[PATH_MAX], const char *variable, const char *usual,
		      const char *below, struct why *why)
{
	const char *given = getenv(variable), *home = getenv("HOME");
	const struct passwd *user;
	char folder[PATH_MAX];
	int size;

	if (given && *given == '/') {
		size = snprintf(folder, sizeof(folder), "%s/netlab", given);
	} else {
		user = home && *home == '/' ? NULL : getpwuid(getuid());
		if (user)
			home = user->pw_dir;
		if (!home || *home != '/')
			return why_set(why, -ENOENT,
				       "this user has no home: set HOME, or %s",
				       variable);
		size = snprintf(folder, sizeof(folder), "%s/%s/netlab", home, usual);
	}
	if (size >= (int)sizeof(folder))
		return why_set(why, -ENAMETOOLONG, "%s is too long", variable);
	return place_join(out, folder, below, why);
}

int place_cache(char out[PATH_MAX], const char *below, struct why *why)
{
	return below_home(out, "XDG_CACHE_HOME", ".cache", below, why);
}

int place_config(char out[PATH_MAX], const char *below, struct why *why)
{
	return below_home(out, "XDG_CONFIG_HOME", ".config", below, why);
}
