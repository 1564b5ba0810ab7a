/* SPDX-License-Identifier: MIT */
#include "bench_run.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 20.0

enum { WARM_UP_MS = 300 };

void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	_exit(1);
}

void bench_frame(uint8_t *frame, uint32_t size, uint8_t to, uint8_t from)
{
	uint16_t ip_bytes = (uint16_t)(size - 14), udp_bytes = (uint16_t)(size - 34);

	memset(frame, 0x5a, size);
	memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0 }, 14);
	memcpy(frame + 14,
	       (uint8_t[]){ 0x45, 2, (uint8_t)(ip_bytes >> 8), (uint8_t)ip_bytes, 0, 0, 0, 0,
			    64, 17, 0, 0, 10, 0, 0, from, 10, 0, 0, to, 0, 9, 0, 9,
			    (uint8_t)(udp_bytes >> 8), (uint8_t)udp_bytes, 0x12, 0x34 },
	       28);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_of(pid_t pid)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void bench_wait_ms(int ms)
{
	poll(NULL, 0, ms);
}

void bench_await(const uint32_t *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
		bench_wait_ms(2);
}

static pid_t start(struct run *run, void (*process)(struct run *))
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		process(run);
		_exit(0);
	}
	if (pid > 0)
		run->pids[run->pid_count++] = pid;
	return pid;
}

static bool all_alive(struct run *run)
{
	for (unsigned i = 0; i < run->pid_count; i++)
		if (waitpid(run->pids[i], NULL, WNOHANG) != 0) {
			run->pids[i] = run->pids[--run->pid_count];
			return false;
		}
	return true;
}

static bool await(struct run *run, const uint32_t *flag)
{
	double end = now() + PATIENCE_SECONDS;

	while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE)) {
		if (!all_alive(run) || now() > end)
			return false;
		bench_wait_ms(5);
	}
	return true;
}

static int measure(struct run *run, pid_t sw, struct result *result)
{
	uint64_t frames, offered;
	double t, cpu;

	bench_wait_ms(WARM_UP_MS);
	offered = __atomic_load_n(&run->shared->offered, __ATOMIC_RELAXED);
	frames = __atomic_load_n(&run->shared->received, __ATOMIC_RELAXED);
	t = now();
	cpu = cpu_of(sw);
	bench_wait_ms((int)(run->seconds * 1000));
	cpu = cpu_of(sw) - cpu;
	frames = __atomic_load_n(&run->shared->received, __ATOMIC_RELAXED) - frames;
	offered = __atomic_load_n(&run->shared->offered, __ATOMIC_RELAXED) - offered;
	t = now() - t;
	if (!all_alive(run) || frames == 0)
		return -1;
	result->frames_per_second = (double)frames / t;
	result->cpu_ns_per_frame = cpu * 1e9 / (double)frames;
	result->cpu_share = cpu / t;
	result->cpu_ns_per_offered = offered ? cpu * 1e9 / (double)offered : 0;
	return 0;
}

static void remove_dir(const char *path)
{
	char name[400];
	struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (unlink(name) < 0 && (errno == EISDIR || errno == EPERM))
			remove_dir(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

int bench_run(const struct side *side, uint32_t frame_bytes, unsigned silent,
	      double seconds, struct result *result)
{
	char dir[] = "/tmp/netlab-bench-XXXXXX";
	struct run run = { .dir = dir,
			   .frame_bytes = frame_bytes,
			   .silent = silent,
			   .seconds = seconds };
	pid_t sw;
	int err = -1;

	if (!mkdtemp(dir))
		return -1;
	run.shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sw = start(&run, side->run_switch);
	start(&run, side->run_receiver);
	if (await(&run, &run.shared->receiver_ready)) {
		if (silent)
			start(&run, side->run_silent);
		if (!silent || await(&run, &run.shared->silent_ready)) {
			start(&run, side->run_sender);
			err = measure(&run, sw, result);
		}
	}
	if (err)
		fprintf(stderr, "bench: %s, %u bytes, %u silent ports: no result\n",
			side->name, frame_bytes, silent);
	for (unsigned i = 0; i < run.pid_count; i++)
		kill(run.pids[i], SIGKILL);
	for (unsigned i = 0; i < run.pid_count; i++)
		waitpid(run.pids[i], NULL, 0);
	munmap(run.shared, sizeof(*run.shared));
	remove_dir(dir);
	return err;
}
