/* SPDX-License-Identifier: MIT */
#include "device/vconsole.h"

#include <errno.h>
#include <linux/virtio_console.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "vhost/vhost_user.h"

/* Rings come in pairs, named from the guest's side.  Port 0 has one too. */
enum {
	PORT0_RX,
	PORT0_TX,
	CONTROL_RX,
	CONTROL_TX,
	DATA_RX,
	DATA_TX,
	RINGS,

	PORT = 1,  /* the only port there is */
	PORTS = 2, /* that ids are below */

	CONTROLS_PER_TURN = 32,
	BYTES_PER_OFFER = 64 * 1024,
	BYTES_PER_TURN = 256 * 1024,
	STEPS_PER_TURN = 16384, /* descriptors */
	TRIES_PER_WRITE = 4,
};

static const char *const ring_names[RINGS] = {
	[PORT0_RX] = "port 0 receive ring",
	[PORT0_TX] = "port 0 transmit ring",
	[CONTROL_RX] = "control receive ring",
	[CONTROL_TX] = "control transmit ring",
	[DATA_RX] = "receive ring",
	[DATA_TX] = "transmit ring",
};

/* What the guest is yet to be told: sent in this order, once. */
enum {
	TELL_ADD = 1 << 0,
	TELL_NAME = 1 << 1,
	TELL_OPEN = 1 << 2,
};

struct vconsole {
	struct loop *loop;
	struct vhost_user *conn;
	const struct vconsole_ops *ops;
	void *ctx;
	bool guest_open;
	bool paused;	    /* ops->bytes took too few */
	bool want_writable; /* vconsole_write() took too few */
	uint64_t taken;	    /* bytes of the first chain in the transmit ring */
	unsigned tell;
	struct deferred control_poll, data_poll, write_poll;
	struct vring_chain chain; /* the one in work */
	struct vring_chain data;  /* likewise, while its bytes are lent to the owner */
};

/* Copy from a chain's readable parts, from the start on. */
static size_t read_chain(const struct vring_chain *chain, void *to, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < chain->readable_count && done < size; i++) {
		const struct vring_part *part = &chain->parts[i];
		size_t n = part->size < size - done ? part->size : size - done;

		memcpy((uint8_t *)to + done, part->bytes, n);
		done += n;
	}
	return done;
}

static size_t write_chain(const struct vring_chain *chain, const void *from, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < chain->writable_count && done < size; i++) {
		const struct vring_part *part =
			&chain->parts[chain->readable_count + i];
		size_t n = part->size < size - done ? part->size : size - done;

		memmove(part->bytes, (const uint8_t *)from + done, n);
		done += n;
	}
	return done;
}

/* Take a chain to write to.  1, 0, or negative: the guest is given up. */
static int take_writable(struct vconsole *vconsole, unsigned index, struct vring *ring)
{
	struct why why = { .text = "" };
	int took = vring_take(ring, &vconsole->chain, &why);

	if (took > 0 && (vconsole->chain.readable_count || vconsole->chain.hidden))
		took = why_set(&why, -EPROTO,
			       "the buffer at descriptor %u is not one to write to",
			       vconsole->chain.head);
	if (took < 0)
		vhost_user_break(vconsole->conn, (int)index, why.text);
	return took;
}

/* Tell the guest what there is room for; a kick brings us back for the rest. */
static void tell(struct vconsole *vconsole)
{
	struct vring *ring = vhost_user_ring(vconsole->conn, CONTROL_RX);

	while (ring && vconsole->tell) {
		struct {
			struct virtio_console_control control;
			char name[sizeof(VCONSOLE_PORT_NAME)];
		} message = { .control = { .id = PORT } };
		size_t size = sizeof(message.control);
		unsigned what = vconsole->tell & -vconsole->tell;
		int took = take_writable(vconsole, CONTROL_RX, ring);

		if (took < 0)
			return;
		if (took == 0) {
			if (vring_kicks_on(ring))
				continue;
			break;
		}
		message.control.event = VIRTIO_CONSOLE_PORT_ADD;
		if (what == TELL_NAME) {
			message.control.event = VIRTIO_CONSOLE_PORT_NAME;
			memcpy(message.name, VCONSOLE_PORT_NAME, sizeof(message.name));
			size += sizeof(message.name) - 1; /* without the 0 */
		} else if (what == TELL_OPEN) {
			message.control.event = VIRTIO_CONSOLE_PORT_OPEN;
			message.control.value = 1;
		}
		if (vconsole->chain.writable_bytes < size) {
			vhost_user_break(vconsole->conn, CONTROL_RX,
					 "a buffer too small for a control message");
			return;
		}
		write_chain(&vconsole->chain, &message, size);
		vring_put(ring, vconsole->chain.head, (uint32_t)size);
		vconsole->tell &= ~what;
	}
	vhost_user_notify(vconsole->conn, CONTROL_RX);
}

static void serve_data(void *ctx);

