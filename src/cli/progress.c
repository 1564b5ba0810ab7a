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

static void draw(struct progress *p)
{
	struct winsize size = { .ws_col = 80 };
	char text[256];

	ioctl(fileno(p->out), TIOCGWINSZ, &size);
	progress_text(text, sizeof(text), &p->shown, progress_elapsed_ns(p),
		      size.ws_col ? size.ws_col : 80);
	fputc('\r', p->out);
	ui_safe(p->out, text, false);
	fputs("\033[K", p->out);
	fflush(p->out);
	p->drawn_ns = clock_now_ns(p->clock);
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
