"""The lab itself, and our transport inside it: a lossy link, a reordering one, and routers that translate addresses."""

from __future__ import annotations

import os

import pytest

from tests.netlab.lab import Nat, open_lab
from tests.netlab.link import Link, LinkOptions
from tests.netlab.namespaces import LabError, require_root
from tests.netlab.transfer import browser_in, measure

LINK = LinkOptions(0.010, rate=50e6, queue=500_000)
SIZE = 2_000_000


def test_without_root_the_lab_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        require_root()
    with pytest.raises(LabError, match="needs root"), open_lab(LINK):
        raise AssertionError("the lab has opened")


def test_a_link_delays_by_its_rate_and_its_length() -> None:
    link = Link[str](LinkOptions(delay_s=0.1, rate=8000, queue=5000))
    for name in "abc":
        link.send(0.0, name, 1000)
    assert link.arrivals(1.05) == []
    assert link.arrivals(1.11) == ["a"]
    assert link.arrivals(3.11) == ["b", "c"]


def test_a_full_queue_drops_what_comes_on_top() -> None:
    link = Link[int](LinkOptions(rate=8000, queue=3000))
    for number in range(5):
        link.send(0.0, number, 1000)
    assert link.dropped == 2
    assert link.arrivals(10) == [0, 1, 2]


def test_loss_is_of_the_share_that_was_asked_for() -> None:
    link = Link[int](LinkOptions(loss=0.1))
    for number in range(10_000):
        link.send(0.0, number, 100)
    assert 900 <= link.lost <= 1100


async def _transfer(link: LinkOptions, nat: Nat | None = None) -> tuple[int, dict[str, int]]:
    with open_lab(link, nat=nat) as lab:
        async with browser_in(lab.viewer) as viewer:
            result = await measure(lab, viewer, "seedshot", SIZE, 30)
    return result.bytes, lab.statistics[0]


LINKS = {
    "lossy": LinkOptions(0.010, loss=0.02, rate=50e6, queue=500_000),
    "reordering": LinkOptions(0.010, reorder=0.05, rate=50e6, queue=500_000),
    "jittery": LinkOptions(0.010, jitter_s=0.010, rate=50e6, queue=500_000),
    "slow": LinkOptions(0.050, rate=4e6, queue=50_000),
}


@pytest.mark.parametrize("name", list(LINKS))
async def test_chromium_gets_everything_over_a_bad_link(name: str) -> None:
    received, statistics = await _transfer(LINKS[name])
    assert received == SIZE
    assert statistics["carried"] < 1.35 * SIZE, "far more was sent than had to be"


@pytest.mark.parametrize("nat", list(Nat))
async def test_chromium_behind_a_router_is_reached(nat: Nat) -> None:
    received, _ = await _transfer(LINK, nat)
    assert received == SIZE
