"""Which picture belongs on which screen."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect

from seedshot_desktop.ui.selector_screens import match_screens
from seedshot_desktop.ui.selector_values import FrozenScreen


@dataclass(frozen=True)
class Screen:
    """As QScreen tells of itself: its origin in physical pixels, its size in logical ones."""

    called: str
    rect: QRect
    ratio: float = 1.0

    def name(self) -> str:
        return self.called

    def geometry(self) -> QRect:
        return self.rect

    def devicePixelRatio(self) -> float:
        return self.ratio


def frozen(name: str, x: int, y: int, width: int, height: int) -> FrozenScreen:
    return FrozenScreen(name, x, y, width, height, b"")


def test_by_name_whatever_their_order() -> None:
    left, right = frozen("DP-1", 0, 0, 1920, 1080), frozen("DP-2", 1920, 0, 1920, 1080)
    one, two = Screen("DP-1", QRect(0, 0, 1920, 1080)), Screen("DP-2", QRect(1920, 0, 1920, 1080))
    assert match_screens([left, right], [two, one]) == [(left, one), (right, two)]


def test_by_place_with_mixed_scales() -> None:
    left, right = frozen("", 0, 0, 1920, 1080), frozen("", 1920, 0, 3840, 2160)
    one, two = Screen("A", QRect(0, 0, 1920, 1080)), Screen("B", QRect(1920, 0, 2560, 1440), 1.5)
    assert match_screens([right, left], [one, two]) == [(right, two), (left, one)]


def test_in_reading_order_where_nothing_else_agrees() -> None:
    top, bottom = frozen("", 0, 0, 3000, 2000), frozen("", 0, 2000, 3000, 2000)
    one, two = Screen("A", QRect(0, 0, 1500, 1000), 1.0), Screen("B", QRect(0, 1000, 1500, 1000), 1.0)
    assert match_screens([bottom, top], [two, one]) == [(bottom, two), (top, one)]


def test_a_name_is_worth_more_than_a_place() -> None:
    picture = frozen("DP-2", 0, 0, 100, 100)
    one, two = Screen("DP-1", QRect(0, 0, 100, 100)), Screen("DP-2", QRect(100, 0, 100, 100))
    assert match_screens([picture], [one, two]) == [(picture, two)]


def test_a_monitor_that_came_or_went_is_left_out() -> None:
    left, right = frozen("DP-1", 0, 0, 10, 10), frozen("DP-2", 10, 0, 10, 10)
    one = Screen("DP-1", QRect(0, 0, 10, 10))
    assert match_screens([left, right], [one]) == [(left, one)]
    assert match_screens([left], [one, Screen("DP-2", QRect(10, 0, 10, 10))]) == [(left, one)]
    assert match_screens([], [one]) == []
