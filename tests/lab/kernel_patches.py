#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the patches of netlab's own kernel promise, with and without their parameters, for
both ways that it runs programs.  A kernel is booted by itself: tests/guest/patches.c is
the machine's only process, and says what each word of its command line does."""
import contextlib
import fcntl
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import harness
from harness import check, equal

PATCHES = os.environ.get("NETLAB_PATCHES") or str(harness.ROOT / "build/tests/lab_patches.cpio")
MODES = "on", "off"  # of seccomp: stubs that work with the kernel, or traced ones


def command_line(folder, words, mode="on", parameters=(), con0="null,fd:1"):
    return [harness.own_kernel(), "mem=64M", f"initrd={PATCHES}", "con=null",
            f"con0={con0}", "console=tty0", "root=none", "quiet", "panic=-1",
            "lpj=10000000", f"uml_dir={folder}", "umid=k", f"seccomp={mode}",
            *parameters, "--", *words]


def boot(home, *words, mode="on", parameters=(), prefix=()):
    """What the machine says: {word: [answer, ...]}"""
    with tempfile.TemporaryDirectory(dir=home.tmp) as folder:
        command = [*prefix, *command_line(folder, words, mode, parameters)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60,
                              env={**home.env, "TMPDIR": str(home.tmp)})
    answers = {}
    for word, answer in re.findall(r"^(\w+): (.*?)\r?$", done.stdout, re.M):
        answers.setdefault(word, []).append(answer)
    answers["said"] = done.stdout + done.stderr
    return answers


def has(parameter):
    done = subprocess.run([harness.own_kernel(), "--help"], capture_output=True, text=True,
                          timeout=10)
    return re.search(f"^{parameter}=", done.stdout, re.M)


def test_rdtsc_is_the_machines_clock_when_asked_for(home):
    for mode in MODES:
        equal(boot(home, "tsc", mode=mode).get("tsc"), ["host"], mode)
        said = boot(home, "tsc", "fault", mode=mode, parameters=["um_tsc=guest"])
        equal(said.get("tsc"), ["guest"], mode, said["said"])
        equal(said.get("fault"), ["SIGSEGV"], "an honest fault", mode)


def test_rdtsc_is_the_clock_in_virtual_time(home):
    for mode in MODES:
        said = boot(home, "tsc", mode=mode, parameters=["um_tsc=guest", "time-travel=inf-cpu",
                                                        "time-travel-start=1000000000"])
        equal(said.get("tsc"), ["guest"], mode, said["said"])


def test_cpuid_is_fixed_or_the_kernel_says_that_it_is_not(home):
    for mode in MODES:
        host = boot(home, "cpuid", mode=mode)["cpuid"][0]
        said = boot(home, "cpuid", mode=mode, parameters=["um_cpuid=fixed"])
        if "NOT in force" in said["said"]:
            print("this host cannot fault on cpuid:", said["cpuid"][0])
            check("um_cpuid=fixed: NOT in force: the host" in said["said"], said["said"])
            equal(said["cpuid"], [host], "half a disguise", mode)
        else:
            equal(said["cpuid"], ["GenuineIntel 000306c4 hwcap 78bfbff"], mode)


def test_random_numbers_come_from_the_seed_and_from_nothing_else(home):
    def draw(*parameters, mode="on"):
        said = boot(home, "random", "random", mode=mode, parameters=parameters)
        check(len(said.get("random", [])) == 2, said["said"])
        return said["random"]

    for mode in MODES:
        first = draw("um_seed=c0ffee", mode=mode)
        equal(draw("um_seed=c0ffee", mode=mode), first, "the same seed", mode)
        equal(draw("um_seed=00C0FFEE", mode=mode), first, "the same number", mode)
        check(draw("um_seed=c0ffef", mode=mode) != first, "another seed", mode)
        check(first[0] != first[1], "a stream goes on")
        check(draw(mode=mode) != draw(mode=mode), "without a seed")
    equal(draw("um_seed=c0ffee", "loglevel=3"), draw("um_seed=c0ffee", "loglevel=4"),
          "another command line")
    long = draw("um_seed=" + 31 * "0" + "1")
    equal(draw("um_seed=1"), long, "leading zeros")
    check(draw("um_seed=1" + 16 * "0") != long, "all digits count")


