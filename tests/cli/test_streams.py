#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The user's streams: full, closed, blocked; and what --json prints when something fails.

Against a fake lab (fake_lab.py), as in test_cli.py.
"""
import base64
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_cli import NETLAB, Case, Terminal  # noqa: E402

# Every command that has --json, called well, with FILE for a topology.
CALLS = {
    "up": ["FILE", "--kernel", "/no/such"],
    "ps": [], "inspect": [], "exec": ["n1", "echo"], "events": [],
    "fault set": ["n1->n2", "loss=1%"], "fault clear": ["--all"], "fault ls": [],
    "partition": ["n1|n2"], "partition ls": [], "heal": [], "matrix": [], "fidelity": [],
    "capture": ["all", "-w", "x.pcapng", "-c", "1"], "explain": ["wire a->b", "0"],
    "replay": ["no-run"], "replay-link": ["no-run", "wire", "-r", "no-capture"],
    "clock": [], "clock pace": ["max"], "clock pause": [], "clock resume": [],
    "clock step": ["1s"], "clock set": ["n1", "step=1s"], "clock freeze": ["n1"],
    "clock thaw": ["n1"], "check": ["FILE"], "doctor": [], "version": [],
    "kernel ls": [], "kernel build": ["--source", "/no/such"],
    **{"proc " + order: ["n1", "web"] for order in ("kill", "stop", "cont")},
    **{"node " + order: ["n1"] for order in ("stop", "kill", "panic", "start", "restart", "reset",
                                               "pause", "resume")},
}
# Of each machine by itself: an array, with what went wrong in its element.
OF_EACH = {name for name in CALLS if name.startswith(("node ", "proc "))} | {"exec"}
# They are told of a lab that there is none of, rather than that there is none.
BY_NAME = {"ps": ["nosuch"], "inspect": ["nosuch"]}
# Those that cannot fail here, or say so in what they print anyway.
NO_FAILURE = {"doctor", "version", "kernel ls", "check"}


class Streams(Case):
    def setUp(self):
        super().setUp()
        with open(self.tmp + "/good.json", "w") as file:
            json.dump({"nodes": {"a": {}, "b": {}}, "links": [{"endpoints": ["a", "b"]}]}, file)

    def words(self, name):
        return [self.tmp + "/good.json" if w == "FILE" else w for w in CALLS[name]]

    def commands(self):
        """As the help has them: those with --json."""
        names = re.findall(r"(?m)^  ([a-z-]+(?: [a-z]+)?)(?=  | [A-Z\[]|$)", self.good("help"))
        return {n for n in names if "--json" in self.good("help", *n.split())}


class FullTest(Streams):
    def onto(self, path, *args, lab=True):
        with open(path, "w") as out:
            return subprocess.run([NETLAB, *args], stdout=out, stderr=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, env=self.env, cwd=self.tmp,
                                  timeout=30)

    def test_every_command_says_that_its_output_was_not_taken(self):
        lab = self.lab()
        self.answer_all(lab)
        os.makedirs(lab.run_dir + "/logs")
        with open(lab.run_dir + "/logs/n1.web.log", "w") as file:
            file.write("a word\n")
        others = [["help"], ["version"], ["logs", "n1"], ["exec", "n1", "echo", "x"],
                  ["exec", "n1,n2", "echo", "x"], ["completion", "bash"],
                  ["graph", "good.json"], ["console", "n1"]]
        tried = 0
        for name in CALLS:
            for words in ([*name.split(), *self.words(name)],
                          self.json_call(name)):
                well = self.onto(os.devnull, *words)
                if well.returncode:
                    continue
                if name == "capture":
                    os.unlink(self.tmp + "/x.pcapng")
                    if "--json" not in words:
                        continue  # it prints nothing
                tried += 1
                self.is_full(words)
        self.assertGreater(tried, 30)
        for words in others:
            self.is_full(words)

    def is_full(self, words):
        done = self.onto("/dev/full", *words)
        self.assertEqual(done.returncode, 1, words)
        self.assertIn(b"writing the output: No space left on device", done.stderr, words)
        self.assertNotIn(b"Success", done.stderr, words)

    def json_call(self, name):
        if name == "exec":
            return ["exec", "--json", *self.words(name)]
        return [*name.split(), *self.words(name), "--json"]

    def answer_all(self, lab):
        """The verbs that the fake lab has no answer for."""
        clock = dict(clock="virtual", now_ns=1, nodes=[], pace_ppm=0, paused=False,
                     standing=True, stats={}, digest={}, slow=None)
        lab.special["clock"] = lambda c, r: c.say(r["id"], ok=True, **clock)
        lab.special["node-clock"] = lambda c, r: c.say(
            r["id"], ok=True, node=r["node"], offset_ns=0, drift_ppb=0, frozen=False)
        lab.special["node-life"] = lambda c, r: c.say(
            r["id"], ok=True, node=r["node"], state="ready", ready_ns=1)
        lab.special["fidelity"] = lambda c, r: c.say(
            r["id"], ok=True, directions=[], run={"frames": 0, "p50_ns": 0, "p99_ns": 0,
                                                  "most_ns": 0, "suspect": False, "pool": 0})

    def test_who_follows_ends_when_nobody_can_hear(self):
        lab = self.lab()
        lab.special["events"] = lambda conn, r: [
            conn.say(r["id"], event="journal", entry={"n": n, "t": n, "event": "x"})
            for n in range(3)]  # and then it waits
        done = self.onto("/dev/full", "events", "--follow")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)
        os.makedirs(lab.run_dir + "/logs")
        with open(lab.run_dir + "/logs/n1.web.log", "w") as file:
            file.write("a word\n")
        done = self.onto("/dev/full", "logs", "-f", "n1")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)
        done = self.onto("/dev/full", "exec", "n1,n2", "yes")
        self.assertEqual(done.returncode, 1)

    def test_output_that_is_closed_is_not_missed(self):
        self.lab()
        for words in (["ps"], ["events", "--json"], ["exec", "n1", "echo", "x"],
                      ["exec", "n1,n2", "echo", "x"], ["help"]):
            done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "-", NETLAB, *words],
                                  env=self.env, cwd=self.tmp, timeout=30)
            self.assertEqual(done.returncode, 0, words)
        done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "-", NETLAB, "up", "nosuch"],
                              env=self.env, cwd=self.tmp, timeout=30)
        self.assertEqual(done.returncode, 1)


class JsonFailureTest(Streams):
    def failure(self, *args):
        """A command that fails prints one object on stdout, and its text on stderr."""
        done = self.run_it(*args)
        self.assertNotEqual(done.returncode, 0, args)
        said = json.loads(done.stdout)
        self.assertIs(said["ok"], False, args)
        self.assertTrue(said["error"], args)
        return said["error"], done.stderr.decode()

    def test_the_commands_here_are_all_that_have_json(self):
        self.assertEqual(self.commands(), set(CALLS))

    def test_without_a_lab_every_command_says_so_in_json(self):
        for name in sorted(set(CALLS) - NO_FAILURE):
            words = BY_NAME.get(name) or self.words(name)
            error, text = self.failure(*name.split(), "--json", *words)
            self.assertIn(error, text, name)

    def test_what_a_lab_refuses_is_an_object_for_every_command(self):
        lab = self.lab()
        for verb in ("exec", "events", "fault-set", "fault-clear", "fault-ls", "partition",
                     "partition-ls", "heal", "matrix", "fidelity", "capture", "clock",
                     "node-clock", "node-life", "inspect"):
            lab.special[verb] = lambda conn, r: conn.say(r["id"], ok=False, error="not today")
        asked = [name for name in CALLS if name not in NO_FAILURE | {
            "up", "ps", "explain", "replay", "replay-link", "kernel build"} | OF_EACH]
        for name in asked:
            error, _ = self.failure(*name.split(), "--json", *self.words(name))
            self.assertIn("not today", error, name)
        for name in OF_EACH:
            done = self.run_it(*name.split(), "--json", *self.words(name))
            self.assertEqual((done.returncode, json.loads(done.stdout)[0]["error"]),
                             (1, "not today"))

    def test_a_wrong_call_is_an_object_too(self):
        for words in (["exce", "--json"], ["fault", "set", "--json", "x"],
                      ["exec", "--json", "n1"], ["events", "--json", "--since", "yesterday"]):
            done = self.run_it(*words)
            self.assertIs(json.loads(done.stdout)["ok"], False, words)
        # A program's own --json is its own.
        self.lab()
        self.assertEqual(self.run_it("exec", "n9", "ls", "--json").stdout, b"")

    def test_the_error_is_one_line_and_the_last_of_events(self):
        lab = self.lab()

        def some(conn, request):
            conn.say(request["id"], event="journal", entry={"n": 0, "t": 0, "event": "x"})
            conn.say(request["id"], ok=False, error="gone \u00e4\nway")
        lab.special["events"] = some
        lines = self.run_it("events", "--json").stdout.decode().splitlines()
        self.assertEqual([json.loads(line).get("ok") for line in lines], [None, False])
        self.assertEqual(json.loads(lines[1])["error"], "gone \u00e4\nway")

    def test_a_lab_is_named_once_in_an_error(self):
        lab = self.lab()
        os.unlink(lab.dir + "/control")
        os.symlink("nowhere/else", lab.dir + "/control")
        text = self.refused(1, r"^netlab: lab fake: connect to ", "heal")
        self.assertEqual(text.count("lab fake"), 1, text)
        problem = json.loads(self.good("ps", "--json"))[0]["problem"]
        self.assertTrue(problem.startswith("connect to "), problem)


class BlockedTest(Streams):
    def flood_console(self, lab):
        def console(conn, request):
            conn.consoles[request["id"]] = True
            data = base64.b64encode(b"flood " * 10000).decode()

            def say():
                for _ in range(100):
                    conn.say(request["id"], event="console", data=data)
            threading.Thread(target=say, daemon=True).start()
        lab.special["console"] = console

    def blocked(self, *args):
        """netlab on a terminal that shows its first words and takes no more."""
        t = Terminal(self, *args)
        t.expect(b"flood|y\r")
        return t

    def ends(self, t, seconds=10):
        """It ends though nobody reads the terminal."""
        done = threading.Event()
        status = []

        def wait():
            status.append(os.waitpid(t.pid, 0)[1])
            done.set()
        threading.Thread(target=wait, daemon=True).start()
        if not done.wait(seconds):
            self.fail("it did not end")
        t.pid = 0
        return os.waitstatus_to_exitcode(status[0])

    def test_a_console_is_left_by_key_and_by_signal(self):
        self.flood_console(self.lab())
        t = self.blocked("console", "n1")
        t.send(b"\x1d")
        self.assertEqual(self.ends(t), 0)
        t = self.blocked("console", "n1")
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(self.ends(t), 0)

    def test_a_command_on_a_terminal_is_left_by_keys_and_by_signal(self):
        self.lab()
        t = self.blocked("exec", "-t", "n1", "yes")
        t.send(b"\r~.")
        self.assertEqual(self.ends(t), 1)
        t = self.blocked("exec", "-t", "n1", "yes")
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(self.ends(t), 128 + signal.SIGTERM)

    def test_keys_that_come_with_output_hold_up_nothing(self):
        lab = self.lab()
        self.flood_console(lab)
        for words in (["exec", "-t", "n1", "--", "sh", "-c", "stty -echo; exec yes"],
                      ["console", "n1"]):
            t = Terminal(self, *words)
            for _ in range(60):
                t.send(b"k")
                left = 50000
                while left > 0:
                    self.assertTrue(select.select([t.fd], [], [], 10)[0], words)
                    left -= len(os.read(t.fd, 4096))

    def test_a_pipe_that_nobody_reads_is_left_by_signal(self):
        self.flood_console(self.lab())
        for words in (["console", "n1"], ["exec", "n1", "yes"]):
            client = subprocess.Popen([NETLAB, *words], env=self.env, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            client.stdout.read(1)
            client.terminate()
            self.assertIn(client.wait(timeout=10), (0, 128 + signal.SIGTERM))
            client.stdout.close()


class LargeTest(Streams):
    def test_json_of_more_than_it_keeps_is_a_failure(self):
        self.lab()
        done = self.run_it("exec", "--json", "n1", "--", "sh", "-c",
                           "echo o; yes e | head -c 16777217 >&2")
        one = json.loads(done.stdout)[0]
        self.assertEqual((done.returncode, one["exit"], one["truncated"]), (1, 0, True))
        self.assertEqual((one["stdout"], len(one["stderr"])), ("o\n", 16 << 20))
        self.assertRegex(done.stderr.decode(), "n1: stderr has more than 16 MiB")
        done = self.run_it("exec", "--json", "n1", "--", "sh", "-c", "yes | head -c 16777216")
        self.assertEqual((done.returncode, "truncated" in json.loads(done.stdout)[0]),
                         (0, False))

    def test_arguments_that_no_request_takes_are_told_as_that(self):
        lab = self.lab()
        long = ["x" * 100000] * 12
        self.refused(1, r"n1: exec: this takes 12\d+ bytes as a request, and a lab takes less than "
                     r"1048576 at once; .*netlab cp", "exec", "n1", "echo", *long)
        self.refused(1, r"exec: this takes", "exec", "n1,n2", "echo", *long)
        self.assertEqual(lab.verbs("exec"), [])
        # A little less is the machine's matter.
        self.assertEqual(len(self.good("exec", "n1", "echo", *long[:10])), 10 * 100001)

    def test_a_capture_for_a_month_and_longer_goes_on(self):
        self.lab().frames = 1000
        for time in ("720h", "2400000h"):
            client = subprocess.Popen([NETLAB, "capture", "all", "-w", "-", "--for", time],
                                      env=self.env, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            client.stdout.read(1000)
            client.send_signal(signal.SIGINT)
            _, said = client.communicate(timeout=10)
            self.assertEqual(client.returncode, 0, said)
            self.assertRegex(said.decode(), r"^\d+ frames")


if __name__ == "__main__":
    unittest.main(warnings="ignore")
