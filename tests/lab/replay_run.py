#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A run in virtual time once more: the same again, or the first difference.

Needs netlab's own kernel (see harness.own_kernel()).
"""
import json
import os
import re
import shutil
import signal
import sys

import harness
from harness import check, equal
from shell import Terminal

SEEDS = 10

PAIR = {
    "name": "pair", "seed": 7, "clock": "virtual", "defaults": {"memory": "48M"},
    "nodes": {"a": {}, "b": {}, "c": {}},
    "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["a", "b", "c"],
                         "delay": "1ms"}},
}
SAYS = {
    "name": "says", "seed": 7, "clock": "virtual", "defaults": {"memory": "48M"},
    "nodes": {"a": {"run": [{"name": "say", "cmd":
                    "sleep 1; . /lab/words; ping -n -q -c3 -p $WORD b; "
                    "echo said $WORD; sleep 1000"}]},
              "b": {}},
    "links": [{"endpoints": ["a", "b"], "delay": "2ms"}],
}


def up(home, topology, *args, **options):
    return home.up(topology, "--kernel", harness.own_kernel(), *args, **options)


def replay(home, lab, *args, want=0):
    """What `netlab replay` says of that lab's run, as JSON."""
    return json.loads(home.netlab("replay", lab.run_dir, "--json", *args, want=want,
                                  timeout=120).stdout)


def kept_digest(lab):
    return json.loads(harness.read(lab.run_dir / "digest.json"))["all"]


def is_the_same(home, lab):
    """A replay of a lab that is down is the same; what it said."""
    said = replay(home, lab)
    equal(said["state"], "same", said)
    equal(said["digest"], kept_digest(lab), "the digest of the replay")
    return said


def inputs(lab, verb):
    return [e for e in lab.journal() if e["event"] == "input" and e["do"] == verb]


# ---- tests -------------------------------------------------------------------


def test_a_day_of_work_is_the_same_again(home):
    """Commands with input, copies, faults, partitions, steps."""
    lab = up(home, PAIR)
    lab.netlab("exec", "a", "--", "sh", "-c", "cat >/tmp/x; ping -c3 -i 0.2 b",
               input="by hand\n")
    data = os.urandom(700_000) # more than all windows
    (home.folder / "data").write_bytes(data)
    lab.netlab("cp", home.folder / "data", "b:/tmp/data")
    lab.netlab("fault", "set", "lan.a", "loss=30%", "delay=3ms", "jitter=1ms")
    lab.exec("a", "ping -n -q -i 0.05 -c40 -W1 b; exit 0")
    lab.netlab("partition", "a|b,c", "--for", "700ms")
    lab.exec("a", "ping -n -q -c3 -i 0.5 -W1 c; exit 0")
    lab.netlab("clock", "step", "2s")
    lab.netlab("fault", "clear", "--all")
    lab.exec("a", "no-such-program", want=127)
    check("by hand" in lab.exec("a", "cat /tmp/x"), "what was typed in")
    sizes = lab.exec("b", "stat -c %s /tmp/data")
    equal(sizes.strip(), "700000", "what was copied")
    lab.down()
    said = is_the_same(home, lab)
    check(said["frames"] > 100, said)
    # The replay is a run like any other: it can be replayed, too.
    again = json.loads(home.netlab("replay", said["run_dir"], "--as", "third",
                                   "--json").stdout)
    equal((again["state"], again["digest"], again["lab"]),
          ("same", said["digest"], "third"), again)


def test_wrong_clocks_and_what_work_costs_are_the_same_again(home):
    topology = {**PAIR, "nodes": {"a": {"clock": {"drift": "200ppm"}}, "b": {}, "c": {}}}
    lab = up(home, topology, "--cost", "syscall=300ns,switch=2us")
    lab.exec("a", "ping -n -q -c2 b; date +%s.%N")
    lab.netlab("clock", "set", "b", "step=-5s")
    lab.netlab("clock", "freeze", "c")
    lab.netlab("clock", "step", "1s")
    lab.exec("b", "date +%s.%N; ping -n -q -c1 -W1 c; exit 0")
    lab.netlab("clock", "thaw", "c")
    lab.exec("c", "ping -n -q -c2 a; date +%s.%N")
    lab.down()
    equal(len(inputs(lab, "node-clock")), 3, "changes of clocks")
    is_the_same(home, lab)
    origin = json.loads(harness.read(lab.run_dir / "origin.json"))
    equal(origin["cost"], "syscall=300ns,switch=2us", "the price that is kept")


