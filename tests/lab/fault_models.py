#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The fault models that are more than loss, delay and rate, on real machines' frames."""
import json
import re
import sys

import harness
import pcapng
from harness import check, equal, wait_for

EVERYTHING = (
    "delay=10ms 3ms 25%", "distribution=normal", "loss=gemodel 10% 40% 90% 1%",
    "reorder=25% 50%", "gap=3", "duplicate=5% 20%", "corrupt=3%", "corrupt-mode=fcs",
    "rate=5Mbit", "queue=codel 5ms 50ms", "ecn", "slot=normal 2ms 1ms 4frames",
    "states=good 200ms fair 60% bad 40%, fair 100ms, bad 20ms good",
    "clog=open 200ms closed 20ms random", "flap=up 400ms down 10ms random",
    "mtu-drop=1400", "replay=2% 30ms")


def lab_of(home, *args, **fault):
    return home.up({"name": "models", "seed": 7, "nodes": {"a": {}, "b": {}},
                    "profiles": {"mine": {"delay": "3ms", "loss": "burst 2% 4"}},
                    "links": [{"name": "wire", "endpoints": ["a", "b"], **fault}]}, *args)


def ping(lab, *args):
    """Received, duplicates and the shortest round trip in ms."""
    out = lab.exec("a", f"ping -q -W 2 {' '.join(args)} b", want=None)
    got = int(re.search(r"(\d+) received", out).group(1))
    more = re.search(r"\+(\d+) duplicates", out)
    least = re.search(r"= ([\d.]+)/", out)
    return got, int(more.group(1)) if more else 0, float(least.group(1)) if least else None


def direction(lab, name="wire a->b"):
    return next(d for d in lab.json("fault", "ls") if d["name"] == name)


def test_the_first_frames_are_lost_each_time_that_it_is_set(home):
    lab = lab_of(home)
    lab.exec("a", "ping -q -c1 b")
    for _ in range(2):
        lab.netlab("fault", "set", "wire a->b", "name=first", "match=icmp", "drop-first=2")
        equal(ping(lab, "-c5", "-i0.05")[0], 3)
        equal(ping(lab, "-c2", "-i0.05")[0], 2)
        lab.netlab("fault", "clear", "wire a->b")
    equal(direction(lab)["counters"]["dropped"]["loss"], 4)
    lab.down()


def test_with_everything_on_the_recorded_verdicts_come_again(home):
    lab = lab_of(home, "--capture", "all")
    lab.netlab("fault", "set", "wire", "--replace", *EVERYTHING)
    said = lab.netlab("fault", "set", "wire", "name=big", "match=icmp and greater 500", "loss=20%",
                      "corrupt=30%", "corrupt-mode=repair")
    check("cannot tell" in said.stderr, said.stderr)
    lab.netlab("fault", "set", "wire", "name=fair", "in=fair", "loss=20%", "rate=2Mbit")
    lab.netlab("fault", "set", "wire", "name=bad", "in=bad", "down=true")
    ping(lab, "-c100", "-i0.01", "-s600")
    lab.netlab("fault", "set", "wire", "rate=300kbit", "limit=5frames", "queue=random",
               "slot=none", "for=1s")
    ping(lab, "-c200", "-i0.004")
    wait_for(lambda: "limit" not in direction(lab)["fault"], "the end of what was for a second")
    ping(lab, "-c30", "-i0.01", "-s1450")
    run = lab.run_dir
    lab.down()
    capture = run / "captures" / "all.pcapng"
    told = " ".join(f.comment for f in pcapng.Capture(capture).frames)
    for words in ("gemodel bad state", "duplicate of #", "checksums repaired", "mtu 1400",
                  "reordered", "frame check sequence", "for its slot", "rule big: bit",
                  "rule fair: lost: random", "rule bad: lost: the link is down"):
        check(words in told, words)
    done = home.netlab("replay-link", run, "all", "-r", capture, "--json")
    result = json.loads(done.stdout)
    equal(result["differences"], 0, result)
    check(result["compared"] > 300, result)


