#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a capture says of each frame, read with the real tshark."""
import os
import re
import signal
import subprocess
import sys

import harness
import pcapng
from harness import check, equal


def tshark(path, wanted, *fields):
    """Rows of the frames that a display filter shows."""
    done = subprocess.run(
        ["tshark", "-r", str(path), "-Y", wanted, "-T", "fields",
         *(word for f in fields for word in ("-e", f))],
        capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, "tshark", wanted, done.stderr)
    return [line.split("\t") for line in done.stdout.splitlines()]


def wired(home, *args, **fault):
    return home.up({
        "name": "wire", "seed": 7, "nodes": {"a": {}, "b": {}},
        "links": [{"name": "wire", "endpoints": ["a:eth0", "b:eth0"], **fault}]}, *args)


def test_tshark_reads_the_verdict_of_each_lost_frame(home):
    lab = wired(home)
    lab.exec("a", "ping", "-c1", "b")
    path = home.folder / "wire.pcapng"
    with lab.capture("wire", path):
        lab.netlab("fault", "set", "a->b", "loss=30%")
        lab.exec("a", "ping -c40 -i0.01 -W1 b", want=None)
        lab.netlab("fault", "clear", "--all")
        lab.netlab("partition", "a|b", "--one-way", "--name", "p2")
        lab.exec("b", "ping -c5 -i0.01 -W1 a", want=1)
        lab.netlab("heal")
    lost = tshark(path, 'frame.comment contains "lost"', "frame.comment",
                  "frame.packet_flags_direction", "frame.verdict.hw", "frame.interface_name")
    counters = next(d["counters"] for d in lab.json("fault", "ls")
                    if d["name"].endswith("a->b"))["dropped"]
    equal(len(lost), counters["loss"], "lost frames in tshark")
    check(len(lost) >= 4, len(lost), "lost of 40")
    for comment, direction, verdict, interface in lost:
        check(re.fullmatch(r"wire a->b #\d+: lost: random", comment), comment)
        equal((int(direction, 0), verdict, interface), (2, "03", "a:eth0"))
    cut = tshark(path, 'frame.comment contains "partition p2"', "frame.comment",
                 "frame.verdict.hw")
    equal(len(cut), counters["cut"], "cut frames in tshark")
    check(cut and all(re.fullmatch(r"wire a->b #\d+: cut: partition p2", c) and v == "01"
                      for c, v in cut), cut[:3])
    dropped = tshark(path, "frame.verdict.hw != 00", "frame.number")
    equal(len(dropped), sum(counters.values()), "dropped frames in tshark")


def test_delays_are_told_where_a_frame_enters_and_where_it_leaves(home):
    lab = wired(home, delay="20ms")
    path = home.folder / "wire.pcapng"
    with lab.capture("wire", path):
        lab.exec("a", "ping -c5 -i0.01 b")
    frames = pcapng.Capture(path).frames
    by_id = {}
    for f in frames:
        by_id.setdefault(f.id, []).append(f)
    echoes = [pair for pair in by_id.values() if len(pair[0].bytes) == 98]
    equal(len(echoes), 10)
    for entered, left in echoes:
        check(entered.sent and not left.sent and entered.port != left.port, entered, left)
        equal(entered.comment, left.comment)
        check(re.fullmatch(r"wire [ab]->[ab] #\d+: delayed 20ms", entered.comment),
              entered.comment)
        check(left.ns - entered.ns >= 20_000_000, "took", left.ns - entered.ns)


def test_a_plain_capture_has_what_arrived_once_and_nothing_else(home):
    lab = wired(home)
    lab.exec("a", "ping", "-c1", "b")
    lab.netlab("fault", "set", "a->b", "loss=50%", "delay=1ms")
    full, plain = home.folder / "full.pcapng", home.folder / "plain.pcapng"
    with lab.capture("wire", full), lab.capture("wire", plain, "--delivered"):
        lab.exec("a", "ping -c30 -i0.01 -W1 b", want=None)
    arrived = [f for f in pcapng.Capture(full).frames if not f.sent]
    got = pcapng.Capture(plain).frames
    equal([(f.ns, f.port, f.bytes) for f in got], [(f.ns, f.port, f.bytes) for f in arrived])
    equal({(f.sent, f.comment, f.fate, f.id) for f in got}, {(False, "", None, None)})


def test_up_records_from_the_first_frame(home):
    lab = wired(home, "--capture", "wire")
    lab.exec("a", "ping", "-c2", "b")
    path = lab.run_dir / "captures" / "wire.pcapng"
    lab.down()
    frames = [f for f in pcapng.Capture(path).frames if f.sent]
    numbers = {}
    for f in frames:
        numbers.setdefault(f.id >> 40, []).append(f.id & (1 << 40) - 1)
    equal(numbers, {p: list(range(len(n))) for p, n in numbers.items()}, "no number is missing")
    check(len(frames) >= 6, len(frames), "frames")
    events = {e["event"]: e for e in lab.journal()}
    equal(events["capture"]["file"], "captures/wire.pcapng")
    check(events["capture-end"]["frames"] >= len(frames), events["capture-end"])
    done = home.netlab("up", home.topologies / "wire.json", "--capture", "nosuch", want=1)
    check("nosuch" in done.stderr, done.stderr)


def test_a_slow_reader_gets_the_capture_to_its_end(home):
    lab = wired(home)
    path = home.folder / "slow.pcapng"
    flood = home.start("-l", lab.name, "exec", "a", "--", "ping", "-q", "-f", "-c", "20000", "b",
                      stdout=subprocess.DEVNULL)
    lab.exec("b", "ping -c1 a")
    script = (f"{harness.NETLAB} -l {lab.name} capture wire -w - --for 1s | "
              f"(sleep 3; cat >{path})")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", script], env=home.env,
                          capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, done.stderr)
    flood.kill()
    flood.wait()
    check(len(pcapng.Capture(path).frames) > 100, "frames of a flood")


def test_a_capture_takes_no_file_that_is_another_s(home):
    lab = wired(home)
    path = home.folder / "x.pcapng"
    with lab.capture("wire", path):
        lab.exec("a", "ping -c3 -i0.01 b")
        done = lab.netlab("capture", "wire", "-w", path, "--for", "1s", "--overwrite", want=1)
        check("another capture is being written there" in done.stderr, done.stderr)
    before = path.read_bytes()
    done = lab.netlab("capture", "wire", "-w", path, "--for", "1s", want=1)
    check("is there already; --overwrite replaces it" in done.stderr, done.stderr)
    equal(path.read_bytes(), before)
    lab.netlab("capture", "wire", "-w", path, "--for", "100ms", "--overwrite")
    check(path.read_bytes() != before, "it was replaced")


def test_a_pipe_without_a_reader_is_waited_for_and_can_be_left(home):
    lab = wired(home)
    pipe = home.folder / "pipe"
    os.mkfifo(pipe)
    waits = home.start("-l", lab.name, "capture", "wire", "-w", pipe, text=True)
    check("nobody reads yet" in waits.stderr.readline(), "it says that it waits")
    waits.send_signal(signal.SIGINT)
    waits.wait(timeout=20)
    done = home.start("-l", lab.name, "capture", "wire", "-w", pipe, "--for", "1s",
                      text=True)
    check("nobody reads yet" in done.stderr.readline(), "it says that it waits")
    got = pipe.read_bytes()
    equal(done.wait(timeout=20), 0)
    path = home.folder / "got.pcapng"
    path.write_bytes(got)
    pcapng.Capture(path)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
