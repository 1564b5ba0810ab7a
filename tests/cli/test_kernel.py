#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""netlab kernel build, ls, use and rm, with a tiny source that builds like a kernel's.

Its Makefile has the targets that a build uses, and takes a second.  NETLAB is the
program under test.
"""
import glob
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

NETLAB = os.environ["NETLAB"]
TOOLS = ("gcc ld make flex bison bc patch xz tar perl depmod env sh as cc cp rm mkdir grep cat "
         "strip touch sed test echo sleep head ln gzip dpkg-deb uname").split()

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
extern int same_in_all;
const char *banner = "Linux version RELEASE (me@here)";
const char *help = "seccomp=<on/auto/off>\n    text";
const char *config = "CONFIG_UML=y\nCONFIG_VIRTIO_NET=y\nCONFIG_VIRTIO_CONSOLE=y\n"
	"CONFIG_OVERLAY_FS=y\nCONFIG_HOSTFS=y";
int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--version")) puts("RELEASE");
	return 0;
}
"""

MAKEFILE = r"""
VERSION = MAJOR
PATCHLEVEL = MINOR
SUBLEVEL = 1
EXTRAVERSION =

allnoconfig:
	grep -v DROPPED $(KCONFIG_ALLCONFIG) >.config
	mkdir -p include/config && echo MAJOR.MINOR.1 >include/config/kernel.release
%.o:
	@echo '  CC      $@'
	@echo $@ >>NOTES/objects
	@test $@ != b.o || while test -e NOTES/block; do sleep 0.05; done
	@test $@ != b.o || test ! -e NOTES/break || { echo b.c: wrong; exit 1; }
	@touch $@
b.o: a.o
linux: a.o b.o
	gcc -o linux kernel.c
modules: c.o
	@:
modules_install:
	mkdir -p $(INSTALL_MOD_PATH)/lib/modules/MAJOR.MINOR.1
	echo "$(KBUILD_BUILD_USER) $(KBUILD_BUILD_TIMESTAMP)" >$(INSTALL_MOD_PATH)/lib/modules/MAJOR.MINOR.1/modules.dep
"""

PATCH = """--- a/kernel.c
+++ b/kernel.c
@@ -1,4 +1,5 @@
 
+/* patched */
 #include <stdio.h>
 #include <string.h>
 extern int same_in_all;
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="netlab-kernel."))
        self.addCleanup(shutil.rmtree, self.tmp, True)
        self.notes = self.tmp / "notes"
        for name in ("notes", "guest/patches", "run"):
            (self.tmp / name).mkdir(parents=True, mode=0o700)
        (self.tmp / "guest/kernel.config").write_text("CONFIG_MODULES=y\n# CONFIG_X is not set\n")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("NETLAB")}
        self.env.update(XDG_CACHE_HOME=str(self.tmp / "cache"), NO_COLOR="1",
                        XDG_CONFIG_HOME=str(self.tmp / "config"),
                        XDG_RUNTIME_DIR=str(self.tmp / "run"),
                        NETLAB_GUEST=str(self.tmp / "guest"))
        self.source = self.make_source(9, 9)

    def make_source(self, major, minor):
        top = self.tmp / f"linux-{major}.{minor}"
        top.mkdir()

        def fill(text):
            return (text.replace("MAJOR", str(major)).replace("MINOR", str(minor))
                    .replace("NOTES", str(self.notes))
                    .replace("RELEASE", f"{major}.{minor}.1"))
        (top / "Makefile").write_text(fill(MAKEFILE))
        (top / "kernel.c").write_text(fill(PROGRAM))
        tarball = self.tmp / f"linux-{major}.{minor}.tar.xz"
        subprocess.run(["tar", "-C", self.tmp, "-cJf", tarball, top.name], check=True)
        return str(tarball)

    def netlab(self, *args, want=0, **env):
        done = subprocess.run([NETLAB, *args], capture_output=True, text=True, timeout=120,
                              cwd=self.tmp, env={**self.env, **env})
        if want is not None:
            self.assertEqual(done.returncode, want, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def build(self, *args, source=None, **options):
        return self.netlab("kernel", "build", "--source", source or self.source, *args,
                           **options)

    def objects(self):
        path = self.notes / "objects"
        return path.read_text().split() if path.exists() else []

    def kernels(self):
        return json.loads(self.netlab("kernel", "ls", "--json"))["kernels"]

    def own(self):
        return [k for k in self.kernels() if "built" in k]

    def start(self):
        """A build that stands still while it compiles b.o."""
        (self.notes / "block").touch()
        job = subprocess.Popen([NETLAB, "kernel", "build", "--source", self.source],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               cwd=self.tmp, env=self.env)
        self.addCleanup(job.stdout.close)
        self.addCleanup(job.wait)
        self.addCleanup(job.kill)
        # It comes after a.o, so make is done with that: an interrupted make removes what it
        # is at.
        self.wait(lambda: "b.o" in self.objects(), "b.o to be compiled")
        return job

    def wait(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, f"waited for {what}")
            time.sleep(0.02)

    def alive(self):
        """Processes that work in this test's folder."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd").startswith(
                        str(self.tmp / "cache")):
                    found.append(entry)
            except OSError:
                pass
        return found


