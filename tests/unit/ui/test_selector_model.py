"""What people do to a selection, told as they do it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.ui.selector_model import Grip, Phase, SelectorModel, handle_point
from seedshot_desktop.ui.selector_values import Box

LEFT, RIGHT = Box(-1920, -200, 1920, 1080), Box(0, 0, 3840, 2160)


def model(*screens: Box) -> SelectorModel:
    return SelectorModel(screens or (RIGHT,))


def drawn(kept: bool = True) -> SelectorModel:
    """A selection from (100, 100) to (299, 199), waiting to be confirmed."""
    selector = model()
    selector.press((100, 100))
    selector.drag((200, 150))
    selector.release((299, 199), keep=kept)
    return selector


def test_press_drag_release_takes_both_corners_and_all_between() -> None:
    selector = drawn(kept=False)
    assert selector.phase is Phase.TAKEN
    assert selector.box == Box(100, 100, 200, 100)


@pytest.mark.parametrize("end", [(10, 10), (200, 10), (10, 200)])
def test_drawing_goes_in_every_direction(end: tuple[int, int]) -> None:
    selector = model()
    selector.press((100, 100))
    selector.release(end)
    assert selector.box == Box.between((100, 100), end)


def test_a_mere_click_selects_nothing() -> None:
    selector = model()
    selector.press((100, 100))
    selector.release((102, 101))
    assert selector.phase is Phase.AIMING
    assert selector.box is None


def test_a_line_of_single_pixels_can_be_drawn() -> None:
    selector = model()
    selector.press((100, 100))
    selector.release((100, 300))
    assert selector.box == Box(100, 100, 1, 201)


def test_coming_back_to_a_single_pixel_is_no_click() -> None:
    selector = model()
    selector.press((100, 100))
    selector.drag((200, 200))
    selector.release((100, 100))
    assert (selector.phase, selector.box) == (Phase.TAKEN, Box(100, 100, 1, 1))


def test_the_last_pixels_of_the_desktop_can_be_reached() -> None:
    selector = model()
    selector.press((5000, 5000))
    selector.release((-5, -5))
    assert selector.box == RIGHT


def test_a_selection_spans_monitors() -> None:
    selector = model(LEFT, RIGHT)
    selector.press((-100, -50))
    selector.release((99, 49))
    assert selector.box == Box(-100, -50, 200, 100)


def test_space_moves_what_is_being_drawn_and_then_it_grows_on() -> None:
    selector = model()
    selector.press((100, 100))
    selector.drag((199, 199))
    selector.slide(True)
    selector.drag((249, 219))
    assert selector.box == Box(150, 120, 100, 100)
    selector.slide(False)
    selector.release((259, 229))
    assert selector.box == Box(150, 120, 110, 110)


def test_space_stops_at_the_desktops_edge() -> None:
    selector = model()
    selector.press((100, 100))
    selector.drag((199, 199))
    selector.slide(True)
    selector.drag((0, 0))
    assert selector.box == Box(0, 0, 100, 100)


def test_arrows_move_the_corner_that_is_held_by_single_pixels() -> None:
    selector = model()
    selector.press((100, 100))
    selector.drag((199, 199))
    selector.nudge(1, -2)
    assert selector.box == Box(100, 100, 101, 98)
    selector.release((199, 199))
    assert selector.box == Box(100, 100, 101, 98)


def test_arrows_nudge_the_aim_until_the_mouse_moves_on() -> None:
    selector = model()
    selector.move((100, 100))
    selector.nudge(3, 0)
    assert selector.pointer == (103, 100)
    selector.move((101, 100))
    assert selector.pointer == (104, 100)
    selector.move((400, 300))
    assert selector.pointer == (400, 300)


def test_arrows_at_the_edge_are_not_saved_up() -> None:
    selector = model()
    selector.move((0, 0))
    selector.nudge(-50, 0)
    selector.nudge(1, 0)
    assert selector.pointer == (1, 0)


def test_arrows_move_a_waiting_selection_and_resize_it() -> None:
    selector = drawn()
    selector.nudge(10, 1)
    assert selector.box == Box(110, 101, 200, 100)
    selector.nudge(-5, 2, resize=True)
    assert selector.box == Box(110, 101, 195, 102)


def test_a_waiting_selection_neither_leaves_the_desktop_nor_vanishes() -> None:
    selector = drawn()
    selector.nudge(-9999, 9999)
    assert selector.box == Box(0, 2060, 200, 100)
    selector.nudge(-9999, 9999, resize=True)
    assert selector.box == Box(0, 2060, 1, 100)


def test_it_is_moved_by_its_inside() -> None:
    selector = drawn()
    selector.press((200, 150))
    assert selector.phase is Phase.MOVING
    selector.drag((230, 160))
    selector.release((230, 160))
    assert (selector.phase, selector.box) == (Phase.ADJUSTING, Box(130, 110, 200, 100))


@pytest.mark.parametrize(
    ("hold", "to", "box"),
    [
        ((100, 100), (90, 80), Box(90, 80, 210, 120)),
        ((300, 200), (350, 260), Box(100, 100, 250, 160)),
        ((200, 100), (260, 60), Box(100, 60, 200, 140)),
        ((300, 150), (340, 500), Box(100, 100, 240, 100)),
        ((300, 130), (340, 500), Box(100, 100, 240, 100)),
        ((97, 103), (107, 113), Box(110, 110, 190, 90)),
    ],
)
def test_handles_and_edges_follow_without_a_jump(hold: tuple[int, int], to: tuple[int, int], box: Box) -> None:
    selector = drawn()
    selector.press(hold)
    assert selector.phase is Phase.STRETCHING
    assert selector.box == Box(100, 100, 200, 100)
    selector.release(to)
    assert (selector.phase, selector.box) == (Phase.ADJUSTING, box)


def test_a_handle_can_be_pulled_over_the_other_side() -> None:
    selector = drawn()
    selector.press((100, 100))
    selector.release((400, 300))
    assert selector.box == Box(299, 199, 102, 102)


def test_a_drag_beside_it_starts_anew_and_a_click_does_not() -> None:
    selector = drawn()
    selector.press((1000, 1000))
    selector.release((1000, 1000))
    assert selector.box == Box(100, 100, 200, 100)
    selector.press((1000, 1000))
    selector.drag((1050, 1050))
    assert selector.phase is Phase.DRAWING
    selector.release((1099, 1049), keep=True)
    assert selector.box == Box(1000, 1000, 100, 50)


def test_enter_takes_the_selection() -> None:
    selector = drawn()
    selector.confirm()
    assert (selector.phase, selector.box) == (Phase.TAKEN, Box(100, 100, 200, 100))


@pytest.mark.parametrize(("point", "screen"), [((5, 5), RIGHT), ((-1, 100), LEFT), ((-500, 2000), RIGHT)])
def test_enter_without_a_selection_takes_the_monitor_under_the_pointer(point: tuple[int, int], screen: Box) -> None:
    selector = model(LEFT, RIGHT)
    selector.move(point)
    selector.confirm()
    assert selector.box == screen


def test_a_double_click_takes_the_monitor() -> None:
    selector = model(LEFT, RIGHT)
    selector.press((-10, 5))
    selector.release((-10, 5))
    selector.press((-10, 5))
    selector.double_click((-10, 5))
    selector.release((-10, 5))
    assert (selector.phase, selector.box) == (Phase.TAKEN, LEFT)


def test_a_double_click_takes_the_selection_only_inside_of_it() -> None:
    selector = drawn()
    selector.double_click((1000, 1000))
    assert not selector.done
    selector.double_click((150, 150))
    assert selector.box == Box(100, 100, 200, 100)


def test_a_step_back_drops_the_selection_and_the_next_leaves() -> None:
    selector = drawn()
    selector.step_back()
    assert (selector.phase, selector.box) == (Phase.AIMING, None)
    selector.step_back()
    assert selector.phase is Phase.LEFT


def test_a_step_back_while_drawing_and_the_release_that_follows() -> None:
    selector = model()
    selector.press((100, 100))
    selector.drag((200, 200))
    selector.step_back()
    selector.release((200, 200))
    assert (selector.phase, selector.box) == (Phase.AIMING, None)


def test_nothing_follows_an_answer() -> None:
    selector = drawn(kept=False)
    selector.leave()
    selector.press((5, 5))
    selector.release((50, 50))
    selector.nudge(1, 1)
    assert (selector.phase, selector.box) == (Phase.TAKEN, Box(100, 100, 200, 100))


def test_what_a_press_would_take_hold_of() -> None:
    selector = drawn()
    box = selector.box
    assert box is not None
    assert selector.grip_at(handle_point(box, Grip.LEFT | Grip.TOP)) == Grip.LEFT | Grip.TOP
    assert selector.grip_at((100, 130)) is Grip.LEFT
    assert selector.grip_at((200, 150)) is Grip.ALL
    assert selector.grip_at((500, 500)) is Grip.NONE


def test_a_tiny_selection_can_still_be_resized_from_outside() -> None:
    selector = model()
    selector.press((100, 100))
    selector.drag((150, 150))
    selector.release((101, 101), keep=True)
    selector.press((108, 101))
    assert selector.phase is Phase.STRETCHING


ACTIONS = st.one_of(
    st.tuples(
        st.sampled_from(["press", "drag", "move", "release", "keep", "double"]),
        st.integers(-2500, 4500),
        st.integers(-900, 2900),
    ),
    st.tuples(st.sampled_from(["nudge", "resize"]), st.integers(-60, 60), st.integers(-60, 60)),
    st.tuples(st.sampled_from(["space", "unspace", "back", "enter"]), st.just(0), st.just(0)),
)


def act(selector: SelectorModel, what: str, x: int, y: int) -> None:
    match what:
        case "press":
            selector.press((x, y))
        case "drag":
            selector.drag((x, y))
        case "move":
            selector.move((x, y))
        case "release" | "keep":
            selector.release((x, y), keep=what == "keep")
        case "double":
            selector.double_click((x, y))
        case "nudge" | "resize":
            selector.nudge(x, y, resize=what == "resize")
        case "space" | "unspace":
            selector.slide(what == "space")
        case "back":
            selector.step_back()
        case _:
            selector.confirm()


@given(st.lists(ACTIONS, max_size=30))
def test_whatever_is_done_the_selection_stays_on_the_desktop(actions: list[tuple[str, int, int]]) -> None:
    selector = model(LEFT, RIGHT)
    desktop = Box.around([LEFT, RIGHT])
    for what, x, y in actions:
        act(selector, what, x, y)
        assert desktop.contains(selector.pointer)
        if selector.box is not None:
            assert min(selector.box.width, selector.box.height) >= 1
            assert desktop.contains((selector.box.x, selector.box.y))
            assert desktop.contains((selector.box.right - 1, selector.box.bottom - 1))
        assert (selector.phase is Phase.TAKEN) <= (selector.box is not None)
