/* SPDX-License-Identifier: MIT */
/* Which labs there are, and the way to one that runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "run/state_base.h"
#include "run/state_internal.h"

enum {
	JSON_BYTES_MAX = 64 << 10,
	LABS_MAX = 1024,
	FIRST_WORD_MS = 5000, /* from a lab's lock to its number and its socket */
};

/* Does somebody hold the lab's lock?  Only under the lock of all labs: a probe must
 * not be in the way of a state_create(). */
static bool lock_is_held(int dir_fd)
{
	cleanup_close int fd = openat(dir_fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* With the folder of all labs locked.  -ENOENT: there is none of that name (any more:
 * what it could not remove itself goes now). */
int state_look_locked(struct state_info *out, int base_fd, const char *base,
		       const char *name, struct why *why)
{
	cleanup_free char *bytes = NULL;
	cleanup_close int dir_fd =
		openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t size;

	if (dir_fd < 0)
		return why_set(why, -errno, "no lab is named %s", name);
	if (faccessat(dir_fd, "lock", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		fdio_remove_tree(base_fd, name, NULL);
		return why_set(why, -ENOENT, "no lab is named %s", name);
	}
	*out = (struct state_info){ .kind = STATE_BOOTING };
	snprintf(out->name, sizeof(out->name), "%s", name);
	if (snprintf(out->dir, sizeof(out->dir), "%s/%s", base, name) >=
	    (int)sizeof(out->dir))
		return why_set(why, -ENAMETOOLONG, "%s/%s: path too long", base, name);
	if (fdio_read_file(dir_fd, "lab.json", JSON_BYTES_MAX, &bytes, &size, NULL) == 0)
		state_parse(out, bytes, size);
	if (!lock_is_held(dir_fd))
		out->kind = STATE_DEAD;
	/* The number may be somebody else's by now. */
	if (out->process.pid && !proc_alive(&out->process) && out->kind != STATE_DEAD)
		out->process = (struct proc_id){ 0 };
	return 0;
}

int state_look(struct state_info *out, const char *name, struct why *why)
{
	char base[PATH_MAX];
	int err = state_name_check(name, why);

	if (err)
		return err;
	for (unsigned place = 0; place < STATE_PLACES; place++) {
		cleanup_close int base_fd = -1;

		err = state_base_open(&base_fd, base, place, false, why);
		if (!err)
			err = state_look_locked(out, base_fd, base, name, why);
		if (err != -ENOENT)
			return err;
	}
	return why_set(why, -ENOENT, "no lab is named %s", name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct state_info *)a)->name,
		      ((const struct state_info *)b)->name);
}

struct listing {
	struct state_info *labs;
	size_t count;
};

static int list_place(struct listing *list, unsigned place, struct why *why)
{
	cleanup_close int base_fd = -1;
	char base[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int err = state_base_open(&base_fd, base, place, false, why);

	if (err)
		return err == -ENOENT ? 0 : err;
	dir = opendir(base);
	if (!dir)
		return why_errno(why, -errno, "%s", base);
	while ((entry = readdir(dir)) && list->count < LABS_MAX) {
		struct state_info *grown;

		if (state_name_check(entry->d_name, NULL))
			continue;
		grown = reallocarray(list->labs, list->count + 1, sizeof(*grown));
		if (!grown)
			break;
		list->labs = grown;
		if (state_look_locked(&grown[list->count], base_fd, base, entry->d_name,
				NULL) == 0)
			++list->count;
	}
	closedir(dir);
	return 0;
}

int state_list(struct state_info **out, size_t *count, struct why *why)
{
	struct listing list = { 0 };
	int err = 0;

	*count = 0;
	*out = NULL;
	for (unsigned place = 0; !err && place < STATE_PLACES; place++)
		err = list_place(&list, place, why);
	if (err) {
		free(list.labs);
		return err;
	}
	if (list.labs)
		qsort(list.labs, list.count, sizeof(*list.labs), by_name);
	*out = list.labs;
	*count = list.count;
	return 0;
}

void state_look_again(void)
{
	struct timespec pause = { .tv_nsec = STATE_LOOK_AGAIN_MS * 1000000L };

	nanosleep(&pause, NULL);
}

static int connect_once(const struct state_info *info, int *fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_close int sock = -1, dir = -1;

	dir = open(info->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (dir < 0 || sock < 0)
		return -errno;
	/* A socket's address has 108 bytes; the state directory may need more. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/control", dir);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	*fd = steal_fd(&sock);
	return 0;
}

int state_connect(const char *name, int *fd, struct why *why)
{
	struct state_info info;

	for (int waited = 0;; waited += STATE_LOOK_AGAIN_MS) {
		int err = state_look(&info, name, why);

		if (err)
			return err;
		if (info.kind == STATE_DEAD)
			return why_set(
				why, -ECONNREFUSED,
				"lab %s is dead: it was killed; clear it with: netlab "
				"down %s",
				name, name);
		err = connect_once(&info, fd);
		/* The lock comes first, the socket a moment later. */
		if (err != -ENOENT || waited >= FIRST_WORD_MS)
			return err ? why_errno(why, err, "lab %s: connect to %s/control",
					       name, info.dir)
				   : 0;
		state_look_again();
	}
}
