/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "clock/vtime_internal.h"

/* Of one guest in one turn of the loop; each waits for its answer. */
enum { MESSAGES_PER_EVENT = 16 };

void vtime_guest_init(struct vtime_guest *guest, struct vtime *vtime, uint32_t index)
{
	int64_t wall_offset_ns = guest->wall_offset_ns;

	*guest = (struct vtime_guest){ .vtime = vtime,
				       .index = index,
				       .listen_fd = -1,
				       .fd = -1,
				       .wall_offset_ns = wall_offset_ns };
	guest->cues_end = &guest->cues;
}

void vtime_guest_close(struct vtime_guest *guest)
{
	watch_close(steal_ptr(&guest->watch));
	if (guest->listen_fd >= 0)
		close(guest->listen_fd);
	if (guest->fd >= 0)
		close(guest->fd);
	if (*guest->path)
		unlink(guest->path);
	vtime_share_close(&guest->share);
	if (guest->vtime->kicker == guest)
		guest->vtime->kicker = NULL;
	while (guest->cues)
		vtime_cue_cancel(guest, guest->cues);
	vtime_guest_init(guest, guest->vtime, guest->index);
}

/* It does not keep to the protocol, or has hung up: it is waited for until its
 * process is gone. */
static void give_up(struct vtime_guest *guest, bool broken, const char *text)
{
	struct vtime *vtime = guest->vtime;

	watch_close(steal_ptr(&guest->watch));
	calendar_dying(&vtime->calendar, guest->index);
	if (guest->broken)
		return;
	guest->broken = broken;
	if (broken)
		vtime->ops->broken(vtime->ctx, guest->index, text);
}

static void say(struct vtime_guest *guest, enum tt_op op, uint32_t seq, uint64_t time)
{
	struct tt_message message = { .op = op, .seq = seq, .time = time };
	ssize_t n = fdio_send(guest->fd, &message, sizeof(message), NULL, 0);

	/* One that does not read has a full socket after thousands of these. */
	if (n != sizeof(message) && n != -EPIPE && n != -ECONNRESET)
		give_up(guest, true, "it does not read its calendar");
}

static void ack(struct vtime_guest *guest, uint64_t time)
{
	say(guest, TT_ACK, guest->in.seq, time);
}

static uint64_t free_until_ns(const struct vtime_guest *guest)
{
	return calendar_guest_free_until(&guest->vtime->calendar, guest->index);
}

static void set_free_until(struct vtime_guest *guest)
{
	vtime_share_set_free_until(&guest->share, free_until_ns(guest));
}

/* The lab's time, as the guest counts it. */
static uint64_t own_ns(const struct vtime_guest *guest)
{
	return calendar_guest_now(&guest->vtime->calendar, guest->index);
}

/* The kernel takes two descriptors with this answer, a shared page and a log, and
 * takes what lies on its stack if there are none.  The log it does not use. */
static void ack_start(struct vtime_guest *guest)
{
	struct tt_message message = { .op = TT_ACK,
				      .seq = guest->start_seq,
				      .time = VTIME_SHARE_ID };
	cleanup_close int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[2] = { guest->share.fd, null_fd };

	vtime_share_set_time(&guest->share, 0);
	set_free_until(guest);
	if (null_fd < 0 ||
	    fdio_send(guest->fd, &message, sizeof(message), fds, 2) != sizeof(message))
		give_up(guest, true, "its START could not be answered");
}

static void tell_free_until(struct vtime_guest *guest)
{
	guest->told_ns = free_until_ns(guest);
	say(guest, TT_FREE_UNTIL, ++guest->free_seq, guest->told_ns);
}

/* The reply to its kick, with which it goes on. */
static void send_reply(struct vtime_guest *guest)
{
	struct vtime_kick kick = guest->kick;

	guest->kick = (struct vtime_kick){ 0 };
	kick.send(kick.ctx);
}

void vtime_guest_go(struct vtime_guest *guest, bool ready)
{
	struct vtime *vtime = guest->vtime;
	uint64_t at_ns = vtime->calendar.guests[guest->index].turn_guest_ns;

	vtime_slow_go(guest);
	if (!guest->started) {
		/* Its clock is 0 as it begins; it has not asked for anything yet. */
		guest->started = true;
		ack_start(guest);
		return;
	}
	if (guest->shares)
		set_free_until(guest);
	if (ready) {
		send_reply(guest);
		return;
	}
	if (guest->shares)
		vtime_share_set_time(&guest->share, at_ns);
	else
		tell_free_until(guest);
	say(guest, TT_RUN, guest->free_seq + 1, at_ns);
}

/* ---- what devices owe it ------------------------------------------------- */

