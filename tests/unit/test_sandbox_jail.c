/* SPDX-License-Identifier: MIT */
/* node/jail.h: what a machine's kernel process cannot do.  A probe is put in its
 * place that tries. */
#include "node/jail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "node/sandbox.h"
#include "node/userns.h"
#include "unit/sandbox_scene.h"

/* The probe in a jail, its output in a pipe. */
struct trial {
	struct jail jail;
	int out;
	char text[16384];
};

static int copy_probe(const struct scene *scene, char path[PATH_MAX], struct why *why)
{
	cleanup_free char *bytes = NULL;
	size_t size;
	int err = fdio_read_file(AT_FDCWD, SANDBOX_PROBE, 64 << 20, &bytes, &size, why);

	/* The build folder may be one that other users cannot enter. */
	if ((size_t)snprintf(path, PATH_MAX, "%s/probe", scene->writable) >= PATH_MAX)
		return why_errno(why, -ENAMETOOLONG, "probe");
	return err ? err : fdio_write_file(AT_FDCWD, path, bytes, size, 0755, why);
}

static int start(struct trial *trial, const struct scene *scene, const char *what,
		 const char *number, const char *lab, struct why *why)
{
	char probe[PATH_MAX], work[PATH_MAX];
	struct jail_bind binds[] = { { probe, "probe" }, { lab, "lab" }, { NULL, "nothing" } };
	char *const argv[] = { "probe", (char *)what, (char *)number, NULL };
	char *const envp[] = { "A=b", NULL };
	struct jail_spec spec = { .binds = binds,
				  .bind_count = 3,
				  .work_dir = work,
				  .memory_bytes = 1 << 20,
				  .home = scene->outside,
				  .hostname = "probe",
				  .cpu = -1,
				  .exec = "/netlab/probe",
				  .argv = argv,
				  .envp = envp };
	int ends[2], err = copy_probe(scene, probe, why);

	if ((size_t)snprintf(work, sizeof(work), "%s/work", scene->private_dir) >= sizeof(work))
		return why_errno(why, -ENAMETOOLONG, "work");
	if (!err && mkdir(work, 0700) && errno != EEXIST)
		err = why_errno(why, -errno, "%s", work);
	if (!err)
		err = sandbox_guest_ids(&spec.uid, &spec.gid, why);
	if (!err && chown(work, spec.uid, spec.gid))
		err = why_errno(why, -errno, "chown %s", work);
	if (err)
		return err;
	if (pipe2(ends, O_CLOEXEC))
		return why_errno(why, -errno, "pipe");
	spec.stdio_fd = ends[1];
	err = jail_start(&trial->jail, &spec, why);
	if (!err)
		err = jail_await_start(&trial->jail, why);
	close(ends[1]);
	trial->out = ends[0];
	return err;
}

static int run(struct trial *trial, const struct scene *scene, int *status, struct why *why)
{
	ssize_t got;
	int err = start(trial, scene, "look", NULL, scene->closed, why);

	if (err)
		return err;
	got = fdio_read(trial->out, trial->text, sizeof(trial->text) - 1);
	close(trial->out);
	if (got < 0)
		return why_errno(why, (int)got, "read");
	trial->text[got] = 0;
	return jail_reap(&trial->jail, status);
}

/* The value of a line; "" if there is none. */
static const char *value(const struct trial *trial, const char *name)
{
	static char found[256];
	size_t length = strlen(name);

	for (const char *line = trial->text; *line; line += strcspn(line, "\n") + 1) {
		if (!strncmp(line, name, length) && line[length] == ' ') {
			snprintf(found, sizeof(found), "%.*s",
				 (int)strcspn(line + length + 1, "\n"), line + length + 1);
			return found;
		}
		if (!strchr(line, '\n'))
			break;
	}
	return "";
}

static long number(const struct trial *trial, const char *name)
{
	const char *text = value(trial, name);

	return *text ? strtol(text, NULL, 10) : -999;
}