def test_files_of_unknown_owners_are_roots_when_asked_for(home):
    if os.geteuid() == 0:
        equal(os.stat("/etc/passwd").st_uid, 0)
    prefix = ["unshare", "--user"]
    equal(boot(home, "owner:/etc/passwd", prefix=prefix).get("owner"), ["65534 65534"])
    said = boot(home, "owner:/etc/passwd", prefix=prefix, parameters=["hostfs_owner=root"])
    equal(said.get("owner"), ["0 0"], said["said"])


def test_a_signal_frame_announces_what_it_holds(home):
    for mode in MODES:
        equal(boot(home, "frame", mode=mode).get("frame"), ["announced"], mode)


def make_files(folder, names):
    folder.mkdir(parents=True)
    for name in names:
        path = folder / name
        if name.endswith(".d"):
            path.mkdir()
            os.utime(path, (1, len(name)))
        else:
            path.write_text(name)
            os.utime(path, (os.getpid(), 10**9 + len(name)))
    (folder / "link").symlink_to("b")


def test_the_hosts_files_look_the_same_whatever_is_under_them(home):
    names = ["b", "a", "z", "c.d", "longer-name", "0", *(f"f{i}" for i in range(2000))]
    where = home.tmp / "files"
    lists = []
    for order in names, names[::-1]:
        make_files(where, order)
        # Links would have the time of their making.
        os.utime(where / "link", (5, 5), follow_symlinks=False)
        lists.append(boot(home, f"list:{where}", parameters=["hostfs_stable=on"])["list"][0])
        subprocess.run(["rm", "-r", str(where)], check=True)
    equal(lists[0], lists[1])
    entries = [entry.split(",") for entry in lists[0].split(" ")]
    found = [entry[0] for entry in entries]
    equal(found, sorted(found), "order")
    equal(set(found), {*names, "link", ".", ".."}, "names")
    equal(len({entry[1] for entry in entries if entry[0] != ".."}), len(names) + 2,
          "different inode numbers")
    equal({entry[8] for entry in entries}, {"same"}, "inode numbers of both kinds")
    times = {entry[0]: entry[4:7] for entry in entries}
    equal(times["a"], 3 * [str(10**9 + 1)])
    equal(times["c.d"], times["."])


def test_the_host_is_not_named_when_asked_not_to(home):
    equal(boot(home, "cpuinfo")["cpuinfo"], ["shown"])
    equal(boot(home, "cpuinfo", parameters=["um_host=hidden"])["cpuinfo"], ["hidden"])


def line_with(stream, start):
    for line in stream:
        if line.startswith(start):
            return line.rstrip()
    raise harness.Failed(f"no line began with {start!r}")


def test_a_kernel_that_is_asked_says_which_program_spins(home):
    for mode in MODES:
        with tempfile.TemporaryDirectory(dir=home.tmp) as folder:
            kernel = subprocess.Popen(
                command_line(folder, ["spin"], mode, ["um_where=on", "time-travel=inf-cpu"]),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, env={**home.env, "TMPDIR": str(home.tmp)})
            try:
                start = int(line_with(kernel.stdout, "spin: ").split()[1], 16)
                # Again and again: asking does no harm.  The kernel may be busy with the
                # answer before, and the program at first on its way back from writing that
                # word; then it spins.
                spins = 0
                for _ in range(1000):
                    time.sleep(0.005) # nothing tells when it is back in the program
                    kernel.send_signal(signal.SIGUSR2)
                    said = line_with(kernel.stdout, "um_where: ")
                    found = re.match(r"um_where: (user|kernel) pid=1 tid=1 "
                                     r"ip=0x([0-9a-f]+) call=-?\d+ comm=init\tin=(\S+)\+0x[0-9a-f/x]+$",
                                     said)
                    check(found, mode, said)
                    in_program = found.group(1) == "user"
                    inside = in_program and start < int(found.group(2), 16) < start + 200
                    if in_program:
                        equal(found.group(3), "/init", said)
                        check(inside or not spins, mode, said)
                    spins += inside
                    if spins == 3:
                        break
                equal(spins, 3, f"{mode}: answers from where it spins; the last: {said}")
            finally:
                kernel.kill()
                kernel.communicate()


