/* SPDX-License-Identifier: MIT */
/* control_internal.h - what the files of the control socket share
 *
 * For control.c (sockets), control_conn.c (one connection's bytes),
 * control_call.c (lines and verbs) and control_look.c (long answers); others use
 * control.h.
 */
#ifndef NL_CONTROL_CONTROL_INTERNAL_H
#define NL_CONTROL_CONTROL_INTERNAL_H

#include "control/control.h"
#include "base/outbuf.h"

#define CONTROL_IS_FULL "256 clients are connected, and each has asked for something"
_Static_assert(CONTROL_CONNECTIONS_MAX == 256, "CONTROL_IS_FULL says how many");

struct control {
	struct loop *loop;
	const struct verb *verbs;
	size_t verb_count;
	void *ctx;
	void (*adopted_gone)(void *ctx);
	int listen_fd;
	int spare_fd; /* to be given up for a moment when there is no other */
	struct watch *listen_watch;
	struct conn *first;
	size_t conn_count;
	uid_t uid;			 /* of this process, as it sees itself */
	const struct control_gate *gate; /* NULL: always open */
	const char *(*trouble)(void *ctx);  /* NULL: there never is */
	const char *const *trouble_then;    /* in a helper: what it was; else NULL */
	bool (*is_large)(void *ctx);	    /* NULL: never */
	unsigned looks;			    /* under way, in helpers */
	struct deferred look_over;	    /* one of those that wait may begin */
	struct conn *nobody;		 /* of control_do(); NULL: not yet */
};

struct conn {
	struct control *control;
	struct conn *prev, *next;
	int fd; /* -1: of nobody */
	struct watch *watch;
	struct deferred work;
	struct outbuf in, out;
	size_t scanned;	 /* of in: no newline up to here */
	size_t together; /* bytes at the front of in that are done at one time */
	int fds[CONTROL_FDS_MAX];
	size_t fd_count;
	struct request *first;
	size_t request_count;
	bool adopted;
	bool kept; /* it has a place that is kept for looks */
	bool eof;     /* the client sends no more */
	enum waits {
		WAITS_NOT,
		WAITS_FOR_GATE,	    /* its first line, or its end */
		WAITS_FOR_SUPPLIES, /* its first line */
		WAITS_FOR_ANSWER,   /* of a look, or of a request that holds it */
	} waits;
	struct look *look; /* that is under way; NULL: none */
	bool hung_up;	   /* it waits, and the client is gone */
	bool dead;    /* to be closed as soon as nobody stands in it */
};

/* control_conn.c */
int conn_create(struct control *control, int fd, bool adopted, struct why *why);
int conn_create_nobody(struct control *control, struct why *why);
void conn_destroy(struct conn *conn);
bool conn_has_room(const struct conn *conn);
void conn_kick(struct conn *conn);
void conn_send(struct conn *conn, json_t *line /* taken over */);
bool conn_flush(struct conn *conn); /* true: all is sent or it is dead */

/* What it waited for is there: serve on.  The connection may be gone. */
void conn_go_on(struct conn *conn);

/* A line that waits is to be served again when it need not any more. */
enum line_end { LINE_SERVED, LINE_WAITS_FOR_GATE, LINE_WAITS_FOR_SUPPLIES };

/* control_call.c: serve one line, without its newline.  *together is set to how many bytes
 * after it are to be done together, if it says so.  One that was served may have made the
 * connection wait for its answer. */
enum line_end conn_line(struct conn *conn, const char *line, size_t size, size_t *together);
json_t *call_failure(json_int_t id, json_t *fields, const char *error);
/* What is the matter with the record of the run; NULL: nothing. */
const char *control_trouble(const struct control *control);

/* control_look.c: have the call's verb run in a helper, of which there may be so many.  0 or
 * -errno. */
enum { LOOKS_MAX = 4 };
int look_begin(struct call *call, const struct verb *verb, struct why *why);
void look_drop(struct look *look); /* NULL does nothing */

#endif