def test_keys_signals_sizes_and_ends_are_the_same_again(home):
    lab = up(home, PAIR)
    terminal = Terminal(home, "-l", lab.name, "shell", "a")
    terminal.see(r"[#$] ")
    terminal.type("ping -n b\r")
    terminal.see("icmp_seq=2")
    terminal.resize(40, 120, terminal.process)
    terminal.type("\x03")
    terminal.see(r"[#$] ")
    terminal.type("stty size; sleep 1000\r")
    terminal.see("40 120")
    terminal.process.kill() # its client's end is an input, too
    terminal.process.wait()
    ping = home.start("-l", lab.name, "exec", "b", "--", "ping", "-n", "c")
    check(b"PING" in ping.stdout.readline(), "ping has begun")
    ping.send_signal(signal.SIGINT)
    ping.communicate(timeout=60)
    harness.wait_for(lambda: inputs(lab, "close"), "the end of the shell")
    lab.down()
    for verb in ("stdin", "resize", "signal", "close"):
        check(inputs(lab, verb), "no input", verb)
    is_the_same(home, lab)


def test_at_whatever_pace_time_passed_it_is_the_same_again(home):
    lab = up(home, PAIR, "--pace", "20")
    lab.exec("a", "ping -n -q -c5 -i 0.2 b")
    lab.netlab("clock", "pause")
    lab.netlab("clock", "step", "300ms")
    lab.netlab("clock", "resume")
    lab.netlab("fault", "set", "lan.a", "loss=50%")
    lab.exec("a", "ping -n -q -c5 -i 0.2 -W1 c; exit 0")
    lab.netlab("clock", "pause")
    lab.down()
    said = replay(home, lab)
    equal(said["state"], "same", said)


def test_an_end_in_good_order_is_the_same_again(home):
    lab = up(home, PAIR)
    lab.exec("a", "ping -n -q -c2 b")
    home.netlab("down", "--graceful", lab.name)
    said = is_the_same(home, lab)
    equal(inputs(lab, "down")[0]["graceful"], True, "how it went")
    check(said["entries"] > 30, said)


def test_an_end_by_force_in_the_middle_of_a_command_is_the_same_again(home):
    lab = up(home, PAIR)
    ping = home.start("-l", lab.name, "exec", "a", "--", "ping", "-n", "-i", "0.01", "b")
    check(b"PING" in ping.stdout.readline(), "ping has begun")
    home.netlab("down", lab.name)
    ping.communicate(timeout=60)
    said = replay(home, lab)
    equal(said["state"], "same", said)


def test_until_stops_at_the_nanosecond_and_exec_works_there(home):
    lab = up(home, PAIR)
    lab.exec("a", "echo before >/tmp/when; ping -n -q -c5 -i 0.3 b; "
                  "echo after >/tmp/when")
    lab.down()
    begin = inputs(lab, "exec")[0]["t"]
    until = begin + 1_000_000_007
    said = replay(home, lab, "--until", f"{until}", "--as", "then")
    equal((said["state"], said["now_ns"]), ("halted", until), said)
    then = harness.Lab(home, "then", 0, "")
    equal(then.json("clock")["now_ns"], until, "its clock")
    # The recorded ping is still under way, and does not make time pass.
    check("ping" in then.exec("a", "cat /proc/[0-9]*/comm 2>/dev/null; exit 0"),
          "the ping")
    equal(then.exec("a", "cat /tmp/when").strip(), "before", "its past")
    now = then.json("clock")["now_ns"]
    check(until < now < until + 100_000_000, "commands take as long as ever", now)
    equal(then.json("clock", "step", "1s")["now_ns"], now + 1_000_000_000, "a step")
    equal(then.exec("a", "cat /tmp/when").strip(), "after", "its future")
    then.down()
    # What was done there by hand can be done again, too.
    is_the_same(home, then)
    # The same moment as people write it; and one that never was.
    said = home.netlab("replay", lab.run_dir, "--until",
                       f"{until // 10**9}.{until % 10**9:09}s").stdout
    check(f"stands at {until // 10**9}.{until % 10**9:09}s" in said, said)
    home.netlab("down", "pair-replay")
    late = home.netlab("replay", lab.run_dir, "--until", "1h", want=1).stderr
    check("the run ended at" in late, late)


