# SPDX-License-Identifier: MIT
"""harness.py - run netlab on real machines, and see that nothing is left

A test program defines functions test_*(home) and ends with harness.main().  Each
function gets a Home of its own: a private HOME, XDG_RUNTIME_DIR and TMPDIR, and
the netlab command.  When it returns, and also when it fails, every lab of that
home is taken down and the host is compared with what it was: no process, mount,
namespace, socket or file may be left.

The exit status is 77 (skipped) only if `netlab doctor` says that this host cannot
run machines; the reason is then the last line, "SKIP: ...".

NETLAB is the program (else the one in build/), NETLAB_KEEP=1 keeps the folders of
a failed test to look at.
"""
import contextlib
import ctypes
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOPOLOGIES = ROOT / "topologies"
# The tests change folder: what is named from here stays what it is.
NETLAB = os.path.abspath(os.environ.get("NETLAB") or ROOT / "build/src/cli/netlab")
PR_SET_CHILD_SUBREAPER = 36
NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")


class Failed(Exception):
    """A promise was not kept."""


def check(condition, *what):
    if not condition:
        raise Failed(" ".join(str(w) for w in what) or "check failed")


def equal(got, wanted, *what):
    if got != wanted:
        raise Failed(f"{' '.join(map(str, what))}: got {got!r}, wanted {wanted!r}")


def wait_for(condition, what, timeout=20.0, every=0.02):
    """Poll what cannot be awaited (another program's state); returns the result."""
    end = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Failed(f"waited {timeout} s for {what}")
        time.sleep(every)


# ---- the host, as far as labs could leave something on it -------------------


def read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError:
        return ""


def process_state(pid):
    """(parent, state letter), or None if it is gone."""
    text = read(f"/proc/{pid}/stat")
    if not text:
        return None
    fields = text.rsplit(")", 1)[1].split()
    return int(fields[1]), fields[0]


def children_of_all():
    tree = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = process_state(entry)
            if found:
                tree.setdefault(found[0], []).append((int(entry), found[1]))
    return tree


def descendants(root=None):
    """Live processes below root (this one).  Orphans come to us: see main()."""
    tree, found, todo = children_of_all(), [], [root or os.getpid()]
    while todo:
        for pid, state in tree.get(todo.pop(), []):
            todo.append(pid)
            if state not in "ZX":
                found.append(pid)
    return sorted(found)


def command_line(pid):
    return read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()


def steal_ticks():
    """That this host's hypervisor gave to others, on all processors (proc(5))."""
    return int(read("/proc/stat").split("\n", 1)[0].split()[8])


@functools.cache
def symbols():
    """Where each function of netlab lies, by address."""
    listed = subprocess.run(["nm", "--defined-only", NETLAB], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=60).stdout
    return sorted((int(at, 16), name) for at, _, name in map(str.split, listed.splitlines()))


@functools.cache
def has_sanitizers():
    return b"__asan_init" in pathlib.Path(NETLAB).read_bytes()


def function_at(offset):
    return max((s for s in symbols() if s[0] <= offset), default=(0, "?"))[1]


def kernels(pids):
    """Of these processes, the machines' kernels; their helpers, which run the
    programs in the machine, are children of theirs."""
    ours = {pid for pid in pids if command_line(pid).startswith("/netlab/")}
    return sorted(pid for pid in ours if (process_state(pid) or (0,))[0] not in ours)


def reap_orphans(keep):
    """Zombies that fell to us.  keep: children that subprocess will wait for."""
    for pid, state in children_of_all().get(os.getpid(), []):
        if state == "Z" and pid not in keep:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def namespaces_of(pids):
    found = set()
    for pid in pids:
        for kind in NAMESPACES:
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
    return found


