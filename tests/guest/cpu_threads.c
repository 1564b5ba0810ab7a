/* SPDX-License-Identifier: MIT */
/* Threads as programs use them: made and joined by the hundred, behind mutexes, condition
 * variables and barriers, with storage of their own, and dying with a lock in their
 * hands. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/cpu.h"

enum {
	CROWD = 16,
	ADDS = 20000,
	TURNS = 500,
	STORM_ROUNDS = 40,
	STORM = 25,
	HANDOVERS = 2000
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static unsigned long counter;
static int turn;
static __thread unsigned long own;
static pthread_barrier_t barrier;

static int failed(const char *what)
{
	fprintf(stderr, "threads: %s\n", what);
	return 1;
}

/* Start CROWD threads with their numbers, join them; how many did not return NULL? */
static int crowd(void *(*run)(void *))
{
	pthread_t ids[CROWD];
	void *result;
	int bad = 0;

	for (long i = 0; i < CROWD; i++)
		if (pthread_create(&ids[i], NULL, run, (void *)i))
			return CROWD;
	for (int i = 0; i < CROWD; i++)
		bad += pthread_join(ids[i], &result) || result;
	return bad;
}

static void *add(void *number)
{
	(void)number;
	for (int i = 0; i < ADDS; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
		own++;
	}
	return own == ADDS ? NULL : &own;
}

static int test_mutex_and_tls(void)
{
	counter = 0;
	if (crowd(add))
		return failed("a thread's own storage is somebody else's too");
	return counter == (unsigned long)CROWD * ADDS ? 0 : failed("a mutex let two in");
}

/* Each waits for its turn and passes it on. */
static void *take_turns(void *number)
{
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&lock);
		while (turn % CROWD != (long)number)
			pthread_cond_wait(&turned, &lock);
		turn++;
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static int test_condition(void)
{
	turn = 0;
	return crowd(take_turns) || turn != CROWD * TURNS ? failed("turns got lost") : 0;
}

static void *meet(void *number)
{
	static volatile int there[CROWD];

	for (int i = 1; i <= TURNS; i++) {
		there[(long)number] = i;
		pthread_barrier_wait(&barrier);
		for (int j = 0; j < CROWD; j++)
			if (there[j] < i)
				return number ? number : (void *)-1;
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static int test_barrier(void)
{
	pthread_barrier_init(&barrier, NULL, CROWD);
	return crowd(meet) ? failed("a barrier opened early") : 0;
}

static void *one(void *number)
{
	__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
	return number;
}

static int test_storm(void)
{
	pthread_t ids[STORM];
	void *result;

	counter = 0;
	for (int round = 0; round < STORM_ROUNDS; round++) {
		for (long i = 0; i < STORM; i++)
			if (pthread_create(&ids[i], NULL, one, (void *)i))
				return failed("pthread_create");
		for (long i = 0; i < STORM; i++)
			if (pthread_join(ids[i], &result) || result != (void *)i)
				return failed("a thread returned another's value");
	}
	return counter == STORM * STORM_ROUNDS ? 0 : failed("threads got lost");
}

/* Two processes hand a semaphore in shared memory to and fro: futexes across processes.
 */
static int test_between_processes(void)
{
	sem_t *ends = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	int status = -1;
	pid_t pid;

	if (ends == MAP_FAILED || sem_init(&ends[0], 1, 0) || sem_init(&ends[1], 1, 0))
		return failed("semaphores");
	pid = fork();
	if (!pid) {
		for (int i = 0; i < HANDOVERS; i++)
			if (sem_wait(&ends[0]) || sem_post(&ends[1]))
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < HANDOVERS; i++)
		if (sem_post(&ends[0]) || sem_wait(&ends[1]))
			return failed("hand over");
	return waitpid(pid, &status, 0) == pid && !status ? 0
							  : failed("the other process");
}

static int take_and_die(pthread_mutex_t *mutex, int *held)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (pthread_mutex_lock(mutex))
		_exit(1);
	*held = 1;
	_exit(0);
}

/* A process ends with the lock: the kernel tells the next one. */
static int test_robust(void)
{
	struct shared {
		pthread_mutex_t mutex;
		int held;
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	pthread_mutexattr_t attr;
	int status;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < 50; i++) {
		memset(shared, 0, sizeof(*shared));
		pthread_mutex_init(&shared->mutex, &attr);
		waitpid(take_and_die(&shared->mutex, &shared->held), &status, 0);
		if (!shared->held || pthread_mutex_lock(&shared->mutex) != EOWNERDEAD ||
		    pthread_mutex_consistent(&shared->mutex) ||
		    pthread_mutex_unlock(&shared->mutex))
			return failed("the lock of a dead process");
	}
	return 0;
}

_Noreturn static void *forever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

static int test_cancel(void)
{
	pthread_t id;
	void *result;

	for (int i = 0; i < 100; i++)
		if (pthread_create(&id, NULL, forever, NULL) || pthread_cancel(id) ||
		    pthread_join(id, &result) || result != PTHREAD_CANCELED)
			return failed("cancel");
	return 0;
}

int cpu_test_threads(char **args)
{
	static int (*const all[])(void) = {
		test_mutex_and_tls,	test_condition, test_barrier, test_storm,
		test_between_processes, test_robust,	test_cancel
	};

	(void)args;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]())
			return 1;
	printf("%d threads, %d made and joined, %d turns, %d handovers between "
	       "processes\n",
	       CROWD, STORM * STORM_ROUNDS, CROWD * TURNS, HANDOVERS);
	return 0;
}
