#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What real machines' frames met, judged anew from journal and capture."""
import json
import re
import sys

import harness
import pcapng
from harness import check, equal


def lab_of(home, **more):
    return home.up({
        "name": "mix", "seed": 11, "nodes": {"a": {}, "b": {}, "c": {}},
        "links": [{"name": "wire", "endpoints": ["a:eth0", "b:eth0"],
                   "a->b": {"delay": "10ms", "jitter": "5ms", "loss": "10%"}}],
        "networks": {"lan": {"members": ["a:eth1", "b:eth1", "c:eth0"], "delay": "2ms"}},
        **more}, "--capture", "all")


def weather(lab):
    """Frames of all sorts through faults that change."""
    lab.exec("a", "ping -c30 -i0.01 -W1 b", want=None)
    lab.netlab("fault", "set", "wire", "loss=20%", "rate=100kbit", "limit=5frames")
    lab.exec("b", "ping -c60 -i0.005 -s 700 -W1 a", want=None)
    lab.netlab("partition", "isolate", "c", "--name", "p2")
    lab.exec("a", "ping -c4 -i0.01 -W1 c", want=1)
    lab.netlab("partition", "random", "--every", "20ms", "--name", "storm")
    lab.exec("a", "ping -c40 -i0.01 -W1 b", want=None)
    lab.netlab("heal")
    lab.netlab("fault", "set", "a->c", "loss=30%", "delay=3ms")
    lab.exec("a", "ping -c30 -i0.01 -W1 c", want=None)
    lab.netlab("fault", "set", "wire", "down=true")
    lab.exec("a", "ping -c3 -i0.01 -W1 b", want=None)


def replay(home, run, link, *args, want=0):
    done = home.netlab("replay-link", run, link, "-r", run / "captures" / "all.pcapng", "--json",
                       *args, want=want)
    return json.loads(done.stdout)


def test_the_same_verdicts_come_of_the_same_frames(home):
    lab = lab_of(home)
    weather(lab)
    run = lab.run_dir
    lab.down()
    fates = {f.fate for f in pcapng.Capture(run / "captures" / "all.pcapng").frames}
    check({"pass", "loss", "cut", "limit"} <= fates, "all sorts were there:", fates)
    for link in ("wire", "lan", "all"):
        result = replay(home, run, link)
        equal(result["differences"], 0, link, result)
        check(result["frames"] >= 20 and result["compared"] >= 40, result)
        print(link, result)
    # And again: to the byte.
    for name in ("one", "two"):
        replay(home, run, "all", "-w", home.folder / name)
    equal((home.folder / "one").read_bytes(), (home.folder / "two").read_bytes(), "the copies")
    check(len((home.folder / "one").read_bytes()) > 10000, "the copy has frames")


def test_a_difference_is_found_and_shown(home):
    lab = lab_of(home)
    weather(lab)
    run = lab.run_dir
    lab.down()
    journal = run / "journal.jsonl"
    text = journal.read_text()
    for was, now in (('"loss":"20%"', '"loss":"25%"'), ('"limit":"5frames"', '"limit":"4frames"')):
        check(was in text, was)
        journal.write_text(text.replace(was, now))
        done = home.netlab("replay-link", run, "wire", "-r", run / "captures" / "all.pcapng",
                           want=1)
        check(re.search(r"\d+ differ\nthe first is frame \d+ of the capture:\n"
                        r"  recorded .*\n  replayed .*", done.stdout), done.stdout)
    journal.write_text(text)
    plan = (run / "plan.json").read_text()
    (run / "plan.json").write_text(plan.replace('"seed": 11', '"seed": 12'))
    check(replay(home, run, "wire", want=1)["differences"] > 10, "with another seed")


def test_a_capture_that_began_later_is_judged_too(home):
    lab = lab_of(home)
    lab.exec("a", "ping -c10 -i0.01 -W1 b", want=None)
    path = home.folder / "late.pcapng"
    with lab.capture("wire", path):
        lab.exec("a", "ping -c40 -i0.01 -W1 b", want=None)
    done = lab.home.netlab("replay-link", lab.name, "wire", "-r", path, "--json")
    result = json.loads(done.stdout)
    equal(result["differences"], 0, result)
    check(result["frames"] > 50, result)
    # What is not a whole capture of it is refused with the reason.
    half, plain = home.folder / "half.pcapng", home.folder / "plain.pcapng"
    with lab.capture("a:eth0", half), lab.capture("wire", plain, "--delivered"):
        lab.exec("a", "ping -c2 -i0.01 -W1 b", want=None)
    for wrong, words in ((half, "has not b:eth0"), (plain, "plain"), ("/dev/null", "capture"),
                         (lab.run_dir / "plan.json", "no section")):
        said = home.netlab("replay-link", lab.name, "wire", "-r", wrong, want=1).stderr
        check(words in said, said)


def test_each_decision_on_a_frames_way_is_explained(home):
    lab = lab_of(home)
    weather(lab)
    run, path = lab.run_dir, lab.run_dir / "captures" / "all.pcapng"
    live = json.loads(home.netlab("explain", "wire a->b", "3", "-l", lab.name, "--json").stdout)
    lab.down()
    frames = pcapng.Capture(path).frames
    looked_at = 0
    for number, frame in enumerate(frames, 1):
        lost, delayed = frame.comment.endswith("lost: random"), ": delayed" in frame.comment
        if not (lost or delayed) or looked_at >= 25 or number % 7:
            continue
        looked_at += 1
        what = json.loads(home.netlab("explain", "all", number, "-r", path, "--run", run,
                                      "--json").stdout)
        check(any(s["comment"] == frame.comment for s in what["sights"]), frame.comment, what)
        last = what["steps"][-1]
        if lost:
            loss = next(d for d in last["draws"] if d["what"] == "loss")["percent"]
            check(loss < float(last["fault"]["loss"].rstrip("%")), last)
            equal(last["notes"][-1], "lost: random")
    check(looked_at > 10, looked_at, "frames looked at")
    step = live["steps"][0]
    again = json.loads(home.netlab("explain", "wire a->b", "3", "--run", run, "--json").stdout)
    equal(step, again["steps"][0], "while it ran, and after")
    equal(step["fault"]["loss"], "10%")
    # The same draw by both ways.
    number = next(n for n, f in enumerate(frames, 1) if f.comment.startswith("wire a->b #3:"))
    what = json.loads(home.netlab("explain", "wire", number, "-r", path, "--run", run,
                                  "--json").stdout)
    equal(what["steps"][0]["draws"][0], step["draws"][0])
    out = home.netlab("explain", "wire", number, "-r", path, "--run", run).stdout
    check(re.search(r"wire a->b #3\n  set   .*loss=10%.*\n  key   0x", out), out)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
