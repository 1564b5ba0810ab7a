/* SPDX-License-Identifier: MIT */
#include "run/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "run/state_base.h"
#include "run/state_internal.h"

struct state {
	char name[PLAN_NAME_BYTES_MAX];
	char dir[PATH_MAX];
	int base_fd; /* not locked */
	int dir_fd;
	int lock_fd; /* locked */
};

static const char *const kind_names[] = {
	[STATE_BOOTING] = "booting",
	[STATE_RUNNING] = "running",
	[STATE_STOPPING] = "stopping",
	[STATE_DEAD] = "dead",
};
_Static_assert(ARRAY_SIZE(kind_names) == STATE_KINDS, "a name for each kind");

const char *state_kind_name(enum state_kind kind)
{
	ASSERT((unsigned)kind < STATE_KINDS);
	return kind_names[kind];
}

int state_name_check(const char *name, struct why *why)
{
	size_t size = strlen(name);

	if (size == 0 || size >= PLAN_NAME_BYTES_MAX)
		return why_set(why, -EINVAL,
			       "a lab's name has 1 to %d characters: \"%.40s\"",
			       PLAN_NAME_BYTES_MAX - 1, name);
	if (*name == '.')
		return why_set(why, -EINVAL, "a lab's name does not begin with a dot: %s",
			       name);
	for (size_t i = 0; i < size; i++)
		if (!isascii(name[i]) || !(isalnum(name[i]) || strchr("-_.", name[i])))
			return why_set(
				why, -EINVAL,
				"a lab's name has letters, digits, '-', '_' and '.': %s",
				name);
	return 0;
}

/* ---- lab.json ---------------------------------------------------------- */

static void copy_text(char *to, size_t room, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text && strlen(text) < room)
		memcpy(to, text, strlen(text) + 1);
}

void state_parse(struct state_info *info, const char *bytes, size_t size)
{
	json_t *root = json_loadb(bytes, size, 0, NULL);
	const char *kind = json_string_value(json_object_get(root, "state"));

	/* What a dead lab left may be anything: what cannot be read is not known. */
	for (int k = 0; kind && k < STATE_DEAD; k++)
		if (strcmp(kind, kind_names[k]) == 0)
			info->kind = k;
	info->process.pid = (pid_t)json_integer_value(json_object_get(root, "pid"));
	info->process.start_ticks =
		(uint64_t)json_integer_value(json_object_get(root, "start_ticks"));
	info->started_at = json_integer_value(json_object_get(root, "started_at"));
	copy_text(info->topology, sizeof(info->topology), root, "topology");
	copy_text(info->run_dir, sizeof(info->run_dir), root, "run_dir");
	if (info->process.pid <= 0)
		info->process = (struct proc_id){ 0 };
	json_decref(root);
}

int state_write(struct state *state, const struct state_info *info, struct why *why)
{
	json_t *root = json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:I}", "name",
				 state->name, "state", state_kind_name(info->kind), "pid",
				 (json_int_t)info->process.pid, "start_ticks",
				 (json_int_t)info->process.start_ticks, "topology",
				 info->topology, "run_dir", info->run_dir, "started_at",
				 (json_int_t)info->started_at);
	cleanup_free char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	if (!text)
		return why_set(why, -EINVAL,
			       "%s/lab.json: a path is not UTF-8, or memory is out",
			       state->dir);
	return fdio_write_file(state->dir_fd, "lab.json", text, strlen(text), 0600, why);
}

/* ---- being it ---------------------------------------------------------- */

static int open_own(struct state *state, struct why *why)
{
	state->dir_fd = openat(state->base_fd, state->name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state->dir_fd < 0)
		return why_errno(why, -errno, "%s", state->dir);
	state->lock_fd = openat(state->dir_fd, "lock",
				O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (state->lock_fd < 0 || flock(state->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return why_errno(why, -errno, "%s/lock", state->dir);
	return 0;
}

/* One that is on its way down anyway is waited for. */
static void wait_stopping(const char *name)
{
	struct state_info info;

	if (state_look(&info, name, NULL) == 0 && info.kind == STATE_STOPPING)
		state_wait_gone(&info, STATE_LAST_BREATH_MS, NULL);
}

int state_create(struct state **out, const char *name, bool *cleared, struct why *why)
{
	cleanup_close int base_fd = -1;
	char base[PATH_MAX];
	struct state *state;
	bool had_one;
	int err = state_name_check(name, why);

	if (err)
		return err;
	wait_stopping(name);
	err = state_clear(name, why);
	if (err && err != -ENOENT)
		return err;
	had_one = !err;
	err = state_base_open(&base_fd, base, 0, true, why);
	if (err)
		return err;
	/* Somebody else may have been faster. */
	err = state_clear_locked(base_fd, base, name, why);
	if (err && err != -ENOENT)
		return err;
	if (cleared)
		*cleared = err == 0 || had_one;
	if (mkdirat(base_fd, name, 0700) < 0)
		return why_errno(why, -errno, "%s/%s", base, name);
	state = calloc(1, sizeof(*state));
	if (!state)
		return why_set(why, -ENOMEM, "lab %s: out of memory", name);
	snprintf(state->name, sizeof(state->name), "%s", name);
	snprintf(state->dir, sizeof(state->dir), "%.*s/%s", PATH_MAX - 64, base, name);
	state->dir_fd = state->lock_fd = -1;
	/* Another description of the same folder: without the lock on it. */
	state->base_fd = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = state->base_fd < 0 ? why_errno(why, -errno, "%s", base)
				 : open_own(state, why);
	if (err) {
		fdio_remove_tree(base_fd, name, NULL);
		state_close(state);
		return err;
	}
	*out = state;
	return 0;
}

const char *state_dir(const struct state *state)
{
	return state->dir;
}

int state_dir_fd(const struct state *state)
{
	return state->dir_fd;
}

int state_enter(struct state *state, struct why *why)
{
	int fd = open(state->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return why_errno(why, -errno, "%s", state->dir);
	/* From the old ones one could climb to all of the host's files. */
	close(state->dir_fd);
	close(state->base_fd);
	state->dir_fd = fd;
	state->base_fd = -1;
	return 0;
}

void state_fds(const struct state *state, int fds[STATE_FDS])
{
	fds[0] = state->dir_fd;
	fds[1] = state->lock_fd;
}

bool state_is_there(const struct state *state)
{
	return !faccessat(state->dir_fd, "control", F_OK, AT_SYMLINK_NOFOLLOW) ||
	       errno != ENOENT;
}

void state_vacate(struct state *state)
{
	static const char *const files[] = { "control", "lab.json", "lab.json.tmp",
					     "lock" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(state->dir_fd, files[i], 0);
}

int state_remove(struct state *state, struct why *why)
{
	while (flock(state->base_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return why_errno(why, -errno, "lock the folder of %s",
					 state->dir);
	return fdio_remove_tree(state->base_fd, state->name, why);
}

void state_close(struct state *state)
{
	if (!state)
		return;
	for (int *fd = &state->base_fd; fd <= &state->lock_fd; fd++)
		if (*fd >= 0)
			close(*fd);
	free(state);
}