class HostState:
    """What may not differ before and after."""

    def __init__(self, folder):
        mine = str(folder)
        # Others mount, too (the kernel by itself, where one looks at tracefs): a lab's
        # is in a folder of its user's or says netlab.
        self.mounts = {line.split()[4] for line in
                       read("/proc/self/mountinfo").splitlines()
                       if mine in line or "netlab" in line}
        self.sockets = {fields[7] for fields in
                        (line.split() for line in read("/proc/net/unix").splitlines()[1:])
                        if len(fields) > 7 and mine in fields[7]}
        self.shared = set()
        for shared in ("/dev/shm", "/tmp", "/run"):
            with contextlib.suppress(OSError):
                for name in os.listdir(shared):
                    with contextlib.suppress(OSError):
                        path = os.path.join(shared, name)
                        if os.lstat(path).st_uid == os.getuid():
                            self.shared.add(path)

    def left_since(self, before):
        """Lines that say what there is now and was not then."""
        for kind in ("mounts", "sockets"):
            for thing in sorted(getattr(self, kind) - getattr(before, kind)):
                yield f"{kind[:-1]}: {thing}"
        # Others use these folders too: only what would be a lab's is.
        for path in sorted(self.shared - before.shared):
            if re.search(r"^netlab-\d+$|^vm_file|uml", os.path.basename(path)):
                yield f"file: {path}"


# ---- a home: one user with labs ---------------------------------------------


