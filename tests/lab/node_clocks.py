#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Machines whose clocks are not the lab's: off, fast, slow, stepped, frozen.

In virtual time to the microsecond, and the same in each run; in real time with what a
busy host leaves of it.  The first needs netlab's own kernel (see harness.own_kernel()).
"""
import json
import os
import pathlib
import shutil
import sys
import time

import harness
from harness import check, equal

KERNEL = harness.own_kernel()
SPIN = os.environ.get("NETLAB_SPIN") or \
    str(pathlib.Path(harness.NETLAB).parents[2] / "tests/lab_spin")
S = 10**9
# Reading both clocks and starting a program take some microseconds.
NEAR_NS = 20_000


def up(home, nodes, *args):
    shutil.copy(SPIN, home.topologies / "spin")
    (home.topologies / "spin").chmod(0o755)
    return home.up({"name": "clocks", "seed": 1, "nodes": nodes,
                    "links": [{"endpoints": ["a", "b"], "delay": "5ms"}]}, *args)


def up_virtual(home, nodes, *args):
    return up(home, nodes, "--clock", "virtual", "--kernel", KERNEL, *args)


def clocks(lab, node):
    """What CLOCK_REALTIME and CLOCK_MONOTONIC show there, and the lab's time then."""
    said = lab.exec(node, "/lab/spin", "clocks").split()
    at = [e["t"] for e in lab.journal() if e["event"] == "exec"][-1]
    return int(said[0]), int(said[1]), at


def passed(before, after):
    """How much of (real, monotonic) has passed beyond the lab's own time."""
    lab = after[2] - before[2]
    return [after[i] - before[i] - lab for i in (0, 1)]


def near(got, wanted, what):
    check(abs(got - wanted) < NEAR_NS, what, got, "ns, wanted", wanted)


def test_200_ppm_are_200_ms_after_1000_s(home):
    lab = up_virtual(home, {"a": {"clock": {"drift": "200ppm"}}, "b": {}})
    before = clocks(lab, "a"), clocks(lab, "b")
    lab.netlab("clock", "step", "1000s")
    after = clocks(lab, "a"), clocks(lab, "b")
    for ahead in passed(before[0], after[0]):
        seconds = (after[0][2] - before[0][2]) / S
        near(ahead, seconds * 200_000, "a is ahead by")
    for ahead in passed(before[1], after[1]):
        near(ahead, 0, "b is ahead by")


