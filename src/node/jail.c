/* SPDX-License-Identifier: MIT */
#include "node/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/kernel.h"
#include "node/caps.h"
#include "node/syscall_filter.h"
#include "node/jail_root.h"
#include "node/report.h"
#include "node/userns.h"

enum {
	/* A program's stack in the kernel alone takes this much; there are at most as many
	 * as Linux numbers by default. */
	MEMORY_BYTES_PER_PROCESS = 16 << 10,
	PROCESSES_MIN = 512,
	PROCESSES_MAX = 32768,
	/* All of a machine's memory is shared with its programs; the kernel process's own
	 * are its variables and the C library's. */
	PRIVATE_BYTES_MAX = 64 << 20,
};

/* Become the guests' user, in a user namespace that knows nobody else, and this one not
 * by its number: a machine shall not see whose lab it is. */
static int enter_userns(const struct jail_spec *spec, int proc_fd, struct why *why)
{
	uid_t uid = spec->uid;
	gid_t gid = spec->gid;

	if (uid != geteuid() && setgroups(0, NULL))
		return why_errno(why, -errno, "give up root's groups");
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return why_errno(why, -errno, "become user %u", uid);
	if (unshare(CLONE_NEWUSER))
		return userns_explain(-errno, "create a machine's user namespace", why);
	/* The change of user has made /proc/self root's. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return why_errno(why, -errno, "become dumpable");
	cleanup_close int self =
		openat(proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (self < 0)
		return why_errno(why, -errno, "open /proc/self");
	return userns_map_nobody(self, uid, gid, why);
}

/* The guests' user may not be able to read what the lab's could bind. */
static int check_readable(const struct jail_spec *spec, struct why *why)
{
	for (size_t i = 0; i < spec->bind_count; i++) {
		char path[256];
		struct stat st;

		if (!spec->binds[i].source)
			continue;
		snprintf(path, sizeof(path), JAIL_DIR "/%s", spec->binds[i].name);
		if (!stat(path, &st) &&
		    !access(path, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK))
			continue;
		return why_set(why, -EACCES,
			       "%s cannot be read by user %u, as whom machines run: "
			       "allow it with chmod o+r%s, or start the lab as its owner",
			       spec->binds[i].source, spec->uid,
			       S_ISDIR(st.st_mode) ? "x" : "");
	}
	return 0;
}

/* Each program in a machine has a process of the host's and takes more than this of the
 * machine's memory, so a kernel that keeps to its memory never gets there. */
static uint64_t processes_max(uint64_t memory_bytes)
{
	uint64_t count = memory_bytes / MEMORY_BYTES_PER_PROCESS;

	count = count < PROCESSES_MIN ? PROCESSES_MIN : count;
	return count < PROCESSES_MAX ? count : PROCESSES_MAX;
}

/* Before, all processes of the user were counted, in whatever namespace. */
static bool processes_count_by_namespace(void)
{
	struct utsname host;

	return !uname(&host) && kernel_at_least(host.release, 5, 14);
}

static int limit(int what, uint64_t most, const char *words, struct why *why)
{
	struct rlimit both = { most, most }, now;

	/* Whoever started the lab may have less. */
	if (!getrlimit(what, &now) && now.rlim_max < most)
		both.rlim_cur = both.rlim_max = now.rlim_max;
	return setrlimit(what, &both) ? why_errno(why, -errno, "limit %s", words) : 0;
}

/* What a hostile kernel can take of the host beyond its memory file is bounded as far as
 * a process can be (docs/kernel.md). */
static int set_limits(const struct jail_spec *spec, struct why *why)
{
	struct rlimit files;
	int err = limit(RLIMIT_CORE, 0, "core dumps", why);

	if (!err && processes_count_by_namespace())
		err = limit(RLIMIT_NPROC, processes_max(spec->memory_bytes), "processes",
			    why);
	if (err)
		return err;
	/* One descriptor for each file that is open in the guest. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

/* The kernel process.  No return. */
_Noreturn static void become_program(const struct jail_spec *spec, int report)
{
	sigset_t none;
	struct why why;
	int err = 0;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; !err && fd < 3; fd++)
		if (dup2(spec->stdio_fd, fd) < 0)
			err = why_errno(&why, -errno, "give the machine its console");
	/* Two runs of a seed shall not differ by where things lie in memory. */
	if (!err && personality(ADDR_NO_RANDOMIZE) < 0)
		err = why_errno(&why, -errno, "switch off address randomisation");
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* the default makes timers 50 us late */
	/* Not before: this copy of a large lab's memory may have more already, and nothing
	 * that it still does (libseccomp's filter) could take a byte. */
	if (!err)
		err = limit(RLIMIT_DATA, PRIVATE_BYTES_MAX, "memory of its own", &why);
	if (!err) {
		execve(spec->exec, spec->argv, spec->envp);
		err = why_errno(&why, -errno, "execute %s", spec->exec);
	}
	report_fail(report, err, &why);
}

static pid_t asked_program;

static void hand_on(int signal_no)
{
	kill(asked_program, signal_no);
}

/* Reap until the program ends, and tell how. */
_Noreturn static void be_init(pid_t program, int status_fd)
{
	struct sigaction ask = { .sa_handler = hand_on };
	int status;
	pid_t pid;

	asked_program = program;
	sigaction(SIGUSR2, &ask, NULL);
	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid == program && (WIFEXITED(status) || WIFSIGNALED(status)))
			break;
		if (pid < 0 && errno != EINTR)
			_exit(126);
	}
	fdio_write(status_fd, &status, sizeof(status));
	_exit(0);
}

