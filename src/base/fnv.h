/* SPDX-License-Identifier: MIT */
/* fnv.h - FNV-1a of 64 bits: a hash that takes byte after byte
 *
 *	hash = FNV_BASIS; for each byte: hash = fnv_on(hash, byte)
 *
 * For names and against accidents, not against an adversary.
 *
 * Source:  RFC 9923 (its two numbers for 64 bits)
 * Errors:  none.
 * Threads: pure.
 */
#ifndef NL_BASE_FNV_H
#define NL_BASE_FNV_H

#include <stdint.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)

static inline uint64_t fnv_on(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

#endif
