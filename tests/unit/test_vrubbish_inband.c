/* SPDX-License-Identifier: MIT */
/* Rubbish from a guest in virtual time: it costs that guest its port, with the reason,
 * time passes for the others, and no descriptor is left over. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lib/inband_rig.h"
#include "vhost/vhost_user.h"

enum { RX, TX };

static struct port good, bad; /* of machines 0 and 1 */
static struct fake_guest *g;  /* bad.guest */

enum when {
	AT_ONCE,    /* connected, and nothing said yet */
	NEGOTIATED, /* features agreed on, but no slave channel */
	RUNNING,    /* rings run, and it is its turn */
	WAITING,    /* rings run, and it waits for its turn */
	CALLED,	    /* likewise, and a call for its receive ring is there */
};

struct rubbish {
	const char *name;
	void (*make)(void);
	enum when when;
	const char *reason; /* part of it */
};

/* ---- what can be said ---- */

static void say(uint32_t request, uint32_t flags, const void *payload, uint32_t size)
{
	fake_send(g, request, flags, payload, size, NULL, 0);
}

static void kick_of(uint32_t ring, uint32_t flags)
{
	struct vhost_vring_state state = { ring, 0 };

	say(VHOST_VRING_KICK, flags, &state, sizeof(state));
}

static void kick_before_negotiation(void)
{
	kick_of(TX, VHOST_FLAG_NEED_REPLY);
}

static void kick_that_wants_no_reply(void)
{
	kick_of(TX, 0);
}

static void kick_of_a_ring_that_is_not(void)
{
	kick_of(2, VHOST_FLAG_NEED_REPLY);
}

static void kick_of_a_huge_ring(void)
{
	kick_of(UINT32_MAX, VHOST_FLAG_NEED_REPLY);
}

static void kick_cut_short(void)
{
	say(VHOST_VRING_KICK, VHOST_FLAG_NEED_REPLY, "four", 4);
}

static void kick_with_a_descriptor(void)
{
	struct vhost_vring_state state = { TX, 0 };
	int fd = eventfd(0, EFD_CLOEXEC);

	fake_send(g, VHOST_VRING_KICK, VHOST_FLAG_NEED_REPLY, &state, sizeof(state), &fd,
		  1);
	close(fd);
}

static void two_kicks_at_once(void)
{
	kick_of(TX, VHOST_FLAG_NEED_REPLY);
	kick_of(TX, VHOST_FLAG_NEED_REPLY);
}

