#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything that a kernel of netlab's own has to offer, one probe after the other.

The list is features.py.  Each feature is one line of output; what failed is told with
the machine, the script's output and, if the machine did not survive it, its last words.
NETLAB_FEATURES picks some: words that a feature's name must contain, with commas.
NETLAB_FEATURES_FIRST is a script that every machine runs before, to try a kernel that
needs help (modprobe)."""
import os
import shutil
import subprocess
import sys

import features
import harness
from harness import Failed, check, equal, wait_for

PROBE = os.environ.get("NETLAB_PROBE") or str(harness.ROOT / "build/tests/lab_probe")
TOPOLOGY = {
    "name": "features", "seed": 1, "defaults": {"memory": "128M"},
    "nodes": {"a": {}, "b": {}},
    "links": [{"endpoints": [{"node": "a", "interface": "eth0", "ipv4": "10.0.0.1/24",
                              "ipv6": "fd00:1::1/64"},
                             {"node": "b", "interface": "eth0", "ipv4": "10.0.0.2/24",
                              "ipv6": "fd00:1::2/64"}]}],
}


def bring_up(home):
    path = home.write("features.json", TOPOLOGY)
    shutil.copy(PROBE, path.parent / "lab_probe")
    lab = home.up(str(path), *harness.own_kernel_args())
    if os.environ.get("NETLAB_FEATURES_FIRST"):
        lab.netlab("exec", "all", "--", "sh", "-c", os.environ["NETLAB_FEATURES_FIRST"],
                   want=None)
    return lab


def run_step(lab, node, script, seconds):
    """None, or what went wrong."""
    try:
        done = lab.netlab("exec", node, "--", "unshare", "--mount", "sh", "-c", script,
                          want=None, timeout=seconds)
    except Failed as e:
        return str(e)[:1500]
    if done.returncode == 0:
        return None
    return f"exit status {done.returncode}; it said:\n{(done.stdout + done.stderr)[-1500:]}"


def survivors(lab):
    return {n["name"] for n in lab.json("inspect")["nodes"] if n["state"] == "ready"}


def try_feature(lab, feature):
    """None, or a text that says which step failed of what."""
    for node, script in feature.steps:
        error = run_step(lab, node, script, feature.seconds)
        if error:
            text = script.replace(features.PRELUDE, "").strip()
            return f"in machine {node}:\n{text}\n-- {error.rstrip()}"
    return None


def wanted():
    words = [w for w in os.environ.get("NETLAB_FEATURES", "").lower().split(",") if w]
    return [f for f in features.FEATURES
            if not words or any(w in f.name.lower() for w in words)]


def test_every_feature(home):
    lab, failed, tried = bring_up(home), [], wanted()
    check(tried, "no feature is called so")
    for feature in tried:
        error = try_feature(lab, feature)
        if survivors(lab) != {"a", "b"}:
            gone = ", ".join({"a", "b"} - survivors(lab))
            last = "".join(harness.read(p)[-600:] for p in
                           sorted(lab.run_dir.glob("*/*console*")))
            error = f"{error or ''}\nmachine {gone} did not survive it:\n{last}"
            lab.down()
            lab = bring_up(home)
        if error:
            failed.append(feature.name)
            print(f"FAILED feature {feature.name}: {error}")
        else:
            print(f"ok feature {feature.name}")
    print(f"{len(tried) - len(failed)} of {len(tried)} features")
    equal(failed, [], "features that this kernel lacks or does wrong")


def test_a_watchdog_that_is_not_fed_ends_the_machine(home):
    lab = bring_up(home)
    bite = home.start("-l", lab.name, "exec", "a", "--", "/lab/lab_probe", "watchdog_bite",
                      "1")
    wait_for(lambda: survivors(lab) == {"b"}, "the watchdog to bite", timeout=15)
    out, err = bite.communicate(timeout=10)
    check(b"armed" in out and b"it did not bite" not in err, out, err)
    equal(lab.exec("b", "echo alive").strip(), "alive", "the other machine")


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
