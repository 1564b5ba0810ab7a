#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cp: files and folders into a machine and out of it."""
import os
import sys

import harness
from harness import check, equal

TOPOLOGY = {"name": "cp", "nodes": {"n": {"count": 2}},
            "links": [{"endpoints": ["n1", "n2"]}]}


def test_a_file_there_and_back(home):
    lab = home.up(TOPOLOGY)
    blob = os.urandom(2_500_000)
    source = home.folder / "blob"
    source.write_bytes(blob)
    source.chmod(0o751)
    lab.netlab("cp", source, "n1:/tmp/blob")
    equal(lab.exec("n1", "stat -c '%a %s' /tmp/blob").strip(), f"751 {len(blob)}")
    lab.netlab("cp", "n1:/tmp/blob", home.folder / "back")
    equal((home.folder / "back").read_bytes() == blob, True, "the same bytes")
    equal((home.folder / "back").stat().st_mode & 0o777, 0o751, "mode")
    # Into a folder it keeps its name, as with cp.
    lab.netlab("cp", source, "n1:/var/tmp/")
    equal(lab.exec("n1", "stat -c %s /var/tmp/blob").strip(), str(len(blob)))
    empty = home.folder / "empty"
    empty.write_bytes(b"")
    lab.netlab("cp", empty, "n2:/root/empty")
    equal(lab.exec("n2", "stat -c %s /root/empty").strip(), "0")


def test_a_folder_there_and_back(home):
    lab = home.up(TOPOLOGY)
    top = home.folder / "tree"
    (top / "deep/er").mkdir(parents=True)
    (top / "deep/er/x").write_text("x\n")
    (top / "deep/run").write_text("#!/bin/sh\necho ran\n")
    (top / "deep/run").chmod(0o755)
    (top / "name with space").write_text("y")
    (top / "link").symlink_to("deep/run")
    lab.netlab("cp", top, "n1:/tmp/tree")
    equal(lab.exec("n1", "/tmp/tree/link"), "ran\n")
    lab.netlab("cp", "n1:/tmp/tree", home.folder / "back")
    back = home.folder / "back"
    found = {p.relative_to(back).as_posix() for p in back.rglob("*")}
    equal(found, {p.relative_to(top).as_posix() for p in top.rglob("*")}, "names")
    equal((back / "deep/er/x").read_text(), "x\n")
    equal((back / "deep/run").stat().st_mode & 0o777, 0o755, "mode")
    equal(os.readlink(back / "link"), "deep/run", "link")


def test_what_cannot_be_copied_is_said(home):
    lab = home.up(TOPOLOGY)
    for source, target, word in (("n1:/no/such", home.folder / "x", "/no/such"),
                                 (home.folder / "none", "n1:/tmp/x", "none"),
                                 ("n9:/etc/hosts", home.folder / "x", "n9"),
                                 ("n1:/etc/hosts", "/no/such/folder/x", "/no/such")):
        done = lab.netlab("cp", source, target, want=None)
        check(done.returncode in (1, 2) and word in done.stderr, source, done.returncode,
              done.stderr)
        check(not (home.folder / "x").exists(), "nothing half-done is left")


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
