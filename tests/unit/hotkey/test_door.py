"""Where a hotkey can be had, and what is said where it cannot."""

from __future__ import annotations

import pytest

from seedshot_desktop.errors import HotkeyError
from seedshot_desktop.hotkey import check_combo, open_hotkey, parse_combo, unavailable_reason


@pytest.mark.parametrize(
    ("platform", "environ"),
    [
        ("win32", {}),
        ("darwin", {}),
        ("linux", {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}),
    ],
)
def test_names_the_way_that_works_everywhere(platform: str, environ: dict[str, str]) -> None:
    assert "`seedshot capture region`" in unavailable_reason(platform, environ)


def test_without_a_display_sharing_files_is_left() -> None:
    assert "`seedshot share FILE`" in unavailable_reason("linux", {})


def test_x11_can_be_tried() -> None:
    assert unavailable_reason("linux", {"DISPLAY": ":0"}) == ""


async def test_a_display_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4999")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(HotkeyError, match="the display cannot be reached"):
        open_hotkey(parse_combo("Ctrl+Shift+2"), lambda: None)


X11 = {"DISPLAY": ":0"}


def test_a_combination_that_x11_takes_for_its_consoles_is_refused_with_another_one_to_try() -> None:
    with pytest.raises(HotkeyError, match=r"text console .* Ctrl\+Shift\+2"):
        check_combo(parse_combo("Ctrl+Alt+F5"), "linux", X11)
    check_combo(parse_combo("Ctrl+Alt+Shift+F5"), "linux", X11)


@pytest.mark.parametrize(
    ("platform", "environ"), [("win32", {}), ("darwin", {}), ("linux", {**X11, "WAYLAND_DISPLAY": "wayland-0"})]
)
def test_elsewhere_it_is_a_combination_like_any_other(platform: str, environ: dict[str, str]) -> None:
    check_combo(parse_combo("Ctrl+Alt+F5"), platform, environ)
