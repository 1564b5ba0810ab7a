/* SPDX-License-Identifier: MIT */
#include "init/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "init/modprobe.h"
#include "init/rtnl.h"
#include "init/setup.h"
#include "base/cleanup.h"

#define PROC_SYS "/proc/sys"

enum { CARRIER_MS = 1500 }; /* a kernel that delays tells after one second */

/* What the machine has: its interfaces, as they are now. */
struct machine {
	int fd;
	struct rtnl_link *links;
	size_t count;
};

static struct rtnl_link *find_mac(const struct machine *machine, const uint8_t mac[6])
{
	for (size_t i = 0; i < machine->count; i++)
		if (machine->links[i].ethernet && !memcmp(machine->links[i].mac, mac, 6))
			return &machine->links[i];
	return NULL;
}

static struct rtnl_link *find_name(const struct machine *machine, const char *name)
{
	for (size_t i = 0; i < machine->count; i++)
		if (!strcmp(machine->links[i].name, name))
			return &machine->links[i];
	return NULL;
}

/* "interface eth1 (02:..) not found; the machine has eth0 (02:..)" */
static int not_found(const struct machine *machine, const struct settings_interface *iface,
		     struct why *why)
{
	char mac[18], have[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < machine->count && used < sizeof(have); i++) {
		const struct rtnl_link *link = &machine->links[i];

		if (!link->ethernet)
			continue;
		settings_mac_text(link->mac, mac);
		used += (size_t)snprintf(have + used, sizeof(have) - used, "%s%s (%s)",
					 used ? ", " : "", link->name, mac);
	}
	settings_mac_text(iface->mac, mac);
	return why_set(why, -ENODEV, "interface %s (%s) not found; the machine has %s",
		       iface->name, mac, *have ? have : "none");
}

static int rename_link(const struct machine *machine, struct rtnl_link *link,
		       const char *name, struct why *why)
{
	int err = 0;

	if (link->up)
		err = rtnl_set_up(machine->fd, link->index, false, why);
	err = err ? err : rtnl_set_name(machine->fd, link->index, name, why);
	if (err)
		return why_wrap(why, err, "rename interface %s to %s", link->name, name);
	link->up = false;
	snprintf(link->name, sizeof(link->name), "%s", name);
	return 0;
}

/* Out of the way: a name that no topology uses, for none begins with a dash. */
static int park(const struct machine *machine, struct rtnl_link *link, struct why *why)
{
	char name[PLAN_IFNAME_BYTES_MAX];

	snprintf(name, sizeof(name), "-%d", link->index);
	return rename_link(machine, link, name, why);
}

static int rename_all(const struct machine *machine, const struct settings *settings,
		      struct why *why)
{
	int err = 0;

	for (size_t i = 0; i < settings->interface_count && !err; i++) {
		const struct settings_interface *iface = &settings->interfaces[i];
		struct rtnl_link *link = find_mac(machine, iface->mac);
		struct rtnl_link *holder = find_name(machine, iface->name);

		if (!link)
			return not_found(machine, iface, why);
		if (holder && holder != link)
			err = park(machine, holder, why);
	}
	for (size_t i = 0; i < settings->interface_count && !err; i++) {
		const struct settings_interface *iface = &settings->interfaces[i];
		struct rtnl_link *link = find_mac(machine, iface->mac);

		if (strcmp(link->name, iface->name))
			err = rename_link(machine, link, iface->name, why);
	}
	return err;
}

static int write_conf(const char *family, const char *interface, const char *key,
		      const char *value, struct why *why)
{
	char path[128];

	snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, interface, key);
	return setup_sysctl(PROC_SYS, path, value, why);
}

int net_quiet(const char *interface, bool ipv6, struct why *why)
{
	static const char *const v6[][2] = {
		{ "accept_ra", "0" },	   { "router_solicitations", "0" },
		{ "accept_dad", "0" },	   { "dad_transmits", "0" },
		{ "addr_gen_mode", "1" }, /* none: no link-local address */
		{ "autoconf", "0" },
	};
	int err = 0;

	if (access(PROC_SYS "/net/ipv6", F_OK) < 0) {
		if (ipv6)
			return why_set(why, -EAFNOSUPPORT,
				       "this machine has IPv6 addresses, but its kernel has no "
				       "IPv6 (CONFIG_IPV6, or the module ipv6)");
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(v6) && ipv6 && !err; i++)
		err = write_conf("ipv6", interface, v6[i][0], v6[i][1], why);
	/* Last: from then on it would speak. */
	return err ? err : write_conf("ipv6", interface, "disable_ipv6", ipv6 ? "0" : "1", why);
}

