"""How much a connection sends before the others of the same process, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from seedshot_desktop.seed.transport import Peer
from seedshot_desktop.seed.transport.bursts import LARGEST, SMALLEST
from seedshot_desktop.seed.transport.dtls import Dtls
from tests.support.rtc_viewer import AiortcViewer, Owner, connected

MESSAGE = bytes(65536)
MESSAGES, VIEWERS = 10, 10


class Seen:
    """How many packets were sent at once, in the order in which they were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bursts: list[int] = []
        transmit = Dtls.transmit

        def counted(dtls: Dtls, packets: Sequence[bytes]) -> None:
            self.bursts.append(len(packets))
            transmit(dtls, packets)

        monkeypatch.setattr(Dtls, "transmit", counted)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


async def test_alone_it_sends_as_much_at_once_as_may_be_sent(seen: Seen) -> None:
    async with connected() as pair, asyncio.timeout(20):
        await _transfer(*pair)
    assert SMALLEST < max(seen.bursts) <= LARGEST


async def test_beside_others_it_sends_little_and_they_have_their_turn(seen: Seen) -> None:
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(connected()) for _ in range(VIEWERS)]
        for _ in range(MESSAGES):
            for peer, _, _ in pairs:
                peer.send_data(MESSAGE)
        seen.bursts.clear()
        receiving = [asyncio.create_task(_receive(viewer, MESSAGES), name="a viewer") for _, _, viewer in pairs]
        async with asyncio.timeout(40):
            await asyncio.wait(receiving, return_when=asyncio.FIRST_COMPLETED)
            assert max(seen.bursts) <= SMALLEST, "nobody has nothing more to send"
            assert sum(seen.bursts) > VIEWERS * SMALLEST
            await asyncio.gather(*receiving)
            seen.bursts.clear()
            await _transfer(*pairs[0])
            assert max(seen.bursts) > SMALLEST, "the others have"


async def _transfer(peer: Peer, owner: Owner, viewer: AiortcViewer) -> None:
    for _ in range(MESSAGES):
        peer.send_data(MESSAGE)
    await _receive(viewer, MESSAGES)


async def _receive(viewer: AiortcViewer, messages: int) -> None:
    for _ in range(messages):
        await viewer.received.get()