struct expected {
	const char *name;
	long value;
};

static int expect(const struct scene *scene, const struct expected *list, size_t count,
		  struct why *why)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	int status = -1, err = run(trial, scene, &status, why);

	if (err)
		return err;
	HOLD(status == 0, "status %#x:\n%s", (unsigned)status, trial->text);
	for (size_t i = 0; i < count; i++)
		HOLD(number(trial, list[i].name) == list[i].value, "%s is %ld, not %ld",
		     list[i].name, number(trial, list[i].name), list[i].value);
	free(trial);
	return 0;
}

static int calls(const struct scene *scene, struct why *why)
{
	static const struct expected list[] = {
		{ "mount", EPERM },	     { "umount", EPERM },
		{ "pivot_root", EPERM },     { "chroot", EPERM },
		{ "unshare", EPERM },	     { "clone-newuser", EPERM },
		{ "clone3", ENOSYS },	     { "setns", EPERM },
		{ "bpf", EPERM },	     { "perf_event_open", EPERM },
		{ "io_uring_setup", EPERM }, { "keyctl", EPERM },
		{ "userfaultfd", EPERM },    { "init_module", EPERM },
		{ "swapon", EPERM },	     { "open_by_handle_at", EPERM },
		{ "reboot", EPERM },	     { "process_vm_readv", EPERM },
		{ "setuid", EPERM },	     { "socket-inet", EPERM },
		{ "socket-inet6", EPERM },   { "socket-netlink", EPERM },
		{ "socket-packet", EPERM },  { "socket-vsock", EPERM },
		{ "tiocsti", EPERM },	     { "ptrace-init", EPERM },
		{ "dumpable", EPERM },	     { "capget", EPERM },
		/* and what a kernel needs */
		{ "socket-unix", 0 },	     { "socketpair", 0 },
		{ "fork", 0 },
		/* bounds: a little more than what is honest */
		{ "private:32M", 0 },	     { "private:96M", ENOMEM },
		{ "forks-end", EAGAIN },
	};

	return expect(scene, list, ARRAY_SIZE(list), why);
}

static int number_of_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static int files(const struct scene *scene, struct why *why)
{
	static const struct expected list[] = {
		{ "entries:/home", 0 },	   { "entries:/tmp", 0 },
		{ "entries:/var/tmp", 0 }, { "entries:/run", 0 },
		{ "entries:/mnt", 0 },	   { "entries:/media", 0 },
		{ "entries:/sys", 0 },	   { "entries:/proc", 2 }, /* cpuinfo, self */
		{ "entries:/dev", 7 },
		{ "create:/", EROFS },	   { "create:/tmp", EROFS },
		{ "create:/netlab", EROFS }, { "create:lab", EROFS },
		{ "create:work", EROFS },	   { "create:memory", 0 },
		{ "read:lab", 0 },	   { "read:/proc/self/status", ENOENT },
		{ "read:/proc/cpuinfo", 0 }, { "read:/dev/urandom", 0 },
		{ "write:/dev/null", 0 },  { "usr-flags", 1 + 2 + 4 },
	};
	cleanup_free struct trial *trial = calloc(1, sizeof(*trial));
	int status, err;

	HOLD(number_of_entries("/var/tmp") > 0, "nothing to hide in /var/tmp");
	err = expect(scene, list, ARRAY_SIZE(list), why);
	if (!err)
		err = run(trial, scene, &status, why);
	if (err)
		return err;
	HOLD(!strcmp(value(trial, "cwd"), "/netlab/work"), "%s", value(trial, "cwd"));
	HOLD(number(trial, "entries:/root") <= 0, "%ld", number(trial, "entries:/root"));
	HOLD(number(trial, "write:/etc/passwd") > 0, "written");
	HOLD(number(trial, "create:/etc") > 0, "created");
	HOLD(access("/tmp/made", F_OK) && access("/made", F_OK), "on the host");
	return 0;
}