/* Everything but these; 0, 1 and 2 become the machine's console. */
static int close_others(int keep_a, int keep_b, int keep_c, struct why *why)
{
	int keep[] = { keep_a, keep_b, keep_c };
	unsigned from = 0;

	for (int i = 0; i < 3; i++) /* in order */
		for (int j = i + 1; j < 3; j++)
			if (keep[j] < keep[i]) {
				int t = keep[i];

				keep[i] = keep[j];
				keep[j] = t;
			}
	for (int i = 0; i < 3; i++) {
		if ((unsigned)keep[i] > from &&
		    close_range(from, (unsigned)keep[i] - 1, 0))
			return why_errno(why, -errno, "close descriptors");
		from = (unsigned)keep[i] + 1;
	}
	return close_range(from, ~0U, 0) ? why_errno(why, -errno, "close descriptors")
					 : 0;
}

/* A host that does not let us choose is slower, and that is all. */
static void stay_on_cpu(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static const char namespaces[] = "create a machine's namespaces";

static int confine(const struct jail_spec *spec, struct why *why)
{
	int proc = -1;
	int err = 0;

	for (int signal_no = 1; signal_no < NSIG; signal_no++)
		signal(signal_no, SIG_DFL); /* the handlers are the lab's */
	if (spec->cpu >= 0)
		stay_on_cpu(spec->cpu);
	umask(0);                           /* modes below are meant as they stand */
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS))
		return userns_explain(-errno, namespaces, why);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err = why_errno(why, -errno, "make mounts private");
	if (!err && sethostname(spec->hostname, strlen(spec->hostname)))
		err = why_errno(why, -errno, "set the host name");
	if (!err)
		err = jail_root_enter(spec, &proc, why);
	umask(022);
	if (!err)
		err = enter_userns(spec, proc, why);
	if (proc >= 0)
		close(proc);
	if (!err)
		err = check_readable(spec, why);
	if (!err)
		err = set_limits(spec, why);
	if (!err)
		err = caps_keep(0, why);
	/* Nothing in the jail can look into this copy of the lab's memory. */
	if (!err && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		err = why_errno(why, -errno, "become undumpable");
	return err;
}

