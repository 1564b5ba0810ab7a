/* SPDX-License-Identifier: MIT */
#include "node/host.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "kernel/choice.h"
#include "node/cgroup.h"
#include "node/host_probe.h"
#include "node/node.h"

enum {
	MACHINE_MB = 64,
	MEMORY_LOW_MB = 512,
	TIMER_LATE_US = 500,
	NAMESPACES_LOW = 256, /* a jail takes one of each kind */
	FILES_LOW = 4096,
	PROCESSES_LOW = 1024,
	MAPPINGS_LOW = 1 << 20,
	PAGE_BYTES = 4096,
};

struct examination {
	const struct host_options *options;
	struct host_check *checks;
	size_t count;
	struct kernel kernel;
	bool have_kernel;
};

static struct host_check *begin(struct examination *e, const char *name)
{
	struct host_check *check = &e->checks[e->count++];

	ASSERT(e->count <= HOST_CHECKS_MAX);
	*check = (struct host_check){ .name = name, .grade = HOST_OK };
	return check;
}

__attribute__((format(printf, 2, 3))) static void found(struct host_check *check,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->what, sizeof(check->what), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 3, 4))) static void
mend(struct host_check *check, enum host_grade grade, const char *fmt, ...)
{
	va_list ap;

	check->grade = grade;
	va_start(ap, fmt);
	vsnprintf(check->fix, sizeof(check->fix), fmt, ap);
	va_end(ap);
}

/* A number in a file of /proc or /sys; -1: there is none. */
static long long number_in(const char *path)
{
	cleanup_free char *text = NULL;
	size_t size;

	if (fdio_read_file(AT_FDCWD, path, 256, &text, &size, NULL))
		return -1;
	return strtoll(text, NULL, 10);
}

static void check_system(struct examination *e)
{
	struct host_check *check = begin(e, "system");
	struct utsname host;
	unsigned major = 0, minor = 0;

	uname(&host);
	sscanf(host.release, "%u.%u", &major, &minor);
	found(check, "%s %s on %s", host.sysname, host.release, host.machine);
	if (strcmp(host.machine, "x86_64"))
		mend(check, HOST_FAIL, "netlab runs on x86-64 processors only");
	else if (major < 5 || (major == 5 && minor < 12))
		mend(check, HOST_FAIL,
		     "netlab needs Linux 5.12 or newer: update the system");
}

static void check_probe(struct examination *e, const char *name, const char *good,
			const char *bad, int (*probe)(struct why *why))
{
	struct host_check *check = begin(e, name);
	struct why why = { "" };

	found(check, "%s", good);
	if (!probe(&why))
		return;
	found(check, "%s", bad);
	mend(check, HOST_FAIL, "%s", why.text);
}

static void check_ptrace(struct examination *e)
{
	struct host_check *check = begin(e, "ptrace");
	long long scope = number_in("/proc/sys/kernel/yama/ptrace_scope");
	struct why why;

	found(check, "a process may trace its children");
	/* What root may do here, a machine without capabilities may not. */
	if (scope < 2 && !host_probe_ptrace(&why))
		return;
	found(check,
	      "a process may not trace its children, which is how machines run their "
	      "programs (kernel.yama.ptrace_scope is %lld)",
	      scope);
	if (scope >= 3)
		mend(check, HOST_FAIL,
		     "set kernel.yama.ptrace_scope=1 in /etc/sysctl.d and start "
		     "the computer anew: 3 cannot be taken back");
	else if (scope == 2)
		mend(check, HOST_FAIL,
		     "an administrator allows it with: "
		     "sysctl -w kernel.yama.ptrace_scope=1");
	else
		mend(check, HOST_FAIL,
		     "a container's security profile forbids ptrace; allow it");
}

/* What netlab's own would have, and this one has not.  Who has chosen knows. */
static void say_better(struct host_check *check, const struct kernel *kernel,
		       enum choice_reason reason)
{
	static const enum kernel_can worth[] = { KERNEL_SECCOMP, KERNEL_TIME_TRAVEL };
	char lacks[256] = "";
	size_t used = 0;

	if (reason == CHOICE_OWN_OTHER) {
		mend(check, HOST_WARN, "netlab kernel build");
		return;
	}
	if (reason != CHOICE_PACKAGED)
		return;
	for (unsigned i = 0; i < KERNEL_CANS && used < sizeof(lacks); i++)
		for (size_t k = 0; k < ARRAY_SIZE(worth); k++)
			if (worth[k] == 1U << i && !(kernel->can & worth[k]))
				used += (size_t)snprintf(lacks + used,
							 sizeof(lacks) - used, ", %s",
							 kernel_can_text(i));
	mend(check, HOST_WARN,
	     "`netlab kernel build` makes one, once, in some minutes: machines that "
	     "boot in a fraction of the time%s",
	     lacks);
}

