/* SPDX-License-Identifier: MIT */
/* Sockets, tunnels, multicast routing and IPVS. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/ip_vs.h>
#include <linux/mroute.h>
#include <linux/mroute6.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/probe.h"

enum { ANSWER_MS = 5000, MULTICAST_PORT = 7777, SEND_COUNT = 100, SEND_EVERY_MS = 50 };

/* ---- tun and tap ---- */

static int tunnel_open(const char *name, short flags)
{
	struct ifreq request = { .ifr_flags = (short)(flags | IFF_NO_PI) };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	NEED(fd >= 0, "open /dev/net/tun");
	memcpy(request.ifr_name, name, strlen(name) + 1);
	NEED(!ioctl(fd, TUNSETIFF, &request), "TUNSETIFF");
	return fd;
}

static void address_up(const char *name, const char *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;

	NEED(fd >= 0, "socket");
	memcpy(request.ifr_name, name, strlen(name) + 1);
	in->sin_family = AF_INET;
	inet_pton(AF_INET, address, &in->sin_addr);
	NEED(!ioctl(fd, SIOCSIFADDR, &request), "address");
	inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
	NEED(!ioctl(fd, SIOCSIFNETMASK, &request), "netmask");
	NEED(!ioctl(fd, SIOCGIFFLAGS, &request), "flags");
	request.ifr_flags |= IFF_UP;
	NEED(!ioctl(fd, SIOCSIFFLAGS, &request), "up");
	close(fd);
}

/* Ask somebody behind the tunnel something. */
static int ask(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, address, &to.sin_addr);
	NEED(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
	NEED(write(fd, "ask", 3) == 3, "send to %s", address);
	return fd;
}

/* The next packet from the tunnel that is of this kind at this place. */
static ssize_t next_of(int fd, uint8_t *packet, size_t room, size_t at, uint8_t kind)
{
	ssize_t got = 0;

	do {
		NEED(probe_wait(fd, ANSWER_MS), "no packet came out of the tunnel");
		got = read(fd, packet, room);
		NEED(got > 0, "read the tunnel");
	} while ((size_t)got <= at || packet[at] != kind);
	return got;
}

static uint16_t ip_checksum(const uint8_t *header, size_t bytes)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < bytes; i += 2)
		sum += (uint32_t)header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int run_tun(char **args)
{
	int fd = tunnel_open("ptun", IFF_TUN), asker;
	uint8_t packet[2048];
	struct iphdr *ip = (struct iphdr *)packet;
	struct udphdr *udp = (struct udphdr *)(packet + sizeof(*ip));
	char said[8] = "";
	ssize_t got;

	(void)args;
	address_up("ptun", "10.77.0.1");
	asker = ask("10.77.0.2");
	got = next_of(fd, packet, sizeof(packet), 9, IPPROTO_UDP);
	NEED(got == 31 && !memcmp(packet + 28, "ask", 3), "%zd bytes, not what was sent",
	     got);
	/* And the answer back in. */
	ip->daddr ^= ip->saddr, ip->saddr ^= ip->daddr, ip->daddr ^= ip->saddr;
	udp->uh_dport ^= udp->uh_sport, udp->uh_sport ^= udp->uh_dport,
		udp->uh_dport ^= udp->uh_sport;
	udp->uh_sum = 0;
	ip->check = 0;
	ip->check = ip_checksum(packet, sizeof(*ip));
	memcpy(packet + 28, "yes", 3);
	NEED(write(fd, packet, (size_t)got) == got, "write into the tunnel");
	NEED(probe_wait(asker, ANSWER_MS) && read(asker, said, sizeof(said)) == 3 &&
		     !memcmp(said, "yes", 3),
	     "the answer did not arrive");
	return 0;
}

static int run_tap(char **args)
{
	int fd = tunnel_open("ptap", IFF_TAP);
	uint8_t frame[2048];

	(void)args;
	address_up("ptap", "10.78.0.1");
	close(ask("10.78.0.2"));
	/* Who has 10.78.0.2? */
	next_of(fd, frame, sizeof(frame), 13, ETH_P_ARP & 0xff);
	NEED(frame[12] == ETH_P_ARP >> 8 && frame[38] == 10 && frame[39] == 78 &&
		     frame[41] == 2,
	     "no ARP request for 10.78.0.2");
	return 0;
}

