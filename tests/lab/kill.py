#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of the lab, of machines and of clients, at random moments.

After each: ps tells the truth, down clears everything, the next up works.  The
moments come from a seed, NETLAB_KILL_SEED (1); NETLAB_KILL_ROUNDS is their number.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import Failed, check, equal, wait_for

ROUNDS = int(os.environ.get("NETLAB_KILL_ROUNDS", "20"))
SEED = int(os.environ.get("NETLAB_KILL_SEED", "1"))
PHASES = ("up", "traffic", "down")
VICTIMS = ("lab", "guest", "client")


def labs(home):
    """{name: row} of `ps --json`, which must always work."""
    return {row["lab"]: row for row in json.loads(home.netlab("ps", "--json").stdout)}


def lab_pid(home, name):
    path = home.runtime / "netlab" / name / "lab.json"
    with contextlib.suppress(ValueError):
        return json.loads(harness.read(path) or "{}").get("pid")


def strike(home, victim, process, name):
    """Kill one; returns what was killed, or None if there was nothing to kill."""
    pid = None
    if victim == "client":
        pid = process.pid if process and process.poll() is None else None
    elif victim == "lab":
        pid = lab_pid(home, name)
    else:
        found = harness.kernels(home.alive())
        pid = random.choice(found) if found else None
    if not pid:
        return None
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return pid
    return None


def truth(home, name, struck):
    """What ps says of the lab agrees with /proc."""
    def agrees():
        row, pid = labs(home).get(name), lab_pid(home, name)
        found = harness.process_state(pid) if pid else None
        lives = found is not None and found[1] not in "ZX"
        if row is None:
            return not lives and not (home.runtime / "netlab" / name).exists()
        return lives == (row["state"] != "dead")

    wait_for(agrees, f"ps to agree with /proc about {name}, after {struck}", timeout=15)


def one_round(home, takes, phase, victim, moment):
    name = "victim"
    struck = f"kill -9 of {victim} during {phase} at {moment:.3f}"
    process = home.start("up", harness.TOPOLOGIES / "triangle.json", "--name", name,
                         "--out", home.out)
    if phase == "up":
        time.sleep(moment * takes["up"])  # a moment is what this is about
        killed = strike(home, victim, process, name)
    else:
        out, err = process.communicate(timeout=90)
        check(process.returncode == 0, struck, err.decode())
        if phase == "traffic":
            traffic = home.start("-l", name, "exec", "n1", "--", "ping", "-i0.01", "n2",
                                 stdout=subprocess.DEVNULL)
            time.sleep(moment)
            killed = strike(home, victim, traffic, name)
        else:
            down = home.start("down", name)
            time.sleep(moment * takes["down"])
            killed = strike(home, victim, down, name)
            if victim != "client":
                wait_for(lambda: down.poll() is not None, f"down to end after {struck}", 60)
    struck += f" (pid {killed})" if killed else " (nothing there to kill)"
    truth(home, name, struck)
    if victim == "guest" and killed and phase == "traffic":
        row = labs(home).get(name)
        check(row and row["state"] == "running", struck, "the lab goes on:", row)

        def ready():
            nodes = json.loads(home.netlab("-l", name, "inspect", "--json").stdout)["nodes"]
            return [n["state"] for n in nodes].count("ready")

        # A process that is killed takes a moment to be gone.
        wait_for(lambda: ready() == 2, f"one machine less after {struck}", 10)
    for other in home.started:
        if other.poll() is None and other is not process:
            other.terminate()
    home.netlab("down", "--all", timeout=60)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=60)
    check(process.poll() is not None, struck, "up did not end")
    # A lab that had not begun when the others were ended has come up since.
    if not killed:
        home.netlab("down", "--all", timeout=60)
    try:
        home.check_nothing_left(patience=10)
    except Failed as e:
        raise Failed(f"{struck}: {e}")
    equal(labs(home), {}, struck)
    return struck


def test_twenty_random_moments(home):
    random.seed(SEED)
    begin = time.monotonic()
    lab = home.up("triangle.json", name="victim")
    middle = time.monotonic()
    lab.down()
    takes = {"up": middle - begin, "down": time.monotonic() - middle}
    cases = [(phase, victim) for phase in PHASES for victim in VICTIMS]
    for i in range(ROUNDS):
        phase, victim = cases[i] if i < len(cases) else random.choice(cases)
        print(f"{i + 1}/{ROUNDS}:", one_round(home, takes, phase, victim, random.random()))
    lab = home.up("triangle.json", name="victim")
    equal(lab.reaches("n1", ["n2", "n3"]), {"n2", "n3"}, "the next lab")


def test_a_lab_whose_runtime_folder_is_removed_ends_and_says_why(home):
    """As the last logout does it; otherwise nobody could ever end it."""
    lab = home.up("triangle.json")
    [run] = home.out.glob("triangle-2*")
    shutil.rmtree(home.runtime / "netlab")
    wait_for(lambda: not home.alive(), "the lab ends", 30)
    last = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    check(any("was removed" in str(entry.get("why", entry.get("reason", "")))
              for entry in last), last[-5:])
    equal(labs(home), {})


def test_everything_at_once(home):
    """The whole lab and all its machines, as when memory runs out."""
    lab = home.up("triangle.json")
    for pid in home.alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not home.alive(), "all to be gone")
    equal(labs(home)[lab.name]["state"], "dead", "ps")
    done = home.netlab("exec", "n1", "--", "true", want=None)
    check(done.returncode in (1, 2) and "down" in done.stderr, "exec:", done.stderr)
    # A dead lab is in nobody's way: up clears it by itself.
    again = home.up("triangle.json")
    equal(again.reaches("n1", ["n2"]), {"n2"})


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
