#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is kept of a run: a machine cannot fill the disk, and what a disk does not take is told
everywhere and called incomplete.
"""
import json
import os
import re
import resource
import shutil
import sys

import harness
import pcapng
from harness import check, equal, wait_for

PAIR = {"name": "pair", "seed": 7, "defaults": {"memory": "64M"},
        "nodes": {"a": {"run": [{"name": "s", "cmd": "sleep 100000"}]}, "b": {}},
        "links": [{"name": "w", "endpoints": ["a", "b"], "delay": "1ms"}]}

# Root in a machine takes the agent's connection and speaks in its place.
FLOOD = r"""
import ctypes, os, select, struct
pidfd = os.pidfd_open(1)
port = [f for f in os.listdir('/proc/1/fd') if 'vport' in os.readlink('/proc/1/fd/' + f)][0]
fd = ctypes.CDLL(None).syscall(438, pidfd, int(port), 0)
assert fd >= 0, 'pidfd_getfd'
body = b'{"name":"s","state":"ready"}'
some = (struct.pack('<IHHI', len(body), 6, 0, 0) + body) * 700
left = MEGABYTES << 20
while left > 0:
    try:
        assert os.write(fd, some) == len(some)
        left -= len(some)
    except BlockingIOError:
        select.select([], [fd], [])