def test_one_byte_of_one_file_is_caught_and_named(home):
    home.write("words", "WORD=aabbccdd\n")
    lab = up(home, SAYS)
    lab.netlab("clock", "step", "5s")
    lab.down()
    is_the_same(home, lab)
    sent = json.loads(harness.read(lab.run_dir / "digest.json"))["frame_count"]
    home.write("words", "WORD=aabbccde\n")
    refused = home.netlab("replay", lab.run_dir, want=1).stderr
    check("/words was changed" in refused and "--anyway" in refused, refused)
    said = replay(home, lab, "--anyway", want=1)
    first = said["divergence"]
    equal((said["state"], first["kind"]), ("diverged", "frame"), said)
    equal((first["is"]["node"], first["is"]["interface"], first["is"]["way"]),
          ("a", "eth0", "sent"), first)
    check(first["was"]["hash"] != first["is"]["hash"], first)
    equal(first["was"]["at_ns"], first["at_ns"], "when")
    check(0 < said["frames"] < sent, "it is the first echo request", said)
    check(harness.read(said["run_dir"] + "/journal.jsonl"), "its records")
    words = home.netlab("replay", lab.run_dir, "--anyway", want=1).stdout
    check(re.search(r"the first difference is at \d\.\d+s: a frame of a", words), words)
    # The frames of a run that was not recorded can be seen all the same.
    said = replay(home, lab, "--anyway", "--capture", "all", want=1)
    equal(said["divergence"], first, "with somebody who looks on")
    check(os.path.getsize(said["run_dir"] + "/captures/all.pcapng") > 98 * said["frames"],
          "the capture")
    # The topology may change: it is kept.
    home.write("words", "WORD=aabbccdd\n")
    home.write("says.json", "{}")
    is_the_same(home, lab)


def test_a_log_that_differs_is_named_by_its_line(home):
    home.write("words", "WORD=11\n")
    topology = json.loads(json.dumps(SAYS))
    topology["nodes"]["a"]["run"][0]["cmd"] = \
        ". /lab/words; echo one; echo it is $WORD; sleep 1000"
    lab = up(home, topology)
    lab.netlab("clock", "step", "1s")
    lab.down()
    home.write("words", "WORD=12\n")
    first = replay(home, lab, "--anyway", want=1)["divergence"]
    equal((first["kind"], first["node"], first["service"], first["line"],
           first["was"], first["is"]),
          ("log", "a", "say", 2, "it is 11", "it is 12"), first)


