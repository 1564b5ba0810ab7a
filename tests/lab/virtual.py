#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Labs in virtual time: the same again, whatever else the host does.

RUNS in the environment is how often each scene is run (3).
Needs netlab's own kernel (see harness.own_kernel()).
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import harness
import pcapng
from harness import check, equal

RUNS = int(os.environ.get("RUNS", "3"))
KERNEL = harness.own_kernel()
CHATTER = os.environ.get("NETLAB_CHATTER")
SPIN = os.environ.get("NETLAB_SPIN") or \
    str(pathlib.Path(harness.NETLAB).parents[2] / "tests/lab_spin")

ROUTERS = {
    "name": "routers", "seed": 1,
    "nodes": {"a": {}, "r[1-3]": {"forward": True}, "b": {}},
    "links": [{"endpoints": ["a", "r1"], "delay": "2ms"},
              {"endpoints": ["r1", "r2"], "delay": "3ms", "jitter": "1ms"},
              {"endpoints": ["r2", "r3"], "rate": "1Mbit"},
              {"endpoints": ["r3", "b"], "delay": "500us"}],
}
REDIS_ARGS = "--bind 0.0.0.0 --protected-mode no --save '' --dir /tmp"
REDIS = {
    "name": "redis", "seed": 1, "defaults": {"memory": "96M"},
    "nodes": {
        "p": {"run": [{"name": "redis", "cmd": f"exec redis-server {REDIS_ARGS}",
                       "ready": {"tcp": 6379}}]},
        "q": {"depends": ["p"], "run": [
            {"name": "redis", "ready": {"tcp": 6379},
             "cmd": f"exec redis-server {REDIS_ARGS} --replicaof p 6379"}]},
        "c": {}},
    "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["p", "q", "c"],
                         "delay": "1ms"}},
}
PEERS = ",".join(f"e{i}=http://e{i}:2380" for i in (1, 2, 3))
ETCD = {
    "name": "etcd", "seed": 1, "defaults": {"memory": "384M"},
    "nodes": {"e[1-3]": {"run": [{
        "name": "etcd", "ready": {"tcp": 2379}, "timeout": "60s",
        "cmd": "exec etcd --name $(hostname) --data-dir /tmp/etcd "
               "--listen-peer-urls http://0.0.0.0:2380 "
               "--initial-advertise-peer-urls http://$(hostname):2380 "
               "--listen-client-urls http://0.0.0.0:2379 "
               "--advertise-client-urls http://$(hostname):2379 "
               f"--initial-cluster {PEERS} --logger zap"}]}},
    "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["e[1-3]"],
                         "delay": "1ms"}},
}
LOSSY = {
    "name": "lossy", "seed": 1, "defaults": {"memory": "48M"},
    "nodes": {"n[1-20]": {}},
    "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["n[1-20]"],
                         "delay": "1ms", "loss": "10%"}},
}


more_args = []


@contextlib.contextmanager
def always(*args):
    """Every lab is started with these, too."""
    more_args.extend(args)
    try:
        yield
    finally:
        more_args.clear()


def virtual(home, topology, *args, seed=7, path=None, **options):
    """Bring it up; path: where the file is, if not among the home's."""
    return home.up(str(path) if path else topology, "--clock", "virtual", "--seed", seed,
                   *more_args,
                   "--kernel", KERNEL, *args, timeout=300,
                   **options)


def digest(lab):
    """What the run is until now; and what it ends as must be in its folder."""
    now = lab.json("clock")["digest"]
    return now


