"""What connections leave behind that end while they begin, and where bytes wait that the system does not take."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
import uvloop
from aioice import Candidate, ice

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.transport import IceOptions, Peer, PeerState
from seedshot_desktop.seed.transport.datagrams import Path, open_host
from seedshot_desktop.seed.transport.ice import GuardedConnection
from tests.support.answers import SECRET
from tests.support.rtc_viewer import AiortcViewer, Owner, connected, make_certificate

HIDDEN = "1 1 udp 2113937151 0a1b2c3d-0000-4000-8000-000000000000.local 50000 typ host"
ROUNDS = 20


def sockets() -> int:
    """Those of this process."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(FilePath(f"/proc/self/fd/{name}").readlink())
        except OSError:
            pass  # the one that the folder was read with
    return sum(str(link).startswith("socket:") for link in links)


def in_uvloop(work: Callable[[], Awaitable[None]]) -> None:
    """The engine's loop, which keeps every socket that nobody has closed."""
    uvloop.run(_run(work))


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(30):
        await work()


def test_a_viewer_that_leaves_while_sockets_are_opened_leaves_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda **_: ["127.0.0.1", "127.0.0.2", "127.0.0.3"])

    async def visits() -> None:
        viewer = AiortcViewer()
        offer = await viewer.offer()
        before = sockets()
        for turns in range(ROUNDS):
            peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=Owner())
            answering = asyncio.ensure_future(peer.answer(offer))
            for _ in range(turns % 5):
                await asyncio.sleep(0)
            peer.abort()
            assert isinstance((await asyncio.gather(answering, return_exceptions=True))[0], TransportError | str)
            await peer.close()
        after = sockets()
        await viewer.close()
        assert after == before

    in_uvloop(visits)


def test_a_viewer_that_leaves_while_its_name_is_asked_for_leaves_no_socket_behind() -> None:
    async def visits() -> None:
        before = sockets()
        for turns in range(ROUNDS):
            agent = GuardedConnection()
            adding = asyncio.ensure_future(agent.add_remote_candidate(Candidate.from_sdp(HIDDEN)))
            for _ in range(turns % 5):
                await asyncio.sleep(0)
            adding.cancel()
            await asyncio.gather(adding, return_exceptions=True)
            agent.silence()
            await agent.close()
        assert sockets() == before

    in_uvloop(visits)


def test_what_the_system_does_not_take_does_not_wait_where_a_revoke_does_not_find_it() -> None:
    """A full buffer is made by a fake: how full a real one is, is for the system to say."""

    async def transfer() -> None:
        async with connected() as (peer, _, viewer):
            path: Any = peer._agent.path
            assert isinstance(path, Path)
            full = _Full(path._queue)
            path._queue = full
            for _ in range(20):
                peer.send_data(bytes(65536))
            full.is_full = True
            sent = peer._association._sender.acknowledged  # type: ignore[union-attr]
            for _ in range(5):
                await asyncio.sleep(0)
            waiting = peer.buffered_amount
            await full.asked.wait()
            assert peer.buffered_amount == waiting, "nothing leaves"
            full.is_full = False
            async with asyncio.timeout(10):
                assert len([await viewer.received.get() for _ in range(20)]) == 20
            assert peer._association._sender.acknowledged > sent  # type: ignore[union-attr]

    in_uvloop(transfer)


class _Full:
    """A transport that says whether its buffer is full."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.is_full = False
        self.asked = asyncio.Event()
        self._times = 0

    def get_write_buffer_size(self) -> int:
        if not self.is_full:
            return 0
        self._times += 1
        if self._times > 10:
            self.asked.set()
        return 1


async def test_what_the_loop_holds_is_dropped_with_an_abort() -> None:
    async with connected() as (peer, owner, _):
        aborted: list[bool] = []
        for protocol in peer._agent._protocols:
            transport: Any = protocol.transport

            def note(abort: Callable[[], None] = transport.abort) -> None:
                aborted.append(True)
                abort()

            transport.abort = note
        peer.abort()
        await owner.reached(PeerState.CLOSED)
        assert aborted


async def test_a_process_without_files_left_opens_no_socket_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socket", full)
    assert await open_host(GuardedConnection(), "127.0.0.1") is None


async def test_a_failure_that_nobody_expected_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)

    async def fail(*_: Any) -> None:
        raise RuntimeError("a library's own")

    monkeypatch.setattr(peer._ice, "start", fail)
    try:
        await peer.answer(await viewer.offer())
        assert await owner.reached(PeerState.CLOSED) == "the connection failed: RuntimeError"
    finally:
        await peer.close()
        await viewer.close()
