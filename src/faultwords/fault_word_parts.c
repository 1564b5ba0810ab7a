/* SPDX-License-Identifier: MIT */
/* The parts that several words have in common. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/units.h"
#include "faultwords/fault_word_table.h"

int word_split(struct word_parts *parts, const char *value, struct why *why)
{
	parts->count = 0;
	while (*value) {
		size_t bytes = strcspn(value, " ");

		if (bytes >= WORD_PART_BYTES_MAX)
			return why_set(why, -EINVAL, "\"%.40s...\" is too long", value);
		if (bytes && parts->count == WORD_PARTS_MAX)
			return why_set(why, -EINVAL, "too many words from \"%.40s\" on",
				       value);
		if (bytes) {
			memcpy(parts->part[parts->count], value, bytes);
			parts->part[parts->count++][bytes] = '\0';
		}
		value += bytes;
		value += *value == ' ';
	}
	/* "50 ms" is one quantity, as units.h has it. */
	for (size_t i = 0; i + 1 < parts->count; i++) {
		char *one = parts->part[i], *next = parts->part[i + 1];

		if (strspn(one, "0123456789.") != strlen(one) ||
		    (*next >= '0' && *next <= '9') || *next == '-' ||
		    strlen(one) + 1 + strlen(next) >= WORD_PART_BYTES_MAX)
			continue;
		/* With its blank: as it was written, for messages. */
		snprintf(one + strlen(one), WORD_PART_BYTES_MAX - strlen(one), " %s",
			 next);
		parts->count--;
		memmove(next, parts->part[i + 2],
			(parts->count - i - 1) * sizeof(parts->part[0]));
	}
	return 0;
}

bool word_is_none(const char *value)
{
	return !strcmp(value, "none");
}

int word_share(const char *text, uint32_t *ppb, struct why *why)
{
	uint64_t value;
	int err = units_parse_ppb(text, &value, why);

	if (err)
		return err;
	if (value > FAULT_PPB_ALL)
		return why_set(why, -ERANGE, "\"%.40s\" is more than 100%%", text);
	*ppb = (uint32_t)value;
	return 0;
}

int word_wait(const char *text, uint64_t *ns, struct why *why)
{
	char most[UNITS_TEXT_BYTES_MAX];
	uint64_t value;
	int err = units_parse_ns(text, &value, why);

	if (err)
		return err;
	if (value > FAULT_DELAY_NS_MAX)
		return why_set(why, -ERANGE, "\"%.40s\" is longer than %s", text,
			       units_format_ns(most, FAULT_DELAY_NS_MAX));
	*ns = value;
	return 0;
}

int word_count(const char *text, uint64_t most, uint64_t *count, struct why *why)
{
	int err = units_parse_count(text, count, why);

	if (!err && *count > most)
		err = why_set(why, -ERANGE, "\"%.40s\" is more than %llu", text,
			      (unsigned long long)most);
	return err;
}

int word_flag(const char *text, bool *flag, struct why *why)
{
	bool yes = !strcmp(text, "true");

	if (!yes && strcmp(text, "false") != 0 && !word_is_none(text))
		return why_set(why, -EINVAL, "\"%.40s\": write true or false", text);
	*flag = yes;
	return 0;
}

bool word_show_flag(bool flag, char *text)
{
	snprintf(text, FAULT_WORD_BYTES_MAX, "true");
	return flag;
}

int word_chance(const char *value, struct fault_chance *chance, struct why *why)
{
	struct fault_chance now = { 0 };
	struct word_parts parts;
	int err;

	if (word_is_none(value)) {
		*chance = now;
		return 0;
	}
	err = word_split(&parts, value, why);
	if (!err && parts.count > 2)
		err = why_set(why, -EINVAL,
			      "\"%.40s\": a share and perhaps its correlation were "
			      "expected, such as \"1%%\" or \"1%% 25%%\"",
			      value);
	if (!err)
		err = word_share(parts.count ? parts.part[0] : "", &now.p_ppb, why);
	if (!err && parts.count == 2)
		err = word_share(parts.part[1], &now.rho_ppb, why);
	if (!err)
		*chance = now;
	return err;
}

