/* SPDX-License-Identifier: MIT */
#include "partition/cut_draw.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/draw.h"

enum { ONE_WAY_IN = 4 };

struct card {
	uint64_t hash;
	uint32_t node;
	bool picked;
};

/* The members in the order in which they are dealt out, the picked ones first. */
struct deal {
	struct card *cards;
	uint32_t count, picked;
};

static int before(const void *a, const void *b)
{
	const struct card *x = a, *y = b;

	if (x->picked != y->picked)
		return x->picked ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->node < y->node ? -1 : 1;
}

static int shuffle(struct deal *deal, const struct partition *partition,
		   size_t node_count, uint64_t key, uint64_t round)
{
	*deal = (struct deal){ .cards = calloc(node_count + 1, sizeof(*deal->cards)) };
	if (!deal->cards)
		return -ENOMEM;
	for (uint32_t n = 0; n < node_count; n++) {
		if (partition->part_of[n] == PART_NONE)
			continue;
		deal->cards[deal->count++] = (struct card){
			.hash = draw_bits(key, round << 32 | n, LANE_PARTITION_ORDER),
			.node = n,
			.picked = partition->part_of[n] == PART_PICKED,
		};
		deal->picked += partition->part_of[n] == PART_PICKED;
	}
	qsort(deal->cards, deal->count, sizeof(*deal->cards), before);
	return 0;
}

/* The cards from first on: the next few on side 1, the others on side 2. */
static void split(struct cut_draw *draw, const struct deal *deal, uint32_t first,
		  uint32_t few)
{
	draw->count = 2;
	for (uint32_t i = first; i < deal->count; i++)
		draw->place[deal->cards[i].node] = i - first < few ? 1 : 2;
}

static void isolate(struct cut_draw *draw, const struct deal *deal)
{
	uint32_t alone = deal->picked ? deal->picked : 1;

	draw->count = alone + 1;
	for (uint32_t i = 0; i < deal->count; i++)
		draw->place[deal->cards[i].node] = i < alone ? i + 1 : draw->count;
}

static void bridge(struct cut_draw *draw, const struct deal *deal)
{
	uint32_t between = deal->picked ? deal->picked : 1;

	split(draw, deal, between, (deal->count - between) / 2);
}

static void deal_out(struct cut_draw *draw, const struct deal *deal)
{
	uint32_t n = deal->count;

	switch (draw->kind) {
	case PARTITION_ISOLATE:
		isolate(draw, deal);
		break;
	case PARTITION_BRIDGE:
		bridge(draw, deal);
		break;
	case PARTITION_HALVES:
		split(draw, deal, 0, n / 2);
		break;
	case PARTITION_MINORITY:
		split(draw, deal, 0, (n - 1) / 2);
		break;
	case PARTITION_MAJORITY:
		split(draw, deal, 0, n / 2 + 1);
		break;
	case PARTITION_RING:
		draw->count = n;
		for (uint32_t i = 0; i < n; i++)
			draw->place[deal->cards[i].node] = i + 1;
		break;
	default: /* nothing is cut */
		break;
	}
}

static void choose(struct cut_draw *draw, const struct deal *deal, uint64_t key,
		   uint64_t round)
{
	static const enum partition_kind kinds[] = {
		PARTITION_KINDS,
		PARTITION_ISOLATE,
		PARTITION_HALVES,
		/* from three nodes on */
		PARTITION_BRIDGE,
		PARTITION_MINORITY,
		PARTITION_RING,
	};
	uint64_t choices = deal->count < 3 ? 3 : ARRAY_SIZE(kinds);

	draw->kind = kinds[draw_below(key, round, LANE_PARTITION_KIND, choices)];
	draw->one_way = draw->kind != PARTITION_RING && draw->kind != PARTITION_KINDS &&
			draw_below(key, round, LANE_PARTITION_WAY, ONE_WAY_IN) == 0;
}

int cut_draw(struct cut_draw *out, const struct partition *partition,
	     size_t node_count, uint64_t key, uint64_t round, struct why *why)
{
	struct cut_draw draw = { .kind = partition->kind,
				 .one_way = partition->one_way,
				 .place = calloc(node_count + 1, sizeof(uint32_t)) };
	struct deal deal;

	if (!draw.place || (partition->kind != PARTITION_SIDES &&
			    shuffle(&deal, partition, node_count, key, round))) {
		free(draw.place);
		return why_set(why, -ENOMEM, "partition: out of memory");
	}
	if (partition->kind == PARTITION_SIDES) {
		draw.count = partition->side_count;
		for (size_t n = 0; n < node_count; n++)
			draw.place[n] = partition->part_of[n];
	} else {
		if (partition->kind == PARTITION_RANDOM)
			choose(&draw, &deal, key, round);
		deal_out(&draw, &deal);
		free(deal.cards);
	}
	*out = draw;
	return 0;
}

int cut_draw_most(struct cut_draw *out, const struct partition *partition,
		  size_t node_count, uint64_t key, struct why *why)
{
	int err = cut_draw(out, partition, node_count, key, 0, why);

	if (err || partition->kind != PARTITION_RANDOM)
		return err;
	out->kind = PARTITION_SIDES;
	out->one_way = false;
	out->count = 0;
	for (size_t n = 0; n < node_count; n++)
		out->place[n] = partition->part_of[n] == PART_NONE ? 0 : ++out->count;
	return 0;
}

void cut_draw_free(struct cut_draw *draw)
{
	free(draw->place);
	*draw = (struct cut_draw){ 0 };
}

/* Each sees floor(n/2) others, or one more where that many cannot be had. */
static bool ring_sees(uint32_t n, uint32_t a, uint32_t b)
{
	uint32_t others = n / 2, steps = a > b ? a - b : b - a;
	uint32_t apart = steps < n - steps ? steps : n - steps;

	if (n == 3)
		return steps < 2;
	if (others % 2 == 0)
		return apart <= others / 2;
	if (n % 2 == 0)
		return apart <= others / 2 || apart == n / 2;
	return apart <= others / 2 + 1;
}

bool cut_draw_cuts(const struct cut_draw *draw, uint32_t from, uint32_t to)
{
	uint32_t a = draw->place[from], b = draw->place[to];

	if (!a || !b || a == b)
		return false;
	if (draw->kind == PARTITION_RING)
		return !ring_sees(draw->count, a, b);
	return !draw->one_way || a < draw->count;
}

uint64_t cut_draw_lasts_ns(const struct partition *partition, uint64_t key,
			   uint64_t round)
{
	uint64_t spread_ns = partition->every_ns - partition->stable_ns;

	ASSERT(partition->every_ns >= partition->stable_ns);
	return partition->stable_ns +
	       draw_below(key, round, LANE_PARTITION_TIME, 2 * spread_ns + 1);
}
