/* SPDX-License-Identifier: MIT */
/* props.h - what defaults, a kind, a group or a node says about machines
 *
 * Each of these objects is read once, whether a node uses it or not, so that an
 * error in it is reported once.  Then the levels are laid over one another:
 * defaults, kind, groups in their order, the node last.
 *
 *	env, sysctl, files	merge: a key of a later level replaces the same key
 *	everything else		a later level replaces the whole value
 *
 * Errors:    to diags.
 * Ownership: the arena's.
 */
#ifndef NL_TOPOLOGY_PROPS_H
#define NL_TOPOLOGY_PROPS_H

#include "topology/stages.h"

enum props_level { PROPS_DEFAULTS, PROPS_KIND, PROPS_GROUP, PROPS_NODE };

enum {
	PROPS_ITEMS_MAX = 256, /* env, sysctl, files: each */
	PROPS_SERVICES_MAX = 64,
	PROPS_TEXT_BYTES_MAX = 256 << 10, /* of one node, all strings together */
};

#define PROPS_MEMORY_MIN     (UINT64_C(32) << 20)
#define PROPS_MEMORY_MAX     (UINT64_C(64) << 30)
#define PROPS_MEMORY_DEFAULT (UINT64_C(64) << 20)

struct props_pairs {
	struct plan_pair *items;
	size_t count;
};

struct props {
	const char *kind;	   /* NULL: not said */
	const struct tree *groups; /* of a node: a string or an array */
	bool has_image;
	enum image_kind image_kind;
	const char *image;     /* absolute; NULL for the host's root */
	const char *kernel;    /* absolute; NULL: not said */
	uint64_t memory_bytes; /* 0: not said */
	bool has_cost;
	struct plan_cost cost;
	bool has_clock;
	struct plan_clock clock;
	int forward;	       /* -1: not said */
	struct props_pairs env, sysctls;
	struct plan_file *files;
	size_t file_count;
	bool has_run;
	struct plan_service *services;
	size_t service_count;
	const struct tree *depends;
};

void props_read(struct build *b, const struct tree *object, enum props_level level,
		struct props *out);

/* Lay over onto base. */
void props_overlay(struct build *b, struct props *base, const struct props *over);

/* Copy into the plan. */
void props_to_node(const struct props *props, struct plan_node *node);

/* Bytes of all strings. */
size_t props_text_bytes(const struct props *props);

/* services.c */
void services_read(struct build *b, const struct tree *run, struct props *out);

/* files.c: "files", and paths of images and kernels. */
void files_read(struct build *b, const struct tree *files, struct props *out);
void image_read(struct build *b, const struct tree *image, struct props *out);
void kernel_read(struct build *b, const struct tree *kernel, struct props *out);

#endif
