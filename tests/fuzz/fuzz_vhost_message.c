/* SPDX-License-Identifier: MIT */
/* A whole front end by a fuzzer: messages with descriptors, kicks, memory that
 * changes and shrinks; against a network card or a console, with the lab sending to the
 * guest in between; in real time or in virtual time, where the guest also speaks to its
 * calendar and answers on its slave channel.
 *
 * Input: device (1 byte: bits 0-1 kind, bit 2 virtual time), then records: what (1 byte),
 * descriptors (1 byte: count in bits 0-3, kind in 4-6, acknowledgement wanted in 7), size
 * (2 bytes), bytes.  What below 200 is a request of that number, with a proper header. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "clock/vtime_internal.h"
#include "device/vconsole.h"
#include "vhost/vhost_message.h"
#include "device/vnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY = 256 * 1024,
	RECORDS_MAX = 96,

	RAW = 200, /* the header, too, is in the bytes */
	WRITE,	   /* to guest memory: offset (3 bytes), bytes */
	KICK,
	SEND, /* from the lab to the guest */
	CUT,  /* the memory file short */
	TURN,
	ANSWER,	  /* on the slave channel: the bytes, whatever they are */
	CALENDAR, /* to the calendar: likewise */
	TIME,	  /* the calendar's messages, well formed: op (1 byte), time (8 bytes) */
};

enum { DEVICE_NET, DEVICE_CONSOLE, DEVICES, DEVICE_MASK = 3, VIRTUAL = 4 };

enum { FD_EVENT, FD_MEMORY, FD_PIPE, FD_SOCKET, FD_FILE, FDS };

static struct loop *loop;
static char path[64];
static int fds[FDS], sock_peer, pipe_reader;
static struct vnet *vnet;
static struct vconsole *vconsole;
static unsigned deaths;
static bool calendar_broken;

/* In virtual time. */
static struct clock *host;
static struct vtime *vtime;
static int calendar_fd = -1;
static uint32_t calendar_seq;

static void net_up(void *ctx)
{
	(void)ctx;
}

static uint32_t sum;

static unsigned net_frame(void *ctx, const uint8_t *bytes, uint32_t size)
{
	(void)ctx;
	ASSERT(size <= VNET_FRAME_BYTES_MAX);
	for (uint32_t i = 0; i < size; i++)
		sum += bytes[i];
	vnet_send(vnet, bytes, size); /* back where it came from */
	return 0;
}

static void net_batch_end(void *ctx)
{
	(void)ctx;
	vnet_flush(vnet);
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	(void)ctx;
	(void)broken;
	ASSERT(++deaths == 1 && why[0]);
}

static const struct vnet_ops net_ops = {
	.up = net_up,
	.frame = net_frame,
	.batch_end = net_batch_end,
	.writable = net_batch_end,
	.dead = on_dead,
};

static void console_open(void *ctx, bool open)
{
	(void)ctx;
	(void)open;
	vconsole_resume(vconsole);
}

static size_t console_bytes(void *ctx, const uint8_t *bytes, size_t size)
{
	(void)ctx;
	vconsole_write(vconsole, bytes, size);
	return size - size / 3;
}

static void console_writable(void *ctx)
{
	(void)ctx;
}

static const struct vconsole_ops console_ops = {
	.open = console_open,
	.bytes = console_bytes,
	.writable = console_writable,
	.dead = on_dead,
};

static void on_calendar_broken(void *ctx, uint32_t guest, const char *why)
{
	(void)ctx;
	ASSERT(guest == 0 && why[0] && !calendar_broken);
	calendar_broken = true;
}

static void on_stuck(void *ctx, uint32_t guest, const char *doing)
{
	(void)ctx;
	(void)guest;
	(void)doing;
}

static const struct vtime_ops vtime_ops = { on_calendar_broken, on_stuck,
					    console_writable };

