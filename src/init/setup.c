/* SPDX-License-Identifier: MIT */
#include "init/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"

int setup_hostname(const struct settings *settings, struct why *why)
{
	if (sethostname(settings->name, strlen(settings->name)) < 0)
		return why_errno(why, -errno, "host name %s", settings->name);
	return 0;
}

int setup_clock(const struct settings *settings, struct why *why)
{
	const uint64_t ns_per_s = 1000000000;
	struct timespec now = {
		.tv_sec = (time_t)(settings->wall_ns / ns_per_s),
		.tv_nsec = (long)(settings->wall_ns % ns_per_s),
	};

	if (settings->wall_ns && clock_settime(CLOCK_REALTIME, &now) < 0)
		return why_errno(why, -errno, "set the clock");
	return 0;
}

/* Replaces what is there, a symbolic link included; makes the folders above. */
static int put_file(const char *root, const char *path, const void *bytes, size_t size,
		    mode_t mode, struct why *why)
{
	char full[PATH_MAX], folder[PATH_MAX];
	char *slash;
	int err;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return why_set(why, -ENAMETOOLONG, "file %s: the path is too long", path);
	snprintf(folder, sizeof(folder), "%s", full);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = 0;
		err = fdio_make_dirs(folder, 0755, why);
		if (err)
			return why_wrap(why, err, "file %s", path);
	}
	err = fdio_write_file(AT_FDCWD, full, bytes, size, mode, why);
	/* The mode was subject to a umask. */
	if (!err && chmod(full, mode) < 0)
		err = why_errno(why, -errno, "mode");
	return err ? why_wrap(why, err, "file %s", path) : 0;
}

static bool has_own_name(const struct settings *settings)
{
	size_t size = strlen(settings->name);

	for (size_t i = 0; i < settings->host_count; i++) {
		const char *names = settings->hosts[i].names;

		if (!strncmp(names, settings->name, size) &&
		    (names[size] == 0 || names[size] == ' '))
			return true;
	}
	return false;
}

static bool has_ipv6(const char *root)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/proc/sys/net/ipv6", root);
	return stat(path, &st) == 0;
}

static int put_hosts(const struct settings *settings, const char *root, struct why *why)
{
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return why_set(why, -ENOMEM, "file /etc/hosts: out of memory");
	fputs("127.0.0.1\tlocalhost\n", file);
	if (settings->ipv6 || has_ipv6(root))
		fputs("::1\tlocalhost ip6-localhost ip6-loopback\n", file);
	if (!has_own_name(settings))
		fprintf(file, "127.0.1.1\t%s\n", settings->name);
	for (size_t i = 0; i < settings->host_count; i++)
		fprintf(file, "%s\t%s\n", settings->hosts[i].addr, settings->hosts[i].names);
	if (fclose(file))
		return why_set(why, -ENOMEM, "file /etc/hosts: out of memory");
	return put_file(root, "/etc/hosts", text, size, 0644, why);
}

int setup_names(const struct settings *settings, const char *root, struct why *why)
{
	char hostname[PLAN_NAME_BYTES_MAX + 1];
	int n = snprintf(hostname, sizeof(hostname), "%s\n", settings->name);
	int err = put_hosts(settings, root, why);

	if (n >= (int)sizeof(hostname))
		n = sizeof(hostname) - 1;
	err = err ? err : put_file(root, "/etc/hostname", hostname, (size_t)n, 0644, why);
	return err ? err : put_file(root, "/etc/resolv.conf", "", 0, 0644, why);
}

static int copy_file(const struct plan_file *file, const char *root, const char *lab,
		     struct why *why)
{
	cleanup_free char *bytes = NULL;
	char source[PATH_MAX];
	size_t size;
	int err;

	if (snprintf(source, sizeof(source), "%s/%s", lab, file->source) >= (int)sizeof(source))
		return why_set(why, -ENAMETOOLONG, "file %s: its source's path is too long",
			       file->path);
	err = fdio_read_file(AT_FDCWD, source, SETUP_FILE_BYTES_MAX, &bytes, &size, why);
	if (err)
		return why_wrap(why, err, "file %s: copy from the topology's folder",
				file->path);
	return put_file(root, file->path, bytes, size, file->mode, why);
}

int setup_files(const struct settings *settings, const char *root, const char *lab,
		struct why *why)
{
	for (size_t i = 0; i < settings->file_count; i++) {
		const struct plan_file *file = &settings->files[i];
		int err;

		if (file->content)
			err = put_file(root, file->path, file->content, strlen(file->content),
				       file->mode, why);
		else
			err = copy_file(file, root, lab, why);
		if (err)
			return err;
	}
	return 0;
}

/* "net.ipv4.ip_forward"; or with slashes, so that names may hold dots:
 * "net/ipv4/conf/eth0.5/rp_filter". */
static int sysctl_path(const char *proc_sys, const char *key, char path[PATH_MAX])
{
	size_t root = strlen(proc_sys);
	bool slashes = key[strcspn(key, "./")] == '/';

	if (!*key || strstr(key, "..") || *key == '/' ||
	    snprintf(path, PATH_MAX, "%s/%s", proc_sys, key) >= PATH_MAX)
		return -EINVAL;
	for (char *c = path + root; *c && !slashes; c++)
		if (*c == '.')
			*c = '/';
	return 0;
}

int setup_sysctl(const char *proc_sys, const char *key, const char *value, struct why *why)
{
	char path[PATH_MAX];
	int err = 0;

	if (sysctl_path(proc_sys, key, path))
		return why_set(why, -EINVAL, "sysctl %s: no such name", key);
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return why_set(why, -ENOENT,
			       "sysctl %s: this kernel has no such setting, nor does netlab know "
			       "a module that brings it",
			       key);
	if (fd < 0)
		return why_errno(why, -errno, "sysctl %s", key);
	if (write(fd, value, strlen(value)) < 0)
		err = why_errno(why, -errno, "sysctl %s = \"%s\"", key, value);
	return err;
}

int setup_environ(const struct settings *settings, struct environ_list *out,
		  struct why *why)
{
	int err = environ_defaults(out, settings->name, why);

	for (size_t i = 0; i < settings->env_count && !err; i++)
		err = environ_set(out, settings->env[i].key, settings->env[i].value, why);
	return err ? why_wrap(why, err, "env") : 0;
}
