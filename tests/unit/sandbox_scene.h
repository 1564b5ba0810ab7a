/* SPDX-License-Identifier: MIT */
/* sandbox_scene.h - for the tests of the walls: a place, a user, a lab process
 *
 * A promise is a function that runs inside a lab process and says in *why what it
 * found wrong.  As root, each is held twice: for root and for an ordinary user.
 *
 * Errors:    a host that forbids namespaces ends the program with 77 and the reason.
 * Threads:   none; it forks.
 */
#ifndef SANDBOX_SCENE_H
#define SANDBOX_SCENE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/why.h"

struct scene {
	char dir[PATH_MAX];	 /* of this test, open to all */
	char writable[PATH_MAX]; /* the lab may write here */
	char outside[PATH_MAX];	 /* belongs to the user, and the lab may not */
	char private_dir[PATH_MAX];
	char closed[PATH_MAX]; /* a folder in a home of mode 700 */
	uid_t uid;	       /* as whom the lab is started */
	bool is_root;	       /* the real one */
};

typedef int promise_fn(const struct scene *scene, struct why *why);

/* Fork, become the user, run fn there, and fail the test with its words. */
void scene_as_each_user(promise_fn *fn);
/* The same, and inside a lab process. */
void scene_in_lab(promise_fn *fn);

/* For promises that start the lab themselves: writable, private_dir, closed. */
int scene_fork_lab(const struct scene *scene, pid_t *pid, struct why *why);

/* Every mount is read-only, without set-uid and devices, but those whose path
 * begins with one of these (a list that ends with NULL). */
int scene_check_mounts(const char *mountinfo, const char *const *writable, struct why *why);

int scene_begin(void **state); /* cmocka group set-up and tear-down */
int scene_end(void **state);
/* A folder that everybody can read, until scene_end(). */
const char *scene_place(void);

int scene_broken(struct why *why, const char *cond, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* In a promise: return an error that says what did not hold. */
#define HOLD(cond, ...)                                                                  \
	do {                                                                             \
		if (!(cond))                                                             \
			return scene_broken(why, #cond, __VA_ARGS__);                   \
	} while (0)

#endif
