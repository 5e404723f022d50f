"""``python -m tests.support.gallery FOLDER [windows|overlay|page…]``: a picture of everything that people see.

Every window, dialog, menu and state of the overlay and of the page, light and
dark, at 100 % and 200 %, as PNG files, to be looked at before a release: whether
something is ugly is no test's to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.support.desktop import ROOT, Person, shown_picture
from tests.support.gallery_page import draw_page
from tests.support.overlay import Overlay, open_overlay
from tests.support.screen import open_screen
from tests.support.waiting import TooLateError, wait_until

SCALES = (1, 2)
COLOURS = ("light", "dark")
WIDTH, HEIGHT = 1280, 800
_PARTS = ("windows", "overlay", "page")


def main(arguments: Sequence[str]) -> int:
    """Draw the parts that are named, or all."""
    folder = Path(arguments[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    parts = arguments[1:] or _PARTS
    if "windows" in parts:
        draw_windows(folder)
    if "overlay" in parts:
        draw_overlay(folder)
    if "page" in parts:
        asyncio.run(draw_page(folder))
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


def draw_windows(folder: Path) -> None:
    """Each window as itself, under a window manager, in a program of each scheme and scale."""
    for scale in SCALES:
        with open_screen(width=WIDTH * scale, height=1100 * scale, tray=False) as screen:
            for colours in COLOURS:
                env = {**screen.env, "QT_SCALE_FACTOR": str(scale), "SEEDSHOT_COLORS": colours}
                command = [sys.executable, "-m", "tests.support.gallery_windows", str(folder), f"{colours}-{scale}x"]
                subprocess.run(command, env=env, cwd=ROOT, check=True, timeout=120)


def draw_overlay(folder: Path) -> None:
    """The real overlay over a picture of a desktop, as the screen shows it."""
    for scale in SCALES:
        with open_screen(width=WIDTH * scale, height=HEIGHT * scale, tray=False) as screen:
            person = Person(screen)
            size = (WIDTH * scale * 3 // 4, HEIGHT * scale * 3 // 4)
            with shown_picture(person, _wallpaper(*size), 100 * scale, 60 * scale):
                with open_overlay(person, QT_SCALE_FACTOR=str(scale)) as overlay:
                    _walk(overlay, folder, scale)


def _walk(overlay: Overlay, folder: Path, scale: int) -> None:
    """Through every state: words for xdotool, in logical pixels, and the name of what is seen then."""
    states: tuple[tuple[str, str], ...] = (
        ("before", "mousemove 640 400"),
        ("before-at-a-corner", "mousemove 1277 797"),
        ("selecting", "mousemove 300 200 mousedown 1 mousemove 500 300 mousemove 800 520"),
        ("adjusting", "keydown ctrl mouseup 1 keyup ctrl"),
        ("over-the-button", "mousemove 770 545"),
    )
    overlay.open()
    for name, words in states:
        _act(overlay, words, scale)
        _save(overlay, folder / f"overlay-{name}-{scale}x.png")
    overlay.do("key", "Escape")
    overlay.answer()
    for name, corner in _CORNERS.items():
        overlay.open()
        _act(overlay, corner, scale)
        _save(overlay, folder / f"overlay-edge-{name}-{scale}x.png")
        _act(overlay, "keydown ctrl mouseup 1 keyup ctrl", scale)
        _save(overlay, folder / f"overlay-edge-{name}-adjusting-{scale}x.png")
        overlay.do("key", "Escape")
        overlay.answer()


_CORNERS = {
    "upper-left": "mousemove 30 20 mousedown 1 mousemove 10 10 mousemove 0 0",
    "lower-right": "mousemove 1250 780 mousedown 1 mousemove 1270 790 mousemove 1279 799",
    "all": "mousemove 0 0 mousedown 1 mousemove 600 500 mousemove 1279 799",
    "small": "mousemove 640 400 mousedown 1 mousemove 645 402 mousemove 651 411",
}


def _act(overlay: Overlay, words: str, scale: int) -> None:
    """Run xdotool with every place in physical pixels, and wait until the screen shows something else."""
    parts, scaled, left = words.split(), [], 0
    for before, part in zip(["", *parts], parts, strict=False):
        left = 2 if before == "mousemove" else max(0, left - 1)
        scaled.append(str(int(part) * scale) if left else part)
    seen = overlay.person.look().tobytes()
    overlay.do(*scaled)
    with contextlib.suppress(TooLateError):  # some words change nothing, such as a pointer over the button
        wait_until(lambda: overlay.person.look().tobytes() != seen, "another picture", 1.0)


def _save(overlay: Overlay, path: Path) -> None:
    """The screen, once two looks at it see the same."""
    seen = [overlay.person.look()]

    def still() -> bool:
        seen.append(overlay.person.look())
        return seen[-1].tobytes() == seen.pop(0).tobytes()

    wait_until(still, "a picture that stands still")
    seen[-1].save(path)


def _wallpaper(width: int, height: int) -> Image.Image:
    """Bright and dark parts, so that the overlay is seen on both."""
    picture = Image.new("RGB", (width, height), "#f2f4f7")
    picture.paste("#20242c", (0, 0, width // 2, height // 2))
    picture.paste(Image.linear_gradient("L").resize((width // 2, height // 2)), (width // 2, height // 2))
    return picture


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