static int who_it_is(const struct scene *scene, struct why *why)
{
	/* Whoever it is outside: a machine that saw it would do something else. */
	long uid = USERNS_NOBODY;
	const struct expected list[] = {
		{ "pid", 2 }, { "ppid", 1 },	 { "uid", uid }, { "gid", uid }, { "nnp", 1 },
		{ "fds", 3 }, { "seccomp", 2 }, { "core", 0 },	 { "aslr-off", 1 },
	};

	return expect(scene, list, ARRAY_SIZE(list), why);
}

static void system_calls_that_a_kernel_does_not_need_fail(void **state)
{
	(void)state;
	scene_in_lab(calls);
}

static void the_host_is_read_only_and_its_private_parts_are_empty(void **state)
{
	char path[] = "/var/tmp/netlab-walls-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	scene_in_lab(files);
	unlink(path);
}

static void the_program_is_nobody_with_nothing_open(void **state)
{
	(void)state;
	scene_in_lab(who_it_is);
}

static int endings(const struct scene *scene, struct why *why)
{
	static const struct {
		const char *what, *number;
		int status;
	} list[] = { { "exit", "0", 0 },
		     { "exit", "7", W_EXITCODE(7, 0) },
		     { "signal", "6", SIGABRT },
		     { "signal", "9", SIGKILL } };
	struct trial *trial = calloc(1, sizeof(*trial));

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		int status = -1;
		int err = start(trial, scene, list[i].what, list[i].number, NULL, why);

		if (!err)
			err = jail_reap(&trial->jail, &status);
		if (err)
			return why_wrap(why, err, "%s %s", list[i].what, list[i].number);
		HOLD(status == list[i].status, "%s %s: %#x", list[i].what, list[i].number,
		     (unsigned)status);
		close(trial->out);
	}
	free(trial);
	return 0;
}

/* The host's number of a pidfd's process, and of the first child of a process. */
static int number_after(const char *path, const char *key)
{
	cleanup_free char *text = NULL;
	const char *found;
	size_t size;

	if (fdio_read_file(AT_FDCWD, path, 1 << 16, &text, &size, NULL))
		return -1;
	found = *key ? strstr(text, key) : text;
	return found ? (int)strtol(found + strlen(key), NULL, 0) : -1;
}

static int check_status(int pid, const char *who, struct why *why)
{
	static const struct {
		const char *line;
	} lines[] = { { "CapInh:\t0000000000000000\n" }, { "CapPrm:\t0000000000000000\n" },
		      { "CapEff:\t0000000000000000\n" }, { "CapBnd:\t0000000000000000\n" },
		      { "CapAmb:\t0000000000000000\n" }, { "NoNewPrivs:\t1\n" },
		      { "Seccomp:\t2\n" } };
	cleanup_free char *text = NULL;
	char path[64];
	size_t size;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	err = fdio_read_file(AT_FDCWD, path, 1 << 16, &text, &size, why);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		HOLD(strstr(text, lines[i].line), "%s: %s%s", who, lines[i].line, text);
	return 0;
}

static bool same_namespace(int pid, const char *kind)
{
	char path[64];
	struct stat ours, its;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	if (stat(path, &ours))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	return stat(path, &its) || ours.st_ino == its.st_ino;
}