/* ---- packet sockets ---- */

static int run_packet(char **args)
{
	static const char text[] = "a frame of my own";
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(0x88b5) };
	uint8_t frame[64] = { 0 }, got[2048];
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));

	(void)args;
	NEED(fd >= 0, "packet socket");
	to.sll_ifindex = (int)if_nametoindex("lo");
	NEED(!bind(fd, (struct sockaddr *)&to, sizeof(to)), "bind to lo");
	frame[12] = 0x88, frame[13] = 0xb5;
	memcpy(frame + 14, text, sizeof(text));
	NEED(send(fd, frame, sizeof(frame), 0) == sizeof(frame), "send");
	NEED(probe_wait(fd, ANSWER_MS) &&
		     recv(fd, got, sizeof(got), 0) == sizeof(frame) &&
		     !memcmp(got, frame, sizeof(frame)),
	     "the frame did not come back");
	return 0;
}

/* A ring that is mapped, as captures use it. */
static int run_packet_ring(char **args)
{
	struct tpacket_req3 ring = { .tp_block_size = 1 << 16,
				     .tp_block_nr = 4,
				     .tp_frame_size = 1 << 11,
				     .tp_frame_nr = 4 << 5,
				     .tp_retire_blk_tov = 10 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), version = TPACKET_V3;

	(void)args;
	NEED(fd >= 0, "packet socket");
	NEED(!setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)),
	     "TPACKET_V3");
	NEED(!setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)), "RX_RING");
	close(ask("127.0.0.1"));
	NEED(probe_wait(fd, ANSWER_MS), "nothing came into the ring");
	return 0;
}

/* ---- congestion control ---- */

static int run_congestion(char **args)
{
	const char *name = probe_arg(args, 0, "the congestion control's name");
	struct sockaddr_in at = { .sin_family = AF_INET };
	int server = socket(AF_INET, SOCK_STREAM, 0),
	    client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(at);
	char now[16] = "", text[4] = "";
	int accepted;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	NEED(!bind(server, (struct sockaddr *)&at, sizeof(at)) && !listen(server, 1) &&
		     !getsockname(server, (struct sockaddr *)&at, &size),
	     "listen");
	/* dctcp wants it at both ends. */
	for (int i = 0; i < 2; i++)
		NEED(!setsockopt(i ? server : client, IPPROTO_TCP, TCP_CONGESTION, name,
				 (socklen_t)strlen(name)),
		     "TCP_CONGESTION %s", name);
	NEED(!connect(client, (struct sockaddr *)&at, sizeof(at)), "connect");
	accepted = accept(server, NULL, NULL);
	NEED(accepted >= 0 && write(client, "abc", 4) == 4 &&
		     read(accepted, text, 4) == 4 && !strcmp(text, "abc"),
	     "send with %s", name);
	size = sizeof(now);
	NEED(!getsockopt(client, IPPROTO_TCP, TCP_CONGESTION, now, &size) &&
		     !strcmp(now, name),
	     "it uses '%.16s'", now);
	return 0;
}

/* ---- multicast routing ---- */

