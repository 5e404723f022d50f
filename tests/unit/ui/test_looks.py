"""Colours that can be read, icons that exist, pictures that fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage

from seedshot_desktop.ui import icons, pictures, theme
from tests.support.qt import application, picture

ROOT = Path(__file__).parent.parent.parent.parent
NAMES = sorted(path.stem for path in (ROOT / "resources" / "icons").glob("*.svg"))


@pytest.fixture(autouse=True, scope="module")
def _application() -> None:
    application()


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground_that_it_stands_on(colours: theme.Tokens) -> None:
    grounds = (colours.window, colours.base, colours.hover, colours.selected)
    pairs = [(text, ground) for text in (colours.text, colours.muted) for ground in grounds]
    pairs += [(colours.live, ground) for ground in (colours.base, colours.selected, colours.hover)]
    pairs += [(colours.danger, colours.base), (colours.danger, colours.danger_ground), (colours.danger, colours.window)]
    pairs += [(colours.warning, colours.warning_ground), (colours.on_accent, colours.accent)]
    pairs += [(colours.faint, colours.base)]
    pairs += [(colours.on_accent, colours.accent_hover)]
    poor = {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5}
    assert not poor


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_a_bar_differs_from_its_track(colours: theme.Tokens) -> None:
    assert contrast(colours.accent, colours.track) >= 3


def test_the_environment_names_the_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, colours in (("light", theme.LIGHT), ("dark", theme.DARK)):
        monkeypatch.setenv("SEEDSHOT_COLORS", name)
        assert theme.tokens() is colours


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_is_drawn_sharp_at_every_scale(name: str) -> None:
    for side, ratio in ((16, 1.0), (22, 1.0), (20, 1.5), (24, 2.0)):
        drawn = icons.pixmap(name, "#ff0000", side, ratio)
        assert drawn.size() == QSize(round(side * ratio), round(side * ratio))
        assert visible(drawn.toImage()) > 0.03


def visible(image: QImage) -> float:
    """The part of the picture that is not transparent."""
    points = [(x, y) for x in range(image.width()) for y in range(image.height())]
    return sum(image.pixelColor(x, y).alpha() > 64 for x, y in points) / len(points)


def test_line_icons_take_the_colour_that_they_are_given() -> None:
    image = icons.pixmap("copy", "#ff0000", 32, 1.0).toImage()
    seen = {image.pixelColor(x, y).name() for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() > 250}
    assert seen == {"#ff0000"}


def test_a_wide_icon_keeps_its_shape_and_leaves_a_gap() -> None:
    drawn = icons.icon("screen", "#000000").pixmap(QSize(22, 18), 2.0).toImage()
    assert drawn.size() == QSize(44, 36)
    assert not any(drawn.pixelColor(x, y).alpha() for x in range(36, 44) for y in range(36))


def test_icons_bring_no_code_and_fetch_nothing() -> None:
    for name in NAMES:
        source = icons.path(name).read_text("utf-8")
        assert not re.search(r"<script|href|url\((?!#)|@import", source), name


@pytest.mark.parametrize(("width", "height"), [(1600, 100), (100, 1600), (640, 400), (3, 3)])
def test_thumbnails_fit_their_place_at_any_shape(width: int, height: int) -> None:
    data = picture(width, height)
    square, whole = pictures.rounded(data, 48, 2.0), pictures.fitted(data, 200, 132, 2.0)
    assert square.size() == QSize(96, 96)
    assert whole.deviceIndependentSize().width() <= 200
    assert whole.deviceIndependentSize().height() <= 132
    assert square.toImage().pixelColor(48, 48) == QColor("#3366cc")


def test_what_is_no_picture_is_an_empty_place() -> None:
    assert visible(pictures.rounded(b"not a picture", 16).toImage()) == 0


def test_thumbnails_of_files(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(picture(2000, 1000))
    (tmp_path / "small").write_bytes(picture(30, 20))
    (tmp_path / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (tmp_path / "text.png").write_text("no picture at all")
    sizes = {path.name: QImage.fromData(pictures.thumbnail_of(str(path))).size() for path in tmp_path.iterdir()}
    assert sizes["large.png"] == QSize(640, 320)
    assert sizes["small"] == QSize(30, 20)
    assert sizes["drawing.svg"].isEmpty()
    assert sizes["text.png"].isEmpty()
    assert pictures.thumbnail_of(str(tmp_path / "missing.png")) == b""
