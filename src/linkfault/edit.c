/* SPDX-License-Identifier: MIT */
#include "linkfault/edit.h"

#include <string.h>

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	ECN_MASK = 3,
	ECN_CE = 3,
	IPV6_HEADER_BYTES = 40,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMPV6 = 58,
};

/* Where the IP packet lies; size 0: there is none. */
struct packet {
	uint32_t at, size;
	bool v6;
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static struct packet find_packet(const uint8_t *bytes, uint32_t size)
{
	struct packet p = { .at = 14 };
	uint16_t type;

	if (size < 18)
		return p;
	type = get16(bytes + 12);
	if (type == TYPE_VLAN) {
		type = get16(bytes + 16);
		p.at = 18;
	}
	p.v6 = type == TYPE_IPV6;
	if ((type == TYPE_IPV4 && size >= p.at + 20 && bytes[p.at] >> 4 == 4) ||
	    (p.v6 && size >= p.at + IPV6_HEADER_BYTES && bytes[p.at] >> 4 == 6))
		p.size = size - p.at;
	return p;
}

bool edit_can_mark(const uint8_t *bytes, uint32_t size)
{
	struct packet p = find_packet(bytes, size);

	if (!p.size)
		return false;
	return (p.v6 ? bytes[p.at + 1] >> 4 & ECN_MASK : bytes[p.at + 1] & ECN_MASK) != 0;
}

/* The ones' complement sum of RFC 1071; the last byte of an odd number counts as
 * the high one of a word. */
static uint32_t add_words(uint32_t sum, const uint8_t *at, uint32_t size)
{
	for (; size > 1; size -= 2, at += 2)
		sum += get16(at);
	return size ? sum + (uint32_t)(at[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void edit_mark(uint8_t *bytes, uint32_t size)
{
	struct packet p = find_packet(bytes, size);
	uint8_t *ip = bytes + p.at;
	uint16_t before;

	if (!p.size)
		return;
	if (p.v6) {
		ip[1] |= ECN_CE << 4;
		return;
	}
	/* RFC 1624: what was wrong before stays as wrong. */
	before = get16(ip);
	ip[1] |= ECN_CE;
	put16(ip + 10, fold((uint32_t)(uint16_t)~get16(ip + 10) +
			    (uint32_t)(uint16_t)~before + get16(ip)));
}

/* Where a protocol has its checksum, in a payload of size bytes; -1: nowhere. */
static int checksum_at(uint8_t proto, const uint8_t *payload, uint32_t size)
{
	switch (proto) {
	case PROTO_TCP:
		return size >= 20 ? 16 : -1;
	case PROTO_UDP:
		/* 0 means that there is none. */
		return size >= 8 && get16(payload + 6) ? 6 : -1;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return size >= 4 ? 2 : -1;
	default:
		return -1;
	}
}

static void repair_payload(uint8_t *payload, uint32_t size, uint8_t proto,
			   const uint8_t *addresses, uint32_t address_bytes)
{
	int at = checksum_at(proto, payload, size);
	uint32_t sum = 0;
	uint16_t value;

	if (at < 0)
		return;
	if (proto != PROTO_ICMP)
		sum = add_words(size + proto, addresses, address_bytes);
	put16(payload + at, 0);
	value = fold(add_words(sum, payload, size));
	put16(payload + at, proto == PROTO_UDP && !value ? 0xffff : value);
}

static void repair_v4(uint8_t *ip, uint32_t size)
{
	uint32_t header = 4u * (ip[0] & 15), total = get16(ip + 2);

	if (header < 20 || header > size)
		return;
	put16(ip + 10, 0);
	put16(ip + 10, fold(add_words(0, ip, header)));
	/* A fragment has only a part of what the checksum is over. */
	if (total < header || total > size || get16(ip + 6) & 0x3fff)
		return;
	repair_payload(ip + header, total - header, ip[9], ip + 12, 8);
}

void edit_repair(uint8_t *bytes, uint32_t size)
{
	struct packet p = find_packet(bytes, size);
	uint8_t *ip = bytes + p.at;
	uint32_t payload;

	if (!p.size)
		return;
	if (!p.v6) {
		repair_v4(ip, p.size);
		return;
	}
	payload = get16(ip + 4);
	if (payload <= p.size - IPV6_HEADER_BYTES)
		repair_payload(ip + IPV6_HEADER_BYTES, payload, ip[6], ip + 8, 32);
}
