/* SPDX-License-Identifier: MIT */
/* preload.c - a library in front of libc, for packaged User-Mode Linux kernels
 *
 * Loaded (LD_PRELOAD) into the kernel process of a machine, if that is dynamically
 * linked.  Three things:
 *
 * ptrace.  Kernels before 6.13 keep a guest process's floating-point state in a
 * buffer of fixed size and write it back with PTRACE_SETREGSET NT_X86_XSTATE.  The
 * host takes nothing but its full size, which is larger on processors with AMX: the
 * machine would die at its first process.  Where the host refuses a short state, it
 * is laid over the full one (PTRACE_GETREGSET) and written again.
 *
 * stat.  In a user namespace the host's root is nobody: its files have the overflow
 * id.  The guest's tools expect root's files to be root's, so that id is shown as 0.
 *
 * open.  Its hostfs opens each folder that is looked into, and closes it when it has
 * forgotten it, which an overlay keeps it from: a walk over the host's files would take
 * all descriptors.  It does nothing with them but fsync(), so one number stands for the
 * descriptors of all folders, and nothing is behind it.
 *
 * This code runs on the guest kernel's small stacks, in a process that has its own
 * ideas about malloc: no allocation, no big locals, nothing of libc but system calls.
 */
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum {
	OVERFLOW_ID = 65534,
	STATE_BYTES_MAX = 64 << 10,
	FEATURES_AT = 512,	/* XSTATE_BV: the header lies behind the 512 bytes of FXSAVE */
	FEATURES_IN_FIRST = 3,	/* x87 and SSE lie in these */
	EXTENDED_AT = 576,	/* where the other features' parts begin */
	FOLDER = 0x3fffffff,	/* above all descriptors: closing it is no error of note */
};

/* One thread of a machine's kernel traces; the state of threads that are traced is
 * never needed twice. */
static uint8_t full_state[STATE_BYTES_MAX];

/* Which features have their part within the first size bytes of the state.  Asked
 * with the same size all the time, and cpuid is slow in a virtual machine. */
static uint64_t features_within(size_t size)
{
	static size_t known_size;
	static uint64_t within;

	if (size == known_size)
		return within;
	known_size = size;
	within = FEATURES_IN_FIRST;

	for (unsigned i = 2; i < 63; i++) {
		unsigned bytes, offset, flags, rest;

		__cpuid_count(0xd, i, bytes, offset, flags, rest);
		if (bytes && offset >= EXTENDED_AT && offset + bytes <= size)
			within |= UINT64_C(1) << i;
	}
	return within;
}

/* What the caller has for the features that it knows; for the others, what is
 * there. */
static void overlay(const uint8_t *part, size_t size)
{
	uint64_t theirs, there, within = features_within(size);

	memcpy(&there, full_state + FEATURES_AT, sizeof(there));
	memcpy(&theirs, part + FEATURES_AT, sizeof(theirs));
	memcpy(full_state, part, size);
	theirs = (theirs & within) | (there & ~within);
	memcpy(full_state + FEATURES_AT, &theirs, sizeof(theirs));
}

static long set_state(pid_t pid, void *kind, const struct iovec *part)
{
	static size_t refused_size; /* not asked again */
	struct iovec full = { .iov_base = full_state, .iov_len = sizeof(full_state) };
	long err;

	if (part->iov_len != refused_size) {
		err = syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, part);
		if (!err || (errno != EFAULT && errno != EINVAL) || part->iov_len < EXTENDED_AT)
			return err;
		refused_size = part->iov_len;
	}
	if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, kind, &full))
		return -1;
	if (full.iov_len <= part->iov_len) { /* it was not too short, so it was wrong */
		errno = EINVAL;
		return -1;
	}
	overlay(part->iov_base, part->iov_len);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, &full);
}

