/* SPDX-License-Identifier: MIT */
#include "lib/fake_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "node/node.h"

enum { THINGS_MAX = 64 };

struct vconsole {
	char name[FAKE_NAME_BYTES]; /* of the node */
	const struct vconsole_ops *ops;
	void *ctx;
	uint8_t *said; /* by the lab, not heard yet */
	size_t size, said_room;
	size_t room; /* for what the lab may still say */
};

struct vnet {
	char name[FAKE_NAME_BYTES];
	const struct vnet_ops *ops;
	void *ctx;
	bool up, carrier;
	uint64_t got, flushed;
};

struct node {
	char name[FAKE_NAME_BYTES];
	int event_fd, console_fd;
	int report_fd, start_fd; /* both ends of what node_started() reads */
	bool killed;
	char how[128];
};

static struct vconsole *consoles[THINGS_MAX];
static struct vnet *cards[THINGS_MAX];
static struct node *nodes[THINGS_MAX];
static const char *refusal;
static bool starts_slowly;

/* The lab names each thing in its first member. */
static int slot_of(void *const *things, const char *name)
{
	for (int i = 0; i < THINGS_MAX; i++)
		if (things[i] && strcmp(things[i], name) == 0)
			return i;
	return -1;
}

static void *find(void *const *things, const char *name)
{
	int slot = slot_of(things, name);

	return slot < 0 ? NULL : things[slot];
}

static void *must_find(void *const *things, const char *name)
{
	void *thing = find(things, name);

	ASSERT(thing);
	return thing;
}

static void add(void **things, void *thing)
{
	int slot = 0;

	while (slot < THINGS_MAX && things[slot])
		slot++;
	ASSERT(slot < THINGS_MAX);
	things[slot] = thing;
}

static void drop(void **things, void *thing)
{
	for (int i = 0; i < THINGS_MAX; i++)
		if (things[i] == thing)
			things[i] = NULL;
}

void fake_machines_forget(void)
{
	refusal = NULL;
	starts_slowly = false;
	for (int i = 0; i < THINGS_MAX; i++)
		ASSERT(!consoles[i] && !cards[i] && !nodes[i]);
}

/* ---- device/vconsole.h --------------------------------------------------------------
 */

int vconsole_create(struct vconsole **out, struct loop *loop,
		    const struct vconsole_config *config, const struct vconsole_ops *ops,
		    void *ctx, struct why *why)
{
	struct vconsole *console = calloc(1, sizeof(*console));

	(void)loop;
	(void)why;
	ASSERT(console);
	snprintf(console->name, sizeof(console->name), "%.*s",
		 (int)strcspn(config->name, ":"), config->name);
	console->ops = ops;
	console->ctx = ctx;
	console->room = SIZE_MAX;
	/* Enough that what the lab says takes no memory while its own is made to fail. */
	console->said_room = 64 << 10;
	console->said = malloc(console->said_room);
	ASSERT(console->said);
	add((void **)consoles, console);
	*out = console;
	return 0;
}

void vconsole_destroy(struct vconsole *console)
{
	if (!console)
		return;
	drop((void **)consoles, console);
	free(console->said);
	free(console);
}

size_t vconsole_write(struct vconsole *console, const uint8_t *bytes, size_t size)
{
	size_t n = size < console->room ? size : console->room;

	if (console->size + n > console->said_room) {
		console->said_room = 2 * (console->size + n);
		console->said = realloc(console->said, console->said_room);
		ASSERT(console->said);
	}
	memcpy(console->said + console->size, bytes, n);
	console->size += n;
	console->room -= console->room == SIZE_MAX ? 0 : n;
	return n;
}

void vconsole_resume(struct vconsole *console)
{
	(void)console;
}

void fake_agent_say_raw(const char *node, const void *bytes, size_t size)
{
	struct vconsole *console = must_find((void **)consoles, node);
	size_t taken = console->ops->bytes(console->ctx, bytes, size);

	ASSERT(taken == size);
}

void fake_agent_say(const char *node, enum proto_type type, uint32_t channel,
		    const void *payload, size_t size)
{
	uint8_t *bytes = malloc(PROTO_HEADER_BYTES + size);

	ASSERT(bytes);
	proto_header(bytes, type, channel, (uint32_t)size);
	if (size)
		memcpy(bytes + PROTO_HEADER_BYTES, payload, size);
	fake_agent_say_raw(node, bytes, PROTO_HEADER_BYTES + size);
	free(bytes);
}

void fake_agent_say_text(const char *node, enum proto_type type, uint32_t channel,
			 const char *text)
{
	fake_agent_say(node, type, channel, text, strlen(text));
}

bool fake_agent_hear(const char *node, struct fake_message *message)
{
	struct vconsole *console = find((void **)consoles, node);
	struct proto_reader reader = { 0 };
	struct proto_message got;
	int ready = 0;
	size_t used = 0;

	while (console && !ready && used < console->size) {
		long n = proto_reader_feed(&reader, console->said + used,
					   console->size - used, &got, &ready, NULL);

		ASSERT(n >= 0);
		used += (size_t)n;
	}
	if (ready) {
		*message = (struct fake_message){ .type = got.type,
						  .channel = got.channel,
						  .payload = calloc(1, got.size + 1),
						  .size = got.size };
		ASSERT(message->payload);
		memcpy(message->payload, got.payload, got.size);
		memmove(console->said, console->said + used, console->size - used);
		console->size -= used;
	}
	proto_reader_free(&reader);
	return ready;
}

void fake_agent_room(const char *node, size_t bytes)
{
	struct vconsole *console = must_find((void **)consoles, node);

	console->room = bytes;
	if (bytes)
		console->ops->writable(console->ctx);
}

