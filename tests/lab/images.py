#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Root file systems other than the host's: a folder, ext4, squashfs; each machine
writes into an overlay of its own, and the image stays as it was."""
import hashlib
import os
import shutil
import subprocess
import sys

import harness
from harness import check, equal


def busybox():
    path = shutil.which("busybox", path="/bin:/usr/bin")
    check(path, "busybox-static is not installed")
    return path


def make_root(folder):
    """The least that is a system: one static program under many names."""
    for name in ("bin", "etc", "proc", "sys", "dev", "tmp", "run", "root", "lab"):
        (folder / name).mkdir(parents=True)
    shutil.copy(busybox(), folder / "bin/busybox")
    for name in ("sh", "cat", "echo", "hostname", "ls", "ping", "rm", "sleep", "true",
                 "uname", "wait", "touch"):
        (folder / "bin" / name).symlink_to("busybox")
    (folder / "etc/mark").write_text("from the image\n")
    return folder


def digest(path):
    """Names, modes, times and contents of everything."""
    whole = hashlib.sha256()
    for p in sorted([path, *path.rglob("*")]) if path.is_dir() else [path]:
        info = p.lstat()
        whole.update(repr((p.name, info.st_mode, info.st_size, info.st_mtime_ns)).encode())
        if p.is_file() and not p.is_symlink():
            whole.update(p.read_bytes())
    return whole.hexdigest()


def use(home, image):
    before = digest(image)
    lab = home.up({
        "name": "image", "defaults": {"image": str(image)},
        "nodes": {"n": {"count": 2, "run": [
            {"name": "svc", "cmd": "touch /tmp/up; sleep 1000",
             "ready": {"file": "/tmp/up"}}]}},
        "links": [{"endpoints": ["n1", "n2"]}]})
    equal(lab.exec("n1", "cat /etc/mark"), "from the image\n")
    check("busybox" in lab.exec("n1", "ls /bin"), "the image's programs")
    check("etc" in lab.exec("n1", "ls /"), "root")
    equal(lab.exec("n1", "hostname").strip(), "n1", "hostname")
    check("3 packets received" in lab.exec("n1", "ping -c3 n2"), "ping by name")
    lab.exec("n1", "echo changed >/etc/mark; rm /bin/uname; echo new >/root/new")
    equal(lab.exec("n1", "cat /etc/mark /root/new"), "changed\nnew\n")
    equal(lab.exec("n2", "cat /etc/mark; ls /root"), "from the image\n", "the other one")
    lab.down()
    equal(digest(image), before, "the image")


def test_a_folder(home):
    use(home, make_root(home.folder / "rootfs"))


def test_ext4(home):
    image = home.folder / "root.ext4"
    make_root(home.folder / "rootfs")
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-d", home.folder / "rootfs", image, "16M"],
                   check=True, capture_output=True)
    use(home, image)


def test_squashfs(home):
    image = home.folder / "root.squashfs"
    make_root(home.folder / "rootfs")
    subprocess.run(["mksquashfs", home.folder / "rootfs", image, "-quiet",
                    "-no-progress"], check=True, capture_output=True)
    use(home, image)


def test_what_is_no_image_is_refused(home):
    broken = home.folder / "broken.img"
    broken.write_bytes(os.urandom(1 << 20))
    for image, word in (("/no/such/image", "/no/such/image"), (str(broken), "neither squashfs nor ext4")):
        path = home.write("bad.json", {"name": "bad", "nodes": {"n": {"image": image}}})
        done = home.netlab("up", path, "--out", home.out, want=1)
        check(word in done.stderr, done.stderr)
        home.check_nothing_left()


if __name__ == "__main__":
    sys.exit(harness.main(globals()))
