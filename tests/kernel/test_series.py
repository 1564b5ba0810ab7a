#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guest/ is in order as far as one can see without a kernel's source."""
import pathlib
import tempfile
import unittest

import patches

MANUAL = (patches.ROOT / "docs" / "kernel.md").read_text()
FRAGMENT = (patches.GUEST / "kernel.config").read_text()


class Series(unittest.TestCase):
    def test_each_patch_is_numbered_licensed_and_says_what_and_why(self):
        self.assertTrue(patches.paths())
        self.assertEqual(patches.complaints(), [])

    def test_each_parameter_is_in_the_manual(self):
        for path in patches.paths():
            for parameter in patches.read(path).parameters:
                self.assertIn(f"`{parameter}", MANUAL, path.name)

    def test_each_patch_is_in_the_manual(self):
        for path in patches.paths():
            self.assertIn(path.name[:4], MANUAL, path.name)


class Fragment(unittest.TestCase):
    def test_each_option_is_there_once_and_well_formed(self):
        found, said = patches.options(FRAGMENT)
        self.assertEqual(said, [])
        self.assertGreater(len(found), 100)

    def test_each_group_says_what_it_is_for(self):
        self.assertEqual(patches.groups_without_reason(FRAGMENT), [])


class Lint(unittest.TestCase):
    """What is broken on purpose is found."""

    def broken(self, change):
        first = patches.paths()[0]
        with tempfile.TemporaryDirectory() as folder:
            series = pathlib.Path(folder, "patches")
            series.mkdir()
            series.joinpath(first.name).write_text(change(first.read_text()))
            return patches.complaints(pathlib.Path(folder))

    def assert_found(self, change, what):
        said = self.broken(change)
        self.assertTrue(any(what in line for line in said), said)

    def test_the_patch_itself_passes(self):
        self.assertEqual(self.broken(lambda text: text), [])

    def test_a_hunk_of_another_length_is_found(self):
        line = "+#include <init.h>\n"
        self.assert_found(lambda text: text.replace(line, "", 1), "in a hunk")
        self.assert_found(lambda text: text.replace(line, line + line, 1), "longer than")

    def test_a_cut_patch_is_found(self):
        self.assert_found(lambda text: "\n".join(text.split("\n")[:-12]), "cut short")

    def test_another_licence_is_found(self):
        self.assert_found(lambda text: text.replace("+// SPDX-License-Identifier: GPL-2.0-only",
                                                    "+// SPDX-License-Identifier: MIT"),
                          "SPDX")

    def test_a_patch_without_a_reason_is_found(self):
        def shorten(text):
            head, _, rest = text.partition("\n\n")
            return f"{head}\n\nBecause.\n---\n{rest.partition(chr(10) + '---' + chr(10))[2]}"
        self.assert_found(shorten, "what and why")

    def test_white_space_at_a_line_s_end_is_found(self):
        self.assert_found(lambda text: text.replace("+#include <init.h>\n",
                                                    "+#include <init.h> \n"), "white space")

    def test_an_option_given_twice_is_found(self):
        _, said = patches.options("CONFIG_A=y\n# CONFIG_A is not set\nCONFIG_B\n")
        self.assertEqual(said, ["line 2: CONFIG_A again", "line 3: 'CONFIG_B' is no option"])

    def test_a_group_without_a_reason_is_found(self):
        self.assertEqual(patches.groups_without_reason("# a\nCONFIG_A=y\n\nCONFIG_B=y\n"),
                         ["CONFIG_B=y"])


if __name__ == "__main__":
    unittest.main()