class Home:
    def __init__(self, name):
        self.name = name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nl.", dir="/tmp"))
        self.runtime = self.folder / "run"
        self.tmp = self.folder / "tmp"
        self.topologies = self.folder / "topo"
        self.out = self.folder / "out"
        for path in (self.runtime, self.tmp, self.topologies, self.out,
                     self.folder / "home"):
            path.mkdir(mode=0o700)
        # Root's machines run as nobody, who has to read what they are shown.
        self.topologies.chmod(0o755)
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin",
            "HOME": str(self.folder / "home"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "TMPDIR": str(self.tmp),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "NO_COLOR": "1",
        }
        for key in ("NETLAB_KERNEL", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if key in os.environ:
                self.env[key] = os.environ[key]
        self.started = []
        self.memory = None
        self.before = HostState(self.folder)
        self.steal = steal_ticks()
        self.turn_limit_ms = 20

    # -- commands

    def netlab(self, *args, input=None, timeout=90, want=0, text=True, env=None):
        """Run netlab to its end.  want: the exit status that is right; None: any."""
        command = [NETLAB, *map(str, args)]
        try:
            done = subprocess.run(command, input=input, capture_output=True, text=text,
                                  timeout=timeout, env={**self.env, **(env or {})},
                                  cwd=self.folder,
                                  stdin=subprocess.DEVNULL if input is None else None)
        except subprocess.TimeoutExpired as e:
            raise Failed(f"netlab {' '.join(map(str, args))}: no end after {timeout} s; "
                         f"it said: {(e.stdout or b'')[-500:]} {(e.stderr or b'')[-500:]}")
        if want is not None and done.returncode != want:
            raise Failed(f"netlab {' '.join(map(str, args))}: exit status "
                         f"{done.returncode}, wanted {want}\n{done.stdout[-2000:]}\n"
                         f"{done.stderr[-4000:]}")
        return done

    def sh(self, script, *args, timeout=90):
        """Run a shell script; its result, whatever it is."""
        return subprocess.run(["sh", "-c", script, *map(str, args)], env=self.env,
                              cwd=self.folder, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout)

    def start(self, *args, **options):
        """Start netlab; main() sees to its end."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen([NETLAB, *map(str, args)], env=self.env,
                                   cwd=self.folder, **options)
        self.started.append(process)
        return process

    def in_memory(self, name):
        """A path for a file that no disk may slow down."""
        if not self.memory:
            self.memory = pathlib.Path(tempfile.mkdtemp(prefix="nl.", dir="/dev/shm"))
        return self.memory / name

    def write(self, name, content):
        """A file in the topology folder; a dict becomes JSON."""
        path = self.topologies / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content, indent=1)
        path.write_text(content)
        return path

    def up(self, topology, *args, name=None, timeout=120):
        """Bring a lab up: a file of topologies/, a path, or a dict."""
        if isinstance(topology, dict):
            name = name or topology["name"]
            topology = self.write(f"{name}.json", topology)
        elif not os.path.isabs(topology):
            topology = TOPOLOGIES / topology
        name = name or json.loads(read(topology)).get("name") or \
            pathlib.Path(topology).stem
        begin = time.monotonic()
        done = self.netlab("up", topology, "--name", name, "--out", self.out, *args,
                           timeout=timeout)
        return Lab(self, name, time.monotonic() - begin, done.stderr + done.stdout)

    # -- the end

    def children(self):
        return {p.pid for p in self.started if p.returncode is None}

    def alive(self):
        for process in self.started:
            process.poll()
        reap_orphans(self.children())
        return descendants()

    def leftovers(self):
        """What should not be there when all labs are down."""
        for pid in self.alive():
            yield f"process: {pid} {command_line(pid) or read(f'/proc/{pid}/comm')}"
        for folder in (self.runtime, self.tmp):
            for path in sorted(folder.rglob("*")):
                # The folder of all labs may stay: it is a lock.
                if path != self.runtime / "netlab" and \
                   not (path.parent == self.runtime / "netlab" and path.is_file()):
                    kind = "socket" if stat.S_ISSOCK(path.lstat().st_mode) else "file"
                    yield f"{kind}: {path}"
        yield from HostState(self.folder).left_since(self.before)

    def check_sanitizers(self):
        """A lab process with sanitizers says in its log what they found."""
        for path in self.folder.rglob("lab.log"):
            said = re.search(r".*(?:Sanitizer|runtime error:)(?:.*\n){0,30}", read(path))
            check(not said, path.name, said and said.group(0))

    def check_turns(self):
        """No turn of a lab's loop was long (clock/turns.h), but for what a hypervisor took
        meanwhile, which a turn cannot know."""
        stolen_ms = 10 * (steal_ticks() - self.steal)
        limit_ms = 150 if has_sanitizers() else self.turn_limit_ms
        for path in self.folder.rglob("lab.log"):
            for line in read(path).splitlines():
                said = re.match(r"a turn of the loop took (\S+) ms, the call to \+0x(\w+) ", line)
                if not said or float(said[1]) <= limit_ms:
                    continue
                line = f"{line}: {function_at(int(said[2], 16))}"
                check(float(said[1]) <= limit_ms + stolen_ms, line)
                print(f"{line}; the hypervisor took {stolen_ms} ms")

    def check_nothing_left(self, patience=3.0):
        """Ends that are under way (a zombie's, a socket's) get a moment."""
        end = time.monotonic() + patience
        while True:
            left = list(self.leftovers())
            if not left:
                return
            if time.monotonic() > end:
                raise Failed("left behind:\n  " + "\n  ".join(left))
            time.sleep(0.05)

    def close(self, failed):
        """Take everything down, by force if need be."""
        problem = None
        try:
            for process in self.started:
                if process.poll() is None:
                    process.terminate()
            for process in self.started:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=10)
            down = self.netlab("down", "--all", want=None, timeout=60)
            if not failed:
                check(down.returncode == 0, "down --all:", down.stderr)
                self.check_nothing_left()
                self.check_sanitizers()
                self.check_turns()
        except Failed as e:
            problem = e
        for _ in range(50):
            for pid in self.alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not self.alive():
                break
            time.sleep(0.05)
        if self.memory:
            shutil.rmtree(self.memory, ignore_errors=True)
        if (failed or problem) and os.environ.get("NETLAB_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        if problem and not failed:
            raise problem

    def tell(self):
        """What a failed test's labs said, for the reader of the log."""
        last = max(self.out.glob("*-2*"), key=os.path.getmtime, default=self.out)
        for name in ("lab.log", "journal.jsonl", "*/*.log"):
            for path in sorted(last.glob(name)):
                lines = read(path).splitlines()
                if lines:
                    print(f"---- {path.relative_to(self.out)} (last of {len(lines)})")
                    print("\n".join(lines[-15:]))


# ---- a lab that is up -------------------------------------------------------


class Lab:
    def __init__(self, home, name, seconds, said):
        self.home, self.name, self.seconds, self.said = home, name, seconds, said

    def netlab(self, command, *args, **options):
        """A command of this lab."""
        return self.home.netlab("-l", self.name, command, *args, **options)

    def exec(self, node, *command, want=0, **options):
        """The command's standard output; a single word is a shell script."""
        if len(command) == 1:
            command = ("sh", "-c", command[0])
        return self.netlab("exec", node, "--", *command, want=want, **options).stdout

    def json(self, *args):
        return json.loads(self.netlab(*args, "--json").stdout)

    def down(self, *args):
        return self.home.netlab("down", *args, self.name).stdout

    @property
    def run_dir(self):
        return (self.home.out / f"{self.name}-latest").resolve()

    def journal(self):
        return [json.loads(line) for line in
                read(self.run_dir / "journal.jsonl").splitlines()]

    def state(self):
        path = self.home.runtime / "netlab" / self.name / "lab.json"
        return json.loads(read(path) or "{}")

    def reaches(self, node, others, wait=3, tries=1):
        """Which of the others answer a ping from node, all asked at once."""
        script = "".join(
            f"(ping -n -q -c {tries} -i 0.3 -W {wait} {o} >/dev/null 2>&1 && echo {o}) & "
            for o in others)
        return set(self.exec(node, script + "wait").split())

    @contextlib.contextmanager
    def capture(self, target, path, *args):
        """Capture into a file while the block runs."""
        process = self.home.start("-l", self.name, "capture", target, "-w", path, *args)
        wait_for(lambda: process.poll() is not None or
                 (os.path.exists(path) and os.path.getsize(path) > 0),
                 f"the capture of {target} to begin")
        if process.poll() is not None:
            raise Failed("capture:", process.communicate()[1].decode())
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        check(process.returncode in (0, 130), "capture ended with", process.returncode,
              out.decode(), err.decode())


# ---- running a test program -------------------------------------------------


def able():
    """None, or why this host cannot run machines: doctor's word."""
    done = subprocess.run([NETLAB, "doctor"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    if done.returncode == 0:
        return None
    # What failed, and in the line after it what to do.
    said = re.findall(r"^fail +(.*(?:\n +to do.*)?)", done.stdout, re.M)
    return " / ".join(" ".join(s.split()) for s in said) or \
        f"netlab doctor: exit status {done.returncode}: {done.stderr.strip()}"


# ---- which kernel -------------------------------------------------------------


@functools.cache
def own_kernel():
    """The path of netlab's own kernel, or None.  The one place that knows where it is:
    NETLAB_KERNEL, else the one that `netlab kernel ls` shows as built here."""
    if os.environ.get("NETLAB_KERNEL"):
        return os.environ["NETLAB_KERNEL"]
    done = subprocess.run([NETLAB, "kernel", "ls", "--json"], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)
    if done.returncode:
        return None
    built = [k for k in json.loads(done.stdout)["kernels"]
             if k.get("built") and "error" not in k]
    # The one of these sources rather than an earlier one.
    built.sort(key=lambda k: not k["built"]["current"])
    return built[0]["path"] if built else None


def copy_of_kernel(folder):
    """Of the own one, for another user: it may lie in a home that is closed to them."""
    copy = pathlib.Path(folder) / "linux"
    shutil.copyfile(own_kernel(), copy)
    copy.chmod(0o755)
    # With its modules: a machine without them is another one.
    modules = pathlib.Path(own_kernel()).parent / "lib"
    if modules.is_dir():
        shutil.copytree(modules, copy.parent / "lib", symlinks=True)
    return copy


NO_OWN_KERNEL = "no kernel of netlab's own is built: run netlab kernel build"
PACKAGED_KERNEL = "/usr/bin/linux.uml"


def own_kernel_args():
    """Words for `up`."""
    check(own_kernel(), NO_OWN_KERNEL)
    return ["--kernel", own_kernel()]


def main(tests, needs_own_kernel=False):
    """Run each test_* of a module's globals(); returns the exit status."""
    sys.stdout.reconfigure(line_buffering=True)
    libc = ctypes.CDLL(None, use_errno=True)
    # Orphans of what we start become our children, so none can hide.
    check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "prctl")
    reason = able()
    if reason:
        print(f"SKIP: {reason}")
        return 77
    if needs_own_kernel and not own_kernel():
        print(f"SKIP: {NO_OWN_KERNEL}")
        return 77
    wanted = sys.argv[1:]
    failed = 0
    for name, test in list(tests.items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        begin = time.monotonic()
        home = Home(name)
        error = None
        try:
            test(home)
        except Exception:  # whatever it is, the labs must go down
            error = traceback.format_exc()
            home.tell()
        try:
            home.close(error is not None)
        except Failed:
            error = traceback.format_exc()
        seconds = time.monotonic() - begin
        if error:
            failed += 1
            print(f"FAILED {name} ({seconds:.1f} s)\n{error}")
        else:
            print(f"ok {name} ({seconds:.1f} s)")
    return 1 if failed else 0
