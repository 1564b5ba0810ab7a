/* SPDX-License-Identifier: MIT */
#include "node/syscall_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static const int allowed[] = {
	/* files: hostfs, images, the memory file, the control folder */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev),
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(close_range),
	SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(lseek), SCMP_SYS(getdents), SCMP_SYS(getdents64),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(fchmod), SCMP_SYS(chmod), SCMP_SYS(umask), SCMP_SYS(getcwd),
	SCMP_SYS(chdir), SCMP_SYS(fcntl), SCMP_SYS(flock), SCMP_SYS(fadvise64),
	SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(eventfd), SCMP_SYS(eventfd2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(memfd_create),

	/* sockets: vhost-user and mconsole; socket() and socketpair() are below */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept),
	SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(shutdown),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),

	/* memory, the stub's part included */
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(msync),
	SCMP_SYS(arch_prctl), SCMP_SYS(modify_ldt), SCMP_SYS(set_thread_area),
	SCMP_SYS(get_thread_area),

	/* processes: the stubs, and how they are traced */
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(wait4), SCMP_SYS(waitid),
	SCMP_SYS(ptrace), SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(tgkill),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getpgrp),
	SCMP_SYS(getpgid), SCMP_SYS(getsid), SCMP_SYS(setsid), SCMP_SYS(setpgid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getgroups),
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit), SCMP_SYS(setrlimit),
	SCMP_SYS(prlimit64), SCMP_SYS(getrusage), SCMP_SYS(personality),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity),
	SCMP_SYS(getcpu), SCMP_SYS(futex), SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address), SCMP_SYS(rseq), SCMP_SYS(getrandom),
	SCMP_SYS(seccomp),

	/* signals and time */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigpending), SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(sigaltstack), SCMP_SYS(signalfd4),
	SCMP_SYS(pause), SCMP_SYS(restart_syscall),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(getitimer), SCMP_SYS(setitimer), SCMP_SYS(alarm),
	SCMP_SYS(timer_create), SCMP_SYS(timer_settime), SCMP_SYS(timer_gettime),
	SCMP_SYS(timer_getoverrun), SCMP_SYS(timer_delete),
};

/* Terminals; FIO* and the size of a block device.  No TIOCSTI, no TIOCLINUX. */
static const unsigned long ioctls[] = {
	TCGETS, TCSETS, TCSETSW, TCSETSF, TCFLSH, TIOCGWINSZ, TIOCSWINSZ, TIOCGPTN,
	TIOCSPTLCK, TIOCGPTPEER, TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP, TIOCGSID,
	FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIONCLEX,
	0x1260 /* BLKGETSIZE */, 0x80081272 /* BLKGETSIZE64 */,
};

static const int prctls[] = {
	PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_SET_NO_NEW_PRIVS,
	PR_GET_NO_NEW_PRIVS, PR_SET_TSC, PR_GET_TSC, PR_SET_TIMERSLACK, PR_GET_TIMERSLACK,
	PR_GET_DUMPABLE, PR_SET_SECCOMP, PR_GET_SECCOMP, PR_SET_VMA,
};

static const int not_there[] = { SCMP_SYS(clone3), SCMP_SYS(openat2), SCMP_SYS(membarrier) };

/* The low 32 bits of an argument: what the kernel looks at, whatever is above. */
static int allow_if(scmp_filter_ctx ctx, int call, unsigned arg, uint64_t value)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, 0xffffffff, value));
}

static int add_rules(scmp_filter_ctx ctx)
{
	static const uint64_t spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
				       CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
				       CLONE_NEWCGROUP;
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(allowed); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !err && i < ARRAY_SIZE(ioctls); i++)
		err = allow_if(ctx, SCMP_SYS(ioctl), 1, ioctls[i]);
	for (size_t i = 0; !err && i < ARRAY_SIZE(prctls); i++)
		err = allow_if(ctx, SCMP_SYS(prctl), 0, (unsigned)prctls[i]);
	for (size_t i = 0; !err && i < ARRAY_SIZE(not_there); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), not_there[i], 0);
	if (!err)
		err = allow_if(ctx, SCMP_SYS(socket), 0, AF_UNIX);
	if (!err)
		err = allow_if(ctx, SCMP_SYS(socketpair), 0, AF_UNIX);
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				       SCMP_CMP(0, SCMP_CMP_MASKED_EQ, spaces, 0));
	return err;
}

int syscall_filter_enter(struct why *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!ctx)
		return why_set(why, -ENOMEM, "seccomp: out of memory");
	/* Calls of another architecture: a stub's own filter has to win over ours. */
	err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (!err)
		err = add_rules(ctx);
	/* A tree instead of a list: a call costs the same wherever it stands. */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	if (err)
		return why_errno(why, err, "seccomp: the filter for machines' kernels");
	return 0;
}
