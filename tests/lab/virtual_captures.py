#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One seed, one capture: every fault model at once, the same file to the byte.

Needs netlab's own kernel (see harness.own_kernel()).
"""
import collections
import json
import os
import re
import shutil
import sys

import harness
import pcapng
from harness import check, equal
from virtual import busy_host, virtual

BLAST = os.environ.get("NETLAB_BLAST", str(harness.ROOT / "build/tests/lab_blast"))

# The list of everything at once: `ctest -R fault_words` asks for each word in it.
EVERY = json.loads((harness.ROOT / "tests/words/every_word.json").read_text())
THERE, BACK = EVERY["a->b"], EVERY["b->a"]
WIRE = {"name": "wire", "endpoints": ["a", "b"], "subnet": "10.9.0.0/24",
        "a->b": THERE, "b->a": BACK}


def blast(lab, node, *flows):
    """Datagrams to the other end: a number of so many bytes, a hundred a second."""
    other = "10.9.0.2" if node == "a" else "10.9.0.1"
    lab.exec(node, " & ".join(f"/lab/blast send {other} 9 {count} {size} 100"
                              for count, size in flows) + " & wait")


def storm(home, more=False, seed=7):
    """Machines, faults and a partition; the folder of the run.  more: as much again
    beside the wire."""
    shutil.copy(BLAST, home.topologies / "blast")
    home.write("times.txt", "\n".join(f"{n % 7}ms" for n in range(40)) + "\n")
    home.write("capacity.txt", "\n".join(str(n) for n in (5, 17, 30)) + "\n")
    nodes, links = {"a": {}, "b": {}}, [WIRE]
    if more:
        nodes |= {"c": {}, "d": {}}
        links.insert(0, {"name": "other", "endpoints": ["c", "d"], "loss": "30%",
                         "delay": "3ms", "jitter": "1ms"})
    lab = virtual(home, {"name": "storm", "nodes": nodes, "links": links},
                  "--capture", "wire", seed=seed)
    # However long it took to boot: here it begins.
    lab.netlab("clock", "step", f"{8_000_000_000 - lab.json('clock')['now_ns']}ns")
    if more:
        lab.netlab("fault", "set", "other", "--replace", "delay=2ms", "duplicate=20%")
        lab.netlab("partition", "random", "--among", "c,d", "--every", "50ms", "--name", "far")
        lab.exec("c", "ping -n -q -c20 -i0.02 -W1 d; exit 0")
    lab.netlab("clock", "step", f"{12_000_000_000 - lab.json('clock')['now_ns']}ns")
    # Damaged questions for addresses would be answered after seconds, if at all.
    for node, other in ("ab", "ba"):
        mac = lab.exec(other, "cat /sys/class/net/eth0/address").strip()
        lab.exec(node, f"ip neigh replace $(getent hosts {other} | cut -d' ' -f1) "
                       f"lladdr {mac} nud permanent dev eth0")
    blast(lab, "a", (150, 900), (150, 60), (10, 1300))
    blast(lab, "b", (80, 1100), (80, 1000), (80, 60))
    # These say that they may be marked; too small for a time that damage could change.
    lab.exec("a", "ping -n -q -c60 -i0.01 -s 8 -Q 2 -W1 b >/dev/null; exit 0")
    lab.netlab("partition", "a|b", "--one-way", "--name", "p1")
    blast(lab, "a", (30, 60))
    lab.netlab("heal", "p1")
    lab.netlab("fault", "set", "a->b", "hold=true")
    blast(lab, "a", (5, 60))
    lab.netlab("fault", "set", "a->b", "hold=false")
    blast(lab, "a", (30, 60))
    lab.down()
    return lab.run_dir


def capture_of(run):
    return run / "captures" / "wire.pcapng"


def test_the_same_seed_gives_the_same_capture_to_the_byte(home):
    first = capture_of(storm(home))
    with busy_host():
        second = capture_of(storm(home))
    check(first != second, "two folders")
    frames = pcapng.Capture(first).frames
    fates = collections.Counter(frame.fate for frame in frames)
    said = collections.Counter(word for frame in frames for word in re.findall(
        r"lost: [a-z]+|cut|held|marked|flipped|repaired|delayed|reordered|duplicate|replay|queue|slot", frame.comment))
    print(len(frames), "records:", dict(fates), dict(said))
    check({"pass", "loss", "cut", "down", "limit", "aqm", "fcs", "mtu"} <= set(fates), fates)
    check(first.read_bytes() == second.read_bytes(), "two runs of one seed differ:", first,
          second)
    other = capture_of(storm(home, seed=8))
    check(other.read_bytes() != first.read_bytes(), "another seed is another capture")


def test_links_and_faults_elsewhere_change_no_verdict(home):
    alone, beside = storm(home), storm(home, more=True)
    entries = [json.loads(line) for line in (beside / "journal.jsonl").read_text().splitlines()]
    check(sum(e["event"] == "partition" for e in entries) > 5, "the far one was drawn anew")
    equal(len(pcapng.Capture(capture_of(beside)).frames), len(pcapng.Capture(
        capture_of(alone)).frames), "records of the wire")
    for one, other in zip(pcapng.Capture(capture_of(alone)).frames,
                          pcapng.Capture(capture_of(beside)).frames):
        equal(other, one, "a record of the wire, with and without others beside it")


def test_the_verdicts_of_every_model_at_once_are_judged_the_same_again(home):
    run = storm(home)
    done = home.netlab("replay-link", run, "wire", "-r", capture_of(run), "--json")
    result = json.loads(done.stdout)
    equal(result["differences"], 0, result)
    check(result["frames"] > 500, result)
    # And shown: what each copy drew, and which rule did.
    number = next(n for n, frame in enumerate(pcapng.Capture(capture_of(run)).frames, 1)
                  if re.search("a->b .*duplicate of.*now-and-then", frame.comment))
    args = ("explain", "wire", number, "-r", capture_of(run), "--run", run)
    draws = json.loads(home.netlab(*args, "--json").stdout)["steps"][0]["draws"]
    for what in ("loss", "corrupt", "jitter"):
        check({0, 1} <= {d.get("copy", 0) for d in draws
                         if d["what"].startswith(what) and "rule" not in d}, what, draws)
    check(any(d.get("rule") == "now-and-then" and d.get("copy") for d in draws), draws)
    out = home.netlab(*args).stdout
    check(re.search(r"draw  jitter +[\d.]+ %  rule now-and-then  copy 1\n", out), out)


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
