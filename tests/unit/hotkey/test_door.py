"""Where a hotkey can be had, and what is said where it cannot."""

from __future__ import annotations

import pytest

from seedshot_desktop.errors import HotkeyError
from seedshot_desktop.hotkey import open_hotkey, parse_combo, unavailable_reason


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