class BuildTest(Case):
    def test_it_is_built_once_and_used(self):
        self.assertRegex(self.build(), r"9\.9\.1-[0-9a-f]{8} is built.*\n.*\nLabs use it")
        kernel, = self.own()
        self.assertTrue(kernel["used"] and kernel["built"]["current"])
        self.assertEqual(kernel["release"], "9.9.1")
        self.assertEqual(kernel["can"], ["seccomp", "builtin"])
        self.assertTrue(kernel["modules"].endswith("/lib/modules/9.9.1"))
        dep = pathlib.Path(kernel["modules"], "modules.dep").read_text()
        self.assertEqual(dep, "netlab Thu Jan  1 00:00:00 UTC 1970\n")
        self.assertIn("with this version's configuration", self.netlab("kernel", "ls"))
        # Nothing but the kernel stays.
        left = os.listdir(self.tmp / "cache/netlab/build")
        self.assertEqual(sorted(left), ["lock", "log"])
        count = len(self.objects())
        self.assertIn("already there", self.build())
        self.assertIn("already there", self.netlab("kernel", "build"))
        self.assertEqual(len(self.objects()), count)
        self.assertIn("is built", self.build("--again"))
        self.assertEqual(len(self.own()), 1)

    def test_another_configuration_patch_or_source_is_another_kernel(self):
        self.build()
        (self.tmp / "guest/patches/0001-x.patch").write_text(PATCH)
        old, = self.own()
        self.assertFalse(old["built"]["current"])
        self.assertIn("netlab kernel build", self.netlab("kernel", "ls"))
        self.assertIn("is built", self.build())
        with open(self.tmp / "guest/kernel.config", "a") as config:
            config.write("CONFIG_Y=y\n")
        self.assertIn("is built", self.build())
        self.assertIn("is built", self.build(source=self.make_source(9, 10)))
        kernels = self.own()
        self.assertEqual(len(kernels), 4)
        self.assertEqual([k["release"] for k in kernels if k["used"]], ["9.10.1"])
        self.assertEqual([k["built"]["patches"] for k in kernels if k["used"]], [1])

    def test_a_folder_is_copied_and_left_as_it_is(self):
        folder = self.tmp / "linux-9.9"
        (folder / "a.o").touch()
        before = sorted(os.listdir(folder))
        self.assertIn("is built", self.build(source=str(folder)))
        self.assertEqual(sorted(os.listdir(folder)), before)
        self.assertIn("a.o", self.objects())

    def test_an_interrupted_build_leaves_nobody_and_goes_on(self):
        job = self.start()
        job.send_signal(signal.SIGINT)
        self.assertEqual(job.wait(30), 130)
        self.assertIn("goes on from here", job.stdout.read())
        # make is gone; what it had started was ended with it, and takes a moment.
        self.wait(lambda: not self.alive(), "the compiler to go")
        self.assertEqual(self.own(), [])
        (self.notes / "block").unlink()
        self.assertIn("is built", self.build())
        self.assertEqual(self.objects().count("a.o"), 1)
        self.assertEqual(self.objects().count("b.o"), 2)

    def test_a_killed_build_leaves_nobody_and_goes_on(self):
        job = self.start()
        job.kill()
        job.wait()
        self.wait(lambda: not self.alive(), "make to go")
        (self.notes / "block").unlink()
        self.assertIn("is built", self.build())

    def test_what_an_earlier_build_left_broken_is_made_anew(self):
        job = self.start()
        job.send_signal(signal.SIGTERM)
        self.assertEqual(job.wait(30), 143)
        (self.notes / "block").unlink()
        tree, = glob.glob(f"{self.tmp}/cache/netlab/build/*/src")
        pathlib.Path(tree, "kernel.c").write_text("rubbish")
        self.assertIn("is built", self.build())

    def test_the_second_build_waits_for_the_first(self):
        first = self.start()
        second = subprocess.Popen([NETLAB, "kernel", "build", "--source", self.source],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env=self.env)
        self.addCleanup(second.stdout.close)
        line = ""
        while "waiting for process" not in line:
            line = second.stdout.readline()
            self.assertTrue(line)
        self.assertIn(f"process {first.pid}", line)
        (self.notes / "block").unlink()
        self.assertEqual(first.wait(60), 0)
        self.assertEqual(second.wait(60), 0)
        self.assertIn("already there", second.stdout.read())
        self.assertEqual(self.objects().count("b.o"), 1)