static void on_control(struct vconsole *vconsole,
		       const struct virtio_console_control *control)
{
	bool ours = control->id == PORT;

	switch (control->event) {
	case VIRTIO_CONSOLE_DEVICE_READY:
		if (control->value)
			vconsole->tell |= TELL_ADD;
		break;
	case VIRTIO_CONSOLE_PORT_READY:
		/* Until we are open, the guest's writers sleep. */
		if (ours && control->value)
			vconsole->tell |= TELL_NAME | TELL_OPEN;
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		if (!ours || vconsole->guest_open == !!control->value)
			break;
		/* The bytes of a stream come before its end, if they may. */
		if (!control->value)
			serve_data(vconsole);
		vconsole->guest_open = control->value;
		vconsole->ops->open(vconsole->ctx, vconsole->guest_open);
		if (vconsole->guest_open && vconsole->want_writable)
			loop_defer(vconsole->loop, &vconsole->write_poll);
		break;
	default: /* of other ports, or from a newer driver: not for us */
		break;
	}
}

static void serve_control(void *ctx)
{
	struct vconsole *vconsole = ctx;
	struct vring *ring = vhost_user_ring(vconsole->conn, CONTROL_TX);

	if (!ring || vconsole->control_poll.next)
		return;
	vring_kicks_off(ring);
	for (int i = 0; vhost_user_ring(vconsole->conn, CONTROL_TX); i++) {
		struct virtio_console_control control;
		struct why why = { .text = "" };
		int took;

		if (i == CONTROLS_PER_TURN) {
			loop_defer(vconsole->loop, &vconsole->control_poll);
			break;
		}
		took = vring_take(ring, &vconsole->chain, &why);
		if (took == 0 && !vring_kicks_on(ring))
			break;
		if (took == 0)
			continue;
		if (took > 0 && read_chain(&vconsole->chain, &control, sizeof(control)) <
					sizeof(control))
			took = why_set(&why, -EPROTO,
				       "the buffer at descriptor %u is shorter than a "
				       "control message",
				       vconsole->chain.head);
		if (took < 0) {
			vhost_user_break(vconsole->conn, CONTROL_TX, why.text);
			break;
		}
		/* The driver spins until it has the buffer back. */
		vring_put(ring, vconsole->chain.head, 0);
		vhost_user_notify(vconsole->conn, CONTROL_TX);
		on_control(vconsole, &control);
	}
	tell(vconsole);
	vhost_user_memory_ok(vconsole->conn);
}

/* Offer the parts of the chain in work, from vconsole->taken on.  Returns true
 * if all of it was taken; spends *budget. */
static bool offer_chain(struct vconsole *vconsole, int64_t *budget)
{
	const struct vring_chain *chain = &vconsole->data;
	uint64_t skip = vconsole->taken;

	for (unsigned i = 0; i < chain->readable_count; i++) {
		const struct vring_part *part = &chain->parts[i];
		uint64_t at = skip < part->size ? skip : part->size;

		skip -= at;
		while (at < part->size) {
			size_t size = part->size - at, n;

			if (*budget <= 0)
				return false;
			if (size > BYTES_PER_OFFER)
				size = BYTES_PER_OFFER;
			n = vconsole->ops->bytes(vconsole->ctx, part->bytes + at, size);
			ASSERT(n <= size);
			at += n;
			vconsole->taken += n;
			*budget -= (int64_t)n;
			if (n < size) {
				vconsole->paused = true;
				return false;
			}
		}
	}
	vconsole->taken = 0;
	return true;
}

static void serve_data(void *ctx)
{
	struct vconsole *vconsole = ctx;
	struct vring *ring = vhost_user_ring(vconsole->conn, DATA_TX);
	uint64_t steps_end = ring ? ring->steps + STEPS_PER_TURN : 0;
	int64_t budget = BYTES_PER_TURN;

	if (!ring || vconsole->paused || vconsole->data_poll.next)
		return;
	vring_kicks_off(ring);
	for (;;) {
		struct vring_mark mark = vring_mark(ring);
		struct why why = { .text = "" };
		int took = vring_take(ring, &vconsole->data, &why);

		if (took > 0 && vconsole->data.hidden)
			took = why_set(&why, -EPROTO,
				       "the buffer at descriptor %u lies in the guest's "
				       "kernel image, which cannot be read from outside",
				       vconsole->data.head);
		if (took < 0) {
			vhost_user_break(vconsole->conn, DATA_TX, why.text);
			break;
		}
		if (took == 0) {
			if (vring_kicks_on(ring))
				continue;
			break;
		}
		if (!offer_chain(vconsole, &budget)) {
			/* It stays in the ring; it is read again from there. */
			vring_rollback(ring, mark);
			if (!vconsole->paused)
				loop_defer(vconsole->loop, &vconsole->data_poll);
			break;
		}
		vring_put(ring, vconsole->data.head, 0);
		if (ring->steps >= steps_end) {
			loop_defer(vconsole->loop, &vconsole->data_poll);
			break;
		}
	}
	vhost_user_notify(vconsole->conn, DATA_TX);
	vhost_user_memory_ok(vconsole->conn);
}

