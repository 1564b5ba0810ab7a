/* SPDX-License-Identifier: MIT */
/* Filters: nobody is asked about names, and what is long is compiled once, elsewhere, in
 * a limited time. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/helper.h"
#include "linkfault/filter.h"
#include "linkfault/filter_words.h"

static unsigned asked;

/* In the place of the C library's, for libpcap too. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	struct in6_addr address;
	int (*real)(const char *, const char *, const struct addrinfo *,
		    struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");

	/* Figures are read, too, with this. */
	if (!node || strchr("0123456789", *node) || inet_pton(AF_INET6, node, &address))
		return real(node, service, hints, result);
	*result = NULL;
	asked++;
	return EAI_NONAME;
}

struct netent *getnetbyname(const char *name)
{
	(void)name;
	asked++;
	return NULL;
}

int ether_hostton(const char *name, struct ether_addr *address)
{
	(void)name;
	(void)address;
	asked++;
	return -1;
}

static void a_name_is_refused_and_nobody_is_asked(void **state)
{
	static const char *const names[] = {
		"host example.com",	    "example.com",
		"src host n1",		    "net loopback",
		"gateway router",	    "ether host aa",
		"tcp and host n1",	    "port 80 or host n1",
		"(tcp or n1)",	    "host 10.0.0.1 or n1",
		"not n1",		    "port http and tcp and n1",
		"host 1.2.3.4.5",	    "host 10.0.0.1.",
		"host 1-2",		    "host dead-beefcafe",
		"host dead:beef",	    "host \\tcp",
		"ip6 host fe80::1.example", "host x",
		"vlan 3 and n2",	    "dst net 10.0.0.0/8 or src net ten",
		"ether proto \\ip and host n1", "tcp[0]=1 and host n1",
		"host\tn1",		    "host 0xzz",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct filter *filter = NULL;
		struct why why = { "" };

		asked = 0;
		if (filter_compile(&filter, names[i], &why) != -EINVAL ||
		    !strstr(why.text, "names are not looked up") || asked)
			fail_msg("%s: %s (asked %u)", names[i], why.text, asked);
	}
}

static void what_is_no_name_is_compiled(void **state)
{
	static const char *const fine[] = {
		"tcp port 2380 and greater 200",
		"host 10.0.0.1",
		"net 10.0.0.0/8",
		"net 10",
		"net 10.1 mask 255.255.0.0",
		"ip6 host fd00::1",
		"ether host 02:00:00:00:00:01",
		"ether host 02-00-00-00-00-01",
		"ether host 0200.0000.0001",
		"ether host 020000000001",
		"ether dst ff:ff:ff:ff:ff:ff",
		"port 80 or 443 or 8080",
		"portrange 1-1024",
		"ip proto \\tcp",
		"ip proto 89",
		"ether proto 0x88cc",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
		"tcp[13:1] & 2 != 0 and not arp",
		"icmp[icmptype] == icmp-echo",
		"icmp6 and ip6[40] == 128",
		"(tcp or udp) and src port 53",
		"vlan 3 and ip",
		"tcp[((ip[0]&0xf)<<2):4] = 0x47455420",
		"ether[0] & 1 = 0 and ip[16] >= 224",
		"less 64 || len > 1500",
		"ether broadcast or ether multicast",
		"stp or llc",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
		struct filter *filter = NULL;
		struct why why = { "" };

		asked = 0;
		if (filter_compile(&filter, fine[i], &why) || asked)
			fail_msg("%s: %s", fine[i], why.text);
		filter_free(filter);
	}
}

static char *ports(unsigned count)
{
	char *text = malloc(count * 16 + 24), *at = text;

	for (unsigned i = 0; i < count; i++)
		at += snprintf(at, 24, "%sport %u", i ? " or " : "", i + 1);
	return text;
}

/* Of this process, not of its children. */
static uint64_t processor_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void a_long_filter_costs_this_process_nothing(void **state)
{
	/* A frame to port 60: ethernet, IPv4, UDP. */
	uint8_t frame[60] = { [12] = 8, [14] = 0x45, [23] = 17, [37] = 60 };
	struct filter *filter = NULL, *again = NULL;
	char *text = ports(60);
	struct why why = { "" };
	uint64_t from_ns = processor_ns();

	(void)state;
	assert_true(filter_takes_long(text));
	if (filter_compile(&filter, text, &why))
		fail_msg("%s", why.text);
	/* Here it would take a quarter of a second. */
	assert_true(processor_ns() - from_ns < 60000000);
	assert_true(filter_wants(filter, frame, sizeof(frame)));
	frame[37] = 61;
	assert_false(filter_wants(filter, frame, sizeof(frame)));
	/* There is one: it is not compiled again. */
	assert_false(filter_takes_long(text));
	assert_int_equal(filter_compile(&again, text, &why), 0);
	assert_ptr_equal(filter, again);
	filter_free(again);
	filter_free(filter);
	assert_true(filter_takes_long(text));
	free(text);
}

static void a_filter_that_takes_too_long_is_given_up(void **state)
{
	struct filter *filter = NULL;
	char *text = ports(450);
	struct why why = { "" };

	(void)state;
	assert_int_equal(filter_compile(&filter, text, &why), -EINVAL);
	if (!strstr(why.text, "compiling it takes longer than 5 s"))
		fail_msg("%s", why.text);
	assert_null(filter);
	free(text);
}

static void a_long_filter_that_makes_no_sense_says_why(void **state)
{
	struct filter *filter = NULL;
	struct why why = { "" };
	char *text = ports(30);

	(void)state;
	memcpy(text, "portx", 5);
	assert_int_equal(filter_compile(&filter, text, &why), -EINVAL);
	memcpy(text, "and  ", 5);
	assert_int_equal(filter_compile(&filter, text, &why), -EINVAL);
	assert_non_null(strstr(why.text, "syntax error"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_refused_and_nobody_is_asked),
		cmocka_unit_test(what_is_no_name_is_compiled),
		cmocka_unit_test(a_long_filter_costs_this_process_nothing),
		cmocka_unit_test(a_filter_that_takes_too_long_is_given_up),
		cmocka_unit_test(a_long_filter_that_makes_no_sense_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
