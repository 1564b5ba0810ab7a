/* SPDX-License-Identifier: MIT */
/* frame.h - an Ethernet frame, lent
 *
 * Bytes start at the destination MAC; there is no FCS.  A frame is lent for the
 * length of the call it is passed to; who needs it longer copies it.
 */
#ifndef NL_SWITCH_FRAME_H
#define NL_SWITCH_FRAME_H

#include <stdint.h>

enum {
	FRAME_BYTES_MIN = 14, /* an Ethernet header and nothing */
	FRAME_BYTES_MAX = 14 + 2 * 4 + 9216, /* header, two VLAN tags, jumbo payload */
};

struct frame {
	const uint8_t *bytes;
	uint32_t size; /* bytes, within the limits above */
};

#endif
