"""The link that simulations and the network lab share does to packets what it says."""

from __future__ import annotations

import pytest

from tests.netlab.link import Link, LinkOptions

COUNT = 2000
EVERY_S = 0.1
"""Between two packets, where one is to be looked at by itself: far more than any delay here."""


def arrivals(options: LinkOptions, every_s: float, seed: int = 1) -> list[tuple[float, int]]:
    """When which of `COUNT` packets arrives, in order of arrival; they enter `every_s` apart."""
    link = Link[int](options, seed)
    found: list[tuple[float, int]] = []

    def look() -> None:
        while (at := link.next_arrival()) is not None and at <= now:
            found.extend((at, number) for number in link.arrivals(at))

    for number in range(COUNT):
        now = number * every_s
        look()
        link.send(now, number, 1000)
    now = float("inf")
    look()
    assert len(found) == COUNT
    return found


def test_jitter_adds_anything_between_nothing_and_itself() -> None:
    found = arrivals(LinkOptions(delay_s=0.020, jitter_s=0.010), EVERY_S)
    extra = sorted(at - number * EVERY_S - 0.020 for at, number in found)
    assert extra[0] >= -1e-9
    assert extra[-1] <= 0.010 + 1e-9
    tenths = [extra[COUNT * part // 10] for part in range(1, 10)]
    assert tenths == pytest.approx([part / 1000 for part in range(1, 10)], abs=0.001)


def test_jitter_keeps_the_order() -> None:
    found = arrivals(LinkOptions(delay_s=0.020, jitter_s=0.010), 0.0005)
    assert [number for _, number in found] == list(range(COUNT))
    extra = [at - number * 0.0005 - 0.020 for at, number in found]
    assert min(extra) >= -1e-9
    assert max(extra) <= 0.010 + 1e-9
    assert max(extra) - min(extra) > 0.005, "each waits for those before it, and they do not all wait as long"


@pytest.mark.parametrize("share", [0.05, 0.25])
def test_about_its_share_of_packets_overtakes_others_by_half_of_the_delay(share: float) -> None:
    found = arrivals(LinkOptions(delay_s=0.020, reorder=share), 0.001)
    overtaking = overtakers([number for _, number in found])
    assert len(overtaking) / COUNT == pytest.approx(share, rel=0.25)
    when = {number: at for at, number in found}
    assert all(when[number] == pytest.approx(number * 0.001 + 0.010) for number in overtaking)
    assert all(when[number] == pytest.approx(number * 0.001 + 0.020) for number in set(when) - overtaking)


def overtakers(order: list[int]) -> set[int]:
    """Who arrives before somebody who entered earlier."""
    first_missing, here, found = 0, set[int](), set[int]()
    for number in order:
        here.add(number)
        while first_missing in here:
            first_missing += 1
        if number > first_missing:
            found.add(number)
    return found


def test_a_link_that_does_neither_keeps_order_and_delay() -> None:
    found = arrivals(LinkOptions(delay_s=0.020), 0.001)
    assert [number for _, number in found] == list(range(COUNT))
    assert [at - number * 0.001 for at, number in found] == pytest.approx([0.020] * COUNT)
