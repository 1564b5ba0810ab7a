/* SPDX-License-Identifier: MIT */
#include "topology/fault_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "topology/near.h"

static int apply_down(struct fault_spec *spec, const char *value, struct why *why)
{
	if (strcmp(value, "true") && strcmp(value, "false"))
		return why_set(why, -EINVAL, "\"%.40s\": write true or false", value);
	spec->down = !strcmp(value, "true");
	return 0;
}

static int apply_loss(struct fault_spec *spec, const char *value, struct why *why)
{
	uint64_t ppm;
	int err = units_parse_ppm(value, &ppm, why);

	if (err)
		return err;
	if (ppm > FAULT_PPM_ALL)
		return why_set(why, -ERANGE, "\"%.40s\" is more than 100%%", value);
	spec->loss_ppm = (uint32_t)ppm;
	return 0;
}

static int parse_wait(const char *value, uint64_t *out, struct why *why)
{
	char most[UNITS_TEXT_BYTES_MAX];
	uint64_t ns;
	int err = units_parse_ns(value, &ns, why);

	if (err)
		return err;
	if (ns > FAULT_DELAY_NS_MAX)
		return why_set(why, -ERANGE, "\"%.40s\" is longer than %s", value,
			       units_format_ns(most, FAULT_DELAY_NS_MAX));
	*out = ns;
	return 0;
}

static int apply_delay(struct fault_spec *spec, const char *value, struct why *why)
{
	return parse_wait(value, &spec->delay_ns, why);
}

static int apply_jitter(struct fault_spec *spec, const char *value, struct why *why)
{
	return parse_wait(value, &spec->jitter_ns, why);
}

static int apply_rate(struct fault_spec *spec, const char *value, struct why *why)
{
	char least[UNITS_TEXT_BYTES_MAX], most[UNITS_TEXT_BYTES_MAX];
	uint64_t bps;
	int err;

	if (!strcmp(value, "none")) {
		spec->rate_bps = 0;
		return 0;
	}
	err = units_parse_bps(value, &bps, why);
	if (err)
		return err;
	if (bps < FAULT_RATE_BPS_MIN || bps > FAULT_RATE_BPS_MAX)
		return why_set(why, -ERANGE,
			       "\"%.40s\" is not between %s and %s; to lift the limit "
			       "write \"none\", to stop everything write down",
			       value, units_format_bps(least, FAULT_RATE_BPS_MIN),
			       units_format_bps(most, FAULT_RATE_BPS_MAX));
	spec->rate_bps = bps;
	return 0;
}

/* One part of a limit: "100frames" or "150kB". */
static int apply_limit_part(struct fault_spec *spec, const char *part, struct why *why)
{
	size_t size = strlen(part), word = strlen("frames");
	uint32_t *to = &spec->limit_bytes;
	uint64_t value;
	char digits[24];
	int err;

	if (size > word && size - word < sizeof(digits) &&
	    !strcmp(part + size - word, "frames")) {
		memcpy(digits, part, size - word);
		digits[size - word] = 0;
		if (size > word + 1 && digits[size - word - 1] == ' ')
			digits[size - word - 1] = 0;
		err = units_parse_count(digits, &value, NULL);
		to = &spec->limit_frames;
	} else {
		err = units_parse_size(part, &value, NULL);
	}
	if (err == -EINVAL)
		return why_set(why, err,
			       "\"%.40s\" is not a queue limit: write a number and "
			       "\"frames\" or one of B kB MB KiB MiB, such as "
			       "\"100frames\", \"150kB\" or both with a comma between",
			       part);
	if (err || !value || value > UINT32_MAX)
		return why_set(why, -ERANGE, "\"%.40s\" is not between 1 and %u", part,
			       UINT32_MAX);
	if (*to)
		return why_set(why, -EINVAL, "\"%.40s\": this limit is given twice",
			       part);
	*to = (uint32_t)value;
	return 0;
}

static int apply_limit(struct fault_spec *spec, const char *value, struct why *why)
{
	struct fault_spec now = { 0 };
	char part[64];
	int err;

	if (strcmp(value, "none")) {
		for (const char *at = value;;) {
			size_t size = strcspn(at, ",");

			if (size >= sizeof(part))
				return why_set(why, -EINVAL,
					       "\"%.40s...\" is not a queue limit", at);
			memcpy(part, at, size);
			part[size] = 0;
			err = apply_limit_part(&now, part, why);
			if (err)
				return err;
			if (!at[size])
				break;
			at += size + 1;
		}
	}
	spec->limit_frames = now.limit_frames;
	spec->limit_bytes = now.limit_bytes;
	return 0;
}