void vconsole_resume(struct vconsole *vconsole)
{
	if (!vconsole->paused)
		return;
	vconsole->paused = false;
	loop_defer(vconsole->loop, &vconsole->data_poll);
}

size_t vconsole_write(struct vconsole *vconsole, const uint8_t *bytes, size_t size)
{
	struct vring *ring = vhost_user_ring(vconsole->conn, DATA_RX);
	uint64_t steps_end = ring ? ring->steps + STEPS_PER_TURN : 0;
	size_t done = 0;
	int tries = 0;

	while (ring && vconsole->guest_open && done < size) {
		int took = take_writable(vconsole, DATA_RX, ring);
		size_t n;

		if (took < 0)
			return done;
		if (took == 0) {
			if (!vring_kicks_on(ring))
				break;
			if (++tries < TRIES_PER_WRITE)
				continue;
			loop_defer(vconsole->loop, &vconsole->write_poll);
			break;
		}
		n = write_chain(&vconsole->chain, bytes + done, size - done);
		vring_put(ring, vconsole->chain.head, (uint32_t)n);
		done += n;
		if (ring->steps >= steps_end && done < size) {
			loop_defer(vconsole->loop, &vconsole->write_poll);
			break;
		}
	}
	if (ring) {
		vhost_user_notify(vconsole->conn, DATA_RX);
		vhost_user_memory_ok(vconsole->conn);
	}
	vconsole->want_writable = done < size;
	return done;
}

static void serve_write(void *ctx)
{
	struct vconsole *vconsole = ctx;

	if (!vconsole->want_writable || !vconsole->guest_open)
		return;
	vconsole->want_writable = false;
	vconsole->ops->writable(vconsole->ctx);
}

static void on_kick(void *ctx, unsigned ring)
{
	struct vconsole *vconsole = ctx;

	switch (ring) {
	case CONTROL_RX:
		tell(vconsole);
		vhost_user_memory_ok(vconsole->conn);
		break;
	case CONTROL_TX:
		serve_control(vconsole);
		break;
	case DATA_RX:
		serve_write(vconsole);
		break;
	case DATA_TX:
		serve_data(vconsole);
		break;
	default: /* port 0 does not exist, whatever is in its rings */
		break;
	}
}

static void cancel(struct vconsole *vconsole)
{
	deferred_cancel(&vconsole->control_poll);
	deferred_cancel(&vconsole->data_poll);
	deferred_cancel(&vconsole->write_poll);
}

static void on_running(void *ctx, unsigned ring, bool running)
{
	struct vconsole *vconsole = ctx;

	/* A driver that lets go of the control ring has forgotten its port. */
	if (!running && ring == CONTROL_TX) {
		cancel(vconsole);
		vconsole->tell = 0;
		if (vconsole->guest_open) {
			vconsole->guest_open = false;
			vconsole->ops->open(vconsole->ctx, false);
		}
	}
	if (!running && ring == DATA_TX)
		vconsole->taken = 0;
}

static void on_config(void *ctx, uint8_t *bytes, uint32_t size)
{
	static const struct virtio_console_config space = { .max_nr_ports = PORTS };

	(void)ctx;
	ASSERT(size >= sizeof(space));
	memcpy(bytes, &space, sizeof(space));
}

static void on_dead(void *ctx, bool broken, const char *why)
{
	struct vconsole *vconsole = ctx;

	cancel(vconsole);
	vconsole->guest_open = false;
	vconsole->ops->dead(vconsole->ctx, broken, why);
}

static const struct vhost_user_ops conn_ops = {
	.config = on_config,
	.running = on_running,
	.kick = on_kick,
	.dead = on_dead,
};

int vconsole_create(struct vconsole **out, struct loop *loop,
		    const struct vconsole_config *config, const struct vconsole_ops *ops,
		    void *ctx, struct why *why)
{
	struct vhost_user_config conn_config = {
		.name = config->name,
		.path = config->path,
		.features = VHOST_FEATURES_COMMON |
			    VHOST_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT),
		.ring_count = RINGS,
		.ring_names = ring_names,
		.guest = config->guest,
		.clock = config->clock,
	};
	struct vconsole *vconsole = calloc(1, sizeof(*vconsole));
	int err;

	if (!vconsole)
		return why_set(why, -ENOMEM, "%s: out of memory", config->name);
	vconsole->loop = loop;
	vconsole->ops = ops;
	vconsole->ctx = ctx;
	vconsole->control_poll = (struct deferred){ .run = serve_control, .ctx = vconsole };
	vconsole->data_poll = (struct deferred){ .run = serve_data, .ctx = vconsole };
	vconsole->write_poll = (struct deferred){ .run = serve_write, .ctx = vconsole };
	err = vhost_user_create(&vconsole->conn, loop, &conn_config, &conn_ops, vconsole,
				why);
	if (err) {
		free(vconsole);
		return err;
	}
	*out = vconsole;
	return 0;
}

void vconsole_destroy(struct vconsole *vconsole)
{
	if (!vconsole)
		return;
	cancel(vconsole);
	vhost_user_destroy(vconsole->conn);
	free(vconsole);
}