static void flood_of_kicks(void)
{
	for (int i = 0; i < 10000; i++) {
		struct vhost_header header = { VHOST_VRING_KICK,
					       VHOST_VERSION | VHOST_FLAG_NEED_REPLY, 8 };
		uint8_t kick[20] = { 0 };

		memcpy(kick, &header, sizeof(header));
		if (send(g->fd, kick, sizeof(kick), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	}
}

static void enabling_and_kicking_at_once(void)
{
	struct vhost_vring_state state = { TX, 1 };

	say(VHOST_SET_VRING_ENABLE, VHOST_FLAG_NEED_REPLY, &state, sizeof(state));
	kick_of(TX, VHOST_FLAG_NEED_REPLY);
}

static void kick_with_rubbish_in_the_ring(void)
{
	fake_avail_push(g, TX, 9999);
	kick_of(TX, VHOST_FLAG_NEED_REPLY);
}

static void no_inband(void)
{
	uint64_t features =
		1u << VHOST_PROTOCOL_REPLY_ACK | 1u << VHOST_PROTOCOL_SLAVE_REQ;

	say(VHOST_SET_PROTOCOL_FEATURES, 0, &features, sizeof(features));
}

static void inband_without_acknowledgements(void)
{
	uint64_t features = 1u << VHOST_PROTOCOL_INBAND | 1u << VHOST_PROTOCOL_SLAVE_REQ;

	say(VHOST_SET_PROTOCOL_FEATURES, 0, &features, sizeof(features));
}

static void inband_taken_back(void)
{
	no_inband();
}

static void say_fd(uint32_t request, int fd)
{
	uint64_t index = 0;

	fake_send(g, request, 0, &index, sizeof(index), &fd, 1);
	close(fd);
}

static void kick_descriptor(void)
{
	say_fd(VHOST_SET_VRING_KICK, eventfd(0, EFD_CLOEXEC));
}

static void call_descriptor(void)
{
	say_fd(VHOST_SET_VRING_CALL, eventfd(0, EFD_CLOEXEC));
}

static void slave_before_negotiation(void)
{
	say_fd(VHOST_SET_SLAVE_REQ_FD, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static void slave_twice(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	say_fd(VHOST_SET_SLAVE_REQ_FD, fds[1]);
	close(fds[0]);
}

static void slave_that_is_a_pipe(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	say_fd(VHOST_SET_SLAVE_REQ_FD, fds[1]);
	close(fds[0]);
}

static void slave_that_is_an_eventfd(void)
{
	say_fd(VHOST_SET_SLAVE_REQ_FD, eventfd(0, EFD_CLOEXEC));
}

static void slave_that_is_a_file(void)
{
	say_fd(VHOST_SET_SLAVE_REQ_FD, memfd_create("slave", MFD_CLOEXEC));
}

static void slave_that_is_of_datagrams(void)
{
	say_fd(VHOST_SET_SLAVE_REQ_FD, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static void slave_that_is_of_the_internet(void)
{
	say_fd(VHOST_SET_SLAVE_REQ_FD, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static void slave_that_is_not_connected(void)
{
	say_fd(VHOST_SET_SLAVE_REQ_FD, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static void slave_closed_and_going_on(void)
{
	close(steal_fd(&g->slave_fd));
	inband_turn(3);
	assert_int_equal(bad.deaths, 0);
	say(VHOST_GET_FEATURES, 0, NULL, 0);
}

static void answer_with(uint32_t request, uint32_t flags, uint32_t size, uint64_t status)
{
	struct {
		struct vhost_header header;
		uint64_t status;
	} __attribute__((packed)) answer = { { request, flags, size }, status };

	send(g->slave_fd, &answer, sizeof(answer.header) + (size < 8 ? size : 8),
	     MSG_NOSIGNAL);
}

enum { REPLY = VHOST_VERSION | VHOST_FLAG_REPLY };

static void answer_to_nothing(void)
{
	answer_with(VHOST_SLAVE_VRING_CALL, REPLY, 8, 0);
}

static void answer_to_something_else(void)
{
	answer_with(VHOST_SLAVE_CONFIG_CHANGE, REPLY, 8, 0);
}

static void answer_twice(void)
{
	answer_with(VHOST_SLAVE_VRING_CALL, REPLY, 8, 0);
	answer_with(VHOST_SLAVE_VRING_CALL, REPLY, 8, 0);
}

static void answer_that_refuses(void)
{
	answer_with(VHOST_SLAVE_VRING_CALL, REPLY, 8, 1);
}

static void answer_of_four_bytes(void)
{
	answer_with(VHOST_SLAVE_VRING_CALL, REPLY, 4, 0);
}

static void answer_of_4_gigabytes(void)
{
	answer_with(VHOST_SLAVE_VRING_CALL, REPLY, UINT32_MAX, 0);
}

static void answer_that_is_a_request(void)
{
	answer_with(VHOST_SLAVE_VRING_CALL, VHOST_VERSION, 8, 0);
}

static void answer_of_another_version(void)
{
	answer_with(VHOST_SLAVE_VRING_CALL, VHOST_FLAG_REPLY | 2, 8, 0);
}

static void answer_with_a_descriptor(void)
{
	struct {
		struct vhost_header header;
		uint64_t status;
	} __attribute__((packed)) answer = { { VHOST_SLAVE_VRING_CALL, REPLY, 8 }, 0 };
	int on_connection = g->fd, fd = eventfd(0, EFD_CLOEXEC);

	g->fd = g->slave_fd;
	fake_send(g, VHOST_SLAVE_VRING_CALL, VHOST_FLAG_REPLY, &answer.status, 8, &fd, 1);
	g->fd = on_connection;
	close(fd);
}

static void frames_to(struct port *port)
{
	uint8_t frame[60] = { 0 };

	vnet_send(port->vnet, frame, sizeof(frame));
	vnet_flush(port->vnet);
}

/* Its end of the channel, which it shares with us, is filled before we come. */
static void slave_that_is_full(void)
{
	int fds[2], size = 1;
	char bytes[64] = { 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (send(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	g->slave_fd = fds[0];
	say_fd(VHOST_SET_SLAVE_REQ_FD, fds[1]);
	inband_turn(3);
	assert_int_equal(fake_set_memory(g), 0);
	assert_int_equal(fake_start_rings(g), 0);
	port_post(&bad, 2, 256);
	frames_to(&bad);
	machine_wait(1, 3000);
}

#define RUBBISH(f, when, reason)                                                         \
	{                                                                                \
#f, f, when, reason                                                      \
	}

static const struct rubbish kinds[] = {
	RUBBISH(kick_before_negotiation, AT_ONCE,
		"VRING_KICK: transmit ring: a kick in a message that was not negotiated"),
	RUBBISH(kick_that_wants_no_reply, RUNNING, "a message that wants no reply"),
	RUBBISH(kick_of_a_ring_that_is_not, RUNNING, "ring 2, but the device has 2"),
	RUBBISH(kick_of_a_huge_ring, RUNNING, "ring 4294967295, but"),
	RUBBISH(kick_cut_short, RUNNING, "VRING_KICK with 4 bytes"),
	RUBBISH(kick_with_a_descriptor, RUNNING, "VRING_KICK with 1 descriptors"),
	RUBBISH(two_kicks_at_once, RUNNING, "a kick while kicking"),
	RUBBISH(flood_of_kicks, RUNNING, "a kick while kicking"),
	RUBBISH(enabling_and_kicking_at_once, RUNNING, "a kick while kicking"),
	RUBBISH(kick_before_negotiation, WAITING, "VRING_KICK: a kick while waiting"),
	RUBBISH(kick_with_rubbish_in_the_ring, RUNNING,
		"transmit ring: available entry 0 names descriptor 9999"),
	RUBBISH(no_inband, AT_ONCE, "its kernel has no in-band notifications"),
	RUBBISH(inband_without_acknowledgements, AT_ONCE,
		"its kernel has no in-band notifications"),
	RUBBISH(inband_taken_back, RUNNING, "its kernel has no in-band notifications"),
	RUBBISH(kick_descriptor, RUNNING,
		"SET_VRING_KICK: receive ring: a descriptor for "
		"notifications"),
	RUBBISH(kick_descriptor, AT_ONCE, "a descriptor for notifications"),
	RUBBISH(call_descriptor, NEGOTIATED, "a descriptor for notifications"),
	RUBBISH(slave_before_negotiation, AT_ONCE, "a slave channel before"),
	RUBBISH(slave_twice, RUNNING, "a second slave channel"),
	RUBBISH(slave_that_is_a_pipe, NEGOTIATED, "is not a stream socket"),
	RUBBISH(slave_that_is_an_eventfd, NEGOTIATED, "is not a stream socket"),
	RUBBISH(slave_that_is_a_file, NEGOTIATED, "is not a stream socket"),
	RUBBISH(slave_that_is_of_datagrams, NEGOTIATED, "is not a stream socket"),
	RUBBISH(slave_that_is_of_the_internet, NEGOTIATED, "is not a stream socket"),
	RUBBISH(slave_that_is_not_connected, NEGOTIATED, "reading a message"),
	RUBBISH(slave_that_is_full, NEGOTIATED, "does not read its slave channel"),
	RUBBISH(slave_closed_and_going_on, RUNNING,
		"has closed its slave channel and goes on"),
	RUBBISH(slave_closed_and_going_on, CALLED,
		"has closed its slave channel and goes on"),
	RUBBISH(answer_to_nothing, RUNNING, "where nothing was asked"),
	RUBBISH(answer_to_nothing, WAITING, "where nothing was asked"),
	RUBBISH(answer_to_something_else, CALLED, "an answer to request 2"),
	RUBBISH(answer_twice, CALLED, "where nothing was asked"),
	RUBBISH(answer_that_refuses, CALLED, "it refuses request 4"),
	RUBBISH(answer_of_four_bytes, CALLED, "an answer of 4 bytes"),
	RUBBISH(answer_of_4_gigabytes, CALLED, "4294967295 bytes; the most is"),
	RUBBISH(answer_that_is_a_request, CALLED, "not a reply's"),
	RUBBISH(answer_of_another_version, CALLED, "not a reply's"),
	RUBBISH(answer_with_a_descriptor, CALLED, "with 1 descriptors"),
};

/* ---- what is to come of it ---- */

static void bad_begin(enum when when)
{
	machine_boot(1);
	if (when >= RUNNING) {
		inband_port_boot(&bad, 1, "bad:eth0", 0);
		port_post(&bad, 4, 256);
	} else {
		port_create_in(&bad, &inband.rig, "bad:eth0", machine_guest(1));
		port_connect(&bad, (struct fake_options){ .inband = true });
		g = bad.guest;
		if (when == NEGOTIATED) {
			uint64_t features = 1u << VHOST_PROTOCOL_INBAND |
					    1u << VHOST_PROTOCOL_REPLY_ACK |
					    1u << VHOST_PROTOCOL_SLAVE_REQ;

			say(VHOST_SET_PROTOCOL_FEATURES, 0, &features, sizeof(features));
			g->protocol_features =
				features & ~(1u << VHOST_PROTOCOL_REPLY_ACK);
			inband_turn(2);
		}
	}
	g = bad.guest;
	if (when >= WAITING)
		machine_wait(1, 3000);
	if (when == CALLED) {
		struct vhost_message m;

		frames_to(&bad);
		inband_turn(5);
		assert_int_equal(fake_hear_call(g, &m), 1);
	}
	inband.mute = true;
}

static void time_passes_for_the_good_one(void)
{
	machine_end(1);
	vtime_want(inband.vtime);
	loop_again(inband.rig.loop);
	inband_turn(20);
	assert_true(inband.machine[0].running);
	inband.mute = false;
	frames_to(&good);
	assert_true(fake_net_send(good.guest, "frame", 5, 0));
	fake_kick(good.guest, TX);
	assert_int_equal(good.frames, 1);
	assert_int_equal(good.deaths, 0);
}

static void check(const struct rubbish *r)
{
	unsigned fds;
	void *state = NULL;

	inband_begin(&state);
	machine_boot(0);
	inband_port_boot(&good, 0, "n1:eth0", 0);
	port_post(&good, 4, 256);
	machine_wait(0, 1000);
	fds = fds_open();
	bad_begin(r->when);
	r->make();
	inband_turn(6);
	if (bad.deaths != 1 || !bad.broken || !strstr(bad.why, r->reason))
		fail_msg("%s: deaths %u, why '%s'; expected '%s'", r->name, bad.deaths,
			 bad.why, r->reason);
	bad.more_pump = NULL;
	while (recv(g->fd, bad.frame, sizeof(bad.frame), MSG_DONTWAIT) > 0)
		;
	assert_true(fake_hung_up(g));
	port_destroy(&bad);
	time_passes_for_the_good_one();
	assert_int_equal(fds_open(), fds);
	port_destroy(&good);
	inband_end(&state);
}

static void each_kind_of_rubbish_kills_its_own_port_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		check(&kinds[i]);
}

static void a_guest_that_does_not_read_our_replies_is_given_up(void **state)
{
	int size = 1;

	inband_begin(state);
	machine_boot(1);
	inband_port_boot(&bad, 1, "bad:eth0", 0);
	g = bad.guest;
	/* Only the device's end has a size that counts, and it is not for us to set:
	 * answers pile up until it is full. */
	setsockopt(g->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (int i = 0; i < 100000 && !bad.deaths; i++) {
		kick_of(TX, VHOST_FLAG_NEED_REPLY);
		inband_turn(3);
	}
	assert_int_equal(bad.deaths, 1);
	assert_non_null(strstr(bad.why, "it does not read our replies"));
	port_destroy(&bad);
	inband_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_rubbish_kills_its_own_port_only),
		cmocka_unit_test(a_guest_that_does_not_read_our_replies_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
