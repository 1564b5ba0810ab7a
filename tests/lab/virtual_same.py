#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a run in virtual time may not depend on: how fast requests come, who runs it,
and when its machines' root was put together.

RUNS in the environment is how often each scene is run (3).
Needs netlab's own kernel (see harness.own_kernel()).
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import harness
from harness import check, equal
from virtual import RUNS, digest, same, virtual

FOUR = {
    "name": "four", "seed": 1, "defaults": {"memory": "48M"}, "nodes": {"n[1-4]": {}},
    "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["n[1-4]"], "delay": "1ms"}},
}
# Names, inode numbers, links, owners, modes, sizes, all times, devices, where links lead.
STAT = ("find {} -xdev {} -printf '%p %i %n %U:%G %m %s %b %A@ %C@ %T@ %D %y %l\\n' 2>&1 "
        "| sort")
LOOKS = {
    "name": "looks", "seed": 1, "nodes": {"n1": {"memory": "128M", "run": [
        {"name": "owners", "cmd": "ls -ldn --full-time /home /var/tmp /mnt /media /srv / "
                                  "/bin /lib64 /root /lab /lab/* /dev/null; id"},
        {"name": "root", "cmd": STAT.format("/ /lab /dev /run /tmp", "-maxdepth 2")}]}},
}
MANY = ["exec", "-n", "n[1-4]", "--", "sh", "-c", "ping -c2 -i 0.2 n1 >/dev/null; echo $?"]


def at_once(*command, times=2):
    def scene(home):
        lab = virtual(home, FOUR)
        for _ in range(times):
            lab.netlab(*command)
        got = digest(lab)
        lab.down()
        return got
    return scene


def and_again(home, scene, hogs=True):
    """Always the same, and a replay of the last one is, too."""
    got = same(home, scene, hogs=hogs)
    said = json.loads(home.netlab("replay", home.out / "four-latest", "--json",
                                  timeout=120).stdout)
    equal((said["state"], said["digest"]), ("same", got["all"]), said)


def test_a_command_in_four_machines_at_once_is_the_same_again(home):
    and_again(home, at_once(*MANY))
    journal = [json.loads(line) for line in
               harness.read(home.out / "four-latest" / "journal.jsonl").splitlines()]
    began = [e["t"] for e in journal if e["event"] == "exec"]
    equal([began.count(t) for t in sorted(set(began))], [4, 4], "who began when", began)


def test_a_probe_of_who_hears_whom_is_the_same_again(home):
    and_again(home, at_once("matrix", "--probe"))


def test_a_probe_of_how_links_do_is_the_same_again(home):
    and_again(home, at_once("fidelity", "--probe", times=1), hogs=False)


def test_a_probe_in_a_lab_whose_time_stands_is_refused(home):
    lab = virtual(home, FOUR)
    lab.netlab("clock", "pause")
    for probe in "matrix", "fidelity":
        said = lab.netlab(probe, "--probe", want=1, timeout=20).stderr
        check("clock resume" in said, said)
    lab.netlab("clock", "resume")
    lab.netlab("matrix", "--probe")


def look(home):
    # The times of the topology's files are theirs.
    topology = home.topologies / "looks.json"
    if not topology.exists():
        home.write("looks.json", LOOKS)
    lab = virtual(home, topology)
    lab.netlab("clock", "step", "5s")
    got = digest(lab)
    lab.down()
    said = harness.read(lab.run_dir / "logs" / "n1.root.log")
    check(" / " in f" {said}" and said.count("\n") > 100, said[:2000])
    return got


def test_the_stat_of_everything_in_the_root_is_the_same_again(home):
    same(home, look)


DAY = {"name": "day", "seed": 1, "epoch": "2031-02-03T04:05:06",
       "nodes": {"a": {"memory": "48M"}}}


def test_a_lab_begins_on_the_day_that_is_said_and_so_does_its_replay(home):
    for args, day in (([], "2031-02-03T04:05"), (["--epoch", "2027-12-31"], "2027-12-31T00:00")):
        lab = virtual(home, DAY, *args)
        check(lab.exec("a", "date -u +%FT%H:%M").strip() == day, args)
        journal = lab.journal()
        check(all(e["wall"].startswith(day) for e in journal), journal[0])
        lab.down()
        said = home.netlab("replay", lab.run_dir, "--json", timeout=120).stdout
        equal(json.loads(said)["state"], "same", said)
    lab = virtual(home, DAY, "--epoch", "now")
    now = int(lab.exec("a", "date +%s"))
    check(abs(now - time.time()) < 600, now, time.time())
    lab.down()
    said = home.netlab("replay", lab.run_dir, "--json", timeout=120).stdout
    equal(json.loads(said)["state"], "same", said)
    for args, words in ((["--clock", "real", "--epoch", "2027-01-01"], "for --clock virtual"),
                        (["--clock", "virtual", "--epoch", "tomorrow"], "is no date")):
        said = home.netlab("up", home.topologies / "day.json", *args, want=2).stderr
        check(words in said, said)


@contextlib.contextmanager
def folder_of(uid):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nl.", dir="/tmp"))
    os.chown(folder, uid, uid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_user(uid, topology, folder, kernel):
    """The digest, and what the first service saw."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder),
           "XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
    runs = folder / "out"

    def run(*args):
        done = subprocess.run([harness.NETLAB, *args], env=env, cwd=folder, user=uid,
                              group=uid, extra_groups=[], capture_output=True, text=True,
                              timeout=120, stdin=subprocess.DEVNULL)
        equal(done.returncode, 0, args, done.stderr)
        return done.stdout

    run("up", topology, "--clock", "virtual", "--seed", "7", "--kernel", kernel, "--out",
        runs)
    try:
        run("clock", "step", "5s")
        return json.loads(run("clock", "--json"))["digest"]["all"], \
            harness.read(runs / "looks-latest" / "logs" / "n1.owners.log")
    finally:
        run("down")


def test_whoever_runs_it_it_is_the_same(home):
    """Root's machines are nobody's, a user's are the user's."""
    if os.geteuid() != 0:
        print("only root can be others")
        return
    # The topology's folder is shown as well, with files of one of them.
    topology = home.write("looks.json", LOOKS)
    home.folder.chmod(0o755)
    os.chown(home.write("theirs", "a file\n"), 61234, 61234)
    seen = {}
    with folder_of(0) as shared:
        shared.chmod(0o755)
        kernel = harness.copy_of_kernel(shared)
        for uid in RUNS * (0, 61234, 61235):
            with folder_of(uid) as folder:
                seen.setdefault(as_user(uid, topology, folder, kernel), []).append(uid)
    check(len(seen) == 1, "not one digest:", *(f"{said} {uids}\n{owners}\n" for
                                               (said, owners), uids in seen.items()))
    (said, owners), uids = seen.popitem()
    print(f"{len(uids)} runs of three users: {said}")
    check(all(line.split()[2:4] == ["0", "0"] for line in owners.splitlines()
              if line.startswith(("d", "-", "l"))), owners)


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