def test_a_slow_clock_is_slow_and_its_timers_are_late(home):
    lab = up_virtual(home, {"a": {"clock": {"drift": "-10%"}}, "b": {}})
    begin = clocks(lab, "a")
    said = lab.exec("a", "/lab/spin", "clocks", "sleep", "9000000000", "clocks").split()
    near(int(said[3]) - int(said[1]), 9 * S, "it slept by its own clock")
    end = clocks(lab, "a")
    check(10 * S < end[2] - begin[2] < 10 * S + S // 10, "by the lab's", end[2] - begin[2])
    # Delays of links are the lab's; the slow clock measures less of them.
    ping = lab.exec("a", "ping -n -q -c5 b").rsplit("=", 1)[1].split("/")
    check(float(ping[0]) == 9.0, "10 ms of the lab's seem", ping[0], "ms")


def test_a_step_is_seen_by_the_wall_clock_alone(home):
    lab = up_virtual(home, {"a": {"clock": {"offset": "+3s"}}, "b": {}})
    a, b = clocks(lab, "a"), clocks(lab, "b")
    near(a[0] - b[0], 3 * S + a[2] - b[2], "from the beginning a's wall clock is ahead")
    lab.netlab("clock", "set", "a", "step=-5s")
    back = clocks(lab, "a")
    check(back[0] < a[0] and back[1] > a[1], "back", a, back)
    near(passed(a, back)[0], -5 * S, "wall clock")
    near(passed(a, back)[1], 0, "monotonic clock")
    # An offset is from what is right, whatever was stepped before.
    lab.netlab("clock", "set", "a", "offset=1s")
    near(passed(a, clocks(lab, "a"))[0], -2 * S, "wall clock")
    shown = {n["node"]: n for n in lab.json("clock")["nodes"]}
    equal(shown, {"a": {"node": "a", "offset_ns": S, "drift_ppb": 0, "frozen": False}})


def test_a_frozen_machine_misses_the_time_and_hears_nothing(home):
    lab = up_virtual(home, {"a": {}, "b": {}})
    # A sleeper whose timer comes when the machine has had ten seconds.
    lab.exec("a", "(/lab/spin sleep 10000000000 clocks >/tmp/slept; touch /tmp/woken) "
                  ">/dev/null 2>&1 &")
    before = clocks(lab, "a")
    lab.netlab("clock", "freeze", "a")
    refused = lab.netlab("exec", "-n", "a", "--", "true", want=None)
    check(refused.returncode != 0 and "a is frozen" in refused.stderr, refused.stderr)
    said = lab.exec("b", "ping -n -q -c3 -W1 a", want=None)
    check("100% packet loss" in said, said)
    lab.netlab("clock", "step", "20s")
    lab.netlab("clock", "thaw", "a")
    missed = passed(before, clocks(lab, "a"))
    frozen, thawed = [e["t"] for e in lab.journal() if e["event"] == "node-clock"]
    check(thawed - frozen > 20 * S)
    for ahead in missed:
        near(ahead, frozen - thawed, "missed")
    equal(lab.exec("a", "ls /tmp/woken", want=None), "", "a timer came while frozen")
    lab.netlab("clock", "step", "10s")
    woken = int(lab.exec("a", "cat /tmp/slept").split()[1])
    check(before[1] < woken < before[1] + 10 * S, before, woken)
    check(" 0% packet loss" in lab.exec("b", "ping -n -q -c3 a"))
    lab.netlab("clock", "freeze", "a")
    begin = time.monotonic()
    lab.netlab("down", "--graceful")
    check(time.monotonic() - begin < 10, "a frozen machine kept the lab from its end")


def scene(home, *args):
    lab = up_virtual(home, {"a": {"clock": {"drift": "200ppm", "offset": "-3s"}},
                            "b": {"clock": {"drift": "-7%"}}}, *args)
    shows = []
    for change in ([], ["set", "a", "drift=333ppb", "step=-5s"], ["freeze", "b"],
                   ["set", "b", "drift=10%"], ["thaw", "b"]):
        if change:
            lab.netlab("clock", *change)
        shows.append(lab.exec("a", "ping -n -c5 -i0.1 -W1 b; date +%s%N", want=0))
    got = lab.json("clock")["digest"]["all"]
    lab.down()
    return got, shows


def test_runs_with_such_clocks_are_the_same_again(home):
    first = scene(home)
    equal(scene(home), first, "again")
    equal(scene(home, "--serial"), first, "one machine at a time")


def test_in_real_time_clocks_are_off_stepped_and_fast_but_not_frozen(home):
    lab = up(home, {"a": {"clock": {"offset": "-1h"}}, "b": {"clock": {"drift": "10%"}}})

    def wall(node):
        """How far it is ahead of the host's clock, and how sure that is; its clocks."""
        begin = time.time_ns()
        real, monotonic, _ = clocks(lab, node)
        end = time.time_ns()
        return real - (begin + end) // 2, (end - begin) // 2 + S // 10, real, monotonic

    def check_wall(node, wanted):
        ahead, unsure, real, monotonic = wall(node)
        check(abs(ahead - wanted) <= unsure, node, "is ahead by", ahead, "wanted", wanted)
        return real, monotonic

    real, monotonic = check_wall("a", -3600 * S)
    lab.netlab("clock", "set", "a", "step=-5s")
    later = check_wall("a", -3605 * S)
    check(later[0] < real and later[1] > monotonic, "monotonic went back")
    lab.netlab("clock", "set", "a", "offset=0s")
    check_wall("a", 0)
    # A tenth fast is seen within seconds, on any host.
    begin = time.monotonic_ns(), clocks(lab, "b"), time.monotonic_ns()
    lab.exec("b", "/lab/spin", "sleep", str(5 * S))
    end = time.monotonic_ns(), clocks(lab, "b"), time.monotonic_ns()
    for i in 0, 1:
        ran = end[1][i] - begin[1][i]
        check((end[0] - begin[2]) * 1.09 < ran < (end[2] - begin[0]) * 1.11, "ran", ran,
              "ns while the host's ran", end[0] - begin[2], "to", end[2] - begin[0])
    done = lab.netlab("clock", "freeze", "a", want=1)
    check("in virtual time only" in done.stderr, done.stderr)
    entries = [e for e in lab.journal() if e["event"] == "node-clock"]
    equal([(e["node"], e["step_ns"], e["offset_ns"]) for e in entries],
          [("a", -5 * S, -3605 * S), ("a", 3605 * S, 0)])


def test_in_real_time_fidelity_says_how_far_clocks_are_off(home):
    lab = up(home, {"a": {"clock": {"offset": "3s"}}, "b": {}})

    def seen():
        return {c["node"]: c for c in lab.json("fidelity")["clocks"]}
    equal({n: c["ok"] for n, c in seen().items()}, {"a": True, "b": True}, seen())
    # Somebody in there sets it: it is theirs, and it is told.
    lab.exec("b", "date -s '+1 hour'")
    harness.wait_for(lambda: not seen()["b"]["ok"], "b's clock to be told", every=0.5,
                     timeout=40)
    off = seen()
    check(abs(off["b"]["off_ns"] - 3600 * S) < S, off)
    check(off["a"]["ok"], off)
    check("clock of b: " in lab.netlab("fidelity").stdout, "fidelity")


def test_what_makes_no_sense_is_refused_with_a_word(home):
    lab = up(home, {"a": {}, "b": {}})
    for words, status, said in ((["a", "stop=5s"], 2, "write offset="),
                                (["a", "step=5"], 2, "has no unit"),
                                (["a", "step=1s", "step=1s"], 2, "given twice"),
                                (["a", "drift=11%"], 2, "at most 10%"),
                                (["x", "drift=1%"], 1, "no machine is named x"),
                                (["a", "step=1s", "offset=1s"], 1, "give one of them"),
                                (["a", "offset=500000h"], 2, "at most 50 years")):
        done = lab.netlab("clock", "set", *words, want=status)
        check(said in done.stderr, words, done.stderr)
    equal(json.loads(lab.netlab("clock", "--json").stdout)["nodes"], [])


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
