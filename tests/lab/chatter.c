/* SPDX-License-Identifier: MIT */
/* chatter ADDRESS COUNT - multicast datagrams at random times, and say what comes
 *
 * Five of these on a LAN are a small distributed program: each sends COUNT datagrams to
 * a group, waiting for a random time before each (from the machine's own entropy), and
 * prints what it hears with the time.  Any difference between two runs shows.  It waits
 * with poll() and a timerfd, as event loops do. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 7700, PAUSE_MS_MAX = 200 };

static const char group[] = "239.7.7.7";

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_socket(const char *address)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct ip_mreq membership;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	membership.imr_multiaddr.s_addr = inet_addr(group);
	membership.imr_interface.s_addr = inet_addr(address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership,
		       sizeof(membership)) ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &membership.imr_interface,
		       sizeof(membership.imr_interface)))
		fail("socket");
	return fd;
}

static void set_timer(int fd)
{
	struct itimerspec spec = { 0 };
	uint32_t random = 0;
	FILE *file = fopen("/dev/urandom", "r");

	if (!file || fread(&random, sizeof(random), 1, file) != 1)
		fail("/dev/urandom");
	fclose(file);
	spec.it_value.tv_nsec = (long)(random % (PAUSE_MS_MAX * 1000000)) + 1;
	if (timerfd_settime(fd, 0, &spec, NULL))
		fail("timerfd_settime");
}

static void hear(int fd)
{
	char text[64];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	struct timespec now;

	if (n < 0)
		fail("recv");
	text[n] = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	printf("%lld.%09ld %s\n", (long long)now.tv_sec, now.tv_nsec, text);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd, timer, left;

	if (argc != 3)
		return 2;
	fd = open_socket(argv[1]);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	left = (int)strtol(argv[2], NULL, 10);
	to.sin_addr.s_addr = inet_addr(group);
	set_timer(timer);
	while (left > 0) {
		struct pollfd fds[2] = { { fd, POLLIN, 0 }, { timer, POLLIN, 0 } };
		uint64_t expirations;

		if (poll(fds, 2, -1) < 0)
			fail("poll");
		if (fds[0].revents)
			hear(fd);
		if (fds[1].revents && read(timer, &expirations, 8) == 8) {
			char text[64];
			int n = snprintf(text, sizeof(text), "%s %d", argv[1], left--);

			if (sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&to,
				   sizeof(to)) != n)
				fail("sendto");
			set_timer(timer);
		}
	}
	return 0;
}
