/* SPDX-License-Identifier: MIT */
/* edit.h - changing a frame without its receiver noticing: checksums and ECN
 *
 * Ethernet, one 802.1Q tag if there is one, IPv4 or IPv6, then TCP, UDP, ICMP.  What
 * is not that, or is cut off, is left as it is.
 *
 * Format: RFC 791, 8200, 9293, 768, 792, 4443; ECN: RFC 3168.
 *
 * Errors:    none.
 * Ownership: the bytes are lent.
 * Threads:   pure.
 */
#ifndef NL_LINKFAULT_EDIT_H
#define NL_LINKFAULT_EDIT_H

#include <stdbool.h>
#include <stdint.h>

/* Does it say that it may be marked (ECT), or is it marked already? */
bool edit_can_mark(const uint8_t *bytes, uint32_t size);
/* Set CE and keep the header's checksum right. */
void edit_mark(uint8_t *bytes, uint32_t size);
/* Make the checksums of the IP header and of what it carries right. */
void edit_repair(uint8_t *bytes, uint32_t size);

#endif
