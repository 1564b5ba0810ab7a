/* SPDX-License-Identifier: MIT */
#include "init/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"

enum { REQUEST_BYTES = 512, ANSWER_BYTES = 64 << 10 };

struct request {
	union {
		struct nlmsghdr head;
		char bytes[REQUEST_BYTES];
	};
};

/* Starts a request; returns its fixed part, zeroed. */
static void *begin(struct request *request, uint16_t type, uint16_t flags, size_t fixed)
{
	memset(request, 0, sizeof(*request));
	request->head.nlmsg_type = type;
	request->head.nlmsg_flags = NLM_F_REQUEST | flags;
	request->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(fixed);
	return NLMSG_DATA(&request->head);
}

static void put(struct request *request, uint16_t type, const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(request->head.nlmsg_len);
	struct rtattr *attr = (struct rtattr *)(request->bytes + at);

	ASSERT(at + RTA_SPACE(size) <= sizeof(request->bytes));
	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(attr), data, size);
	request->head.nlmsg_len = (uint32_t)(at + RTA_ALIGN(attr->rta_len));
}

int rtnl_open(struct why *why)
{
	int on = 1, fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return why_errno(why, -errno, "routing socket");
	/* The kernel then says in words what it dislikes. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return fd;
}

/* The kernel's words in an error answer, or NULL. */
static const char *error_words(const struct nlmsghdr *head)
{
	size_t at = NLMSG_LENGTH(sizeof(struct nlmsgerr));

	if (!(head->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	while (at + sizeof(struct rtattr) <= head->nlmsg_len) {
		const struct rtattr *attr = (const struct rtattr *)((const char *)head + at);

		if (attr->rta_len < sizeof(*attr) || at + attr->rta_len > head->nlmsg_len)
			break;
		if (attr->rta_type == NLMSGERR_ATTR_MSG)
			return RTA_DATA(attr);
		at += RTA_ALIGN(attr->rta_len);
	}
	return NULL;
}

static int read_error(const struct nlmsghdr *head, struct why *why)
{
	const struct nlmsgerr *error = NLMSG_DATA(head);
	const char *words;

	if (error->error == 0)
		return 0;
	words = error_words(head);
	if (words)
		return why_set(why, error->error, "%s", words);
	return why_set(why, error->error, "%s", strerror(-error->error));
}

static int send_request(int fd, struct request *request, struct why *why)
{
	if (send(fd, request, request->head.nlmsg_len, 0) < 0)
		return why_errno(why, -errno, "routing socket: send");
	return 0;
}

/* Send, and wait for the kernel's yes or no. */
static int talk(int fd, struct request *request, struct why *why)
{
	union {
		struct nlmsghdr head;
		char bytes[4096];
	} answer;
	ssize_t n;
	int err;

	request->head.nlmsg_flags |= NLM_F_ACK;
	err = send_request(fd, request, why);
	if (err)
		return err;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return why_errno(why, -errno, "routing socket: receive");
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return why_set(why, -EPROTO, "routing socket: unexpected answer");
	return read_error(&answer.head, why);
}

static void read_link(const struct nlmsghdr *head, struct rtnl_link *link)
{
	const struct ifinfomsg *info = NLMSG_DATA(head);
	int left = (int)IFLA_PAYLOAD(head);

	*link = (struct rtnl_link){
		.index = info->ifi_index,
		.up = info->ifi_flags & IFF_UP,
	};
	for (const struct rtattr *attr = IFLA_RTA(info); RTA_OK(attr, left);
	     attr = RTA_NEXT(attr, left)) {
		size_t size = RTA_PAYLOAD(attr);

		if (attr->rta_type == IFLA_IFNAME && size <= sizeof(link->name)) {
			memcpy(link->name, RTA_DATA(attr), size);
		} else if (attr->rta_type == IFLA_ADDRESS && size == sizeof(link->mac)) {
			memcpy(link->mac, RTA_DATA(attr), size);
			link->ethernet = info->ifi_type == ARPHRD_ETHER;
		}
	}
}

/* One datagram of a dump.  Returns 1 when it was the last one. */
static int read_dump(const char *answer, size_t size, struct rtnl_link **links,
		     size_t *count, struct why *why)
{
	const struct nlmsghdr *head = (const struct nlmsghdr *)answer;

	for (; NLMSG_OK(head, size); head = NLMSG_NEXT(head, size)) {
		struct rtnl_link *more;

		if (head->nlmsg_type == NLMSG_DONE)
			return 1;
		if (head->nlmsg_type == NLMSG_ERROR)
			return read_error(head, why);
		if (head->nlmsg_type != RTM_NEWLINK)
			continue;
		more = realloc(*links, (*count + 1) * sizeof(*more));
		if (!more)
			return why_set(why, -ENOMEM, "out of memory for the interfaces");
		*links = more;
		read_link(head, &more[(*count)++]);
	}
	return 0;
}

int rtnl_links(int fd, struct rtnl_link **links, size_t *count, struct why *why)
{
	char *answer = malloc(ANSWER_BYTES);
	struct request request;
	struct ifinfomsg *info;
	int err;

	*links = NULL;
	*count = 0;
	if (!answer)
		return why_set(why, -ENOMEM, "out of memory for the interfaces");
	info = begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	err = send_request(fd, &request, why);
	while (!err) {
		ssize_t n = recv(fd, answer, ANSWER_BYTES, 0);

		if (n < 0)
			err = why_errno(why, -errno, "routing socket: receive");
		else
			err = read_dump(answer, (size_t)n, links, count, why);
	}
	free(answer);
	if (err == 1)
		return 0;
	free(*links);
	*links = NULL;
	*count = 0;
	return err;
}

int rtnl_ask_link(int fd, int index, bool *operational, struct why *why)
{
	cleanup_free char *answer = malloc(ANSWER_BYTES);
	const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
	struct request request;
	struct ifinfomsg *info = begin(&request, RTM_GETLINK, 0, sizeof(*info));
	ssize_t n;
	int err;

	if (!answer)
		return why_set(why, -ENOMEM, "out of memory for an interface");
	info->ifi_index = index;
	err = send_request(fd, &request, why);
	if (err)
		return err;
	n = recv(fd, answer, ANSWER_BYTES, 0);
	if (n < 0)
		return why_errno(why, -errno, "routing socket: receive");
	if (!NLMSG_OK(head, (size_t)n) || head->nlmsg_type != RTM_NEWLINK)
		return why_set(why, -EPROTO, "routing socket: unexpected answer");
	info = NLMSG_DATA(head);
	*operational = (info->ifi_flags & IFF_RUNNING) && !(info->ifi_flags & IFF_DORMANT);
	return 0;
}

static struct ifinfomsg *begin_link(struct request *request, int index)
{
	struct ifinfomsg *info = begin(request, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = index;
	return info;
}

int rtnl_set_name(int fd, int index, const char *name, struct why *why)
{
	struct request request;

	begin_link(&request, index);
	put(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return talk(fd, &request, why);
}

int rtnl_set_mtu(int fd, int index, uint32_t mtu_bytes, struct why *why)
{
	struct request request;

	begin_link(&request, index);
	put(&request, IFLA_MTU, &mtu_bytes, sizeof(mtu_bytes));
	return talk(fd, &request, why);
}

int rtnl_set_up(int fd, int index, bool up, struct why *why)
{
	struct request request;
	struct ifinfomsg *info = begin_link(&request, index);

	info->ifi_flags = up ? IFF_UP : 0;
	info->ifi_change = IFF_UP;
	return talk(fd, &request, why);
}

static size_t ip_bytes(const struct plan_addr *addr)
{
	return addr->family == AF_INET ? sizeof(addr->ip.v4) : sizeof(addr->ip.v6);
}

int rtnl_add_addr(int fd, int index, const struct plan_addr *addr, struct why *why)
{
	struct request request;
	struct ifaddrmsg *msg =
		begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*msg));

	msg->ifa_family = (uint8_t)addr->family;
	msg->ifa_prefixlen = addr->prefix;
	msg->ifa_scope = RT_SCOPE_UNIVERSE;
	msg->ifa_index = (uint32_t)index;
	if (addr->family == AF_INET6)
		msg->ifa_flags = IFA_F_NODAD;
	put(&request, IFA_LOCAL, &addr->ip, ip_bytes(addr));
	put(&request, IFA_ADDRESS, &addr->ip, ip_bytes(addr));
	if (addr->family == AF_INET && addr->prefix < 31) {
		uint32_t host = addr->prefix ? UINT32_MAX >> addr->prefix : UINT32_MAX;
		uint32_t broadcast = addr->ip.v4.s_addr | htonl(host);

		put(&request, IFA_BROADCAST, &broadcast, sizeof(broadcast));
	}
	return talk(fd, &request, why);
}

int rtnl_add_route(int fd, const struct plan_route *route, struct why *why)
{
	struct request request;
	struct rtmsg *msg =
		begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*msg));

	msg->rtm_family = (uint8_t)route->to.family;
	msg->rtm_dst_len = route->to.prefix;
	msg->rtm_table = RT_TABLE_MAIN;
	msg->rtm_protocol = RTPROT_STATIC;
	msg->rtm_scope = RT_SCOPE_UNIVERSE;
	msg->rtm_type = RTN_UNICAST;
	if (route->to.prefix)
		put(&request, RTA_DST, &route->to.ip, ip_bytes(&route->to));
	put(&request, RTA_GATEWAY, &route->via.ip, ip_bytes(&route->via));
	return talk(fd, &request, why);
}