static int run_command(char **argv)
{
	int pid = fork(), status = -1;

	NEED(pid >= 0, "fork");
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	NEED(waitpid(pid, &status, 0) == pid, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* mroute4 IN OUT SOURCE GROUP COMMAND...: route the group while the command runs. */
static int run_mroute4(char **args)
{
	struct vifctl vif = { .vifc_flags = VIFF_USE_IFINDEX, .vifc_threshold = 1 };
	struct mfcctl route = { .mfcc_parent = 0, .mfcc_ttls = { [1] = 1 } };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_IGMP), on = 1;

	NEED(fd >= 0, "IGMP socket");
	NEED(!setsockopt(fd, IPPROTO_IP, MRT_INIT, &on, sizeof(on)), "MRT_INIT");
	for (vifi_t i = 0; i < 2; i++) {
		vif.vifc_vifi = i;
		vif.vifc_lcl_ifindex =
			(int)if_nametoindex(probe_arg(args, i, "interface"));
		NEED(!setsockopt(fd, IPPROTO_IP, MRT_ADD_VIF, &vif, sizeof(vif)),
		     "ADD_VIF");
	}
	NEED(inet_pton(AF_INET, probe_arg(args, 2, "source"), &route.mfcc_origin) == 1 &&
		     inet_pton(AF_INET, probe_arg(args, 3, "group"),
			       &route.mfcc_mcastgrp) == 1,
	     "addresses");
	NEED(!setsockopt(fd, IPPROTO_IP, MRT_ADD_MFC, &route, sizeof(route)), "ADD_MFC");
	probe_arg(args, 4, "command");
	return run_command(args + 4);
}

static int run_mroute6(char **args)
{
	struct mif6ctl mif = { .vifc_threshold = 1 };
	struct mf6cctl route = { .mf6cc_parent = 0 };
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), on = 1;

	NEED(fd >= 0, "ICMPv6 socket");
	NEED(!setsockopt(fd, IPPROTO_IPV6, MRT6_INIT, &on, sizeof(on)), "MRT6_INIT");
	for (mifi_t i = 0; i < 2; i++) {
		mif.mif6c_mifi = i;
		mif.mif6c_pifi =
			(uint16_t)if_nametoindex(probe_arg(args, i, "interface"));
		NEED(!setsockopt(fd, IPPROTO_IPV6, MRT6_ADD_MIF, &mif, sizeof(mif)),
		     "ADD_MIF");
	}
	route.mf6cc_origin.sin6_family = route.mf6cc_mcastgrp.sin6_family = AF_INET6;
	NEED(inet_pton(AF_INET6, probe_arg(args, 2, "source"),
		       &route.mf6cc_origin.sin6_addr) == 1 &&
		     inet_pton(AF_INET6, probe_arg(args, 3, "group"),
			       &route.mf6cc_mcastgrp.sin6_addr) == 1,
	     "addresses");
	IF_SET(1, &route.mf6cc_ifset);
	NEED(!setsockopt(fd, IPPROTO_IPV6, MRT6_ADD_MFC, &route, sizeof(route)),
	     "ADD_MFC");
	probe_arg(args, 4, "command");
	return run_command(args + 4);
}

static int multicast_socket(char **args, struct sockaddr_in6 *group, unsigned *index)
{
	const char *text = probe_arg(args, 0, "group");
	struct sockaddr_in *group4 = (struct sockaddr_in *)group;
	int fd;

	*group = (struct sockaddr_in6){ .sin6_port = htons(MULTICAST_PORT) };
	group->sin6_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	NEED(inet_pton(group->sin6_family, text,
		       strchr(text, ':') ? (void *)&group->sin6_addr
					 : (void *)&group4->sin_addr) == 1,
	     "%s is no address", text);
	*index = if_nametoindex(probe_arg(args, 1, "interface"));
	fd = socket(group->sin6_family, SOCK_DGRAM, 0);
	NEED(*index && fd >= 0, "interface %s", args[1]);
	return fd;
}

/* mreceive GROUP INTERFACE: until one datagram of the group has come */
static int run_mreceive(char **args)
{
	struct sockaddr_in6 group;
	struct group_req join = { 0 };
	char text[8];
	int fd = multicast_socket(args, &group, &join.gr_interface);

	memcpy(&join.gr_group, &group, sizeof(group));
	NEED(!bind(fd, (struct sockaddr *)&group, sizeof(group)), "bind");
	NEED(!setsockopt(fd, group.sin6_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
			 MCAST_JOIN_GROUP, &join, sizeof(join)),
	     "join");
	NEED(probe_wait(fd, ANSWER_MS), "nothing came from the group");
	NEED(recv(fd, text, sizeof(text), 0) == 3, "receive");
	return 0;
}