void vtime_cue(struct vtime_guest *guest, struct vtime_cue *cue)
{
	if (cue->queued)
		return;
	cue->queued = true;
	cue->next = NULL;
	*guest->cues_end = cue;
	guest->cues_end = &cue->next;
}

void vtime_cue_cancel(struct vtime_guest *guest, struct vtime_cue *cue)
{
	struct vtime_cue **at = &guest->cues;

	if (!cue->queued)
		return;
	while (*at != cue)
		at = &(*at)->next;
	*at = cue->next;
	if (guest->cues_end == &cue->next)
		guest->cues_end = at;
	cue->queued = false;
}

bool vtime_guest_cue(struct vtime_guest *guest)
{
	struct vtime_cue *cue = guest->cues;

	if (!cue)
		return false;
	vtime_cue_cancel(guest, cue);
	/* It reads the time when it is called; within a kick it has written it. */
	if (guest->shares && guest != guest->vtime->kicker)
		vtime_share_set_time(&guest->share, own_ns(guest));
	cue->run(cue->ctx);
	return true;
}

void vtime_hold(struct vtime_guest *guest)
{
	guest->vtime->calls++;
	calendar_hold(&guest->vtime->calendar, guest->index);
}

void vtime_release(struct vtime_guest *guest)
{
	vtime_guest_sync(guest);
	calendar_release(&guest->vtime->calendar, guest->index);
	vtime_heard(guest->vtime);
}

/* It waits, and says in its page until when. */
void vtime_guest_sync(struct vtime_guest *guest)
{
	struct calendar *calendar = &guest->vtime->calendar;
	uint64_t guest_ns;

	if (!guest->shares || calendar->guests[guest->index].state != GUEST_WAITING)
		return;
	if (!vtime_share_request(&guest->share, &guest_ns))
		guest_ns = CALENDAR_NEVER;
	calendar_request(calendar, guest->index, guest_ns, NULL);
}