def test_calls_take_the_time_that_is_said(home):
    for mode in MODES:
        free = ["time-travel=inf-cpu"]
        said = boot(home, "calls", mode=mode, parameters=free)
        check(int(said["calls"][0]) < 1000, mode, said["said"])
        said = boot(home, "calls", mode=mode, parameters=[*free, "um_cost_syscall=700"])
        check(700_000 <= int(said["calls"][0]) < 710_000, mode, said["said"])
    said = boot(home, "calls", parameters=["um_cost_syscall=700"])
    check("NOT in force: they need time-travel" in said["said"], said["said"])


@contextlib.contextmanager
def talk(home, *words, mode="on", prefix=()):
    """A machine whose console can be written to."""
    with tempfile.TemporaryDirectory(dir=home.tmp) as folder:
        kernel = subprocess.Popen(
            [*prefix, *command_line(folder, words, mode, con0="fd:0,fd:1")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            bufsize=0, env={**home.env, "TMPDIR": str(home.tmp)})
        try:
            yield kernel
        finally:
            kernel.kill()
            kernel.communicate()


def lines_until(kernel, start):
    """The rest of the line that begins so."""
    line = b""
    while True:
        byte = kernel.stdout.read(1)
        check(byte, "the machine ended before", start)
        line += byte
        if byte == b"\n":
            if line.startswith(start.encode()):
                return line[len(start):].strip().decode()
            line = b""


def sleeps(pid):
    """How often it has gone to sleep, or None if it is awake."""
    text = harness.read(f"/proc/{pid}/status")
    if not re.search(r"^State:\s+S", text, re.M):
        return None
    return re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1)


def is_left_unread(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0] > 0


def sleeps_over(kernel):
    """Whether it sleeps, and goes on to, though a byte is there for it.  A host that is
    busy does not matter: what waits for a processor is not asleep."""
    first = sleeps(kernel.pid)
    for _ in range(10):
        if first is None or sleeps(kernel.pid) != first or not is_left_unread(kernel.stdin):
            return False
        time.sleep(0.005) # that nothing happens cannot be awaited
    return True


def test_no_signal_is_slept_over(home):
    for mode in MODES:
        with talk(home, "echo", mode=mode) as kernel:
            equal(lines_until(kernel, "echo: "), "ready", mode)
            for i in range(10000):
                # At each moment of its way back to sleep.
                due = time.perf_counter_ns() + i % 100 * 2000
                while time.perf_counter_ns() < due:
                    pass
                kernel.stdin.write(b"a")
                while not select.select([kernel.stdout], [], [], 0.02)[0]:
                    check(not sleeps_over(kernel), f"{mode}: byte {i} was slept over")
                equal(kernel.stdout.read(1), b"a", mode)


def test_each_processor_ends_with_a_blank_line(home):
    equal(boot(home, "cpuinfo")["processors"], ["ended"])


def test_a_program_can_use_more_pages_than_the_host_maps(home):
    most = int(harness.read("/proc/sys/vm/max_map_count"))
    if most > 300000:
        print(f"vm.max_map_count is {most} here: not tried")
        return
    for mode in MODES:
        said = boot(home, f"pages:{most + 1000}", mode=mode)
        equal(said.get("pages"), ["right"], mode, said["said"])


