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


def test_only_bytes_times_and_plain_modes_cross(home):
    """Whatever is in there: out of it come no devices, no set-user-id programs, no
    links to elsewhere; and all but what is told."""
    lab = home.up(TOPOLOGY)
    lab.exec("n1", "mkdir -p /d/sub && cd /d && cp /bin/true suid && chmod 6755 suid && "
             "mknod null c 1 3 && mkfifo fifo && ln -s /etc/shadow got && "
             "ln -s ../suid sub/fine && ln -s ../../up sub/up && "
             "touch -d '2001-02-03 04:05:06.123456789 UTC' sub/old && "
             "truncate -s 64M sparse")
    done = lab.netlab("cp", "n1:/d", home.folder / "d", want=1)
    check("all but" in done.stderr and "/d/" in done.stderr, done.stderr)
    d = home.folder / "d"
    equal(sorted(p.relative_to(d).as_posix() for p in d.rglob("*")),
          ["sparse", "sub", "sub/fine", "sub/old", "suid"])
    equal((d / "suid").stat().st_mode & 0o7777, 0o755)
    equal((d / "sub/old").stat().st_mtime_ns, 981173106123456789)
    check((d / "sparse").stat().st_blocks < 1000, "holes stay holes")
    # A program of the machine's own that speaks the stream gets no further.
    lab.netlab("cp", d, "n2:/tmp/d")
    equal(lab.exec("n2", "stat -c %a /tmp/d/suid").strip(), "755")


def test_files_of_proc_and_sys_are_what_cat_shows(home):
    lab = home.up(TOPOLOGY)
    for path in ("/proc/version", "/proc/net/tcp", "/sys/class/net/eth0/address"):
        lab.netlab("cp", f"n1:{path}", home.folder / "x")
        equal((home.folder / "x").read_text(), lab.exec("n1", "cat", path), path)
    # What can only be written is said by its name.
    done = lab.netlab("cp", "n1:/proc/sysrq-trigger", home.folder / "y", want=1)
    check("sysrq-trigger" in done.stderr, done.stderr)
    check(not (home.folder / "y").exists(), "nothing is left")


def test_a_folder_that_finds_no_room_is_not_there(home):
    lab = home.up(TOPOLOGY)
    top = home.folder / "tree"
    top.mkdir()
    for n in range(3):
        (top / f"f{n}").write_bytes(os.urandom(1 << 20))
    lab.exec("n1", "mkdir /small && mount -t tmpfs -o size=2M none /small")
    done = lab.netlab("cp", top, "n1:/small/tree", want=1)
    check("No space left" in done.stderr, done.stderr)
    equal(lab.exec("n1", "ls -A /small"), "")


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
