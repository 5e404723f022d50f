"""A person at a ``Screen``: hands on the keyboard and the mouse, eyes on the pixels, the clipboard."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mss
from PIL import Image

from tests.support.programs import Program, find
from tests.support.screen import Screen
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
_QUICK_S = 5.0


class Person:
    """Whoever sits before `screen`."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    def press(self, keys: str) -> None:
        """Press and let go of a combination, as xdotool names it: ``ctrl+shift+2``, ``Escape``."""
        self._do("key", keys)

    def point(self, x: int, y: int) -> None:
        """Move the pointer there, in pixels of the screen."""
        self._do("mousemove", "--sync", str(x), str(y))

    def click(self, x: int, y: int, button: int = 1) -> None:
        """Click there: 1 left, 2 middle, 3 right."""
        self._do("mousemove", str(x), str(y), "click", str(button))

    def drag(self, left: int, top: int, right: int, bottom: int) -> None:
        """Press at one corner, go to the other by way of the middle, let go: both corners are in the selection."""
        self._do("mousemove", str(left), str(top), "mousedown", "1")
        self._do("mousemove", str((left + right) // 2), str((top + bottom) // 2))
        self._do("mousemove", str(right), str(bottom), "mouseup", "1")

    def go_to_workspace(self, number: int) -> None:
        """Change to another workspace, from 0."""
        self._do("set_desktop", str(number))

    def use_layout(self, name: str) -> None:
        """Change the keyboard layout: ``us``, ``de``, ``fr``."""
        subprocess.run([find("setxkbmap"), name], env=self.screen.env, timeout=_QUICK_S, check=True)

    def clipboard(self) -> str:
        """The text on the clipboard; "" when it is empty."""
        command = [find("xclip"), "-selection", "clipboard", "-out"]
        done = subprocess.run(
            command, env=self.screen.env, capture_output=True, text=True, timeout=_QUICK_S, check=False
        )
        return done.stdout

    def windows(self, title: str) -> list[int]:
        """Ids of the visible windows whose title contains the regular expression `title`."""
        return [int(line) for line in self._ask("search", "--onlyvisible", "--name", title).split()]

    def windows_of(self, process: int) -> list[int]:
        """Ids of the visible windows of a process."""
        return [int(line) for line in self._ask("search", "--onlyvisible", "--pid", str(process)).split()]

    def place(self, window: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a window, in pixels of the screen."""
        words = self._ask("getwindowgeometry", "--shell", str(window)).splitlines()
        values = dict(line.split("=", 1) for line in words if "=" in line)
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    def tray_icon(self) -> tuple[int, int] | None:
        """The middle of the one icon in the panel's tray; None while there is none."""
        for panel in self._ask("search", "--onlyvisible", "--class", "tint2").split():
            x, y, width, height = self.place(int(panel))
            if icons := _bright_columns(self.look((x, y, width, height))):
                return x + (icons[0] + icons[-1]) // 2, y + height // 2
        return None

    def look(self, region: tuple[int, int, int, int] | None = None) -> Image.Image:
        """What the screen shows; `region` is left, top, width, height."""
        left, top, width, height = region or (0, 0, *self.screen.size)
        with mss.MSS(display=self.screen.display) as eyes:
            shot = eyes.grab({"left": left, "top": top, "width": width, "height": height})
        return Image.frombytes("RGB", shot.size, shot.rgb)

    def _do(self, *words: str) -> None:
        done = self._xdotool(*words)
        assert done.returncode == 0, f"xdotool {' '.join(words)}: {done.stderr}"

    def _ask(self, *words: str) -> str:
        """What is found; nothing where nothing is, which xdotool takes for a failure."""
        return self._xdotool(*words).stdout

    def _xdotool(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [find("xdotool"), *words],
            env=self.screen.env,
            capture_output=True,
            text=True,
            timeout=_QUICK_S,
            check=False,
        )


def _bright_columns(panel: Image.Image) -> list[int]:
    """Columns of the dark panel in which something is drawn."""
    drawn = panel.convert("L").point(lambda grey: 255 * (grey > 96))
    box = drawn.crop((2, 2, panel.width - 2, panel.height - 2)).getbbox()
    return list(range(box[0] + 2, box[2] + 2)) if box else []


@contextmanager
def shown_picture(person: Person, picture: Image.Image, x: int, y: int) -> Iterator[None]:
    """`picture` in a window of another program, pixel for pixel, its corner at `x`, `y`."""
    path = person.screen.home / "shown.png"
    picture.save(path)
    command = [sys.executable, "-m", "tests.support.picture_window", str(path), str(x), str(y)]
    window = Program(command, person.screen.env, cwd=ROOT)
    region = (x, y, picture.width, picture.height)
    try:
        wait_until(
            lambda: person.look(region).tobytes() == picture.convert("RGB").tobytes(), f"the picture; {window.output()}"
        )
        yield
    finally:
        window.end()
