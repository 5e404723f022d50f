"""The signalling server beside a bare websockets echo server in the same run: memory of an idle socket, forwarding.

Each server is a process of its own on uvloop, without compression, and the
clients are the same. Processor time is the server's own; the ratio is what
checking, rooms and limits cost on top of moving the bytes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from signal_server.limits import Limits, Rate
from signal_server.protocol import PATH, OwnerAnswer, Seed, View, decode_to_owner, encode, encode_base64url, id_of_token
from signal_server.server import ServerConfig, SignalServer
from tests.support.measuring import Row, show, spread

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
RUNS = 5
IDLE_SOCKETS = 500
MESSAGES = 4000
IN_FLIGHT = 64
SDP = "v" * 1500
TOKEN = encode_base64url(bytes(16))
ID = id_of_token(TOKEN)
IDLE_LIMIT_KIB = 20.0
FORWARD_LIMIT_RATIO = 4.0


@dataclass
class Child:
    """A server in a process of its own."""

    process: asyncio.subprocess.Process
    port: int

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self.port}{PATH}"

    def cpu_s(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self) -> float:
        """Resident memory."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def rows() -> list[Row]:
    """Idle memory and forwarding, ours and bare, measured in turns."""
    idle: dict[str, list[float]] = {"ours": [], "bare": []}
    cpu: dict[str, list[float]] = {"ours": [], "bare": []}
    rate: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(RUNS):
        for kind in ("ours", "bare"):
            async with started(kind) as child:
                idle[kind].append(await idle_memory(child, kind))
                cpu_us, per_s = await forwarding(child, kind)
                cpu[kind].append(cpu_us)
                rate[kind].append(per_s)
    ratio = [ours / bare for ours, bare in zip(cpu["ours"], cpu["bare"], strict=True)]
    return [
        Row(
            *("server: memory of an idle viewer", idle["ours"], "KiB", IDLE_LIMIT_KIB),
            spread("bare", idle["bare"], "KiB"),
        ),
        Row("server: forwarded messages of 1.6 kB", rate["ours"], "/s", None, spread("bare echo", rate["bare"], "/s")),
        Row("server: processor time a message", cpu["ours"], "µs", None, spread("bare echo", cpu["bare"], "µs")),
        Row("server: processor time, ours to bare", ratio, "times", FORWARD_LIMIT_RATIO),
    ]


@asynccontextmanager
async def started(kind: str) -> AsyncIterator[Child]:
    """The server called `kind`, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.signal_server", kind), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield Child(process, int(await process.stdout.readline()))
    finally:
        process.terminate()
        await process.wait()


async def idle_memory(child: Child, kind: str) -> float:
    """KiB of the server for each of many sockets that have said what they want and wait."""
    async with AsyncExitStack() as stack:
        before = child.memory_kib()
        for _ in range(IDLE_SOCKETS):
            socket = await stack.enter_async_context(_client(child))
            await socket.send(encode(View(ID, "v")) if kind == "ours" else "v")
            await socket.recv()
        return (child.memory_kib() - before) / IDLE_SOCKETS


async def forwarding(child: Child, kind: str) -> tuple[float, float]:
    """Microseconds of the server for a message that goes through it, and messages a second."""
    async with _client(child) as owner, _client(child) as viewer:
        message, listener = "v" * (len(SDP) + 80), owner
        if kind == "ours":
            await owner.send(encode(Seed(TOKEN)))
            await owner.recv()
            await viewer.send(encode(View(ID, "v")))
            offer = decode_to_owner(str(await owner.recv()))
            message, listener = encode(OwnerAnswer(ID, getattr(offer, "viewer"), SDP)), viewer  # noqa: B009
        loop = asyncio.get_running_loop()
        cpu, start = child.cpu_s(), loop.time()
        for _ in range(MESSAGES // IN_FLIGHT):
            for _ in range(IN_FLIGHT):
                await owner.send(message)
            for _ in range(IN_FLIGHT):
                await listener.recv()
        took = loop.time() - start
        count = MESSAGES // IN_FLIGHT * IN_FLIGHT
        return (child.cpu_s() - cpu) / count * 1e6, count / took


def _client(child: Child) -> connect:
    return connect(child.url, compression=None, proxy=None, ping_interval=None, close_timeout=1)


async def _serve(kind: str) -> None:
    if kind == "ours":
        endless = Rate(per_s=1e9, burst=10**9)
        limits = replace(
            Limits(),
            owner_messages=endless,
            frames=endless,
            sockets_per_address=10_000,
            half_open_per_address=10_000,
        )
        server = SignalServer(ServerConfig(host=HOST, limits=limits))
        port = (await server.start())[1]
    else:
        bare = await serve(_echo, HOST, 0, compression=None)
        port = next(iter(bare.sockets)).getsockname()[1]
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _echo(connection: ServerConnection | ClientConnection) -> None:
    async for message in connection:
        await connection.send(message)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(sys.argv[1]))
    sys.exit(show(asyncio.run(rows())))
