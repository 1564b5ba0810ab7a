/* SPDX-License-Identifier: MIT */
/* patches.c - what the patches of netlab's kernel promise, as a machine's only process
 *
 * Booted as /init.  The words behind "--" on the kernel's command line are what to do;
 * each answers with a line "WORD: ANSWER", and the machine powers off.
 *
 *	tsc		"guest" if rdtsc is the clock, in every way to reach it; else
 *"host" cpuid		the vendor, and which of rdrand, rdseed, avx512, rtm there are
 *	random		of getrandom, /dev/urandom and AT_RANDOM; and where the stack is
 *	cpuinfo		whether /proc/cpuinfo names the host
 *	fault		a general protection fault is still a SIGSEGV
 *	frame		the announced and the held extended state of a signal frame
 *	owner:PATH	uid and gid of a file of the host
 *	list:PATH	names and metadata in a folder of the host
 *	memory		unreclaimable kernel memory, in kB
 *	echo		each byte that comes in at the console goes out, up to a dot
 *	pages:N		whether a program can use that many pages in no order
 *	walk:PATH	folders and files below a folder, each looked into through an
 *			overlay; and whether a program can be started afterwards
 *	twice:PATH	a file, before and after a byte came in at the console
 *	polls:US	how often one polls in so long, and how late one is then, in ns
 *	coarse		that each clock that goes on with ticks does go on
 *	alarm		when a timer of 200 ms interrupts a loop of system calls, in ns
 *	flag		that who reads the clock until another thread is done sees it
 */
#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/time.h>
#include <sys/user.h>
#include <termios.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, THREADS = 4, READS = 2000, STEPS_MAX = 20000 };

#define HOST "/host"

/* ---- rdtsc -------------------------------------------------------------------- */

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t plain(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint32_t processor; /* what rdtscp said last */

static uint64_t with_processor(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor));
	return (uint64_t)high << 32 | low;
}

/* An operand size and a REX prefix, which change nothing. */
static uint64_t prefixed(void)
{
	uint64_t low, high;

	__asm__ volatile(".byte 0x66, 0x48, 0x0f, 0x31" : "=a"(low), "=d"(high));
	return high << 32 | low;
}

/* The last bytes before what cannot be read. */
static uint64_t at_the_edge(void)
{
	static const unsigned char code[] = { 0x0f, 0x31, 0x48, 0xc1, 0xe2,
					      0x20, 0x48, 0x09, 0xd0, 0xc3 };
	static unsigned char *end;

	if (!end) {
		unsigned char *pages =
			mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pages == MAP_FAILED || munmap(pages + PAGE, PAGE))
			return 0;
		end = pages + PAGE;
		memcpy(end - sizeof(code), code, sizeof(code));
	}
	return ((uint64_t(*)(void))(end - sizeof(code)))();
}

static uint64_t (*const ways[])(void) = { plain, with_processor, prefixed, at_the_edge };

static bool is_clock(void)
{
	for (int i = 0; i < READS; i++) {
		uint64_t before = clock_ns();
		uint64_t read = ways[i % 4]();

		if (read < before || read > clock_ns())
			return false;
	}
	return true;
}

static void *run_thread(void *arg)
{
	*(bool *)arg = is_clock();
	return NULL;
}

static volatile sig_atomic_t handler_ok;

static void on_usr1(int sig)
{
	(void)sig;
	handler_ok = is_clock();
}

extern const char stepped_rdtsc[];

/* Traced; noinline, for the label may be there once. */
__attribute__((noinline)) static void be_stepped(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(1);
	raise(SIGSTOP);
	__asm__ volatile("stepped_rdtsc: rdtsc" : : : "rax", "rdx");
	_exit(0);
}

static uintptr_t ip_of(pid_t pid)
{
	struct user_regs_struct regs = { 0 };

	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	return regs.rip;
}

static bool step(pid_t pid)
{
	int status;

	return !ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == SIGTRAP;
}

/* A debugger's step over it stops right behind it. */
static bool steps_over(void)
{
	uintptr_t at = (uintptr_t)stepped_rdtsc;
	bool right = false;
	int status;
	pid_t pid = fork();

	if (!pid)
		be_stepped();
	waitpid(pid, &status, 0);
	for (int i = 0; i < STEPS_MAX && step(pid); i++)
		if (ip_of(pid) == at) {
			right = step(pid) && ip_of(pid) == at + 2;
			break;
		}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return right;
}