void fake_agent_close(const char *node)
{
	struct vconsole *console = must_find((void **)consoles, node);

	console->ops->open(console->ctx, false);
}

/* ---- device/vnet.h --------------------------------------------------------------------
 */

int vnet_create(struct vnet **out, struct loop *loop, const struct vnet_config *config,
		const struct vnet_ops *ops, void *ctx, struct why *why)
{
	struct vnet *card = calloc(1, sizeof(*card));

	(void)loop;
	(void)why;
	ASSERT(card);
	snprintf(card->name, sizeof(card->name), "%s", config->name);
	card->ops = ops;
	card->ctx = ctx;
	add((void **)cards, card);
	*out = card;
	return 0;
}

void vnet_destroy(struct vnet *card)
{
	if (!card)
		return;
	drop((void **)cards, card);
	free(card);
}

int vnet_send(struct vnet *card, const uint8_t *bytes, uint32_t size)
{
	(void)bytes;
	(void)size;
	if (!card->up)
		return -ENOTCONN;
	card->got++;
	return 0;
}

void vnet_flush(struct vnet *card)
{
	card->flushed++;
}

void vnet_set_carrier(struct vnet *card, bool up)
{
	card->carrier = up;
}

void fake_card_up(const char *name)
{
	struct vnet *card = must_find((void **)cards, name);

	card->up = true;
	card->ops->up(card->ctx);
}

void fake_card_send(const char *name, const uint8_t *bytes, uint32_t size)
{
	struct vnet *card = must_find((void **)cards, name);

	card->ops->frame(card->ctx, bytes, size);
	card->ops->batch_end(card->ctx);
}

void fake_card_break(const char *name, const char *why)
{
	struct vnet *card = must_find((void **)cards, name);

	card->up = false;
	card->ops->dead(card->ctx, true, why);
}

bool fake_card_carrier(const char *name)
{
	return ((struct vnet *)must_find((void **)cards, name))->carrier;
}

uint64_t fake_card_got(const char *name)
{
	return ((struct vnet *)must_find((void **)cards, name))->got;
}

uint64_t fake_card_flushed(const char *name)
{
	return ((struct vnet *)must_find((void **)cards, name))->flushed;
}

/* ---- node/node.h ------------------------------------------------------- */

int node_start(struct node **out, const struct node_start *start, struct why *why)
{
	struct node *node;
	int ends[2];

	if (refusal)
		return why_set(why, -EIO, "node %s: %s", start->plan->name, refusal);
	node = calloc(1, sizeof(*node));
	ASSERT(node);
	snprintf(node->name, sizeof(node->name), "%s", start->plan->name);
	node->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	node->console_fd = fcntl(start->console_fd, F_DUPFD_CLOEXEC, 3);
	ASSERT(node->event_fd >= 0 && node->console_fd >= 0);
	ASSERT(!pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	node->report_fd = ends[0];
	node->start_fd = ends[1];
	if (!starts_slowly)
		close(steal_fd(&node->start_fd));
	add((void **)nodes, node);
	*out = node;
	return 0;
}

int node_report_fd(const struct node *node)
{
	return node->report_fd;
}

void node_report_close(struct node *node)
{
	close(node->report_fd);
	node->report_fd = -1;
}

int node_started(struct node *node, struct why *why)
{
	char late[256];
	ssize_t got = read(node->report_fd, late, sizeof(late) - 1);

	if (got < 0)
		return -EAGAIN;
	late[got] = 0;
	return got ? why_set(why, -EIO, "node %s: %s", node->name, late) : 0;
}

int node_pidfd(const struct node *node)
{
	return node->event_fd;
}

pid_t node_pid(const struct node *node)
{
	(void)node;
	return 4242;
}

static void end(struct node *node, const char *how)
{
	uint64_t one = 1;

	snprintf(node->how, sizeof(node->how), "%s", how);
	ASSERT(write(node->event_fd, &one, sizeof(one)) == sizeof(one));
}

void node_kill(struct node *node)
{
	node->killed = true;
	end(node, "killed");
}

void node_ask(const struct node *node)
{
	(void)node; /* no kernel here can answer */
}

void node_reap(struct node *node, char *how, size_t how_bytes)
{
	snprintf(how, how_bytes, "%s", node->how);
}

void node_free(struct node *node)
{
	if (!node)
		return;
	drop((void **)nodes, node);
	close(node->event_fd);
	close(node->console_fd);
	if (node->report_fd >= 0)
		close(node->report_fd);
	if (node->start_fd >= 0)
		close(node->start_fd);
	free(node);
}

bool fake_machine_runs(const char *name)
{
	return find((void **)nodes, name) != NULL;
}

bool fake_machine_killed(const char *name)
{
	return ((struct node *)must_find((void **)nodes, name))->killed;
}

int fake_machine_console_fd(const char *name)
{
	return ((struct node *)must_find((void **)nodes, name))->console_fd;
}

void fake_machine_end(const char *name, const char *how)
{
	end(must_find((void **)nodes, name), how);
}

void fake_machine_slow(bool slow)
{
	starts_slowly = slow;
}

int fake_machine_start_copy(const char *name)
{
	struct node *node = must_find((void **)nodes, name);
	int copy = fcntl(node->report_fd, F_DUPFD_CLOEXEC, 0);

	ASSERT(copy >= 0);
	return copy;
}

void fake_machine_started(const char *name, const char *words)
{
	struct node *node = must_find((void **)nodes, name);
	size_t size = words ? strlen(words) : 0;

	ASSERT(write(node->start_fd, words ? words : "", size) == (ssize_t)size);
	close(steal_fd(&node->start_fd));
	if (words)
		end(node, "not started");
}

void fake_machine_refuse(const char *words)
{
	refusal = words;
}
