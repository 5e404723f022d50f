"""Which way to the pixels is taken, and what is said where there is none."""

from __future__ import annotations

import pytest

from seedshot_desktop.capture import CaptureError, backend_names, open_backend


def test_x11_shares_memory_and_falls_back_to_mss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert backend_names({"DISPLAY": ":0"}) == ("x11", "mss")


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_use_mss(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", platform)
    assert backend_names({}) == ("mss",)


def test_a_wayland_desktop_is_told_what_to_do() -> None:
    with pytest.raises(CaptureError, match=r"Wayland.*`seedshot share FILE`"):
        open_backend(environ={"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"})


def test_every_backend_gives_its_reason() -> None:
    with pytest.raises(CaptureError, match=r"\(x11: .*DISPLAY.*; mss: .*DISPLAY.*\)"):
        open_backend(environ={})


def test_a_display_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4999")
    with pytest.raises(CaptureError, match=r"\(x11: .+; mss: .+\)"):
        open_backend(environ={"DISPLAY": ":4999"})


def test_an_unknown_backend_is_named_with_those_that_there_are() -> None:
    with pytest.raises(CaptureError, match=r"“portal”\. Known: x11, mss"):
        open_backend("portal")
