/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/ui.h"

enum { BAR_CELLS = 24 };

uint64_t progress_elapsed_ns(const struct progress *p)
{
	return clock_now_ns(p->clock) - p->start_ns;
}

void progress_start(struct progress *p, FILE *out, const struct clock *clock)
{
	const char *term = getenv("TERM");

	memset(p, 0, sizeof(*p));
	p->out = out;
	p->clock = clock;
	p->bar = isatty(fileno(out)) && term && strcmp(term, "dumb");
	p->start_ns = clock_now_ns(p->clock);
}

void progress_text(char *text, size_t bytes, const struct progress_state *s,
		   uint64_t elapsed_ns, unsigned columns)
{
	unsigned all = s->nodes + s->services, done = s->booted + s->ready, cells, i;
	char bar[BAR_CELLS + 1], time[32];
	size_t used;

	cells = all ? done * BAR_CELLS / all : 0;
	for (i = 0; i < BAR_CELLS; i++)
		bar[i] = i < cells ? '#' : '-';
	bar[BAR_CELLS] = 0;
	ui_duration(time, sizeof(time), elapsed_ns);
	used = (size_t)snprintf(text, bytes, "[%s]  machines %u/%u", bar, s->booted,
				s->nodes);
	if (s->services && used < bytes)
		used += (size_t)snprintf(text + used, bytes - used, "  services %u/%u",
					 s->ready, s->services);
	if (used < bytes)
		snprintf(text + used, bytes - used, "  %s  %s", time, s->what);
	/* One column stays free, or the terminal goes to the next line. */
	if (columns && strlen(text) >= columns)
		text[columns - 1] = 0;
}

static void draw_line(struct progress *p, const char *text)
{
	fputc('\r', p->out);
	ui_safe(p->out, text, false);
	fputs("\033[K", p->out);
	fflush(p->out);
	p->drawn_ns = clock_now_ns(p->clock);
}

static unsigned columns_of(const struct progress *p)
{
	struct winsize size = { .ws_col = 80 };

	ioctl(fileno(p->out), TIOCGWINSZ, &size);
	return size.ws_col ? size.ws_col : 80;
}

static void draw(struct progress *p)
{
	char text[256];

	progress_text(text, sizeof(text), &p->shown, progress_elapsed_ns(p),
		      columns_of(p));
	draw_line(p, text);
}

void progress_show(struct progress *p, const struct progress_state *state)
{
	bool news = memcmp(&p->shown, state, sizeof(*state)) != 0;
	char time[32];

	if (!news)
		return;
	p->shown = *state;
	if (p->bar) {
		if (!p->drawn_ns ||
		    clock_now_ns(p->clock) - p->drawn_ns >= PROGRESS_TICK_MS * NS_PER_MS)
			draw(p);
		return;
	}
	fprintf(p->out, "%s: ", ui_duration(time, sizeof(time), progress_elapsed_ns(p)));
	ui_safe(p->out, *state->what ? state->what : "under way", false);
	fprintf(p->out, " (machines %u/%u", state->booted, state->nodes);
	if (state->services)
		fprintf(p->out, ", services %u/%u", state->ready, state->services);
	fputs(")\n", p->out);
	fflush(p->out);
}

/* ---- one whole ----------------------------------------------------------------------
 */

enum { WHOLE_PPM = 1000000, GUESS_PPM = 20000 };

void progress_part_text(char *text, size_t bytes, const char *what, uint32_t done_ppm,
			uint32_t first_ppm, uint64_t elapsed_ns, unsigned columns)
{
	unsigned cells = (unsigned)((uint64_t)done_ppm * BAR_CELLS / WHOLE_PPM);
	char bar[BAR_CELLS + 1], spent[32], left[32] = "";

	for (unsigned i = 0; i < BAR_CELLS; i++)
		bar[i] = i < cells ? '#' : '-';
	bar[BAR_CELLS] = 0;
	ui_duration(spent, sizeof(spent), elapsed_ns / NS_PER_S * NS_PER_S);
	/* Not before there is something to judge by. */
	if (done_ppm >= first_ppm + GUESS_PPM)
		ui_duration(left, sizeof(left),
			    elapsed_ns / (done_ppm - first_ppm) * (WHOLE_PPM - done_ppm) /
				    NS_PER_S * NS_PER_S);
	snprintf(text, bytes, "[%s]  %u %%  %s  %s%s%s%s", bar, done_ppm / 10000, what,
		 spent, *left ? ", " : "", left, *left ? " left" : "");
	if (columns && strlen(text) >= columns)
		text[columns - 1] = 0;
}

void progress_part(struct progress *p, const char *what, uint32_t done_ppm)
{
	bool news = strcmp(p->part, what) != 0;
	uint64_t now_ns = clock_now_ns(p->clock);
	char text[256], time[32];

	if (!p->first_ns) {
		p->first_ns = now_ns;
		p->first_ppm = done_ppm;
	}
	/* Elsewhere than on a terminal, a long step is heard of each tenth. */
	news = news ||
	       (!p->bar && done_ppm / (WHOLE_PPM / 10) != p->part_ppm / (WHOLE_PPM / 10));
	snprintf(p->part, sizeof(p->part), "%s", what);
	p->part_ppm = done_ppm;
	if (p->bar && (news || now_ns - p->drawn_ns >= PROGRESS_TICK_MS * NS_PER_MS)) {
		progress_part_text(text, sizeof(text), what, done_ppm, p->first_ppm,
				   now_ns - p->first_ns, columns_of(p));
		draw_line(p, text);
	} else if (!p->bar && news) {
		fprintf(p->out,
			"%s: ", ui_duration(time, sizeof(time), now_ns - p->start_ns));
		ui_safe(p->out, what, false);
		fprintf(p->out, " (%u %%)\n", done_ppm / 10000);
		fflush(p->out);
	}
}

void progress_tick(struct progress *p)
{
	if (p->bar)
		draw(p);
}

void progress_end(struct progress *p)
{
	if (p->bar)
		fputs("\r\033[K", p->out);
	fflush(p->out);
	p->bar = false;
}
