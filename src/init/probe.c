/* SPDX-License-Identifier: MIT */
#include "init/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/loop.h"
#include "clock/clock.h"

enum {
	LINE_BYTES_MAX = 256,
	MAGIC = 0x6e6c7072,
	RECEIVE_AT_ONCE = 64,
	SOCKET_BUFFER_BYTES = 4 << 20,
	SEND_AT_ONCE = 16, /* of a round */
};

/* What asks for a neighbour's address goes to everybody on its network: so each machine
 * asks the less often the more there are. */
#define WARM_GAP_NS   UINT64_C(250000) /* times the number of peers */
#define WARM_NS_MAX   UINT64_C(10000000000)
#define WARM_PATIENCE NS_PER_S

enum kind { ASK, ANSWER, WARM, WARMED };
enum stage { IDLE, WARMING, COOLING, ASKING, WAITING };

/* What a datagram begins with; both machines have the same byte order. */
struct message {
	uint32_t magic;
	uint16_t kind, from;
	uint64_t nonce;
	uint32_t number;
	uint32_t to;
	uint64_t sent_ns;
};
_Static_assert(sizeof(struct message) == PROBE_BYTES_MIN, "it is what is promised");

struct peer {
	bool wanted;
	struct sockaddr_storage at;
	socklen_t at_bytes;
	uint8_t *heard; /* a bit for each number */
	uint32_t heard_count;
	uint64_t *rtt_ns; /* of each answer, 0: none yet */
	uint32_t sent, unsent;
	int unsent_for; /* errno */
	bool warm;
};

struct probe {
	struct loop *loop;
	struct clock *clock;
	int sock[2]; /* IPv4, IPv6; -1: not here */
	char line[LINE_BYTES_MAX];
	size_t line_bytes;
	struct peer peers[PROBE_PEERS_MAX];
	uint32_t self, wanted;
	uint32_t count, bytes, round;
	enum stage stage;
	uint32_t next, warmed; /* peer to send to; peers that have answered */
	uint64_t round_ns;     /* when this round began */
	uint64_t interval_ns, wait_ns, nonce;
	bool armed;
	struct timer timer;
	struct watch *input;
	uint8_t datagram[PROBE_BYTES_MAX];
	int status;
};

static int fail(struct probe *probe, const char *what)
{
	fprintf(stderr, "netlab-agent: probe: %s\n", what);
	probe->status = 2;
	loop_stop(probe->loop);
	return -1;
}

/* ---- datagrams --------------------------------------------------------- */

static int socket_of(const struct probe *probe, const struct sockaddr_storage *at)
{
	return probe->sock[at->ss_family == AF_INET6];
}

static int send_to(struct probe *probe, const struct message *message,
		    const struct sockaddr_storage *at, socklen_t at_bytes, size_t bytes)
{
	memcpy(probe->datagram, message, sizeof(*message));
	if (sendto(socket_of(probe, at), probe->datagram, bytes, MSG_DONTWAIT,
		   (const struct sockaddr *)at, at_bytes) < 0)
		return -errno;
	return 0;
}

/* To whom it came from; what cannot be sent is not heard there. */
static void answer(struct probe *probe, struct message *message, enum kind kind,
		   size_t bytes, const struct sockaddr_storage *from,
		   socklen_t from_bytes)
{
	message->kind = (uint16_t)kind;
	message->to = message->from;
	message->from = (uint16_t)probe->self;
	send_to(probe, message, from, from_bytes, bytes);
}

static void hear(struct probe *probe, struct message *message, size_t bytes,
		 const struct sockaddr_storage *from, socklen_t from_bytes)
{
	struct peer *peer = &probe->peers[message->from];
	uint32_t n = message->number;

	if (peer->heard && !(peer->heard[n / 8] >> n % 8 & 1)) {
		peer->heard[n / 8] |= (uint8_t)(1 << n % 8);
		peer->heard_count++;
	}
	answer(probe, message, ANSWER, bytes, from, from_bytes);
}

static void got_warm(struct probe *probe, struct peer *peer)
{
	if (!peer->wanted || peer->warm)
		return;
	peer->warm = true;
	if (++probe->warmed == probe->wanted && probe->stage == COOLING)
		timer_set(probe->clock, &probe->timer, clock_now_ns(probe->clock));
}

