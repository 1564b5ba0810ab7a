/* SPDX-License-Identifier: MIT */
#include "lib/inband_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

enum { PATIENCE_TURNS = 50 };

struct inband inband;

static void on_broken(void *ctx, uint32_t guest, const char *why)
{
	(void)ctx;
	inband.broken |= 1u << guest;
	snprintf(inband.reason, sizeof(inband.reason), "%s", why);
}

static void on_stuck(void *ctx, uint32_t guest, const char *doing)
{
	(void)ctx;
	inband.stuck |= 1u << guest;
	snprintf(inband.reason, sizeof(inband.reason), "%s", doing);
}

static void on_paced(void *ctx)
{
	(void)ctx;
}

static const struct vtime_ops ops = { on_broken, on_stuck, on_paced, NULL,
				      NULL };

int inband_begin(void **state)
{
	struct vtime_config config = { .guest_count = MACHINES,
				       .pace_ppm = VTIME_PACE_MAX,
				       .guard_ns = NS_PER_S,
				       .ops = &ops };
	struct why why = { .text = "" };

	(void)state;
	memset(&inband, 0, sizeof(inband));
	for (unsigned i = 0; i < MACHINES; i++)
		inband.machine[i].fd = -1;
	rig_begin(&inband.rig);
	assert_int_equal(clock_fake_create(&inband.host, &why), 0);
	config.loop = inband.rig.loop;
	config.host = inband.host;
	assert_int_equal(vtime_create(&inband.vtime, &config, &why), 0);
	return 0;
}

int inband_end(void **state)
{
	(void)state;
	vtime_destroy(inband.vtime);
	clock_destroy(inband.host);
	for (unsigned i = 0; i < MACHINES; i++)
		if (inband.machine[i].fd >= 0)
			close(inband.machine[i].fd);
	rig_end(&inband.rig);
	return 0;
}

struct vtime_guest *machine_guest(unsigned machine)
{
	return vtime_guest(inband.vtime, machine);
}

uint64_t virtual_now(void)
{
	return clock_now_ns(vtime_clock(inband.vtime));
}

/* What the calendar says to it. */
static void serve(struct machine *m)
{
	struct tt_message said;

	while (m->fd >= 0 &&
	       recv(m->fd, &said, sizeof(said), MSG_DONTWAIT) == sizeof(said)) {
		if (said.op == TT_ACK) {
			m->ack = said;
			continue;
		}
		if (said.op == TT_RUN) {
			m->running = true;
			m->ran_at_ns = said.time;
			m->runs++;
		}
		said.op = TT_ACK;
		send(m->fd, &said, sizeof(said), MSG_NOSIGNAL);
	}
}

void inband_turn(unsigned turns)
{
	while (turns--) {
		rig_turn(&inband.rig, 1);
		for (unsigned i = 0; i < MACHINES; i++)
			serve(&inband.machine[i]);
	}
}

void inband_pump(void *ctx)
{
	struct fake_guest *guest = ctx;

	inband_turn(1);
	if (inband.mute)
		return;
	if (guest)
		fake_answer_calls(guest);
	for (unsigned i = 0; i < inband.ports; i++)
		if (inband.port[i]->guest && inband.port[i]->guest->slave_fd >= 0)
			answer_as_linux(inband.port[i], inband.port_machine[i]);
}

static void pump_port(struct port *port)
{
	(void)port;
	inband_pump(NULL);
}

uint64_t machine_ask(unsigned machine, enum tt_op op, uint64_t time)
{
	struct machine *m = &inband.machine[machine];
	struct tt_message asked = { .op = op, .seq = ++m->seq, .time = time };

	assert_int_equal(send(m->fd, &asked, sizeof(asked), MSG_NOSIGNAL), sizeof(asked));
	for (int i = 0; i < PATIENCE_TURNS && m->ack.seq != m->seq; i++)
		inband_turn(1);
	assert_int_equal(m->ack.seq, m->seq);
	return m->ack.time;
}

void machine_boot(unsigned machine)
{
	struct machine *m = &inband.machine[machine];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct why why = { .text = "" };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/clock%u", inband.rig.dir,
		 machine);
	assert_int_equal(vtime_guest_open(inband.vtime, machine, address.sun_path, &why),
			 0);
	m->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(m->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	machine_ask(machine, TT_START, machine);
	m->running = true;
}

void machine_wait(unsigned machine, uint64_t next_ns)
{
	machine_ask(machine, TT_REQUEST, next_ns);
	inband.machine[machine].running = false;
	machine_ask(machine, TT_WAIT, 0);
}

void machine_end(unsigned machine)
{
	close(steal_fd(&inband.machine[machine].fd));
	vtime_guest_gone(inband.vtime, machine);
}

void inband_port_boot(struct port *port, unsigned machine, const char *name,
		      uint32_t ring_size)
{
	port_create_in(port, &inband.rig, name, machine_guest(machine));
	port->more_pump = pump_port;
	assert_true(inband.ports < PORTS);
	inband.port_machine[inband.ports] = machine;
	inband.port[inband.ports++] = port;
	port_boot(port, FAKE_UML,
		  (struct fake_options){ .inband = true, .ring_size = ring_size });
	assert_true(fake_is_inband(port->guest));
}

const char *calls_heard(struct port *port)
{
	static char heard[sizeof(port->guest->calls)];
	struct vhost_message m;

	while (fake_hear_call(port->guest, &m))
		;
	memcpy(heard, port->guest->calls, sizeof(heard));
	port->guest->calls[0] = 0;
	return heard;
}

void answer_as_linux(struct port *port, unsigned machine)
{
	struct vhost_message m;

	while (fake_hear_call(port->guest, &m)) {
		uint64_t now_ns = machine_ask(machine, TT_GET, 0);

		machine_ask(machine, TT_REQUEST, now_ns);
		fake_answer(port->guest, m.header.request, 0);
	}
}
