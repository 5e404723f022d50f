"""Three healthy viewers beside one that gives trouble: they take hardly longer than by themselves, and share alike."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from seedshot_desktop.seed.messages import EngineOptions
from seedshot_desktop.seed.transport.dtls import Dtls
from tests.netlab.link import LinkOptions
from tests.support.links import fall_silent, slow_down
from tests.support.owner import Owner, Shown, content, picture
from tests.support.viewer import Viewer

SIZE = 1_000_000
HEALTHY = 3
ROUNDS = 3
LIMIT = 6_000_000
SLOW = LinkOptions(delay_s=0.1, rate=500_000, queue=30_000)
GENEROUS = 3.0
"""Times as long as by themselves, the best round of each: a shared wait would be many times as long."""


@contextlib.asynccontextmanager
async def a_viewer_that_stops(share: Shown) -> AsyncIterator[Viewer]:
    """In the middle of a transfer it neither reads nor answers any more."""
    async with troubled(share) as viewer:
        await viewer.fetch(until=100_000)
        fall_silent(viewer.pc)
        yield viewer


@contextlib.asynccontextmanager
async def a_viewer_on_a_slow_link(share: Shown) -> AsyncIterator[Viewer]:
    """It has a 500 kbit/s link, and is given as much as goes into it."""
    async with troubled(share) as viewer:
        slow_down(viewer.pc, SLOW)
        before = viewer.payload_bytes
        viewer.get()
        yield viewer
        assert before < viewer.payload_bytes < SIZE, "it goes on, and has not been given all"


@contextlib.asynccontextmanager
async def troubled(share: Shown) -> AsyncIterator[Viewer]:
    viewer = Viewer(share.link)
    try:
        await viewer.open()
        await viewer.files()
        yield viewer
    finally:
        await viewer.vanish()


@pytest.mark.parametrize("limit", [0, LIMIT], ids=["no limit", "under a limit"])
@pytest.mark.parametrize("trouble", [a_viewer_that_stops, a_viewer_on_a_slow_link])
async def test_one_viewer_in_trouble_costs_the_others_little(
    trouble: Callable[[Shown], contextlib.AbstractAsyncContextManager[Viewer]],
    limit: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent, clock = count_bytes(monkeypatch), asyncio.get_running_loop().time
    alone: list[float] = []
    beside: list[float] = []
    options = EngineOptions(listen_host="127.0.0.1", listen_port=0, upload_limit=limit)
    async with Owner(options) as owner:
        share, large = await owner.share(picture(SIZE)), await owner.share(picture(20 * SIZE))
        for _ in range(ROUNDS):
            alone.append(await time_of_the_healthy(share))
            async with trouble(large):
                before, began = sent.copy(), clock()
                beside.append(await time_of_the_healthy(share))
                spent = sum(sent[connection] - bytes_sent for connection, bytes_sent in before.items())
                carried = (clock() - began) * SLOW.rate / 8 if trouble is a_viewer_on_a_slow_link else SIZE / 10
            assert spent < carried + SIZE / 10, "what does not arrive is not sent again and again"
    assert min(beside) <= GENEROUS * min(alone)


async def time_of_the_healthy(share: Shown) -> float:
    """How long three take who begin together, each of them with the whole picture."""
    clock = asyncio.get_running_loop().time
    async with contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(Viewer(share.link)) for _ in range(HEALTHY)]
        began = clock()
        fetching = [asyncio.create_task(viewer.fetch()) for viewer in viewers]
        await asyncio.wait(fetching, return_when=asyncio.FIRST_COMPLETED)
        assert min(viewer.held for viewer in viewers) > SIZE / 2, "when the first has all, the others have nearly all"
        for body in await asyncio.gather(*fetching):
            assert body == content(SIZE)
        return clock() - began


def count_bytes(monkeypatch: pytest.MonkeyPatch) -> Counter[Dtls]:
    """What is sent over each connection from now on."""
    sent: Counter[Dtls] = Counter()
    transmit = Dtls.transmit

    def counted(dtls: Dtls, packets: Sequence[bytes]) -> None:
        sent[dtls] += sum(map(len, packets))
        transmit(dtls, packets)

    monkeypatch.setattr(Dtls, "transmit", counted)
    return sent
