/* SPDX-License-Identifier: MIT */
/* exec_request.h - what an EXEC message asks for
 *
 * Errors:    0, or -EINVAL with the JSON path and what is wrong.
 * Ownership: exec_request_free() frees everything.
 * Threads:   pure.
 */
#ifndef NL_AGENT_EXEC_REQUEST_H
#define NL_AGENT_EXEC_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "init/environ.h"
#include "base/why.h"

struct exec_request {
	json_t *json; /* owns the strings below */
	char **argv;  /* at least one; NULL at the end */
	const char *cwd;
	bool tty;
	uint16_t rows, cols;
	struct environ_list env; /* the machine's, with the request's on top */
};

int exec_request_parse(const uint8_t *text, size_t size, const struct environ_list *machine,
		       struct exec_request *out, struct why *why);
void exec_request_free(struct exec_request *request);

/* The payloads of SIGNAL and RESIZE. */
int exec_signal_parse(const uint8_t *text, size_t size, int *signal, struct why *why);
int exec_resize_parse(const uint8_t *text, size_t size, uint16_t *rows, uint16_t *cols,
		      struct why *why);

#endif
