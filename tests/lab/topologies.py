#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every file in topologies/ opens, and its machines reach one another."""
import json
import sys

import harness
from harness import check, equal

# A ping can be lost where the file says so: this often it is tried.
TRIES_WHERE_LOSSY = 8


def opens(home, path):
    plan = json.loads(home.netlab("check", "--expand", path).stdout)
    nodes = {n["name"] for n in plan["nodes"]} if isinstance(plan["nodes"], list) \
        else set(plan["nodes"])
    tries = TRIES_WHERE_LOSSY if "loss" in path.read_text() else 2
    lab = home.up(str(path))
    print(f"{path.name}: {len(nodes)} machines up in {lab.seconds:.2f} s")
    for node in sorted(nodes):
        equal(lab.reaches(node, sorted(nodes), tries=tries), nodes,
              f"{path.name}: whom {node} reaches")
    seen = lab.json("inspect")
    equal({n["name"] for n in seen["nodes"]}, nodes, "inspect's nodes")
    lab.down()
    home.check_nothing_left()


def tests():
    found = {}
    for path in sorted(harness.TOPOLOGIES.glob("*.json")):
        def test(home, path=path):
            opens(home, path)
        found["test_" + path.stem.replace("-", "_")] = test
    return found


def test_there_are_six(home):
    names = {p.stem for p in harness.TOPOLOGIES.glob("*.json")}
    check(len(names) >= 6, names)


if __name__ == "__main__":
    sys.exit(harness.main({"test_there_are_six": test_there_are_six, **tests()}))