static void got_datagram(struct probe *probe, size_t bytes,
			 const struct sockaddr_storage *from, socklen_t from_bytes)
{
	struct message message;
	struct peer *peer;

	if (bytes < sizeof(message) || !probe->armed)
		return;
	memcpy(&message, probe->datagram, sizeof(message));
	if (message.magic != MAGIC || message.nonce != probe->nonce ||
	    message.from >= PROBE_PEERS_MAX || message.number >= probe->count)
		return;
	peer = &probe->peers[message.from];
	if (message.kind == ASK)
		hear(probe, &message, bytes, from, from_bytes);
	else if (message.kind == WARM)
		answer(probe, &message, WARMED, bytes, from, from_bytes);
	else if (message.kind == WARMED)
		got_warm(probe, peer);
	else if (message.kind == ANSWER && peer->rtt_ns && !peer->rtt_ns[message.number])
		peer->rtt_ns[message.number] =
			clock_now_ns(probe->clock) - message.sent_ns + 1;
}

static void receive(struct probe *probe, int sock)
{
	for (int i = 0; i < RECEIVE_AT_ONCE; i++) {
		struct sockaddr_storage from;
		socklen_t from_bytes = sizeof(from);
		ssize_t n = recvfrom(sock, probe->datagram, sizeof(probe->datagram),
				     MSG_DONTWAIT, (struct sockaddr *)&from, &from_bytes);

		if (n < 0 && errno == EAGAIN)
			return;
		/* Else an ICMP error of something sent before. */
		if (n > 0)
			got_datagram(probe, (size_t)n, &from, from_bytes);
	}
}

static void on_datagram4(void *ctx, uint32_t events)
{
	struct probe *probe = ctx;

	(void)events;
	receive(probe, probe->sock[0]);
}

static void on_datagram6(void *ctx, uint32_t events)
{
	struct probe *probe = ctx;

	(void)events;
	receive(probe, probe->sock[1]);
}

/* ---- what came of it --------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void say_answers(const struct probe *probe, uint32_t index)
{
	const struct peer *peer = &probe->peers[index];
	uint64_t *rtt = peer->rtt_ns;
	uint32_t n = 0;

	for (uint32_t i = 0; i < probe->count; i++)
		if (rtt[i])
			rtt[n++] = rtt[i] - 1;
	qsort(rtt, n, sizeof(*rtt), by_size);
	printf("answered %u %u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	       index, peer->sent, n, n ? rtt[0] : 0, n ? rtt[n / 2] : 0,
	       n ? rtt[(uint64_t)n * 99 / 100] : 0, n ? rtt[n - 1] : 0);
}

static void say_all(struct probe *probe)
{
	for (uint32_t i = 0; i < PROBE_PEERS_MAX; i++) {
		struct peer *peer = &probe->peers[i];

		if (peer->heard_count)
			printf("heard %u %u\n", i, peer->heard_count);
		if (!peer->wanted)
			continue;
		if (peer->unsent)
			printf("unsent %u %u %d\n", i, peer->unsent, peer->unsent_for);
		say_answers(probe, i);
		/* Late answers are no answers any more. */
		free(peer->rtt_ns);
		peer->rtt_ns = NULL;
	}
	printf("said\n");
	fflush(stdout);
}

static int ask(struct probe *probe, uint32_t index, enum kind kind)
{
	struct peer *peer = &probe->peers[index];
	struct message message = { .magic = MAGIC,
				   .kind = (uint16_t)kind,
				   .from = (uint16_t)probe->self,
				   .nonce = probe->nonce,
				   .number = kind == ASK ? probe->round : 0,
				   .to = index,
				   .sent_ns = clock_now_ns(probe->clock) };

	return send_to(probe, &message, &peer->at, peer->at_bytes, probe->bytes);
}

/* The next one that is wanted, from the one behind us on and round; false: that was the
 * last.  So not all begin with the same one. */
static bool next_peer(struct probe *probe, uint32_t *index)
{
	while (probe->next < PROBE_PEERS_MAX) {
		*index = (probe->self + 1 + probe->next++) % PROBE_PEERS_MAX;
		if (probe->peers[*index].wanted)
			return true;
	}
	probe->next = 0;
	return false;
}