APT_CACHE = """#!/bin/sh
test -z "ELSEWHERE" || test -n "$APT_CONFIG" || exit 0
case $1 in
search) echo "linux-source - not this"; echo "linux-source-6.1 - old"
	echo "linux-source-9.9 - newest"; echo "linux-source-9.8 - old" ;;
show) printf 'Package: linux-source-9.9\\nVersion: 9.9.1-1~x\\nSize: 1000\\n' ;;
esac
"""
APT_GET = """#!/bin/sh
echo "$@" >>NOTES/apt
case $* in
update)
	grep -h "^deb" "${APT_CONFIG%apt.conf}sources.list" >>NOTES/suites
	grep -q -e "REACHED" "${APT_CONFIG%apt.conf}sources.list" && exit 0
	echo "E: The repository has no Release file. 404  Not Found"; exit 100 ;;
*download*) cp NOTES/linux-source-9.9_x.deb . ;;
esac
"""


class FetchTest(Case):
    """With an apt of ours: what it offers, and how often it is asked."""

    def setUp(self):
        super().setUp()
        if not shutil.which("dpkg-deb") or glob.glob("/usr/src/linux-source-*"):
            self.skipTest("no Debian, or a source is installed")
        package = self.tmp / "package"
        (package / "DEBIAN").mkdir(parents=True, mode=0o755)
        (package / "usr/src").mkdir(parents=True)
        shutil.copy(self.source, package / "usr/src/linux-source-9.9.tar.xz")
        (package / "DEBIAN/control").write_text(
            "Package: linux-source-9.9\nVersion: 9.9.1-1\nArchitecture: all\n"
            "Maintainer: x <x@x>\nDescription: x\n")
        subprocess.run(["dpkg-deb", "-b", package, self.notes / "linux-source-9.9_x.deb"],
                       check=True, capture_output=True)
        (self.tmp / "bin").mkdir()
        self.env["PATH"] = f"{self.tmp}/bin:" + self.env["PATH"]
        self.apt(elsewhere="", reached="nothing")

    def apt(self, **words):
        for name, text in (("apt-cache", APT_CACHE), ("apt-get", APT_GET)):
            for word, value in {**words, "notes": str(self.notes)}.items():
                text = text.replace(word.upper(), value)
            (self.tmp / "bin" / name).write_text(text)
            (self.tmp / "bin" / name).chmod(0o755)

    def asked(self, word):
        path = self.notes / "apt"
        return path.read_text().count(word) if path.exists() else 0

    def test_the_newest_that_apt_offers_is_fetched_once_and_a_build_of_it_goes_on(self):
        (self.notes / "break").touch()
        self.netlab("kernel", "build", want=1)
        (self.notes / "break").unlink()
        self.assertIn("is built", self.netlab("kernel", "build"))
        kernel, = self.own()
        self.assertEqual(kernel["built"]["source"], "linux-source-9.9 9.9.1-1~x")
        self.assertEqual(self.objects().count("a.o"), 1)
        self.assertEqual(self.asked("download"), 1)
        # Another configuration needs no network.
        with open(self.tmp / "guest/kernel.config", "a") as config:
            config.write("CONFIG_Y=y\n")
        self.assertIn("is built", self.netlab("kernel", "build"))
        self.assertEqual(self.asked("download"), 1)
        self.netlab("kernel", "build", "--again")
        self.assertEqual(self.asked("download"), 2)
        self.assertEqual(self.asked("update"), 0)

    def test_a_newer_release_is_looked_at_through_lists_of_our_own(self):
        self.apt(elsewhere="yes", reached="-backports main")
        text = self.netlab("kernel", "build", want=None)
        if "name no mirror of Debian" in text:
            self.skipTest("this system's apt knows no mirror of Debian")
        self.assertIn("is built", text)
        suites = (self.notes / "suites").read_text().splitlines()
        self.assertIn("-backports main", suites[-1])
        self.assertNotIn("security", " ".join(suites))
        config = (self.tmp / "cache/netlab/apt/apt.conf").read_text()
        self.assertIn('Dir::Etc::sourceparts "/dev/null";', config)
        self.assertIn('Acquire::AllowInsecureRepositories "false";\nAcquire::AllowWeak', config)

    def test_none_anywhere_is_said_with_what_to_do(self):
        self.apt(elsewhere="yes", reached="nothing")
        text = self.netlab("kernel", "build", want=1)
        self.assertRegex(text, "no kernel source was found: no release of Debian at [^ ]* has "
                         "a linux-source of 6.16 or newer; get one .* with --source")


