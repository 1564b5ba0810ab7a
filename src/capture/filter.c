/* SPDX-License-Identifier: MIT */
#include "capture/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"

enum { TEXT_SHOWN_BYTES = 200 }; /* of a filter, in a message */

struct filter {
	struct bpf_program program;
};

/* libpcap asks the resolver about names, and in a lab nobody answers. */
static const char *advice(const char *error)
{
	static const char *const unknown[] = { "unknown host", "unknown network",
					       "unknown ether host" };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (strstr(error, unknown[i]))
			return " (names of machines cannot be looked up: write addresses)";
	return "";
}

int filter_compile(struct filter **out, const char *text, struct why *why)
{
	struct filter *filter;
	pcap_t *pcap;
	int err = 0;

	*out = NULL;
	if (!text || !*text)
		return 0;
	if (strlen(text) > CAPTURE_FILTER_BYTES_MAX)
		return why_set(why, -EINVAL, "filter: longer than %d bytes",
			       CAPTURE_FILTER_BYTES_MAX);
	filter = calloc(1, sizeof(*filter));
	pcap = pcap_open_dead(DLT_EN10MB, CAPTURE_SNAP_BYTES_MAX);
	if (!filter || !pcap)
		err = why_set(why, -ENOMEM, "filter: out of memory");
	else if (pcap_compile(pcap, &filter->program, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		err = why_set(why, -EINVAL, "filter \"%.*s\": %s%s", TEXT_SHOWN_BYTES, text,
			      pcap_geterr(pcap), advice(pcap_geterr(pcap)));
	if (pcap)
		pcap_close(pcap);
	if (err) {
		free(filter);
		return err;
	}
	*out = filter;
	return 0;
}

bool filter_wants(const struct filter *filter, const uint8_t *bytes, uint32_t size)
{
	const struct pcap_pkthdr header = { .caplen = size, .len = size };

	return !filter || pcap_offline_filter(&filter->program, &header, bytes) > 0;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}

int capture_filter_check(const char *filter, struct why *why)
{
	struct filter *compiled;
	int err = filter_compile(&compiled, filter, why);

	filter_free(compiled);
	return err;
}
