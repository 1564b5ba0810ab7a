#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The benchmarks, which people run by hand: each still starts, measures for a moment and
ends well.  What they measure is nobody's verdict."""
import json
import pathlib
import subprocess

import harness
from harness import check

BUILD = pathlib.Path(harness.NETLAB).resolve().parents[2]
SCRIPTS = harness.ROOT / "bench"


def run(home, *command):
    """What it printed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=home.env, cwd=home.folder,
                          timeout=240)
    check(done.returncode == 0, *command, "ended with", done.returncode,
          done.stdout[-1000:], done.stderr[-2000:])
    check(done.stdout.strip(), *command, "printed nothing")
    return done.stdout


def test_bench_switch_counts_frames(home):
    said = json.loads(run(home, BUILD / "bench/bench_switch", "--rounds", 1, "--seconds", 1,
                          "--silent", 3, "--no-vde", "--json"))
    check(said["results"], said)


def test_bench_faults_compares_a_link_with_none(home):
    run(home, BUILD / "bench/bench_faults", "--rounds", 1, "--seconds", 1)


def test_bench_switch_core_times_each_case(home):
    run(home, BUILD / "bench/bench_switch_core", 1)  # million frames a case


def test_bench_delay_measures_lateness(home):
    run(home, BUILD / "bench/bench_delay", "--rounds", 1, "--seconds", 1, "--delay", 1,
        "--rate", 1000, "--no-vde")


def test_boot_times_a_machine_and_a_small_lab(home):
    if not harness.own_kernel():
        print("left out:", harness.NO_OWN_KERNEL)
        return
    said = json.loads(run(home, SCRIPTS / "boot", "--own", harness.own_kernel(), "--rounds",
                          1, "--nodes", 3, "--build", BUILD, "--json"))
    check(said["one"]["own"]["ready_s"] and said["many"][0]["nodes"] == 3, said)


def test_realtime_compares_two_netlabs(home):
    said = json.loads(run(home, SCRIPTS / "realtime", "--rounds", 1, "--seconds", 0.3,
                          "--netlab", harness.NETLAB, "--old", harness.NETLAB, "--guest",
                          BUILD / "bench/realtime_guest", "--json"))
    check({"call", "fault", "pipe", "share", "tcp"} <= said[0]["new"].keys(), said)


if __name__ == "__main__":
    raise SystemExit(harness.main(globals()))
