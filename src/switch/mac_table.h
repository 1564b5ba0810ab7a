/* SPDX-License-Identifier: MIT */
/* mac_table.h - where on a segment an address was last heard
 *
 * Every member of the segment may be known for MAC_TABLE_PER_MEMBER addresses;
 * one that sends from more pushes out the one of its own that was silent longest.
 * The table grows as needed, so a flood of made-up addresses from one member never
 * costs another its place.  An address that is heard from another member moves
 * there, as in any bridge.
 *
 * An address is forgotten when it was not heard for ageing_ns; with an ageing of
 * 0 nothing is ever known, and the segment is a hub.
 *
 * Errors:    when memory runs out an address is not learnt: its frames are
 *            flooded, which is slower but right.  Adding a member can fail.
 * Ownership: the table owns everything in it.
 * Units:     nanoseconds of lab time.  A MAC is its six bytes, the first lowest.
 * Threads:   one.
 */
#ifndef NL_SWITCH_MAC_TABLE_H
#define NL_SWITCH_MAC_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/record.h"

enum { MAC_TABLE_PER_MEMBER = 256, MAC_TABLE_UNKNOWN = UINT32_MAX };

#define MAC_GROUP_BIT UINT64_C(1) /* multicast or broadcast */

struct mac_entry;

/* The addresses of one member, the one that was silent longest first. */
struct mac_member {
	struct mac_entry *first, *last;
	uint32_t count;
};

struct mac_table {
	uint64_t key; /* of the hash: a guest cannot know which addresses collide */
	uint64_t ageing_ns;
	struct mac_entry **buckets;
	size_t bucket_count; /* a power of two, or 0 */
	size_t count;
	struct mac_member *members;
	uint32_t member_count;
};

static inline uint64_t mac_load(const uint8_t bytes[6])
{
	uint64_t mac = 0;

	memcpy(&mac, bytes, 6);
	return mac;
}

void mac_table_init(struct mac_table *table, uint64_t key, uint64_t ageing_ns);
void mac_table_destroy(struct mac_table *table);

/* Members are numbered from 0.  0 or -ENOMEM. */
int mac_table_add_member(struct mac_table *table);
void mac_table_learn(struct mac_table *table, uint64_t mac, uint32_t member,
		     uint64_t now_ns);
/* The member, or MAC_TABLE_UNKNOWN. */
uint32_t mac_table_find(const struct mac_table *table, uint64_t mac, uint64_t now_ns);
/* Forget what was heard from this member. */
void mac_table_forget(struct mac_table *table, uint32_t member);

/* For each member: how many addresses, and each, the one that was silent longest first,
 * with the time.  Into an empty table of as many members. */
void mac_table_record(struct mac_table *table, uint64_t now_ns, struct record *record);

#endif