EXPORT long ptrace(enum __ptrace_request request, ...)
{
	va_list ap;
	pid_t pid;
	void *addr, *data;
	long result, peeked;

	va_start(ap, request);
	pid = va_arg(ap, pid_t);
	addr = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);

	switch (request) {
	case PTRACE_SETREGSET:
		if ((uintptr_t)addr == NT_X86_XSTATE)
			return set_state(pid, addr, data);
		break;
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
	case PTRACE_PEEKUSER: /* libc returns the word; the system call stores it */
		result = syscall(SYS_ptrace, request, pid, addr, &peeked);
		if (result < 0)
			return result;
		errno = 0;
		return peeked;
	default:
		break;
	}
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static int shown(int err, struct stat *st)
{
	if (err)
		return err;
	if (st->st_uid == OVERFLOW_ID)
		st->st_uid = 0;
	if (st->st_gid == OVERFLOW_ID)
		st->st_gid = 0;
	return 0;
}

static int stat_at(int dir_fd, const char *path, struct stat *st, int flags)
{
	return shown((int)syscall(SYS_newfstatat, dir_fd, path, st, flags), st);
}

/* On x86-64 all forms of struct stat are one.  The declarations of the libc differ
 * from release to release, so these stand under names of our own. */
#define STAT_FORM(symbol, ours, parameters, ...)                                         \
	EXPORT int ours parameters __asm__(#symbol);                                     \
	int ours parameters                                                              \
	{                                                                                \
		return stat_at(__VA_ARGS__);                                             \
	}

#define STAT_FORMS(suffix)                                                               \
	STAT_FORM(stat##suffix, our_stat##suffix, (const char *path, struct stat *st),   \
		  AT_FDCWD, path, st, 0)                                                 \
	STAT_FORM(lstat##suffix, our_lstat##suffix, (const char *path, struct stat *st), \
		  AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW)                               \
	STAT_FORM(fstat##suffix, our_fstat##suffix, (int fd, struct stat *st), fd, "",   \
		  st, AT_EMPTY_PATH)                                                     \
	STAT_FORM(fstatat##suffix, our_fstatat##suffix,                                  \
		  (int fd, const char *path, struct stat *st, int flags), fd, path, st,  \
		  flags)                                                                 \
	STAT_FORM(__xstat##suffix, our_xstat##suffix,                                    \
		  (int version __attribute__((unused)), const char *path,               \
		   struct stat *st),                                                     \
		  AT_FDCWD, path, st, 0)                                                 \
	STAT_FORM(__lxstat##suffix, our_lxstat##suffix,                                  \
		  (int version __attribute__((unused)), const char *path,               \
		   struct stat *st),                                                     \
		  AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW)                               \
	STAT_FORM(__fxstat##suffix, our_fxstat##suffix,                                  \
		  (int version __attribute__((unused)), int fd, struct stat *st), fd,   \
		  "", st, AT_EMPTY_PATH)                                                 \
	STAT_FORM(__fxstatat##suffix, our_fxstatat##suffix,                              \
		  (int version __attribute__((unused)), int fd, const char *path,       \
		   struct stat *st, int flags),                                          \
		  fd, path, st, flags)

STAT_FORMS()
STAT_FORMS(64)

EXPORT int statx(int dir_fd, const char *restrict path, int flags, unsigned int mask,
		 struct statx *restrict stx)
{
	int err = (int)syscall(SYS_statx, dir_fd, path, flags, mask, stx);

	if (err)
		return err;
	if (stx->stx_uid == OVERFLOW_ID)
		stx->stx_uid = 0;
	if (stx->stx_gid == OVERFLOW_ID)
		stx->stx_gid = 0;
	return 0;
}

/* The kernel opens nothing but files through this, and folders for its hostfs. */
EXPORT int open64(const char *path, int flags, ...)
{
	struct stat st;
	va_list ap;
	mode_t mode;
	int fd;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd < 0 || (flags & O_ACCMODE) != O_RDONLY ||
	    syscall(SYS_fstat, fd, &st) || !S_ISDIR(st.st_mode))
		return fd;
	syscall(SYS_close, fd);
	return FOLDER;
}

EXPORT int fsync(int fd)
{
	return fd == FOLDER ? 0 : (int)syscall(SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
	return fd == FOLDER ? 0 : (int)syscall(SYS_fdatasync, fd);
}
