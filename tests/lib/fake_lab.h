/* SPDX-License-Identifier: MIT */
/* fake_lab.h - a whole lab in the test's own process, with fake machines
 *
 * Real loop, fake clock; topology from a text.  What is said on its control socket
 * goes through a socketpair, as in life.
 */
#ifndef NL_TESTS_FAKE_LAB_H
#define NL_TESTS_FAKE_LAB_H

#include <jansson.h>

#include "lab/lab_internal.h"

struct fake_lab {
	struct lab lab;
	struct plan *plan;
	struct kernel kernel;
	const struct kernel *kernels[64];
	char dir[64]; /* a folder of its own below $TMPDIR, which is its working folder */
	bool booted;
};

struct fake_client {
	struct fake_lab *lab;
	int fd;
	json_int_t id;
	char *bytes; /* received and not taken */
	size_t have, room;
};

void fake_lab_open(struct fake_lab *fake, const char *topology);
/* All of that but lab_build(). */
void fake_lab_prepare(struct fake_lab *fake, const char *topology);
void fake_lab_close(struct fake_lab *fake);
/* Turn the loop until nothing is left to do. */
void fake_lab_settle(struct fake_lab *fake);
/* Write to the machine's console, and turn until the lab has read it: the kernel
 * passes it on when it likes. */
void fake_lab_print(struct fake_lab *fake, uint32_t node, const char *text);
void fake_lab_advance(struct fake_lab *fake, uint64_t ns);
/* Boot, and play every machine's agent until it is ready (if it has no services). */
void fake_lab_boot(struct fake_lab *fake);
void fake_agent_greet(struct fake_lab *fake, const char *node);
/* The tail of the journal: how many entries have that event? */
int fake_lab_journalled(struct fake_lab *fake, const char *event);

/* adopted: as lab_start() does. */
void fake_client_open(struct fake_client *client, struct fake_lab *fake);
void fake_client_close(struct fake_client *client);
/* Lines without a newline; `text` may have several, separated by newlines. */
void fake_client_send(struct fake_client *client, const char *text);
/* Send {"id":N,"do":what, …fields}, fields as JSON text without braces ("" none);
 * returns N. */
json_int_t fake_client_ask(struct fake_client *client, const char *what,
			   const char *fields);
/* The next line from the lab, NULL if there is none now. */
json_t *fake_client_line(struct fake_client *client);
/* Ask, and return the answer (events before it are dropped). */
json_t *fake_client_call(struct fake_client *client, const char *what,
			 const char *fields);
/* The text of a member; "" if it is none. */
const char *text_of(const json_t *line, const char *key);

#endif
