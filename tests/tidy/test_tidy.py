#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each rule of tidy.py catches what it is for and lets the rest pass."""
import pathlib
import tempfile
import unittest

import tidy

SPDX = "/* SPDX-License-Identifier: MIT */\n"


def header(name, body=""):
    guard = "NL_" + name.upper().replace(".", "_")
    return f"{SPDX}/* {name} - a thing */\n#ifndef {guard}\n#define {guard}\n{body}#endif\n"


class Case(unittest.TestCase):
    def found(self, rule, files):
        """Violations of one rule in a tree of these files: ["FILE:LINE what"...]"""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return [f"{name}:{number} {what}"
                    for name, number, _, what in tidy.check(folder, [rule])]

    def call(self, code, name="src/lab/x.c"):
        return self.found("banned_call", {name: f"void f(void)\n{{\n{code}\n}}\n"})


class IncludeOrder(Case):
    def includes(self, name, target):
        files = {f"src/{f}/{f}.h": header(f"{f}.h") for f in tidy.FLOOR_OF}
        files[name] = f'{SPDX}#include "{target}"\n'
        return self.found("include_order", files)

    def test_downwards_and_inside_is_fine(self):
        for target in "cli/cli.h", "lab/lab.h", "base/base.h", "switch/switch.h":
            self.assertEqual(self.includes("src/cli/x.c", target), [])

    def test_upwards_is_caught(self):
        self.assertEqual(self.includes("src/base/x.c", "clock/clock.h"),
                         ["src/base/x.c:2 clock stands above base"])
        self.assertEqual(self.includes("src/node/x.h", "lab/lab.h"),
                         ["src/node/x.h:2 lab stands above node"])

    def test_a_neighbour_is_caught(self):
        self.assertEqual(self.includes("src/switch/x.c", "vhost/vhost.h"),
                         ["src/switch/x.c:2 vhost stands beside switch"])

    def test_folders_below_a_floor_count(self):
        self.assertEqual(self.includes("src/base/deep/x.c", "lab/lab.h"),
                         ["src/base/deep/x.c:2 lab stands above base"])

    def test_other_ways_of_writing_are_caught(self):
        for target in "cli.h", "../lab/lab.h", "jansson/jansson.h":
            self.assertEqual(len(self.includes("src/cli/x.c", target)), 1, target)

    def test_what_does_not_exist_is_caught(self):
        self.assertEqual(self.includes("src/cli/x.c", "lab/gone.h"),
                         ['src/cli/x.c:2 "lab/gone.h" does not exist'])

    def test_a_file_outside_the_floors_is_caught(self):
        self.assertEqual(len(self.found("include_order", {"src/x.c": SPDX})), 1)
        self.assertEqual(len(self.found("include_order", {"src/attic/x.c": SPDX})), 1)


class OneName(Case):
    def test_two_files_of_one_name_are_caught(self):
        self.assertEqual(self.found("one_name", {"src/base/x.c": SPDX, "src/lab/x.h": SPDX}),
                         ["src/lab/x.h:1 src/base/x has this name, too"])

    def test_two_structs_of_one_name_are_caught_in_headers(self):
        port = SPDX + "struct port {\n};\n"
        self.assertEqual(self.found("one_name", {"src/base/x.h": port, "src/lab/y.h": port,
                                                 "src/lab/z.c": port}),
                         ["src/lab/y.h:2 struct port is defined in src/base/x.h, too"])

    def test_a_room_with_too_many_files_is_caught(self):
        files = {f"src/{room}/{room}{n}.c": SPDX for n in range(31) for room in ("lab", "cli")}
        self.assertEqual(self.found("room_size", files),
                         ["src/lab:1 31 pairs of files; at most 30"])


class LinkOrder(Case):
    def test_only_lower_floors_are_linked(self):
        self.assertEqual(self.found("link_order", {"src/lab/CMakeLists.txt":
                         "target_link_libraries(nl_lab PUBLIC nl_node nl_switch)\n"}), [])
        self.assertEqual(self.found("link_order", {"src/switch/CMakeLists.txt":
                         "target_link_libraries(nl_switch PUBLIC nl_base nl_lab)\n"}),
                         ["src/switch/CMakeLists.txt:1 nl_lab does not stand below "
                          "nl_switch"])


