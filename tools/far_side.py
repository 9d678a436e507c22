"""What another machine sees of a host: a ping each 10 ms, and a TCP session that asks each 50 ms.

    far_side.py ADDRESS PORT [SOURCE]

runs until it gets SIGTERM, and then prints a line of JSON: ``sent`` and ``lost`` pings, ``outage``
(the longest time in milliseconds in which no answer came to what was sent), ``session`` (whether
the session from the beginning still answers), ``stall`` (its longest wait in milliseconds).
``far_side.py PORT`` is the other end of the session.
"""

import contextlib
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from typing import Dict, List

_PERIOD = 0.01
_ASKS = 0.05
# what is still on its way is not lost
_LATE = 1.0


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Pings:
    """One each period, and which of them were answered."""

    def __init__(self, address: str, source: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.bind((source, 0))
        self.id = os.getpid() & 0xFFFF
        self.sent: List[float] = []
        self.answered: Dict[int, float] = {}

    def send(self) -> None:
        """The next one."""
        number = len(self.sent)
        body = struct.pack("!Q", number)
        # the number of a ping has 16 bits, and starts again
        head = struct.pack("!BBHHH", 8, 0, 0, self.id, number & 0xFFFF)
        head = struct.pack("!BBHHH", 8, 0, _checksum(head + body), self.id, number & 0xFFFF)
        self.sent.append(time.monotonic())
        # a host whose MAC address nobody answers for is not reached either
        with contextlib.suppress(OSError):
            self.socket.sendto(head + body, (self.address, 0))

    def listen(self) -> None:
        """Note the answers, for ever."""
        while True:
            packet = self.socket.recv(2048)
            packet = packet[(packet[0] & 15) * 4 :]
            if (
                len(packet) >= 16
                and packet[0] == 0
                and struct.unpack("!H", packet[4:6])[0] == self.id
            ):
                self.answered.setdefault(struct.unpack("!Q", packet[8:16])[0], time.monotonic())

    def outage(self) -> float:
        """The longest time in which what was sent had no answer, in seconds."""
        longest, last = 0.0, self.sent[0] - _PERIOD
        for number, at in enumerate(self.sent):
            if number in self.answered:
                longest = max(longest, at - last - _PERIOD)
                last = at
        return max(longest, self.sent[-1] - last)


class Session:
    """One TCP session that is never begun anew."""

    def __init__(self, address: str, port: int, source: str) -> None:
        self.socket = socket.create_connection((address, port), 10, (source, 0))
        self.socket.settimeout(None)
        self.asked = self.heard = time.monotonic()
        self.stall = 0.0
        self.alive = True

    def go_on(self) -> None:
        """Ask and wait for the answer, until it is cut."""
        while self.alive:
            self.asked = time.monotonic()
            try:
                self.socket.sendall(b"x")
                self.alive = self.socket.recv(1) == b"x"
            except OSError:
                self.alive = False
            self.heard = time.monotonic()
            self.stall = max(self.stall, self.heard - self.asked)
            time.sleep(_ASKS)

    def ends(self, seconds: float) -> bool:
        """Whether it answers once more within this time."""
        until = time.monotonic() + seconds
        before = self.heard
        while self.alive and self.heard == before and time.monotonic() < until:
            time.sleep(_ASKS)
        return self.alive and self.heard != before


def answer(port: int) -> None:
    """Be the other end, of one session after the other and of several."""
    with socket.create_server(("", port)) as door:
        print("begun", flush=True)
        while True:
            session = door.accept()[0]
            threading.Thread(target=_echo, args=[session], daemon=True).start()


def _echo(session: socket.socket) -> None:
    with contextlib.suppress(OSError), session:
        for text in iter(lambda: session.recv(4096), b""):
            session.sendall(text)


def look(address: str, port: int, source: str) -> None:
    """Ping and ask until SIGTERM, and print what came of it."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    pings, session = Pings(address, source), Session(address, port, source)
    for run in (pings.listen, session.go_on):
        threading.Thread(target=run, daemon=True).start()
    began = time.monotonic()
    print("begun", flush=True)
    while not ended.is_set():
        pings.send()
        time.sleep(max(0.0, began + len(pings.sent) * _PERIOD - time.monotonic()))
    kept = session.ends(20)
    time.sleep(_LATE)
    found = {
        "sent": len(pings.sent),
        "lost": len(pings.sent) - len(pings.answered),
        "outage": round(pings.outage() * 1000),
        "session": kept,
        "stall": round(session.stall * 1000),
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        answer(int(sys.argv[1]))
    else:
        look(sys.argv[1], int(sys.argv[2]), (sys.argv[3:] or [""])[0])
