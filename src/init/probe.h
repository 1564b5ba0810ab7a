/* SPDX-License-Identifier: MIT */
/* probe.h - the agent as a small tool: who hears whom, and how long an answer takes
 *
 * `netlab-agent probe`, which is /proc/1/exe of every machine, so it is there whatever
 * the machine's image has.  It is told by lines what to do, and answers with lines:
 *
 *	← ports V4 V6			it listens (UDP; 0: no such family)
 *	→ self INDEX			its number among those that take part
 *	→ to INDEX ADDRESS PORT		somebody to probe, before "arm"; many times
 *	→ arm COUNT INTERVAL_NS WAIT_NS BYTES NONCE
 *					COUNT datagrams of BYTES to each, one every
 *					INTERVAL_NS (to many: a few at a time), and
 *					then WAIT_NS for the last answers
 *	← armed				from now on it hears and answers
 *	→ warm				once all are armed: one datagram to each, far
 *					apart, that counts for nothing, so that
 *					addresses of neighbours are known
 *	← warm				all have answered, or it was waited long enough
 *	→ go				once all are warm
 *	← done				its own were sent, and it has waited; it goes on
 *					hearing and answering others
 *	→ say				once all are done
 *	← heard INDEX COUNT		different datagrams that came from there
 *	← unsent INDEX COUNT ERRNO	datagrams that could not even be sent, and why
 *	← answered INDEX SENT COUNT MIN P50 P99 MAX
 *					answers, and their round trips in nanoseconds
 *	← said				all of it; it answers others until its input ends
 *
 * heard counts one way, answered both.  Datagrams of another nonce are not its own
 * and are dropped.  Round trips are by this machine's monotonic clock, and include
 * what both machines need to wake up.
 *
 * Errors:    a line on stderr, exit status 2 (called wrongly) or 1.
 * Threads:   one.
 */
#ifndef NL_INIT_PROBE_H
#define NL_INIT_PROBE_H

enum {
	PROBE_PEERS_MAX = 1024,
	PROBE_COUNT_MAX = 100000,
	PROBE_SAMPLES_MAX = 4 << 20, /* peers * count */
	PROBE_BYTES_MIN = 32,	     /* its own header */
	PROBE_BYTES_MAX = 1400,
};

int probe_run(void);

#endif
