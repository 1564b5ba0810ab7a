/* SPDX-License-Identifier: MIT */
#include "linkfault/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/helper.h"
#include "linkfault/filter_words.h"

enum {
	TEXT_SHOWN_BYTES = 200, /* of a filter, in a message */
	SNAP_BYTES = 256 << 10, /* programs answer with it: never less than a frame */
};

struct filter {
	unsigned refs;
	struct bpf_insn *insns;
	uint32_t count;
	char *text;
	struct filter *prev, *next; /* of those that there are */
};

static struct filter *all;

static struct filter *find(const char *text)
{
	struct filter *filter = all;

	while (filter && strcmp(filter->text, text) != 0)
		filter = filter->next;
	return filter;
}

/* insns are copied: they are lent. */
static int make(struct filter **out, const char *text, const struct bpf_insn *insns,
		uint32_t count, struct why *why)
{
	struct filter *filter;

	if (count > FILTER_INSNS_MAX)
		return why_set(why, -ERANGE,
			       "filter: %u instructions; the most is %d. Say it in fewer "
			       "words: \"portrange 1-99\", \"net 10.0.0.0/8\"",
			       count, FILTER_INSNS_MAX);
	if (!bpf_validate(insns, (int)count))
		return why_set(why, -EINVAL, "filter: not a program");
	filter = calloc(1, sizeof(*filter));
	if (filter) {
		filter->insns = malloc(count * sizeof(*insns));
		filter->text = strdup(text);
	}
	if (!filter || !filter->insns || !filter->text) {
		if (filter) {
			free(filter->insns);
			free(filter->text);
		}
		free(filter);
		return why_set(why, -ENOMEM, "filter: out of memory");
	}
	memcpy(filter->insns, insns, count * sizeof(*insns));
	filter->count = count;
	filter->refs = 1;
	filter->next = all;
	if (all)
		all->prev = filter;
	all = filter;
	*out = filter;
	return 0;
}

static int compile(struct bpf_program *program, const char *text, struct why *why)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAP_BYTES);
	int err = 0;

	if (!pcap)
		return why_set(why, -ENOMEM, "filter: out of memory");
	if (pcap_compile(pcap, program, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		err = why_set(why, -EINVAL, "filter \"%.*s\": %s", TEXT_SHOWN_BYTES, text,
			      pcap_geterr(pcap));
	pcap_close(pcap);
	return err;
}

static int compile_here(struct filter **out, const char *text, struct why *why)
{
	struct bpf_program program;
	int err = compile(&program, text, why);

	if (err)
		return err;
	err = make(out, text, program.bf_insns, program.bf_len, why);
	pcap_freecode(&program);
	return err;
}

/* ---- long ones, in a helper process ------------------------------------- */

static int compile_there(void *ctx, uint8_t *result, size_t room, size_t *size,
			 struct why *why)
{
	struct bpf_program program;
	int err = compile(&program, ctx, why);

	if (err)
		return err;
	*size = program.bf_len * sizeof(*program.bf_insns);
	if (*size > room)
		return why_set(why, -ERANGE,
			       "filter: %u instructions; the most is %d. Say it in fewer "
			       "words: \"portrange 1-99\", \"net 10.0.0.0/8\"",
			       program.bf_len, FILTER_INSNS_MAX);
	memcpy(result, program.bf_insns, *size);
	return 0;
}

int filter_begin(struct helper **helper, const char *text, struct why *why)
{
	return helper_start(helper, compile_there, (void *)text,
			    FILTER_INSNS_MAX * sizeof(struct bpf_insn),
			    FILTER_COMPILE_MS_MAX, why);
}

int filter_end(struct filter **out, struct helper *helper, const char *text,
	       struct why *why)
{
	const uint8_t *bytes;
	size_t size;
	int err = helper_wait(helper, &bytes, &size, why);

	if (err == -ETIMEDOUT)
		return why_set(why, -EINVAL,
			       "filter \"%.60s…\": compiling it takes longer than %d s; "
			       "say it in fewer words: \"portrange 1-99\", \"net "
			       "10.0.0.0/8\"",
			       text, FILTER_COMPILE_MS_MAX / 1000);
	if (err)
		return err;
	return make(out, text, (const struct bpf_insn *)(const void *)bytes,
		    (uint32_t)(size / sizeof(struct bpf_insn)), why);
}

/* ---- both ---------------------------------------------------------------- */

int filter_check(const char *text, struct why *why)
{
	int err;

	if (strlen(text) > FILTER_TEXT_BYTES_MAX)
		return why_set(why, -EINVAL, "filter: longer than %d bytes",
			       FILTER_TEXT_BYTES_MAX);
	err = filter_words_check(text, why);
	return err ? why_wrap(why, err, "filter \"%.*s\"", TEXT_SHOWN_BYTES, text) : 0;
}

bool filter_takes_long(const char *text)
{
	return text && *text && !filter_words_are_few(text) && !find(text);
}

int filter_compile(struct filter **out, const char *text, struct why *why)
{
	struct helper *helper;
	int err;

	*out = NULL;
	if (!text || !*text)
		return 0;
	*out = filter_ref(find(text));
	if (*out)
		return 0;
	err = filter_check(text, why);
	if (err)
		return err;
	if (filter_words_are_few(text))
		return compile_here(out, text, why);
	err = filter_begin(&helper, text, why);
	if (err)
		return err;
	err = filter_end(out, helper, text, why);
	helper_free(helper);
	return err;
}

bool filter_wants(const struct filter *filter, const uint8_t *bytes, uint32_t size)
{
	return !filter || bpf_filter(filter->insns, bytes, size, size) > 0;
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
	if (filter->prev)
		filter->prev->next = filter->next;
	else
		all = filter->next;
	if (filter->next)
		filter->next->prev = filter->prev;
	free(filter->insns);
	free(filter->text);
	free(filter);
}
