/* SPDX-License-Identifier: MIT */
#include "topology/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"

void diagnostics_free(struct diagnostics *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		free(diags->items[i].where);
		free(diags->items[i].path);
		free(diags->items[i].message);
		free(diags->items[i].suggestion);
	}
	*diags = (struct diagnostics){ 0 };
}

static bool is_after(const struct tree_place *a, const struct tree_place *b)
{
	if (a->source != b->source)
		return a->source > b->source;
	if (a->line != b->line)
		return a->line > b->line;
	return a->column > b->column;
}

void diagnostics_sort(struct diagnostics *diags)
{
	/* Insertion: stable, and there are at most fifty. */
	for (size_t i = 1; i < diags->count; i++) {
		struct diagnostic item = diags->items[i];
		size_t j = i;

		for (; j && is_after(&diags->items[j - 1].at, &item.at); j--)
			diags->items[j] = diags->items[j - 1];
		diags->items[j] = item;
	}
}

static void print_one(const struct diagnostic *item, FILE *to)
{
	fputs(item->where, to);
	if (!item->at.source && item->at.line)
		fprintf(to, ":%u:%u", item->at.line, item->at.column);
	fprintf(to, ": error: %s%s%s", item->path, *item->path ? ": " : "",
		item->message);
	if (item->suggestion)
		fprintf(to, "; did you mean \"%s\"?", item->suggestion);
	fputc('\n', to);
}

void diagnostics_print(const struct diagnostics *diags, FILE *to)
{
	size_t more = diags->total - diags->count;

	for (size_t i = 0; i < diags->count; i++)
		print_one(&diags->items[i], to);
	if (more)
		fprintf(to, "and %zu more error%s\n", more, more == 1 ? "" : "s");
}

json_t *diagnostics_to_json(const struct diagnostics *diags)
{
	json_t *errors = json_array();

	for (size_t i = 0; i < diags->count; i++) {
		const struct diagnostic *item = &diags->items[i];

		json_array_append_new(errors,
				      json_pack("{s:s,s:i,s:i,s:s,s:s,s:s*}", "file",
						item->where, "line", (int)item->at.line,
						"column", (int)item->at.column, "path",
						item->path, "message", item->message,
						"suggestion", item->suggestion));
	}
	return json_pack("{s:o,s:I}", "errors", errors, "total",
			 (json_int_t)diags->total);
}

/* Error texts quote what stands in the file, perhaps cut short: utf8_clean()
 * keeps terminals and JSON whole. */
static void add(struct diagnostics *diags, struct tree_place at, const struct tree *value,
		const char *suggestion, const char *fmt, va_list ap)
{
	struct diagnostic *item;
	char path[TREE_PATH_BYTES_MAX];

	diags->total++;
	if (diags->count == DIAGNOSTICS_MAX)
		return;
	item = &diags->items[diags->count++];
	item->at = at;
	if (at.source) {
		item->at.line = item->at.column = 0;
		item->where = heap_printf("--set %s", diags->sets[at.source - 1]);
	} else {
		item->where = heap_strdup(diags->file ? diags->file : "");
	}
	utf8_clean(item->where);
	item->path = heap_strdup(tree_path(value, path));
	utf8_clean(item->path);
	item->suggestion = suggestion ? heap_strdup(suggestion) : NULL;
	ASSERT(vasprintf(&item->message, fmt, ap) >= 0);
	utf8_clean(item->message);
}

void complain(struct diagnostics *diags, const struct tree *value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, value->at, value, NULL, fmt, ap);
	va_end(ap);
}

void complain_key(struct diagnostics *diags, const struct tree *member,
		  const char *suggestion, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, member->key_at, member, suggestion, fmt, ap);
	va_end(ap);
}

void complain_near(struct diagnostics *diags, const struct tree *value,
		   const char *suggestion, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, value->at, value, suggestion, fmt, ap);
	va_end(ap);
}

void complain_place(struct diagnostics *diags, struct tree_place at,
		    const struct tree *parent, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, at, parent, NULL, fmt, ap);
	va_end(ap);
}
