#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Partitions between real machines: what `matrix` says is what they find."""
import json
import subprocess
import sys

import harness
from harness import check, equal, wait_for


def cluster(home, count=5, **more):
    return home.up({
        "name": "cluster", "seed": 7,
        "nodes": {"n": {"count": count}},
        "networks": {"lan": {"members": ["n"]}}, **more})


def names(lab):
    return lab.json("matrix")["nodes"]


def said(lab):
    """Ordered pairs that the matrix says are open both ways."""
    m = lab.json("matrix")
    yes = {(a, b) for a, row in zip(m["nodes"], m["reach"])
           for b, word in zip(m["nodes"], row) if word == "yes" and a != b}
    return {(a, b) for a, b in yes if (b, a) in yes}


def found(lab):
    """Ordered pairs of which the first gets an answer from the second."""
    nodes = lab.json("matrix")["nodes"]
    return {(a, b) for a in nodes for b in lab.reaches(a, [n for n in nodes if n != a], wait=1)}


def test_each_kind_does_what_the_matrix_says(home):
    lab = cluster(home)
    everybody = len(names(lab))
    for words, open_ways in ((["isolate", "n1"], 12), (["bridge", "n3"], 12), (["halves"], 8),
                             (["minority"], 8), (["majority"], 8), (["majorities-ring"], 10),
                             (["n1,n2|n3"], 16)):
        lab.netlab("partition", *words, "--name", "p")
        equal(len(said(lab)), open_ways, words)
        equal(found(lab), said(lab), "what machines find,", *words)
        lab.netlab("heal", "p")
    equal(len(said(lab)), everybody * (everybody - 1), "after heal")


def test_a_cut_holds_while_any_partition_demands_it(home):
    lab = cluster(home, 3)
    lab.netlab("partition", "n1|n2", "--name", "a")
    lab.netlab("partition", "isolate", "n1", "--name", "b")
    lab.netlab("heal", "b")
    equal(found(lab), said(lab), "a alone")
    equal(lab.reaches("n1", ["n2", "n3"], wait=1), {"n3"}, "n1 sees")
    lab.netlab("heal", "a")
    equal(lab.reaches("n1", ["n2", "n3"]), {"n2", "n3"}, "n1 sees")


def test_a_partition_of_the_file_holds_from_the_start_and_one_for_a_time_ends(home):
    lab = cluster(home, 3, partitions=[{"name": "first", "kind": "isolate", "nodes": ["n3"]}])
    equal(lab.reaches("n1", ["n2", "n3"], wait=1), {"n2"}, "n1 sees")
    lab.netlab("heal", "first")
    lab.netlab("partition", "n1|n2", "--for", "1s", "--name", "brief")
    equal(lab.reaches("n1", ["n2"], wait=1, tries=1), set(), "n1 sees")
    wait_for(lambda: not lab.json("partition", "ls"), "the end of the partition")
    equal(lab.reaches("n1", ["n2"]), {"n2"}, "n1 sees")
    heals = [e for e in lab.journal() if e["event"] == "heal"]
    equal([(e["name"], e["why"]) for e in heals],
          [("first", "asked"), ("brief", "its time was over")])


def test_a_random_partition_is_drawn_anew_and_the_same_with_the_same_seed(home):
    drawn = []
    for _ in range(2):
        lab = cluster(home)
        lab.netlab("partition", "random", "--every", "100ms", "--min-stable", "50ms")
        rounds = wait_for(lambda: (r := [e for e in lab.journal() if e["event"] == "partition"])
                          and len(r) >= 20 and r[:20], "20 rounds")
        # `at` is when it was cut; `t` is when that was written down, which a busy host may delay.
        lasted = [b["at"] - a["at"] for a, b in zip(rounds, rounds[1:])]
        check(min(lasted) >= 50_000_000, "a round lasted", min(lasted), "ns")
        drawn.append([(e["round"], e["drew"], e["drew_one_way"], e["cuts"]) for e in rounds])
        lab.down()
    equal(drawn[0], drawn[1], "with the same seed")
    check(len({r[1] for r in drawn[0]}) >= 4, "kinds", {r[1] for r in drawn[0]})


