/* SPDX-License-Identifier: MIT */
#include "fabric/talkers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"

/* More names help nobody; a storm is on all links of its loop. */
enum { NAMED = 3 };

struct talkers {
	const struct plan *plan;
	uint64_t since_ns;
	uint64_t before[]; /* by link */
};

int talkers_create(struct talkers **out, const struct plan *plan, struct why *why)
{
	struct talkers *talkers =
		calloc(1, sizeof(*talkers) + plan->link_count * sizeof(*talkers->before));

	if (!talkers)
		return why_set(why, -ENOMEM, "links: out of memory");
	talkers->plan = plan;
	*out = talkers;
	return 0;
}

void talkers_destroy(struct talkers *talkers)
{
	free(talkers);
}

/* The link with most after that one, which was named before it; the first of equals. */
static size_t next_most(const struct talkers *talkers, const uint64_t *frames, size_t last)
{
	size_t count = talkers->plan->link_count, most = count;
	uint64_t limit =
		last < count ? frames[last] - talkers->before[last] : UINT64_MAX;

	for (size_t i = 0; i < count; i++) {
		uint64_t had = frames[i] - talkers->before[i];

		if (!had || had > limit || (had == limit && i <= last))
			continue;
		if (most == count || had > frames[most] - talkers->before[most])
			most = i;
	}
	return most;
}

static void say(const struct talkers *talkers, const uint64_t *frames, uint64_t now_ns,
		uint64_t sum, char text[TALKERS_TEXT_BYTES])
{
	uint64_t ns = now_ns - talkers->since_ns;
	size_t count = talkers->plan->link_count, link = count;
	int used = snprintf(text, TALKERS_TEXT_BYTES,
			    "%" PRIu64 " frames in %" PRIu64 ".%06" PRIu64 " s", sum,
			    ns / NS_PER_S, ns % NS_PER_S / NS_PER_US);

	for (int i = 0; i < NAMED && used < TALKERS_TEXT_BYTES; i++) {
		link = next_most(talkers, frames, link);
		if (link == count)
			return;
		used += snprintf(text + used, (size_t)(TALKERS_TEXT_BYTES - used),
				 "%s %.64s %" PRIu64, i ? "," : ":",
				 talkers->plan->links[link].name,
				 frames[link] - talkers->before[link]);
	}
}

uint64_t talkers_look(struct talkers *talkers, const uint64_t *frames, uint64_t now_ns,
		      char text[TALKERS_TEXT_BYTES])
{
	size_t bytes = talkers->plan->link_count * sizeof(*frames);
	uint64_t sum = 0;

	for (size_t i = 0; i < talkers->plan->link_count; i++)
		sum += frames[i] - talkers->before[i];
	if (text && sum)
		say(talkers, frames, now_ns, sum, text);
	else if (text)
		*text = 0;
	memcpy(talkers->before, frames, bytes);
	talkers->since_ns = now_ns;
	return sum;
}
