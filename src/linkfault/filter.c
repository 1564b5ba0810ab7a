/* SPDX-License-Identifier: MIT */
#include "linkfault/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
	TEXT_SHOWN_BYTES = 200, /* of a filter, in a message */
	SNAP_BYTES = 256 << 10, /* programs answer with it: never less than a frame */
};

struct filter {
	unsigned refs;
	struct bpf_program program;
	char *text;
};

/* libpcap asks the resolver about names, and in a lab nobody answers. */
static const char *advice(const char *error)
{
	static const char *const unknown[] = { "unknown host", "unknown network",
					       "unknown ether host" };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (strstr(error, unknown[i]))
			return " (names of machines cannot be looked up: write "
			       "addresses)";
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
	if (strlen(text) > FILTER_TEXT_BYTES_MAX)
		return why_set(why, -EINVAL, "filter: longer than %d bytes",
			       FILTER_TEXT_BYTES_MAX);
	filter = calloc(1, sizeof(*filter));
	if (filter && !(filter->text = strdup(text))) {
		free(filter);
		filter = NULL;
	}
	pcap = pcap_open_dead(DLT_EN10MB, SNAP_BYTES);
	if (!filter || !pcap)
		err = why_set(why, -ENOMEM, "filter: out of memory");
	else if (pcap_compile(pcap, &filter->program, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		err = why_set(why, -EINVAL, "filter \"%.*s\": %s%s", TEXT_SHOWN_BYTES,
			      text, pcap_geterr(pcap), advice(pcap_geterr(pcap)));
	if (pcap)
		pcap_close(pcap);
	if (err) {
		if (filter)
			free(filter->text);
		free(filter);
		return err;
	}
	filter->refs = 1;
	*out = filter;
	return 0;
}

bool filter_wants(const struct filter *filter, const uint8_t *bytes, uint32_t size)
{
	return !filter || bpf_filter(filter->program.bf_insns, bytes, size, size) > 0;
}

const char *filter_text(const struct filter *filter)
{
	return filter ? filter->text : "";
}

struct filter *filter_ref(struct filter *filter)
{
	if (filter)
		filter->refs++;
	return filter;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	ASSERT(filter->refs > 0);
	if (--filter->refs)
		return;
	pcap_freecode(&filter->program);
	free(filter->text);
	free(filter);
}