def test_a_held_link_lets_go_of_all_in_order(home):
    lab = lab_of(home, hold=True)
    path = home.folder / "held.pcapng"
    with lab.capture("b:eth0", path):
        pinging = lab.home.start("-l", lab.name, "exec", "a", "--", "ping", "-q", "-c3", "-i0.05",
                                 "-W20", "b", text=True)
        wait_for(lambda: direction(lab)["now"]["waiting"] >= 1, "a frame that is held")
        equal(direction(lab)["counters"]["passed"], 0)
        lab.netlab("fault", "set", "wire", "hold=false")
        out, err = pinging.communicate(timeout=60)
    check("3 received" in out, out, err)
    frames = [f for f in pcapng.Capture(path).frames if "a->b #" in f.comment]
    numbers = [int(re.search(r"a->b #(\d+)", f.comment).group(1)) for f in frames]
    equal(numbers, sorted(numbers))
    check(any("held" in f.comment for f in frames), [f.comment for f in frames])


def test_a_rule_is_for_its_frames_and_its_time(home):
    lab = lab_of(home)
    lab.netlab("fault", "set", "a->b", "match=icmp and greater 500", "delay=80ms", "name=big")
    check(ping(lab, "-c3", "-i0.05", "-s1000")[2] >= 80, "a large one is delayed")
    check(ping(lab, "-c3", "-i0.05")[2] < 80, "a small one is not")
    rule = direction(lab)["now"]["rules"][0]
    check(rule["in_force"] and rule["matched"] >= 3, rule)
    shown = lab.netlab("fault", "ls").stdout
    check(re.search(r"rule big +match='icmp and greater 500' delay=80ms", shown), shown)
    lab.netlab("fault", "set", "a->b", "match=icmp", "loss=100%", "first=2", "name=two")
    equal(ping(lab, "-c5", "-i0.05")[0], 3)
    lab.netlab("fault", "set", "a->b", "match=icmp", "loss=100%", "name=short", "for=500ms")
    equal([r["name"] for r in direction(lab)["fault"]["faults"]], ["big", "two", "short"])
    wait_for(lambda: len(direction(lab)["fault"]["faults"]) == 2, "the rule's end")
    equal(ping(lab, "-c3", "-i0.05")[0], 3)
    lab.netlab("fault", "clear", "a->b", "rule=big")
    lab.netlab("fault", "clear", "a->b", "faults")
    equal(direction(lab)["fault"], {})


def test_duplicates_arrive_and_profiles_are_put_on_and_off(home):
    lab = lab_of(home, profile="mine")
    equal(direction(lab)["profile"], "mine")
    lab.netlab("fault", "set", "wire", "profile=none")
    lab.netlab("fault", "set", "a->b", "duplicate=100%", "duplicate-count=2")
    got, more, _ = ping(lab, "-c5", "-i0.02")
    equal(got, 5)
    check(more >= 8, more, "ping does not wait for the copies of its last")
    count = direction(lab)["counters"]
    equal((count["copies"], count["passed"]), (2 * count["frames"], 3 * count["frames"]))
    lab.netlab("fault", "set", "wire", "profile=lte", "loss=none")
    check(direction(lab)["fault"]["rate"] == "12Mbit", direction(lab))
    check("duplicate" not in direction(lab)["fault"], "a profile is all there is")
    check(ping(lab, "-c5", "-i0.02")[2] > 20, "35 ms, twice, some less")
    lab.netlab("fault", "clear", "wire")
    equal(direction(lab)["profile"], "mine")


def test_what_makes_no_sense_is_refused_and_changes_nothing(home):
    lab = lab_of(home, delay="5ms")
    before = direction(lab)["fault"]
    for words, said in ((["reorder=10%", "delay=none"], "needs a delay"),
                        (["jitter=9ms"], "larger than delay"),
                        (["queue=codel"], "needs a rate"),
                        (["match=tcp prot 80", "loss=1%"], "filter"),
                        (["los=1%"], 'did you mean "loss"'),
                        (["profile=nowhere"], "no profile")):
        done = lab.netlab("fault", "set", "wire", *words, want=1)
        check(said in done.stderr, words, done.stderr)
    equal(direction(lab)["fault"], before)
    done = lab.netlab("fault", "set", "wire", "rate=100Mbit", "delay=100ms", "limit=10frames")
    check("under way" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
