/* SPDX-License-Identifier: MIT */
#include "lab/supplies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/helper.h"
#include "linkfault/filter.h"

enum {
	KEPT = 16,		   /* more than the rules of a direction */
	FILES_MS_MAX = 10 * 1000,
};

struct supplies {
	struct loop *loop;
	void (*ready)(void *ctx);
	void *ctx;

	/* What is being made. */
	struct helper *helper; /* NULL: nothing */
	struct watch *watch;
	char *text;		   /* the filter, or the words that name files */
	struct fault_files *files; /* where they are kept; NULL: it is a filter */

	struct filter *kept[KEPT];
	unsigned next;	/* to be replaced */
	char *words;	/* whose files are there; NULL: nobody's */
	char *failed;	/* could not be made; NULL: nothing */
	int err;
	struct why why;
};

int supplies_create(struct supplies **out, struct loop *loop, void (*ready)(void *ctx),
		    void *ctx, struct why *why)
{
	struct supplies *supplies = calloc(1, sizeof(*supplies));

	if (!supplies)
		return why_set(why, -ENOMEM, "out of memory");
	supplies->loop = loop;
	supplies->ready = ready;
	supplies->ctx = ctx;
	*out = supplies;
	return 0;
}

static void stop(struct supplies *supplies)
{
	watch_close(steal_ptr(&supplies->watch));
	helper_free(steal_ptr(&supplies->helper));
	free(steal_ptr(&supplies->text));
	supplies->files = NULL;
}

void supplies_destroy(struct supplies *supplies)
{
	if (!supplies)
		return;
	stop(supplies);
	for (size_t i = 0; i < KEPT; i++)
		filter_free(supplies->kept[i]);
	free(supplies->failed);
	free(supplies);
}

static int take_filter(struct supplies *supplies)
{
	struct filter *made = NULL;
	int err = filter_end(&made, supplies->helper, supplies->text, &supplies->why);

	if (err)
		return err;
	filter_free(supplies->kept[supplies->next]);
	supplies->kept[supplies->next] = made;
	supplies->next = (supplies->next + 1) % KEPT;
	return 0;
}

static int take_files(struct supplies *supplies)
{
	const uint8_t *bytes;
	size_t size;
	int err = helper_wait(supplies->helper, &bytes, &size, &supplies->why);

	if (err == -ETIMEDOUT)
		return why_set(&supplies->why, -EINVAL,
			       "reading the files takes longer than %d s",
			       FILES_MS_MAX / 1000);
	return err ? err : fault_files_unpack(supplies->files, bytes, size, &supplies->why);
}

static void on_over(void *ctx, uint32_t events)
{
	struct supplies *supplies = ctx;
	struct fault_files *files = supplies->files;

	(void)events;
	supplies->err = files ? take_files(supplies) : take_filter(supplies);
	if (supplies->err) {
		free(supplies->failed);
		supplies->failed = steal_ptr(&supplies->text);
	} else if (files) {
		supplies->words = steal_ptr(&supplies->text);
	}
	stop(supplies);
	supplies->ready(supplies->ctx);
	if (files) {
		fault_files_drop(files);
		free(steal_ptr(&supplies->words));
	}
}

/* Has that failed?  Told once: who asks again may find a host that is less busy. */
static int take_failure(struct supplies *supplies, const char *text, struct why *why)
{
	if (!supplies->failed || strcmp(supplies->failed, text) != 0)
		return 0;
	free(steal_ptr(&supplies->failed));
	return why_set(why, supplies->err, "%s", supplies->why.text);
}

/* The helper, which has begun, makes the text's. */
static int await(struct supplies *supplies, const char *text, struct fault_files *files,
		 struct why *why)
{
	int err;

	supplies->files = files;
	supplies->text = strdup(text);
	err = supplies->text ? 0 : why_set(why, -ENOMEM, "out of memory");
	if (!err)
		err = loop_watch(supplies->loop, helper_fd(supplies->helper), EPOLLIN,
				 on_over, supplies, &supplies->watch, why);
	if (err)
		stop(supplies);
	return err ? err : 1;
}

int supplies_filter(struct supplies *supplies, const char *text, struct why *why)
{
	int err;

	if (!filter_takes_long(text))
		return 0;
	err = filter_check(text, why);
	if (!err)
		err = take_failure(supplies, text, why);
	if (err)
		return err;
	if (supplies->helper)
		return 1;
	err = filter_begin(&supplies->helper, text, why);
	return err ? err : await(supplies, text, NULL, why);
}

/* ---- files, read there ---------------------------------------------------- */

struct reading {
	const struct fault_context *context;
	const json_t *words;
};

static int read_there(void *ctx, uint8_t *result, size_t room, size_t *size,
		      struct why *why)
{
	const struct reading *reading = ctx;
	struct fault_context context = *reading->context;
	/* Not with what was read for somebody else. */
	struct fault_files files = { 0 };
	struct fault_spec *spec = NULL;
	int err;

	context.files = &files;
	err = fault_words_from_json(&spec, &context, reading->words, why);
	/* Whether the words are right is a question of what is set already. */
	return files.failed ? err : fault_files_pack(&files, result, room, size, why);
}

int supplies_files(struct supplies *supplies, const struct fault_context *context,
		   const json_t *words, struct why *why)
{
	struct reading reading = { context, words };
	cleanup_free char *text = NULL;
	int err;

	if (!fault_words_name_files(words))
		return 0;
	text = json_dumps(words, JSON_COMPACT);
	if (!text)
		return why_set(why, -ENOMEM, "fault: out of memory");
	if (supplies->words && !strcmp(supplies->words, text))
		return 0;
	err = take_failure(supplies, text, why);
	if (err)
		return err;
	if (supplies->helper)
		return 1;
	err = helper_start(&supplies->helper, read_there, &reading, FAULT_FILES_BYTES_MAX,
			   FILES_MS_MAX, why);
	return err ? err : await(supplies, text, context->files, why);
}
