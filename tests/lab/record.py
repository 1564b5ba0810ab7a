#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is kept of a run: a machine cannot fill the disk."""
import json
import os
import re
import sys

import harness
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


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
