#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Machines that end and begin again in virtual time: at their instants, the same in each
run and in its replay.  Needs netlab's own kernel."""
import sys

import harness
from harness import check, equal
from life import LAB


AGAIN = {"name": "again", "cmd": "date +%N | tee -a /root/begins; exec sleep 100001",
         "restart": "always"}
LAB_AGAIN = {**LAB, "nodes": {**LAB["nodes"], "n1": {"run": LAB["nodes"]["n1"]["run"] + [AGAIN]}}}


def virtual_run(home, *args):
    lab = home.up(LAB_AGAIN, "--clock", "virtual", "--pace", "max", *harness.own_kernel_args(), *args)
    lab.exec("n2", "ping -q -c2 10.1.0.3 >/dev/null")
    lab.netlab("node", "kill", "n1,n3")
    lab.exec("n2", "sleep 0.5; cat /sys/class/net/eth0/carrier")
    lab.netlab("node", "start", "n1")
    lab.netlab("node", "reset", "n2,n1")
    lab.netlab("node", "start", "n3")
    lab.exec("n1", "ping -q -c2 10.1.0.3; cat /proc/sys/kernel/random/boot_id")
    lab.netlab("node", "pause", "n2")
    lab.exec("n1", "ping -q -c2 -W1 10.1.0.2 || true")
    lab.netlab("node", "resume", "n2")
    lab.netlab("node", "restart", "n3")
    lab.netlab("node", "panic", "n3")
    lab.netlab("node", "start", "n3")
    lab.netlab("proc", "kill", "n1", "again")
    lab.exec("n1", "sleep 1; test $(wc -l </root/begins) = 2")
    clock = lab.json("clock")
    lab.down()
    return clock["now_ns"], clock["digest"]["all"], lab.run_dir


def test_lives_end_and_begin_at_their_instants_and_again_in_a_replay(home):
    first = virtual_run(home)
    for _ in range(2):
        equal(virtual_run(home)[:2], first[:2], "another run")
    equal(virtual_run(home, "--serial")[:2], first[:2], "one after the other")
    said = home.netlab("replay", first[2], timeout=300)
    check("the same" in said.stdout + said.stderr, said.stdout, said.stderr)


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
