/* SPDX-License-Identifier: MIT */
/* A capture file that anybody may have made. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/pcapng_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcapng_record record;
	struct pcapng_file file;
	uint8_t *copy = malloc(size + 1);
	uint32_t sum = 0;

	ASSERT(copy);
	memcpy(copy, data, size);
	pcapng_open_bytes(&file, copy, size);
	while (pcapng_next(&file, &record, NULL) == 1) {
		ASSERT(record.captured <= record.size);
		ASSERT(record.interface < file.interface_count);
		for (uint32_t i = 0; i < record.captured; i++)
			sum += record.bytes[i];
		sum += (uint32_t)strlen(record.comment);
	}
	/* Every byte is read: the sum is of use to somebody. */
	__asm__ volatile("" ::"r"(sum));
	file.bytes = NULL;
	pcapng_close(&file);
	free(copy);
	return 0;
}