class BannedCalls(Case):
    def test_each_is_caught(self):
        for name in tidy.BANNED_CALLS:
            self.assertEqual(len(self.call(f"\tx = {name}(1);")), 1, name)
            self.assertEqual(len(self.call(f"\treturn {name} (1);")), 1, name)

    def test_comments_strings_members_and_longer_names_are_not(self):
        for code in ("/* sleep(1) */", "// sleep(1)", 'puts("sleep(1)");',
                     "my_sleep(1);", "sleep_ms(1);", "ops->sleep(1);", "ops.sleep(1);",
                     "int time(void);", "signal(SIGPIPE, SIG_IGN);", "char quote = '\"'; /* rand() */"):
            self.assertEqual(self.call(code), [], code)

    def test_a_comment_of_two_lines_keeps_the_line_numbers(self):
        self.assertEqual(self.call("/* a\n b */\n\tsleep(1);"),
                         ["src/lab/x.c:5 sleep(): wait for the event itself"])

    def test_the_clock_may_read_the_clock(self):
        self.assertEqual(self.call("clock_gettime(0, &ts);", "src/clock/clock.c"), [])
        self.assertEqual(len(self.call("clock_gettime(0, &ts);", "src/cli/x.c")), 1)


class Shape(Case):
    def test_line_length_counts_a_tab_as_eight(self):
        ok, long = "\t" + "a" * 92 + "\n", "\t" + "a" * 93 + "\n"
        self.assertEqual(self.found("line_length", {"src/a.c": ok}), [])
        self.assertEqual(self.found("line_length", {"src/a.c": long}),
                         ["src/a.c:1 101 columns; at most 100"])

    def test_white_space(self):
        for text in "a \n", "\t\n", "        a\n", "a":
            self.assertEqual(len(self.found("white_space", {"src/a.c": text})), 1, text)
        self.assertEqual(self.found("white_space", {"src/a.c": "\ta\n\n * b\n"}), [])

    def test_function_length(self):
        def body(n):
            return "int f(void)\n{\n" + "\tx();\n" * n + "}\n"
        self.assertEqual(self.found("function_length", {"src/a.c": body(80)}), [])
        self.assertEqual(self.found("function_length", {"src/a.c": body(81)}),
                         ["src/a.c:2 function of 81 lines; at most 80"])

    def test_file_length(self):
        self.assertEqual(self.found("file_length", {"src/a.c": "\n" * 600}), [])
        self.assertEqual(len(self.found("file_length", {"src/a.c": "\n" * 601})), 1)
        self.assertEqual(len(self.found("file_length", {"tests/a.c": "\n" * 801})), 1)

    def test_headers_say_what_they_are(self):
        self.assertEqual(self.found("header_comment", {"src/a.h": header("a.h")}), [])
        self.assertEqual(self.found("header_comment", {"src/a.c": SPDX}), [])
        for text in ("", header("b.h"), SPDX + "#ifndef A\n#define A\n#endif\n",
                     SPDX + "/* a.h - a thing */\n"):
            self.assertNotEqual(self.found("header_comment", {"src/a.h": text}), [], text)
        self.assertNotEqual(self.found("header_comment", {"src/a.c": "int a;\n"}), [])


class InCmake(Case):
    def test_a_file_in_no_list_is_caught(self):
        files = {"src/base/a.c": "", "src/base/b.c": "", "src/base/ab.c": "",
                 "src/base/CMakeLists.txt": "add_library(x ab.c b.c) # a.c\n"}
        self.assertEqual(self.found("in_cmake", files),
                         ["src/base/a.c:1 is in no CMake list, so nothing builds it"])

    def test_tests_are_listed_in_their_area(self):
        files = {"tests/unit/a.c": "", "tests/fuzz/b.c": "", "tests/c.c": "",
                 "tests/area.cmake": "unit_test(a SOURCES unit/a.c\n"
                 " ${CMAKE_SOURCE_DIR}/tests/fuzz/b.c ${CMAKE_CURRENT_SOURCE_DIR}/c.c)\n"}
        self.assertEqual(self.found("in_cmake", files), [])


class Scripts(Case):
    def test_a_script_that_does_not_parse_is_caught(self):
        self.assertEqual(self.found("script_syntax", {"scripts/a": "#!/bin/sh\ntrue\n"}),
                         [])
        for first in "#!/bin/sh", "#!/usr/bin/env bash":
            self.assertEqual(
                len(self.found("script_syntax", {"scripts/a": f"{first}\nif true\n"})), 1)


    def test_a_script_that_cannot_be_called_is_caught(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text, mode in (("a.py", "#!/usr/bin/env python3\n", 0o644),
                                     ("b.py", "#!/usr/bin/env python3\n", 0o755),
                                     ("c.py", "pass\n", 0o644), ("d.py", "pass\n", 0o755)):
                path = pathlib.Path(folder, "tests", name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
                path.chmod(mode)
            self.assertEqual([found[0] for found in tidy.check(folder, ["run_bit"])],
                             ["tests/a.py", "tests/d.py"])


class Whole(Case):
    def test_every_rule_has_a_name_and_runs(self):
        self.assertGreaterEqual(len(tidy.RULES), 10)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(tidy.check(folder), [])


if __name__ == "__main__":
    unittest.main()