/* What the jail's processes cannot be asked, seen from the lab. */
static int from_outside(const struct scene *scene, struct why *why)
{
	static const char *const kinds[] = { "user", "mnt", "pid", "net", "ipc", "uts" };
	static const char *const writable[] = { "/netlab/memory", "/netlab/control", "/dev/",
						NULL };
	struct trial *trial = calloc(1, sizeof(*trial));
	int first, program, err = start(trial, scene, "wait", NULL, NULL, why);
	char path[64], line[8];
	struct stat st;

	if (err)
		return err;
	HOLD(fdio_read(trial->out, line, sizeof(line)) == sizeof(line), "does not wait");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", trial->jail.pidfd);
	first = number_after(path, "Pid:\t");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", first, first);
	program = number_after(path, "");
	HOLD(first > 0 && program > 0, "%d %d", first, program);
	err = check_status(first, "first process", why);
	if (!err)
		err = check_status(program, "program", why);
	for (size_t i = 0; !err && i < ARRAY_SIZE(kinds); i++)
		HOLD(!same_namespace(program, kinds[i]), "%s namespace is the lab's", kinds[i]);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", program);
	if (!err)
		err = scene_check_mounts(path, writable, why);
	/* In /proc, what is in the folder of a process that is not dumpable is root's. */
	snprintf(path, sizeof(path), "/proc/%d/status", first);
	HOLD(!stat(path, &st) && st.st_uid != (scene->is_root ? SANDBOX_GUEST_ID : scene->uid),
	     "the copy of the lab's memory can be read");
	jail_close(&trial->jail);
	free(trial);
	return err;
}

static void it_has_its_own_namespaces_and_no_capability(void **state)
{
	(void)state;
	scene_in_lab(from_outside);
}

static void how_the_program_ended_is_told(void **state)
{
	(void)state;
	scene_in_lab(endings);
}

static int killed(const struct scene *scene, struct why *why)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	int status, err = start(trial, scene, "wait", NULL, NULL, why);
	struct pollfd end = { .fd = trial->jail.pidfd, .events = POLLIN };
	char line[8];

	if (err)
		return err;
	HOLD(fdio_read(trial->out, line, sizeof(line)) == sizeof(line), "does not wait");
	HOLD(poll(&end, 1, 0) == 0, "over too early");
	jail_kill(&trial->jail);
	HOLD(poll(&end, 1, 10000) == 1, "not over");
	/* The pipe ends only with the last process that holds it. */
	HOLD(fdio_read(trial->out, line, sizeof(line)) == 0, "the program is left");
	HOLD(jail_reap(&trial->jail, &status) == -ECHILD, "status %d", status);
	HOLD(trial->jail.pidfd < 0 && trial->jail.status_fd < 0, "descriptors");
	jail_close(&trial->jail);
	free(trial);
	return 0;
}

static void killing_it_ends_the_program_too(void **state)
{
	(void)state;
	scene_in_lab(killed);
}

static int refusals(const struct scene *scene, struct why *why)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	struct why local = { "" };
	char path[PATH_MAX + 16];
	int err;

	err = start(trial, scene, "look", NULL, "/nowhere/at/all", &local);
	HOLD(err == -ENOENT && strstr(local.text, "/nowhere/at/all"), "%d %s", err, local.text);
	close(trial->out);
	if (!scene->is_root) /* whose files are the machines' own */
		return 0;
	snprintf(path, sizeof(path), "%s/mine", scene->writable);
	HOLD(!mkdir(path, 0700), "mkdir");
	err = start(trial, scene, "look", NULL, path, &local);
	HOLD(err == -EACCES && strstr(local.text, path) && strstr(local.text, "chmod o+rx"),
	     "%d %s", err, local.text);
	close(trial->out);
	HOLD(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a child is left");
	free(trial);
	return 0;
}

static void what_cannot_be_shown_is_named(void **state)
{
	(void)state;
	scene_in_lab(refusals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_calls_that_a_kernel_does_not_need_fail),
		cmocka_unit_test(the_host_is_read_only_and_its_private_parts_are_empty),
		cmocka_unit_test(the_program_is_nobody_with_nothing_open),
		cmocka_unit_test(it_has_its_own_namespaces_and_no_capability),
		cmocka_unit_test(how_the_program_ended_is_told),
		cmocka_unit_test(killing_it_ends_the_program_too),
		cmocka_unit_test(what_cannot_be_shown_is_named),
	};

	return cmocka_run_group_tests(tests, scene_begin, scene_end);
}
