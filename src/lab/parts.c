/* SPDX-License-Identifier: MIT */
#include "lab/parts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define INITRAMFS "netlab-initramfs.cpio"
#define PRELOAD	  "libnetlab-preload.so"

/* Where CMake puts them below a build tree, seen from the folder of the program;
 * and where an installation has them. */
static const struct {
	const char *initramfs, *preload;
} places[] = {
	{ "../agent/" INITRAMFS, "../node/" PRELOAD },
	{ "../libexec/netlab/" INITRAMFS, "../libexec/netlab/" PRELOAD },
};

/* "" if there is no such file, or its absolute path is too long. */
static bool look(char out[PATH_MAX], const char *folder, const char *name)
{
	char path[PATH_MAX];

	*out = 0;
	return snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path) &&
	       access(path, R_OK) == 0 && realpath(path, out);
}

static int program_folder(char folder[PATH_MAX], struct why *why)
{
	ssize_t size = readlink("/proc/self/exe", folder, PATH_MAX - 1);

	if (size < 0)
		return why_errno(why, -errno, "/proc/self/exe");
	folder[size] = 0;
	*strrchr(folder, '/') = 0;
	return 0;
}

int parts_find(struct parts *out, struct why *why)
{
	const char *given = getenv("NETLAB_LIBEXEC");
	char folder[PATH_MAX];
	int err;

	if (given && *given) {
		if (!look(out->initramfs, given, INITRAMFS))
			return why_set(
				why, -ENOENT,
				"the machines' agent (%s) is not in NETLAB_LIBEXEC=%s",
				INITRAMFS, given);
		look(out->preload, given, PRELOAD);
		return 0;
	}
	err = program_folder(folder, why);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (look(out->initramfs, folder, places[i].initramfs)) {
			look(out->preload, folder, places[i].preload);
			return 0;
		}
	return why_set(why, -ENOENT,
		       "the machines' agent (%s) is neither in %s/../agent nor in "
		       "%s/../libexec/netlab: build or install netlab as a whole, or set "
		       "NETLAB_LIBEXEC to its folder",
		       INITRAMFS, folder, folder);
}
