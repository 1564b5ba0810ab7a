/* SPDX-License-Identifier: MIT */
/* vde_switch (Debian package vde2), spoken to in its own protocol: a request over
 * the control socket says where our datagram socket is, the answer where the
 * switch's is; then a datagram is a frame. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench_run.h"

enum { MAGIC_VERSION = 3, REQUEST_NEW = 0 };

static const uint32_t magic = 0xfeedface;

struct request {
	uint32_t magic;
	uint32_t version;
	uint32_t type;
	struct sockaddr_un data;
	char description[16];
} __attribute__((packed));

static void run_switch(struct run *run)
{
	char dir[200], ports[16];
	int keep[2];

	/* It leaves when its console, standard input, ends. */
	if (pipe(keep) || dup2(keep[0], 0) < 0)
		bench_die("pipe");
	snprintf(dir, sizeof(dir), "%s/vde", run->dir);
	snprintf(ports, sizeof(ports), "%u", run->silent + 8);
	if (!freopen("/dev/null", "w", stdout))
		bench_die("/dev/null");
	execlp("vde_switch", "vde_switch", "-s", dir, "-n", ports, NULL);
	bench_die("vde_switch (Debian package vde2)");
}

static int connect_ctl(struct run *run)
{
	struct sockaddr_un ctl = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(ctl.sun_path, sizeof(ctl.sun_path), "%s/vde/ctl", run->dir);
	for (int i = 0; i < 1000; i++) {
		if (connect(fd, (struct sockaddr *)&ctl, sizeof(ctl)) == 0)
			return fd;
		bench_wait_ms(5); /* it is still starting, and does not say when it is up */
	}
	bench_die("vde_switch's control socket");
}

/* A port of the switch.  The control connection has to stay open with it. */
static int open_port(struct run *run, unsigned station)
{
	struct request request = { .magic = magic,
				   .version = MAGIC_VERSION,
				   .type = REQUEST_NEW,
				   .description = "bench" };
	struct sockaddr_un ours = { .sun_family = AF_UNIX }, to;
	int ctl = connect_ctl(run), fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(ours.sun_path, sizeof(ours.sun_path), "%s/port%u", run->dir, station);
	request.data = ours;
	if (bind(fd, (struct sockaddr *)&ours, sizeof(ours)) < 0)
		bench_die("binding a port");
	if (send(ctl, &request, sizeof(request), 0) != (ssize_t)sizeof(request) ||
	    recv(ctl, &to, sizeof(to), MSG_WAITALL) != (ssize_t)sizeof(to) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		bench_die("vde_switch's answer");
	return fd;
}

static void run_sender(struct run *run)
{
	uint8_t frame[FRAME_BYTES_LARGE];
	int fd = open_port(run, 1);
	uint64_t serial = 0;

	bench_frame(frame, run->frame_bytes, 0, 1);
	for (;;) {
		serial++;
		memcpy(frame + FRAME_SERIAL_AT, &serial, sizeof(serial));
		if (send(fd, frame, run->frame_bytes, 0) < 0 && errno != ENOBUFS)
			bench_die("sending");
	}
}

static void run_receiver(struct run *run)
{
	uint8_t frame[2048];
	int fd = open_port(run, 0);

	bench_frame(frame, 64, 0xff, 0);
	if (send(fd, frame, 64, 0) != 64)
		bench_die("announcing");
	__atomic_store_n(&run->shared->receiver_ready, 1, __ATOMIC_RELEASE);
	for (;;) {
		if (recv(fd, frame, sizeof(frame), 0) <= 0)
			bench_die("receiving");
		__atomic_store_n(&run->shared->received, run->shared->received + 1,
				 __ATOMIC_RELAXED);
	}
}

static void run_silent(struct run *run)
{
	for (unsigned i = 0; i < run->silent; i++)
		open_port(run, 2 + i);
	__atomic_store_n(&run->shared->silent_ready, 1, __ATOMIC_RELEASE);
	pause();
}

const struct side vde_side = {
	.name = "vde_switch",
	.run_switch = run_switch,
	.run_sender = run_sender,
	.run_receiver = run_receiver,
	.run_silent = run_silent,
};
