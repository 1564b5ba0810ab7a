/* SPDX-License-Identifier: MIT */
#include "clock/exchange.h"

#include "base/check.h"

/* Theirs is data: two's complement wraps, and means the difference. */
static int64_t minus(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

void exchanges_add(struct exchanges *exchanges, uint64_t sent_ns, uint64_t theirs_ns,
		   uint64_t heard_ns)
{
	int64_t least_ns = minus(theirs_ns, heard_ns), most_ns = minus(theirs_ns, sent_ns);

	ASSERT(sent_ns <= heard_ns);
	if (!exchanges->count || least_ns > exchanges->most_ns ||
	    most_ns < exchanges->least_ns) {
		*exchanges = (struct exchanges){ 1, least_ns, most_ns };
		return;
	}
	exchanges->count++;
	if (least_ns > exchanges->least_ns)
		exchanges->least_ns = least_ns;
	if (most_ns < exchanges->most_ns)
		exchanges->most_ns = most_ns;
}

uint64_t exchanges_error_ns(const struct exchanges *exchanges)
{
	ASSERT(exchanges->count);
	return ((uint64_t)exchanges->most_ns - (uint64_t)exchanges->least_ns + 1) / 2;
}

int64_t exchanges_offset_ns(const struct exchanges *exchanges)
{
	return exchanges->least_ns +
	       (int64_t)(((uint64_t)exchanges->most_ns - (uint64_t)exchanges->least_ns) / 2);
}
