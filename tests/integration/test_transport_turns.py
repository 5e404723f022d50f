"""Connections that have much to send take turns."""

from __future__ import annotations

import itertools

import pytest

from seedshot_desktop.seed.transport import Peer
from seedshot_desktop.seed.transport.sender import Sender
from tests.support.rtc_viewer import connected
from tests.support.waiting import until

TURN = 40
"""Packets in a row at most: what leaves in one call of the system."""
SUPPLY = 400
CHUNK = bytes(1176)


async def test_after_forty_packets_it_is_somebody_elses_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither window nor pace holds anybody up: each may send all that it has at once."""
    async with connected() as (one, _, _), connected() as (other, _, _), connected() as (third, _, _):
        supplies: dict[Sender, int] = {}

        def eager(sender: Sender, _now: float) -> bytes | None:
            left = supplies.setdefault(sender, SUPPLY)
            supplies[sender] = left - 1
            return CHUNK if left > 0 else None

        sent: list[Peer] = []
        for peer in (one, other, third):
            monkeypatch.setattr(
                peer._dtls,
                "transmit",
                lambda packets, peer=peer: sent.extend(peer for packet in packets if is_data(packet)),
            )
        monkeypatch.setattr(Sender, "poll", eager)
        for peer in (one, other, third):
            peer.send_data(b"there is something to send")
        await until(lambda: len(sent) >= 3 * SUPPLY, "all of it")
        turns = [(peer, len(list(run))) for peer, run in itertools.groupby(sent)]
        assert max(length for _, length in turns) <= TURN
        rounds = [{peer for peer, _ in turns[at : at + 3]} for at in range(0, 3 * SUPPLY // TURN, 3)]
        assert all(len(those) == 3 for those in rounds), "nobody has two turns while another one waits"


def is_data(packet: bytes) -> bool:
    """Whether it is one of those that are supplied here."""
    return packet.endswith(CHUNK)
