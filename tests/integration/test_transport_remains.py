"""A thousand connections that have opened, ended in every way that there is: nothing of them is left."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from seedshot_desktop.seed.transport import Certificate, IceOptions, Peer, PeerState
from tests.integration.test_transport_servers import silent_server
from tests.support.answers import SECRET
from tests.support.links import fall_silent
from tests.support.open_files import open_files
from tests.support.rtc_viewer import AiortcViewer, Owner, make_certificate
from tests.support.waiting import until, within

CONNECTIONS = 1000
BATCH = 250
AT_ONCE = 50
FIRST, IN_FLIGHT = bytes(3000), bytes(24_000)
Ending = Callable[[Peer, Owner, AiortcViewer], Awaitable[None]]


async def close(peer: Peer, _: Owner, _viewer: AiortcViewer) -> None:
    await peer.close()


async def close_with_a_last_word(peer: Peer, _: Owner, _viewer: AiortcViewer) -> None:
    peer.send_control("ended")
    await peer.close(flush=True)


async def abort(peer: Peer, _: Owner, _viewer: AiortcViewer) -> None:
    peer.abort()
    assert timers_of(peer) == [], "from here on nothing of it happens by itself"
    await peer.close()


async def viewer_leaves(_: Peer, owner: Owner, viewer: AiortcViewer) -> None:
    await within(viewer.open.wait(), "the viewer's channels")
    await viewer.close()
    await owner.reached(PeerState.CLOSED)


async def viewer_vanishes(peer: Peer, _: Owner, viewer: AiortcViewer) -> None:
    """Without a word: the last word finds nobody, and is waited for no longer than it may be."""
    fall_silent(viewer.connection)
    peer.send_control("ended")
    await peer.close(flush=True)


ENDINGS: list[Ending] = [close, close_with_a_last_word, abort, viewer_leaves, viewer_vanishes]


@pytest.mark.timeout(180)
async def test_a_thousand_connections_that_have_opened_leave_nothing_behind() -> None:
    """Every third asks a STUN server that is silent; every fourth ends before the viewer's channels can be used."""
    certificate = make_certificate()
    turnstile = asyncio.Semaphore(AT_ONCE)
    with silent_server() as url:

        async def visit(number: int) -> None:
            options = IceOptions(stun_urls=(url,)) if number % 3 == 0 else IceOptions()
            async with turnstile:
                await one(certificate, options, ENDINGS[number % len(ENDINGS)], is_early=number % 4 == 0)

        async def batch(numbers: range) -> None:
            async with asyncio.TaskGroup() as group:
                for number in numbers:
                    group.create_task(visit(number))

        await batch(range(len(ENDINGS)))  # whatever is made once and kept, is made now
        gc.collect()
        files = open_files()
        for first in range(0, CONNECTIONS, BATCH):
            await batch(range(first, first + BATCH))
            assert pending_timers() == []
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()}, "the end of all tasks", 2.0)
        assert open_files() == files
        gc.collect()
        assert not [item for item in gc.get_objects() if isinstance(item, Peer)]


async def one(certificate: Certificate, options: IceOptions, ending: Ending, *, is_early: bool) -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=certificate, secret=SECRET, ice=options, callbacks=owner)
    try:
        await viewer.accept(await peer.answer(await viewer.offer()))
        await owner.reached(PeerState.OPEN)
        peer.send_data(FIRST)
        if not is_early:
            await within(viewer.received.get(), "data")
            peer.send_data(IN_FLIGHT)
            await until(lambda: peer.buffered_amount < len(IN_FLIGHT), "data in flight", interval_s=0)
        assert timers_of(peer) != [], "it has timers while it lives"
        await ending(peer, owner, viewer)
        assert timers_of(peer) == []
        assert peer.state is PeerState.CLOSED
    finally:
        await peer.close()
        await viewer.close()


# asyncio's own loop keeps what it has been asked to call, and tells nobody: uvloop, which the engine runs on, would not
# even show that. Who asked is told by the method that is to be called.


def pending_timers() -> list[Any]:
    """The objects of the product, and of what it is built on, that the loop has still to call."""
    return [who for who in _called_later() if type(who).__module__.partition(".")[0] in _OURS]


def timers_of(peer: Peer) -> list[Any]:
    """Those of one connection."""
    parts = {id(part) for part in (peer, peer._association, peer._agent, peer._dtls, peer._ice)}
    return [who for who in _called_later() if id(who) in parts]


_OURS = {"seedshot_desktop", "aiortc", "aioice"}


def _called_later() -> list[Any]:
    running = asyncio.get_running_loop()
    assert isinstance(running, asyncio.BaseEventLoop), "its timers can be seen"
    loop: Any = running
    return [_owner_of(handle) for handle in (*loop._scheduled, *loop._ready) if not handle.cancelled()]


def _owner_of(handle: asyncio.Handle) -> Any:
    callback = handle._callback  # type: ignore[attr-defined]
    return getattr(callback, "__self__", callback)
