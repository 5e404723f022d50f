"""Others on the lab's link: a TCP download with CUBIC, and somebody who only pings; ``flow.py`` starts them.

``python -m tests.netlab.neighbours serve ADDRESS SECONDS`` in the viewer's namespace takes one connection, and prints
the bytes that have arrived for each line on standard input. In the owner's, ``... tcp ADDRESS SECONDS`` connects, waits
for a line and then sends for so long; ``... ping ADDRESS SECONDS`` prints round-trip times in seconds as JSON.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time

PORT = 5201
PING_INTERVAL_S = 0.02
_TCP_CONGESTION = getattr(socket, "TCP_CONGESTION", 13)


def serve_tcp(address: str) -> None:
    """Take one connection, and say what has come over it as often as asked."""
    arrived = 0

    def tell() -> None:
        for _ in sys.stdin:
            print(arrived, flush=True)

    with socket.create_server((address, PORT)) as server:
        print("ready", flush=True)
        connection, _ = server.accept()
        threading.Thread(target=tell, daemon=True).start()
        with connection:
            while data := connection.recv(1 << 18):
                arrived += len(data)


def send_tcp(address: str, seconds: float) -> None:
    """Connect, and send zeros with CUBIC for so long once a line has come."""
    with socket.socket() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_CONGESTION, b"cubic")
        sock.connect((address, PORT))
        print("connected", flush=True)
        if not sys.stdin.readline():
            return
        data = bytes(1 << 16)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sock.sendall(data)


def ping(address: str, seconds: float) -> list[float]:
    """Round-trip times of ICMP echoes, sent at an even pace; those lost are left out."""
    times: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        mark = os.getpid() & 0xFFFF
        threading.Thread(target=_listen, args=(sock, mark, times), daemon=True).start()
        pace = threading.Event()  # never set: a wait that ends on time
        until = time.perf_counter() + seconds
        number = 0
        while (now := time.perf_counter()) < until:
            sock.sendto(_echo(mark, number, now), (address, 0))
            number += 1
            pace.wait(max(0.0, now + PING_INTERVAL_S - time.perf_counter()))
        pace.wait(0.5)
    return times


def _listen(sock: socket.socket, mark: int, times: list[float]) -> None:
    while True:
        try:
            packet = sock.recv(2048)
        except OSError:
            return
        header = (packet[0] & 15) * 4
        kind, _, _, ident, _, sent = struct.unpack_from("!BBHHHd", packet, header)
        if kind == 0 and ident == mark:
            times.append(time.perf_counter() - sent)


def _echo(mark: int, number: int, now: float) -> bytes:
    body = struct.pack("!HHd", mark, number & 0xFFFF, now)
    total = 0x0800 + sum(struct.unpack("!6H", body))
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBH", 8, 0, ~(total + (total >> 16)) & 0xFFFF) + body


def main(arguments: list[str]) -> None:
    """See the module."""
    kind, address, seconds = arguments[0], arguments[1], float(arguments[2])
    if kind == "serve":
        serve_tcp(address)
    elif kind == "tcp":
        send_tcp(address, seconds)
    else:
        print(json.dumps(ping(address, seconds)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