/* Forwarding, and no reverse path filter: in a lab that is cut in one direction,
 * an answer may well come by another way than the question went. */
static int set_forwarding(const struct settings *settings, struct why *why)
{
	int err = setup_sysctl(PROC_SYS, "net.ipv4.ip_forward", settings->forward ? "1" : "0",
			       why);

	err = err ? err : write_conf("ipv4", "all", "rp_filter", "0", why);
	err = err ? err : write_conf("ipv4", "default", "rp_filter", "0", why);
	if (settings->ipv6 && !err)
		err = write_conf("ipv6", "all", "forwarding", settings->forward ? "1" : "0", why);
	return err;
}

static int add_addrs(const struct machine *machine, const struct settings_interface *iface,
		     int index, struct why *why)
{
	for (size_t i = 0; i < iface->addr_count; i++) {
		char text[INET6_ADDRSTRLEN];
		int err = rtnl_add_addr(machine->fd, index, &iface->addrs[i], why);

		inet_ntop(iface->addrs[i].family, &iface->addrs[i].ip, text, sizeof(text));
		if (err)
			return why_wrap(why, err, "interface %s: address %s/%u", iface->name,
					text, iface->addrs[i].prefix);
	}
	return 0;
}

static int apply_interface(const struct machine *machine, const struct settings *settings,
			   const struct settings_interface *iface, struct why *why)
{
	const struct rtnl_link *link = find_mac(machine, iface->mac);
	int err = write_conf("ipv4", iface->name, "rp_filter", "0", why);

	err = err ? err : net_quiet(iface->name, settings->ipv6, why);
	if (!err) {
		err = rtnl_set_mtu(machine->fd, link->index, iface->mtu_bytes, why);
		if (err)
			return why_wrap(why, err, "interface %s: MTU %u", iface->name,
					iface->mtu_bytes);
	}
	return err;
}

static int bring_up(const struct machine *machine, const struct settings *settings,
		    struct why *why)
{
	const struct rtnl_link *lo = find_name(machine, "lo");
	int err = lo ? rtnl_set_up(machine->fd, lo->index, true, why) : 0;

	for (size_t i = 0; i < settings->interface_count && !err; i++) {
		const struct settings_interface *iface = &settings->interfaces[i];
		int index = find_mac(machine, iface->mac)->index;

		err = add_addrs(machine, iface, index, why);
		if (!err) {
			err = rtnl_set_up(machine->fd, index, true, why);
			if (err)
				return why_wrap(why, err, "interface %s: up", iface->name);
		}
	}
	return err;
}

static int add_routes(const struct machine *machine, const struct settings *settings,
		      struct why *why)
{
	for (size_t i = 0; i < settings->route_count; i++) {
		const struct plan_route *route = &settings->routes[i];
		char to[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN];
		int err = rtnl_add_route(machine->fd, route, why);

		inet_ntop(route->to.family, &route->to.ip, to, sizeof(to));
		inet_ntop(route->via.family, &route->via.ip, via, sizeof(via));
		if (err)
			return why_wrap(why, err, "route to %s/%u via %s", to, route->to.prefix,
					via);
	}
	return 0;
}

/* The module that brings these settings along, or NULL. */
static const char *module_of(const char *key)
{
	static const char *const modules[][2] = {
		{ "net.netfilter.nf_conntrack", "nf_conntrack" },
		{ "net.nf_conntrack", "nf_conntrack" },
		{ "net.bridge.", "br_netfilter" },
		{ "net.ipv4.vs.", "ip_vs" },
		{ "net.ipv6.", "ipv6" },
		{ "net.mpls.", "mpls_router" },
		{ "net.sctp.", "sctp" },
		{ "net.rds.", "rds" },
		{ "sunrpc.", "sunrpc" },
		{ "fs.nfs.", "nfs" },
		{ "dev.raid.", "md_mod" },
	};
	char dotted[128];

	snprintf(dotted, sizeof(dotted), "%s", key);
	if (key[strcspn(key, "./")] == '/')
		for (char *c = dotted; *c; c++)
			*c = *c == '/' ? '.' : *c;
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (!strncmp(dotted, modules[i][0], strlen(modules[i][0])))
			return modules[i][1];
	return NULL;
}