static const char *tsc(void)
{
	struct sigaction action = { .sa_handler = on_usr1 };
	pthread_t threads[THREADS];
	bool ok[THREADS];

	if (!is_clock())
		return "host";
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run_thread, &ok[i]))
			return "no thread";
	for (int i = 0; i < THREADS; i++)
		if (pthread_join(threads[i], NULL) || !ok[i])
			return "host in a thread";
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	if (!handler_ok)
		return "host in a signal handler";
	if (!steps_over())
		return "a single step stops elsewhere";
	return processor ? "guest, on another processor" : "guest";
}

/* ---- the processor ------------------------------------------------------------ */

/* As the kernel gave it: the C library replaces its own copy. */
static unsigned long hwcap(void)
{
	int fd = open("/proc/self/auxv", O_RDONLY);
	unsigned long pair[2] = { AT_NULL, 0 };

	while (read(fd, pair, sizeof(pair)) == sizeof(pair) && pair[0] != AT_HWCAP)
		;
	close(fd);
	return pair[0] == AT_HWCAP ? pair[1] : 0;
}

static void cpuid(void)
{
	unsigned a, b, c, d, seven_b;
	char vendor[13] = "";

	__cpuid(0, a, b, c, d);
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	__cpuid(1, a, b, c, d);
	printf("cpuid: %s %08x%s", vendor, a, c & bit_RDRND ? " rdrand" : "");
	__cpuid_count(7, 0, a, seven_b, c, d);
	printf("%s%s%s hwcap %lx\n", seven_b & bit_RDSEED ? " rdseed" : "",
	       seven_b & bit_AVX512F ? " avx512" : "", seven_b & bit_RTM ? " rtm" : "",
	       hwcap());
}

static void cpuinfo(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[4096] = "";
	bool named = false;

	while (file && fgets(line, sizeof(line), file))
		named = named || !strncmp(line, "host", 4);
	printf("cpuinfo: %s\n", !file ? "unreadable" : named ? "shown" : "hidden");
	/* That is how procps counts them. */
	printf("processors: %s\n", !strcmp(line, "\n") ? "ended" : "not ended");
}

/* ---- chance -------------------------------------------------------------------- */

static void put_hex(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	putchar(' ');
}

static void chance(void)
{
	unsigned char bytes[1000] = { 0 };
	int fd = open("/dev/urandom", O_RDWR);

	printf("random: ");
	if (syscall(SYS_getrandom, bytes, sizeof(bytes), 0) == sizeof(bytes))
		put_hex(bytes + sizeof(bytes) - 16, 16);
	/* What programs add must make no difference either. */
	if (fd >= 0 && write(fd, &(uint64_t){ clock_ns() }, 8) == 8 &&
	    read(fd, bytes, 16) == 16)
		put_hex(bytes, 16);
	put_hex((const unsigned char *)getauxval(AT_RANDOM), 16);
	printf("%p\n", (void *)getauxval(AT_EXECFN));
}

/* ---- faults and frames ----------------------------------------------------------- */

static volatile sig_atomic_t faults;

static void on_segv(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)info;
	/* Behind "movb (%rax), %al", which is two bytes. */
	((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP] += 2;
	faults++;
}

static void fault(void)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	/* No address of x86-64's: a protection fault and no page fault. */
	__asm__ volatile("movb (%%rax), %%al"
			 :
			 : "a"(UINT64_C(0x8000000000000000))
			 : "memory");
	action.sa_handler = SIG_DFL;
	action.sa_flags = 0;
	sigaction(SIGSEGV, &action, NULL);
	printf("fault: %s\n", faults == 1 ? "SIGSEGV" : "none");
}

static uint64_t announced, held;

static void on_usr2(int sig, siginfo_t *info, void *ctx)
{
	const unsigned char *state = (void *)((ucontext_t *)ctx)->uc_mcontext.fpregs;

	(void)sig;
	(void)info;
	memcpy(&announced, state + 472, sizeof(announced));
	memcpy(&held, state + 512, sizeof(held));
}

static void frame(void)
{
	struct sigaction action = { .sa_sigaction = on_usr2, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR2, &action, NULL);
	/* There has to be state to hold: some processors leave out what is as at the start. */
	__asm__ volatile("pcmpeqd %%xmm7, %%xmm7" : : : "xmm7");
	raise(SIGUSR2);
	printf("frame: %s\n",
	       held && !(held & ~announced) ? "announced" : "not announced");
}

/* ---- the host's files -------------------------------------------------------------- */

static void owner(const char *path)
{
	char full[512];
	struct stat st;

	snprintf(full, sizeof(full), HOST "%s", path);
	if (stat(full, &st))
		printf("owner: %s\n", strerror(errno));
	else
		printf("owner: %d %d\n", (int)st.st_uid, (int)st.st_gid);
}

