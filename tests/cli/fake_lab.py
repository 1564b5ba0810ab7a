# SPDX-License-Identifier: MIT
"""A lab that is none: the control protocol, with processes of this host as machines.

It holds the lock of a state directory and answers on its socket as
docs/control-protocol.md says, so the command line cannot tell the difference.
`exec` runs the command here; streams, credit, signals and terminals are real.
"""
import array
import base64
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import termios
import threading

WINDOW = 256 << 10


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack("=II", kind, size) + body + struct.pack("=I", size)


PCAPNG_HEAD = (block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)) +
               block(1, struct.pack("=HHI", 1, 0, 0)))
PCAPNG_TAIL = block(5, struct.pack("=III", 0, 0, 0))


def pcapng_frame(n):
    data = bytes(60 + n % 7)
    return block(6, struct.pack("=IIIII", 0, 0, n, len(data), len(data)) + data)


def pcapng(frames):
    """A section, one interface, so many packets, and statistics."""
    return PCAPNG_HEAD + b"".join(map(pcapng_frame, range(frames))) + PCAPNG_TAIL


class Capture:
    """Writes frames and then waits to be closed, as a lab does when it is quiet."""

    def __init__(self, conn, number, fd):
        self.conn, self.id, self.fd = conn, number, fd
        self.stop = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        n = 0
        try:
            os.write(self.fd, PCAPNG_HEAD)
            while n < self.conn.lab.frames and not self.stop.is_set():
                os.write(self.fd, pcapng_frame(n))
                n += 1
            self.stop.wait()
            os.write(self.fd, PCAPNG_TAIL)
        except BrokenPipeError:
            pass
        os.close(self.fd)
        self.conn.say(self.id, ok=True, frames=n, missed=0)


