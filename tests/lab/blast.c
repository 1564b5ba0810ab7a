/* SPDX-License-Identifier: MIT */
/* blast.c - numbered datagrams at a steady pace, for the tests of real traffic
 *
 *	blast send ADDRESS PORT COUNT BYTES PER_SECOND
 *	blast sink PORT COUNT SECONDS	print how many came, and the last number
 *
 * Each datagram begins with its number (big-endian, 4 bytes).  Static, so that it
 * runs in any machine.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD_BYTES_MAX = 9000, PAYLOAD_BYTES_MIN = 4 };

static long number(const char *text, long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || n < min || n > max) {
		fprintf(stderr, "blast: %s is not a number from %ld to %ld\n", text, min, max);
		exit(2);
	}
	return n;
}

static int failed(const char *what)
{
	fprintf(stderr, "blast: %s: %s\n", what, strerror(errno));
	return 1;
}

/* A late start of one datagram does not move the next. */
static void wait_until(const struct timespec *start, double seconds)
{
	struct timespec at = *start;

	at.tv_sec += (time_t)seconds;
	at.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static int send_all(char **args)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	long count = number(args[2], 1, 100000000);
	long bytes = number(args[3], PAYLOAD_BYTES_MIN, PAYLOAD_BYTES_MAX);
	long per_second = number(args[4], 1, 10000000);
	/* Finer than a millisecond is for the queue, not for the timer. */
	long batch = per_second > 1000 ? per_second / 1000 : 1;
	static uint8_t payload[PAYLOAD_BYTES_MAX];
	struct timespec start;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)number(args[1], 1, 65535));
	if (inet_pton(AF_INET, args[0], &to.sin_addr) != 1) {
		fprintf(stderr, "blast: %s is no IPv4 address\n", args[0]);
		return 2;
	}
	if (sock < 0 || connect(sock, (struct sockaddr *)&to, sizeof(to)))
		return failed("connect");
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (long i = 0; i < count; i++) {
		uint32_t n = htonl((uint32_t)i);

		if (i % batch == 0)
			wait_until(&start, (double)i / (double)per_second);
		memcpy(payload, &n, sizeof(n));
		/* Nobody listening is no reason to stop. */
		while (send(sock, payload, (size_t)bytes, 0) < 0) {
			struct pollfd room = { .fd = sock, .events = POLLOUT };

			if (errno == ENOBUFS || errno == EAGAIN)
				poll(&room, 1, 10);
			else if (errno != ECONNREFUSED)
				return failed("send");
		}
	}
	return 0;
}

static int sink(char **args)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	long count = number(args[1], 1, 100000000);
	long seconds = number(args[2], 1, 3600);
	static uint8_t payload[PAYLOAD_BYTES_MAX];
	struct timespec start, now;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;
	struct pollfd ready = { .fd = sock, .events = POLLIN };
	uint32_t last = 0;
	long came = 0;

	at.sin_port = htons((uint16_t)number(args[0], 1, 65535));
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof(at)))
		return failed("bind");
	puts("listening");
	fflush(stdout);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (came < count) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > seconds)
			break;
		if (poll(&ready, 1, 100) <= 0)
			continue;
		if (recv(sock, payload, sizeof(payload), 0) >= PAYLOAD_BYTES_MIN) {
			memcpy(&last, payload, sizeof(last));
			came++;
		}
	}
	printf("%ld %u\n", came, ntohl(last));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "send") == 0)
		return send_all(argv + 2);
	if (argc == 5 && strcmp(argv[1], "sink") == 0)
		return sink(argv + 2);
	fprintf(stderr, "usage: blast send ADDRESS PORT COUNT BYTES PER_SECOND\n"
			"       blast sink PORT COUNT SECONDS\n");
	return 2;
}