def test_the_matrix_knows_routers_links_and_machines(home):
    lab = home.up({
        "name": "routed", "nodes": {"a": {}, "r": {}, "b": {}, "alone": {}},
        "links": [{"name": "left", "endpoints": ["a", "r"]},
                  {"name": "right", "endpoints": ["r", "b"]}]})

    def word(a, b):
        m = lab.json("matrix")
        return m["reach"][m["nodes"].index(a)][m["nodes"].index(b)]

    equal((word("a", "b"), word("a", "alone")), ("yes", "none"))
    # Between a and b is no cable to cut: the router passes their packets on.
    said = lab.netlab("partition", "a|b").stderr
    check("a -> b stays open" in said and "between them is r" in said, said)
    equal((word("a", "b"), lab.reaches("a", ["b"])), ("yes", {"b"}))
    lab.netlab("partition", "a|r", "--one-way")
    equal((word("a", "b"), word("b", "a"), lab.reaches("a", ["b"], wait=1)),
          ("cut", "yes", set()))
    lab.netlab("heal")
    lab.netlab("fault", "set", "right", "down=true")
    equal((word("a", "b"), word("a", "r")), ("down", "yes"))
    lab.netlab("fault", "clear", "right")
    lab.exec("r", "poweroff -f || /sbin/poweroff -f || echo o >/proc/sysrq-trigger", want=None)
    wait_for(lambda: word("a", "b") == "off", "the router to be off")


def measured(lab, want=0):
    m = json.loads(lab.netlab("matrix", "--probe", "--json", want=want).stdout)
    return {(a, b): word for a, row in zip(m["nodes"], m["measured"])
            for b, word in zip(m["nodes"], row) if a != b}


def test_probes_find_what_is_set(home):
    lab = cluster(home, 4)
    ways = measured(lab)
    equal(set(ways.values()), {"yes"}, ways)
    # Neighbours know one another's hardware addresses now, so one way is enough.
    lab.netlab("partition", "n1|n2", "--one-way")
    lab.netlab("partition", "isolate", "n4")
    ways = measured(lab)
    equal({w for w, word in ways.items() if word == "lost"},
          {("n1", "n2")} | {w for w in ways if "n4" in w}, ways)
    lab.netlab("heal")
    lab.netlab("fault", "set", "n3->lan", "loss=100%")
    ways = measured(lab)
    equal({w for w, word in ways.items() if word == "lost"},
          {("n3", n) for n in ("n1", "n2", "n4")}, "what loses all is known to:", ways)
    lab.netlab("fault", "set", "--replace", "n3->lan", "match=udp", "loss=100%")
    ways = measured(lab, want=1)
    equal({w for w, word in ways.items() if word == "lost"},
          {("n3", n) for n in ("n1", "n2", "n4")}, "by what is set, something passes:", ways)


def test_a_running_lab_is_drawn_with_what_holds_now(home):
    lab = cluster(home, 3)
    lab.netlab("partition", "n1|n2", "--name", "both")
    lab.netlab("partition", "n2|n3", "--one-way", "--name", "one")
    lab.netlab("fault", "set", "n1->lan", "loss=10%")
    lab.netlab("fault", "set", "n3->lan", "down=true")
    said = lab.netlab("graph").stdout
    drawn = subprocess.run(["dot", "-Tplain"], input=said, text=True, capture_output=True,
                           check=True).stdout
    equal(sum(line.startswith("node ") for line in drawn.splitlines()), 4, drawn)
    edges = [line for line in said.splitlines() if " -- " in line]
    equal(len(edges), 3 + 2, "three members, two partitions:", *edges)
    for begin, has in (('\t"node n1" -- "net lan"', "-> loss 10%"),
                       ('\t"node n3" -- "net lan"', "style=dotted"),
                       ('\t"node n1" -- "node n2"', "dir=both"),
                       ('\t"node n2" -- "node n3"', "dir=forward")):
        check([e for e in edges if e.startswith(begin) and has in e], begin, has, *edges)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
