/* SPDX-License-Identifier: MIT */
/* src/kernel without a kernel: apt's lists, configurations, releases, room on disk,
 * and a program that is run. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/proc.h"
#include "kernel/apt_sources.h"
#include "kernel/kconfig.h"
#include "kernel/kernel.h"
#include "kernel/need.h"
#include "kernel/run.h"

/* ---- apt's lists ------------------------------------------------------------------ */

static struct apt_archive archive(const char *text, bool deb822)
{
	struct apt_archive best = { .sure = 0 };

	apt_sources_read(text, deb822, &best);
	return best;
}

static void a_line_of_a_list_is_read(void **state)
{
	static const struct {
		const char *line, *uri, *signed_by;
	} good[] = {
		{ "deb http://mirror.example/debian bookworm main\n",
		  "http://mirror.example/debian", "" },
		{ "# deb http://x/debian sid main\n  deb  http://far.mirror.example/debian/  "
		  "stable   non-free main # why\n",
		  "http://far.mirror.example/debian/", "" },
		{ "deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] "
		  "https://mirror.example/debian trixie-backports main",
		  "https://mirror.example/debian", "/usr/share/keyrings/k.gpg" },
		{ "deb [ signed-by=/usr/share/keyrings/debian-archive-keyring.gpg ] "
		  "https://mirror.example/d bookworm-updates main contrib\n",
		  "https://mirror.example/d",
		  "/usr/share/keyrings/debian-archive-keyring.gpg" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct apt_archive got = archive(good[i].line, false);

		assert_true(got.sure > 0);
		assert_string_equal(got.uri, good[i].uri);
		assert_string_equal(got.signed_by, good[i].signed_by);
	}
}

static void what_is_not_debians_main_archive_is_passed_over(void **state)
{
	static const char *const bad[] = {
		"deb http://mirror.example/debian-security bookworm-security main\n",
		"deb http://security.example/debian bookworm main\n",
		"deb http://mirror.example/debian bookworm contrib\n",
		"deb-src http://mirror.example/debian bookworm main\n",
		"deb https://docker.example/linux/debian bookworm stable\n",
		"deb http://postgres.example/pub/repos/apt bookworm-pgdg main\n",
		"deb https://packages.example/debian/12/prod bookworm main\n",
		"deb cdrom:[Debian]/ bookworm main\n",
		"deb [signed-by=/x http://mirror.example/debian\n",
		"deb\n",
		"deb http://mirror.example/debian",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(archive(bad[i], false).sure, 0);
}

static void a_paragraph_is_read(void **state)
{
	static const char text[] = "Types: deb\n"
				   "# a comment\n"
				   "URIs: http://mirror.example/debian-security\n"
				   "Suites: bookworm-security\n"
				   "Components: main\n"
				   "\n"
				   "Enabled: no\n"
				   "Types: deb\n"
				   "URIs: http://off.example/debian\n"
				   "Suites: bookworm\n"
				   "Components: main\n"
				   "\n"
				   "types: deb deb-src\n"
				   "URIs: http://mirror.example/debian\n"
				   "Suites: bookworm-updates\n"
				   "# amid a field\n"
				   " bookworm\n"
				   "Components: contrib\n"
				   " main\n"
				   "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";
	static const char inside[] = "Types: deb\nURIs: http://mirror.example/debian\n"
				     "Suites: sid\nComponents: main\nSigned-By:\n"
				     " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQIN\n";
	struct apt_archive got = archive(text, true);

	(void)state;
	assert_string_equal(got.uri, "http://mirror.example/debian");
	assert_string_equal(got.signed_by, "/usr/share/keyrings/debian-archive-keyring.gpg");
	got = archive(inside, true);
	assert_true(got.sure > 0);
	assert_string_equal(got.signed_by, "");
}

static void the_surest_entry_is_taken(void **state)
{
	struct apt_archive best = { .sure = 0 };

	(void)state;
	apt_sources_read("deb [signed-by=/a.gpg] http://a.example/debian trixie main\n"
			 "deb http://mirror.example/debian trixie main\n"
			 "deb [signed-by=/b.gpg] http://b.example/debian trixie main\n",
			 false, &best);
	assert_string_equal(best.uri, "http://mirror.example/debian");
	apt_sources_read("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
			 "http://c.example/d trixie main\n"
			 "deb http://mirror.example/debian trixie main\n",
			 false, &best);
	assert_string_equal(best.uri, "http://c.example/d");
}

static void releases_go_on_from_the_systems(void **state)
{
	const char *const *from = apt_releases_from("bookworm");

	(void)state;
	assert_string_equal(from[0], "bookworm");
	assert_string_equal(from[1], "trixie");
	assert_string_equal(apt_releases_from("jammy")[0], "sid");
	assert_null(apt_releases_from("jammy")[1]);
}

/* ---- configurations ------------------------------------------------------------------ */

static void options_that_were_not_granted_are_named(void **state)
{
	static const char asked[] = "# words\nCONFIG_A=y\nCONFIG_B=m  \n# CONFIG_C is not set\n"
				    "CONFIG_D=\"text\"\nCONFIG_E=n\nCONFIG_F=y\nCONFIG_F=m\n";
	char names[64];

	(void)state;
	assert_int_equal(kconfig_denied(asked,
					"CONFIG_A=y\nCONFIG_B=m\nCONFIG_D=\"text\"\nCONFIG_F=m\n",
					names, sizeof(names)),
			 0);
	assert_string_equal(names, "");
	assert_int_equal(kconfig_denied(asked,
					"# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=y\n"
					"CONFIG_D=\"other\"\nCONFIG_E=y\nCONFIG_F=y\n",
					names, sizeof(names)),
			 6);
	assert_string_equal(names, "CONFIG_A CONFIG_B CONFIG_C CONFIG_D CONFIG_E CONFIG_F");
	assert_int_equal(kconfig_denied("CONFIG_AB=y\n", "CONFIG_A=y\nCONFIG_ABC=y\n", names, 4),
			 1);
	assert_string_equal(names, "CON");
}

/* ---- releases ------------------------------------------------------------------------- */

static void releases_are_compared_as_numbers(void **state)
{
	static const char *const rising[] = { "6.9", "6.16-rc2", "6.16~bpo", "6.16", "6.16.1",
					      "7.3",  "7.3.4",   "7.3.10" };

	(void)state;
	for (size_t i = 0; i < sizeof(rising) / sizeof(*rising); i++)
		for (size_t k = 0; k < sizeof(rising) / sizeof(*rising); k++) {
			int order = kernel_compare_releases(rising[i], rising[k]);

			if (i == 1 && k == 2)
				continue; /* either is before 6.16; which is first? */
			if (i == 2 && k == 1)
				continue;
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
	assert_true(kernel_at_least("6.16.1", 6, 16) && kernel_at_least("7.0", 6, 16));
	assert_false(kernel_at_least("6.9", 6, 16) || kernel_at_least("x", 0, 0));
}

/* ---- room ------------------------------------------------------------------------------ */

static void a_full_disk_is_told_before_it_is_full(void **state)
{
	struct why why = { "" };

	(void)state;
	assert_int_equal(need_room("/tmp/not/there/yet", 1, &why), 0);
	assert_int_equal(need_room("/tmp/not/there/yet", UINT64_MAX, &why), -ENOSPC);
	assert_non_null(strstr(why.text, "XDG_CACHE_HOME"));
}

/* ---- a program --------------------------------------------------------------------------- */

static int run_shell(struct run *run, const char *script, struct why *why)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	run->argv = argv;
	return run_program(run, why);
}

static void what_it_says_and_how_it_ends_is_told(void **state)
{
	struct run run = { .keep_bytes = 4 };
	struct why why = { "" };

	(void)state;
	assert_int_equal(run_shell(&run, "echo abcdef; echo no >&2", &why), 0);
	assert_string_equal(run.kept, "abcd");
	free(run.kept);
	assert_int_equal(run_shell(&run, "exit 3", &why), -ECHILD);
	assert_non_null(strstr(why.text, "exit status 3"));
	assert_int_equal(run_shell(&run, "kill -9 $$", &why), -ECHILD);
	assert_non_null(strstr(why.text, "signal 9"));
}

static void nobody_of_its_group_is_left(void **state)
{
	struct run run = { .keep_bytes = 64 };
	struct pollfd gone = { .events = POLLIN };
	struct proc_id child;
	struct why why;

	(void)state;
	/* The child holds the pipe, and ignores what would end it politely. */
	assert_int_equal(run_shell(&run, "trap '' TERM; sleep 600 & echo $!", &why), 0);
	if (!proc_identify(&child, (pid_t)strtol(run.kept, NULL, 10), NULL) &&
	    (gone.fd = proc_open(&child, NULL)) >= 0) {
		assert_int_equal(poll(&gone, 1, 5000), 1);
		close(gone.fd);
	}
	free(run.kept);
}

static void it_ends_when_it_is_told_to_or_is_silent_too_long(void **state)
{
	struct run run = { .timeout_ms = 200 };
	struct why why;
	int ends[2];

	(void)state;
	assert_int_equal(run_shell(&run, "sleep 600", &why), -ETIMEDOUT);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	run = (struct run){ .cancel_fd = ends[0] };
	assert_int_equal(run_shell(&run, "sleep 600", &why), -ECANCELED);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_a_list_is_read),
		cmocka_unit_test(what_is_not_debians_main_archive_is_passed_over),
		cmocka_unit_test(a_paragraph_is_read),
		cmocka_unit_test(the_surest_entry_is_taken),
		cmocka_unit_test(releases_go_on_from_the_systems),
		cmocka_unit_test(options_that_were_not_granted_are_named),
		cmocka_unit_test(releases_are_compared_as_numbers),
		cmocka_unit_test(a_full_disk_is_told_before_it_is_full),
		cmocka_unit_test(what_it_says_and_how_it_ends_is_told),
		cmocka_unit_test(nobody_of_its_group_is_left),
		cmocka_unit_test(it_ends_when_it_is_told_to_or_is_silent_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
