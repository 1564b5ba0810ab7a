/* SPDX-License-Identifier: MIT */
/* Namespaces, control groups, limits, tracing, the watchdog. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/watchdog.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "guest/probe.h"

static const struct {
	const char *name, *file;
	int flag;
} namespaces[] = {
	{ "mnt", "mnt", CLONE_NEWNS },
	{ "uts", "uts", CLONE_NEWUTS },
	{ "ipc", "ipc", CLONE_NEWIPC },
	{ "net", "net", CLONE_NEWNET },
	{ "user", "user", CLONE_NEWUSER },
	{ "cgroup", "cgroup", CLONE_NEWCGROUP },
	{ "pid", "pid_for_children", CLONE_NEWPID },
	{ "time", "time_for_children", 0x80 /* CLONE_NEWTIME */ },
};

/* namespace KIND: enter a new one, and be elsewhere */
static int run_namespace(char **args)
{
	const char *kind = probe_arg(args, 0, "kind of namespace");
	struct stat before, after;
	char path[64];

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		if (strcmp(namespaces[i].name, kind))
			continue;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", namespaces[i].file);
		NEED(!stat(path, &before), "%s", path);
		NEED(!unshare(namespaces[i].flag), "unshare %s", kind);
		NEED(fork() != 0 || !stat(path, &after), "%s", path);
		NEED(!stat(path, &after) && after.st_ino != before.st_ino,
		     "still in the old one");
		return 0;
	}
	NEED(0, "no such kind: %s", kind);
}

/* An ordinary user becomes root of a namespace of its own. */
static int run_user_ns(char **args)
{
	int fd;

	(void)args;
	NEED(!setgid(1234) && !setuid(1234), "become user 1234");
	/* Else /proc/self belongs to root. */
	NEED(!prctl(PR_SET_DUMPABLE, 1), "dumpable");
	NEED(!unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS), "unshare");
	fd = open("/proc/self/uid_map", O_WRONLY);
	NEED(fd >= 0 && write(fd, "0 1234 1", 8) == 8, "uid_map");
	NEED(getuid() == 0, "uid %d", (int)getuid());
	return 0;
}

/* A filter refuses one system call with an error of its own. */
static int run_seccomp(char **args)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	(void)args;
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	NEED(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "load the filter");
	errno = 0;
	NEED(syscall(SYS_getppid) == -1 && errno == EXDEV, "getppid was not refused");
	NEED(getpid() > 0, "getpid");
	return 0;
}

/* A debugger stops a child at its system calls, reads and writes it. */
static int run_ptrace(char **args)
{
	volatile long secret = 1;
	struct user_regs_struct regs;
	int pid = fork(), status, calls = 0;

	(void)args;
	NEED(pid >= 0, "fork");
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		syscall(SYS_getppid);
		_exit(secret == 77 ? 0 : 1);
	}
	NEED(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status),
	     "the child did not stop");
	NEED(!ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD), "SETOPTIONS");
	NEED(!ptrace(PTRACE_POKEDATA, pid, &secret, 77L), "POKEDATA");
	for (;;) {
		NEED(!ptrace(PTRACE_SYSCALL, pid, NULL, NULL), "PTRACE_SYSCALL");
		NEED(waitpid(pid, &status, 0) == pid, "wait");
		if (!WIFSTOPPED(status))
			break;
		NEED(!ptrace(PTRACE_GETREGS, pid, NULL, &regs), "GETREGS");
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && regs.orig_rax == SYS_getppid)
			calls++;
	}
	NEED(calls == 2, "its system call was seen %d times, not on entry and exit",
	     calls);
	NEED(WIFEXITED(status) && !WEXITSTATUS(status), "its memory was not changed");
	return 0;
}

/* Memory of another process, and a handle on one. */
static int run_processes(char **args)
{
	static char theirs[16] = "not yet";
	char mine[16] = "";
	struct iovec local = { mine, sizeof(mine) }, remote = { theirs, sizeof(theirs) };
	int ready[2], pid, handle;
	char byte;

	(void)args;
	NEED(!pipe(ready), "pipe");
	pid = fork();
	if (!pid) {
		snprintf(theirs, sizeof(theirs), "in the child");
		NEED(write(ready[1], "x", 1) == 1, "write");
		for (;;)
			pause();
	}
	NEED(read(ready[0], &byte, 1) == 1, "read");
	NEED(process_vm_readv(pid, &local, 1, &remote, 1, 0) == sizeof(mine) &&
		     !strcmp(mine, "in the child"),
	     "process_vm_readv: '%s'", mine);
	handle = (int)syscall(SYS_pidfd_open, pid, 0);
	NEED(handle >= 0 && !probe_wait(handle, 0), "pidfd_open");
	NEED(!syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0),
	     "pidfd_send_signal");
	NEED(probe_wait(handle, 5000), "the pidfd does not tell that it ended");
	NEED(waitpid(pid, NULL, 0) == pid, "wait");
	return 0;
}

