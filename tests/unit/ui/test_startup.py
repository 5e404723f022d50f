"""Before the first window: is there a display, and where do unforeseen errors go."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pytest

from seedshot_desktop.ui import startup
from seedshot_desktop.ui.alone import AloneLock


def test_without_a_display_the_command_that_works_is_named() -> None:
    problem = startup.display_problem({})
    assert problem.startswith("There is no display here.")
    assert "seedshot share FILE" in problem


def test_a_display_that_does_not_answer() -> None:
    problem = startup.display_problem({"DISPLAY": ":4999"})
    assert ":4999 does not answer" in problem
    assert "seedshot share FILE" in problem


def test_a_wayland_socket_that_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "wayland-0").write_text("")
    environ = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert "no display" in startup.display_problem(environ)


@pytest.mark.parametrize("platform", ["offscreen", "minimal", "vnc:port=1"])
def test_platforms_that_need_no_display(platform: str) -> None:
    assert startup.display_problem({"QT_QPA_PLATFORM": platform}) == ""


def test_a_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str) -> None:
        raise OSError("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    problem = startup.display_problem({"DISPLAY": ":0"})
    assert "libxcb-cursor.so.0 is not installed (on Debian and Ubuntu: apt install libxcb-cursor0)" in problem
    assert "seedshot share FILE" in problem


def test_what_nobody_foresaw_is_logged_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[BaseException] = []
    told: list[str] = []
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    startup.catch_everything(faults.append, told.append)
    error = ValueError("/home/somebody/secret.txt")
    sys.excepthook(ValueError, error, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert faults == [error]
    assert len(told) == 1
    assert "secret" not in told[0]


def test_only_one_holds_the_lock(tmp_path: Path) -> None:
    first, second = AloneLock(tmp_path / "lock"), AloneLock(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()
