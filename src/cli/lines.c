/* SPDX-License-Identifier: MIT */
#include "cli/lines.h"

#include <stdlib.h>
#include <string.h>

#include "cli/ui.h"

static void flush(struct lines *l)
{
	if (l->prefix)
		fputs(l->prefix, l->out);
	if (l->have)
		fwrite(l->text, 1, l->have, l->out);
	fputc('\n', l->out);
	l->have = 0;
}

static void add(struct lines *l, const uint8_t *bytes, size_t size)
{
	if (!size) /* and perhaps no text either */
		return;
	if (l->have + size > l->room) {
		l->room = (l->have + size) * 2;
		l->text = ui_need(realloc(l->text, l->room));
	}
	memcpy(l->text + l->have, bytes, size);
	l->have += size;
}

void lines_put(struct lines *l, const uint8_t *bytes, size_t size)
{
	while (size) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t n = end ? (size_t)(end - bytes) : size;

		if (n > LINES_BYTES_MAX - l->have) {
			n = LINES_BYTES_MAX - l->have;
			end = NULL;
		}
		add(l, bytes, n);
		bytes += n;
		size -= n;
		if (end) {
			flush(l);
			bytes++;
			size--;
		} else if (l->have == LINES_BYTES_MAX) {
			flush(l);
		}
	}
	ui_flush(l->out);
}

void lines_end(struct lines *l)
{
	if (l->have)
		flush(l);
	free(l->text);
	l->text = NULL;
	l->have = l->room = 0;
	ui_flush(l->out);
}
