#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command line against a fake lab (fake_lab.py): nothing is booted.

NETLAB is the program under test.
"""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_lab import FakeLab, pcapng  # noqa: E402

NETLAB = os.environ["NETLAB"]


class Case(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix="netlab-cli.")
        self.addCleanup(shutil.rmtree, self.tmp, True)
        os.mkdir(self.tmp + "/run", 0o700)
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("NETLAB") and k != "NO_COLOR"}
        self.env["XDG_RUNTIME_DIR"] = self.tmp + "/run"
        self.env["TERM"] = "xterm"
        # Kernels of whoever runs the tests are none of theirs.
        self.env["XDG_CACHE_HOME"] = self.tmp + "/cache"
        self.env["XDG_CONFIG_HOME"] = self.tmp + "/config"

    def lab(self, *args, **options):
        lab = FakeLab(self.tmp + "/run", *args, **options)
        self.addCleanup(lab.die)
        return lab

    def run_it(self, *args, stdin=b"", **options):
        options.setdefault("env", self.env)
        options.setdefault("cwd", self.tmp)
        return subprocess.run([NETLAB, *args], input=stdin, capture_output=True,
                              timeout=30, **options)

    def good(self, *args, **options):
        done = self.run_it(*args, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def refused(self, status, words, *args, **options):
        done = self.run_it(*args, **options)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, status, text)
        self.assertRegex(text, words)
        return text


class Terminal:
    """netlab on a terminal of its own."""

    def __init__(self, case, *args, columns=None):
        self.case = case
        self.pid, self.fd = pty.fork()
        if not self.pid:
            try:
                os.chdir(case.tmp)
                if columns:
                    fcntl.ioctl(0, termios.TIOCSWINSZ,
                                struct.pack("HHHH", 24, columns, 0, 0))
                os.execve(NETLAB, [NETLAB, *args], case.env)
            finally:
                os._exit(126)
        self.text = b""
        case.addCleanup(self.close)

    def expect(self, what, seconds=10):
        end = time.monotonic() + seconds
        while not re.search(what, self.text):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                self.case.fail("waited for %r, got %r" % (what, self.text))
            try:
                self.text += os.read(self.fd, 65536)
            except OSError:
                self.case.fail("ended before %r: %r" % (what, self.text))
        self.text = re.split(what, self.text, maxsplit=1)[-1]

    def send(self, keys):
        os.write(self.fd, keys)

    def flags(self):
        return termios.tcgetattr(self.fd)[:4]

    def resize(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def status(self, seconds=10):
        end = time.monotonic() + seconds
        while select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.text += data
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


# Of a command that is shown in the help.
WORDS = (r"^  ([a-z-]+(?: (?:set|clear|ls|use|rm|build|stop|cont|kill|panic|start|restart|reset|"
         r"pause|resume))?)")


class WordsTest(Case):
    def test_wrong_calls_end_with_status_2_and_say_what_was_meant(self):
        self.refused(2, r'did you mean "exec"', "exce")
        self.refused(2, r'did you mean "fault set"', "fault", "ste", "x", "y=1")
        self.refused(2, r"did you mean --json", "ps", "--jsno")
        self.refused(2, r"netlab up FILE", "up")
        self.refused(2, r'"b" is one word too many', "doctor", "b")
        self.refused(2, r"check has no option --lab", "check", "-l", "x", "f.json")
        self.refused(2, r"netlab help fault", "fault")
        self.refused(2, r"needs a value", "exec", "-w")
        self.refused(2, r"given twice", "up", "-s", "1", "--seed", "2", "f.json")
        self.refused(2, r"no option -q", "ps", "-q")

    def test_every_command_has_help(self):
        usage = self.good("help")
        names = re.findall(WORDS, usage, re.M)
        self.assertIn("fault set", names)
        for name in names:
            self.assertIn("Usage: netlab " + name, self.good("help", *name.split()))
            self.assertIn("Usage: netlab " + name, self.good(*name.split(), "--help"))

    def test_help_fits_terminals_of_80_columns_and_of_60(self):
        texts = [self.good("help", *name.split()) for name in
                 re.findall(WORDS, self.good("help"), re.M)]
        for text in [self.good("help"), *texts]:
            for line in text.splitlines():
                self.assertLess(len(line), 80, line)
        t = Terminal(self, "help", "up", columns=60)
        self.assertEqual(t.status(), 0)
        for line in t.text.decode().splitlines():
            self.assertLess(len(line), 60, line)

    def test_words_of_other_tools_name_what_does_it_here(self):
        for word, instead in (("destroy", "netlab down"), ("deploy", "netlab up"),
                              ("list", "netlab ps"), ("status", "netlab ps"),
                              ("ssh", "netlab shell"), ("kill", "node kill"),
                              ("restart", "node restart"),
                              ("pause", "node pause"), ("run", "netlab up"),
                              ("save", "cannot be saved yet"),
                              ("pingall", "matrix --probe"), ("validate", "netlab check")):
            self.refused(2, f'there is no command "{word}": .*{instead}', word, "x")

    def test_a_full_disk_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([NETLAB, "help"], stdout=full, stderr=subprocess.PIPE,
                                  env=self.env)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)

    def test_colour_is_for_terminals_that_want_it(self):
        self.lab()
        self.assertNotIn("\033", self.good("ps"))
        t = Terminal(self, "ps")
        self.assertEqual(t.status(), 0)
        self.assertIn(b"\033[1m", t.text)
        self.env["NO_COLOR"] = "1"
        t = Terminal(self, "ps")
        self.assertEqual(t.status(), 0)
        self.assertNotIn(b"\033", t.text)


class WhichLabTest(Case):
    def test_no_lab(self):
        self.refused(1, r"no lab is running; start one: netlab up FILE", "heal")
        self.assertIn("no labs", self.good("ps"))
        self.assertEqual(json.loads(self.good("ps", "--json")), [])

    def test_the_only_one_needs_no_name_and_several_do(self):
        self.lab("one")
        self.good("heal")
        two = self.lab("two")
        self.refused(1, r"several labs are running: one, two; choose one with -l", "heal")
        self.good("heal", "-l", "two")
        self.assertEqual(len(two.verbs("heal")), 1)
        self.env["NETLAB_LAB"] = "two"
        self.good("heal")
        self.assertEqual(len(two.verbs("heal")), 2)
        self.refused(1, r'no lab "tow" is running; did you mean "two"', "heal", "-l", "tow")

    def test_a_dead_lab_is_shown_and_can_be_cleared(self):
        self.lab("gone").die()
        done = self.run_it("ps")
        self.assertRegex(done.stdout.decode(), r"gone\s+dead")
        self.assertIn(b"netlab down gone", done.stderr)
        self.assertEqual(json.loads(self.good("ps", "--json"))[0]["state"], "dead")
        self.refused(1, r'lab "gone" is dead.*netlab down gone', "heal")
        self.assertIn("cleared", self.good("down"))
        self.assertEqual(os.listdir(self.tmp + "/run/netlab"), [])

    def test_down_asks(self):
        self.lab()
        self.assertIn("fake is down", self.good("down"))
        self.refused(1, r"no lab", "down")

    def test_down_kills_a_lab_that_is_silent(self):
        lab = self.lab(locked=False)
        victim = subprocess.Popen(["flock", "-o", lab.lock.name, "sh", "-c",
                                   "echo locked; exec sleep 1000"],
                                  stdout=subprocess.PIPE, start_new_session=True)
        self.addCleanup(lambda: os.killpg(victim.pid, signal.SIGKILL))
        self.addCleanup(victim.stdout.close)
        self.assertEqual(victim.stdout.readline(), b"locked\n")
        lab.is_process(victim.pid)
        lab.special["hello"] = lambda conn, request: None
        done = self.run_it("down")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"by force", done.stderr)
        victim.wait(10)
        self.assertEqual(victim.returncode, -signal.SIGKILL)
        self.assertFalse(os.path.exists(lab.dir))

    def test_another_protocol_is_refused(self):
        self.lab().special["hello"] = lambda conn, r: conn.say(
            r["id"], ok=True, protocol=2, lab="fake")
        self.refused(1, r"version 2 of the control protocol", "heal")

    def test_rubbish_on_the_socket_is_no_lab(self):
        lab = self.lab()
        lab.special["heal"] = lambda conn, r: conn.sock.sendall(b"<html>\n")
        self.refused(1, r"no netlab lab", "heal")

    def test_a_lab_that_dies_while_asked(self):
        lab = self.lab()
        lab.special["heal"] = lambda conn, r: lab.die()
        self.refused(1, r"the lab has gone", "heal")


class ExecTest(Case):
    def test_streams_and_status_are_the_commands_own(self):
        self.lab()
        done = self.run_it("exec", "n1", "--", "sh", "-c", "cat; echo e >&2; exit 7",
                           stdin=b"in\0put\xff")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (7, b"in\0put\xff", b"e\n"))
        self.assertEqual(self.run_it("exec", "n1", "sh", "-c", "kill -9 $$").returncode, 137)
        self.assertEqual(self.run_it("exec", "n1", "nosuchthing").returncode, 127)
        self.refused(2, r"what is to be run", "exec", "n1")
        self.refused(1, r'no node "n4"; did you mean "n1"', "exec", "n4", "true")

    def test_options_of_the_command_need_no_dashes(self):
        self.lab()
        self.assertEqual(self.good("exec", "n1", "echo", "-l", "--json"), "-l --json\n")

    def test_environment_and_folder(self):
        self.lab()
        self.env["FROM_HERE"] = "here"
        out = self.good("exec", "n1", "-e", "A=1=2", "-e", "FROM_HERE", "-w", "/usr", "--",
                        "sh", "-c", "echo $A $FROM_HERE; pwd")
        self.assertEqual(out, "1=2 here\n/usr\n")

    def test_ten_megabytes_of_stdin_keep_within_the_window(self):
        lab = self.lab()
        data = os.urandom(10 << 20)
        self.assertEqual(self.run_it("exec", "n1", "cat", stdin=data).stdout, data)
        self.assertEqual(lab.broken, [])

    def test_stdin_is_left_alone_with_n(self):
        self.lab()
        self.assertEqual(self.good("exec", "-n", "n1", "cat", stdin=b"x"), "")

    def test_several_machines_lines_have_names_and_all_must_succeed(self):
        self.lab()
        done = self.run_it("exec", "n1,n3", "--", "printf", "a\\nb")
        self.assertEqual(sorted(done.stdout.decode().split("\n")),
                         ["", "n1 | a", "n1 | b", "n3 | a", "n3 | b"])
        self.assertEqual(done.returncode, 0)
        done = self.run_it("exec", "n[1-3]", "false")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"n2: exit status 1", done.stderr)
        self.assertEqual(len(self.good("exec", "all", "echo").split("\n")), 4)

    def test_json_of_each_machine(self):
        self.lab()
        out = json.loads(self.good("exec", "--json", "n2,n1", "--", "sh", "-c",
                                   "echo o; echo e >&2"))
        self.assertEqual(out, [
            {"node": "n2", "exit": 0, "stdout": "o\n", "stderr": "e\n"},
            {"node": "n1", "exit": 0, "stdout": "o\n", "stderr": "e\n"}])
        done = self.run_it("exec", "--json", "n1", "printf", "\\377")
        self.assertEqual(json.loads(done.stdout)[0]["stdout_base64"], "/w==")
        done = self.run_it("exec", "--json", "n1", "sh", "-c", "kill -15 $$")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)[0]["signal"], 15)

    def test_interrupt_goes_to_the_command_then_leaves_it(self):
        lab = self.lab()
        t = Terminal(self, "exec", "n1", "--", "sh", "-c",
                     "trap 'echo caught' INT; echo go; while :; do sleep 0.05; done")
        t.expect(b"go")
        t.send(b"\x03")
        t.expect(b"caught")
        t.send(b"\x03")
        self.assertEqual(t.status(), 130)
        self.assertEqual([r["signal"] for r in lab.verbs("signal")], [signal.SIGINT])

    def test_when_the_client_is_killed_its_command_is_hung_up(self):
        lab = self.lab()
        client = subprocess.Popen([NETLAB, "exec", "n1", "sleep", "1000"], env=self.env,
                                  stdin=subprocess.DEVNULL)
        while not any(c.execs for c in lab.connections):
            time.sleep(0.01)
        client.kill()
        client.wait()
        while not lab.hung_up:
            time.sleep(0.01)


class ShellTest(Case):
    def test_a_terminal_all_the_way(self):
        self.lab()
        t = Terminal(self, "exec", "-t", "n1", "--", "sh", "-c",
                     "stty size; exec env PS1=ready: sh -i")
        before = t.flags()
        t.expect(b"24 80|0 0")
        t.expect(b"ready:")
        # It is the one in front when it says so: then ^C is for it.
        t.send(b"sh -c 'echo in fr\"\"ont; exec sleep 100'\r")
        t.expect(b"in front")
        t.send(b"\x03")
        t.expect(b"ready:")
        t.resize(33, 99)
        t.send(b"sleep 0.2; stty size\r")
        t.expect(b"33 99")
        t.send(b"exit 5\r")
        self.assertEqual(t.status(), 5)
        self.assertEqual(t.flags(), before)

    def test_the_way_out_without_the_machine(self):
        self.lab()
        t = Terminal(self, "exec", "-t", "n1", "--", "sh", "-c", "echo up; sleep 1000")
        before = t.flags()
        t.expect(b"up")
        t.send(b"\r~.")
        self.assertEqual(t.status(), 1)
        self.assertIn(b"left n1", t.text)
        self.assertEqual(t.flags(), before)

    def test_the_terminal_is_restored_when_the_lab_dies_or_the_client_is_ended(self):
        for end in ("lab", "client"):
            lab = self.lab("dies-" + end)
            t = Terminal(self, "exec", "-l", lab.name, "-t", "n1", "--", "sh", "-c",
                         "echo up; sleep 1000")
            before = t.flags()
            t.expect(b"up")
            if end == "lab":
                lab.die()
            else:
                os.kill(t.pid, signal.SIGTERM)
            self.assertEqual(t.status(), 1 if end == "lab" else 128 + signal.SIGTERM)
            self.assertEqual(t.flags(), before)
            self.assertIn(b"\033[?25h", t.text)
            self.assertNotIn(b"\033[?1049l", t.text)  # nothing had gone there

    def test_no_terminal_no_shell(self):
        self.lab()
        self.refused(1, r"shell needs a terminal.*netlab exec n1", "shell", "n1")

    def test_console_shows_types_and_leaves(self):
        lab = self.lab()
        t = Terminal(self, "console", "n2")
        before = t.flags()
        t.expect(b"Ctrl-] leaves it")
        t.expect(b"Linux version 6")
        t.send(b"ls\x03\r")
        t.expect(b"ls\x03\r")
        t.send(b"\x1d")
        self.assertEqual(t.status(), 0)
        self.assertEqual(t.flags(), before)
        self.assertEqual(lab.verbs("console")[0]["node"], "n2")


class CopyTest(Case):
    def setUp(self):
        super().setUp()
        self.lab()
        self.there = self.tmp + "/there"
        self.here = self.tmp + "/here"
        os.mkdir(self.there)
        os.mkdir(self.here)

    def put(self, path, data=b"data", mode=0o644):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, mode)

    def get(self, path):
        with open(path, "rb") as file:
            return file.read()

    def test_a_file_there_and_back_with_its_mode(self):
        data = os.urandom(3 << 20)
        self.put(self.here + "/-a b", data, 0o751)
        self.good("cp", "./-a b", "n1:" + self.there + "/new", cwd=self.here)
        self.assertEqual(self.get(self.there + "/new"), data)
        self.good("cp", "n1:" + self.there + "/new", "back", cwd=self.here)
        self.assertEqual(self.get(self.here + "/back"), data)
        self.assertEqual(stat.S_IMODE(os.stat(self.here + "/back").st_mode), 0o751)
        self.assertEqual(sorted(os.listdir(self.there)), ["new"])

    def test_a_link_that_is_named_is_followed(self):
        self.put(self.here + "/f", b"what it points to")
        os.symlink("f", self.here + "/link")
        self.good("cp", self.here + "/link", "n1:" + self.there + "/new")
        self.assertFalse(os.path.islink(self.there + "/new"))
        self.assertEqual(self.get(self.there + "/new"), b"what it points to")

    def test_a_file_goes_into_a_folder_and_replaces_a_file(self):
        self.put(self.here + "/f", b"new")
        self.put(self.there + "/f", b"old")
        self.good("cp", self.here + "/f", "n1:" + self.there)
        self.assertEqual(self.get(self.there + "/f"), b"new")
        self.put(self.there + "/other", b"old")
        self.good("cp", self.here + "/f", "n1:" + self.there + "/other")
        self.assertEqual(self.get(self.there + "/other"), b"new")

    def test_a_folder_becomes_goes_into_or_pours_out(self):
        self.put(self.here + "/d/sub/f", b"x", 0o600)
        os.symlink("sub/f", self.here + "/d/link")
        self.good("cp", self.here + "/d", "n1:" + self.there + "/new")
        self.assertEqual(self.get(self.there + "/new/sub/f"), b"x")
        self.assertEqual(os.readlink(self.there + "/new/link"), "sub/f")
        self.good("cp", self.here + "/d", "n1:" + self.there + "/new")
        self.assertEqual(self.get(self.there + "/new/d/sub/f"), b"x")
        os.mkdir(self.there + "/pour", 0o710)
        self.good("cp", self.here + "/d/.", "n1:" + self.there + "/pour")
        self.assertEqual(self.get(self.there + "/pour/sub/f"), b"x")
        self.assertEqual(stat.S_IMODE(os.stat(self.there + "/pour").st_mode), 0o710)

    def test_machine_to_machine(self):
        self.put(self.there + "/f", os.urandom(2 << 20))
        self.good("cp", "n1:" + self.there + "/f", "n2:" + self.there + "/g")
        self.assertEqual(self.get(self.there + "/f"), self.get(self.there + "/g"))

    def test_what_cannot_be_is_said_and_nothing_is_touched(self):
        self.put(self.here + "/f")
        self.put(self.here + "/d/f")
        self.put(self.there + "/file", b"old")
        for words, source, target in (
                (r"nosuch: no such file", self.here + "/nosuch", "n1:/x"),
                (r"n1: /nosuch: no such file", "n1:/nosuch", "."),
                (r"is a file, which a folder", self.here + "/d", "n1:" + self.there + "/file"),
                (r"no such folder", self.here + "/f", "n1:" + self.there + "/no/f"),
                (r"new/: no such folder", self.here + "/f", "n1:" + self.there + "/new/"),
                (r'no node "n9"', self.here + "/f", "n9:/x")):
            self.refused(1, words, "cp", source, target, cwd=self.here)
        self.put(self.there + "/x/f/inside")
        self.refused(1, r"is a folder, which a file", "cp", self.here + "/f",
                     "n1:" + self.there + "/x")
        self.refused(2, r"neither side", "cp", "a", "b")
        self.refused(2, r"neither side", "cp", "./n1:a", "b")
        self.assertEqual(self.get(self.there + "/file"), b"old")
        self.assertEqual(sorted(os.listdir(self.there)), ["file", "x"])


class CaptureTest(Case):
    def test_to_a_file_until_interrupted(self):
        self.lab()
        client = subprocess.Popen([NETLAB, "capture", "all", "-w", "x.pcapng"], env=self.env,
                                  cwd=self.tmp, stderr=subprocess.PIPE)
        path = self.tmp + "/x.pcapng"
        want = pcapng(5)
        while not os.path.exists(path) or os.path.getsize(path) < len(want) - 24:
            time.sleep(0.01)
        client.send_signal(signal.SIGINT)
        text = client.communicate(timeout=10)[1].decode()
        self.assertEqual(client.returncode, 0)
        self.assertRegex(text, r"5 frames from 2 interfaces in .*: x.pcapng")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), want)

    def test_count_and_time_end_it(self):
        lab = self.lab()
        lab.frames = 1000
        done = self.run_it("capture", "n1:eth0", "-c", "3", "-w", "-", "-f", "tcp", "-s", "64")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"3 frames", done.stderr)
        self.assertEqual(done.stdout, pcapng(1000)[:len(pcapng(3)) - 24] + pcapng(3)[-24:])
        request = lab.verbs("capture")[0]
        self.assertEqual((request["target"], request["filter"], request["snap"]),
                         ("n1:eth0", "tcp", 64))
        out = json.loads(self.good("capture", "all", "--for", "100ms", "-w", "y", "--json"))
        self.assertEqual((out["frames"], out["file"]), (1000, "y"))

    def test_a_reader_that_goes_away_is_an_end(self):
        self.lab().frames = 100000
        client = subprocess.Popen([NETLAB, "capture", "all", "-w", "-"], env=self.env,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        client.stdout.read(100)
        client.stdout.close()
        self.assertEqual(client.wait(timeout=10), 0, client.stderr.read())
        client.stderr.close()

    def test_what_is_refused(self):
        self.lab()
        self.refused(2, r"where to\? -w FILE", "capture", "all")
        self.refused(1, r"nothing is named nosuch", "capture", "nosuch", "-w", "x")
        self.assertFalse(os.path.exists(self.tmp + "/x"))
        self.refused(1, r"/no/x: No such file", "capture", "all", "-w", "/no/x")
        t = Terminal(self, "capture", "all", "-w", "-")
        self.assertEqual(t.status(), 2)
        self.assertIn(b"a terminal cannot show a capture", t.text)


class FaultTest(Case):
    def test_words_become_json(self):
        lab = self.lab()
        out = self.good("fault", "set", "n1->n2", "loss=1%", "limit=10frames", "down")
        self.assertIn("loss=1% limit=10frames down", out)
        request = lab.verbs("fault-set")[0]
        self.assertEqual(request["fault"], {"loss": "1%", "limit": "10frames", "down": True})
        self.assertEqual((request["target"], request["replace"]), ("n1->n2", False))
        self.good("fault", "set", "--replace", "x", "down=false")
        self.assertTrue(lab.verbs("fault-set")[1]["replace"])
        self.refused(2, r"write KEY=VALUE", "fault", "set", "x", "loss")
        self.refused(2, r"loss is given twice", "fault", "set", "x", "loss=1%", "loss=2%")

    def test_clear_needs_to_know_what(self):
        lab = self.lab()
        self.refused(2, r"which faults", "fault", "clear")
        self.refused(2, r"not both", "fault", "clear", "x", "--all")
        self.good("fault", "clear", "--all")
        self.assertNotIn("target", lab.verbs("fault-clear")[0])

    def test_ls(self):
        self.lab()
        self.assertRegex(self.good("fault", "ls"), r"backup n1->n2\s+loss=1%\s+10\s+640\s+3 loss")
        self.assertEqual(json.loads(self.good("fault", "ls", "--json"))[0]["link"], "backup")

    def test_partition_names_sides(self):
        lab = self.lab()
        self.good("partition", "n[1-2]|n3")
        self.good("partition", "n1|*", "--one-way")
        self.assertEqual([(r["sides"], r["one_way"]) for r in lab.verbs("partition")],
                         [([["n1", "n2"], ["n3"]], False), ([["n1"], ["*"]], True)])
        self.refused(1, r'node "n1" is on two sides', "partition", "n1|n1,n2")
        self.refused(1, r"at least two sides", "partition", "n1,n2")
        self.refused(1, r'no node "x9"', "partition", "n1|x9")
        self.refused(1, r"one word was expected", "partition", "n1|n2", "n3")

    def test_partition_kinds_are_drawn_by_the_lab(self):
        lab = self.lab()
        self.good("partition", "isolate", "n1", "--name", "p9", "--for", "3s")
        self.good("partition", "halves", "--among", "n[1-2]")
        self.good("partition", "random", "--every", "10s", "--min-stable", "5s")
        keys = ("kind", "nodes", "among", "name", "for", "every", "min_stable")
        self.assertEqual([{k: r[k] for k in keys if k in r} for r in lab.verbs("partition")], [
            {"kind": "isolate", "nodes": ["n1"], "name": "p9", "for": "3s"},
            {"kind": "halves", "among": ["n1", "n2"]},
            {"kind": "random", "every": "10s", "min_stable": "5s"}])
        self.refused(1, r'did you mean "halves"', "partition", "halfs")
        self.refused(1, r"--among says of which", "partition", "halves", "n1")

    def test_a_partition_says_its_name_whom_it_drew_and_what_stays_open(self):
        self.lab()
        done = self.run_it("partition", "isolate")
        self.assertIn(b"p7: isolate (n2|n1,n3)\ncut n1 -> n2\n", done.stdout)
        self.assertIn(b"n1 -> n3 stays open", done.stderr)
        said = json.loads(self.good("partition", "isolate", "--json"))
        self.assertEqual((said["name"], said["drawn"]), ("p7", [["n2"], ["n1", "n3"]]))

    def test_partitions_are_listed_and_healed_by_name(self):
        lab = self.lab()
        out = self.good("partition", "ls")
        self.assertRegex(out, r"p1\s+n1\|n2,n3 one-way\s+2\s+30s")
        self.assertRegex(out, r"p2\s+isolate n1\s+4\s+-")
        self.assertRegex(out, r"p3\s+random: halves one-way\s+2\s+-")
        self.assertEqual(json.loads(self.good("partition", "ls", "--json"))[1]["kind"], "isolate")
        self.good("heal", "p1", "p2")
        self.good("heal")
        self.assertEqual([r.get("names") for r in lab.verbs("heal")], [["p1", "p2"], None])

    def test_the_matrix_has_a_row_for_who_sends(self):
        self.lab()
        self.assertEqual(self.good("matrix").split("\n"), [
            "      n1    n2    n3", "n1    -     cut   yes", "n2    yes   -     none",
            "n3    down  off   -", "2 of 6 ways are open", ""])
        self.assertEqual(json.loads(self.good("matrix", "--json"))["reach"][0][1], "cut")

    def test_the_labs_own_words_are_the_error(self):
        self.lab().special["fault-set"] = lambda conn, r: conn.say(
            r["id"], ok=False, error="loss: 200% is more than all")
        self.refused(1, r"netlab: loss: 200% is more than all", "fault", "set", "x", "loss=200%")


class LookTest(Case):
    def test_ps_and_events(self):
        self.lab()
        self.assertRegex(self.good("ps"), r"n1\s+ready\s+100\s+web ready")
        self.assertEqual(json.loads(self.good("ps", "--json"))[0]["nodes"][2]["name"], "n3")
        out = self.good("events", "--since", "1")
        self.assertEqual(out.count("\n"), 2)
        self.assertIn("1.500000  n1: node booting -> ready?[31m", out)
        lines = self.good("events", "--json", "--since", "1ns").strip().split("\n")
        self.assertEqual([json.loads(line)["n"] for line in lines], [1, 2])
        self.refused(2, "how long ago: 10s", "events", "--since", "yesterday")
        lines = self.good("events", "--json").strip().split("\n")
        self.assertEqual([json.loads(line)["n"] for line in lines], [0, 1, 2])

    def test_a_dead_lab_leaves_its_journal_and_logs(self):
        lab = self.lab()
        os.makedirs(lab.run_dir + "/logs")
        for name, text in (("logs/n1.web.log", "one\n"), ("logs/n1.db.log", "two\n"),
                           ("logs/n10.web.log", "not mine\n"),
                           ("plan.json", '{"nodes": [{"name": "n1"}, {"name": "n10"}]}'),
                           ("journal.jsonl", '{"n":0,"t":0,"event":"lab"}\n{"n":1,"t"')):
            with open(lab.run_dir + "/" + name, "w") as file:
                file.write(text)
        lab.die()
        self.assertIn("lab", self.good("events"))
        self.assertEqual(self.good("logs", "n1"), "db  | two\nweb | one\n")
        self.assertEqual(self.good("logs", "n1", "web"), "one\n")
        self.refused(1, r'no service "wbe"; there is:', "logs", "n1", "wbe")
        self.assertEqual(self.good("logs", "n1,n10"),
                         "n1 db   | two\nn1 web  | one\nn10 web | not mine\n")
        self.assertEqual(self.good("logs", "all", "db"), "two\n")
        self.refused(1, r'no service "wbe"', "logs", "n1,n10", "wbe")

    def test_logs_follow_until_the_lab_goes(self):
        lab = self.lab()
        os.makedirs(lab.run_dir + "/logs")
        path = lab.run_dir + "/logs/n1.web.log"
        open(path, "w").close()
        client = subprocess.Popen([NETLAB, "logs", "-f", "n1"], env=self.env,
                                  stdout=subprocess.PIPE)
        with open(path, "a") as file:
            file.write("late\n")
        self.assertEqual(client.stdout.readline(), b"late\n")
        lab.die()
        self.assertEqual(client.wait(timeout=10), 0)
        client.stdout.close()

    def test_check_and_graph(self):
        good = {"nodes": {"a": {}, "b": {}}, "links": [{"endpoints": ["a", "b"]}]}
        for name, text in (("good.json", json.dumps(good)), ("bad.json", '{"nodse":{}}')):
            with open(self.tmp + "/" + name, "w") as file:
                file.write(text)
        self.assertIn("2 machines, 1 link,", self.good("check", "good.json"))
        self.refused(1, r'bad.json:1:\d+: error: .*"nodes"', "check", "good.json", "bad.json")
        plan = json.loads(self.good("check", "--expand", "-n", "other", "good.json"))
        self.assertEqual(plan["name"], "other")
        both = json.loads(self.run_it("check", "--json", "good.json", "bad.json").stdout)
        self.assertEqual([one["ok"] for one in both], [True, False])
        self.assertRegex(self.good("graph", "good.json"), r'(?s)^graph "good" \{.*"node a" -- ')
        self.refused(1, r"error", "up", "bad.json")
        self.refused(2, r"real or virtual", "up", "--clock", "sun", "good.json")
        self.refused(2, r"--clock virtual", "up", "--pace", "1", "good.json")
        for pace in ("0", "-1", "1.", "1.0001", "1001", "fast", ".5"):
            self.refused(2, r"write max", "up", "--clock", "virtual", "--pace", pace,
                         "good.json")
        self.refused(2, r"--timeout", "up", "--timeout", "5", "good.json")
        self.refused(2, r"whole number", "up", "--seed", "x", "good.json")
        self.refused(2, r"whole number", "up", "--seed", "9223372036854775808", "good.json")


class CompletionTest(Case):
    def words(self, line, breaks="", shell="bash"):
        out = self.good("__complete", shell, breaks, line)
        return [one.split("\t")[0] for one in out.splitlines()]

    def test_words_of_the_table_and_of_the_lab(self):
        self.lab()
        self.assertIn("exec", self.words("netlab e"))
        self.assertEqual(self.words("netlab fau"), ["fault"])
        self.assertEqual(self.words("netlab fault "), ["set", "clear", "ls"])
        self.assertEqual(self.words("netlab exec n1,"), ["n1,n1", "n1,n2", "n1,n3"])
        self.assertEqual(self.words("netlab shell "), ["n1", "n2", "n3"])
        self.assertEqual(self.words("netlab -l "), ["fake"])
        self.assertIn("backup", self.words("netlab fault set b"))
        self.assertIn("n1--n2", self.words("netlab fault set n1-"))
        self.assertIn("delay=", self.words("netlab fault set backup d"))
        self.assertEqual(self.words("netlab capture n2:", ":="), ["eth0"])
        self.assertEqual(self.words("netlab logs n1 "), ["web", "console"])
        self.assertEqual(self.words("netlab check --e"), ["--expand"])
        self.assertEqual(self.words("netlab up --kernel "), ["packaged", ":files"])
        self.assertEqual(self.words("netlab up --out "), [":folders"])
        self.assertEqual(self.words("netlab heal x"), [])
        self.assertEqual(self.words("netlab heal "), ["p1"])
        self.assertEqual(self.words("netlab partition m"),
                         ["minority", "majority", "majorities-ring"])
        self.assertEqual(self.words("netlab partition l"), ["ls"])
        self.assertEqual(self.words("netlab partition n1|n2"), ["n1|n2"])

    def test_without_a_lab_there_is_nothing_and_no_error(self):
        self.assertEqual(self.words("netlab shell "), [])

    def test_bash_completes(self):
        self.lab()
        script = ('source <("$NETLAB" completion bash); PATH=${NETLAB%/*}:$PATH\n'
                  'COMP_LINE="netlab capture n2:e" COMP_POINT=19\n'
                  'COMP_WORDS=(netlab capture n2 : e) COMP_CWORD=4\n'
                  '_netlab 2>/dev/null; echo "${COMPREPLY[@]}"\n')
        done = subprocess.run(["bash", "-c", script], env=dict(self.env, NETLAB=NETLAB),
                              capture_output=True, timeout=30)
        self.assertEqual(done.stdout, b"eth0\n", done.stderr)

    def test_scripts_parse(self):
        for shell in ("bash", "zsh", "fish"):
            text = self.good("completion", shell)
            if shutil.which(shell):
                done = subprocess.run([shell, "-n"], input=text.encode(), capture_output=True)
                self.assertEqual(done.returncode, 0, done.stderr)


class ManPageTest(Case):
    def test_the_commands_are_those_of_the_table(self):
        page = os.path.join(os.path.dirname(__file__), "../../docs/netlab.1")
        with open(page) as file:
            text = file.read()
        between = re.search(r'\.\\" COMMANDS begin.*?\n(.*?)\.\\" COMMANDS end', text, re.S)
        self.assertEqual(between.group(1), self.good("__man"),
                         "write it with tests/cli/man_page")

    @unittest.skipUnless(shutil.which("mandoc"), "no mandoc")
    def test_mandoc_has_nothing_to_say(self):
        page = os.path.join(os.path.dirname(__file__), "../../docs/netlab.1")
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page],
                              capture_output=True)
        self.assertEqual(done.stdout, b"")


if __name__ == "__main__":
    unittest.main(warnings="ignore")
