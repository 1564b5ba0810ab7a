#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A redis primary and two replicas, as Debian ships them, through a partition."""
import subprocess
import sys

import harness
from harness import check, equal, wait_for


def redis(lab, node, *words, want=0):
    return lab.exec(node, "redis-cli", *words, want=want).strip()


def write(lab, node, value, replicas, wait_ms):
    """set, and how many replicas confirm: WAIT means its own connection's writes."""
    said = lab.netlab("exec", node, "--", "redis-cli",
                      input=f"set k {value}\nwait {replicas} {wait_ms}\n").stdout.split()
    equal(said[0], "OK", "set")
    return int(said[1])


def info(lab, node):
    return dict(line.split(":", 1) for line in
                redis(lab, node, "info", "replication").splitlines() if ":" in line)


def tshark(path, *args):
    done = subprocess.run(["tshark", "-n", "-r", str(path), *args], capture_output=True,
                          text=True, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent",
                                          "LANG": "C.UTF-8"})
    check(done.returncode == 0, "tshark:", done.stderr)
    return done.stdout


def roles(lab):
    """(primary, [replicas]) by asking each machine that runs redis."""
    seen = {}
    for node in sorted(n["name"] for n in lab.json("inspect")["nodes"]):
        done = lab.netlab("exec", node, "--", "redis-cli", "role", want=None)
        if done.returncode == 0 and done.stdout.strip():
            seen[node] = done.stdout.split()[0]
    primary = [n for n, role in seen.items() if role == "master"]
    replicas = [n for n, role in seen.items() if role == "slave"]
    equal((len(primary), len(replicas)), (1, 2), f"roles {seen}")
    return primary[0], replicas


def test_partition_and_heal(home):
    topology = sorted(harness.TOPOLOGIES.glob("redis*.json"))[0]
    lab = home.up(str(topology))
    primary, replicas = roles(lab)
    wait_for(lambda: info(lab, primary)["connected_slaves"] == "2", "both replicas")
    path = home.folder / "redis.pcapng"
    with lab.capture("all", path, "-f", "tcp port 6379"):
        equal(write(lab, primary, "before", 2, 10000), 2, "replicas that have it")
        for replica in replicas:
            equal(redis(lab, replica, "get", "k"), "before", replica)

        lab.netlab("partition", f"{primary}|{','.join(replicas)}")
        # A client on the primary's side still writes; nobody confirms.
        equal(write(lab, primary, "during", 1, 1500), 0, "replicas that confirm")
        # A client on the other side reads what was.
        for replica in replicas:
            equal(redis(lab, replica, "get", "k"), "before", replica)
        equal(lab.reaches(replicas[0], [primary], wait=1), set(), "across the cut")
        equal(lab.reaches(replicas[0], replicas), set(replicas), "on one side")

        lab.netlab("heal")
        for replica in replicas:
            wait_for(lambda: redis(lab, replica, "get", "k") == "during",
                     f"{replica} to catch up", timeout=60)
            equal(info(lab, replica)["master_link_status"], "up", replica)
        equal(write(lab, primary, "after", 2, 30000), 2, "replicas after heal")
    seen = tshark(path, "-T", "fields", "-e", "frame.interface_name", "-e",
                  "frame.comment", "-e", "frame.time_epoch")
    rows = [row.split("\t") for row in seen.splitlines()]
    cut = [float(r[2]) for r in rows if r[1].endswith("cut: partition p1")]
    passed = [float(r[2]) for r in rows if "cut:" not in r[1]]
    check(cut, "tshark shows no frame that the partition cut")
    check(any(t < cut[0] for t in passed), "no frame before the cut")
    check(any(t > cut[-1] for t in passed), "no frame after the heal")
    events = [e["event"] for e in lab.journal()]
    check("partition" in events and "heal" in events, "journal", sorted(set(events)))
    print(f"{len(rows)} frames, {len(cut)} cut, in {max(passed) - min(passed):.1f} s")


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
