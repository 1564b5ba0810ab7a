/* SPDX-License-Identifier: MIT */
#include "init/standin_files.h"

#include <stddef.h>

/* This key protects nothing, and is to protect nothing: everybody can read it here.
 * It lets sshd start in machines that nobody but their lab can reach, and gives all
 * machines one name for each other, so that ssh does not ask. */
#define HOST_KEY "/etc/ssh/ssh_host_ed25519_key"

#define HOST_KEY_PUBLIC                                                                  \
	"ssh-ed25519 "                                                                   \
	"AAAAC3NzaC1lZDI1NTE5AAAAIIbryMoXdIcXiEgszbCr6o/+AaR1+a7cLIhsPnMVwjLV "          \
	"of netlab: known to everybody"

#define REDIS_CONF \
	"# netlab: the host's own cannot be read here; these are Debian's settings.\n" \
	"bind 127.0.0.1 -::1\n" \
	"protected-mode yes\n" \
	"port 6379\n" \
	"daemonize yes\n" \
	"supervised auto\n" \
	"pidfile /run/redis/redis-server.pid\n" \
	"logfile /var/log/redis/redis-server.log\n" \
	"databases 16\n" \
	"dir /var/lib/redis\n"

const struct standin_file standin_files[] = {
	{ HOST_KEY,
	  "-----BEGIN OPENSSH PRIVATE KEY-----\n"
	  "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
	  "QyNTUxOQAAACCG68jKF3SHF4hILM2wq+qP/gGkdfmu3CyIbD5zFcIy1QAAAKBRYdjjUWHY\n"
	  "4wAAAAtzc2gtZWQyNTUxOQAAACCG68jKF3SHF4hILM2wq+qP/gGkdfmu3CyIbD5zFcIy1Q\n"
	  "AAAEA4zR68BQzrXVfRkUAVjdjxJLXh5SrXvUyMbvYNZP+xrIbryMoXdIcXiEgszbCr6o/+\n"
	  "AaR1+a7cLIhsPnMVwjLVAAAAHW9mIG5ldGxhYjoga25vd24gdG8gZXZlcnlib2R5\n"
	  "-----END OPENSSH PRIVATE KEY-----\n",
	  NULL, 0 },
	{ HOST_KEY ".pub", HOST_KEY_PUBLIC "\n", HOST_KEY, 0644 },
	{ "/etc/ssh/ssh_known_hosts", "* " HOST_KEY_PUBLIC "\n", HOST_KEY, 0644 },
	{ "/etc/sudoers",
	  "# netlab: the host's own cannot be read here; this is Debian's.\n"
	  "Defaults	env_reset\n"
	  "Defaults	secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
	  "/sbin:/bin\"\n"
	  "Defaults	use_pty\n"
	  "root	ALL=(ALL:ALL) ALL\n"
	  "%sudo	ALL=(ALL:ALL) ALL\n"
	  "@includedir /etc/sudoers.d\n",
	  NULL, 0 },
	{ "/etc/redis/redis.conf", REDIS_CONF, NULL, 0 },
	{ "/etc/redis/redis.conf", REDIS_CONF, "/etc/redis", 0640 },
	{ 0 },
};
