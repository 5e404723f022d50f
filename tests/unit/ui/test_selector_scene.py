"""What stands where on a monitor of the overlay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.ui.selector_model import SelectorModel
from seedshot_desktop.ui.selector_scene import ZOOM, ZOOMED, Measures, Scene, Words, compose
from seedshot_desktop.ui.selector_values import Box

SCREEN, OTHER = Box(1920, 0, 2560, 1440), Box(0, 0, 1920, 1080)


def measure(words: Words, label: str) -> Measures:
    return Measures(1.0, (8 * len(label) + 20, 24), (70 * len(words), 40), (90, 32), 22)


def scene(selector: SelectorModel, screen: Box = SCREEN, *, keep: bool = False) -> Scene:
    return compose(selector, screen, measure, keep)


def aiming(x: int, y: int) -> SelectorModel:
    selector = SelectorModel([OTHER, SCREEN])
    selector.move((x, y))
    return selector


def drawing(x: int, y: int, to_x: int, to_y: int) -> SelectorModel:
    selector = aiming(x, y)
    selector.press((x, y))
    selector.drag((to_x, to_y))
    return selector


def test_only_the_monitor_under_the_pointer_carries_its_tools() -> None:
    here, there = scene(aiming(2000, 100)), scene(aiming(2000, 100), OTHER)
    assert here.cross == here.magnified == (80, 100)
    assert here.coordinates == (2000, 100)
    assert here.hint
    assert here.magnifier
    assert there == Scene()


def test_the_size_stands_beside_the_selection() -> None:
    drawn = scene(drawing(2020, 100, 2319, 299))
    assert drawn.selection == Box(100, 100, 300, 200)
    assert drawn.label_text == "300 × 200"
    assert drawn.label
    assert drawn.label.bottom <= 100


def test_the_size_finds_another_place_where_the_screen_ends() -> None:
    below = scene(drawing(2020, 0, 2319, 299)).label
    inside = scene(drawing(1920, 0, 4479, 1439)).label
    assert below
    assert below.y >= 300
    assert inside
    assert 0 <= inside.y < 100


def test_a_selection_across_monitors_shows_its_size_once() -> None:
    selector = drawing(1900, 10, 2000, 60)
    here, there = scene(selector), scene(selector, OTHER)
    assert here.selection == Box(0, 10, 81, 51)
    assert there.selection == Box(1900, 10, 20, 51)
    assert there.label_text == "101 × 51"


def test_the_hint_says_what_releasing_does() -> None:
    selector = drawing(2020, 100, 2319, 299)
    assert ("Release", "to share") in scene(selector).words
    assert ("Release", "to adjust") in scene(selector, keep=True).words


def test_the_hint_leaves_the_bottom_to_the_pointer() -> None:
    hint = scene(aiming(1920 + 1280, 1400)).hint
    assert hint
    assert hint.bottom < 200


def test_a_selection_that_waits_has_handles_and_a_button() -> None:
    selector = drawing(2020, 100, 2319, 299)
    selector.release((2319, 299), keep=True)
    waiting = scene(selector)
    assert waiting.handles
    assert waiting.button
    assert waiting.button.right == 400
    assert waiting.magnifier is None
    assert waiting.cross is None


@pytest.mark.parametrize("start", [(2500, 700), (1920, 0), (4479, 1439), (1920, 1439)])
def test_nothing_covers_the_pixel_that_is_pointed_at(start: tuple[int, int]) -> None:
    for end in ((1920, 0), (4479, 0), (1920, 1439), (4479, 1439), (3200, 720)):
        drawn = scene(drawing(*start, *end))
        for box in (drawn.magnifier, drawn.hint):
            assert box
            assert not box.contains(drawn.magnified)


@given(*[st.integers(0, 2559), st.integers(0, 1439)] * 2)
def test_everything_stays_on_the_screen(x: int, y: int, to_x: int, to_y: int) -> None:
    selector = drawing(x + 1920, y, to_x + 1920, to_y)
    for keep in (False, True):
        drawn = scene(selector)
        for box in (drawn.label, drawn.hint, drawn.magnifier, drawn.button):
            if box:
                assert box.x >= 0
                assert box.y >= 0
                assert box.right <= SCREEN.width
                assert box.bottom <= SCREEN.height
        if drawn.magnifier:
            assert drawn.magnifier.width == ZOOM * ZOOMED
        selector.release((to_x + 1920, to_y), keep=keep)


CORNERS = [(0, 0), (2559, 0), (0, 1439), (2559, 1439)]


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("side", [5, 30, 200])
def test_a_small_region_in_a_corner_is_covered_by_nothing(corner: tuple[int, int], side: int) -> None:
    x, y = corner[0] + 1920, corner[1]
    away = (x + (side if corner[0] == 0 else -side), y + (side if corner[1] == 0 else -side))
    selector = drawing(*away, x, y)
    drawn = scene(selector)
    selector.release((x, y), keep=True)
    waiting = scene(selector)
    assert apart([drawn.label, drawn.magnifier, drawn.hint])
    assert apart([waiting.label, waiting.button, waiting.hint, waiting.selection])


@given(*[st.integers(0, 2559), st.integers(0, 1439)] * 2)
def test_what_stands_on_the_picture_never_overlaps(x: int, y: int, to_x: int, to_y: int) -> None:
    selector = drawing(x + 1920, y, to_x + 1920, to_y)
    drawn = scene(selector)
    assert apart([drawn.label, drawn.magnifier])
    selector.release((to_x + 1920, to_y), keep=True)
    waiting = scene(selector)
    assert apart([waiting.label, waiting.button])


def apart(boxes: list[Box | None]) -> bool:
    """Whether no two of them share a pixel."""
    there = [box for box in boxes if box]
    pairs = [(a, b) for number, a in enumerate(there) for b in there[:number]]
    return not any(a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom for a, b in pairs)
