/* SPDX-License-Identifier: MIT */
/* What a program in a machine waits for, measured from inside; see README.md.
 *
 *	realtime_guest calls SECONDS		nanoseconds a system call, page fault, pipe
 *						round trip, fork: one line each, "call 3712"
 *	realtime_guest floor SECONDS		on the host: two processes on one processor
 *						that wake one another in turns, as a machine's
 *						kernel and its program do: "floor 2150"
 *	realtime_guest spin SECONDS		pieces of work done a second: "turns 4210.3"
 *	realtime_guest sink PORT		take one connection: "bits 6.4e9" a second
 *	realtime_guest send ADDRESS PORT SECONDS
 *
 * Static, so that it runs in any machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRANSFER_BYTES = 128 << 10, FAULT_PAGES = 1024, CONNECT_TRIES = 200 };

static void die(const char *what)
{
	fprintf(stderr, "realtime_guest: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void one_call(void)
{
	syscall(SYS_getppid);
}

static void thousand_faults(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, FAULT_PAGES * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < FAULT_PAGES; i++)
		((volatile char *)memory)[i * page] = 1;
	munmap(memory, FAULT_PAGES * page);
}

static int there[2], back[2];

static void one_round_trip(void)
{
	char byte = 0;

	if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
		die("pipe");
}

static void one_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		die("fork");
}

/* The best of ten parts: what else the host did in the others is not ours. */
static void measure(const char *name, void (*once)(void), unsigned each, double seconds)
{
	double best = 1e9;

	for (int part = 0; part < 10; part++) {
		double begin = now(), end;
		uint64_t count = 0;

		do {
			for (int i = 0; i < 8; i++)
				once();
			count += 8 * (uint64_t)each;
			end = now();
		} while (end < begin + seconds / 10);
		if ((end - begin) / (double)count < best)
			best = (end - begin) / (double)count;
	}
	printf("%s %.0f\n", name, best * 1e9);
}

static void measure_pipe(double seconds)
{
	char byte;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (pid == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	measure("pipe", one_round_trip, 1, seconds);
	close(there[1]);
	waitpid(pid, NULL, 0);
}

static int *turn;

static void give_turn(int whose)
{
	__atomic_store_n(turn, whose, __ATOMIC_RELEASE);
	syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == whose)
		syscall(SYS_futex, turn, FUTEX_WAIT, whose, NULL, NULL, 0);
}

static void one_turn(void)
{
	give_turn(1);
}

static void measure_floor(double seconds)
{
	cpu_set_t one;
	pid_t pid;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (turn == MAP_FAILED || sched_setaffinity(0, sizeof(one), &one))
		die("floor");
	pid = fork();
	if (pid == 0) {
		while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == 0)
			syscall(SYS_futex, turn, FUTEX_WAIT, 0, NULL, NULL, 0);
		while (*turn != 2)
			give_turn(0);
		_exit(0);
	}
	measure("floor", one_turn, 1, seconds);
	__atomic_store_n(turn, 2, __ATOMIC_RELEASE);
	syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	waitpid(pid, NULL, 0);
}

static void spin(double seconds)
{
	double begin = now(), end;
	uint64_t turns = 0;

	do {
		for (volatile int i = 0; i < 100000; i++)
			;
		turns++;
	} while ((end = now()) < begin + seconds);
	printf("turns %.1f\n", (double)turns / (end - begin));
}

static void sink(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	static char bytes[TRANSFER_BYTES];
	int on = 1, fd, listener = socket(AF_INET, SOCK_STREAM, 0);
	double begin = 0, all = 0;
	ssize_t got;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 1))
		die("listen");
	fd = accept(listener, NULL, NULL);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		if (!begin)
			begin = now();
		all += (double)got;
	}
	printf("bits %.3e\n", all * 8 / (now() - begin));
}

static void send_to(const char *address, const char *port, double seconds)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	static char bytes[TRANSFER_BYTES];
	double end;
	int fd = -1;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		die(address);
	/* The other side may not listen yet. */
	for (int i = 0; i < CONNECT_TRIES; i++) {
		struct timespec pause = { .tv_nsec = 10000000 };

		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			break;
		close(fd);
		fd = -1;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	if (fd < 0)
		die("connect");
	end = now() + seconds;
	while (now() < end)
		if (write(fd, bytes, sizeof(bytes)) < 0)
			die("write");
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "calls")) {
		double seconds = strtod(argv[2], NULL);

		measure("call", one_call, 1, seconds);
		measure("fault", thousand_faults, FAULT_PAGES, seconds);
		measure_pipe(seconds);
		measure("fork", one_fork, 1, seconds);
	} else if (!strcmp(what, "floor")) {
		measure_floor(strtod(argv[2], NULL));
	} else if (!strcmp(what, "spin")) {
		spin(strtod(argv[2], NULL));
	} else if (!strcmp(what, "sink")) {
		sink(argv[2]);
	} else if (!strcmp(what, "send") && argc == 5) {
		send_to(argv[2], argv[3], strtod(argv[4], NULL));
	} else {
		fprintf(stderr, "realtime_guest: see its first lines\n");
		return 2;
	}
	return 0;
}
