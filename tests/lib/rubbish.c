/* SPDX-License-Identifier: MIT */
#include "lib/rubbish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "vhost/vhost_user.h"

struct port bad;
struct fake_guest *g;

static struct rig rig;
static struct port good[2];

void good_ports_still_talk(void)
{
	static uint8_t serial;
	uint8_t frame[100], got[100];

	memset(frame, ++serial, sizeof(frame));
	port_post(&good[1], 1, 256);
	assert_true(fake_net_send(good[0].guest, frame, sizeof(frame), 0));
	fake_kick_if_wanted(good[0].guest, TX);
	rig_turn(&rig, 3);
	assert_int_equal(fake_net_receive(good[1].guest, got, sizeof(got)), sizeof(got));
	assert_memory_equal(frame, got, sizeof(got));
	assert_int_equal(good[0].deaths + good[1].deaths, 0);
}

int rubbish_begin(void **state)
{
	(void)state;
	rig_begin(&rig);
	port_create(&good[0], &rig, "n1:eth0");
	port_create(&good[1], &rig, "n2:eth0");
	port_boot(&good[0], FAKE_UML, (struct fake_options){ 0 });
	port_boot(&good[1], FAKE_QEMU, (struct fake_options){ 0 });
	good[0].to = &good[1];
	return 0;
}

int rubbish_end(void **state)
{
	(void)state;
	port_destroy(&good[0]);
	port_destroy(&good[1]);
	rig_end(&rig);
	return 0;
}

void say(uint32_t request, const void *payload, uint32_t size)
{
	fake_send(g, request, 0, payload, size, NULL, 0);
}

void say_integer(uint32_t request, uint64_t value)
{
	say(request, &value, sizeof(value));
}

void say_state(uint32_t request, uint32_t index, uint32_t num)
{
	say(request, &(struct vhost_vring_state){ index, num }, 8);
}

void say_with_fds(uint32_t request, uint64_t value, unsigned count)
{
	int fds[16] = { -1 };

	for (unsigned i = 0; i < count; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	fake_send(g, request, 0, &value, sizeof(value), fds, count);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
}

void say_table(uint32_t count, const struct vhost_region *regions, unsigned given,
		      const int *fds, unsigned fd_count)
{
	struct vhost_memory table = { .count = count };

	if (given)
		memcpy(table.regions, regions, given * sizeof(*regions));
	fake_send(g, VHOST_SET_MEM_TABLE, 0, &table,
		  (uint32_t)(8 + given * sizeof(*regions)), fds, fd_count);
}

struct vhost_region fine_region(void)
{
	return (struct vhost_region){ .physical = 0x1000, .size = 4096, .virtual = 0x1000 };
}

void turns(unsigned n)
{
	rig_turn(&rig, n);
}

void bad_connect(struct fake_options options)
{
	port_create(&bad, &rig, "bad:eth0");
	port_connect(&bad, options);
	g = bad.guest;
}

void rubbish_check(const struct rubbish *r)
{
	struct fake_options options = { 0 };
	unsigned fds;

	if (r->when == RUNNING_PLAIN)
		options.decline = VHOST_FEATURE(VRING_F_INDIRECT_DESC);
	fds = fds_open();
	port_create(&bad, &rig, "bad:eth0");
	if (r->when >= RUNNING) {
		port_boot(&bad, FAKE_UML, options);
	} else {
		port_connect(&bad, options);
		if (r->when == NEGOTIATED)
			assert_int_equal(fake_negotiate(bad.guest, FAKE_QEMU), 0);
	}
	g = bad.guest;
	r->make();
	rig_turn(&rig, 4);
	if (bad.deaths != 1 || !bad.broken || !strstr(bad.why, r->reason))
		fail_msg("%s: deaths %u, why '%s'; expected '%s'", r->name, bad.deaths,
			 bad.why, r->reason);
	assert_true(fake_hung_up(g));
	good_ports_still_talk();
	port_destroy(&bad);
	assert_int_equal(fds_open(), fds);
}
