/* SPDX-License-Identifier: MIT */
/* cp: a tar stream from one place to another.  The programs below run here and in
 * machines alike, so they use nothing but a POSIX shell and what both GNU tar and
 * busybox know. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/labref.h"
#include "cli/place.h"
#include "cli/ui.h"

/* $1 path.  Says what is there: d or f. */
static const char probe[] =
	"if [ -d \"$1\" ]; then kind=d\n"
	"elif [ -f \"$1\" ]; then kind=f\n"
	"elif [ -e \"$1\" ]; then echo \"$1: neither a file nor a folder\" >&2; exit 3\n"
	"elif [ -L \"$1\" ]; then echo \"$1: a link to what is not there\" >&2; exit 3\n"
	"else echo \"$1: no such file or folder\" >&2; exit 3\n"
	"fi\n"
	"[ -r \"$1\" ] || { echo \"$1: permission denied\" >&2; exit 3; }\n"
	"echo $kind\n";

/* $1 kind, $2 folder, $3 name.  A folder is packed from inside: its own name is for
 * the other side to choose. */
static const char pack[] =
	"if [ \"$1\" = f ]; then exec tar -C \"$2\" -chf - \"./$3\"; fi\n"
	"exec tar -C \"$2\" -cf - .\n";

/* $1 kind (f file, d folder, c content of a folder), $2 where to, $3 name of the
 * source.  A file comes into a folder of its own first, so that what is there is
 * replaced as a whole or not at all. */
static const char unpack[] =
	"fail() { echo \"$1\" >&2; exit 3; }\n"
	"kind=$1 to=$2 name=$3 mode=\n"
	"if [ -d \"$to\" ]; then\n"
	"	[ \"$kind\" = c ] || to=${to%/}/$name\n"
	"elif [ -e \"$to\" ]; then\n"
	"	[ \"$kind\" = f ] || fail \"$to: is a file, which a folder does not "
	"replace\"\n"
	"elif [ \"$kind\" = f ]; then\n"
	"	case $to in */) fail \"$to: no such folder\";; esac\n"
	"fi\n"
	"while case $to in /) false;; */) true;; *) false;; esac; do to=${to%/}; done\n"
	"case $to in */*) up=${to%/*}/;; *) up=./;; esac\n"
	"[ -d \"$up\" ] || fail \"$up: no such folder\"\n"
	"if [ \"$kind\" = f ]; then\n"
	"	[ ! -d \"$to\" ] || fail \"$to: is a folder, which a file does not "
	"replace\"\n"
	"	t=$(mktemp -d \"${up}.netlab-cp.XXXXXX\") || exit 3\n"
	"	trap 'rm -rf \"$t\"' EXIT\n"
	"	trap 'exit 130' HUP INT TERM\n"
	"	tar -C \"$t\" -xpof - || exit 3\n"
	"	mv -f \"$t/$name\" \"$to\"\n"
	"	exit\n"
	"fi\n"
	"if [ ! -d \"$to\" ]; then\n"
	"	[ ! -e \"$to\" ] || fail \"$to: is a file, which a folder does not "
	"replace\"\n"
	"	mkdir \"$to\" || exit 3\n"
	"elif [ \"$kind\" = c ]; then\n"
	"	mode=$(stat -c %a \"$to\")\n"
	"fi\n"
	"tar -C \"$to\" -xpof - || exit 3\n"
	"[ -z \"$mode\" ] || chmod \"$mode\" \"$to\"\n";

/* "-x" would be an option to the programs above. */
static int safe_path(char *out, size_t bytes, const char *path, struct why *why)
{
	int n = snprintf(out, bytes, "%s%s", path[0] == '-' ? "./" : "", path);

	return n < (int)bytes ? 0
			      : why_set(why, -ENAMETOOLONG, "%.60s...: too long", path);
}

/* Folder and name of a path without slashes at its end; name is "" if it has none
 * of its own: /, . and .. */
static void split(char *path, const char **folder, const char **name)
{
	size_t size = strlen(path);
	char *slash;

	while (size > 1 && path[size - 1] == '/')
		path[--size] = 0;
	slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	if (!strcmp(*name, ".") || !strcmp(*name, ".."))
		*name = "";
	*folder = slash == path ? "/" : slash ? path : ".";
	if (slash && slash != path && **name)
		*slash = 0;
}

static int copy(struct place *from, struct place *to, struct why *why)
{
	char source[4096], target[4096], parts[4096], kind[8];
	const char *folder, *name, *unpack_kind;
	int rc;

	rc = safe_path(source, sizeof(source), from->path, why);
	if (!rc)
		rc = safe_path(target, sizeof(target), to->path, why);
	if (!rc)
		rc = place_ask(from, probe, (const char *[]){ source, NULL }, kind,
			       sizeof(kind), why);
	if (rc)
		return rc;
	snprintf(parts, sizeof(parts), "%s", source);
	split(parts, &folder, &name);
	unpack_kind = *kind == 'd' && !*name ? "c" : kind;
	return place_pipe(
		from, pack,
		(const char *[]){ kind, *kind == 'd' ? source : folder, name, NULL }, to,
		unpack, (const char *[]){ unpack_kind, target, name, NULL }, why);
}

int cmd_cp(struct call *call)
{
	struct place from = { 0 }, to = { 0 };
	struct why why;
	int rc;

	rc = place_open(&from, call->argv[0], call->lab, &why);
	if (!rc)
		rc = place_open(&to, call->argv[1], call->lab, &why);
	if (!rc && !from.client && !to.client)
		rc = why_set(
			&why, -EINVAL,
			"neither side is in a machine: write NODE:PATH for one of them");
	/* A side that ends early is its own message. */
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	if (!rc)
		rc = copy(&from, &to, &why);
	place_close(&from);
	place_close(&to);
	if (rc)
		ui_error("%s", why.text);
	return rc == -EINVAL ? STATUS_USAGE : rc ? STATUS_FAILED : STATUS_DONE;
}
