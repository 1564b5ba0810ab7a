#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The journal, events --follow, and captures that other programs can read."""
import json
import os
import subprocess
import sys

import harness
import pcapng
from harness import check, equal, wait_for

TOPOLOGY = {"name": "events", "nodes": {"n": {"count": 2}},
            "links": [{"name": "wire", "endpoints": ["n1", "n2"]}]}


def test_follow_shows_what_happens(home):
    lab = home.up(TOPOLOGY)
    process = home.start("-l", lab.name, "events", "--follow", "--json", text=True)
    lab.netlab("fault", "set", "n1->n2", "loss=10%")
    lab.netlab("partition", "n1|n2")
    lab.netlab("heal")
    seen = []
    while not seen or seen[-1]["event"] != "heal":
        line = process.stdout.readline()
        check(line, "events ended after", [e["event"] for e in seen])
        seen.append(json.loads(line))
    names = [e["event"] for e in seen]
    check([n for n in names if n in ("fault", "partition", "heal")] ==
          ["fault", "partition", "heal"], names)
    numbers = [e["n"] for e in seen]
    equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "without gaps")
    check(all(a["t"] <= b["t"] for a, b in zip(seen, seen[1:])), "lab time runs forwards")
    # The end of the lab is the end of the events.
    lab.down()
    process.communicate(timeout=20)
    # The file has it all.
    kept = [json.loads(line) for line in
            harness.read(lab.run_dir / "journal.jsonl").splitlines()]
    equal([e for e in kept if e["n"] in numbers], seen, "journal.jsonl")


def test_the_run_directory_has_what_the_run_was(home):
    lab = home.up(TOPOLOGY, "--seed", "4711")
    for node in "n1", "n2":
        log = lab.run_dir / f"consoles/{node}.log"
        wait_for(lambda: f"{node} is up" in harness.read(log), f"the console of {node}")
    lab.down()
    plan = json.loads(harness.read(lab.run_dir / "plan.json"))
    check(plan, "plan.json")
    equal(harness.read(lab.run_dir / "seed"), "4711\n", "seed")
    check(os.path.samefile(lab.run_dir, home.out / f"{lab.name}-latest"), "latest")


def test_captures_can_be_read_by_others(home):
    lab = home.up(TOPOLOGY)
    path = home.folder / "c.pcapng"
    with lab.capture("wire", path, "-f", "icmp"):
        lab.exec("n1", "ping", "-c3", "-i0.2", "n2")
    capture = pcapng.Capture(path)
    equal(set(capture.ports), {"n1:eth0", "n2:eth0"}, "interfaces")
    equal(len(capture.frames), 12, "3 requests and 3 answers, each in and out")
    check(all(a.ns <= b.ns for a, b in zip(capture.frames, capture.frames[1:])), "in order")
    for command in (["tcpdump", "-n", "-r", path], ["tshark", "-n", "-r", path]):
        done = subprocess.run(command, capture_output=True, text=True,
                              env={**home.env, "PATH": home.env["PATH"]})
        equal(done.returncode, 0, command[0], done.stderr)
        equal(len(done.stdout.splitlines()), 12, command[0], done.stdout)
    # Through a pipe, as to wireshark.
    process = home.start("-l", lab.name, "capture", "n1:eth0", "-w", "-")
    check(process.stdout.read(4) == b"\x0a\x0d\x0d\x0a", "a section begins at once")
    process.stdout.close()
    lab.exec("n1", "ping", "-c2", "-i0.2", "n2")
    process.wait(20)


def test_a_bad_filter_is_refused(home):
    lab = home.up(TOPOLOGY)
    done = lab.netlab("capture", "wire", "-w", home.folder / "x", "-f", "tcp prot 80",
                      want=None)
    check(done.returncode in (1, 2) and "prot" in done.stderr or "syntax" in done.stderr,
          done.stderr)
    done = lab.netlab("capture", "wier", "-w", home.folder / "x", want=None)
    check(done.returncode in (1, 2) and "wier" in done.stderr and "link" in done.stderr,
          done.stderr)
    check(not (home.folder / "x").exists(), "no file is left of a capture that never was")


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
