#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a machine's kernel keeps of its programs' registers, and how many programs it
bears: the packaged kernel, and netlab's own if there is one.

tests/guest/cpu*.c say what each does.  The widest registers of the processor are what is
tried; the output says which those are."""
import os
import re
import shutil
import subprocess
import sys

import harness
from harness import check, equal

CPU = os.environ.get("NETLAB_CPU") or str(harness.ROOT / "build/tests/lab_cpu")
PROCESSES, CHILDREN = 32, 40


def up(home, kernel):
    path = home.write("cpu.json", {"name": "cpu", "nodes": {"n": {"memory": "192M"}}})
    shutil.copy(CPU, path.parent / "lab_cpu")
    return home.up(str(path), "--kernel", kernel)


def run(lab, *args, timeout=120):
    said = lab.exec("n", "/lab/lab_cpu", *map(str, args), timeout=timeout)
    print(said.rstrip())
    return said


def run_switches(lab, *options):
    """options: of lab_cpu, and of its test."""
    before = [o for o in options if o.startswith("--")]
    after = [o for o in options if not o.startswith("--")]
    said = run(lab, *before, "switches", 8, 4, 4000, *after)
    check(int(re.search(r"(\d+) rounds", said).group(1)) > 500, "too few rounds:", said)


def keeps_all(kernel):
    """Linux before 6.13 returns from a signal handler with the lower halves of the AVX-512
    registers only: what a handler puts into the rest, the program finds there."""
    release = subprocess.run([kernel, "--version"], capture_output=True, text=True,
                             check=True).stdout
    return tuple(map(int, release.split(".")[:2])) >= (6, 13)


def vectors(home, kernel):
    lab = up(home, kernel)
    widest = run(lab, "widest").strip()
    on_host = harness.read("/proc/cpuinfo")
    if "avx512bw" in on_host:
        equal(widest, "AVX-512", "the widest registers that a program sees")
    elif "avx2" in on_host:
        equal(widest, "AVX2", "the widest registers that a program sees")
    if keeps_all(kernel):
        run_switches(lab)
    else:
        run_switches(lab, "still")
        run_switches(lab, "--avx2")


def frames(home, kernel):
    lab = up(home, kernel)
    said = run(lab, *([] if keeps_all(kernel) else ["--avx2"]), "frames", 4000)
    check(int(re.search(r"(\d+) timer signals", said).group(1)) > 50, "too few signals")
    if keeps_all(kernel):
        faults, extended = re.search(r"(\d+) faults .* frame of (\d+)", said).groups()
        equal(extended, faults, "frames with extended state")


def threads(home, kernel):
    run(up(home, kernel), "threads")


def forks(home, kernel):
    lab = up(home, kernel)
    run(lab, "forks", PROCESSES, CHILDREN, timeout=200)
    zombies = lab.exec("n", "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null || true")
    equal(zombies, "", "zombies")


def tests():
    kernels = [("packaged", harness.PACKAGED_KERNEL), ("own", harness.own_kernel())]
    promises = [("vector_registers_survive_context_switches", vectors),
                ("signal_frames_hold_all_registers", frames), ("threads_work", threads),
                ("fork_heavy_processes_lose_nobody", forks)]
    for which, kernel in kernels:
        if not kernel or not os.path.exists(kernel):
            print(f"not tried: the {which} kernel, which is not there")
            continue
        for name, promise in promises:
            yield f"test_{name}_{which}", \
                lambda home, p=promise, k=kernel: p(home, k)


if __name__ == "__main__":
    sys.exit(harness.main(dict(tests())))