int vtime_kick(struct vtime_guest *guest, const struct vtime_kick *kick, struct why *why)
{
	struct calendar *calendar = &guest->vtime->calendar;
	int err = 0;

	if (guest->shares)
		err = calendar_update(calendar, guest->index,
				      vtime_share_time(&guest->share), why);
	if (!err)
		err = calendar_kick(calendar, guest->index, why);
	if (err)
		return err;
	vtime_slow_stop(guest);
	guest->kick = *kick;
	guest->kick_run = false;
	return 0;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

/* The device is gone, and its socket with it, so the guest goes on; in the calendar
 * that has its place all the same. */
void vtime_kick_cancel(struct vtime_guest *guest, void *ctx)
{
	if (guest->kick.send && guest->kick.ctx == ctx)
		guest->kick = (struct vtime_kick){ .run = nothing, .send = nothing };
}

void vtime_guest_kick(struct vtime_guest *guest)
{
	guest->kick_run = true;
	guest->vtime->kicker = guest;
	guest->kick.run(guest->kick.ctx);
}

void vtime_guest_reply(struct vtime_guest *guest)
{
	struct vtime *vtime = guest->vtime;

	calendar_refresh(&vtime->calendar, guest->index,
			 clock_virtual_due_ns(vtime->clock));
	/* It may not go as far as it was told.  It looks at our reply first if both are
	 * there, so it has to acknowledge this one before. */
	if (!guest->shares && free_until_ns(guest) < guest->told_ns) {
		tell_free_until(guest);
		guest->free_due = true;
		calendar_hold(&vtime->calendar, guest->index);
		return;
	}
	vtime->kicker = NULL;
	calendar_ready(&vtime->calendar, guest->index);
	if (guest->shares)
		return; /* it goes on with its window */
	calendar_run(&vtime->calendar, guest->index);
	send_reply(guest);
}

/* ---- what it says ---------------------------------------------------------- */

static int handle(struct vtime_guest *guest, struct why *why)
{
	struct vtime *vtime = guest->vtime;
	struct calendar *calendar = &vtime->calendar;
	uint64_t time = guest->in.time;
	int err = 0;

	if (guest->started && !guest->asked) {
		guest->asked = true;
		guest->shares = vtime_share_used(&guest->share);
	}
	switch (guest->in.op) {
	case TT_ACK:
		if (guest->free_due && guest->in.seq == guest->free_seq) {
			guest->free_due = false;
			calendar_release(calendar, guest->index);
		}
		return 0;
	case TT_START:
		guest->start_seq = guest->in.seq;
		return calendar_start(calendar, guest->index, why);
	case TT_REQUEST:
		err = calendar_request(calendar, guest->index, time, why);
		break;
	case TT_WAIT:
		vtime_slow_stop(guest);
		guest->told_ns = 0; /* it forgets */
		err = calendar_wait(calendar, guest->index, why);
		vtime_guest_sync(guest);
		if (guest->shares)
			return err; /* RUN will be the answer */
		break;
	case TT_GET:
		time = own_ns(guest);
		break;
	case TT_UPDATE:
		err = calendar_update(calendar, guest->index, time, why);
		break;
	case TT_GET_TOD:
		time = clock_wall_ns(vtime->clock, calendar->now_ns) +
		       (uint64_t)guest->wall_offset_ns;
		break;
	case TT_BROADCAST:
		break; /* nobody else is told: a guest has no say in others' logs */
	default:
		return why_set(why, -EPROTO, "calendar message %u is not known",
			       guest->in.op);
	}
	if (!err)
		ack(guest, time);
	return err;
}

/* 1: a message is complete; 0: not yet; -ENODATA: hung up. */
static int read_message(struct vtime_guest *guest)
{
	ssize_t n = recv(guest->fd, (char *)&guest->in + guest->in_bytes,
			 sizeof(guest->in) - guest->in_bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ENODATA;
	guest->in_bytes += (size_t)n;
	if (guest->in_bytes < sizeof(guest->in))
		return 0;
	guest->in_bytes = 0;
	return 1;
}

static void on_message(void *ctx, uint32_t events)
{
	struct vtime_guest *guest = ctx;

	(void)events;
	vtime_heard(guest->vtime);
	for (int i = 0; i < MESSAGES_PER_EVENT && guest->watch; i++) {
		struct why why = { "" };
		int got = read_message(guest);

		if (got == 0)
			return;
		if (got < 0)
			give_up(guest, false, "");
		else if (handle(guest, &why))
			give_up(guest, true, why.text);
	}
}

static void on_connection(void *ctx, uint32_t events)
{
	struct vtime_guest *guest = ctx;
	struct why why = { "" };

	(void)events;
	guest->fd = accept4(guest->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (guest->fd < 0)
		return;
	/* One guest, one connection: nobody else gets in. */
	watch_close(steal_ptr(&guest->watch));
	close(steal_fd(&guest->listen_fd));
	unlink(guest->path);
	*guest->path = 0;
	if (loop_watch(guest->vtime->loop, guest->fd, EPOLLIN, on_message, guest,
		       &guest->watch, &why))
		give_up(guest, true, why.text);
}

int vtime_guest_open(struct vtime *vtime, uint32_t index, const char *path,
		     struct why *why)
{
	struct vtime_guest *guest = &vtime->guests[index];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = strlen(path);
	int err = vtime_share_open(&guest->share, why);

	if (err)
		return err;
	if (size >= sizeof(address.sun_path)) {
		vtime_guest_close(guest);
		return why_set(why, -ENAMETOOLONG, "socket path '%s' is too long", path);
	}
	memcpy(address.sun_path, path, size);
	guest->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (guest->listen_fd < 0)
		err = why_errno(why, -errno, "calendar: socket");
	else if (bind(guest->listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err = why_errno(why, -errno, "calendar: socket %s", path);
	else {
		memcpy(guest->path, path, size + 1);
		err = listen(guest->listen_fd, 1) < 0
			      ? why_errno(why, -errno, "calendar: listen at %s", path)
			      : loop_watch(vtime->loop, guest->listen_fd, EPOLLIN,
					   on_connection, guest, &guest->watch, why);
	}
	if (err) {
		vtime_guest_close(guest);
		return err;
	}
	calendar_expect(&vtime->calendar, index);
	return 0;
}

void vtime_guest_dying(struct vtime *vtime, uint32_t guest)
{
	calendar_dying(&vtime->calendar, guest);
}

void vtime_guest_ended(struct vtime *vtime, uint32_t guest, const struct vtime_end *end)
{
	vtime->guests[guest].end = *end;
	calendar_ended(&vtime->calendar, guest);
	vtime_heard(vtime);
}

void vtime_guest_end(struct vtime_guest *guest)
{
	struct vtime_end end = guest->end;

	guest->end = (struct vtime_end){ 0 };
	if (end.run)
		end.run(end.ctx);
}

void vtime_guest_gone(struct vtime *vtime, uint32_t guest)
{
	vtime_guest_close(&vtime->guests[guest]);
	calendar_leave(&vtime->calendar, guest);
	vtime_heard(vtime);
}

void vtime_guest_set_clock(struct vtime *vtime, uint32_t guest, uint32_t rate_ppb,
			   bool frozen)
{
	calendar_set_clock(&vtime->calendar, guest, rate_ppb, frozen);
	/* What it was owed while it was frozen. */
	loop_again(vtime->loop);
}

void vtime_guest_set_wall_offset(struct vtime *vtime, uint32_t guest, int64_t ns)
{
	vtime->guests[guest].wall_offset_ns = ns;
}

struct vtime_guest *vtime_guest(struct vtime *vtime, uint32_t guest)
{
	return &vtime->guests[guest];
}