static const struct fault_word {
	const char *key;
	int (*apply)(struct fault_spec *spec, const char *value, struct why *why);
} words[] = {
	{ "loss", apply_loss }, { "delay", apply_delay }, { "jitter", apply_jitter },
	{ "rate", apply_rate }, { "limit", apply_limit }, { "down", apply_down },
};

const char *const fault_word_keys[] = { "loss",	 "delay", "jitter", "rate",
					"limit", "down",  NULL };
_Static_assert(ARRAY_SIZE(fault_word_keys) == ARRAY_SIZE(words) + 1, "a key per word");

bool fault_word_is_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].key, key))
			return true;
	return false;
}

int fault_word_apply(struct fault_spec *spec, const char *key, const char *value,
		     struct why *why)
{
	const char *near;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].key, key))
			continue;
		err = words[i].apply(spec, value, why);
		return err ? why_wrap(why, err, "%s", key) : 0;
	}
	near = near_word(key, fault_word_keys);
	if (near)
		return why_set(why, -EINVAL, "no fault \"%.40s\"; did you mean \"%s\"?",
			       key, near);
	return why_set(why, -EINVAL,
		       "no fault \"%.40s\"; there are loss delay jitter rate limit down",
		       key);
}

/* The limit as text; false if there is none. */
static bool limit_text(const struct fault_spec *spec, char *text, size_t size)
{
	char bytes[UNITS_TEXT_BYTES_MAX] = "";

	if (!spec->limit_frames && !spec->limit_bytes)
		return false;
	if (spec->limit_bytes)
		units_format_size(bytes, spec->limit_bytes);
	if (spec->limit_frames)
		snprintf(text, size, "%uframes%s%s", spec->limit_frames,
			 *bytes ? "," : "", bytes);
	else
		snprintf(text, size, "%s", bytes);
	return true;
}

/* Visit every word that differs from a perfect wire, in the order of words[]. */
static int each_word(const struct fault_spec *spec,
		     int (*visit)(void *ctx, const char *key, const char *value),
		     void *ctx)
{
	char text[2 * UNITS_TEXT_BYTES_MAX];
	int err = 0;

	if (spec->loss_ppm)
		err = visit(ctx, "loss", units_format_ppm(text, spec->loss_ppm));
	if (!err && spec->delay_ns)
		err = visit(ctx, "delay", units_format_ns(text, spec->delay_ns));
	if (!err && spec->jitter_ns)
		err = visit(ctx, "jitter", units_format_ns(text, spec->jitter_ns));
	if (!err && spec->rate_bps)
		err = visit(ctx, "rate", units_format_bps(text, spec->rate_bps));
	if (!err && limit_text(spec, text, sizeof(text)))
		err = visit(ctx, "limit", text);
	if (!err && spec->down)
		err = visit(ctx, "down", NULL);
	return err;
}

static int append_word(void *ctx, const char *key, const char *value)
{
	char *text = ctx;
	size_t used = strlen(text);

	snprintf(text + used, FAULT_WORDS_BYTES_MAX - used, "%s%s%s%s", used ? " " : "",
		 key, value ? " " : "", value ? value : "");
	return 0;
}

const char *fault_words_format(const struct fault_spec *spec,
			       char text[FAULT_WORDS_BYTES_MAX])
{
	*text = 0;
	each_word(spec, append_word, text);
	return text;
}

static int set_member(void *ctx, const char *key, const char *value)
{
	return json_object_set_new(ctx, key, value ? json_string(value) : json_true());
}

json_t *fault_words_to_json(const struct fault_spec *spec)
{
	json_t *object = json_object();

	if (object && each_word(spec, set_member, object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

int fault_words_from_json(struct fault_spec *spec, const json_t *object, struct why *why)
{
	struct fault_spec now = *spec;
	const char *key;
	json_t *value;
	int err = 0;

	if (!json_is_object(object))
		return why_set(why, -EINVAL,
			       "a fault is an object such as {\"loss\":\"1%%\"}");
	json_object_foreach((json_t *)object, key, value)
	{
		if (json_is_string(value))
			err = fault_word_apply(&now, key, json_string_value(value), why);
		else if (json_is_boolean(value) && !strcmp(key, "down"))
			now.down = json_is_true(value);
		else
			err = why_set(why, -EINVAL,
				      "%.40s: the value must be text with a unit, such "
				      "as \"50ms\", \"1%%\" or \"10Mbit\"%s",
				      key,
				      strcmp(key, "down") ? "" : ", or true or false");
		if (err)
			return err;
	}
	err = fault_spec_check(&now, why);
	if (!err)
		*spec = now;
	return err;
}
