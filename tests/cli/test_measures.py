#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What was measured, as people read it: probes and what was lost for want of memory.

Against a fake lab (fake_lab.py), as in test_cli.py; the machines' probe is played here.
"""
import base64
import errno
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_cli import Case  # noqa: E402


class Prober:
    """The probes of a lab's machines (src/agent/probe.h): each says what it is to have seen.

    seen: of each machine the lines between "say" and "said"."""

    def __init__(self, lab, seen):
        self.seen, self.at = seen, {}
        lab.special["exec"], lab.special["stdin"] = self.exec, self.stdin
        lab.special["close"] = lambda conn, r: None
        lab.special["ps"] = lambda conn, r: conn.say(
            r["id"], ok=True, lab=lab.name, state="running", nodes=[
                {"name": n, "kind": "uml", "state": "ready", "services": [],
                 "addrs": ["10.0.0.%d/24" % i]} for i, n in enumerate(lab.nodes, 1)])

    def say(self, conn, number, *lines):
        text = "".join(line + "\n" for line in lines).encode()
        conn.say(number, event="stdout", data=base64.b64encode(text).decode())

    def exec(self, conn, request):
        self.at[request["id"]] = request["node"]
        conn.say(request["id"], event="started", pid=1)
        self.say(conn, request["id"], "ports 1000 0")

    def stdin(self, conn, request):
        number = request["to"]
        words = base64.b64decode(request["data"]).decode()
        if not words:
            conn.say(number, ok=True, exit=0)
            return
        conn.say(number, event="credit", bytes=len(words))
        for line in words.splitlines():
            answer = {"arm": ["armed"], "warm": ["warm"], "go": ["done"],
                      "say": [*self.seen[self.at[number]], "said"]}.get(line.split()[0])
            if answer:
                self.say(conn, number, *answer)


class ProbeTest(Case):
    def probed(self, **seen):
        lab = self.lab(nodes=("n1", "n2", "n3"))
        lab.special["matrix"] = lambda conn, r: conn.say(
            r["id"], ok=True, nodes=["n1", "n2", "n3"], reach=[["yes"] * 3] * 3)
        Prober(lab, {n: seen.get(n, []) for n in lab.nodes})
        return lab

    def ways(self, self_index, heard, sent=5):
        """All that this machine sent arrived, and so much was heard of each."""
        return [f"heard {i} {n}" for i, n in heard.items()] + \
               [f"answered {i} {sent} {sent} 1 1 1 1" for i in heard]

    def test_what_could_not_be_sent_is_not_lost(self):
        self.probed(
            n1=[f"unsent 1 5 {errno.ENETUNREACH}", "heard 1 5", "heard 2 5",
                "answered 2 5 5 1 1 1 1"],
            n2=self.ways(1, {2: 5}) + ["answered 0 5 5 1 1 1 1"],
            n3=self.ways(2, {0: 5, 1: 5}))
        done = self.run_it("matrix", "--probe")
        self.assertEqual(done.returncode, 1, done.stderr)
        rows = [line.split() for line in done.stdout.decode().split("\n\n")[-1].splitlines()]
        self.assertIn(["n1", "-", "unsent", "yes"], rows)
        self.assertIn("warning: n1 -> n2: yes by what is set, but n1 cannot send there: "
                      "Network is unreachable", done.stderr.decode())
        self.assertNotIn("lost", done.stderr.decode())
        done = self.run_it("matrix", "--probe", "--json")
        self.assertEqual(json.loads(done.stdout)["measured"],
                         [["yes", "unsent", "yes"], ["yes", "yes", "yes"],
                          ["yes", "yes", "yes"]])

    def test_what_was_sent_in_part_and_heard_not_at_all_is_lost(self):
        self.probed(
            n1=[f"unsent 1 3 {errno.ENOBUFS}", "answered 1 2 0 0 0 0 0", "heard 1 5",
                "heard 2 5", "answered 2 5 5 1 1 1 1"],
            n2=self.ways(1, {2: 5}) + ["answered 0 5 5 1 1 1 1"],
            n3=self.ways(2, {0: 4, 1: 5}))
        done = self.run_it("matrix", "--probe", "--json")
        self.assertEqual(json.loads(done.stdout)["measured"],
                         [["yes", "lost", "part"], ["yes", "yes", "yes"],
                          ["yes", "yes", "yes"]])
        done = self.run_it("matrix", "--probe")
        self.assertIn("n1 -> n2: yes by what is set, but lost", done.stderr.decode())


class WantOfMemoryTest(Case):
    RUN = {"frames": 10, "p50_ns": 1, "p99_ns": 1, "most_ns": 1, "suspect": False}

    def fidelity(self, pool):
        one = dict(link="wire", name="wire a->b", since_ns=0, fault={"delay": "15s"}, loss=None,
                   copies=None, damage=None, delay=None, rate=None, pool=pool)
        self.lab().special["fidelity"] = lambda conn, r: conn.say(
            r["id"], ok=True, directions=[one], run=dict(self.RUN, pool=pool))
        return self.run_it("fidelity")

    def test_fidelity_tells_what_nobody_asked_for(self):
        done = self.fidelity(145106)
        self.assertEqual(done.returncode, 1)
        self.assertIn("warning: wire a->b: 145106 frames more were lost for want of memory, "
                      "which nobody asked for: a shorter delay, or a lower rate",
                      done.stderr.decode())

    def test_without_such_losses_fidelity_is_silent(self):
        done = self.fidelity(0)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def down(self, **fidelity):
        lab = self.lab()

        def down(conn, request):
            conn.say(request["id"], ok=True, fidelity=dict(self.RUN, **fidelity))
            lab.stop()
        lab.special["down"] = down
        return self.run_it("down")

    def test_down_tells_it_too(self):
        done = self.down(pool=7)
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: fake: 7 frames were lost for want of memory for those on their "
                      "way, which no fault asked for (`pool` in the journal)",
                      done.stderr.decode())

    def test_down_of_a_run_in_which_all_was_well_is_silent(self):
        self.assertEqual(self.down(pool=0).stderr, b"")

    def test_a_fault_that_could_fill_it_is_warned_of(self):
        self.lab().special["fault-set"] = lambda conn, r: conn.say(
            r["id"], ok=True, directions=[], warnings=["a delay of 15s can take it all"])
        done = self.run_it("fault", "set", "wire", "delay=15s")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: a delay of 15s can take it all", done.stderr.decode())


if __name__ == "__main__":
    unittest.main(warnings="ignore")