"""


def size_of(lab, name):
    return os.path.getsize(lab.run_dir / name)


def flood(home, lab, megabytes):
    (home.topologies / "flood.py").write_text(FLOOD.replace("MEGABYTES", str(megabytes)))
    lab.exec("a", "python3 /lab/flood.py", timeout=120)


def test_root_in_a_machine_cannot_fill_the_journal(home):
    lab = home.up(PAIR)
    check("says more" not in lab.netlab("ps").stderr, "nothing is left out yet")
    flood(home, lab, 8)
    check(size_of(lab, "journal.jsonl") < 1 << 20, size_of(lab, "journal.jsonl"))
    said = [e for e in lab.journal() if e["event"] == "left-out"]
    equal([(e["node"], e["file"]) for e in said], [("a", "journal.jsonl")], said)
    nodes = {n["name"]: n for n in lab.json("ps")[0]["nodes"]}
    check(nodes["a"]["left_out"]["messages"] > 150_000, nodes["a"])
    check("left_out" not in nodes["b"], nodes["b"])
    check(re.search(r"a says more than is kept: \d{6} messages", lab.netlab("ps").stderr),
          lab.netlab("ps").stderr)
    # Everything else goes on, and is told.
    equal(lab.exec("b", "echo alive"), "alive\n")
    equal([e["node"] for e in lab.journal() if e["event"] == "exec"], ["a", "b"])
    lab.exec("a", "poweroff -f", want=None)
    wait_for(lambda: "node-gone" in [e["event"] for e in lab.journal()], "its end")
    gone = [e for e in lab.journal() if e["event"] == "node-gone"][0]
    equal(gone["left_out"], nodes["a"]["left_out"]["messages"], gone)
    lab.down()


def test_a_log_takes_no_more_than_it_may(home):
    document = {**PAIR, "nodes": {"a": {"run": [{"name": "s", "cmd": "yes; sleep 100000"}]}}}
    del document["links"]
    lab = home.up(document)
    wait_for(lambda: "left-out" in [e["event"] for e in lab.journal()], "it to be full",
             timeout=120, every=0.3)
    text = harness.read(lab.run_dir / "logs/a.s.log")
    check(len(text) <= (64 << 20) + 100 and
          text.endswith("[netlab: this log is full; the rest is not kept]\n"), len(text))
    wait_for(lambda: lab.json("ps")[0]["nodes"][0]["left_out"]["log_bytes"], "more of it")
    lab.down()


# ---- a disk that takes no more ------------------------------------------------


def told(home, lab, why):
    """By the next command, by ps, and by down."""
    said = lab.netlab("exec", "a", "--", "true").stderr
    check(re.search("the record of this run is incomplete: " + why, said), said)
    done = lab.netlab("ps")
    check(re.search("record of pair's run is incomplete: " + why, done.stderr), done.stderr)
    check(re.search(why, lab.json("ps")[0]["record_lost"]), lab.json("ps"))
    done = home.netlab("down", "pair", want=1)
    check(re.search("the record of its run is incomplete: " + why, done.stderr), done.stderr)
    check("pair is down" in done.stdout, done.stdout)


def all_is_whole(run):
    """Each file ends with a whole record."""
    text = harness.read(run / "journal.jsonl")
    check(text.endswith("\n"), "the journal ends with", text[-80:])
    numbers = [json.loads(line)["n"] for line in text.splitlines()]
    equal(numbers, list(range(len(numbers))), "entries")
    if (run / "frames.bin").exists():
        equal((os.path.getsize(run / "frames.bin") - 16) % 24, 0, "bytes of a frame too many")
    for path in (run / "captures").glob("*"):
        check(pcapng.Capture(path).frames, path)


def test_a_run_directory_that_was_removed(home):
    lab = home.up(PAIR)
    shutil.rmtree(lab.run_dir)
    told(home, lab, "the run directory was removed")


def test_files_that_may_not_grow(home):
    """As a full disk takes the first part of a line: `ulimit -f`."""
    lab = home.up(PAIR)
    resource.prlimit(lab.state()["pid"], resource.RLIMIT_FSIZE,
                     (size_of(lab, "journal.jsonl") + 300, resource.RLIM_INFINITY))
    run = lab.run_dir
    for _ in range(3):
        lab.exec("a", "true")
    told(home, lab, "journal.jsonl: File too large")
    all_is_whole(run)


def on_a_disk(home, make, spoil):
    """A lab in virtual time on a file system of its own, which at some time takes no more.
    What was said and left is in home.folder / "said"; None: this host cannot do it."""
    said = home.folder / "said"
    disk = home.folder / "disk"
    said.mkdir()
    disk.mkdir()
    home.write("pair.json", PAIR)
    script = home.folder / "scene"
    script.write_text(f"""
        N={harness.NETLAB} D={disk} S={said}
        {make} || exit 9
        $N up {home.topologies}/pair.json --clock virtual -C w --out $D \\
            --kernel {harness.own_kernel()} >$S/up 2>&1 || exit 1
        $N exec a -- ping -q -c3 b >/dev/null || exit 1
        {spoil} || {{ $N down pair; exit 9; }}
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
            $N exec a -- ping -q -c3 b >/dev/null 2>$S/exec
            grep -q incomplete $S/exec && break
        done
        $N ps >/dev/null 2>$S/ps
        $N ps --json >$S/ps.json
        $N down pair >$S/down 2>&1
        echo $? >$S/down.status
        cp -r $D/pair-latest/. $S/run
        $N replay $S/run --json >$S/replay.json 2>$S/replay
        echo $? >$S/replay.status
    """)
    # Root's labs want root's ids; an ordinary user mounts in a user namespace.
    spaces = ["-m"] if os.geteuid() == 0 else ["-U", "-r", "-m"]
    done = home.sh('exec unshare "$@"', "-", *spaces, "sh", script, timeout=200)
    if done.returncode == 9 or "unshare" in done.stderr:
        print("left out: this host cannot mount that:", done.stderr.strip())
        return None
    equal(done.returncode, 0, done.stdout, done.stderr, *map(harness.read, said.glob("*")))
    return said


def holds(said, why):
    check(re.search("the record of this run is incomplete: " + why, harness.read(said / "exec")),
          harness.read(said / "exec"))
    check(re.search("record of pair's run is incomplete: " + why, harness.read(said / "ps")),
          harness.read(said / "ps"))
    check(re.search(why, json.loads(harness.read(said / "ps.json"))[0]["record_lost"]))
    equal(harness.read(said / "down.status"), "1\n")
    check(re.search("the record of its run is incomplete: " + why, harness.read(said / "down")),
          harness.read(said / "down"))
    replay = json.loads(harness.read(said / "replay.json"))
    equal((harness.read(said / "replay.status"), replay["state"], replay["ok"]),
          ("1\n", "incomplete", False), replay)
    all_is_whole(said / "run")


def test_a_full_disk(home):
    if not harness.own_kernel():
        print("left out:", harness.NO_OWN_KERNEL)
        return
    said = on_a_disk(home, "mount -t tmpfs -o size=4m none $D",
                     "dd if=/dev/zero of=$D/fill bs=4k 2>/dev/null; true")
    if said:
        holds(said, ".*: No space left on device")


def test_a_disk_that_becomes_read_only(home):
    """As after an error of the disk: also for files that are open."""
    if not harness.own_kernel():
        print("left out:", harness.NO_OWN_KERNEL)
        return
    said = on_a_disk(
        home, "truncate -s 32M $D.img && mkfs.ext4 -q $D.img && "
        "mount -o loop,errors=remount-ro $D.img $D && chmod 755 $D",
        "dev=$(findmnt -n -o SOURCE $D) && "
        "echo 1 >/sys/fs/ext4/${dev##*/}/trigger_fs_error")
    if said:
        holds(said, ".*: Read-only file system")


def test_a_folder_to_which_nothing_can_be_added(home):
    """What is open goes on, but the end of a run in virtual time is a file of its own."""
    if not harness.own_kernel():
        print("left out:", harness.NO_OWN_KERNEL)
        return
    lab = home.up(PAIR, "--clock", "virtual", *harness.own_kernel_args())
    lab.exec("a", "ping -q -c3 b")
    run = lab.run_dir
    if os.geteuid() == 0:
        if home.sh('chattr +i "$1"', "-", run).returncode:
            print("left out: this file system knows no chattr +i")
            lab.down()
            return
        try:
            told(home, lab, "the run directory cannot be written to: Operation not permitted|"
                 "digest.json: Operation not permitted")
        finally:
            home.sh('chattr -i "$1"', "-", run)
        all_is_whole(run)
        replay = json.loads(home.netlab("replay", run, "--json", want=1, timeout=120).stdout)
        equal((replay["state"], "digest.json" in replay["incomplete"]), ("incomplete", True),
              replay)
    else:
        # Its owner's lab is not kept out by the mode: nothing is missing, nothing is told.
        run.chmod(0o500)
        try:
            equal(lab.netlab("exec", "a", "--", "true").stderr, "")
            lab.down()
        finally:
            run.chmod(0o700)
        all_is_whole(run)
        replay = json.loads(home.netlab("replay", run, "--json", timeout=120).stdout)
        equal(replay["state"], "same", replay)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
