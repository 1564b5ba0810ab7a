/* SPDX-License-Identifier: MIT */
/* sandbox_probe.c - run inside a jail, it tries everything and prints what came of it
 *
 * A line "NAME VALUE" each; an attempt's value is 0 or the errno.  Static and without
 * sanitizers: the filter in the jail is for kernels, not for them.
 *
 *	sandbox_probe look | exit N | signal N | wait
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS_MAX = 2000 };

#define TRY(name, call) printf("%s %d\n", name, (call) < 0 ? errno : 0)

static void look_at_files(void)
{
	static const char *const folders[] = { "/home", "/root", "/tmp", "/var/tmp", "/run",
					       "/mnt",	"/media", "/sys", "/proc", "/dev" };
	struct statvfs fs;
	char cwd[256];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		DIR *dir = opendir(folders[i]);
		struct dirent *entry;
		int count = 0;

		while (dir && (entry = readdir(dir)))
			if (entry->d_name[0] != '.')
				count++;
		printf("entries:%s %d\n", folders[i], dir ? count : -errno);
	}
	TRY("write:/etc/passwd", open("/etc/passwd", O_WRONLY));
	TRY("create:/", open("/made", O_CREAT | O_WRONLY, 0600));
	TRY("create:/etc", open("/etc/made", O_CREAT | O_WRONLY, 0600));
	TRY("create:/tmp", open("/tmp/made", O_CREAT | O_WRONLY, 0600));
	TRY("create:/dev", open("/dev/made", O_CREAT | O_WRONLY, 0600));
	TRY("create:/netlab", open("/netlab/made", O_CREAT | O_WRONLY, 0600));
	TRY("create:lab", open("/netlab/lab/made", O_CREAT | O_WRONLY, 0600));
	TRY("create:work", open("made", O_CREAT | O_WRONLY, 0600));
	TRY("create:memory", open("/netlab/memory/made", O_CREAT | O_WRONLY, 0600));
	TRY("read:lab", open("/netlab/lab/file", O_RDONLY));
	TRY("read:/proc/self/status", open("/proc/self/status", O_RDONLY));
	TRY("read:/proc/cpuinfo", open("/proc/cpuinfo", O_RDONLY));
	TRY("read:/dev/urandom", open("/dev/urandom", O_RDONLY));
	TRY("write:/dev/null", open("/dev/null", O_WRONLY));
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	statvfs("/usr", &fs);
	printf("usr-flags %d\n", (fs.f_flag & ST_RDONLY ? 1 : 0) + (fs.f_flag & ST_NOSUID ? 2 : 0) +
					 (fs.f_flag & ST_NODEV ? 4 : 0));
}

static void look_at_self(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];
	struct rlimit core;
	int fds = 0;

	printf("pid %d\nppid %d\nuid %d\ngid %d\n", (int)getpid(), (int)getppid(), (int)getuid(),
	       (int)getgid());
	printf("nnp %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("seccomp %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	printf("capget %d\n", syscall(SYS_capget, &head, caps) ? errno : 0);
	for (int fd = 0; fd < 1024; fd++)
		fds += fcntl(fd, F_GETFD) >= 0;
	printf("fds %d\n", fds);
	getrlimit(RLIMIT_CORE, &core);
	printf("core %d\n", (int)core.rlim_max);
	printf("aslr-off %d\n", !!(personality(0xffffffff) & ADDR_NO_RANDOMIZE));
}

static void try_calls(void)
{
	union bpf_attr attr = { 0 };
	char set[1024];
	int pair[2];

	TRY("mount", mount("t", "/tmp", "tmpfs", 0, NULL));
	TRY("umount", umount2("/usr", MNT_DETACH));
	TRY("pivot_root", syscall(SYS_pivot_root, ".", "."));
	TRY("chroot", chroot("/usr"));
	TRY("unshare", unshare(CLONE_NEWUSER));
	TRY("clone-newuser", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
	TRY("clone3", syscall(SYS_clone3, set, 0));
	TRY("setns", setns(0, 0));
	TRY("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
	TRY("perf_event_open", syscall(SYS_perf_event_open, set, 0, -1, -1, 0));
	TRY("io_uring_setup", syscall(SYS_io_uring_setup, 1, set));
	TRY("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	TRY("userfaultfd", syscall(SYS_userfaultfd, 1));
	TRY("init_module", syscall(SYS_init_module, set, 1, ""));
	TRY("open_by_handle_at", syscall(SYS_open_by_handle_at, 0, set, 0));
	TRY("process_vm_readv", syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
	TRY("swapon", syscall(SYS_swapon, "/x", 0));
	TRY("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	TRY("setuid", syscall(SYS_setuid, 0));
	TRY("socket-inet", socket(AF_INET, SOCK_DGRAM, 0));
	TRY("socket-inet6", socket(AF_INET6, SOCK_STREAM, 0));
	TRY("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
	TRY("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
	TRY("socket-vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	TRY("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TRY("tiocsti", ioctl(0, TIOCSTI, "x"));
	TRY("ptrace-init", ptrace(PTRACE_ATTACH, 1, 0, 0));
	TRY("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	TRY("fork", fork() ? 0 : (_exit(0), 0));
}

/* As many processes as there may be; what the last attempt said, and how many. */
static void try_forks(void)
{
	static pid_t children[FORKS_MAX];
	int count = 0, err = 0;

	while (count < FORKS_MAX && !err) {
		children[count] = fork();
		if (!children[count])
			for (;;)
				pause();
		err = children[count] < 0 ? errno : 0;
		count += !err;
	}
	printf("forks %d\nforks-end %d\n", count, err);
	while (count--) {
		kill(children[count], SIGKILL);
		waitpid(children[count], NULL, 0);
	}
}

static void try_bounds(void)
{
	const int how = MAP_PRIVATE | MAP_ANONYMOUS;

	TRY("private:32M", (intptr_t)mmap(NULL, 32 << 20, PROT_WRITE, how, -1, 0));
	TRY("private:96M", (intptr_t)mmap(NULL, 96 << 20, PROT_WRITE, how, -1, 0));
	try_forks();
}

int main(int argc, char **argv)
{
	int number = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "exit"))
		return number;
	if (!strcmp(argv[1], "signal"))
		raise(number);
	if (!strcmp(argv[1], "wait")) {
		puts("waiting");
		for (;;)
			pause();
	}
	look_at_self();
	look_at_files();
	try_calls();
	try_bounds();
	return 0;
}
