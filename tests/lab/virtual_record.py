#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is kept of a run in virtual time when its disk takes no more: it is told everywhere,
and a replay calls the run incomplete.  Needs netlab's own kernel."""
import json
import os
import re
import sys

import harness
from harness import check, equal
from record import PAIR, all_is_whole, told


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
    said = on_a_disk(home, "mount -t tmpfs -o size=4m none $D",
                     "dd if=/dev/zero of=$D/fill bs=4k 2>/dev/null; true")
    if said:
        holds(said, ".*: No space left on device")


def test_a_disk_that_becomes_read_only(home):
    """As after an error of the disk: also for files that are open."""
    said = on_a_disk(
        home, "truncate -s 32M $D.img && mkfs.ext4 -q $D.img && "
        "mount -o loop,errors=remount-ro $D.img $D && chmod 755 $D",
        "dev=$(findmnt -n -o SOURCE $D) && "
        "echo 1 >/sys/fs/ext4/${dev##*/}/trigger_fs_error")
    if said:
        holds(said, ".*: Read-only file system")


def test_a_folder_to_which_nothing_can_be_added(home):
    """What is open goes on, but the end of a run in virtual time is a file of its own."""
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
    sys.exit(harness.main(globals(), needs_own_kernel=True))