bool word_show_chance(const struct fault_chance *chance, char *text)
{
	char p[UNITS_TEXT_BYTES_MAX], rho[UNITS_TEXT_BYTES_MAX];

	if (!chance->p_ppb)
		return false;
	units_format_ppb(p, chance->p_ppb);
	if (chance->rho_ppb)
		snprintf(text, FAULT_WORD_BYTES_MAX, "%s %s", p,
			 units_format_ppb(rho, chance->rho_ppb));
	else
		snprintf(text, FAULT_WORD_BYTES_MAX, "%s", p);
	return true;
}

int word_cycle(const char *value, const char *on, const char *off,
	       struct fault_cycle *cycle, struct why *why)
{
	struct fault_cycle now = { 0 };
	struct word_parts p;
	int err;

	if (word_is_none(value)) {
		*cycle = now;
		return 0;
	}
	err = word_split(&p, value, why);
	if (err)
		return err;
	if (p.count < 4 || p.count > 6 || strcmp(p.part[0], on) != 0 ||
	    strcmp(p.part[2], off) != 0 ||
	    (p.count == 5 && strcmp(p.part[4], "random") != 0) ||
	    (p.count == 6 && strcmp(p.part[4], "phase") != 0))
		return why_set(why, -EINVAL,
			       "\"%.60s\": write \"%s 5s %s 1s\", with \"phase 2s\" or "
			       "\"random\" behind it if wanted",
			       value, on, off);
	err = units_parse_ns(p.part[1], &now.on_ns, why);
	if (!err)
		err = units_parse_ns(p.part[3], &now.off_ns, why);
	if (!err && p.count == 6)
		err = units_parse_ns(p.part[5], &now.phase_ns, why);
	now.random = p.count == 5;
	if (!err && (!now.on_ns || !now.off_ns))
		err = why_set(why, -EINVAL, "\"%.40s\": a time is 0", value);
	if (!err)
		*cycle = now;
	return err;
}

bool word_show_cycle(const struct fault_cycle *cycle, const char *on, const char *off,
		     char *text)
{
	char a[UNITS_TEXT_BYTES_MAX], b[UNITS_TEXT_BYTES_MAX], c[UNITS_TEXT_BYTES_MAX];
	int n;

	if (!cycle->on_ns)
		return false;
	n = snprintf(text, FAULT_WORD_BYTES_MAX, "%s %s %s %s", on,
		     units_format_ns(a, cycle->on_ns), off,
		     units_format_ns(b, cycle->off_ns));
	if (cycle->random)
		snprintf(text + n, FAULT_WORD_BYTES_MAX - (size_t)n, " random");
	else if (cycle->phase_ns)
		snprintf(text + n, FAULT_WORD_BYTES_MAX - (size_t)n, " phase %s",
			 units_format_ns(c, cycle->phase_ns));
	return true;
}

int word_list(const char *text, struct fault_data **list, struct why *why)
{
	if (strlen(text) + sizeof("list ") > FAULT_WORD_BYTES_MAX)
		return why_set(why, -EINVAL, "a list of more than %zu characters",
			       FAULT_WORD_BYTES_MAX - sizeof("list "));
	return fault_data_parse(list, DATA_NUMBERS, text, text, why);
}

static struct fault_data *data_of(const struct fault_rule *rule, enum fault_data_kind kind,
				  const char *path)
{
	struct fault_data *const all[] = { rule ? rule->table : NULL,
					   rule ? rule->slot_table : NULL,
					   rule ? rule->capacity : NULL };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] && all[i]->kind == kind && !strcmp(all[i]->name, path))
			return all[i];
	return NULL;
}

int word_file(const struct fault_context *context, enum fault_data_kind kind,
	      const char *name, struct fault_data **data, struct why *why)
{
	char path[FAULT_WORD_BYTES_MAX - 32];
	int n;

	if (*name != '/' && (!context || !context->dir))
		return why_set(why, -EINVAL,
			       "\"%.100s\": a path from the root on was expected", name);
	if (*name == '/')
		n = snprintf(path, sizeof(path), "%s", name);
	else
		n = snprintf(path, sizeof(path), "%s/%s", context->dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return why_set(why, -ENAMETOOLONG, "\"%.100s...\": the path is too long",
			       name);
	if (strchr(path, ' '))
		return why_set(why, -EINVAL, "\"%.100s\": a blank in a path", path);
	*data = fault_data_ref(data_of(context ? context->read : NULL, kind, path));
	return *data ? 0
		     : fault_files_get(context ? context->files : NULL, kind, path, data, why);
}
