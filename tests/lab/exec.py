#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exec: input, output, exit status, signals, several machines."""
import fcntl
import hashlib
import json
import os
import signal
import sys
import termios

import harness
from harness import check, equal, wait_for

TOPOLOGY = {
    "name": "exec",
    "nodes": {"n": {"count": 3}},
    "networks": {"lan": {"subnet": "10.2.0.0/24", "members": ["n[1-3]"]}},
}


def test_output_status_and_input(home):
    lab = home.up(TOPOLOGY)
    done = lab.netlab("exec", "n1", "--", "sh", "-c", "echo out; echo err >&2; exit 7",
                      want=7)
    equal((done.stdout, done.stderr), ("out\n", "err\n"), "streams")
    equal(lab.exec("n1", "true"), "")
    equal(lab.netlab("exec", "n1", "--", "cat", input="a line\n").stdout, "a line\n")
    # 3 MB of anything goes in and comes out as it was, past every window.
    blob = os.urandom(3_000_000)
    done = lab.netlab("exec", "n1", "--", "cat", input=blob, text=False)
    equal(hashlib.sha256(done.stdout).digest(), hashlib.sha256(blob).digest(), "3 MB")
    # Words are not split or expanded on the way.
    equal(lab.exec("n1", "printf", "%s|", "a b", "$HOME", "*", ""), "a b|$HOME|*||")
    # Without options to netlab, no -- is needed.
    equal(lab.netlab("exec", "n1", "echo", "-n", "x").stdout, "x")


def test_wrong_calls_say_what_is_wrong(home):
    lab = home.up(TOPOLOGY)
    done = lab.netlab("exec", "n9", "--", "true", want=None)
    check(done.returncode in (1, 2) and "n9" in done.stderr and "n1" in done.stderr,
          "unknown node:", done.returncode, done.stderr)
    done = lab.netlab("exec", "n1", "--", "/no/such/program", want=127)
    check("/no/such/program" in done.stderr, done.stderr)
    done = lab.netlab("exec", "n1", want=2)
    check(done.stderr, "a command is needed")


def test_several_machines_at_once(home):
    lab = home.up(TOPOLOGY)
    out = lab.exec("n1,n3", "hostname")
    check("n1" in out and "n3" in out and "n2" not in out, out)
    out = lab.exec("all", "hostname")
    check(all(out.count(n) >= 1 for n in ("n1", "n2", "n3")), out)
    # One that fails makes the whole fail.
    done = lab.netlab("exec", "all", "--", "sh", "-c", '[ "$(hostname)" != n2 ]', want=None)
    check(done.returncode not in (0, 2), "status", done.returncode)
    said = lab.netlab("exec", "--json", "all", "--", "sh", "-c", "hostname; exit 3",
                      want=None).stdout
    rows = json.loads(said)
    equal({r["node"] for r in rows}, {"n1", "n2", "n3"}, said)
    for row in rows:
        equal((row["exit"], row["stdout"]), (3, row["node"] + "\n"), "json")


def test_a_command_killed_by_a_signal(home):
    lab = home.up(TOPOLOGY)
    equal(lab.netlab("exec", "n1", "--", "sh", "-c", "kill -9 $$", want=None).returncode,
          137, "status")


def running(lab, pattern):
    # [x] keeps the pattern from finding the shell that looks for it
    script = f"grep -lz '[{pattern[0]}]{pattern[1:]}' /proc/[0-9]*/cmdline 2>/dev/null"
    return lab.exec("n1", script, want=None).split()


def test_signals_reach_the_command(home):
    lab = home.up(TOPOLOGY)
    script = "trap 'echo caught; exit 41' INT; echo ready; " \
        "while :; do sleep 0.1; done; : 98764"
    process = home.start("-l", lab.name, "exec", "n1", "--", "sh", "-c", script, text=True)
    equal(process.stdout.readline(), "ready\n")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    equal((out, process.returncode), ("caught\n", 41), err)
    # Who ends the client itself ends the command with it.
    process = home.start("-l", lab.name, "exec", "n1", "--", "sh", "-c", script, text=True)
    equal(process.stdout.readline(), "ready\n")
    process.terminate()
    out, err = process.communicate(timeout=20)
    equal(process.returncode, 128 + signal.SIGTERM, err)
    wait_for(lambda: not running(lab, "98764"), "the command to be hung up")


def test_a_dead_client_takes_its_command_with_it(home):
    lab = home.up(TOPOLOGY)
    process = home.start("-l", lab.name, "exec", "n1", "--", "sleep", "98765")
    wait_for(lambda: running(lab, "98765"), "the command to run")
    process.kill()
    process.wait()
    wait_for(lambda: not running(lab, "98765"), "the command to be hung up")


def test_a_slow_reader_holds_up_nobody_else(home):
    lab = home.up(TOPOLOGY)
    flood = home.start("-l", lab.name, "exec", "n1", "--", "cat", "/dev/zero")
    flood.stdout.read(1 << 20)  # and then no more
    equal(lab.exec("n1", "echo", "still here"), "still here\n")
    equal(lab.reaches("n1", ["n2", "n3"]), {"n2", "n3"})
    flood.kill()
    wait_for(lambda: not running(lab, "/dev/zero"), "the flood to end")


def test_a_client_that_cannot_write_ends_when_told(home):
    lab = home.up(TOPOLOGY)
    flood = home.start("-l", lab.name, "exec", "n1", "--", "cat", "/dev/zero")
    flood.stdout.read(1 << 20)  # and then no more
    # Full once what lies in the pipe no longer grows.
    seen = []
    def is_full():
        seen.append(fcntl.ioctl(flood.stdout, termios.FIONREAD, b"    "))
        return len(seen) > 5 and len(set(seen[-5:])) == 1
    wait_for(is_full, "the pipe to be full", every=0.1)
    flood.terminate()
    flood.wait(10)


def test_fifty_at_once(home):
    lab = home.up(TOPOLOGY)
    processes = [home.start("-l", lab.name, "exec", f"n{1 + i % 3}", "--", "sh", "-c",
                            f"echo {i}; exit {i}", text=True) for i in range(50)]
    for i, process in enumerate(processes):
        out, err = process.communicate(timeout=60)
        equal((out, process.returncode), (f"{i}\n", i), err)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