class RefusalTest(Case):
    def test_a_missing_program_is_named_with_the_command_that_brings_it(self):
        programs = self.tmp / "bin"
        programs.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin")
            if found and tool not in ("flex", "bc"):
                (programs / tool).symlink_to(found)
        text = self.build(want=1, PATH=str(programs))
        self.assertIn("missing: flex, bc;", text)
        self.assertIn("apt-get install flex bc", text)

    def test_an_option_that_is_not_granted_is_named(self):
        with open(self.tmp / "guest/kernel.config", "a") as config:
            config.write("CONFIG_DROPPED=y\nCONFIG_DROPPED_TOO=m\n")
        text = self.build(want=1)
        self.assertIn("does not grant 2 options", text)
        self.assertIn("CONFIG_DROPPED CONFIG_DROPPED_TOO", text)
        self.assertEqual(self.own(), [])

    def test_a_patch_that_does_not_fit_is_named(self):
        (self.tmp / "guest/patches/0002-y.patch").write_text(PATCH.replace("stdio", "stdlib"))
        text = self.build(want=1)
        self.assertIn("0002-y.patch does not fit Linux 9.9.1", text)
        self.assertIn("  | ", text)

    def test_what_does_not_compile_shows_the_end_of_the_log(self):
        (self.notes / "break").touch()
        text = self.build(want=1)
        self.assertIn("  | b.c: wrong", text)
        self.assertRegex(text, r"compiling Linux 9\.9\.1 failed \(exit status 2\); the log: /")
        self.assertEqual(self.own(), [])

    def test_what_is_no_source_or_too_old(self):
        self.assertIn("No such file", self.build(want=1, source="/no/such.tar.xz"))
        self.assertIn("needs 6.16 or newer",
                      self.build(want=1, source=self.make_source(6, 12)))
        self.assertIn("needs 6.16", self.build(want=1, source=str(self.tmp / "linux-6.12")))
        self.assertIn("Makefile", self.build(want=1, source=str(self.tmp / "guest")))

    def test_without_a_network_it_says_what_to_do(self):
        if glob.glob("/usr/src/linux-source-*") or not shutil.which("apt-get"):
            self.skipTest("a source is installed, or this is no Debian")
        text = self.netlab("kernel", "build", want=1, http_proxy="http://127.0.0.1:9",
                           https_proxy="http://127.0.0.1:9")
        self.assertIn("--source", text)

    def test_no_recipe(self):
        self.assertIn("NETLAB_GUEST=/nowhere", self.build(want=1, NETLAB_GUEST="/nowhere"))

    def test_wrong_words(self):
        self.assertIn("--jobs 0", self.build("--jobs", "0", want=2))


class UseTest(Case):
    def test_use_is_remembered_until_auto(self):
        self.build()
        name = self.own()[0]["name"]
        linux = self.own()[0]["path"]
        self.assertIn("no kernel 'nope'", self.netlab("kernel", "use", "nope", want=1))
        self.netlab("kernel", "use", linux)
        self.assertIn("`netlab kernel use` set it", self.netlab("kernel", "ls"))
        self.assertIn("NETLAB_KERNEL names it", self.netlab("kernel", "ls", NETLAB_KERNEL=name))
        self.netlab("kernel", "use", "auto")
        self.assertIn("with this version's configuration", self.netlab("kernel", "ls"))
        self.netlab("kernel", "use", name)
        self.netlab("kernel", "rm", name)
        text = self.netlab("kernel", "ls", want=1)
        self.assertIn("netlab kernel use auto", text)
        self.assertIn(name, text)
        (self.tmp / "t.json").write_text('{"nodes": {"n": {}}}')
        text = self.netlab("up", "t.json", want=1)
        self.assertIn("netlab kernel use auto", text)
        self.assertIn("no kernel 'x'", self.netlab("up", "t.json", "--kernel", "x", want=1))

    def test_what_is_no_kernel_is_refused(self):
        self.assertIn("User-Mode Linux", self.netlab("kernel", "use", "/bin/true", want=1))
        self.assertIn("no kernel", self.netlab("kernel", "rm", "../x", want=1))


if __name__ == "__main__":
    unittest.main()
