/* SPDX-License-Identifier: MIT */
/* progress.h - how far it is: a bar on a terminal, a line per change elsewhere
 *
 *	[############--------]  machines 2/3   services 1/4   1.3 s   n3: booting
 *	[############--------]  60 %  compiling Linux 7.3.4  2 min 5 s, 1 min 20 s left
 *
 * On a terminal the bar is one line on stderr that is drawn again, at most ten
 * times a second, and wiped by progress_end(): what is said afterwards stands
 * alone.  Elsewhere each new thing is one line.
 *
 * Errors: none.  Ownership: the caller's struct; out and clock are borrowed, texts are
 *         copied.
 */
#ifndef NL_CLI_PROGRESS_H
#define NL_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "clock/clock.h"

enum { PROGRESS_WHAT_BYTES = 128 };

struct progress_state {
	unsigned booted, nodes; /* machines; 0 of 0: not known yet */
	unsigned ready, services;
	char what[96]; /* the latest thing: "n3: booted" */
};

struct progress {
	FILE *out;
	const struct clock *clock;
	bool bar;
	uint64_t start_ns, drawn_ns;
	struct progress_state shown;

	char part[PROGRESS_WHAT_BYTES]; /* of progress_part() */
	uint32_t part_ppm, first_ppm;
	uint64_t first_ns;
};

enum { PROGRESS_TICK_MS = 100 };

void progress_start(struct progress *progress, FILE *out, const struct clock *clock);
void progress_show(struct progress *progress, const struct progress_state *state);
/* Call every PROGRESS_TICK_MS: the clock on the bar goes on. */
void progress_tick(struct progress *progress);
void progress_end(struct progress *progress);
/* For work that is one whole: what is done just now, and how much of the whole is.
 * Call it often; it draws as often as it should. */
void progress_part(struct progress *progress, const char *what, uint32_t done_ppm);
/* Since progress_start(). */
uint64_t progress_elapsed_ns(const struct progress *progress);

/* The bar's text, without escapes: for a screen of that many columns. */
void progress_text(char *text, size_t bytes, const struct progress_state *state,
		   uint64_t elapsed_ns, unsigned columns);
/* first_ppm was done at the beginning, elapsed_ns ago. */
void progress_part_text(char *text, size_t bytes, const char *what, uint32_t done_ppm,
			uint32_t first_ppm, uint64_t elapsed_ns, unsigned columns);

#endif