/* msend GROUP INTERFACE: a datagram every 50 ms, until somebody ends us */
static int run_msend(char **args)
{
	struct sockaddr_in6 group;
	struct ip_mreqn by = { 0 };
	unsigned index;
	int fd = multicast_socket(args, &group, &index), ttl = 8, err;

	by.imr_ifindex = (int)index;
	if (group.sin6_family == AF_INET)
		err = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof(by)) ||
		      setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
	else
		err = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index,
				 sizeof(index)) ||
		      setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &ttl,
				 sizeof(ttl));
	NEED(!err, "set interface and ttl");
	for (int i = 0; i < SEND_COUNT; i++) {
		NEED(sendto(fd, "hey", 3, 0, (struct sockaddr *)&group, sizeof(group)) ==
			     3,
		     "send");
		probe_wait(-1, SEND_EVERY_MS);
	}
	return 0;
}

/* ---- IPVS ---- */

/* ipvs VIRTUAL-ADDRESS PORT REAL-ADDRESS...: a virtual service, round robin, NAT */
static int run_ipvs(char **args)
{
	struct {
		struct ip_vs_service_user service;
		struct ip_vs_dest_user dest;
	} both = { .service = { .protocol = IPPROTO_TCP, .sched_name = "rr" } };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	both.service.addr = inet_addr(probe_arg(args, 0, "virtual address"));
	both.service.port = htons((uint16_t)probe_number(args, 1, "port"));
	NEED(fd >= 0, "raw socket");
	NEED(!setsockopt(fd, IPPROTO_IP, IP_VS_SO_SET_ADD, &both.service,
			 sizeof(both.service)),
	     "add the service");
	probe_arg(args, 2, "real address");
	for (char **real = args + 2; *real; real++) {
		both.dest = (struct ip_vs_dest_user){ .addr = inet_addr(*real),
						      .port = both.service.port,
						      .conn_flags = IP_VS_CONN_F_MASQ,
						      .weight = 1 };
		NEED(!setsockopt(fd, IPPROTO_IP, IP_VS_SO_SET_ADDDEST, &both,
				 sizeof(both)),
		     "add the destination %s", *real);
	}
	return 0;
}

/* ---- small clients and servers ---- */

static int stream_socket(const char *address, long port, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port) };
	NEED(fd >= 0 && inet_pton(AF_INET, address, &at->sin_addr) == 1, "address %s",
	     address);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

/* serve PORT TEXT: say the text to whoever connects, in the background */
static int run_serve(char **args)
{
	const char *text = probe_arg(args, 1, "text");
	struct sockaddr_in at;
	int fd = stream_socket("0.0.0.0", probe_number(args, 0, "port"), &at), one;

	NEED(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 16), "listen");
	if (fork())
		return 0;
	setsid();
	for (int i = 0; i < 3; i++)
		close(i);
	while ((one = accept(fd, NULL, NULL)) >= 0) {
		if (write(one, text, strlen(text)) < 0)
			_exit(1);
		close(one);
	}
	_exit(0);
}

/* ask ADDRESS PORT: print what is said there */
static int run_ask(char **args)
{
	struct sockaddr_in at;
	int fd = stream_socket(probe_arg(args, 0, "address"),
			       probe_number(args, 1, "port"), &at);
	struct timeval patience = { .tv_sec = 3 };
	char text[256];
	ssize_t got;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	NEED(!connect(fd, (struct sockaddr *)&at, sizeof(at)), "connect to %s", args[0]);
	while ((got = read(fd, text, sizeof(text))) > 0)
		NEED(write(1, text, (size_t)got) == got, "write");
	NEED(!got, "read");
	return 0;
}

const struct probe probe_net[] = {
	{ "tun", run_tun },
	{ "tap", run_tap },
	{ "packet", run_packet },
	{ "packet_ring", run_packet_ring },
	{ "congestion", run_congestion },
	{ "mroute4", run_mroute4 },
	{ "mroute6", run_mroute6 },
	{ "mreceive", run_mreceive },
	{ "msend", run_msend },
	{ "ipvs", run_ipvs },
	{ "serve", run_serve },
	{ "ask", run_ask },
	{ NULL, NULL },
};
