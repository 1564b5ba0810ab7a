/* SPDX-License-Identifier: MIT */
#include "cli/ui.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct cell {
	char *text;
	enum paint paint;
};

struct table {
	size_t columns, count;
	struct cell *cells; /* the headings first */
};

static void add(struct table *t, char *text, enum paint paint)
{
	t->cells = ui_need(reallocarray(t->cells, t->count + 1, sizeof(*t->cells)));
	t->cells[t->count++] = (struct cell){ ui_need(text), paint };
}

struct table *table_new(size_t columns, ...)
{
	struct table *t = ui_need(calloc(1, sizeof(*t)));
	va_list ap;

	t->columns = columns;
	va_start(ap, columns);
	while (columns--)
		add(t, strdup(va_arg(ap, const char *)), PAINT_BOLD);
	va_end(ap);
	return t;
}

void table_cell(struct table *t, enum paint paint, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	add(t, text, paint);
}

/* Characters, not bytes: names and units may be UTF-8. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table *t, FILE *out)
{
	size_t row, c, widest[32] = { 0 };

	ASSERT(t->columns <= 32 && t->count % t->columns == 0);
	for (c = 0; c < t->count; c++) {
		size_t w = width(t->cells[c].text);

		if (w > widest[c % t->columns])
			widest[c % t->columns] = w;
	}
	for (row = 0; row < t->count; row += t->columns) {
		for (c = 0; c < t->columns; c++) {
			const struct cell *cell = &t->cells[row + c];
			size_t pad = widest[c] - width(cell->text) + 2;

			if (cell->paint != PAINT_OFF)
				fputs(ui_paint(out, cell->paint), out);
			ui_safe(out, cell->text, false);
			if (cell->paint != PAINT_OFF)
				fputs(ui_paint(out, PAINT_OFF), out);
			if (c + 1 < t->columns)
				fprintf(out, "%*s", (int)pad, "");
		}
		fputc('\n', out);
	}
}

void table_free(struct table *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}
