/* SPDX-License-Identifier: MIT */
#include "linkfault/filter_words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

/* One "port N" is twenty instructions before the optimiser; a dozen take a millisecond. */
enum { FEW_WORDS = 24, WORD_BYTES_MAX = 256 };

/* The language of pcap-filter(7): its words, all but those that need a name behind them.
 * A word that is not here is taken for a name. */
static const char *const keywords[] = {
	"dst", "src", "link", "ether", "ppp", "slip", "fddi", "tr", "wlan", "arp", "rarp",
	"ip", "sctp", "tcp", "udp", "icmp", "igmp", "igrp", "pim", "vrrp", "carp", "radio",
	"ip6", "icmp6", "ah", "esp", "atalk", "aarp", "decnet", "lat", "sca", "moprc",
	"mopdl", "iso", "esis", "es-is", "isis", "is-is", "l1", "l2", "iih", "lsp", "snp",
	"csnp", "psnp", "clnp", "stp", "ipx", "netbeui", "mask", "less", "greater", "byte",
	"broadcast", "multicast", "len", "length", "inbound", "outbound", "ifindex", "vlan",
	"mpls", "pppoed", "pppoes", "geneve", "vxlan", "llc", "type", "subtype", "direction",
	"dir", "addr1", "addr2", "addr3", "addr4", "address1", "address2", "address3",
	"address4", "ra", "ta", "icmptype", "icmpcode", "icmp-echoreply", "icmp-unreach",
	"icmp-sourcequench", "icmp-redirect", "icmp-echo", "icmp-routeradvert",
	"icmp-routersolicit", "icmp-timxceed", "icmp-paramprob", "icmp-tstamp",
	"icmp-tstampreply", "icmp-ireq", "icmp-ireqreply", "icmp-maskreq", "icmp-maskreply",
	"icmp6type", "icmp6code", "icmp6-echo", "icmp6-echoreply",
	"icmp6-multicastlistenerquery", "icmp6-multicastlistenerreportv1",
	"icmp6-multicastlistenerdone", "icmp6-routersolicit", "icmp6-routeradvert",
	"icmp6-neighborsolicit", "icmp6-neighboradvert", "icmp6-redirect",
	"icmp6-destinationunreach", "icmp6-packettoobig", "icmp6-timeexceeded",
	"icmp6-parameterproblem", "icmp6-destinationrouterreach", "icmp6-routerrenum",
	"icmp6-nodeinformationquery", "icmp6-nodeinformationresponse",
	"icmp6-ineighbordiscoverysolicit", "icmp6-ineighbordiscoveryadvert",
	"icmp6-multicastlistenerreportv2", "icmp6-homeagentdiscoveryrequest",
	"icmp6-homeagentdiscoveryreply", "icmp6-mobileprefixsolicit",
	"icmp6-mobileprefixadvert", "icmp6-certpathsolicit", "icmp6-certpathadvert",
	"icmp6-multicastrouteradvert", "icmp6-multicastroutersolicit",
	"icmp6-multicastrouterterm", "tcpflags", "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push",
	"tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr",
};

/* They join what is of one kind: "port http or smtp". */
static const char *const joints[] = { "and", "or", "not" };

/* What stands behind these is a name of the host's own tables, not of a machine. */
static const char *const tables[] = { "port", "portrange", "proto", "protochain" };

static const char *const addresses[] = { "host", "net", "gateway" };

#define IS_IN(word, list) is_in(word, list, ARRAY_SIZE(list))

static bool is_in(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(word, list[i]))
			return true;
	return false;
}

static bool is_part(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.' || c == ':' ||
	       c == '$';
}

#define DIGITS "0123456789"
#define HEX    DIGITS "abcdefABCDEF"

/* Groups of digits, one to most, with that sign between them. */
static bool is_groups(const char *word, const char *digits, char sign, size_t count_min,
		      size_t count_max, size_t most)
{
	size_t count = 0;

	for (;;) {
		size_t size = strspn(word, digits);

		if (!size || size > most || ++count > count_max)
			return false;
		if (!word[size])
			return count >= count_min;
		if (word[size] != sign)
			return false;
		word += size + 1;
	}
}

/* What libpcap takes for a number or an address in figures, and not for a name: exactly
 * that, since about everything else it would ask. */
static bool is_figures(const char *word)
{
	struct in6_addr six;

	if (*word == ':' && is_groups(word + 1, DIGITS, 0, 1, 1, 10))
		return true; /* the end of a range behind an expression */
	if (*word == '$')
		return is_groups(word + 1, HEX, 0, 1, 1, 2);
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		return is_groups(word + 2, HEX, 0, 1, 1, 8);
	return is_groups(word, DIGITS, '.', 1, 4, 10) ||
	       is_groups(word, DIGITS, ':', 1, 2, 10) || /* of a range: [13:1] */
	       is_groups(word, HEX, ':', 6, 6, 2) || is_groups(word, HEX, '-', 6, 6, 2) ||
	       is_groups(word, HEX, '.', 6, 6, 2) || is_groups(word, HEX, '.', 3, 3, 4) ||
	       (strlen(word) == 12 && is_groups(word, HEX, 0, 1, 1, 12)) ||
	       inet_pton(AF_INET6, word, &six) == 1;
}

/* The next word, or the next sign, and where it ends.  False: the text is over. */
static bool next(const char **at, char word[WORD_BYTES_MAX], bool *escaped)
{
	size_t size = 0;

	*at += strspn(*at, " \t\r\n");
	*escaped = **at == '\\';
	*at += *escaped;
	if (!**at)
		return false;
	if (!is_part(**at)) {
		word[0] = *(*at)++;
		word[1] = 0;
		return true;
	}
	for (; is_part(**at); ++*at)
		if (size + 1 < WORD_BYTES_MAX)
			word[size++] = **at;
	word[size] = 0;
	return true;
}

static int refuse(const char *word, struct why *why)
{
	return why_set(why, -EINVAL,
		       "\"%.60s\" is no word of filters and no address; names are not "
		       "looked up: write the address (netlab ps shows those of machines)",
		       word);
}

int filter_words_check(const char *text, struct why *why)
{
	char word[WORD_BYTES_MAX];
	bool table = false, escaped;

	while (next(&text, word, &escaped)) {
		if (!is_part(*word) || IS_IN(word, joints) || is_figures(word))
			continue;
		if (!escaped && IS_IN(word, tables)) {
			table = true;
		} else if (!escaped && (IS_IN(word, keywords) || IS_IN(word, addresses))) {
			table = false;
		} else if (!table) {
			return refuse(word, why);
		}
	}
	return 0;
}

bool filter_words_are_few(const char *text)
{
	char word[WORD_BYTES_MAX];
	unsigned count = 0;
	bool escaped;

	while (next(&text, word, &escaped))
		if (++count > FEW_WORDS)
			return false;
	return true;
}
