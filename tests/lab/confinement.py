#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A root shell in a machine can neither write a host file, nor read what is private,
nor reach an interface of the host; and no frame leaves the lab.

Two attackers: root in the machine, who also mounts hostfs, the kernel's own way to
the host's files; and whoever has taken over the machine's kernel process, whose
powers are what /proc says of it.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import tempfile

import harness
from harness import check, equal

TOPOLOGY = {"name": "jail", "nodes": {"n": {"count": 2}},
            "links": [{"endpoints": ["n1", "n2"]}]}
SECRET = "correct-horse-battery-staple"


def processes_of_lab(home):
    found = home.alive()
    check(len(found) >= 3, "a lab process and two machines at least", found)
    return found


def check_not_written(marks):
    found = [mark for mark in marks if os.path.lexists(mark)]
    for mark in found:
        os.rmdir(mark) if os.path.isdir(mark) else os.unlink(mark)
    equal(found, [], "files of the host's that were written")


def test_root_in_a_machine_writes_no_host_file(home):
    lab = home.up(TOPOLOGY)
    mine = home.folder / "mine"
    mine.write_text("before")
    mine.chmod(0o666)
    in_topology = home.write("mine", "before")
    marks = ["/etc/netlab-was-here", "/tmp/netlab-was-here", "/var/tmp/netlab-was-here",
             "/dev/shm/netlab-was-here", str(home.topologies / "netlab-was-here"),
             str(home.folder / "netlab-was-here"), os.path.expanduser("~/netlab-was-here")]
    # As anybody would; the overlay may take it, the host may not.
    lab.exec("n1", "; ".join(f"mkdir -p {os.path.dirname(m)}; echo x >{m}"
                             for m in marks + ["/lab/netlab-was-here", "/lab/mine"])
             + "; true", want=None)
    # With the kernel's own way to the host.
    tried = lab.exec("n1", "mkdir -p /mnt/h; mount -t hostfs none /mnt/h -o / && echo mounted;"
                     + "".join(f"(echo x >/mnt/h{m}) 2>/dev/null && echo wrote {m};"
                               for m in marks + [str(mine), str(in_topology)])
                     + "mkdir /mnt/h/netlab-was-here; true", want=None)
    print("hostfs of everything:", "mounted" if "mounted" in tried else "refused")
    check_not_written(marks + ["/netlab-was-here"])
    equal(mine.read_text(), "before", "a file that everybody may write")
    equal(in_topology.read_text(), "before", "a file in the topology's folder")


def test_what_is_private_cannot_be_read(home):
    with contextlib.ExitStack() as stack:
        secrets = [home.folder / "home/secret", home.folder / "run/secret"]
        real_home = pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir) \
            if os.getuid() in {u.pw_uid for u in pwd.getpwall()} else None
        if real_home and os.access(real_home, os.W_OK):
            folder = stack.enter_context(tempfile.TemporaryDirectory(
                prefix=".netlab-test.", dir=real_home))
            secrets.append(pathlib.Path(folder, "secret"))
        for path in secrets:
            path.write_text(SECRET)
        keeper = stack.enter_context(subprocess.Popen(
            ["sleep", "1000"], env={"SECRET": SECRET}))
        stack.callback(keeper.kill)
        home.started.append(keeper)
        lab = home.up(TOPOLOGY)
        script = "mkdir -p /mnt/h; mount -t hostfs none /mnt/h -o / 2>/dev/null;"
        for path in secrets:
            script += f"cat {path} /mnt/h{path} 2>/dev/null;"
        script += f"cat /mnt/h/proc/{keeper.pid}/environ 2>/dev/null;"
        script += f"grep -as '{SECRET}' /mnt/h/proc/[0-9]*/environ 2>/dev/null; true"
        # The script itself holds the word: look at its output only.
        said = lab.exec("n1", script, want=None)
        check(SECRET not in said.replace(script, ""), "a secret was read:", said[:500])
        secrets[1].unlink()
        if os.getuid() == 0:
            # The machine has one of its own, with names and no passwords.
            said = lab.exec("n1", "cat /mnt/h/etc/shadow 2>/dev/null; true")
            equal(said, "", "/etc/shadow was read")
            said = lab.exec("n1", "grep -v ':\\*:' /etc/shadow; true")
            equal(said, "", "a password was read")


