/* SPDX-License-Identifier: MIT */
#include "switch/mac_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"

enum { BUCKETS_MIN = 64 };

struct mac_entry {
	uint64_t mac;
	uint64_t heard_ns;
	struct mac_entry *next;		 /* in the bucket */
	struct mac_entry *older, *newer; /* of the same member */
	uint32_t member;
};

void mac_table_init(struct mac_table *table, uint64_t key, uint64_t ageing_ns)
{
	*table = (struct mac_table){ .key = key, .ageing_ns = ageing_ns };
}

void mac_table_destroy(struct mac_table *table)
{
	for (uint32_t m = 0; m < table->member_count; m++)
		mac_table_forget(table, m);
	free(table->buckets);
	free(table->members);
	*table = (struct mac_table){ 0 };
}

int mac_table_add_member(struct mac_table *table)
{
	size_t count = (size_t)table->member_count + 1;
	struct mac_member *members = realloc(table->members, count * sizeof(*members));

	if (!members)
		return -ENOMEM;
	table->members = members;
	table->members[table->member_count++] = (struct mac_member){ 0 };
	return 0;
}

static struct mac_entry **bucket_of(const struct mac_table *table, uint64_t mac)
{
	uint64_t h = (mac ^ table->key) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 32;
	return &table->buckets[h & (table->bucket_count - 1)];
}

static struct mac_entry *look_up(const struct mac_table *table, uint64_t mac)
{
	struct mac_entry *e;

	if (!table->bucket_count)
		return NULL;
	for (e = *bucket_of(table, mac); e && e->mac != mac; e = e->next)
		;
	return e;
}

static void list_remove(struct mac_table *table, struct mac_entry *e)
{
	struct mac_member *m = &table->members[e->member];

	*(e->older ? &e->older->newer : &m->first) = e->newer;
	*(e->newer ? &e->newer->older : &m->last) = e->older;
	m->count--;
}

static void list_append(struct mac_table *table, struct mac_entry *e, uint32_t member)
{
	struct mac_member *m = &table->members[member];

	e->member = member;
	e->older = m->last;
	e->newer = NULL;
	*(m->last ? &m->last->newer : &m->first) = e;
	m->last = e;
	m->count++;
}

static void bucket_remove(struct mac_table *table, struct mac_entry *e)
{
	struct mac_entry **at = bucket_of(table, e->mac);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	table->count--;
}

static void bucket_add(struct mac_table *table, struct mac_entry *e)
{
	struct mac_entry **at = bucket_of(table, e->mac);

	e->next = *at;
	*at = e;
	table->count++;
}

/* Keep at least as many buckets as entries. */
static int grow(struct mac_table *table)
{
	size_t count = table->bucket_count ? 2 * table->bucket_count : BUCKETS_MIN;
	struct mac_entry **old = table->buckets;
	size_t old_count = table->bucket_count;
	struct mac_entry **buckets;

	if (table->count < table->bucket_count)
		return 0;
	buckets = calloc(count, sizeof(struct mac_entry *));
	if (!buckets)
		return -ENOMEM;
	table->buckets = buckets;
	table->bucket_count = count;
	table->count = 0;
	for (size_t i = 0; i < old_count; i++) {
		struct mac_entry *e, *next;

		for (e = old[i]; e; e = next) {
			next = e->next;
			bucket_add(table, e);
		}
	}
	free(old);
	return 0;
}

/* An entry to fill: a new one, or the oldest of a member that has its share. */
static struct mac_entry *entry_for(struct mac_table *table, uint32_t member)
{
	struct mac_entry *e = table->members[member].first;

	if (table->members[member].count >= MAC_TABLE_PER_MEMBER) {
		bucket_remove(table, e);
		list_remove(table, e);
		return e;
	}
	if (grow(table) < 0)
		return NULL;
	return malloc(sizeof(*e));
}

static void evict_oldest(struct mac_table *table, uint32_t member)
{
	struct mac_entry *e = table->members[member].first;

	bucket_remove(table, e);
	list_remove(table, e);
	free(e);
}

void mac_table_learn(struct mac_table *table, uint64_t mac, uint32_t member,
		     uint64_t now_ns)
{
	struct mac_entry *e = look_up(table, mac);

	ASSERT(member < table->member_count);
	if (e && e->member == member) {
		e->heard_ns = now_ns;
		if (table->members[member].last != e) {
			list_remove(table, e);
			list_append(table, e, member);
		}
		return;
	}
	if (e) { /* it has moved */
		list_remove(table, e);
		if (table->members[member].count >= MAC_TABLE_PER_MEMBER)
			evict_oldest(table, member);
	} else {
		e = entry_for(table, member);
		if (!e)
			return;
		e->mac = mac;
		bucket_add(table, e);
	}
	e->heard_ns = now_ns;
	list_append(table, e, member);
}

uint32_t mac_table_find(const struct mac_table *table, uint64_t mac, uint64_t now_ns)
{
	const struct mac_entry *e = look_up(table, mac);

	if (!e || now_ns - e->heard_ns >= table->ageing_ns)
		return MAC_TABLE_UNKNOWN;
	return e->member;
}

void mac_table_forget(struct mac_table *table, uint32_t member)
{
	while (table->members[member].first)
		evict_oldest(table, member);
}

static void load_entry(struct mac_table *table, uint32_t member, uint64_t mac,
		       uint64_t heard_ns, struct record *record)
{
	if (mac >> 48 || mac & MAC_GROUP_BIT || look_up(table, mac))
		record_refuse(record, "an address that is none, or is there twice");
	else
		mac_table_learn(table, mac, member, heard_ns);
	if (record_ok(record) && !look_up(table, mac))
		record_no_memory(record);
}

void mac_table_record(struct mac_table *table, uint64_t now_ns, struct record *record)
{
	for (uint32_t m = 0; m < table->member_count && record_ok(record); m++) {
		const struct mac_entry *e = table->members[m].first;
		uint32_t count = table->members[m].count;

		record_below(record, &count, MAC_TABLE_PER_MEMBER + 1,
			     "number of addresses");
		for (uint32_t i = 0; i < count && record_ok(record); i++) {
			uint64_t mac = e ? e->mac : 0, heard_ns = e ? e->heard_ns : 0;

			record_u64(record, &mac);
			record_u64(record, &heard_ns);
			if (record_ok(record) && heard_ns > now_ns)
				record_refuse(record, "an address of the future");
			if (record->loading && record_ok(record))
				load_entry(table, m, mac, heard_ns, record);
			if (!record->loading)
				e = e->newer;
		}
	}
}
