/* SPDX-License-Identifier: MIT */
#include "lab/clearing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fabric/fault_json.h"
#include "ops/fault_ops.h"

enum { CLEARED_PER_TURN = 128 };

struct clearing {
	struct request request; /* first; of no one any more if left */
	struct lab *lab;
	struct deferred work;
	struct fault_target all;
	size_t done;
	bool left;
	struct clearing *next;
};

static void drop(struct clearing *clearing)
{
	struct clearing **at = &clearing->lab->clearings;

	while (*at != clearing)
		at = &(*at)->next;
	*at = clearing->next;
	deferred_cancel(&clearing->work);
	free(clearing->all.at);
	free(clearing);
}

void clearings_drop(struct lab *lab)
{
	while (lab->clearings)
		drop(lab->clearings);
}

static void clear_some(void *ctx)
{
	struct clearing *clearing = ctx;
	const struct fabric *fabric = &clearing->lab->fabric;
	struct fault_part whole = { 0 };
	struct fault_target some = {
		.at = clearing->all.at + clearing->done,
		.count = clearing->all.count - clearing->done,
	};
	struct why why;
	int err;

	if (some.count > CLEARED_PER_TURN)
		some.count = CLEARED_PER_TURN;
	err = fault_ops_clear(fabric, &some, &whole, &why);
	clearing->done += some.count;
	if (!err && clearing->done < clearing->all.count) {
		loop_defer(clearing->lab->loop, &clearing->work);
		return;
	}
	if (clearing->left && err)
		fprintf(stderr, "faults are left, and who cleared them has gone: %s\n", why.text);
	else if (err)
		request_fail(&clearing->request, NULL, why.text);
	else if (!clearing->left)
		request_answer(&clearing->request,
			       json_pack("{s:o}", "directions", fault_all_json(fabric, false)));
	drop(clearing);
}

static void leave(struct request *request)
{
	((struct clearing *)request)->left = true;
}

int clearing_begin(struct lab *lab, struct call *call, struct why *why)
{
	static const struct request_ops ops = { .drop = leave };
	struct clearing *clearing = calloc(1, sizeof(*clearing));
	int err;

	if (!clearing)
		return why_set(why, -ENOMEM, "fault: out of memory");
	clearing->lab = lab;
	clearing->work = (struct deferred){ .run = clear_some, .ctx = clearing };
	err = fault_ops_everything(&lab->fabric, &clearing->all, why);
	if (err) {
		free(clearing);
		return err;
	}
	clearing->next = lab->clearings;
	lab->clearings = clearing;
	request_begin(&clearing->request, call, &ops, 0);
	/* What is set next must not be cleared by it. */
	request_hold(&clearing->request);
	loop_defer(lab->loop, &clearing->work);
	return 0;
}