def test_no_host_interface_and_no_way_to_one(home):
    listener = socket.create_server(("0.0.0.0", 0))
    listener.settimeout(0)
    port = listener.getsockname()[1]
    lab = home.up(TOPOLOGY)
    names = set(lab.exec("n1", "ls /sys/class/net").split())
    check(names <= {"lo", "eth0"}, "interfaces of a machine:", names)
    addresses = {"127.0.0.1"} | set(re.findall(
        r"inet (\d+\.\d+\.\d+\.\d+)",
        subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True).stdout))
    for address in sorted(addresses):
        said = lab.exec("n1", "timeout 2 bash -c 'exec 3<>/dev/tcp/"
                        f"{address}/{port}' 2>&1 && echo CONNECTED; true", want=None)
        check("CONNECTED" not in said, "connected to the host at", address)
    with contextlib.suppress(BlockingIOError):
        listener.accept()
        raise harness.Failed("something connected to the host's listener")
    listener.close()


def test_every_process_of_the_lab_has_a_network_with_nothing_in_it(home):
    lab = home.up(TOPOLOGY)
    equal(lab.reaches("n1", ["n2"]), {"n2"})
    host_net = os.readlink("/proc/self/ns/net")
    seen = set()
    for pid in processes_of_lab(home):
        who = f"{pid} {harness.command_line(pid)[:60]}"
        try:
            check(os.readlink(f"/proc/{pid}/ns/net") != host_net, who, "has the host's")
        except FileNotFoundError:
            continue  # it has ended
        except PermissionError:
            continue  # only root may look at a jail's first process
        seen.add(pid)
        rows = [line.split() for line in
                harness.read(f"/proc/{pid}/net/dev").splitlines()[2:]]
        equal([row[0] for row in rows], ["lo:"], f"{who}: interfaces")
        equal({int(n) for n in rows[0][1:]}, {0}, f"{who}: counters of lo")
        # Down: neither an address nor a route.
        equal(harness.read(f"/proc/{pid}/net/if_inet6"), "", f"{who}: IPv6 addresses")
        check(len(harness.read(f"/proc/{pid}/net/route").splitlines()) <= 1,
              f"{who} has routes")
    check({lab.state()["pid"], *kernels(home)} <= seen, "looked at", seen)
    if os.getuid() == 0:
        check(len(seen) >= 5, "root looks at all:", seen)


def status(pid):
    return dict(line.split(":\t", 1) for line in
                harness.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)


def kernels(home):
    found = harness.kernels(home.alive())
    equal(len(found), 2, "kernels of two machines")
    return found


def test_a_machine_has_no_power_over_the_host(home):
    home.up(TOPOLOGY)
    mine = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in
            ("user", "mnt", "pid", "net", "ipc", "uts")}
    for pid in kernels(home):
        said = status(pid)
        who = f"{pid} {said.get('Name')}"
        equal(said["NoNewPrivs"].strip(), "1", f"{who}: no new privileges")
        equal(said["Seccomp"].strip(), "2", f"{who}: seccomp filter")
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            equal(int(said[kind], 16), 0, f"{who}: {kind}")
        for kind, host in mine.items():
            with contextlib.suppress(FileNotFoundError):
                check(os.readlink(f"/proc/{pid}/ns/{kind}") != host,
                      who, "shares the host's", kind)


def test_the_lab_process_has_dropped_what_it_does_not_need(home):
    lab = home.up(TOPOLOGY)
    pid = lab.state()["pid"]
    said = status(pid)
    equal(said["NoNewPrivs"].strip(), "1", "no new privileges")
    for kind in ("user", "mnt", "net"):
        check(os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}"),
              "the lab shares the host's", kind)