/* One datagram to one of them, then patience, then all is warm that will be. */
static void warm(struct probe *probe, uint64_t now_ns)
{
	uint64_t gap_ns = WARM_GAP_NS * probe->wanted;
	uint32_t index;

	if (gap_ns * probe->wanted > WARM_NS_MAX)
		gap_ns = WARM_NS_MAX / probe->wanted;
	if (probe->stage == WARMING && next_peer(probe, &index)) {
		ask(probe, index, WARM);
		timer_set(probe->clock, &probe->timer, now_ns + gap_ns);
		return;
	}
	if (probe->stage == WARMING && probe->warmed < probe->wanted) {
		probe->stage = COOLING;
		timer_set(probe->clock, &probe->timer,
			  now_ns + (probe->wait_ns < WARM_PATIENCE ? probe->wait_ns
								   : WARM_PATIENCE));
		return;
	}
	probe->stage = IDLE;
	printf("warm\n");
	fflush(stdout);
}

/* Some of a round, spread over half of its time. */
static void send_some(struct probe *probe, uint64_t now_ns)
{
	uint32_t batches = (probe->wanted + SEND_AT_ONCE - 1) / SEND_AT_ONCE, index = 0;
	bool more = true;

	if (!probe->next)
		probe->round_ns = probe->round ? probe->timer.due_ns : now_ns;
	for (int i = 0; i < SEND_AT_ONCE && (more = next_peer(probe, &index)); i++) {
		struct peer *peer = &probe->peers[index];
		int err = ask(probe, index, ASK);

		peer->sent += !err;
		peer->unsent += err != 0;
		if (err)
			peer->unsent_for = -err;
	}
	if (more && batches > 1) {
		timer_set(probe->clock, &probe->timer,
			  now_ns + probe->interval_ns / 2 / batches);
		return;
	}
	probe->next = 0;
	probe->round++;
	if (probe->round == probe->count)
		probe->stage = WAITING;
	timer_set(probe->clock, &probe->timer,
		  probe->stage == WAITING ? now_ns + probe->wait_ns
					  : probe->round_ns + probe->interval_ns);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct probe *probe = ctx;

	switch (probe->stage) {
	case WARMING:
	case COOLING:
		warm(probe, now_ns);
		break;
	case ASKING:
		send_some(probe, now_ns);
		break;
	case WAITING:
		/* Who is slow still sends: all is told when everybody is done. */
		probe->stage = IDLE;
		printf("done\n");
		fflush(stdout);
		break;
	case IDLE:
		break;
	}
}

/* ---- what is to be done ------------------------------------------------ */

static int add_peer(struct probe *probe, const char *line)
{
	char address[INET6_ADDRSTRLEN];
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	unsigned index, port;
	struct peer *peer;

	if (sscanf(line, "to %u %45s %u", &index, address, &port) != 3 ||
	    index >= PROBE_PEERS_MAX || port > UINT16_MAX || probe->armed)
		return fail(probe, "to: INDEX ADDRESS PORT was expected");
	peer = &probe->peers[index];
	v4.sin_port = v6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
		memcpy(&peer->at, &v4, sizeof(v4));
		peer->at_bytes = sizeof(v4);
	} else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
		memcpy(&peer->at, &v6, sizeof(v6));
		peer->at_bytes = sizeof(v6);
	} else {
		return fail(probe, "to: this is no address");
	}
	probe->wanted += !peer->wanted;
	peer->wanted = true;
	return 0;
}

static int arm(struct probe *probe, const char *line)
{
	if (sscanf(line, "arm %u %" SCNu64 " %" SCNu64 " %u %" SCNu64, &probe->count,
		   &probe->interval_ns, &probe->wait_ns, &probe->bytes,
		   &probe->nonce) != 5 ||
	    probe->armed || !probe->count || probe->count > PROBE_COUNT_MAX ||
	    (uint64_t)probe->count * probe->wanted > PROBE_SAMPLES_MAX ||
	    probe->bytes < PROBE_BYTES_MIN || probe->bytes > PROBE_BYTES_MAX)
		return fail(probe,
			    "arm: COUNT INTERVAL_NS WAIT_NS BYTES NONCE was expected");
	for (uint32_t i = 0; i < PROBE_PEERS_MAX; i++) {
		struct peer *peer = &probe->peers[i];

		peer->heard = calloc(probe->count / 8 + 1, 1);
		if (peer->wanted)
			peer->rtt_ns = calloc(probe->count, sizeof(*peer->rtt_ns));
		if (!peer->heard || (peer->wanted && !peer->rtt_ns))
			return fail(probe, "out of memory");
	}
	probe->armed = true;
	printf("armed\n");
	fflush(stdout);
	return 0;
}