/* The jail's first process. */
_Noreturn static void jail_main(const struct jail_spec *spec, int report, int status_fd)
{
	struct jail_spec own = *spec;
	struct why why;
	pid_t program;
	int err;

	/* Out of the way of 0, 1 and 2, should the lab have had those closed. */
	report = fcntl(report, F_DUPFD_CLOEXEC, 3);
	status_fd = fcntl(status_fd, F_DUPFD_CLOEXEC, 3);
	own.stdio_fd = fcntl(spec->stdio_fd, F_DUPFD_CLOEXEC, 3);
	if (report < 0 || status_fd < 0 || own.stdio_fd < 0)
		_exit(126);
	err = confine(spec, &why);
	if (!err)
		err = close_others(own.stdio_fd, report, status_fd, &why);
	if (!err)
		err = syscall_filter_enter(&why);
	if (err)
		report_fail(report, err, &why);
	program = fork();
	if (program < 0)
		report_fail(report, why_errno(&why, -errno, "fork"), &why);
	if (program == 0)
		become_program(&own, report);
	close(own.stdio_fd);
	close(report);
	be_init(program, status_fd);
}

static int open_ends(int report[2], int status[2], struct why *why)
{
	int err = report_open(report, why);

	if (!err && pipe2(status, O_CLOEXEC))
		err = why_errno(why, -errno, "pipe");
	return err;
}

int jail_start(struct jail *out, const struct jail_spec *spec, struct why *why)
{
	int report[2], status[2];
	int fd = -1;
	long pid;
	int err = open_ends(report, status, why);

	if (err)
		return err;
	/* The other namespaces are the child's to make: a network's takes milliseconds. */
	pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0L);
	if (pid == 0) {
		close(report[0]);
		close(status[0]);
		jail_main(spec, report[1], status[1]);
	}
	err = pid < 0 ? userns_explain(-errno, namespaces, why) : 0;
	close(report[1]);
	close(status[1]);
	*out = (struct jail){ fd, status[0], report[0] };
	if (!err)
		err = fdio_nonblock(report[0], true);
	if (err)
		jail_close(out);
	return err;
}

int jail_started(struct jail *jail, struct why *why)
{
	return jail->report_fd < 0 ? 0 : report_look(jail->report_fd, why);
}

void jail_report_close(struct jail *jail)
{
	if (jail->report_fd >= 0)
		close(steal_fd(&jail->report_fd));
}

int jail_await_start(struct jail *jail, struct why *why)
{
	struct pollfd report = { .fd = jail->report_fd, .events = POLLIN };
	int err;

	while ((err = jail_started(jail, why)) == -EAGAIN)
		poll(&report, 1, -1);
	jail_report_close(jail);
	if (err)
		jail_close(jail);
	return err;
}

void jail_kill(const struct jail *jail)
{
	syscall(SYS_pidfd_send_signal, jail->pidfd, SIGKILL, NULL, 0);
}

void jail_ask(const struct jail *jail)
{
	syscall(SYS_pidfd_send_signal, jail->pidfd, SIGUSR2, NULL, 0);
}

int jail_reap(struct jail *jail, int *status)
{
	siginfo_t info;
	int err;

	do {
		err = waitid(P_PIDFD, (id_t)jail->pidfd, &info, WEXITED) ? -errno : 0;
	} while (err == -EINTR);
	close(steal_fd(&jail->pidfd));
	if (!err && fdio_read(jail->status_fd, status, sizeof(*status)) !=
			    (ssize_t)sizeof(*status))
		err = -ECHILD;
	close(steal_fd(&jail->status_fd));
	return err;
}

void jail_close(struct jail *jail)
{
	int status;

	if (jail->pidfd >= 0) {
		jail_kill(jail);
		jail_reap(jail, &status);
	}
	if (jail->status_fd >= 0)
		close(steal_fd(&jail->status_fd));
	if (jail->report_fd >= 0)
		close(steal_fd(&jail->report_fd));
}
