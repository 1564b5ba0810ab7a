/* SPDX-License-Identifier: MIT */
/* Many processes and threads, each with a pattern of its own, take turns. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/cpu.h"

enum { THREADS_MAX = 64, ALARM_US = 3000, PAGE_BYTES = 4096 };

struct worker {
	uint64_t seed, end_ms;
	unsigned rounds;
	char lost[160]; /* empty: nothing */
};

static void on_alarm(int number)
{
	(void)number;
	cpu_clobber(0xdead);
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	struct cpu_state want, got;
	volatile char *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (page != MAP_FAILED && !*w->lost &&
	       (cpu_now_ms() < w->end_ms || w->rounds < CPU_PAUSES)) {
		enum cpu_pause pause = (enum cpu_pause)(w->rounds % CPU_PAUSES);
		const char *difference;

		madvise((void *)page, PAGE_BYTES, MADV_DONTNEED);
		cpu_pattern(&want, w->seed + w->rounds++);
		cpu_round(&want, &got, pause, page);
		difference = cpu_difference(&want, &got);
		if (difference)
			snprintf(w->lost, sizeof(w->lost), "round %u, pause %d: %s",
				 w->rounds, (int)pause, difference);
	}
	return NULL;
}

static int process(unsigned number, int threads, uint64_t end_ms, bool signals, int out)
{
	struct itimerval timer = { { 0, ALARM_US }, { 0, ALARM_US } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct worker workers[THREADS_MAX] = { 0 };
	pthread_t ids[THREADS_MAX];
	uint64_t rounds = 0;

	if (signals) {
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &timer, NULL);
	}
	for (int i = 0; i < threads; i++) {
		workers[i].seed = ((uint64_t)number << 48) | ((uint64_t)i << 32);
		workers[i].end_ms = end_ms;
		if (pthread_create(&ids[i], NULL, work, &workers[i]))
			return 1;
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		rounds += workers[i].rounds;
		if (*workers[i].lost) {
			fprintf(stderr, "process %u, thread %d: %s\n", number, i,
				workers[i].lost);
			return 1;
		}
	}
	return write(out, &rounds, sizeof(rounds)) != sizeof(rounds);
}

/* Every second process is also interrupted by signals, unless there are to be none. */
int cpu_test_switches(char **args)
{
	int numbers[3] = { 8, 4, 3000 }, given = 0, failed = 0, ends[2], status;
	uint64_t end_ms, rounds, all = 0;
	bool still;

	for (; given < 3 && args[given]; given++)
		numbers[given] = (int)strtol(args[given], NULL, 10);
	still = args[given] && !strcmp(args[given], "still");
	if (numbers[1] > THREADS_MAX || pipe(ends))
		return 2;
	end_ms = cpu_now_ms() + (uint64_t)numbers[2];
	for (int i = 0; i < numbers[0]; i++)
		if (fork() == 0)
			_exit(process((unsigned)i + 1, numbers[1], end_ms,
				      !still && i % 2, ends[1]));
	close(ends[1]);
	while (wait(&status) > 0)
		failed += status != 0;
	while (read(ends[0], &rounds, sizeof(rounds)) == sizeof(rounds))
		all += rounds;
	printf("%s: %d processes of %d threads%s, %llu rounds, %d processes lost state\n",
	       cpu_widest(), numbers[0], numbers[1], still ? " without signals" : "",
	       (unsigned long long)all, failed);
	return failed || !all;
}