class Exec:
    """One command under way."""

    def __init__(self, conn, request):
        self.conn, self.id = conn, request["id"]
        self.tty = request.get("tty", False)
        self.credit_lock = threading.Lock()
        self.under_way = 0
        env = dict(os.environ, **request.get("env", {}))
        options = {"env": env, "cwd": request.get("cwd", "/"), "start_new_session": True}
        if self.tty:
            self.master, slave = pty.openpty()
            self.resize(request)
            self.child = subprocess.Popen(
                request["argv"], stdin=slave, stdout=slave, stderr=slave,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **options)
            os.close(slave)
            streams = [("stdout", self.master)]
        else:
            self.child = subprocess.Popen(
                request["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, bufsize=0, **options)
            streams = [("stdout", self.child.stdout.fileno()),
                       ("stderr", self.child.stderr.fileno())]
        if request.get("stdin") is False and not self.tty:
            self.child.stdin.close()
        conn.say(self.id, event="started", pid=self.child.pid)
        self.pumps = [threading.Thread(target=self.pump, args=one) for one in streams]
        for pump in self.pumps:
            pump.start()
        threading.Thread(target=self.wait).start()

    def pump(self, name, fd):
        while True:
            try:
                data = os.read(fd, 32 << 10)
            except OSError:
                data = b""
            if not data:
                return
            self.conn.say(self.id, event=name, data=base64.b64encode(data).decode())

    def wait(self):
        status = self.child.wait()
        for pump in self.pumps:
            pump.join()
        with self.conn.lock:
            self.conn.execs.pop(self.id, None)
        if status < 0:
            self.conn.say(self.id, ok=True, signal=-status)
        else:
            self.conn.say(self.id, ok=True, exit=status)

    def stdin(self, data):
        self.under_way += len(data)
        if self.under_way > WINDOW:
            self.conn.lab.broken.append("stdin beyond the window: %d" % self.under_way)
        if self.tty:
            os.write(self.master, data)
        elif not data:
            self.child.stdin.close()
        else:
            view = memoryview(data)
            while view:
                try:
                    view = view[os.write(self.child.stdin.fileno(), view):]
                except BrokenPipeError:
                    break
        self.under_way -= len(data)
        if data:
            self.conn.say(self.id, event="credit", bytes=len(data))

    def resize(self, request):
        size = struct.pack("HHHH", request.get("rows", 24), request.get("cols", 80), 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def kill(self, number):
        try:
            os.killpg(self.child.pid, number)
        except ProcessLookupError:
            pass


class Connection:
    def __init__(self, lab, sock):
        self.lab, self.sock = lab, sock
        self.lock = threading.RLock()
        self.send_lock = threading.Lock()
        self.execs, self.captures, self.consoles, self.fds = {}, {}, {}, []

    def say(self, number, **fields):
        line = json.dumps(dict(fields, id=number)).encode() + b"\n"
        with self.send_lock:
            try:
                self.sock.sendall(line)
            except OSError:
                pass

    def serve(self):
        text = b""
        while True:
            try:
                data, ancillary, _, _ = self.sock.recvmsg(1 << 16, socket.CMSG_SPACE(32))
            except OSError:
                break
            for _, _, fds in ancillary:
                got = array.array("i")
                got.frombytes(fds[:len(fds) - len(fds) % got.itemsize])
                self.fds += got
            if not data:
                break
            text += data
            *lines, text = text.split(b"\n")
            for line in lines:
                self.line(json.loads(line))
        for one in list(self.execs.values()):
            self.lab.hung_up.append(one.child.args)
            one.kill(signal.SIGHUP)

    def line(self, request):
        self.lab.seen.append(request)
        verb = request["do"]
        special = self.lab.special.get(verb)
        if special is not None:
            special(self, request)
            return
        method = getattr(self, "do_" + verb.replace("-", "_"), None)
        if not method:
            self.say(request["id"], ok=False, error="unknown verb")
            return
        method(request)

    def do_hello(self, r):
        self.say(r["id"], ok=True, netlab="0", protocol=1, lab=self.lab.name)

    def do_ps(self, r):
        self.say(r["id"], ok=True, lab=self.lab.name, state="running", nodes=[
            {"name": n, "kind": "uml", "state": "ready", "pid": 100 + i, "services": [
                {"name": "web", "state": "ready", "ready": True}]}
            for i, n in enumerate(self.lab.nodes)])

    def do_inspect(self, r):
        self.say(r["id"], ok=True, lab=self.lab.name, state="running", seed=7,
                 nodes=[{"name": n, "state": "ready", "services": [{"name": "web"}],
                         "ports": [{"name": n + ":eth0"}]} for n in self.lab.nodes],
                 partitions=[{"name": "p1"}], directions=self.directions())

    def directions(self):
        return [{"link": "backup", "name": "backup n1->n2", "fault": {"loss": "1%"},
                 "counters": {"frames": 10, "bytes": 640, "dropped": {"loss": 3}}}]

    def do_exec(self, r):
        if r["argv"][0] == "/proc/1/exe":  # a machine's first process is the agent
            r["argv"][0] = os.environ["NETLAB_AGENT"]
        try:
            self.execs[r["id"]] = Exec(self, r)
        except OSError:  # EACCES, if PATH has folders that are not ours
            self.say(r["id"], ok=False, error=r["argv"][0] + ": command not found", exit=127)

    def do_stdin(self, r):
        if r["to"] in self.execs:
            self.execs[r["to"]].stdin(base64.b64decode(r["data"]))

    def do_resize(self, r):
        if r["to"] in self.execs:
            self.execs[r["to"]].resize(r)

    def do_signal(self, r):
        if r["to"] in self.execs:
            self.execs[r["to"]].kill(r["signal"])

    def do_console(self, r):
        self.consoles[r["id"]] = True
        self.say(r["id"], event="console",
                 data=base64.b64encode(b"Linux version 6\r\n").decode())

    def do_input(self, r):
        self.say(r["to"], event="console", data=r["data"])

    def do_close(self, r):
        to = r["to"]
        if to in self.captures:
            self.captures.pop(to).stop.set()
        elif to in self.execs:
            self.execs[to].kill(signal.SIGHUP)
        elif self.consoles.pop(to, None):
            self.say(to, ok=True)

    def do_capture(self, r):
        fd = self.fds.pop(0)
        if r["target"] == "nosuch":
            os.close(fd)
            self.say(r["id"], ok=False, error="nothing is named nosuch")
            return
        self.say(r["id"], event="capturing", interfaces=["n1:eth0", "n2:eth0"])
        self.captures[r["id"]] = Capture(self, r["id"], fd)

    def do_fault_set(self, r):
        self.say(r["id"], ok=True, directions=[
            {"link": "backup", "name": "backup n1->n2", "fault": r["fault"]}])

    def do_fault_clear(self, r):
        self.say(r["id"], ok=True, directions=[
            {"link": "backup", "name": "backup n1->n2", "fault": {}}])

    def do_fault_ls(self, r):
        self.say(r["id"], ok=True, directions=self.directions())

    def do_partition(self, r):
        self.say(r["id"], ok=True, name="p7", kind="isolate", drawn=[["n2"], ["n1", "n3"]],
                 cuts=[["n1", "n2"]], cut_count=1, warning="n1 -> n3 stays open")

    def do_partition_ls(self, r):
        self.say(r["id"], ok=True, cuts=[], cut_count=0, partitions=[
            {"name": "p1", "sides": [["n1"], ["n2", "n3"]], "one_way": True, "cut_count": 2,
             "for": "30s"},
            {"name": "p2", "kind": "isolate", "nodes": ["n1"], "one_way": False, "cut_count": 4},
            {"name": "p3", "kind": "random", "drew": "halves", "drew_one_way": True,
             "cut_count": 2}])

    def do_matrix(self, r):
        self.say(r["id"], ok=True, nodes=["n1", "n2", "n3"], reach=[
            ["yes", "cut", "yes"], ["yes", "yes", "none"], ["down", "off", "yes"]])

    def do_heal(self, r):
        self.say(r["id"], ok=True, cuts=[])

    def do_clock(self, r):
        self.say(r["id"], ok=True, clock="real", now_ns=1500000002)

    def do_events(self, r):
        for n in range(r.get("since", 0), 3):
            self.say(r["id"], event="journal", entry={
                "n": n, "t": 1500000000 + n, "wall": "2026-01-31T14:25:03Z", "event": "node",
                "node": "n1", "from": "booting", "to": "ready\u001b[31m"})
        self.say(r["id"], ok=True)

    def do_down(self, r):
        self.say(r["id"], ok=True)
        self.lab.stop()


class FakeLab:
    """special: verb -> function(connection, request) in place of the answer above."""

    def __init__(self, runtime, name="fake", nodes=("n1", "n2", "n3"), locked=True):
        self.name, self.nodes = name, nodes
        self.seen, self.hung_up, self.broken, self.special = [], [], [], {}
        self.frames = 5
        base = os.path.join(runtime, "netlab")
        os.makedirs(base, mode=0o700, exist_ok=True)
        self.dir = os.path.join(base, name)
        os.mkdir(self.dir, 0o700)
        self.lock = open(os.path.join(self.dir, "lock"), "w")
        if locked:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.run_dir = os.path.join(runtime, "run-" + name)
        self.write_info()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.dir, "control"))
        self.listener.listen(16)
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def write_info(self, **more):
        info = {"name": self.name, "state": "running", "topology": "/t/fake.json",
                "run_dir": self.run_dir, "started_at": 1}
        with open(os.path.join(self.dir, "lab.json"), "w") as file:
            json.dump(dict(info, **more), file)

    def is_process(self, pid):
        """Say that this process is the lab."""
        with open("/proc/%d/stat" % pid) as stat:
            ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
        self.write_info(pid=pid, start_ticks=ticks)

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            conn = Connection(self, sock)
            self.connections.append(conn)
            threading.Thread(target=conn.serve, daemon=True).start()

    def verbs(self, name):
        return [r for r in self.seen if r["do"] == name]

    def die(self):
        """As by kill -9: the lock and the sockets go, the directory stays."""
        self.lock.close()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for conn in self.connections:
            try:
                conn.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)
        self.die()
