#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Labs that cannot come up say why, show the right console, and clean up."""
import json
import signal
import sys
import time

import harness
from harness import check, equal, wait_for


def fails(home, topology, *words, args=(), want=1, timeout=90):
    path = home.write("bad.json", {"name": "bad", **topology})
    begin = time.monotonic()
    done = home.netlab("up", path, "--out", home.out, *args, want=want, timeout=timeout)
    print(f"failed after {time.monotonic() - begin:.1f} s, as it should: "
          + done.stderr.strip().splitlines()[0])
    for word in words:
        check(word in done.stderr, f"no {word!r} in:\n{done.stderr}")
    home.check_nothing_left()
    equal(json.loads(home.netlab("ps", "--json").stdout), [], "labs that ps shows")
    return done


def service(cmd, timeout="60s"):
    return {"nodes": {"good": {}, "n": {"run": [
                {"name": "db", "cmd": cmd, "ready": {"tcp": 5432}, "timeout": timeout}]}},
            "links": [{"endpoints": ["good", "n"]}]}


def test_a_service_that_exits(home):
    fails(home, service("echo cannot open the database >&2; exit 3"),
          "n: service db: it ended with exit status 3 before it was ready",
          "cannot open the database")


def test_a_service_that_is_killed(home):
    fails(home, service("kill -9 $$"),
          "n: service db: it was ended by signal 9 (Killed) before it was ready")


def test_a_service_that_is_never_ready(home):
    fails(home, service("echo waiting for godot; sleep 1000", timeout="2s"),
          "db", "after 2s", "waiting for godot")


def test_a_kernel_that_is_not_there(home):
    fails(home, {"nodes": {"n": {}}}, "/no/such/kernel", args=["--kernel", "/no/such/kernel"])


def test_a_kernel_that_is_none(home):
    fails(home, {"nodes": {"n": {}}}, "/bin/true", args=["--kernel", "/bin/true"])


def test_too_little_memory(home):
    done = fails(home, {"nodes": {"n": {"memory": "8M"}}}, "n", want=None)
    check(done.returncode in (1, 2), done.returncode)


def test_a_file_that_is_not_there(home):
    fails(home, {"nodes": {"n": {"files": {"/etc/x": {"source": "gone.conf"}}}}},
          "gone.conf")


def test_interrupting_up_takes_the_lab_back(home):
    path = home.write("slow.json", {"name": "slow", **service("sleep 1000")})
    # At any moment: netlab itself, the lab's process, machines, and what runs in them.
    for processes in 1, 2, 3, 5:
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            process = home.start("up", path, "--out", home.out, text=True)
            wait_for(lambda: len(home.alive()) >= processes, "the lab to be under way",
                     every=0.001)
            process.send_signal(number)
            process.communicate(timeout=30)
            check(process.returncode != 0, "exit status after", number)
            home.check_nothing_left()


BAD_FILES = {
    "no JSON": ('{"name": "x", "nodes": {', ":1:"),
    "unknown key": ('{\n"name": "x",\n"nodes": {"n": {"memroy": "64M"}}}', "memory"),
    "bad unit": ('{"name": "x", "nodes": {"n": {"memory": 64}}}', "memory"),
    "dangling": ('{"name": "x", "nodes": {"n": {}},\n'
                 '"links": [{"endpoints": ["n", "m"]}]}', ":2:"),
    "a million": ('{"name": "x", "nodes": {"n": {"count": 1000000}}}', "count"),
    "duplicate": ('{"name": "x", "nodes": {"n": {}, "n": {}}}', "n"),
}


def test_bad_files(home):
    for what, (text, word) in BAD_FILES.items():
        path = home.write("bad.json", text)
        for command in (["check", path], ["up", path, "--out", home.out]):
            done = home.netlab(*command, want=1)
            check(f"{path}:" in done.stderr or "bad.json:" in done.stderr,
                  what, "file and line in:", done.stderr)
            check(word in done.stderr, what, done.stderr)
    for path in sorted(harness.TOPOLOGIES.glob("*.json")):
        home.netlab("check", path)
    done = home.netlab("check", "/no/such/file.json", want=1)
    check("/no/such/file.json" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