static void check_kernel(struct examination *e)
{
	struct host_check *check = begin(e, "kernel");
	struct choice choice;
	struct why why = { "" };

	e->have_kernel = !choice_make(&choice, e->options->kernel, &why) &&
			 !kernel_look(&e->kernel, choice.path, &why);
	if (!e->have_kernel) {
		found(check, "no kernel for the machines");
		mend(check, HOST_FAIL, "%s", why.text);
		return;
	}
	found(check, "%s, User-Mode Linux %s: %s", e->kernel.path, e->kernel.release,
	      choice_reason_text(choice.reason));
	say_better(check, &e->kernel, choice.reason);
}

/* A packaged kernel has the parts that a machine needs as modules. */
static void check_modules(struct examination *e)
{
	struct host_check *check;

	if (!e->have_kernel)
		return;
	check = begin(e, "kernel modules");
	if (*e->kernel.modules) {
		found(check, "%s", e->kernel.modules);
		return;
	}
	if (e->kernel.can & KERNEL_BUILTIN) {
		found(check, "none, and a machine needs none");
		return;
	}
	found(check,
	      "none for %s, and it has not all of virtio net, virtio console, overlayfs "
	      "and hostfs built in",
	      e->kernel.release);
	if (strncmp(e->kernel.path, "/usr/bin/", 9))
		mend(check, HOST_FAIL,
		     "put its modules (make modules_install) beside it, in "
		     "lib/modules/%s",
		     e->kernel.release);
	else
		mend(check, HOST_WARN,
		     "/usr/lib/uml/modules/%s is missing; install it anew: "
		     "apt-get install --reinstall user-mode-linux",
		     e->kernel.release);
}

/* AMX: bit 24 of edx (AMX-TILE) in leaf 7; and the system has to have it on. */
static bool has_amx(void)
{
	unsigned a, b, c, d = 0, low, high;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & 1U << 24) ||
	    !__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return false;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low & 1U << 18;
}

static void check_processor(struct examination *e)
{
	struct host_check *check = begin(e, "processor");
	unsigned major = 0, minor = 0;
	bool old;

	sscanf(e->kernel.release, "%u.%u", &major, &minor);
	old = e->have_kernel && (major < 6 || (major == 6 && minor < 13));
	if (!has_amx()) {
		found(check, "its floating-point state suits every kernel");
		return;
	}
	if (!old) {
		found(check, "with AMX, which this kernel can handle");
		return;
	}
	found(check, "with AMX, which kernels before 6.13 cannot handle alone");
	if (!e->kernel.dynamic)
		mend(check, HOST_FAIL,
		     "%s is linked statically, so netlab cannot help it: use the "
		     "packaged kernel or one from 6.13 on",
		     e->kernel.path);
	else if (!e->options->preload)
		mend(check, HOST_FAIL,
		     "libnetlab-preload.so, which helps it, was not found: "
		     "build or install netlab completely");
}

static void check_preload(struct examination *e)
{
	struct host_check *check;

	if (!e->have_kernel || !e->kernel.dynamic)
		return;
	check = begin(e, "preload");
	if (e->options->preload) {
		found(check, "%s", e->options->preload);
		return;
	}
	found(check, "libnetlab-preload.so was not found: the host's files will belong "
		     "to nobody "
		     "there");
	mend(check, HOST_WARN, "build or install netlab completely");
}

static void check_memory(struct examination *e, const struct cgroup_room *room)
{
	struct host_check *check = begin(e, "memory");
	cleanup_file FILE *info = fopen("/proc/meminfo", "re");
	cleanup_free char *line = NULL;
	unsigned long long kb = 0;
	size_t line_room = 0;

	while (info && !kb && getline(&line, &line_room, info) > 0)
		if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
			break;
	if (room->memory.left >> 10 < kb) {
		kb = room->memory.left >> 10;
		found(check,
		      "%llu MB free within %s (%llu MB): room for %llu machines of %d MB",
		      kb >> 10, room->memory.file,
		      (unsigned long long)room->memory.max >> 20, (kb >> 10) / MACHINE_MB,
		      MACHINE_MB);
		if (kb >> 10 < MEMORY_LOW_MB)
			mend(check, HOST_WARN,
			     "raise that limit of the control group, or keep labs small");
		return;
	}
	found(check, "%llu MB free: room for %llu machines of %d MB", kb >> 10,
	      (kb >> 10) / MACHINE_MB, MACHINE_MB);
	if (kb >> 10 < MEMORY_LOW_MB)
		mend(check, HOST_WARN, "end other programs, or keep labs small");
}

static void check_processors(struct examination *e)
{
	struct host_check *check = begin(e, "processors");
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	found(check, "%ld", count);
	if (count < 2)
		mend(check, HOST_WARN,
		     "with one processor, the machines and the switch wait for one "
		     "another: delays will be less exact");
}

static void check_clock(struct examination *e)
{
	struct host_check *check = begin(e, "clock");
	cleanup_free char *source = NULL;
	size_t size;
	uint64_t late_ns = 0;

	if (fdio_read_file(
		    AT_FDCWD,
		    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
		    64, &source, &size, NULL))
		size = 0;
	if (size)
		source[strcspn(source, "\n")] = 0;
	host_probe_timer(&late_ns, NULL);
	found(check, "source %s; timers come %llu us late", size ? source : "unknown",
	      (unsigned long long)late_ns / 1000);
	if (size && (!strcmp(source, "hpet") || !strcmp(source, "acpi_pm")))
		mend(check, HOST_WARN,
		     "reading this clock is slow; if the processor's own is sound, "
		     "boot with clocksource=tsc");
	else if (late_ns / 1000 > TIMER_LATE_US)
		mend(check, HOST_WARN,
		     "the computer is busy or asleep: delays in labs will be less "
		     "exact");
}