static void list(const char *path)
{
	char full[512];
	struct dirent *entry;
	DIR *dir;

	snprintf(full, sizeof(full), HOST "%s", path);
	dir = opendir(full);
	printf("list:");
	while (dir && (entry = readdir(dir))) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		printf(" %s,%ju,%ju,%ju,%jd,%jd,%jd,%ju,%s", entry->d_name,
		       (uintmax_t)st.st_ino, (uintmax_t)st.st_size,
		       (uintmax_t)st.st_blocks, (intmax_t)st.st_atime,
		       (intmax_t)st.st_mtime, (intmax_t)st.st_ctime,
		       (uintmax_t)st.st_nlink,
		       entry->d_ino == st.st_ino || !strcmp(entry->d_name, "..")
			       ? "same"
			       : "other");
	}
	putchar('\n');
}

static void memory(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "SUnreclaim:", 11))
			printf("memory: %ld\n", strtol(line + 11, NULL, 10));
}

/* Neither a system call nor an end. */
static void spin(void)
{
	printf("spin: %#lx\n", (unsigned long)(uintptr_t)spin);
	fflush(stdout);
	for (volatile int n = 0;; n++)
		;
}

/* What a thousand system calls take of the machine's time. */
static void calls(void)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("calls: %lld\n",
	       (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec);
}

/* ---- waiting ------------------------------------------------------------------------- */

static void be_raw(void)
{
	struct termios how;

	tcgetattr(STDIN_FILENO, &how);
	cfmakeraw(&how);
	tcsetattr(STDIN_FILENO, TCSANOW, &how);
}

static void echo(void)
{
	char byte = 0;

	be_raw();
	printf("echo: ready\n");
	fflush(stdout);
	while (byte != '.' && read(STDIN_FILENO, &byte, 1) == 1)
		if (write(STDOUT_FILENO, &byte, 1) != 1)
			break;
}

/* ---- many pages -------------------------------------------------------------------- */

/* All are the page of zeros, so no two lie side by side in the machine's memory; but for
 * some that are written. */
static void pages(size_t count)
{
	enum { WRITTEN = 1000 };
	volatile size_t *all = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const size_t words = PAGE / sizeof(*all), each = count / WRITTEN * words;

	if (all == MAP_FAILED) {
		printf("pages: %s\n", strerror(errno));
		return;
	}
	for (size_t i = 0; i < WRITTEN; i++)
		all[i * each] = i + 1;
	for (size_t i = 0; i < count + WRITTEN; i++) {
		size_t at = i < count ? i * words : (i - count) * each, is = all[at];

		if (is == (at % each ? 0 : at / each < WRITTEN ? at / each + 1 : 0))
			continue;
		printf("pages: page %zu has %zu\n", at / words, is);
		return;
	}
	printf("pages: right\n");
}

/* ---- many files ---------------------------------------------------------------------- */

static void over(const char *path)
{
	char options[600];

	mkdir("/over", 0755);
	mkdir("/files", 0755);
	if (mount("tmpfs", "/files", "tmpfs", 0, NULL) || mkdir("/files/upper", 0755) ||
	    mkdir("/files/work", 0755))
		printf("tmpfs: %s\n", strerror(errno));
	snprintf(options, sizeof(options),
		 "lowerdir=" HOST "%s,upperdir=/files/upper,workdir=/files/work", path);
	if (mount("overlay", "/over", "overlay", 0, options))
		printf("overlay: %s\n", strerror(errno));
}

static int failed; /* the first error of a walk */

static unsigned walk_in(const char *path, unsigned *files)
{
	unsigned folders = 1;
	struct dirent *entry;
	DIR *dir = opendir(path);
	char below[1024], byte;

	if (!dir)
		failed = failed ? failed : errno;
	while (dir && (entry = readdir(dir))) {
		int fd;

		snprintf(below, sizeof(below), "%.500s/%.255s", path, entry->d_name);
		if (entry->d_type == DT_DIR && *entry->d_name != '.') {
			folders += walk_in(below, files);
		} else if (entry->d_type == DT_REG) {
			fd = open(below, O_RDONLY);
			if (fd < 0 || read(fd, &byte, 1) < 0)
				failed = failed ? failed : errno;
			*files += fd >= 0;
			close(fd);
		}
	}
	if (dir)
		closedir(dir);
	return folders;
}

static void walk(const char *path)
{
	unsigned files = 0, folders;
	int status = -1;
	pid_t pid;

	over(path);
	folders = walk_in("/over", &files);
	printf("walk: %u folders, %u files, %s", folders, files,
	       failed ? strerror(failed) : "no error");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(7);
	if (pid > 0)
		waitpid(pid, &status, 0);
	printf(", %s\n", WIFEXITED(status) && WEXITSTATUS(status) == 7 ? "and a program" :
									 "no program");
}