def test_files_take_a_descriptor_only_while_they_are_open(home):
    where = home.folder / "tree"
    for i in range(200):
        (where / f"d{i}").mkdir(parents=True)
        (where / f"d{i}/file").write_text("x")
    for mode in MODES:
        said = boot(home, f"walk:{where}", mode=mode,
                    prefix=["prlimit", "--nofile=100:100"])
        equal(said.get("walk"), ["201 folders, 200 files, no error, and a program"], mode,
              said["said"])


def test_a_file_that_the_host_writes_is_read_anew(home):
    def write(path):
        path.write_text("other contents")

    def replace(path):
        write(path.with_name("new"))
        path.with_name("new").rename(path)

    for change in write, replace:
        path = home.folder / "files/file"
        path.parent.mkdir(exist_ok=True)
        path.write_text("contents")
        with talk(home, f"twice:{path}") as kernel:
            equal(lines_until(kernel, "twice: "), "contents")
            change(path)
            kernel.stdin.write(b".")
            said = lines_until(kernel, "twice: ")
            # Of a file that was replaced, the old one as a whole is right as well.
            check(said == "other contents" or (said, change) == ("contents", replace), said)
RISE = ["time-travel=inf-cpu", "um_cost_rise=on"]


def test_who_polls_through_a_time_is_hardly_late_and_asks_seldom(home):
    for mode in MODES:
        for wait_us in 100, 1000, 100_000:
            said = boot(home, f"polls:{wait_us}", mode=mode, parameters=RISE)
            count, late_ns = map(int, said["polls"][0].split())
            check(count < 500, mode, wait_us, said["said"])
            # A poll, the clock, and the clock once more: a 32nd each.
            check(late_ns < wait_us * 1000 * 3 // 32 + 3000, mode, wait_us, said["said"])
    free = boot(home, "polls:1000", parameters=["time-travel=inf-cpu"])
    check(int(free["polls"][0].split()[0]) > 3000, "without it", free["said"])


def test_loops_that_wait_for_a_tick_or_a_turn_end(home):
    for mode in MODES:
        said = boot(home, "coarse", "alarm", "flag", mode=mode, parameters=RISE)
        equal(said.get("coarse"), ["ends"], mode, said["said"])
        check(200_000_000 <= int(said["alarm"][0]) < 220_000_000, mode, said["said"])
        equal(said.get("flag"), ["seen"], mode, said["said"])


def test_who_does_not_wait_in_loops_pays_nothing(home):
    """A thousand calls at one instant are a thousand calls at one instant."""
    free = boot(home, "calls", parameters=["time-travel=inf-cpu"])
    equal(boot(home, "calls", parameters=RISE).get("calls"), free["calls"])
    said = boot(home, "calls", parameters=[*RISE, "um_cost_syscall=700"])
    check(700_000 <= int(said["calls"][0]) < 710_000, "a price that is given", said["said"])
    said = boot(home, "calls", parameters=["um_cost_rise=on"])
    check("NOT in force: it needs time-travel" in said["said"], said["said"])


def test_a_wrong_value_ends_the_kernel_with_a_word(home):
    for parameter in ("um_tsc=gest", "um_cpuid=none", "um_seed=xyz", "um_seed=" + 33 * "1",
                      "um_seed=", "hostfs_owner=me", "hostfs_stable=1", "um_host=no",
                      "um_console_queue=3", "um_console_queue=512", "um_where=yes",
                      "um_cost_syscall=1us", "um_cost_switch=1000001", "um_cost_rise=1"):
        said = boot(home, "tsc", parameters=[parameter])
        check("tsc" not in said, parameter, "was taken")
        check(parameter.partition("=")[0] + "=" in said["said"] and "expected" in said["said"],
              parameter, said["said"])


if __name__ == "__main__":
    if harness.own_kernel() and not has("um_seed"):
        print("SKIP: the own kernel has no patches of netlab's")
        sys.exit(77)
    pathlib.Path(PATCHES).exists() or sys.exit(f"{PATCHES} is not built")
    sys.exit(harness.main(globals(), needs_own_kernel=True))
