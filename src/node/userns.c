/* SPDX-License-Identifier: MIT */
#include "node/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

void userns_add(struct userns_ids *ids, unsigned id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->id[i] == id)
			return;
	if (ids->count < USERNS_IDS_MAX)
		ids->id[ids->count++] = id;
}

void userns_add_owners(struct userns_ids *uids, struct userns_ids *gids, const char *path)
{
	char part[PATH_MAX];
	struct stat st;
	size_t len;

	if (!realpath(path, part))
		return;
	for (;;) {
		if (!stat(part, &st)) {
			userns_add(uids, st.st_uid);
			userns_add(gids, st.st_gid);
		}
		len = strlen(part);
		if (len <= 1)
			return;
		while (len > 1 && part[len - 1] != '/')
			len--;
		part[len > 1 ? len - 1 : 1] = 0;
	}
}

static int write_at(int proc_fd, const char *name, const char *text)
{
	cleanup_close int fd = openat(proc_fd, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* A map has to come in one write. */
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int write_map(int proc_fd, const char *name, const struct userns_ids *ids)
{
	char text[USERNS_IDS_MAX * 24 + 1];
	size_t used = 0;

	for (size_t i = 0; i < ids->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u %u 1\n",
					 ids->id[i], ids->id[i]);
	return write_at(proc_fd, name, text);
}

int userns_map(int proc_fd, const struct userns_ids *uids, const struct userns_ids *gids,
	       bool more_than_own, struct why *why)
{
	int err = 0;

	if (!more_than_own)
		err = write_at(proc_fd, "setgroups", "deny");
	if (!err)
		err = write_map(proc_fd, "gid_map", gids);
	if (!err)
		err = write_map(proc_fd, "uid_map", uids);
	if (err)
		return userns_explain(err, "map user ids into a user namespace", why);
	return 0;
}

int userns_map_nobody(int proc_fd, unsigned uid, unsigned gid, struct why *why)
{
	char uid_map[48], gid_map[48];
	int err = write_at(proc_fd, "setgroups", "deny");

	snprintf(uid_map, sizeof(uid_map), "%u %u 1\n", USERNS_NOBODY, uid);
	snprintf(gid_map, sizeof(gid_map), "%u %u 1\n", USERNS_NOBODY, gid);
	if (!err)
		err = write_at(proc_fd, "gid_map", gid_map);
	if (!err)
		err = write_at(proc_fd, "uid_map", uid_map);
	return err ? userns_explain(err, "map user ids into a user namespace", why) : 0;
}

bool userns_knows(const char *proc_map, unsigned id)
{
	unsigned long inside, outside, count;
	cleanup_file FILE *map = fopen(proc_map, "re");

	while (map && fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3)
		if (id >= inside && id - inside < count)
			return true;
	return false;
}

/* A sysctl's number, or -1 if this host does not have it. */
static long setting(const char *path)
{
	cleanup_free char *text = NULL;
	size_t size;

	if (fdio_read_file(AT_FDCWD, path, 64, &text, &size, NULL))
		return -1;
	return strtol(text, NULL, 10);
}

int userns_explain(int err, const char *what, struct why *why)
{
	static const char debian[] = "/proc/sys/kernel/unprivileged_userns_clone";
	static const char ubuntu[] =
		"/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
	static const char count[] = "/proc/sys/user/max_user_namespaces";

	if (geteuid() != 0 && setting(debian) == 0)
		return why_set(why, err,
			       "%s: user namespaces are switched off for ordinary users; "
			       "an administrator allows them with: "
			       "sysctl -w kernel.unprivileged_userns_clone=1",
			       what);
	if (setting(count) == 0 || err == -ENOSPC || err == -EUSERS)
		return why_set(why, err,
			       "%s: no more user namespaces are allowed "
			       "(user.max_user_namespaces "
			       "is %ld); an administrator raises the limit with: "
			       "sysctl -w user.max_user_namespaces=65536",
			       what, setting(count));
	if (setting(ubuntu) > 0 && (err == -EPERM || err == -EACCES))
		return why_set(
			why, err,
			"%s: AppArmor keeps programs without a profile from using user "
			"namespaces; an administrator allows them with: "
			"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
			what);
	if (err == -EPERM)
		return why_set(
			why, err,
			"%s: this host does not permit it; inside a container, start "
			"that with a security profile that allows user namespaces "
			"(docker: --security-opt seccomp=unconfined "
			"--security-opt systempaths=unconfined)",
			what);
	return why_errno(why, err, "%s", what);
}