static void show(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		snprintf(text, sizeof(text), "%s", strerror(errno));
	close(fd);
	printf("twice: %s\n", text);
	fflush(stdout);
}

static void twice(const char *path)
{
	char folder[512], byte;

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = 0;
	over(folder);
	snprintf(folder, sizeof(folder), "/over%s", strrchr(path, '/'));
	be_raw();
	show(folder);
	if (read(STDIN_FILENO, &byte, 1) == 1)
		show(folder);
}

/* ---- waiting in loops --------------------------------------------------------------- */

static long long now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* How often one polls without waiting through a time that is to pass, and how late one is
 * then. */
static void polls(const char *wait_us)
{
	long long end_ns, wait_ns = atoll(wait_us) * 1000;
	long count = 0;

	/* To sleep is to get something done: a new streak begins. */
	poll(NULL, 0, 1);
	end_ns = now_ns(CLOCK_MONOTONIC) + wait_ns;
	do {
		poll(NULL, 0, 0);
		count++;
	} while (now_ns(CLOCK_MONOTONIC) < end_ns);
	printf("polls: %ld %lld\n", count, now_ns(CLOCK_MONOTONIC) - end_ns);
}

/* Clocks that go on with ticks only: each is read until it has. */
static void coarse(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE };
	struct tms tms;
	clock_t ticks;
	long second;

	for (size_t i = 0; i < 2; i++) {
		long long from_ns = now_ns(clocks[i]);

		while (now_ns(clocks[i]) < from_ns + 20000000)
			;
	}
	ticks = times(&tms);
	while (times(&tms) < ticks + 2)
		;
	second = syscall(SYS_time, NULL);
	while (syscall(SYS_time, NULL) == second)
		;
	printf("coarse: ends\n");
}

static volatile sig_atomic_t rung;

static void on_alarm(int sig)
{
	(void)sig;
	rung = 1;
}

/* Work that never waits is interrupted by a timer all the same; so is who polls a pipe. */
static void alarmed(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval soon = { .it_value = { .tv_usec = 200000 } };
	long long from_ns = now_ns(CLOCK_MONOTONIC);

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	while (!rung)
		syscall(SYS_getppid);
	printf("alarm: %lld\n", now_ns(CLOCK_MONOTONIC) - from_ns);
}

static atomic_bool raised;

static void *raise_flag(void *arg)
{
	(void)arg;
	/* It waits for nothing, but has to have the processor for it. */
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	raised = true;
	return NULL;
}

/* For a flag of another thread that could run. */
static void flag(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, raise_flag, NULL)) {
		printf("flag: no thread\n");
		return;
	}
	while (!raised)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &(struct timespec){ 0 });
	pthread_join(other, NULL);
	printf("flag: seen\n");
}

static void answer(const char *word)
{
	if (!strcmp(word, "tsc"))
		printf("tsc: %s\n", tsc());
	else if (!strcmp(word, "cpuid"))
		cpuid();
	else if (!strcmp(word, "random"))
		chance();
	else if (!strcmp(word, "cpuinfo"))
		cpuinfo();
	else if (!strcmp(word, "fault"))
		fault();
	else if (!strcmp(word, "spin"))
		spin();
	else if (!strcmp(word, "calls"))
		calls();
	else if (!strcmp(word, "echo"))
		echo();
	else if (!strncmp(word, "pages:", 6))
		pages(strtoul(word + 6, NULL, 10));
	else if (!strncmp(word, "walk:", 5))
		walk(word + 5);
	else if (!strncmp(word, "twice:", 6))
		twice(word + 6);
	else if (!strncmp(word, "polls:", 6))
		polls(word + 6);
	else if (!strcmp(word, "coarse"))
		coarse();
	else if (!strcmp(word, "alarm"))
		alarmed();
	else if (!strcmp(word, "flag"))
		flag();
	else if (!strcmp(word, "frame"))
		frame();
	else if (!strcmp(word, "memory"))
		memory();
	else if (!strncmp(word, "owner:", 6))
		owner(word + 6);
	else if (!strncmp(word, "list:", 5))
		list(word + 5);
	else
		printf("%s: no such word\n", word);
}

int main(int argc, char **argv)
{
	if (getpid() != 1) {
		fprintf(stderr,
			"to be booted as /init: tests/lab/kernel_patches.py does\n");
		return 2;
	}
	mkdir("/proc", 0755);
	mkdir(HOST, 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) ||
	    (mount("hostfs", HOST, "hostfs", MS_RDONLY, "/") &&
	     mount("hostfs", HOST, "hostfs", MS_RDONLY, "hostfs=/")))
		printf("mount: %s\n", strerror(errno));
	for (int i = 1; i < argc; i++)
		answer(argv[i]);
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
