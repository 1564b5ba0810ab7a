/* SPDX-License-Identifier: MIT */
#include "lab/supplies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/helper.h"
#include "linkfault/filter.h"

enum { KEPT = 16 }; /* more than the rules of a direction */

struct supplies {
	struct loop *loop;
	void (*ready)(void *ctx);
	void *ctx;
	struct helper *helper; /* NULL: nothing is being made */
	struct watch *watch;
	char *text; /* of what is being made */
	struct filter *kept[KEPT];
	unsigned next; /* to be replaced */
	char *failed;  /* could not be made; NULL: nothing */
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

static void on_over(void *ctx, uint32_t events)
{
	struct supplies *supplies = ctx;
	struct filter *made = NULL;

	(void)events;
	supplies->err = filter_end(&made, supplies->helper, supplies->text, &supplies->why);
	if (supplies->err) {
		free(supplies->failed);
		supplies->failed = steal_ptr(&supplies->text);
	} else {
		filter_free(supplies->kept[supplies->next]);
		supplies->kept[supplies->next] = made;
		supplies->next = (supplies->next + 1) % KEPT;
	}
	stop(supplies);
	supplies->ready(supplies->ctx);
}

static int start(struct supplies *supplies, const char *text, struct why *why)
{
	int err;

	supplies->text = strdup(text);
	if (!supplies->text)
		return why_set(why, -ENOMEM, "filter: out of memory");
	err = filter_begin(&supplies->helper, supplies->text, why);
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
	if (err)
		return err;
	if (supplies->failed && !strcmp(supplies->failed, text)) {
		/* Told once: who asks again may find a host that is less busy. */
		free(steal_ptr(&supplies->failed));
		return why_set(why, supplies->err, "%s", supplies->why.text);
	}
	return supplies->helper ? 1 : start(supplies, text, why);
}
