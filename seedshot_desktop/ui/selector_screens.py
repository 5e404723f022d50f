"""Which picture belongs on which of Qt's screens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from PySide6.QtCore import QRect

from seedshot_desktop.ui.selector_values import FrozenScreen


class ScreenLike(Protocol):
    """What is asked of a QScreen."""

    def name(self) -> str:
        """As the system calls it."""

    def geometry(self) -> QRect:
        """Its origin, in physical pixels under X11 and Windows, and its size in logical ones."""

    def devicePixelRatio(self) -> float:
        """Physical pixels for a logical one."""


S = TypeVar("S", bound=ScreenLike)


def match_screens(frames: Sequence[FrozenScreen], screens: Sequence[S]) -> list[tuple[FrozenScreen, S]]:
    """Each picture with its screen: of the same name, else at the same place, else the next in reading order.

    A picture without a screen, and a screen without a picture, are left out: a
    monitor was plugged in or out in this very moment.
    """
    pairs: dict[int, S] = {}
    for same in (_same_name, _same_place, _any):
        for index, frame in sorted(enumerate(frames), key=lambda item: (item[1].y, item[1].x)):
            free = [
                screen for screen in _in_reading_order(screens) if not any(screen is used for used in pairs.values())
            ]
            screen = next((screen for screen in free if same(frame, screen)), None)
            if index not in pairs and screen is not None:
                pairs[index] = screen
    return [(frame, pairs[index]) for index, frame in enumerate(frames) if index in pairs]


def _in_reading_order(screens: Sequence[S]) -> list[S]:
    return sorted(screens, key=lambda screen: (screen.geometry().y(), screen.geometry().x()))


def _same_name(frame: FrozenScreen, screen: ScreenLike) -> bool:
    return bool(frame.name) and frame.name == screen.name()


def _same_place(frame: FrozenScreen, screen: ScreenLike) -> bool:
    place, ratio = screen.geometry(), screen.devicePixelRatio()
    size = (round(place.width() * ratio), round(place.height() * ratio))
    close = abs(size[0] - frame.width) <= 2 and abs(size[1] - frame.height) <= 2
    return close and (place.x(), place.y()) == (frame.x, frame.y)


def _any(_frame: FrozenScreen, _screen: ScreenLike) -> bool:
    return True
