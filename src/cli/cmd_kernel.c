/* SPDX-License-Identifier: MIT */
/* Which kernels there are, and which one is used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/ui.h"
#include "kernel/choice.h"
#include "kernel/place.h"
#include "kernel/store.h"

/* One line of `kernel ls`. */
struct row {
	char name[STORE_NAME_BYTES_MAX];
	struct kernel kernel;
	struct stored stored;
	bool own, current; /* of the store; made of the present guest/ */
	bool used;
	struct why why; /* it cannot be used */
};

struct listing {
	struct row *rows;
	size_t count;
	struct choice choice;
	struct why why; /* there is no choice */
	bool chosen;
};

static void look(struct row *row, const char *path)
{
	if (kernel_look(&row->kernel, path, &row->why)) {
		memset(&row->kernel, 0, sizeof(row->kernel));
		snprintf(row->kernel.path, sizeof(row->kernel.path), "%s", path);
	}
}

static struct row *add_row(struct listing *l, const char *name, const char *path)
{
	struct row *row = &l->rows[l->count++];
	char real[PATH_MAX];

	snprintf(row->name, sizeof(row->name), "%s", name);
	look(row, path);
	row->used =
		l->chosen && (!strcmp(path, l->choice.path) ||
			      (realpath(path, real) && !strcmp(real, l->choice.path)));
	return row;
}

static void add_stored(struct listing *l, const struct stored *list, size_t count)
{
	struct recipe recipe = { 0 };
	bool known = !recipe_read(&recipe, NULL);
	char path[PATH_MAX];

	for (size_t i = 0; i < count; i++) {
		struct row *row;

		if (store_kernel_path(path, &list[i], NULL))
			continue;
		row = add_row(l, list[i].name, path);
		row->own = true;
		row->stored = list[i];
		row->current = known && !strcmp(list[i].recipe, recipe.hash);
	}
	recipe_free(&recipe);
}

static int list_all(struct listing *l, struct why *why)
{
	cleanup_free struct stored *list = NULL;
	const char *packaged = choice_packaged();
	bool seen = false;
	size_t count;
	int err = store_list(&list, &count, why);

	if (err)
		return err;
	l->chosen = !choice_make(&l->choice, NULL, &l->why);
	l->rows = calloc(count + 2, sizeof(*l->rows));
	if (!l->rows)
		return why_set(why, -ENOMEM, "kernels: out of memory");
	add_stored(l, list, count);
	if (packaged)
		add_row(l, "packaged", packaged);
	for (size_t i = 0; i < l->count; i++)
		seen = seen || l->rows[i].used;
	if (l->chosen && !seen)
		add_row(l, "-", l->choice.path);
	return 0;
}

/* "seccomp, time-travel" */
static const char *can_words(char *text, size_t room, unsigned can)
{
	size_t used = 0;

	snprintf(text, room, "%s", can ? "" : "-");
	for (unsigned i = 0; i < KERNEL_CANS && used < room; i++)
		if (can & 1U << i)
			used += (size_t)snprintf(text + used, room - used, "%s%s",
						 used ? ", " : "", kernel_can_word(i));
	return text;
}

static const char *made_of(const struct row *row)
{
	if (!row->own)
		return "";
	return row->current ? ""
			    : " (made of another configuration than the present one)";
}

static void print_text(const struct listing *l)
{
	struct table *table = table_new(4, "", "NAME", "LINUX", "CAN");
	char words[256];

	for (size_t i = 0; i < l->count; i++) {
		const struct row *row = &l->rows[i];
		enum paint paint = row->used ? PAINT_GREEN : PAINT_OFF;

		table_cell(table, paint, "%s", row->used ? "*" : " ");
		table_cell(table, paint, "%s",
			   !strcmp(row->name, "-") ? row->kernel.path : row->name);
		table_cell(table, PAINT_OFF, "%s",
			   *row->why.text ? "-" : row->kernel.release);
		table_cell(table, PAINT_OFF, "%s%s",
			   *row->why.text
				   ? row->why.text
				   : can_words(words, sizeof(words), row->kernel.can),
			   made_of(row));
	}
	if (l->count)
		table_print(table, stdout);
	table_free(table);
	if (l->chosen) {
		printf("%sUsed: ", l->count ? "\n" : "");
		ui_safe(stdout, l->choice.path, false);
		printf(", because %s.\n", choice_reason_text(l->choice.reason));
	}
}

static json_t *row_json(const struct row *row)
{
	json_t *can = json_array(), *out;

	for (unsigned i = 0; i < KERNEL_CANS; i++)
		if (row->kernel.can & 1U << i)
			json_array_append_new(can, json_string(kernel_can_word(i)));
	out = json_pack("{s:s?, s:s, s:b, s:o}", "name",
			strcmp(row->name, "-") ? row->name : NULL, "path",
			row->kernel.path, "used", row->used, "can", can);
	if (*row->why.text)
		json_object_set_new(out, "error", json_string(row->why.text));
	else
		json_object_set_new(out, "release", json_string(row->kernel.release));
	if (*row->kernel.modules)
		json_object_set_new(out, "modules", json_string(row->kernel.modules));
	if (row->own)
		json_object_set_new(out, "built",
				    json_pack("{s:s, s:s, s:I, s:I, s:b}", "source",
					      row->stored.source, "compiler",
					      row->stored.compiler, "patches",
					      (json_int_t)row->stored.patches, "at",
					      (json_int_t)row->stored.built_s, "current",
					      row->current));
	return out;
}

static void print_json(const struct listing *l)
{
	json_t *all = json_array(), *out;

	for (size_t i = 0; i < l->count; i++)
		json_array_append_new(all, row_json(&l->rows[i]));
	out = json_pack("{s:o}", "kernels", all);
	if (l->chosen)
		json_object_set_new(out, "used",
				    json_pack("{s:s, s:s}", "path", l->choice.path, "why",
					      choice_reason_text(l->choice.reason)));
	else
		json_object_set_new(out, "error", json_string(l->why.text));
	ui_json(out);
	json_decref(out);
}

int cmd_kernel_ls(struct command_call *call)
{
	struct listing l = { 0 };
	struct why why;
	int status = STATUS_DONE;

	if (list_all(&l, &why)) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	if (call->json)
		print_json(&l);
	else
		print_text(&l);
	if (!l.chosen) {
		ui_error("%s", l.why.text);
		status = STATUS_FAILED;
	}
	free(l.rows);
	return status;
}

int cmd_kernel_use(struct command_call *call)
{
	char place[PATH_MAX];
	struct choice choice;
	struct why why;
	int err = choice_use(call->argv[0], &why);

	if (!err)
		err = place_config(place, "kernel", &why);
	if (!err)
		err = choice_make(&choice, NULL, &why);
	if (err) {
		ui_error("%s", why.text);
		return STATUS_FAILED;
	}
	printf("Used from now on: ");
	ui_safe(stdout, choice.path, false);
	printf(", because %s.\n", choice_reason_text(choice.reason));
	if (choice.reason == CHOICE_ENVIRONMENT)
		ui_warning("NETLAB_KERNEL is set in the environment and comes first");
	else if (choice.reason == CHOICE_USE)
		printf("(%s; back to the best there is: netlab kernel use auto)\n",
		       place);
	return STATUS_DONE;
}

int cmd_kernel_rm(struct command_call *call)
{
	struct why why;

	for (int i = 0; i < call->argc; i++)
		if (store_remove(call->argv[i], &why)) {
			ui_error("%s", why.text);
			return STATUS_FAILED;
		}
	return STATUS_DONE;
}
