# SPDX-License-Identifier: MIT
"""pcapng.py - read a capture of netlab's: frames with port, direction and fate

Only what the tests need of draft-ietf-opsawg-pcapng, read independently of netlab's
own writer: section, interface, enhanced packet and statistics blocks.
"""
import collections
import re
import struct

# sent: by the machine, so it entered the switch here; else it left it here.
# fate: "pass", why it was dropped, or None in a plain capture; id: of the frame, the
# same wherever it is seen.
Frame = collections.namedtuple("Frame", "ns port sent comment bytes size fate id")
Drop = collections.namedtuple("Drop", "fate direction number")

OUTBOUND = 2
COMMENT, FLAGS, ID, VERDICT = 1, 2, 5, 7
# As in src/switch/switch.h.
FATES = ("pass", "cut", "down", "loss", "limit", "pool", "full", "no-port", "bad-frame",
         "aqm", "fcs", "mtu")
SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6


def options(data):
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from("<HH", data, at)
        if code == 0:
            return
        yield code, data[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4


class Capture:
    def __init__(self, path):
        self.ports, self.frames, self.missed, scale = [], [], 0, []
        with open(path, "rb") as f:
            data = f.read()
        at = 0
        while at + 12 <= len(data):
            kind, size = struct.unpack_from("<II", data, at)
            if size < 12 or size % 4 or at + size > len(data):
                raise ValueError(f"{path}: block of {size} bytes at {at}")
            if struct.unpack_from("<I", data, at + size - 4)[0] != size:
                raise ValueError(f"{path}: block at {at} has two sizes")
            body = data[at + 8:at + size - 4]
            if kind == SECTION and struct.unpack_from("<I", body)[0] != 0x1A2B3C4D:
                raise ValueError(f"{path}: byte order")
            elif kind == INTERFACE:
                found = dict(options(body[8:]))
                self.ports.append(found[2].decode())
                resolution = found.get(9, b"\x06")[0]
                scale.append(10 ** (9 - resolution))
            elif kind == STATISTICS:
                dropped = dict(options(body[12:])).get(5)
                self.missed += struct.unpack("<Q", dropped)[0] if dropped else 0
            elif kind == PACKET:
                self._packet(body, scale)
            at += size
        if at != len(data):
            raise ValueError(f"{path}: {len(data) - at} bytes behind the last block")

    def _packet(self, body, scale):
        port, high, low, kept, size = struct.unpack_from("<IIIII", body)
        found = dict(options(body[20 + (kept + 3) // 4 * 4:]))
        flags = struct.unpack("<I", found[FLAGS])[0] & 3
        verdict = found.get(VERDICT)
        if verdict and (len(verdict) != 2 or verdict[0]):
            raise ValueError(f"verdict {verdict!r}")
        number = struct.unpack("<Q", found[ID])[0] if ID in found else None
        self.frames.append(Frame(((high << 32) + low) * scale[port], self.ports[port],
                                 flags == OUTBOUND, found.get(COMMENT, b"").decode(),
                                 body[20:20 + kept], size,
                                 FATES[verdict[1] & 0x7F] if verdict else None, number))

    def udp(self, port, to_port):
        """Frames of UDP to a port number, at one of the captured ports, as
        (frame, payload), in the order of the file."""
        for frame in self.frames:
            b = frame.bytes
            if frame.port == port and len(b) >= 42 and b[12:14] == b"\x08\x00" and \
               b[23] == 17 and struct.unpack_from(">H", b, 36)[0] == to_port:
                yield frame, b[42:]


def drop(frame):
    """What became of a frame that was dropped, or None; the comment says where."""
    if frame.fate in (None, "pass"):
        return None
    steps = re.findall(r"(?:^|\| )([^|#]+) #(\d+)", frame.comment)
    return Drop(frame.fate, steps[-1][0], int(steps[-1][1])) if steps else None
