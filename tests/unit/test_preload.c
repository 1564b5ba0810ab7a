/* SPDX-License-Identifier: MIT */
/* node/preload.c, for real: a traced child, its floating-point registers, files. */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef long ptrace_fn(int request, ...);
typedef int stat_fn(const char *path, struct stat *st);
typedef int fstat_fn(int fd, struct stat *st);
typedef int xstat_fn(int version, const char *path, struct stat *st);

static void *library;
static _Alignas(64) uint8_t state_bytes[64 << 10];

static void *symbol(const char *name)
{
	void *found = dlsym(library, name);

	assert_non_null(found);
	return found;
}

static int open_library(void **state)
{
	(void)state;
	library = dlopen(PRELOAD_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		fprintf(stderr, "%s\n", dlerror());
	return library ? 0 : -1;
}

/* A child that waits to be told to go on, and then ends with 0 if the lowest byte
 * of xmm0 is `expected`. */
static pid_t traced_child(uint8_t expected)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		uint8_t low[16] = { 1 }, after[16];

		syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		__asm__ volatile("movdqu %1, %%xmm0\n\t"
				 "mov %2, %%eax\n\t" /* getpid */
				 "syscall\n\t"
				 "mov %%eax, %%edi\n\t"
				 "mov %4, %%esi\n\t"
				 "mov %3, %%eax\n\t" /* kill(self, SIGSTOP) */
				 "syscall\n\t"
				 "movdqu %%xmm0, %0"
				 : "=m"(after)
				 : "m"(low), "i"(SYS_getpid), "i"(SYS_kill), "i"(SIGSTOP)
				 : "rax", "rdi", "rsi", "rcx", "r11", "xmm0", "memory");
		_exit(after[0] == expected ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static int finish(pid_t pid)
{
	int status;

	assert_int_equal(syscall(SYS_ptrace, PTRACE_CONT, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static struct iovec get_state(pid_t pid)
{
	struct iovec io = { state_bytes, sizeof(state_bytes) };

	assert_int_equal(syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &io), 0);
	return io;
}

/* Long enough for the header and AVX, shorter than what the host wants. */
static size_t short_of(size_t full)
{
	return full > 832 ? 832 : 576;
}

static void a_short_state_is_refused_by_the_host_and_completed_by_us(void **state)
{
	ptrace_fn *ours = (ptrace_fn *)symbol("ptrace");
	pid_t pid = traced_child(42);
	struct iovec io = get_state(pid);

	(void)state;
	if (io.iov_len <= 576) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		print_message("this processor has no state beyond SSE to cut off\n");
		skip();
	}
	io.iov_len = short_of(io.iov_len);
	state_bytes[160] = 42; /* xmm0 in the FXSAVE image */
	assert_int_equal(syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &io), -1);
	assert_int_equal(ours(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &io), 0);
	assert_int_equal(finish(pid), 0);
}

static void the_part_that_was_not_given_stays_as_it_is(void **state)
{
	ptrace_fn *ours = (ptrace_fn *)symbol("ptrace");
	pid_t pid = traced_child(1);
	struct iovec io = get_state(pid);
	size_t full = io.iov_len, cut = short_of(full);
	uint8_t *before = malloc(full);
	uint64_t features;

	(void)state;
	if (full <= 576)
		skip();
	/* Make the rest differ from a fresh process's: everything it has, in use. */
	memcpy(&features, state_bytes + 512, 8);
	memcpy(before, state_bytes, full);
	io.iov_len = cut;
	/* What the caller says of features whose parts it does not have is not to
	 * count: a header that claims none of them. */
	memset(state_bytes + 512, 0, 8);
	state_bytes[512] = 3;
	assert_int_equal(ours(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &io), 0);
	io = get_state(pid);
	assert_int_equal(io.iov_len, full);
	assert_memory_equal(state_bytes + cut, before + cut, full - cut);
	/* Bit 2 is AVX: within 832 bytes.  Bits above it are not. */
	if (cut == 832) {
		uint64_t now;

		memcpy(&now, state_bytes + 512, 8);
		assert_true((now & ~UINT64_C(7)) == (features & ~UINT64_C(7)));
	}
	free(before);
	assert_int_equal(finish(pid), 0);
}

static void a_full_state_passes_untouched(void **state)
{
	ptrace_fn *ours = (ptrace_fn *)symbol("ptrace");
	pid_t pid = traced_child(7);
	struct iovec io = get_state(pid);

	(void)state;
	state_bytes[160] = 7;
	assert_int_equal(ours(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &io), 0);
	assert_int_equal(finish(pid), 0);
}

static void nonsense_is_still_refused(void **state)
{
	ptrace_fn *ours = (ptrace_fn *)symbol("ptrace");
	pid_t pid = traced_child(1);
	struct iovec io = get_state(pid);

	(void)state;
	io.iov_len = 8;
	assert_int_equal(ours(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &io), -1);
	io.iov_len = short_of(4096);
	assert_int_equal(ours(PTRACE_SETREGSET, getpid(), NT_X86_XSTATE, &io), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(finish(pid), 0);
}

static void peeking_gives_the_word_as_libc_does(void **state)
{
	static const long word = -2;
	ptrace_fn *ours = (ptrace_fn *)symbol("ptrace");
	pid_t pid = traced_child(1);

	(void)state;
	assert_int_equal(ours(PTRACE_PEEKDATA, pid, &word, 0), -2);
	assert_int_equal(errno, 0);
	errno = 0;
	assert_int_equal(ours(PTRACE_PEEKDATA, pid, NULL, 0), -1);
	assert_int_not_equal(errno, 0);
	assert_int_equal(finish(pid), 0);
}

/* As root a file can really be nobody's. */
static void the_overflow_id_is_shown_as_root(void **state)
{
	char path[] = "/tmp/netlab-preload-XXXXXX";
	int fd = mkstemp(path);
	uid_t owner = getuid() ? getuid() : 65534;
	uid_t shown = owner == 65534 ? 0 : owner;
	struct statx stx;
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	if (getuid() == 0)
		assert_int_equal(fchown(fd, 65534, 65534), 0);
	assert_int_equal(((stat_fn *)symbol("stat64"))(path, &st), 0);
	assert_int_equal(st.st_uid, shown);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(((stat_fn *)symbol("lstat64"))(path, &st), 0);
	assert_int_equal(st.st_uid, shown);
	assert_int_equal(((fstat_fn *)symbol("fstat64"))(fd, &st), 0);
	assert_int_equal(st.st_uid, shown);
	if (owner == 65534)
		assert_int_equal(st.st_gid, 0);
	assert_int_equal(((xstat_fn *)symbol("__xstat64"))(1, path, &st), 0);
	assert_int_equal(st.st_uid, shown);
	assert_int_equal(((int (*)(int, const char *, int, unsigned, struct statx *))symbol(
				 "statx"))(AT_FDCWD, path, 0, STATX_UID, &stx),
			 0);
	assert_int_equal(stx.stx_uid, shown);
	assert_int_equal(stat(path, &st), 0); /* ours are not in this program's way */
	assert_int_equal(st.st_uid, owner);
	unlink(path);
	assert_int_equal(((stat_fn *)symbol("stat64"))(path, &st), -1);
	assert_int_equal(errno, ENOENT);
	close(fd);
}

static void a_link_is_followed_by_stat_alone(void **state)
{
	char path[64];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/netlab-preload-link-%d", (int)getpid());
	assert_int_equal(symlink("/", path), 0);
	assert_int_equal(((stat_fn *)symbol("stat64"))(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(((stat_fn *)symbol("lstat64"))(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink(path);
}

typedef int open_fn(const char *path, int flags, ...);
typedef int fd_fn(int fd);

/* A walk over the host's files would take them all otherwise. */
static void a_folder_takes_no_descriptor(void **state)
{
	open_fn *ours = (open_fn *)symbol("open64");
	int lowest = dup(0), folder, again;

	(void)state;
	assert_true(lowest >= 0);
	close(lowest);
	folder = ours("/usr", O_RDONLY);
	again = ours("/usr/bin", O_RDONLY);
	assert_true(folder > lowest);
	assert_int_equal(folder, again);
	assert_int_equal(fcntl(folder, F_GETFD), -1);
	assert_int_equal(((fd_fn *)symbol("fsync"))(folder), 0);
	assert_int_equal(((fd_fn *)symbol("fdatasync"))(folder), 0);
	close(folder); /* as often as it was opened */
	close(folder);
	assert_int_equal(dup(0), lowest);
	close(lowest);
	assert_int_equal(ours("/usr/none", O_RDONLY), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(((fd_fn *)symbol("fsync"))(lowest), -1);
	assert_int_equal(errno, EBADF);
}

static void a_file_is_opened_as_ever(void **state)
{
	open_fn *ours = (open_fn *)symbol("open64");
	char path[] = "/tmp/netlab-preload-XXXXXX";
	struct stat st;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	fd = ours(path, O_CREAT | O_RDWR, 0640);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0100, 0);
	assert_true(st.st_mode & 0400);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(((fd_fn *)symbol("fsync"))(fd), 0);
	close(fd);
	fd = ours(path, O_RDONLY);
	assert_true(fd >= 0 && fd < 1024);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_state_is_refused_by_the_host_and_completed_by_us),
		cmocka_unit_test(the_part_that_was_not_given_stays_as_it_is),
		cmocka_unit_test(a_full_state_passes_untouched),
		cmocka_unit_test(nonsense_is_still_refused),
		cmocka_unit_test(peeking_gives_the_word_as_libc_does),
		cmocka_unit_test(the_overflow_id_is_shown_as_root),
		cmocka_unit_test(a_link_is_followed_by_stat_alone),
		cmocka_unit_test(a_folder_takes_no_descriptor),
		cmocka_unit_test(a_file_is_opened_as_ever),
	};

	return cmocka_run_group_tests(tests, open_library, NULL);
}
