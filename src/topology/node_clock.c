/* SPDX-License-Identifier: MIT */
#include "topology/node_clock.h"

#include <errno.h>

#include "base/units.h"
#include "topology/fields.h"

int node_clock_parse_ns(const char *text, int64_t *ns, struct why *why)
{
	int64_t value;
	int err = units_parse_signed_ns(text, &value, why);

	if (err)
		return err;
	if (value > NODE_CLOCK_OFFSET_NS_MAX || value < -NODE_CLOCK_OFFSET_NS_MAX)
		return why_set(why, -ERANGE, "\"%.40s\": at most %s, either way", text,
			       NODE_CLOCK_OFFSET_MAX_TEXT);
	*ns = value;
	return 0;
}

int node_clock_parse_drift(const char *text, int64_t *ppb, struct why *why)
{
	int64_t value;
	int err = units_parse_signed_ppb(text, &value, why);

	if (err)
		return err;
	if (value > NODE_CLOCK_DRIFT_PPB_MAX || value < -NODE_CLOCK_DRIFT_PPB_MAX)
		return why_set(why, -ERANGE, "\"%.40s\": a drift of at most 10%%, either way",
			       text);
	*ppb = value;
	return 0;
}

typedef int parse_fn(const char *text, int64_t *out, struct why *why);

static void read_one(struct diagnostics *diags, const struct tree *value, parse_fn *parse,
		     int64_t *out)
{
	const char *text = field_text(diags, value);
	struct why why;

	if (text && parse(text, out, &why))
		complain(diags, value, "%s", why.text);
}

bool node_clock_read(struct diagnostics *diags, const struct tree *value,
		     struct plan_clock *out)
{
	static const char *const keys[] = { "offset", "drift", NULL };
	const struct tree *object = field_object(diags, value);

	if (!object)
		return false;
	*out = (struct plan_clock){ 0 };
	field_keys(diags, object, keys, false);
	read_one(diags, tree_get(object, "offset"), node_clock_parse_ns, &out->offset_ns);
	read_one(diags, tree_get(object, "drift"), node_clock_parse_drift,
		 &out->drift_ppb);
	return true;
}
