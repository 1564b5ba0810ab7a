/* SPDX-License-Identifier: MIT */
#include "node/herd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Stubs have no children; that of the first process is the kernel. */
enum { LEVEL_STUB = 2 };

static int add(struct herd *herd, struct herd_one one)
{
	if (herd->count == HERD_MAX)
		return 0;
	if (herd->count == herd->room) {
		size_t room = herd->room ? 2 * herd->room : 16;
		struct herd_one *all = realloc(herd->all, room * sizeof(*all));

		if (!all)
			return -ENOMEM;
		herd->all = all;
		herd->room = room;
	}
	herd->all[herd->count++] = one;
	return 0;
}

int herd_begin(struct herd *herd, pid_t first, int to)
{
	herd->count = herd->next = herd->refused = 0;
	herd->to = to;
	herd->ran_ns = herd->waited_ns = 0;
	return add(herd, (struct herd_one){ .pid = first });
}

void herd_free(struct herd *herd)
{
	free(herd->all);
	*herd = (struct herd){ 0 };
}

/* ---- moving ------------------------------------------------------------ */

/* What /proc/.../status says of a thread: its parent, who traces it, and its number in each
 * pid namespace from that of this /proc inwards. */
struct identity {
	pid_t parent, tracer;
	size_t depth;
	pid_t pid[32];
};

static int identify(struct identity *out, const char *path)
{
	cleanup_file FILE *file = fopen(path, "re");
	char line[512];

	*out = (struct identity){ 0 };
	while (file && fgets(line, sizeof(line), file)) {
		char *p = line + strlen("NSpid:"), *end;

		if (sscanf(line, "PPid: %d", &out->parent) == 1 ||
		    sscanf(line, "TracerPid: %d", &out->tracer) == 1)
			continue;
		if (strncmp(line, "NSpid:", strlen("NSpid:")) != 0)
			continue;
		while (out->depth < ARRAY_SIZE(out->pid)) {
			long pid = strtol(p, &end, 10);

			if (end == p)
				break;
			out->pid[out->depth++] = (pid_t)pid;
			p = end;
		}
		return out->depth ? 0 : -ESRCH;
	}
	return -ESRCH;
}

/* How far inside that /proc's namespace is ours? */
static size_t own_depth(void)
{
	static size_t depth;
	struct identity own;

	if (!depth)
		depth = identify(&own, "/proc/self/status") ? 1 : own.depth;
	return depth;
}

static void move_thread(struct herd *herd, const struct herd_one *one, const char *tid)
{
	struct identity who;
	char path[96];
	cpu_set_t set;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", (int)one->pid, tid);
	/* It may have ended, and another have its number. */
	if (identify(&who, path) || (one->parent && who.parent != one->parent) ||
	    who.depth < own_depth())
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)herd->to, &set);
	if (sched_setaffinity(who.pid[own_depth() - 1], sizeof(set), &set) &&
	    errno != ESRCH)
		herd->refused++;
}

/* ---- looking ----------------------------------------------------------- */

static bool read_text(char *text, size_t bytes, const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, bytes - 1);

	text[got > 0 ? got : 0] = 0;
	return got > 0;
}

/* Fields 16 and 17 of its stat: children that are no more, in ticks. */
static uint64_t reaped_ns(const char *stat)
{
	uint64_t user = 0, system = 0;
	const char *p = strrchr(stat, ')');

	if (p)
		sscanf(p,
		       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %" SCNu64
		       " %" SCNu64,
		       &user, &system);
	return (user + system) * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void count_time(struct herd *herd, const struct herd_one *one)
{
	uint64_t ran_ns, waited_ns;
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)one->pid);
	if (read_text(text, sizeof(text), path) &&
	    sscanf(text, "%" SCNu64 " %" SCNu64, &ran_ns, &waited_ns) == 2) {
		herd->ran_ns += ran_ns;
		herd->waited_ns += waited_ns;
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)one->pid);
	if (one->level < LEVEL_STUB && read_text(text, sizeof(text), path))
		herd->ran_ns += reaped_ns(text);
}

static int add_children(struct herd *herd, const struct herd_one *one, const char *tid)
{
	char path[96];
	int child, err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)one->pid, tid);
	cleanup_file FILE *children = fopen(path, "re");
	while (!err && children && fscanf(children, "%d", &child) == 1)
		err = add(herd, (struct herd_one){ child, one->pid, one->level + 1 });
	return err;
}

/* Every thread has a processor of its own.  Returns how many there were, or -errno. */
static int move(struct herd *herd, const struct herd_one *one)
{
	struct dirent *thread;
	char path[64];
	DIR *threads;
	int err = 0, count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)one->pid);
	threads = opendir(path);
	if (!threads)
		return 0; /* it has ended */
	while (!err && count < HERD_THREADS_MAX && (thread = readdir(threads))) {
		if (thread->d_name[0] == '.')
			continue;
		move_thread(herd, one, thread->d_name);
		err = add_children(herd, one, thread->d_name);
		count++;
	}
	closedir(threads);
	return err ? err : count;
}

/* The threads beside the first one do next to nothing, and start nothing. */
static int look(struct herd *herd, const struct herd_one *one)
{
	char tid[16];
	int err = 0;

	snprintf(tid, sizeof(tid), "%d", (int)one->pid);
	if (one->level < LEVEL_STUB)
		err = add_children(herd, one, tid);
	count_time(herd, one);
	return err ? err : 1;
}

int herd_step(struct herd *herd, size_t most)
{
	size_t done = 0;

	while (done < most && herd->next < herd->count) {
		/* A copy: the array grows. */
		struct herd_one one = herd->all[herd->next++];
		int got = herd->to == HERD_STAY ? look(herd, &one) : move(herd, &one);

		if (got < 0)
			return got;
		done += (size_t)got + !got;
	}
	return herd->next < herd->count;
}

/* ---- standing still ---------------------------------------------------- */

static int send_signal(const struct identity *to, int signal)
{
	return kill(to->pid[own_depth() - 1], signal) ? -errno : 0;
}

/* A stub that is traced stands as soon as it has any signal, until its tracer looks, and
 * that one is stopped.  Of all signals UML's kernel takes SIGALRM alone for nothing at each
 * place where it waits for a stub, while a stop makes it panic
 * (arch/um/os-Linux/skas/process.c: userspace(), STUB_SIG_MASK). */
static void hold_traced(pid_t kernel)
{
	struct identity who;
	char path[96];
	pid_t stub;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)kernel, (int)kernel);
	cleanup_file FILE *stubs = fopen(path, "re");
	while (stubs && fscanf(stubs, "%d", &stub) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/status", (int)stub);
		if (identify(&who, path) == 0 && who.tracer == kernel &&
		    who.depth >= own_depth())
			send_signal(&who, SIGALRM);
	}
}

int herd_stall(pid_t first, bool traced, bool stall)
{
	int err, signal = stall ? SIGSTOP : SIGCONT;
	struct identity who;
	char path[96];
	pid_t kernel;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)first, (int)first);
	cleanup_file FILE *children = fopen(path, "re");
	if (!children || fscanf(children, "%d", &kernel) != 1)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)kernel);
	if (identify(&who, path) || who.parent != first || who.depth < own_depth())
		return -ESRCH;
	if (!traced) /* all at one instant: they are a process group */
		return kill(-who.pid[own_depth() - 1], signal) ? -errno : 0;
	err = send_signal(&who, signal);
	if (!err && stall)
		hold_traced(kernel);
	return err;
}