static void set_up(void)
{
	struct why why;
	int pair[2];

	ASSERT(loop_create(&loop, &why) == 0);
	ASSERT(clock_fake_create(&host, &why) == 0);
	snprintf(path, sizeof(path), "/tmp/netlab-fuzz-%d", (int)getpid());
	unlink(path);
	fds[FD_EVENT] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fds[FD_MEMORY] = memfd_create("fuzz", MFD_CLOEXEC);
	ASSERT(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
	fds[FD_PIPE] = pair[1];
	pipe_reader = pair[0];
	fds[FD_FILE] = open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void turn(void)
{
	ASSERT(loop_turn(loop, 0) >= 0);
}

static int connect_at(const char *at)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, at, strlen(at));
	ASSERT(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

struct sent_record {
	uint8_t what, how;
	uint16_t size;
	const uint8_t *bytes;
};

static void send_message(int fd, const struct sent_record *r)
{
	struct vhost_header header = { r->what, VHOST_VERSION, r->size };
	unsigned count = r->how & 15, kind = (r->how >> 4 & 7) % FDS;
	union {
		char bytes[CMSG_SPACE(16 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec parts[2] = {
		{ .iov_base = &header, .iov_len = r->what == RAW ? 0 : sizeof(header) },
		{ .iov_base = (void *)r->bytes, .iov_len = r->size },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	if (r->how & 0x80)
		header.flags |= VHOST_FLAG_NEED_REPLY;
	if (count) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(count * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		for (unsigned i = 0; i < count; i++)
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)) + i * sizeof(int),
			       &fds[kind], sizeof(int));
	}
	sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_time(uint32_t op, uint64_t time)
{
	struct tt_message m = { .op = op, .seq = ++calendar_seq, .time = time };

	send(calendar_fd, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
	turn();
}

/* The guest's side of the calendar: connected, and its turn. */
static void begin_time(void)
{
	struct vtime_config config = {
		.loop = loop, .host = host, .guest_count = 1, .ops = &vtime_ops
	};
	char at[80];
	struct why why;

	calendar_broken = false;
	snprintf(at, sizeof(at), "%s-clock", path);
	unlink(at);
	ASSERT(vtime_create(&vtime, &config, &why) == 0);
	ASSERT(vtime_guest_open(vtime, 0, at, &why) == 0);
	calendar_fd = connect_at(at);
	turn();
	say_time(TT_START, 0);
	turn();
	vtime_want(vtime);
}

static void end_time(void)
{
	vtime_destroy(vtime);
	vtime = NULL;
	close(calendar_fd);
}

/* What the calendar says is acknowledged, as a kernel does it. */
static void hear_time(void)
{
	struct tt_message m;

	while (recv(calendar_fd, &m, sizeof(m), MSG_DONTWAIT) == sizeof(m))
		if (m.op != TT_ACK) {
			m.op = TT_ACK;
			send(calendar_fd, &m, sizeof(m), MSG_NOSIGNAL | MSG_DONTWAIT);
		}
}

static void send_to_guest(const struct sent_record *r)
{
	static const uint8_t frame[8 * UINT8_MAX];

	if (vnet) {
		vnet_send(vnet, frame, r->how * 8u);
		vnet_flush(vnet);
		vnet_set_carrier(vnet, r->size & 1);
	} else if (vconsole) {
		vconsole_write(vconsole, frame, r->how * 8u);
		vconsole_resume(vconsole);
	}
}

static void do_record(int fd, const struct sent_record *r)
{
	const uint64_t one = 1;
	uint64_t time = 0;
	size_t offset;

	switch (r->what) {
	case WRITE:
		if (r->size < 3)
			return;
		offset = r->bytes[0] | r->bytes[1] << 8 | (r->bytes[2] & 3) << 16;
		if (pwrite(fds[FD_MEMORY], r->bytes + 3, r->size - 3u, (off_t)offset) < 0)
			return;
		return;
	case KICK:
		if (write(fds[FD_EVENT], &one, sizeof(one)) < 0)
			return;
		turn();
		return;
	case SEND:
		send_to_guest(r);
		return;
	case CUT:
		ASSERT(ftruncate(fds[FD_MEMORY], r->how * 1024) == 0);
		return;
	case TURN:
		turn();
		return;
	case ANSWER:
		send(sock_peer, r->bytes, r->size, MSG_NOSIGNAL | MSG_DONTWAIT);
		turn();
		return;
	case CALENDAR:
		send(calendar_fd, r->bytes, r->size, MSG_NOSIGNAL | MSG_DONTWAIT);
		turn();
		return;
	case TIME:
		memcpy(&time, r->bytes, r->size < 8 ? r->size : 8);
		say_time(r->how, time);
		return;
	default:
		send_message(fd, r);
		turn();
	}
}

static void create(unsigned device)
{
	struct vtime_guest *guest = vtime ? vtime_guest(vtime, 0) : NULL;
	struct vnet_config net_config = {
		.name = "fuzz:eth0", .path = path, .mtu_bytes = 1500, .guest = guest
	};
	struct vconsole_config console_config = { .name = "fuzz:agent",
						  .path = path,
						  .guest = guest };
	struct why why = { .text = "" };

	vnet = NULL;
	vconsole = NULL;
	if (device == DEVICE_CONSOLE)
		ASSERT(vconsole_create(&vconsole, loop, &console_config, &console_ops,
				       NULL, &why) == 0);
	else
		ASSERT(vnet_create(&vnet, loop, &net_config, &net_ops, NULL, &why) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char drained[4096];
	int fd, lowest, lowest_after, pair[2];

	if (!loop)
		set_up();
	if (size < 1)
		return 0;
	/* A slave channel, whose ends are closed by what happens to it. */
	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	fds[FD_SOCKET] = pair[1];
	sock_peer = pair[0];
	lowest = dup(fds[FD_EVENT]);
	close(lowest);
	deaths = 0;
	ASSERT(ftruncate(fds[FD_MEMORY], 0) == 0);
	ASSERT(ftruncate(fds[FD_MEMORY], MEMORY) == 0);
	if (data[0] & VIRTUAL)
		begin_time();
	create((data[0] & DEVICE_MASK) % DEVICES);
	fd = connect_at(path);
	turn();
	data++;
	size--;
	for (int i = 0; i < RECORDS_MAX && size >= 4; i++) {
		struct sent_record r = { data[0], data[1], (uint16_t)(data[2] | data[3] << 8),
				    data + 4 };

		data += 4;
		size -= 4;
		if (r.size > size)
			r.size = (uint16_t)size;
		data += r.size;
		size -= r.size;
		do_record(fd, &r);
		if (vtime)
			hear_time();
		while (recv(fd, drained, sizeof(drained), MSG_DONTWAIT) > 0)
			;
	}
	for (int i = 0; i < 4; i++)
		turn();
	vnet_destroy(vnet);
	vconsole_destroy(vconsole);
	if (vtime)
		end_time();
	close(fd);
	while (read(pipe_reader, drained, sizeof(drained)) > 0)
		;
	/* Nothing kept. */
	lowest_after = dup(fds[FD_EVENT]);
	close(lowest_after);
	ASSERT(lowest == lowest_after);
	close(fds[FD_SOCKET]);
	close(sock_peer);
	return 0;
}