def test_a_record_that_lacks_something_is_told_as_such(home):
    """As a disk that became full leaves it: no false difference, and no 'all the same'."""
    lab = up(home, PAIR, "--capture", "lan.a")
    lab.exec("a", "ping -n -q -c2 -i 0.2 b")
    lab.netlab("fault", "set", "lan.a", "loss=30%")
    lab.exec("a", "ping -n -q -c9 -i 0.2 -W1 b; exit 0")
    lab.down()
    is_the_same(home, lab)

    def cut(name, file, size, *gone):
        copy = home.out / name
        shutil.copytree(lab.run_dir, copy)
        os.truncate(copy / file, size)
        for other in gone:
            (copy / other).unlink()
        said = home.netlab("replay", copy, "--as", name, "--json", want=1, timeout=120)
        return copy, json.loads(said.stdout)

    # The journal breaks off in the middle of the fault: what came later is not known.
    text = harness.read(lab.run_dir / "journal.jsonl")
    at = text.index('"loss":"30%"')
    copy, said = cut("cut", "journal.jsonl", at, "digest.json")
    equal((said["state"], said["ok"]), ("incomplete", False), said)
    check("journal.jsonl breaks off within entry" in said["incomplete"], said)
    check(6 <= said["frames"] < 20 and said["now_ns"] < inputs(lab, "fault-set")[0]["t"] + 1,
          said)
    words = home.netlab("replay", copy, want=1, timeout=120).stdout
    check("what is kept of the run, until " in words and "is the same" in words and
          "the record is incomplete: journal.jsonl breaks off" in words, words)
    # Until a time that is kept it is a run like any other.
    until = inputs(lab, "exec")[0]["t"] + 1
    home.netlab("replay", copy, "--until", until, timeout=120)
    home.netlab("down", "pair-replay")
    # Frames, and a console.
    copy, said = cut("frames", "frames.bin", 16 + 24 * 5 + 7)
    equal((said["state"], said["incomplete"], said["frames"]),
          ("incomplete", "frames.bin breaks off within frame 5", 5), said)
    copy, said = cut("console", "consoles/a.log", 20)
    check(said["state"] == "incomplete" and "consoles/a.log has 20 of" in said["incomplete"],
          said)
    # The capture, within a frame and at the end of one.
    capture = lab.run_dir / "captures" / "lan.a.pcapng"
    whole = home.netlab("replay-link", lab.run_dir, "lan.a", "-r", capture, "--json",
                        want=None)
    equal(json.loads(whole.stdout).get("incomplete"), None, whole.stdout)
    half = home.folder / "half.pcapng"
    shutil.copy(capture, half)
    os.truncate(half, os.path.getsize(half) // 2)
    said = home.netlab("replay-link", lab.run_dir, "lan.a", "-r", half, want=1)
    check("the record is incomplete: the capture" in said.stderr and
          "all are the same" not in said.stdout, said.stdout, said.stderr)


def test_a_boot_that_failed_fails_again(home):
    topology = json.loads(json.dumps(SAYS))
    topology["nodes"]["a"]["run"] = [{"name": "say", "cmd": "sleep 1; exit 3",
                                       "ready": {"tcp": 1}}]
    path = home.write("fails.json", topology)
    home.netlab("up", path, "--out", home.out, "--kernel", harness.own_kernel(), want=1)
    lab = harness.Lab(home, "says", 0, "")
    is_the_same(home, lab)


def test_a_lab_that_runs_can_be_replayed_beside_it(home):
    lab = up(home, PAIR)
    lab.exec("a", "ping -n -q -c3 b")
    harness.wait_for(lambda: lab.json("clock")["standing"], "time to stand")
    said = replay(home, lab)
    equal(said["state"], "same", said)
    check(said["frames"] >= 6, said)
    lab.down()


def test_a_run_in_real_time_cannot_be_replayed(home):
    lab = up(home, PAIR, "--clock", "real")
    lab.down()
    said = home.netlab("replay", lab.run_dir, want=1).stderr
    check("virtual time" in said, said)


def campaign(home, seed):
    """One fault campaign; the digest of its run."""
    lab = up(home, PAIR, "--seed", seed)
    lab.netlab("fault", "set", "lan.a", "loss=20%", "delay=5ms", "jitter=2ms")
    lab.netlab("partition", "random", "--every", "1s", "--for", "4s")
    lab.exec("a", "for i in b c; do ping -n -q -i 0.1 -c30 -W1 $i & done; wait; exit 0")
    lab.down()
    return lab


def test_ten_seeds_give_ten_outcomes_each_of_which_can_be_repeated(home):
    digests = set()
    for seed in range(SEEDS):
        lab = campaign(home, seed)
        is_the_same(home, lab)
        digests.add(kept_digest(lab))
    equal(len(digests), SEEDS, "outcomes of as many seeds")


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
