#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shell and console: a real terminal, driven through a pty as a person would."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import harness
from harness import Failed, check, equal

TOPOLOGY = {
    "name": "shell",
    "nodes": {"n": {"count": 2}},
    "links": [{"endpoints": ["n1", "n2"]}],
}


class Terminal:
    """netlab with a terminal of its own, and what has appeared on it."""

    def __init__(self, home, *args, rows=24, cols=80):
        self.mine, theirs = pty.openpty()
        self.resize(rows, cols, None)
        self.process = subprocess.Popen(
            [harness.NETLAB, *args], stdin=theirs, stdout=theirs, stderr=theirs,
            env=home.env, cwd=home.folder, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        home.started.append(self.process)
        os.close(theirs)
        self.text = ""
        self.mark = 0

    def resize(self, rows, cols, process):
        fcntl.ioctl(self.mine, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        if process:
            process.send_signal(signal.SIGWINCH)

    def type(self, text):
        self.mark = len(self.text)
        os.write(self.mine, text.encode())

    def see(self, pattern, timeout=20):
        """Wait until what appeared since the last type() matches."""
        end = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.text[self.mark:])
            if match:
                return match
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.mine], [], [], left)[0]:
                raise Failed(f"no {pattern!r} on the terminal: {self.text[self.mark:]!r}")
            try:
                data = os.read(self.mine, 65536)
            except OSError:  # the other side is closed
                data = b""
            if not data:
                raise Failed(f"end, but no {pattern!r}: {self.text[self.mark:]!r}")
            self.text += data.decode(errors="replace")

    def end(self, timeout=20):
        """Read to the end; returns the exit status."""
        while True:
            if not select.select([self.mine], [], [], timeout)[0]:
                raise Failed(f"no end: {self.text[self.mark:]!r}")
            try:
                data = os.read(self.mine, 65536)
            except OSError:
                break
            if not data:
                break
            self.text += data.decode(errors="replace")
        return self.process.wait(timeout)


def shell(home, lab, **options):
    terminal = Terminal(home, "-l", lab.name, "shell", "n1", **options)
    terminal.type("PS1='<''>'; unset PROMPT_COMMAND\r")
    terminal.see("<>")
    return terminal


def running(lab, name):
    """Wait until a program of that name runs in n1."""
    harness.wait_for(lambda: lab.netlab("exec", "n1", "--", "pgrep", "-x", name,
                                        want=None).returncode == 0, f"{name} to run")


def test_a_shell_is_on_a_terminal_of_the_right_size(home):
    lab = home.up(TOPOLOGY)
    t = shell(home, lab, rows=41, cols=101)
    t.type("tty; stty size; hostname; echo $TERM\r")
    t.see(r"/dev/pts/\d+\s+41 101\s+n1\s+xterm\s")
    # While bash itself reads, it sets the terminal to the size that it had just before.
    t.type("echo be''gun; until [ \"$(stty size)\" = '50 133' ]; do sleep 0.1; done; "
           "echo re''sized\r")
    t.see("begun")
    t.resize(50, 133, t.process)
    t.see("resized")
    t.type("exit 9\r")
    equal(t.end(), 9, "exit status")


def test_control_c_stops_the_command_and_not_the_shell(home):
    lab = home.up(TOPOLOGY)
    t = shell(home, lab)
    t.type("echo go''ing; sleep 1000\r")
    t.see("going")
    running(lab, "sleep")
    t.type("\x03")
    t.see("<>")
    t.type("echo status $?\r")
    t.see("status 130")
    t.type("echo again; sleep 1000\r")
    t.see("again\r?\n")
    running(lab, "sleep")
    t.type("\x1a")  # Ctrl-Z: job control works
    t.see("Stopped")
    t.type("kill %1; exit\r")
    t.type("exit\r")
    t.end()


def test_full_screen_programs(home):
    lab = home.up(TOPOLOGY)
    t = shell(home, lab, rows=30, cols=90)
    t.type("seq 1 500 >/tmp/long; less /tmp/long\r")
    t.see(r"\b29\r?\n")
    t.type("G")
    t.see(r"\b500\b")
    t.type("q")
    t.see("<>")
    t.type("top\r")
    t.see(r"PID.*COMMAND")
    t.type("q")
    t.see("<>")
    t.type("exit\r")
    equal(t.end(), 0)


def test_the_terminal_is_given_back_as_it_was(home):
    lab = home.up(TOPOLOGY)
    mine, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [harness.NETLAB, "-l", lab.name, "shell", "n1"], stdin=theirs, stdout=theirs,
        stderr=theirs, env=home.env, start_new_session=True)
    home.started.append(process)
    harness.wait_for(lambda: termios.tcgetattr(theirs) != before, "the raw terminal")
    process.terminate()
    process.wait(20)
    equal(termios.tcgetattr(theirs), before, "terminal settings after SIGTERM")
    os.close(mine)
    os.close(theirs)


def test_console_shows_what_is_printed(home):
    lab = home.up(TOPOLOGY)
    log = lab.run_dir / "consoles/n1.log"
    harness.wait_for(lambda: "n1 is up" in harness.read(log), "the console's log")
    t = Terminal(home, "-l", lab.name, "console", "n1")
    lab.exec("n1", "echo 'words for the con''sole' >/dev/console")
    t.see("words for the console")
    check("words for the console" in harness.read(log), "log")
    t.process.terminate()
    t.end()


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
