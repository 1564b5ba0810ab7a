#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Asked and measured, on real machines; and that a run on a host that stood still is
called suspect."""
import json
import os
import signal
import sys
import time

import harness
from harness import check, equal


def wired(home):
    return home.up({
        "name": "wire", "seed": 7, "nodes": {"a": {}, "b": {}},
        "links": [{"name": "wire", "endpoints": ["a:eth0", "b:eth0"]}]})


def report(lab, *args):
    return json.loads(lab.netlab("fidelity", "wire", "--json", *args, want=None).stdout)


def of(report, direction):
    return next(d for d in report["directions"] if d["name"] == "wire " + direction)


def test_loss_delay_and_rate_are_measured_since_they_were_set(home):
    lab = wired(home)
    lab.exec("a", "ping -c50 -i0.002 -q b")
    lab.netlab("fault", "set", "a->b", "loss=20%", "delay=10ms")
    lab.exec("a", "ping -c500 -i0.002 -W1 -q b", want=None)
    one = of(report(lab), "a->b")
    check(one["loss"]["asked"] == 20 and one["loss"]["ok"], one)
    check(490 <= one["loss"]["frames"] <= 530, "only since it was set:", one)
    check(one["loss"]["low"] < one["loss"]["percent"] < one["loss"]["high"], one)
    check(one["delay"]["asked_ns"] == 10_000_000, one)
    check(one["delay"]["mean_ns"] >= 10_000_000, one)
    counters = next(d for d in lab.json("fault", "ls") if d["name"] == "wire a->b")["counters"]
    equal(one["loss"]["lost"], counters["dropped"]["loss"], "lost")
    lab.netlab("fault", "set", "a->b", "loss=burst 10% 3", "duplicate=20%", "corrupt=5%",
               "corrupt-mode=fcs")
    lab.exec("a", "ping -c500 -i0.002 -W1 -q b", want=None)
    one = of(report(lab), "a->b")
    check(abs(one["loss"]["asked"] - 10) < 1e-6 and one["loss"]["ok"], one)
    check(one["copies"]["asked"] == 20 and one["copies"]["ok"], one)
    check(one["damage"]["asked"] == 5 and one["damage"]["ok"], one)
    lab.netlab("fault", "set", "a->b", "rate=500kbit", "limit=50frames", "--replace")
    lab.exec("a", "ping -c60 -i0.002 -s 1000 -W2 -q b", want=None)
    rate = of(report(lab), "a->b")["rate"]
    check(rate["ok"] and rate["asked_bps"] == 500_000, rate)


def test_a_probe_counts_what_is_lost_each_way(home):
    lab = wired(home)
    lab.netlab("fault", "set", "a->b", "loss=30%", "delay=5ms")
    ways = {(w["from"], w["to"]): w for w in report(lab, "--probe")["probe"]}
    there, back = ways["a", "b"], ways["b", "a"]
    check(there["low"] <= 30 <= there["high"], there)
    equal((back["heard"], back["sent"]), (300, 300), back)
    check(there["answered"] == there["heard"], "answers come back whole:", there)
    check(there["rtt_min_ns"] >= 4_500_000, there)


def test_a_run_on_a_host_that_stood_still_is_suspect(home):
    home.turn_limit_ms = 10_000  # that is what is done to it
    lab = wired(home)
    lab.netlab("fault", "set", "wire", "delay=1ms")
    pid = lab.state()["pid"] if "pid" in lab.state() else lab.json("inspect")["pid"]
    ping = home.start("-l", lab.name, "exec", "a", "--", "ping", "-c100000", "-i0.002", "-q",
                      "b")
    # A stop while no frame is under way makes none late, so until it is seen.
    for stops in range(200):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.02)
        os.kill(pid, signal.SIGCONT)
        run = report(lab)["run"]
        if run["suspect"] and stops > 20:
            break
    ping.terminate()
    ping.communicate(timeout=30)
    check(run["suspect"] and run["p99_ns"] > 1_000_000, run)
    check("too busy" in lab.netlab("inspect").stdout, "inspect")
    said = home.netlab("down", lab.name)
    check("too busy" in said.stderr, said.stderr)
    last = [e for e in lab.journal() if e["event"] == "fidelity"][-1]
    check(last["suspect"] and last["p99_ns"] > 1_000_000, last)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
