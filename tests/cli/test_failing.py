#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Commands when descriptors, the disk, mappings or memory run out on their way: each call
of each kind fails once, in the command and in the processes that it forks.  It is done all
the same, or it says why not; what was there before is still there, and nothing half-made.

NETLAB is the program, linked with lib/failing_program.c.
"""
import contextlib
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_cli import NETLAB, Case  # noqa: E402

ROUNDS_MAX = 2000


def picture(folder):
    """All that is in it."""
    seen = {}
    for path, folders, files in os.walk(folder):
        for name in folders:
            seen[os.path.join(path, name)] = None
        for name in files:
            with open(os.path.join(path, name), "rb") as file:
                seen[os.path.join(path, name)] = file.read()
    return seen


class FailingTest(Case):
    def setUp(self):
        super().setUp()
        self.home = self.tmp + "/home"
        os.mkdir(self.home)
        self.marker = self.tmp + "/told"

    def ask(self, kind, n, *args, stdin=b"", seconds=60):
        """One round: what became of it, and if there was an n-th call."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.marker)
        env = dict(self.env, FAILING=f"{kind} {n}", FAILING_TOLD=self.marker)
        done = subprocess.run([NETLAB, *args], input=stdin, capture_output=True, env=env,
                              cwd=self.home, timeout=seconds)
        return done, os.path.exists(self.marker)

    def sweep(self, kind, *args, check=None, right=0, begin=None, **options):
        """check(done): of one that was done; begin(): before each."""
        before = None
        for n in range(1, ROUNDS_MAX):
            if begin:
                begin()
            before = picture(self.home)
            done, reached = self.ask(kind, n, *args, **options)
            said = f"{' '.join(args)}, {kind} {n}: {done.returncode}\n{done.stderr.decode()}"
            if not reached:
                self.assertEqual(done.returncode, right, said)
                self.assertGreater(n, 1, "nothing was reached: " + said)
            if done.returncode == right:
                with self.subTest(said):
                    check and check(done)
            if not reached:
                return
            if done.returncode == right:
                continue
            self.assertIn(done.returncode, (1, 2, 126, 127), said)
            self.assertRegex(done.stderr.decode(), r"(?m)^netlab: .{8}", said)
            self.unhurt(before, said)
        self.fail("without end: " + " ".join(args))

    def unhurt(self, before, said):
        """But for a capture, which is there as far as it came."""
        after = picture(self.home)
        for path in set(before) | set(after):
            if not path.endswith(".pcapng"):
                self.assertEqual(after.get(path, "gone"), before.get(path, "new"),
                                 said + path)

    def test_a_capture(self):
        lab = self.lab()

        def whole(done):
            with open(self.home + "/c.pcapng", "rb") as file:
                self.assertGreater(len(file.read()), 5 * 60)

        def fresh():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.home + "/c.pcapng")

        for kind in "files", "space", "full", "memory":
            self.sweep(kind, "capture", "all", "-w", "c.pcapng", "-c", "5", check=whole,
                       begin=fresh)
        self.sweep("space", "capture", "all", "-w", "-", "-c", "5")
        self.assertFalse(lab.broken)

    def test_a_capture_does_not_touch_what_is_there(self):
        self.lab()
        with open(self.home + "/kept", "w") as file:
            file.write("mine")
        self.sweep("files", "capture", "all", "-w", "kept", "-c", "5", right=1)

    def test_a_command(self):
        self.lab()

        def echoed(done):
            self.assertEqual(done.stdout, b"hello")

        for kind in "files", "space", "memory":
            self.sweep(kind, "exec", "n1", "--", "cat", stdin=b"hello", check=echoed)
        self.sweep("files", "exec", "all", "--", "true")
        self.sweep("memory", "exec", "all", "--json", "--", "echo", "x")

    def test_a_copy_into_a_machine(self):
        self.lab()
        os.mkdir(self.home + "/in")
        for name in "a", "b":
            with open(f"{self.home}/in/{name}", "w") as file:
                file.write(name * 100)
        there = self.tmp + "/machine"
        os.mkdir(there)

        def whole(done):
            seen = {path[len(there):]: text for path, text in picture(there).items()}
            self.assertEqual(seen, {"/x": None, "/x/a": b"a" * 100, "/x/b": b"b" * 100})

        def fresh():
            subprocess.run(["rm", "-rf", there + "/x"], check=True)

        for kind in "files", "space", "memory":
            self.sweep(kind, "cp", "in", f"n1:{there}/x", check=whole, begin=fresh)

    def test_a_copy_out_of_a_machine(self):
        self.lab()
        there = self.tmp + "/machine"
        os.mkdir(there)
        for name in "a", "b":
            with open(f"{there}/{name}", "w") as file:
                file.write(name * 100)

        def whole(done):
            seen = {path[len(self.home):]: text for path, text in picture(self.home).items()}
            self.assertEqual(seen, {"/x": None, "/x/a": b"a" * 100, "/x/b": b"b" * 100})

        def fresh():
            subprocess.run(["rm", "-rf", self.home + "/x"], check=True)

        for kind in "files", "space", "full", "memory":
            self.sweep(kind, "cp", f"n1:{there}", "x", check=whole, begin=fresh)

    def test_a_fault_and_a_partition(self):
        self.lab()
        for kind in "files", "memory":
            self.sweep(kind, "fault", "set", "backup", "loss=1%")
            self.sweep(kind, "partition", "isolate", "n2")

    def test_a_probe(self):
        lab = self.lab()
        lab.special["ps"] = lambda conn, r: conn.say(
            r["id"], ok=True, lab=lab.name, state="running",
            nodes=[{"name": n, "state": "ready", "addrs": ["127.0.0.1/8"]} for n in lab.nodes])
        lab.special["matrix"] = lambda conn, r: conn.say(
            r["id"], ok=True, nodes=list(lab.nodes), reach=[["yes"] * 3] * 3)

        def heard(done):
            self.assertIn(b"6 of 6 ways are open", done.stdout)

        self.sweep("files", "matrix", "--probe", check=heard)


class AgentTest(unittest.TestCase):
    """The other end of a probe: agent/probe.c, as a process of this host."""

    def probe(self, kind, n, marker):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(marker)
        done = subprocess.run([os.environ["NETLAB_AGENT_FAILING"], "probe"],
                              input="", capture_output=True, text=True, timeout=30,
                              # What it has goes with its end, as it means to.
                              env=dict(os.environ, FAILING=f"{kind} {n}", FAILING_TOLD=marker,
                                       ASAN_OPTIONS="detect_leaks=0"))
        return done, os.path.exists(marker)

    def test_a_probe_has_its_sockets_or_says_why_not(self):
        marker = f"/tmp/netlab-probe-told.{os.getpid()}"
        self.addCleanup(lambda: os.path.exists(marker) and os.unlink(marker))
        for kind in "files", "memory":
            usual, _ = self.probe(kind, ROUNDS_MAX, marker)
            self.assertEqual(usual.returncode, 0, usual)
            wanted = [port != "0" for port in usual.stdout.split()[1:3]]
            for n in range(1, ROUNDS_MAX):
                done, reached = self.probe(kind, n, marker)
                if not reached:
                    break
                if done.returncode:
                    self.assertRegex(done.stderr, r"^netlab-agent: probe: .{8}")
                else:
                    self.assertEqual([port != "0" for port in done.stdout.split()[1:3]],
                                     wanted, f"{kind} {n}: {done}")
            self.assertGreater(n, 1)


if __name__ == "__main__":
    # The fake lab leaves its sockets to the end of the process.
    unittest.main(warnings="ignore")
