/* SPDX-License-Identifier: MIT */
/* plan.h - what a topology file means, with nothing left to guess
 *
 * The compiler's output and the lab's only input: every default applied, every
 * name resolved to an index, every address, MAC and route derived.
 *
 * Wiring.  Each interface of a node is one end of one link.  A link joins two
 * interfaces (point to point), or one interface and a segment (a LAN): `b_kind`
 * says which.  Each link has two directions, each with its own fault spec:
 * [DIR_AB] and [DIR_BA].  A link's name is unique in the lab: "backup", or for
 * the member n1:eth0 of the network lan "lan.n1" ("lan.n1:eth2" if n1 is a member
 * more than once), or for an unnamed link "n1--n2" ("n1:eth1--n2:eth1" if there
 * are several).
 *
 * A network's own faults ("delay": "1ms") stand on the direction from the member
 * to the segment, so each frame meets them once on its way across the LAN.
 *
 * Ownership: plan_free() frees everything below a plan.  Strings are never NULL
 *            unless the comment says so.
 * Threads:   read-only once compiled.
 */
#ifndef NL_PLAN_PLAN_H
#define NL_PLAN_PLAN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linkfault/fault.h"
#include "partition/partition.h"
#include "plan/restart.h"

enum {
	PLAN_NAME_BYTES_MAX = 32,  /* lab, node, network, link part; with the 0 */
	PLAN_IFNAME_BYTES_MAX = 16, /* the kernel's IFNAMSIZ */
	PLAN_NODES_MAX = 1024,
	PLAN_INTERFACES_MAX = 8192,
};

_Static_assert((int)PLAN_NAME_BYTES_MAX == (int)PARTITION_NAME_BYTES_MAX,
	       "one kind of names");

struct plan_addr {
	int family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} ip;
	uint8_t prefix; /* bits */
};

struct plan_route {
	struct plan_addr to;  /* network address and prefix; prefix 0: default */
	struct plan_addr via; /* next hop; prefix unused */
};

struct plan_interface {
	char name[PLAN_IFNAME_BYTES_MAX];
	uint8_t mac[6];
	uint32_t mtu_bytes;
	struct plan_addr *addrs;
	size_t addr_count;
	uint32_t link; /* index into plan.links */
};

enum ready_kind { READY_NONE, READY_TCP, READY_FILE, READY_CMD };

/* How to tell that a service is ready. */
struct plan_ready {
	enum ready_kind kind;
	uint16_t tcp_port;    /* READY_TCP: something listens on it */
	char *text;	      /* READY_FILE: path; READY_CMD: shell command; else NULL */
	uint64_t timeout_ns;  /* give up, and with it the `up`, after this long */
};

struct plan_service {
	char *name; /* of its log; unique in the node */
	char *cmd;  /* run by /bin/sh -c in the guest */
	struct plan_ready ready;
	enum restart restart;
};

struct plan_pair {
	char *key;
	char *value;
};

/* "files": what is put into the guest before any service starts. */
struct plan_file {
	char *path;	  /* absolute, in the guest */
	char *content;	  /* NULL: copy from lab folder */
	char *source;	  /* NULL: content; else path relative to the topology's folder */
	uint32_t mode;	  /* 0644 unless given */
};

enum image_kind { IMAGE_HOST, IMAGE_DIR, IMAGE_FILE };

/* Virtual time that work takes. */
struct plan_cost {
	bool syscall_given;  /* else what system calls take rises, see determinism.md */
	uint32_t syscall_ns; /* each system call */
	uint32_t switch_ns;  /* each switch to another task */
};

/* A clock beside the lab's. */
struct plan_clock {
	int64_t offset_ns; /* of the wall time, from the beginning */
	int64_t drift_ppb; /* fast; negative: slow */
};

struct plan_node {
	char name[PLAN_NAME_BYTES_MAX];
	char *kind;  /* "uml" */
	enum image_kind image_kind;
	char *image;  /* absolute host path of the folder or file; NULL for the host's root */
	char *kernel; /* absolute host path; NULL: the best that is installed */
	uint64_t memory_bytes;
	struct plan_cost cost;
	struct plan_clock clock;
	bool forward; /* routes packets between its interfaces */
	bool ipv6;    /* has an IPv6 address, so needs the protocol */
	struct plan_interface *interfaces; /* in the order eth0, eth1, ... of creation */
	size_t interface_count;
	struct plan_route *routes;
	size_t route_count;
	struct plan_pair *env, *sysctls;
	size_t env_count, sysctl_count;
	struct plan_file *files;
	size_t file_count;
	struct plan_service *services;
	size_t service_count;
	uint32_t *depends; /* nodes whose services must be ready before ours start */
	size_t depend_count;
};

struct plan_endpoint {
	uint32_t node;	    /* index into plan.nodes */
	uint32_t interface; /* index into that node's interfaces */
};

enum link_end { LINK_TO_INTERFACE, LINK_TO_SEGMENT };

struct plan_link {
	char *name;
	struct plan_endpoint a;
	enum link_end b_kind;
	struct plan_endpoint b; /* LINK_TO_INTERFACE */
	uint32_t segment;	/* LINK_TO_SEGMENT: index into plan.segments */
	struct fault_spec *fault[DIRS]; /* as the lab starts; NULL: perfect */
};

struct plan_segment {
	char name[PLAN_NAME_BYTES_MAX];
	uint64_t ageing_ns; /* a learnt address is forgotten after this long */
};

/* A line of everybody's /etc/hosts. */
struct plan_host {
	struct plan_addr addr; /* prefix unused */
	char *names;	       /* "n1 n1-eth0" */
};

struct plan {
	char name[PLAN_NAME_BYTES_MAX];
	uint64_t seed;
	bool seed_given; /* in the file; else the lab draws one and says so */
	bool virtual_time; /* "clock": "virtual" */
	uint64_t epoch_s;  /* where that begins, since 1970; 0: nothing is said */
	char *dir;	 /* absolute path of the folder that holds the file */
	char *file;	 /* absolute path of the file */

	struct plan_node *nodes;
	size_t node_count;
	struct plan_link *links;
	size_t link_count;
	struct plan_segment *segments;
	size_t segment_count;
	struct partition *partitions; /* in force when the lab starts */
	size_t partition_count;
	struct plan_host *hosts;
	size_t host_count;
	struct fault_profile *profiles;
	size_t profile_count;
};

void plan_free(struct plan *plan); /* NULL does nothing */

/* Index of a node, link or segment by name; -1 if there is none. */
int plan_find_node(const struct plan *plan, const char *name);
int plan_find_link(const struct plan *plan, const char *name);

#endif
