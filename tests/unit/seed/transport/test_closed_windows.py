"""A viewer whose receive window is closed for long: it is asked now and then, and given the rest when it opens."""

from __future__ import annotations

import itertools
import struct

from seedshot_desktop.seed.transport.round_trip import RTO_MAX_S
from tests.netlab.link import LinkOptions
from tests.netlab.simulation import MBIT, Flow, Network, Receiver

LINK = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=500_000)
SIZE = 3_000_000
CLOSED_AT, OPENED_AT = 0.3, 40.3
WINDOW = 5 * 1024 * 1024


class FullReceiver(Receiver):
    """While `full` it has no room for anything new, says so at once, and says nothing by itself when it has again."""

    def __init__(self, first_tsn: int) -> None:
        super().__init__(first_tsn, WINDOW)
        self.full = False
        self.refused: list[tuple[float, int]] = []
        """When which TSN came for which there was no room."""

    def receive(self, now: float, chunk: bytes) -> bool:
        tsn: int = struct.unpack_from("!L", chunk, 4)[0]
        if not self.full or tsn <= self.cumulative:
            return super().receive(now, chunk)
        self.refused.append((now, tsn))
        return True

    def close(self) -> None:
        self.full, self.window = True, 0

    def open(self) -> None:
        self.full, self.window = False, WINDOW


def shut() -> tuple[Network, Flow, FullReceiver]:
    """A transfer whose receiver has just closed its window."""
    network = Network(LINK, LINK)
    flow = network.add(SIZE)
    flow.receiver = receiver = FullReceiver(flow.receiver.cumulative + 1)
    network.run(CLOSED_AT)
    assert 0 < receiver.bytes < SIZE / 2
    receiver.close()
    return network, flow, receiver


def test_a_closed_window_is_asked_more_and_more_rarely_and_never_taken_for_the_end() -> None:
    network, flow, receiver = shut()
    network.run(OPENED_AT)
    assert not flow.sender.dead, "whoever answers lives"
    begun = len([at for at, _ in receiver.refused if at < CLOSED_AT + 0.5])
    probes = [at for at, _ in receiver.refused[begun:]]
    assert len(probes) <= (OPENED_AT - CLOSED_AT) / RTO_MAX_S + 4, "one chunk each time"
    gaps = [later - earlier for earlier, later in itertools.pairwise(probes)]
    assert len(gaps) >= 4
    assert all(later >= 0.95 * min(1.9 * earlier, RTO_MAX_S) for earlier, later in itertools.pairwise(gaps))
    assert max(gaps) <= RTO_MAX_S + 0.1, "it will not be long before it is noticed that there is room again"


def test_the_rest_arrives_once_the_window_opens() -> None:
    network, flow, receiver = shut()
    network.run(OPENED_AT)
    before = receiver.bytes
    receiver.open()
    network.run(OPENED_AT + RTO_MAX_S + 5)
    assert receiver.bytes > before
    assert flow.finished is not None, "the next probe is answered with the new window, and all of it follows"
    assert receiver.bytes == SIZE
    assert flow.sender.buffered == 0
