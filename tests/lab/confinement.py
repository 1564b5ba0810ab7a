#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A root shell in a machine can neither write a host file, nor read what is private,
nor reach an interface of the host; and no frame leaves the lab.

Two attackers: root in the machine, who also mounts hostfs, the kernel's own way to
the host's files; and whoever has taken over the machine's kernel process, whose
powers are what /proc says of it.
"""
import contextlib
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
                     + "rm -f /mnt/h/etc/hostname; mkdir /mnt/h/netlab-was-here;"
                     "chmod 777 /mnt/h/etc/hosts; touch /mnt/h/bin; true", want=None)
    print("hostfs of everything:", "mounted" if "mounted" in tried else "refused")
    for mark in marks + ["/netlab-was-here"]:
        check(not os.path.lexists(mark), "a machine wrote", mark)
    equal(mine.read_text(), "before", "a file that everybody may write")
    equal(in_topology.read_text(), "before", "a file in the topology's folder")
    check(os.path.exists("/etc/hostname"), "/etc/hostname is gone")
    check(os.stat("/etc/hosts").st_mode & 0o777 != 0o777, "/etc/hosts is 777")


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
            said = lab.exec("n1", "cat /etc/shadow /mnt/h/etc/shadow 2>/dev/null; true")
            check("root:" not in said, "/etc/shadow was read")


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
    for pid in processes_of_lab(home):
        who = f"{pid} {harness.command_line(pid)[:60]}"
        with contextlib.suppress(FileNotFoundError):
            equal(os.readlink(f"/proc/{pid}/ns/net") != host_net, True, f"{who}: network")
        rows = [line.split() for line in
                harness.read(f"/proc/{pid}/net/dev").splitlines()[2:]]
        equal([row[0] for row in rows], ["lo:"], f"{who}: interfaces")
        equal({int(n) for n in rows[0][1:]}, {0}, f"{who}: counters of lo")
        # Down: neither an address nor a route.
        equal(harness.read(f"/proc/{pid}/net/if_inet6"), "", f"{who}: IPv6 addresses")
        check(len(harness.read(f"/proc/{pid}/net/route").splitlines()) <= 1,
              f"{who} has routes")


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


def inside(pid, script):
    """Run a script where a machine's kernel process is, and with every capability
    over its user namespace: more than whoever takes it over would have."""
    return subprocess.run(
        ["nsenter", "--target", str(pid), "--user", "--mount", "--pid", "--net", "--ipc",
         "--uts", "--preserve-credentials", "--", "/bin/sh", "-c", script],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)


def test_who_takes_a_kernel_process_over_writes_and_reads_nothing_of_the_host(home):
    secret = home.folder / "home/secret"
    secret.write_text(SECRET)
    open_to_all = home.folder / "mine"
    open_to_all.write_text("before")
    open_to_all.chmod(0o666)
    lab = home.up(TOPOLOGY)
    marks = ["/etc", "/usr", "/usr/bin", "/var", "/var/tmp", "/tmp", "/run", "/home", "/",
             "/dev", "/dev/shm", str(home.folder), str(home.topologies), str(home.runtime)]
    script = "id -u >&2; " + "".join(
        f"mount -o remount,rw,bind {m}; touch {m}/netlab-was-here; " for m in marks) + \
        f"echo x >{open_to_all}; cat {secret}; ls /proc >&2; " \
        "ip link add x type dummy && echo ADDED; ip link set lo up; ls /sys/class/net; " \
        "mount -t proc proc /proc; mount --bind /etc /mnt; chroot /proc/1/root true; true"
    for pid in kernels(home):
        done = inside(pid, script)
        check(done.returncode in (0, 126, 127), "nsenter:", done.stderr)
        check(SECRET not in done.stdout, "a secret was read")
    for mark in marks:
        check(not os.path.lexists(f"{mark}/netlab-was-here"), "written from inside:", mark)
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
