"""An association whose beginning is not answered, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiortc import RTCIceTransport
from aiortc.rtcsctptransport import InitChunk

from seedshot_desktop.seed.transport.association import CONTROL, MAX_CONTROL_QUEUED, Association
from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.ice import Gatherer
from tests.support.rtc_viewer import make_certificate

REPEATS = 8
"""RFC 9260, section 16: Max.Init.Retransmits."""


class Clock:
    """A loop's timers, which run when the test says so."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._waiting: list[tuple[asyncio.TimerHandle, Callable[[], None]]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(0.0, callback, (), asyncio.get_running_loop())
        self.delays.append(delay)
        self._waiting.append((handle, callback))
        return handle

    def run_next(self) -> bool:
        """The timer that was set first; False when none is set."""
        waiting = [item for item in self._waiting if not item[0].cancelled()]
        if waiting:
            self._waiting = waiting[1:]
            waiting[0][1]()
        return bool(waiting)


class Opening:
    """An association, what it sends, and what becomes of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gatherer = Gatherer()
        dtls = Dtls(RTCIceTransport(gatherer), gatherer.agent, make_certificate())
        self.sent: list[bytes] = []
        self.ended: list[str] = []
        self.clock = Clock()
        monkeypatch.setattr(dtls, "transmit", self._keep)
        self.association = Association(
            dtls,
            on_established=lambda: self.ended.append("established"),
            on_closed=self.ended.append,
            on_message=lambda _: None,
            on_writable=lambda: None,
        )
        internals: Any = self.association
        internals._loop = self.clock

    def _keep(self, packets: Sequence[bytes]) -> None:
        self.sent += packets


async def test_an_init_that_is_never_answered_is_repeated_ever_more_rarely_and_comes_to_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opening = Opening(monkeypatch)
    opening.association.open(5000, 65536, 0.2)
    for _ in range(4 * REPEATS):
        if not opening.clock.run_next():
            break
        await asyncio.sleep(0)  # what was due is sent by a task
    assert opening.clock.delays == pytest.approx([0.4, 0.8, 1.6, *[3.0] * (REPEATS - 2)])
    assert [packet[12] for packet in opening.sent] == [InitChunk.type] * (1 + REPEATS)
    assert len(set(opening.sent)) == 1, "the same one each time"
    assert opening.ended == ["the viewer does not answer"]
    assert not opening.association.established
    opening.association.send(CONTROL, 51, b"too late")
    opening.association.receive(bytes(100))
    assert opening.ended == ["the viewer does not answer"]


@pytest.mark.parametrize(("handshake_s", "first_s"), [(0.0, 0.3), (0.15, 0.3), (0.5, 1.0), (30.0, 3.0)])
async def test_the_first_init_waits_for_twice_the_handshake_within_bounds(
    monkeypatch: pytest.MonkeyPatch, handshake_s: float, first_s: float
) -> None:
    opening = Opening(monkeypatch)
    opening.association.open(5000, 65536, handshake_s)
    assert opening.clock.delays == [pytest.approx(first_s)]
    opening.association.silence()
    assert not opening.clock.run_next(), "nothing of it is left"


async def test_what_is_said_before_there_is_an_association_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    opening = Opening(monkeypatch)
    opening.association.open(5000, 65536, 0.2)
    for _ in range(MAX_CONTROL_QUEUED):
        opening.association.send(CONTROL, 51, b"still room")
    assert opening.ended == []
    for _ in range(2000 - MAX_CONTROL_QUEUED):
        opening.association.send(CONTROL, 51, b"too much")
    assert opening.ended == ["too much was to be said before the association was established"]
    assert not opening.clock.run_next(), "nothing of it is left"