static int begin(struct probe *probe, enum stage stage)
{
	if (!probe->armed || probe->stage != IDLE)
		return fail(probe, "go, warm: it was not armed, or does something");
	probe->stage = stage;
	probe->next = 0;
	timer_set(probe->clock, &probe->timer, clock_now_ns(probe->clock));
	return 0;
}

static int obey(struct probe *probe, const char *line)
{
	if (!strncmp(line, "to ", 3))
		return add_peer(probe, line);
	if (!strncmp(line, "arm ", 4))
		return arm(probe, line);
	if (!strcmp(line, "warm"))
		return begin(probe, WARMING);
	if (!strcmp(line, "say") && probe->armed) {
		say_all(probe);
		return 0;
	}
	if (!strcmp(line, "go"))
		return begin(probe, ASKING);
	if (sscanf(line, "self %u", &probe->self) == 1 && probe->self < PROBE_PEERS_MAX)
		return 0;
	return fail(probe, "a line that is not understood");
}

static void on_input(void *ctx, uint32_t events)
{
	struct probe *probe = ctx;
	char bytes[4096];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		loop_stop(probe->loop);
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] != '\n' && probe->line_bytes + 1 < sizeof(probe->line)) {
			probe->line[probe->line_bytes++] = bytes[i];
			continue;
		}
		probe->line[probe->line_bytes] = 0;
		probe->line_bytes = 0;
		if (obey(probe, probe->line))
			return;
	}
}

static bool is_no_family(int err)
{
	return err == -EAFNOSUPPORT || err == -EPROTONOSUPPORT || err == -EADDRNOTAVAIL;
}

/* At any free port; or -errno. */
static int open_socket(int family, unsigned *port)
{
	struct sockaddr_storage at = { .ss_family = (sa_family_t)family };
	socklen_t bytes = family == AF_INET ? sizeof(struct sockaddr_in)
					    : sizeof(struct sockaddr_in6);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	int room = SOCKET_BUFFER_BYTES;

	*port = 0;
	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&at, bytes) ||
	    getsockname(fd, (struct sockaddr *)&at, &bytes)) {
		int err = -errno;

		close(fd);
		return err;
	}
	*port = ntohs(family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port
					: ((struct sockaddr_in6 *)&at)->sin6_port);
	return fd;
}

static int start(struct probe *probe, struct why *why)
{
	static watch_fn *const on_datagram[] = { on_datagram4, on_datagram6 };
	struct watch *unused;
	unsigned port[2];
	int err = loop_create(&probe->loop, why);

	if (!err)
		err = clock_real_create(&probe->clock, probe->loop, why);
	if (!err)
		err = loop_watch(probe->loop, STDIN_FILENO, EPOLLIN, on_input, probe,
				 &probe->input, why);
	for (int i = 0; !err && i < 2; i++) {
		probe->sock[i] = open_socket(i ? AF_INET6 : AF_INET, &port[i]);
		if (probe->sock[i] >= 0)
			err = loop_watch(probe->loop, probe->sock[i], EPOLLIN,
					 on_datagram[i], probe, &unused, why);
		/* Without one, all that is sent there would be taken for lost. */
		else if (!is_no_family(probe->sock[i]))
			err = why_errno(why, probe->sock[i], "a socket");
	}
	if (err)
		return err;
	probe->timer = (struct timer){ .fire = on_timer, .ctx = probe };
	printf("ports %u %u\n", port[0], port[1]);
	fflush(stdout);
	return fdio_nonblock(STDIN_FILENO, true);
}

int probe_run(void)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	struct why why = { "" };

	if (!probe || start(probe, &why)) {
		fprintf(stderr, "netlab-agent: probe: %s\n",
			probe ? why.text : "out of memory");
		return 1;
	}
	loop_run(probe->loop);
	/* The process ends, and with it all that it holds. */
	return probe->status;
}