CAP_SYS_ADMIN = 21
MS_REMOUNT_BIND = 0x20 | 0x1000
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(lab_pid, pid):
    """Become what a machine's kernel process would be if whoever took it over had
    won every capability over its user namespace.  Into the namespaces one gets only
    with the lab's capabilities, so those are worn on the way, and then lost."""
    uid, gid = (int(status(pid)[key].split()[0]) for key in ("Uid", "Gid"))
    other = uid != os.getuid()
    if other:
        os.setgroups([])  # which is forbidden inside
    ways = [open(f"/proc/{lab_pid}/ns/user")] + \
        [open(f"/proc/{pid}/ns/{kind}") for kind in ("mnt", "net", "ipc", "uts", "user")]
    for way in ways:
        if LIBC.setns(way.fileno(), 0):
            raise OSError(ctypes.get_errno(), f"setns {way.name}")
    # Root's machines run as somebody else.  (For the new user namespace this is no
    # step down from its root, so the capabilities stay.)
    if other:
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    LIBC.capget(header, sets)
    powers = sets[0]  # the effective ones, the lower half
    if not powers >> CAP_SYS_ADMIN & 1:
        raise OSError(f"inside, but with no power: {powers:x}")


def attack(marks, open_to_all, secrets):
    """What succeeded, as words; runs inside."""
    won = []

    def attempt(what, action):
        with contextlib.suppress(OSError):
            action()
            won.append(what)

    def create(path):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))

    def make_writable(path):
        if LIBC.mount(None, path.encode(), None, MS_REMOUNT_BIND, None):
            raise OSError(ctypes.get_errno())

    def cover(kind, path):
        if LIBC.mount(kind, kind, path.encode(), 0, None):
            raise OSError(ctypes.get_errno())

    for mark in marks:
        attempt(f"make {mark} writable", lambda: make_writable(mark))
        attempt(f"write to {mark}", lambda: create(f"{mark}/netlab-was-here"))
    attempt(f"write to {open_to_all}", lambda: os.truncate(open_to_all, 0))
    for secret in secrets:
        attempt(f"read {secret}", lambda: open(secret).close())
    attempt("mount proc", lambda: cover(b"proc", "/proc"))
    attempt("mount sysfs", lambda: cover(b"sysfs", "/sys"))
    attempt("mount tmpfs", lambda: cover(b"tmpfs", "/mnt"))
    attempt("open a raw socket", lambda: socket.socket(
        socket.AF_PACKET, socket.SOCK_RAW).close())
    names = [name for _, name in socket.if_nameindex()]
    if names != ["lo"]:
        won.append(f"interfaces {names}")
    return won


def inside(lab_pid, pid, action):
    """Run action() in a forked child that has entered; returns its list of words."""
    theirs, ours = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            enter(lab_pid, pid)
            said = json.dumps(action())
        except BaseException as e:
            said = json.dumps([f"did not get in: {e}"])
        os.write(ours, said.encode())
        os._exit(0)
    os.close(ours)
    with open(theirs) as f:
        said = f.read()
    os.waitpid(child, 0)
    return json.loads(said)


def test_who_takes_a_kernel_process_over_writes_and_reads_nothing_of_the_host(home):
    secret = home.folder / "home/secret"
    secret.write_text(SECRET)
    open_to_all = home.folder / "mine"
    open_to_all.write_text("before")
    open_to_all.chmod(0o666)
    lab = home.up(TOPOLOGY)
    marks = ["/etc", "/usr", "/usr/bin", "/var", "/var/tmp", "/tmp", "/run", "/home", "/",
             "/dev", "/dev/shm", str(home.folder), str(home.topologies), str(home.runtime)]
    for pid in kernels(home):
        won = inside(lab.state()["pid"], pid,
                     lambda: attack(marks, str(open_to_all), [str(secret), "/etc/shadow"]))
        equal(won, [], "what succeeded inside")
    check_not_written([f"{mark}/netlab-was-here" for mark in marks])
    equal(open_to_all.read_text(), "before", "a file that everybody may write")
    equal(lab.exec("n2", "echo", "still there"), "still there\n")


# Mounts of these kinds are made for the machine: nothing of the host's is in them.
MADE_FOR_IT = ("tmpfs", "proc", "devpts", "ramfs")


def test_a_machine_sees_the_host_read_only(home):
    """What a kernel process may write lies on file systems made for it."""
    home.up(TOPOLOGY)
    for pid in kernels(home):
        lines = harness.read(f"/proc/{pid}/mountinfo").splitlines()
        check(lines, pid, "has mounts")
        for line in lines:
            fields = line.split()
            kind = fields[fields.index("-") + 1]
            if kind not in MADE_FOR_IT:
                check("ro" in fields[5].split(","), pid, "could write to", line)


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