/* What a JVM and Go runtime ask for. */
static int run_memory(char **args)
{
	enum { CMD_REGISTER = 1 << 4, CMD_EXPEDITED = 1 << 3 };
	int fd = memfd_create("probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *map;

	(void)args;
	NEED(fd >= 0 && !ftruncate(fd, 8192), "memfd");
	NEED(!fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) && ftruncate(fd, 0) && errno == EPERM,
	     "seal");
	NEED(!syscall(SYS_membarrier, CMD_REGISTER, 0, 0) &&
		     !syscall(SYS_membarrier, CMD_EXPEDITED, 0, 0),
	     "membarrier");
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(map != MAP_FAILED, "map");
	map[4096] = 1;
	NEED(!madvise(map, 8192, MADV_DONTNEED) && map[4096] == 1, "madvise");
	NEED(!mlock(map, 4096), "mlock");
	return 0;
}

static int run_file_locks(char **args)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int one = open("/tmp/lock-probe", O_CREAT | O_RDWR, 0600);
	int two = open("/tmp/lock-probe", O_RDWR);

	(void)args;
	NEED(one >= 0 && two >= 0, "open");
	NEED(!fcntl(one, F_OFD_SETLK, &lock), "lock");
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	NEED(fcntl(two, F_OFD_SETLK, &lock) && errno == EAGAIN, "locked twice");
	return unlink("/tmp/lock-probe");
}

/* Open, set, feed, and close in the way that stops it. */
static int run_watchdog(char **args)
{
	int fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC), seconds = 30;
	struct watchdog_info info = { 0 };

	(void)args;
	NEED(fd >= 0, "open /dev/watchdog");
	NEED(!ioctl(fd, WDIOC_GETSUPPORT, &info), "GETSUPPORT");
	NEED(info.options & WDIOF_MAGICCLOSE, "%s cannot be stopped",
	     (char *)info.identity);
	NEED(!ioctl(fd, WDIOC_SETTIMEOUT, &seconds) && seconds == 30, "SETTIMEOUT: %d",
	     seconds);
	NEED(!ioctl(fd, WDIOC_KEEPALIVE, 0), "KEEPALIVE");
	NEED(write(fd, "V", 1) == 1 && !close(fd), "stop it");
	return 0;
}

/* watchdog_bite SECONDS: open it, set it, and never feed it */
static int run_watchdog_bite(char **args)
{
	int seconds = (int)probe_number(args, 0, "seconds");
	int fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);

	NEED(fd >= 0, "open /dev/watchdog");
	NEED(!ioctl(fd, WDIOC_SETTIMEOUT, &seconds), "SETTIMEOUT");
	NEED(write(1, "armed\n", 6) == 6, "write");
	probe_wait(-1, (seconds + 20) * 1000);
	NEED(0, "it did not bite");
}

/* fail_nth: the n-th chance to fail of a system call is taken, for each n in turn,
 * until the call had fewer; some must have failed, and the kernel must still stand. */
static int run_fail_nth(char **args)
{
	int nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC), failures = 0;
	bool taken = true;
	char text[16];

	(void)args;
	NEED(nth >= 0, "open fail-nth");
	for (int n = 1; taken; n++) {
		int length = snprintf(text, sizeof(text), "%d", n), ends[2], result;

		NEED(n < 1000, "it never ends");
		NEED(pwrite(nth, text, (size_t)length, 0) == length, "arm");
		result = pipe(ends);
		if (result)
			failures++;
		else
			close(ends[0]), close(ends[1]);
		/* Looking is a call that can fail, too: then the other did not. */
		taken = pread(nth, text, sizeof(text), 0) > 0 && text[0] == '0';
		NEED(pwrite(nth, "0", 1, 0) == 1, "disarm");
	}
	NEED(failures > 0, "no call failed");
	NEED(!pipe((int[2]){ 0 }), "it still fails");
	return 0;
}

/* xattr FILE: an attribute that a program sets is there */
static int run_xattr(char **args)
{
	const char *path = probe_arg(args, 0, "file");
	char value[8] = "";

	NEED(!setxattr(path, "trusted.probe", "yes", 4, 0), "set");
	NEED(getxattr(path, "trusted.probe", value, sizeof(value)) == 4 &&
		     !strcmp(value, "yes"),
	     "get: '%.8s'", value);
	return 0;
}

/* As a machine's first process: the end of the boot is the end of the machine. */
static int run_off(char **args)
{
	(void)args;
	return reboot(RB_POWER_OFF);
}

/* Fill the memory of our control group: somebody has to end us. */
static int run_eat_memory(char **args)
{
	size_t bytes = (size_t)probe_number(args, 0, "megabytes") << 20;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(memory != MAP_FAILED, "map");
	for (size_t i = 0; i < bytes; i += 4096)
		memory[i] = 1;
	return 0;
}

const struct probe probe_sys[] = {
	{ "namespace", run_namespace },
	{ "user_ns", run_user_ns },
	{ "seccomp", run_seccomp },
	{ "ptrace", run_ptrace },
	{ "processes", run_processes },
	{ "memory", run_memory },
	{ "file_locks", run_file_locks },
	{ "fail_nth", run_fail_nth },
	{ "xattr", run_xattr },
	{ "watchdog", run_watchdog },
	{ "watchdog_bite", run_watchdog_bite },
	{ "off", run_off },
	{ "eat_memory", run_eat_memory },
	{ NULL, NULL },
};