static int apply_sysctl(const struct plan_pair *sysctl, struct why *why)
{
	int err = setup_sysctl(PROC_SYS, sysctl->key, sysctl->value, why);
	const char *module = err == -ENOENT ? module_of(sysctl->key) : NULL;

	if (!module)
		return err;
	modprobe_run(module); /* it says in the kernel's log what went wrong */
	err = setup_sysctl(PROC_SYS, sysctl->key, sysctl->value, why);
	if (err == -ENOENT)
		return why_set(why, err,
			       "sysctl %s: there is no such setting, also not with the "
			       "module %s, or this kernel has no such module",
			       sysctl->key, module);
	return err;
}

static int apply_sysctls(const struct settings *settings, struct why *why)
{
	/* ping is not set-user-id but has a capability, which no hostfs shows. */
	static const char ping[] = "net.ipv4.ping_group_range";
	int err = setup_sysctl(PROC_SYS, ping, "0 2147483647", NULL);

	err = err == -ENOENT ? 0 : err;
	for (size_t i = 0; i < settings->sysctl_count && !err; i++)
		err = apply_sysctl(&settings->sysctls[i], why);
	return err;
}

/* Each multicast group is reported once, not twice: the least the kernel allows. */
static int quiet_groups(const struct settings *settings, struct why *why)
{
	static const char key[] = "net.ipv6.mld_qrv";
	int err = settings->ipv6 ? setup_sysctl(PROC_SYS, key, "1", why) : 0;

	return err == -ENOENT ? 0 : err; /* before Linux 3.18, or a namespace's */
}

/* ::1 is nobody else's business: a machine has it if its kernel has IPv6. */
static int wake_loopback(struct why *why)
{
	return access(PROC_SYS "/net/ipv6/conf/lo", F_OK) < 0 ?
		       0 :
		       write_conf("ipv6", "lo", "disable_ipv6", "0", why);
}

static int apply(const struct machine *machine, const struct settings *settings,
		 struct why *why)
{
	int err = quiet_groups(settings, why);

	err = err ? err : net_quiet("default", settings->ipv6, why);
	err = err ? err : net_quiet("all", settings->ipv6, why);
	err = err ? err : wake_loopback(why);
	err = err ? err : rename_all(machine, settings, why);
	err = err ? err : set_forwarding(settings, why);
	for (size_t i = 0; i < settings->interface_count && !err; i++)
		err = apply_interface(machine, settings, &settings->interfaces[i], why);
	err = err ? err : apply_sysctls(settings, why);
	err = err ? err : bring_up(machine, settings, why);
	return err ? err : add_routes(machine, settings, why);
}

static int count_dark(const struct machine *machine, const struct settings *settings,
		      unsigned *dark, struct why *why)
{
	*dark = 0;
	for (size_t i = 0; i < settings->interface_count; i++) {
		bool operational;
		int err = rtnl_ask_link(machine->fd,
					find_mac(machine, settings->interfaces[i].mac)->index,
					&operational, why);

		if (err)
			return why_wrap(why, err, "interface %s",
					settings->interfaces[i].name);
		*dark += !operational;
	}
	return 0;
}

/* From 6.8 on the kernel says what is true when it is asked. */
static bool kernel_tells(void)
{
	unsigned major = 0, minor = 0;
	struct utsname uts;

	return uname(&uts) == 0 && sscanf(uts.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 8));
}

static int await(const struct machine *machine, const struct settings *settings,
		 void (*tell)(void *ctx), void *ctx, struct why *why)
{
	unsigned dark;
	int err = count_dark(machine, settings, &dark, why);

	if (err || !dark || kernel_tells())
		return err;
	tell(ctx);
	for (int i = 0; i < CARRIER_MS && dark && !err; i++) {
		poll(NULL, 0, 1);
		err = count_dark(machine, settings, &dark, why);
	}
	return err;
}

int net_await_carriers(const struct settings *settings, void (*tell)(void *ctx), void *ctx,
		       struct why *why)
{
	struct machine machine = { 0 };
	int err;

	machine.fd = rtnl_open(why);
	if (machine.fd < 0)
		return machine.fd;
	err = rtnl_links(machine.fd, &machine.links, &machine.count, why);
	err = err ? err : await(&machine, settings, tell, ctx, why);
	free(machine.links);
	close(machine.fd);
	return err;
}

int net_apply(const struct settings *settings, struct why *why)
{
	struct machine machine = { 0 };
	int err;

	machine.fd = rtnl_open(why);
	if (machine.fd < 0)
		return machine.fd;
	err = rtnl_links(machine.fd, &machine.links, &machine.count, why);
	err = err ? err : apply(&machine, settings, why);
	free(machine.links);
	close(machine.fd);
	return err;
}