@contextlib.contextmanager
def busy_host():
    """Every core has other work."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(2 * os.cpu_count())]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def same(home, scene, runs=RUNS, hogs=True):
    """Run the scene several times, once on a busy host; all have the same digest."""
    seen = []
    for run in range(runs):
        with busy_host() if hogs and run == 1 else contextlib.nullcontext():
            seen.append(scene(home))
    first = seen[0]
    for run, other in enumerate(seen):
        differ = [key for key in first if first[key] != other[key]]
        check(not differ, f"run {run} differs in {', '.join(differ)}: "
              f"{json.dumps(first)} {json.dumps(other)}")
    print(f"{runs} runs: {first['all']}, {first['frame_count']} frames")
    return first


# ---- scenes ------------------------------------------------------------------


def ping_over_routers(home, seed=7, **options):
    lab = virtual(home, ROUTERS, seed=seed, **options)
    lab.exec("a", "ping", "-c", "20", "-i", "0.2", "b")
    got = digest(lab)
    lab.down()
    return got


def redis_under_load(home, seed=7):
    lab = virtual(home, REDIS, seed=seed)
    lab.exec("c", "redis-benchmark", "-h", "p", "-n", "300", "-q", "-t", "set,get")
    got = digest(lab)
    lab.down()
    return got


def leader(lab):
    said = lab.exec("e1", "etcdctl --endpoints e1:2379,e2:2379,e3:2379 endpoint status "
                    "-w json 2>/dev/null")
    for one in json.loads(said):
        if one["Status"]["header"]["member_id"] == one["Status"]["leader"]:
            return one["Endpoint"].split(":")[0]
    return None


def etcd_partition(home, seed=7):
    lab = virtual(home, ETCD, seed=seed)
    lab.netlab("clock", "step", "3s")
    old = leader(lab)
    check(old, "an election")
    others = [e for e in ("e1", "e2", "e3") if e != old]
    lab.netlab("partition", f"{old}|{','.join(others)}")
    lab.netlab("clock", "step", "5s")
    # The minority cannot, the majority elects a leader of its own and can.
    alone = lab.exec(old, "etcdctl --command-timeout 2s put a minority 2>&1; exit 0")
    check("OK" not in alone, "the side without a majority:", alone)
    check("OK" in lab.exec(others[0], "etcdctl put a majority"), "the other side")
    lab.netlab("heal")
    lab.netlab("clock", "step", "5s")
    check("majority" in lab.exec(old, "etcdctl get a"), "after the heal")
    check(leader(lab) in others, "the leader after the heal")
    got = digest(lab)
    lab.down()
    return got


def lossy_lan(home, seed=7):
    lab = virtual(home, LOSSY, seed=seed)
    for n in (1, 7, 20):
        lab.exec(f"n{n}", "for i in $(seq 20); do ping -n -q -c5 -i 0.1 -W1 10.0.0.$i "
                 ">/dev/null & done; wait; exit 0")
    got = digest(lab)
    lab.down()
    return got


def chatter(home, seed=7):
    shutil.copy(CHATTER, home.topologies / "chatter")
    (home.topologies / "chatter").chmod(0o755)
    lab = virtual(home, {
        "name": "chatter", "seed": 1, "nodes": {"n[1-5]": {
            "run": [{"name": "talk",
                     "cmd": "exec /lab/chatter $(hostname -i) 50"}]}},
        "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["n[1-5]"],
                             "delay": "200us"}}}, seed=seed)
    lab.netlab("clock", "step", "20s")
    got = digest(lab)
    lab.down()
    logs = [harness.read(path) for path in sorted(lab.run_dir.glob("logs/*"))]
    equal(len(logs), 5, "logs")
    check(all(log.count("10.0.0.") > 50 for log in logs), "who heard whom:", logs)
    return got


def faults_by_hand(home):
    lab = virtual(home, "triangle.json")
    lab.exec("n1", "ping -n -q -c3 n2")
    lab.netlab("fault", "set", "n1->n2", "loss=50%", "delay=3ms")
    lab.exec("n1", "ping -n -q -i 0.1 -c30 -W1 n2; exit 0")
    lab.netlab("partition", "n1|n2,n3")
    lab.exec("n1", "ping -n -q -c2 -W1 n3; exit 0")
    lab.netlab("heal")
    said = lab.exec("n1", "ping -n -q -c2 n3")
    check(" 0% packet loss" in said, said)
    got = digest(lab)
    lab.down()
    return got


# ---- tests -------------------------------------------------------------------


def test_ping_over_three_routers_is_the_same_again(home):
    same(home, ping_over_routers)


def test_redis_and_its_benchmark_are_the_same_again(home):
    same(home, redis_under_load)


def test_an_election_forced_by_a_partition_is_the_same_again(home):
    same(home, etcd_partition)


def test_an_idle_etcd_cluster_is_faster_than_the_host(home):
    begin = time.monotonic()
    lab = virtual(home, ETCD)
    lab.netlab("clock", "step", "60s")
    seconds = time.monotonic() - begin
    state = lab.json("clock", "--stats")
    print(f"{state['now_ns'] / 1e9:.0f} virtual seconds in {seconds:.1f} s: "
          f"{state['now_ns'] / 1e9 / seconds:.1f} times the host's; "
          f"{state['stats']['rounds']} rounds")


def busy_machines(home, *args):
    """Eight machines that compute, all at once, again and again.  Seconds, digest."""
    lab = virtual(home, {
        "name": "busy", "nodes": {"n[1-8]": {"run": [{
            "name": "work", "cmd": "for i in $(seq 1000); do head -c 400000 /dev/zero | "
                                   "sha256sum; sleep 0.05; done"}]}},
        "networks": {"lan": {"subnet": "10.0.0.0/24", "members": ["n[1-8]"],
                             "delay": "5ms"}}}, *args)
    begin = time.monotonic()
    lab.netlab("clock", "step", "2s")
    seconds = time.monotonic() - begin
    got = digest(lab)
    lab.down()
    return seconds, got


def test_at_once_is_the_same_as_one_after_the_other(home):
    for scene in (ping_over_routers, redis_under_load, chatter, faults_by_hand,
                  lossy_lan):
        at_once = scene(home)
        with always("--serial"):
            equal(scene(home), at_once, scene.__name__)
    at_once, first = busy_machines(home)
    serial, second = busy_machines(home, "--serial")
    equal(second, first, "eight busy machines")
    print(f"eight busy machines: {serial:.2f} s one after the other, {at_once:.2f} s at "
          f"once: {serial / at_once:.2f} times as fast on {os.cpu_count()} processors")


def test_twenty_machines_on_a_lossy_lan_are_the_same_again(home):
    same(home, lossy_lan, runs=max(2, RUNS // 2))


def test_random_timers_are_the_same_again(home):
    same(home, chatter)


def test_another_folder_and_another_user_make_no_difference(home):
    first = ping_over_routers(home)
    other = home.folder / "a folder with another name" / "deep"
    other.mkdir(parents=True, mode=0o755)
    other.parent.chmod(0o755)
    (other / "routers.json").write_text(json.dumps(ROUTERS))
    second = ping_over_routers(home, path=other / "routers.json")
    equal(second, first, "from another folder")
    if os.geteuid() == 0:
        equal(as_nobody(), first["all"], "as another user")


def as_nobody():
    """The same run by the user nobody; returns the digest."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nl.", dir="/tmp"))
    try:
        # Not the home itself: that is not shown to machines.
        (folder / "lab").mkdir()
        (folder / "lab/routers.json").write_text(json.dumps(ROUTERS))
        shutil.chown(folder, "nobody")
        shutil.chown(folder / "lab", "nobody")
        env = {"PATH": os.environ["PATH"], "HOME": str(folder),
               "XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
        def run(*args):
            done = subprocess.run([harness.NETLAB, *args], env=env, cwd=folder,
                                  user="nobody", group="nogroup", extra_groups=[],
                                  capture_output=True, text=True, timeout=120,
                                  stdin=subprocess.DEVNULL)
            equal(done.returncode, 0, args, done.stderr)
            return done.stdout
        run("up", "lab/routers.json", "--clock", "virtual", "--seed", "7",
            "--kernel", str(harness.copy_of_kernel(folder)))
        try:
            run("exec", "a", "--", "ping", "-c", "20", "-i", "0.2", "b")
            return json.loads(run("clock", "--json"))["digest"]["all"]
        finally:
            run("down")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_another_seed_is_another_run(home):
    seen = {ping_over_routers(home, seed=seed)["all"] for seed in range(4)}
    equal(len(seen), 4, "digests of 4 seeds")


def test_the_round_trip_is_twice_the_delay_at_any_load(home):
    lab = virtual(home, {"name": "rtt", "nodes": {"a": {}, "b": {}},
                         "links": [{"endpoints": ["a", "b"], "delay": "5ms"}]})
    with busy_host():
        said = lab.exec("a", "ping", "-n", "-c", "50", "-i", "0.01", "b")
    least, most = map(float, re.search(r"= ([\d.]+)/[\d.]+/([\d.]+)/", said).groups())
    print(f"round trips {least} to {most} ms")
    # The first packet waits for the neighbour's address: another round trip.
    times = [float(t) for t in re.findall(r"time=([\d.]+) ms", said)][1:]
    equal(len(times), 49, "answers")
    check(all(10.0 <= t <= 10.01 for t in times), said)


def test_an_idle_lab_stands_still_and_steps_are_exact(home):
    lab = virtual(home, "triangle.json")
    before = lab.json("clock")["now_ns"]
    time.sleep(0.3)
    equal(lab.json("clock")["now_ns"], before, "time of an idle lab at pace max")
    after = lab.json("clock", "step", "1234567891ns")["now_ns"]
    equal(after, before + 1234567891, "after a step")
    for wrong, words in (("1d", "is not a duration"), ("5", "has no unit"),
                         ("9999999h", "too large"), ("9000h", "at most a year"),
                         ("0s", "a step of no time")):
        said = lab.netlab("clock", "step", wrong, want=2).stderr
        check(words in said and ("no time" in said) == (wrong == "0s"), wrong, said)
    equal(lab.json("clock")["now_ns"], after, "steps that are none")
    begin = time.monotonic()
    lab.netlab("clock", "step", "10min")
    print(f"10 minutes of three idle machines in {time.monotonic() - begin:.2f} s")
    uptime = float(lab.exec("n1", "cat /proc/uptime").split()[0])
    check(abs(uptime - lab.json("clock")["now_ns"] / 1e9) < 0.1, "uptime", uptime)


def test_pace_and_pause(home):
    lab = virtual(home, "triangle.json", "--pace", "20")
    begin, first = time.monotonic(), lab.json("clock")["now_ns"]
    harness.wait_for(lambda: lab.json("clock")["now_ns"] > first + 2_000_000_000,
                     "two seconds to pass")
    check(time.monotonic() - begin > 0.07, "20 times as fast, at most")
    lab.netlab("clock", "pause")
    stood = lab.json("clock")["now_ns"]
    time.sleep(0.2)
    equal(lab.json("clock")["now_ns"], stood, "while paused")
    lab.netlab("clock", "resume")
    harness.wait_for(lambda: lab.json("clock")["now_ns"] > stood, "time to pass again")
    lab.netlab("clock", "pace", "max")
    equal(lab.json("clock")["pace_ppm"], 0, "pace")


def test_faults_and_partitions_happen_at_a_virtual_time(home):
    same(home, faults_by_hand)


def times_on_the_way(path):
    """How long each copy of each frame took, from the capture of a link: nanoseconds."""
    entered, took = {}, []
    for frame in pcapng.Capture(path).frames:
        if frame.sent:
            entered.setdefault(frame.id, frame.ns)
        else:
            took.append(frame.ns - entered[frame.id])
    return took


def judged_again(home, run, link, capture):
    done = home.netlab("replay-link", run, link, "-r", run / "captures" / capture, "--json")
    result = json.loads(done.stdout)
    equal(result["differences"], 0, result)
    return result


def test_two_machines_cannot_talk_for_ever_at_one_instant(home):
    """Not even where every frame jumps its delay."""
    lab = virtual(home, {"name": "floor", "nodes": {"a": {}, "b": {}}, "links": [
        {"name": "wire", "endpoints": ["a", "b"], "delay": "5ms", "reorder": "100%",
         "duplicate": "20%", "replay": "20% 300us"}]}, "--capture", "wire")
    said = lab.exec("a", "ping -n -q -c 200 -i 0.01 b")
    check("200 received" in said, said)
    for one in lab.json("fault", "ls"):
        equal((one["now"]["floor_ns"], one["fault"]["delay"]), (1000, "5ms"), one)
    # The floor is no fault: what is set and taken away again leaves nothing of it.
    lab.netlab("fault", "set", "wire", "--replace", "loss=1%")
    lab.netlab("fault", "set", "wire", "loss=none")
    equal([one["fault"] for one in lab.json("fault", "ls")], [{}, {}])
    check("none  (takes 1us at least)" in lab.netlab("fault", "ls").stdout, "as text")
    lab.exec("a", "ping -n -q -c 20 -i 0.01 b")
    lab.down()
    took = times_on_the_way(lab.run_dir / "captures" / "wire.pcapng")
    check(len(took) > 400 and min(took) == 1000, len(took), min(took))
    check(any(300_000 <= ns < 400_000 for ns in took), "replays are there")
    check(judged_again(home, lab.run_dir, "wire", "wire.pcapng")["frames"] > 400)


def test_copies_and_input_reach_a_machine_in_virtual_time(home):
    lab = virtual(home, "triangle.json")
    data = os.urandom(300_000)
    (home.folder / "data").write_bytes(data)
    lab.netlab("cp", home.folder / "data", "n1:/tmp/data")
    lab.netlab("cp", "n1:/tmp/data", home.folder / "back")
    equal((home.folder / "back").read_bytes(), data, "what came back")
    said = lab.netlab("exec", "n2", "--", "cat", input="by hand\n").stdout
    equal(said, "by hand\n", "cat")
    # More output than the windows hold: time stands while nobody reads.
    said = lab.exec("n3", "head -c 3000000 /dev/zero | tr '\\0' x")
    equal(len(said), 3_000_000, "bytes of output")


def test_a_carrier_flaps_at_the_nanosecond_and_again_the_same(home):
    runs = []
    for _ in range(2):
        lab = virtual(home, {
            "name": "flap", "nodes": {"a": {}, "b": {}},
            "links": [{"endpoints": ["a", "b"], "flap": "up 3s down 2s", "carrier": True}]})
        seen = lab.exec("a", "timeout 12 ip -t monitor link || true")
        stamps = re.findall(r":(\d\d) 2026 (\d+) usec\n[^\n]*(NO-CARRIER|LOWER_UP)", seen)
        flaps = [(int(s) % 5, int(us), what) for s, us, what in stamps]
        check(flaps.count((3, 0, "NO-CARRIER")) >= 2, seen)
        check(flaps.count((0, 0, "LOWER_UP")) >= 2, seen)
        runs.append((seen, digest(lab)["all"]))
        lab.down()
    equal(runs[0], runs[1], "the second run")


def test_a_machine_that_ends_leaves_the_others_alone(home):
    lab = virtual(home, "triangle.json")
    lab.netlab("exec", "n2", "--", "sh", "-c",
               "echo o >/proc/sysrq-trigger; sleep 100", want=None)
    said = lab.exec("n1", "ping -n -q -c3 n3")
    check(" 0% packet loss" in said, said)
    state = {n["name"]: n["state"] for n in lab.json("inspect")["nodes"]}
    check(state["n2"] in ("stopped", "failed") and state["n1"] == "ready", state)
    lab.netlab("down", "--graceful")


def code_of(program):
    """Where the executable parts of a static program lie: [(from, to)]"""
    data = pathlib.Path(program).read_bytes()
    at, size, count = (int.from_bytes(data[i:i + n], "little")
                       for i, n in ((0x20, 8), (0x36, 2), (0x38, 2)))
    found = []
    for i in range(count):
        kind, flags, _, start, _, _, length, _ = struct.unpack_from("<IIQQQQQQ", data,
                                                                    at + i * size)
        if kind == 1 and flags & 1:
            found.append((start, start + length))
    return found


def test_a_machine_that_spins_is_named_with_its_program_and_others_live(home):
    with_spin(home)
    other = virtual(home, "triangle.json", name="other")
    lab = virtual(home, {"name": "spinning", "seed": 1, "nodes": {"n[1-3]": {}},
                         "links": [{"endpoints": ["n1", "n2"]},
                                   {"endpoints": ["n2", "n3"]}]}, "--guard", "2s")
    begin = time.monotonic()
    done = lab.netlab("exec", "-n", "n2", "--", "/lab/spin", "spin", want=None, timeout=60)
    seconds = time.monotonic() - begin
    check(done.returncode != 0 and seconds < 30, done.returncode, seconds)
    stuck = [e for e in lab.journal() if e["event"] == "stuck"]
    equal([e["node"] for e in stuck], ["n2"], "who is stuck")
    stuck = stuck[0]
    print(f"after {seconds:.1f} s: {stuck['why']}")
    equal([stuck.get(key) for key in ("process", "user")], ["spin", True], stuck)
    check(stuck["pid"] > 1 and stuck["tid"] == stuck["pid"], stuck)
    check(any(start <= int(stuck["pc"], 16) < end for start, end in code_of(SPIN)), stuck)
    check("/spin+0x" in stuck["in"], stuck)
    named = f"n2: process 'spin' (pid {stuck['pid']}) at {stuck['pc']} in {stuck['in']} has"
    for said in done.stderr, harness.read(lab.run_dir / "lab.log"):
        check(named in said, said, named)
    said = other.exec("n1", "ping -n -q -c3 n2")
    check(" 0% packet loss" in said, said)


STORM = {
    "name": "storm", "seed": 3, "routing": "none", "defaults": {"memory": "64M"},
    "nodes": {"b[1-3]": {"run": [{"name": "bridge", "cmd":
              "ip link add br0 type bridge && for i in eth0 eth1; do ip addr flush dev $i; "
              "ip link set $i master br0 up; done; ip link set br0 up; sleep 1000"}]}},
    "links": [{"endpoints": ["b1", "b2"]}, {"endpoints": ["b2", "b3"]},
              {"endpoints": ["b3", "b1"]}],
}


def test_a_storm_in_a_loop_of_bridges_is_told_while_it_goes_on(home):
    """Which links carry how many frames, in how much virtual time."""
    lab = virtual(home, STORM)
    for command in (["clock", "step", "10s"], ["exec", "-n", "b1", "--", "sleep", "10"]):
        waits = home.start("-l", lab.name, *command)
        said = waits.stderr.readline().decode()
        print(said.strip())
        waits.terminate()
        waits.wait()
        found = re.search(r"(\d+) frames in (\d+\.\d{6}) s: (.*?)\.  A loop", said)
        check("virtual time is slow" in said and found, said)
        check(int(found[1]) >= 100 and float(found[2]) < 1, said)
        equal(sorted(re.findall(r"(b\d--b\d) \d+", found[3])), ["b1--b2", "b2--b3", "b3--b1"],
              said)


def with_spin(home):
    shutil.copy(SPIN, home.topologies / "spin")
    (home.topologies / "spin").chmod(0o755)


PAIR = {"name": "pair", "seed": 1, "nodes": {"a": {}, "b": {}},
        "links": [{"endpoints": ["a", "b"], "delay": "1ms"}]}


def poll(home, *args):
    """A loop that polls a clock which the kernel's tick moves, and what it cost."""
    lab = virtual(home, PAIR, "--guard", "60s", *args)
    said = lab.exec("a", "/lab/spin", "clocks", "calls", "10000", "clocks",
                    "poll", "30000000", "clocks")
    lab.exec("b", "/lab/spin calls 1000 & /lab/spin calls 1000 & ping -n -q -c3 a; wait")
    got = digest(lab)["all"]
    lab.down()
    times = [int(line.split()[1]) for line in said.splitlines()]
    return got, [later - at for at, later in zip(times, times[1:])]


def test_work_takes_time_where_it_has_a_price_and_runs_stay_the_same(home):
    with_spin(home)
    cost = "--cost", "syscall=300ns,switch=2us"
    first, (calls, polls) = poll(home, *cost)
    check(3_000_000 <= calls < 3_100_000, "10000 calls of 300 ns took", calls)
    check(20_000_000 <= polls < 50_000_000, "30 ms of ticks took", polls)
    equal(poll(home, *cost), (first, [calls, polls]), "again")
    equal(poll(home, *cost, "--serial"), (first, [calls, polls]), "one after the other")
    check(poll(home, "--cost", "syscall=301ns")[0] != first, "another price")


def test_work_is_free_unless_something_is_said(home):
    with_spin(home)
    lab = virtual(home, PAIR)
    said = lab.exec("a", "/lab/spin", "clocks", "calls", "1000", "clocks")
    begin, end = (int(line.split()[1]) for line in said.splitlines())
    check(end - begin < 10_000, "1000 calls took", end - begin)
    lab.down()
    done = home.netlab("up", home.write("pair.json", PAIR), "--cost", "syscall=1us", want=2)
    check("--cost is for --clock virtual" in done.stderr, done.stderr)
    priced = {**PAIR, "defaults": {"cost": {"switch": "1us"}}}
    done = home.netlab("up", home.write("pair.json", priced), "--out", home.out, want=1)
    check('"cost" is for virtual time' in done.stderr, done.stderr)


def test_the_run_directory_keeps_the_digest(home):
    lab = virtual(home, "triangle.json")
    lab.exec("n1", "ping -n -q -c3 n2")
    seen = digest(lab)
    lab.down()
    kept = json.loads(harness.read(lab.run_dir / "digest.json"))
    equal({k: kept[k] for k in ("frames", "journal", "consoles", "logs", "all")},
          {k: seen[k] for k in ("frames", "journal", "consoles", "logs", "all")})


if __name__ == "__main__":
    sys.exit(harness.main(globals(), needs_own_kernel=True))
