#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is kept of a run: a machine cannot fill the disk, and what a disk does not take is told
everywhere and called incomplete.
"""
import json
import os
import re
import resource
import shutil
import sys

import harness
import pcapng
from harness import check, equal, wait_for

PAIR = {"name": "pair", "seed": 7, "defaults": {"memory": "64M"},
        "nodes": {"a": {"run": [{"name": "s", "cmd": "sleep 100000"}]}, "b": {}},
        "links": [{"name": "w", "endpoints": ["a", "b"], "delay": "1ms"}]}

# Root in a machine takes the agent's connection and speaks in its place.
FLOOD = r"""
import ctypes, os, select, struct
pidfd = os.pidfd_open(1)
port = [f for f in os.listdir('/proc/1/fd') if 'vport' in os.readlink('/proc/1/fd/' + f)][0]
fd = ctypes.CDLL(None).syscall(438, pidfd, int(port), 0)
assert fd >= 0, 'pidfd_getfd'
body = b'{"name":"s","state":"ready"}'
some = (struct.pack('<IHHI', len(body), 6, 0, 0) + body) * 700
left = MEGABYTES << 20
while left > 0:
    try:
        assert os.write(fd, some) == len(some)
        left -= len(some)
    except BlockingIOError:
        select.select([], [fd], [])
"""


def size_of(lab, name):
    return os.path.getsize(lab.run_dir / name)


def flood(home, lab, megabytes):
    (home.topologies / "flood.py").write_text(FLOOD.replace("MEGABYTES", str(megabytes)))
    lab.exec("a", "python3 /lab/flood.py", timeout=120)


def test_root_in_a_machine_cannot_fill_the_journal(home):
    lab = home.up(PAIR)
    check("says more" not in lab.netlab("ps").stderr, "nothing is left out yet")
    flood(home, lab, 8)
    check(size_of(lab, "journal.jsonl") < 1 << 20, size_of(lab, "journal.jsonl"))
    said = [e for e in lab.journal() if e["event"] == "left-out"]
    equal([(e["node"], e["file"]) for e in said], [("a", "journal.jsonl")], said)
    nodes = {n["name"]: n for n in lab.json("ps")[0]["nodes"]}
    check(nodes["a"]["left_out"]["messages"] > 150_000, nodes["a"])
    check("left_out" not in nodes["b"], nodes["b"])
    check(re.search(r"a says more than is kept: \d{6} messages", lab.netlab("ps").stderr),
          lab.netlab("ps").stderr)
    # Everything else goes on, and is told.
    equal(lab.exec("b", "echo alive"), "alive\n")
    equal([e["node"] for e in lab.journal() if e["event"] == "exec"], ["a", "b"])
    lab.exec("a", "poweroff -f", want=None)
    wait_for(lambda: "node-gone" in [e["event"] for e in lab.journal()], "its end")
    gone = [e for e in lab.journal() if e["event"] == "node-gone"][0]
    equal(gone["left_out"], nodes["a"]["left_out"]["messages"], gone)
    lab.down()


def test_a_log_takes_no_more_than_it_may(home):
    document = {**PAIR, "nodes": {"a": {"run": [{"name": "s", "cmd": "yes; sleep 100000"}]}}}
    del document["links"]
    lab = home.up(document)
    wait_for(lambda: "left-out" in [e["event"] for e in lab.journal()], "it to be full",
             timeout=120, every=0.3)
    text = harness.read(lab.run_dir / "logs/a.s.log")
    check(len(text) <= (64 << 20) + 100 and
          text.endswith("[netlab: this log is full; the rest is not kept]\n"), len(text))
    wait_for(lambda: lab.json("ps")[0]["nodes"][0]["left_out"]["log_bytes"], "more of it")
    lab.down()


# ---- a disk that takes no more ------------------------------------------------


def told(home, lab, why):
    """By the next command, by ps, and by down."""
    said = lab.netlab("exec", "a", "--", "true").stderr
    check(re.search("the record of this run is incomplete: " + why, said), said)
    done = lab.netlab("ps")
    check(re.search("record of pair's run is incomplete: " + why, done.stderr), done.stderr)
    check(re.search(why, lab.json("ps")[0]["record_lost"]), lab.json("ps"))
    done = home.netlab("down", "pair", want=1)
    check(re.search("the record of its run is incomplete: " + why, done.stderr), done.stderr)
    check("pair is down" in done.stdout, done.stdout)


def all_is_whole(run):
    """Each file ends with a whole record."""
    text = harness.read(run / "journal.jsonl")
    check(text.endswith("\n"), "the journal ends with", text[-80:])
    numbers = [json.loads(line)["n"] for line in text.splitlines()]
    equal(numbers, list(range(len(numbers))), "entries")
    if (run / "frames.bin").exists():
        equal((os.path.getsize(run / "frames.bin") - 16) % 24, 0, "bytes of a frame too many")
    for path in (run / "captures").glob("*"):
        check(pcapng.Capture(path).frames, path)


def test_a_run_directory_that_was_removed(home):
    lab = home.up(PAIR)
    shutil.rmtree(lab.run_dir)
    told(home, lab, "the run directory was removed")


def test_files_that_may_not_grow(home):
    """As a full disk takes the first part of a line: `ulimit -f`."""
    lab = home.up(PAIR)
    resource.prlimit(lab.state()["pid"], resource.RLIMIT_FSIZE,
                     (size_of(lab, "journal.jsonl") + 300, resource.RLIM_INFINITY))
    run = lab.run_dir
    for _ in range(3):
        lab.exec("a", "true")
    told(home, lab, "journal.jsonl: File too large")
    all_is_whole(run)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
