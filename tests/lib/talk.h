/* SPDX-License-Identifier: MIT */
/* talk.h - talking to a lab of three machines, for tests of the control socket
 *
 * talk_open() and talk_close() are set-up and tear-down of each test: machines n1, n2
 * and n3 are ready, on the network "lan" (1 ms); "backup" links n1 and n2 (20 ms).
 */
#ifndef NL_TESTS_TALK_H
#define NL_TESTS_TALK_H

#include "lib/fake_lab.h"

extern struct fake_lab fake;
extern struct fake_client client;

int talk_open(void **state);
int talk_close(void **state);
/* Ask; the answer must be an error with these words. */
void assert_refused(const char *what, const char *fields, const char *words);
json_t *assert_done(const char *what, const char *fields);
/* The next line from the lab must be this. */
void assert_next_is(const char *expected);
json_int_t number(const json_t *line, const char *key);

extern const char talk_topology[];

#define TEST(name) cmocka_unit_test_setup_teardown(name, talk_open, talk_close)

#endif
