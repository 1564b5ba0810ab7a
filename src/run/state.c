/* SPDX-License-Identifier: MIT */
#include "run/state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "run/state_base.h"

enum {
	JSON_BYTES_MAX = 64 << 10,
	LABS_MAX = 1024,
	LAST_BREATH_MS = 10000, /* for the kernel to end a killed lab's machines */
	LOOK_AGAIN_MS = 20,
	FIRST_WORD_MS = 5000, /* from a lab's lock to its number and its socket */
};

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

static void parse_info(struct state_info *info, const char *bytes, size_t size)
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

/* ---- looking ----------------------------------------------------------- */

/* Does somebody hold the lab's lock?  Only under the lock of all labs: a probe must
 * not be in the way of a state_create(). */
static bool lock_is_held(int dir_fd)
{
	cleanup_close int fd = openat(dir_fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* With the folder of all labs locked.  -ENOENT: there is none of that name (any more:
 * what it could not remove itself goes now). */
static int look_locked(struct state_info *out, int base_fd, const char *base,
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
		parse_info(out, bytes, size);
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
			err = look_locked(out, base_fd, base, name, why);
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
		if (look_locked(&grown[list->count], base_fd, base, entry->d_name,
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

static void look_again(void)
{
	struct timespec pause = { .tv_nsec = LOOK_AGAIN_MS * 1000000L };

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

	for (int waited = 0;; waited += LOOK_AGAIN_MS) {
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
		look_again();
	}
}

/* ---- ending ------------------------------------------------------------ */

static int wait_process(const struct proc_id *id, int timeout_ms, struct why *why)
{
	cleanup_close int pidfd = proc_open(id, why);
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n;

	if (pidfd < 0)
		return pidfd == -ESRCH ? 0 : pidfd;
	do
		n = poll(&poll_fd, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return why_set(why, -ETIMEDOUT, "process %d has not ended within %d ms",
			       id->pid, timeout_ms);
	return n < 0 ? why_errno(why, -errno, "wait for process %d", id->pid) : 0;
}

int state_wait_gone(const struct state_info *info, int timeout_ms, struct why *why)
{
	struct state_info now;

	if (info->process.pid)
		return wait_process(&info->process, timeout_ms, why);
	/* From another pid namespace only the lock can be seen. */
	for (int waited = 0;; waited += LOOK_AGAIN_MS) {
		int err = state_look(&now, info->name, why);

		if (err == -ENOENT || (err == 0 && now.kind == STATE_DEAD))
			return 0;
		if (err)
			return err;
		if (waited >= timeout_ms)
			return why_set(why, -ETIMEDOUT,
				       "lab %s has not ended within %d ms", info->name,
				       timeout_ms);
		look_again();
	}
}

static int clear_locked(int base_fd, const char *base, const char *name, struct why *why)
{
	struct state_info info;
	int err = look_locked(&info, base_fd, base, name, why);

	if (err)
		return err;
	if (info.kind != STATE_DEAD && info.process.pid)
		return why_set(why, -EBUSY, "lab %s is %s (pid %d): netlab down %s", name,
			       state_kind_name(info.kind), info.process.pid, name);
	if (info.kind != STATE_DEAD)
		return why_set(why, -EBUSY, "lab %s is %s: netlab down %s", name,
			       state_kind_name(info.kind), name);
	/* The lock goes first, the machines a moment later. */
	if (info.process.pid && proc_alive(&info.process))
		err = wait_process(&info.process, LAST_BREATH_MS, why);
	return err ? why_wrap(why, err, "lab %s", name)
		   : fdio_remove_tree(base_fd, name, why);
}

int state_clear(const char *name, struct why *why)
{
	char base[PATH_MAX];
	int err = state_name_check(name, why);

	if (err)
		return err;
	for (unsigned place = 0; place < STATE_PLACES; place++) {
		cleanup_close int base_fd = -1;

		err = state_base_open(&base_fd, base, place, false, why);
		if (!err)
			err = clear_locked(base_fd, base, name, why);
		if (err != -ENOENT)
			return err;
	}
	return why_set(why, -ENOENT, "no lab is named %s", name);
}

int state_kill(const char *name, int timeout_ms, struct why *why)
{
	struct state_info info;
	int err;

	for (int waited = 0;; waited += LOOK_AGAIN_MS) {
		err = state_look(&info, name, why);
		if (err)
			return err;
		if (info.kind == STATE_DEAD || info.process.pid)
			break;
		/* The lock comes first, its number a moment later. */
		if (waited >= timeout_ms)
			return why_set(
				why, -ESRCH,
				"lab %s runs, but its process is not in sight from here",
				name);
		look_again();
	}
	if (info.process.pid)
		err = proc_kill(&info.process, timeout_ms, why);
	return err ? why_wrap(why, err, "lab %s", name) : state_clear(name, why);
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
		state_wait_gone(&info, LAST_BREATH_MS, NULL);
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
	err = clear_locked(base_fd, base, name, why);
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