static void check_runtime_dir(struct examination *e)
{
	struct host_check *check = begin(e, "runtime folder");
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (!dir || !*dir) {
		found(check,
		      "XDG_RUNTIME_DIR is not set; labs are kept in /run/user or /tmp");
	} else if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		found(check, "XDG_RUNTIME_DIR=%s is no folder", dir);
		mend(check, HOST_FAIL,
		     "unset XDG_RUNTIME_DIR, or make that folder: mkdir -m 700 %s", dir);
	} else if (st.st_uid != geteuid() || access(dir, W_OK)) {
		found(check, "XDG_RUNTIME_DIR=%s is not yours", dir);
		mend(check, HOST_FAIL,
		     "unset XDG_RUNTIME_DIR, or log in as yourself instead of "
		     "with su");
	} else {
		found(check, "%s", dir);
	}
}

/* A page that does not lie beside its neighbour in a machine's memory is a mapping.
 * netlab's own kernel goes on when there are no more; others kill the program. */
static void check_mappings(const struct examination *e, struct host_check *check)
{
	long long most = number_in("/proc/sys/vm/max_map_count");

	if (!e->have_kernel || e->kernel.can & KERNEL_SECCOMP || most < 0 ||
	    most >= MAPPINGS_LOW)
		return;
	found(check, "a program in a machine may use %lld MB in no order (vm.max_map_count)",
	      most * PAGE_BYTES >> 20);
	mend(check, HOST_WARN,
	     "with more it is killed: sysctl -w vm.max_map_count=%d, or netlab kernel "
	     "build: its kernel has no such limit",
	     MAPPINGS_LOW);
}

static void check_limits(struct examination *e, const struct cgroup_room *room)
{
	static const char *const kinds[] = { "user", "mnt", "pid", "net", "ipc", "uts" };
	struct host_check *check = begin(e, "limits");
	struct rlimit files = { 0 }, processes = { 0 };
	char path[64];

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NPROC, &processes);
	found(check, "descriptors, processes and namespaces suffice");
	check_mappings(e, check);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		long long most;

		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces",
			 kinds[i]);
		most = number_in(path);
		if (most < 0 || most >= NAMESPACES_LOW)
			continue;
		found(check, "at most %lld %s namespaces: labs stay smaller than that",
		      most, kinds[i]);
		mend(check, HOST_WARN, "sysctl -w user.max_%s_namespaces=65536",
		     kinds[i]);
	}
	if (files.rlim_max < FILES_LOW) {
		found(check, "at most %llu open files",
		      (unsigned long long)files.rlim_max);
		mend(check, HOST_WARN,
		     "raise the hard limit of open files (ulimit -Hn) to %d", FILES_LOW);
	}
	if (geteuid() != 0 && processes.rlim_cur < PROCESSES_LOW) {
		found(check, "at most %llu processes",
		      (unsigned long long)processes.rlim_cur);
		mend(check, HOST_WARN,
		     "each program in a machine is a process: raise the limit "
		     "(ulimit -u) to %d",
		     PROCESSES_LOW);
	}
	if (room->processes.left < PROCESSES_LOW) {
		found(check, "at most %llu more processes within %s (%llu)",
		      (unsigned long long)room->processes.left, room->processes.file,
		      (unsigned long long)room->processes.max);
		mend(check, HOST_WARN,
		     "each program in a machine is a process: raise that limit of the "
		     "control group");
	}
}

size_t host_examine(struct host_check *out, const struct host_options *options)
{
	struct examination e = { .options = options, .checks = out };
	struct cgroup_room room;

	cgroup_look(&room, CGROUP_OURS, CGROUP_MOUNT);
	check_system(&e);
	check_probe(&e, "namespaces", "a lab can have its own, with an empty network",
		    "a lab's namespaces cannot be made", host_probe_lab);
	/* Says the same again if there is not even the lab's sandbox. */
	if (out[e.count - 1].grade == HOST_OK)
		check_probe(&e, "confinement",
			    "a machine's jail holds: root, seccomp, no privileges",
			    "a machine's jail cannot be made", host_probe_jail);
	check_ptrace(&e);
	check_kernel(&e);
	check_modules(&e);
	check_processor(&e);
	check_preload(&e);
	check_memory(&e, &room);
	check_processors(&e);
	check_clock(&e);
	check_runtime_dir(&e);
	check_limits(&e, &room);
	return e.count;
}

bool host_able(const struct host_check *checks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (checks[i].grade == HOST_FAIL)
			return false;
	return true;
}

const char *host_grade_name(enum host_grade grade)
{
	static const char *const names[] = { "ok", "warn", "fail" };

	_Static_assert(ARRAY_SIZE(names) == HOST_GRADES, "a name for each grade");
	return names[grade];
}
