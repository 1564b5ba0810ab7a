/* SPDX-License-Identifier: MIT */
/* control.h - the control socket: connections, lines, requests under way
 *
 * docs/control-protocol.md is the contract; this is its transport, which knows
 * nothing of labs.  A table of verbs says who serves what.
 *
 * A verb either answers at once (call_answer()) or begins a request: a struct
 * that starts with a `struct request`, which lives until request_answer(),
 * request_fail() or, if the client goes away, ops->drop().
 *
 * A client that does not read, or that asks for much, hurts itself only.  A connection
 * that has more than CONTROL_ROOM_BYTES to send has no room: its lines are not served, and
 * its requests are not pumped, until it has read.  What a request must queue all the
 * same (the output of a command) is limited by what the other side may send
 * without credit.
 *
 * Errors:    creation: 0 or -errno.  A verb returns 0, or -errno with *why, which
 *            is then the answer.
 * Ownership: JSON given to these functions is taken over.  Requests belong to
 *            their verb, which frees them after answering or in drop().
 * Threads:   the loop's.
 */
#ifndef NL_CONTROL_CONTROL_H
#define NL_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/why.h"

enum {
	CONTROL_LINE_BYTES_MAX = 1 << 20, /* of a request, with its newline */
	CONTROL_VALUES_MAX = 1 << 15,	  /* of a request, keys counted, too */
	CONTROL_CONNECTIONS_MAX = 256,
	CONTROL_CONNECTIONS_KEPT = 4, /* beyond, for who looks or ends the lab */
	CONTROL_REQUESTS_MAX = 2048, /* under way, of one connection */
	CONTROL_FDS_MAX = 8,	     /* received and not taken, of one connection */
	CONTROL_ROOM_BYTES = 256 << 10,
	CONTROL_KEYS_MAX = 10,
	CONTROL_TOGETHER_BYTES_MAX = 16 << 20, /* lines that are done at one time */
};

struct control;
struct conn;
struct request;

/* One line of a client while its verb runs. */
struct call {
	struct control *control;
	struct conn *conn;
	json_int_t id;
	const json_t *body; /* an object; lent */
};

enum verb_kind {
	VERB_OTHER,
	VERB_INPUT, /* reaches machines: waits for the gate */
	VERB_LOOK,  /* answers at once, and changes nothing */
	VERB_ALWAYS, /* served as a look is also where there is no place for others */
};

struct verb {
	const char *name;
	const char *keys[CONTROL_KEYS_MAX]; /* allowed beside id and do */
	int (*run)(void *ctx, struct call *call, struct why *why);
	enum verb_kind kind;
	/* NULL, or: is there all that it needs?  1: not yet; it waits, and what comes after
	 * it on its connection, until control_supplied().  -errno: it is refused. */
	int (*prepare)(void *ctx, const json_t *body, struct why *why);
};

/* Where what reaches machines has to happen at times of its own (virtual time), a gate
 * says when: such verbs, and what comes after them on their connection, wait until
 * it is open, and so does the end of a connection.  Lines that a client wants to be done
 * together ({"do":"together","bytes":N} before them) are served in one opening of it, and
 * none before all are there. */
struct control_gate {
	bool (*is_open)(void *ctx);
	void (*want)(void *ctx); /* call control_gate_opened() when it is */
};

struct request_ops {
	/* There is room: say what there is to say.  Returns true if there is more.
	 * May end the request.  NULL: nothing to pump. */
	bool (*pump)(struct request *request);
	/* The client sent `close`.  NULL: cannot be closed. */
	void (*close)(struct request *request);
	/* The connection is gone; free what belongs to the request. */
	void (*drop)(struct request *request);
};

struct request {
	const struct request_ops *ops;
	struct conn *conn;
	json_int_t id;
	unsigned wakes; /* control_wake() with one of these bits has it pumped */
	bool holds;	/* what comes after it on its connection */
	struct request *prev, *next;
};

int control_create(struct control **out, struct loop *loop, const struct verb *verbs,
		   size_t verb_count, void *ctx, struct why *why);
/* Drops every request and closes every connection. */
void control_destroy(struct control *control); /* NULL does nothing */

/* Listen at NAME below a folder (a socket's whole path may be too long). */
int control_listen(struct control *control, int dir_fd, const char *name,
		   struct why *why);
/* Serve a connection that is there already; takes the descriptor over. */
int control_adopt(struct control *control, int fd, struct why *why);
/* Stop listening, and send what is queued for at most timeout_ms. */
void control_finish(struct control *control, int timeout_ms);

/* What each answer that is "ok" has to say as "record_lost"; NULL: nothing. */
void control_set_trouble(struct control *control, const char *(*trouble)(void *ctx));

/* Are the answers of looks so long now that each is to be made by a helper process, while
 * the loop goes on?  What comes after such a look on its connection waits for it. */
void control_set_large(struct control *control, bool (*is_large)(void *ctx));

void control_set_gate(struct control *control, const struct control_gate *gate);
void control_gate_opened(struct control *control);
/* Serve again what waited for supplies. */
void control_supplied(struct control *control);

/* Run a verb for nobody: what it answers and tells later is dropped.  The gate is not
 * asked.  Its id, and those that body refers to, are of such calls only. */
int control_do(struct control *control, json_int_t id, const char *verb,
	       const json_t *body, struct why *why);

void control_wake(struct control *control, unsigned mask);
/* Is there a connection that was adopted, and is it still open?  gone(), with the
 * ctx of the verbs, is called when one closes. */
bool control_adopted_is_open(const struct control *control);
void control_adopted_watch(struct control *control, void (*gone)(void *ctx));

/* Answering. fields may be NULL; "id" and "ok" are added. */
void call_answer(struct call *call, json_t *fields);
/* The oldest descriptor that came with the connection's lines; -1: none. */
int call_take_fd(struct call *call);

void request_begin(struct request *request, struct call *call,
		   const struct request_ops *ops, unsigned wakes);
/* Have what comes after it on its connection wait for its answer, which is not given in its
 * pump then. */
void request_hold(struct request *request);
struct request *request_find(const struct call *call, json_int_t id);
bool request_has_room(const struct request *request);
/* Have it pumped when there is room. */
void request_kick(struct request *request);
void request_event(struct request *request, const char *event, json_t *fields);
void request_answer(struct request *request, json_t *fields);
/* fields may be NULL; "error" is added. */
void request_fail(struct request *request, json_t *fields, const char *error);

#endif
