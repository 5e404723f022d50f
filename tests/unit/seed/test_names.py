"""Names and media types that viewers are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.seed.names import MAX_NAME_BYTES, OPAQUE, safe_media_type, safe_name


@pytest.mark.parametrize(
    ("given_name", "told"),
    [
        ("Screenshot.png", "Screenshot.png"),
        ("Überweisung 図 👩‍💻.pdf", "Überweisung 図 👩‍💻.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("C:\\Users\\a.txt", "C__Users_a.txt"),
        ("a\nb\x00c\u2028d.png", "abcd.png"),
        ("gnp.\u202eexe", "gnp.exe"),
        ("\ud800.png", ".png"),
        ("  padded . ", "padded"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("console.txt", "console.txt"),
        ("...", "file"),
        ("", "file"),
        ("\u200b", "file"),
        (".profile", ".profile"),
        ('<img src=x onerror="a">', "_img src=x onerror=_a__"),
    ],
)
def test_names_do_no_harm(given_name: str, told: str) -> None:
    assert safe_name(given_name) == told


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("ü" * 300 + ".tar")
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert name.endswith("ü.tar")


@given(st.text(max_size=80) | st.text(max_size=20).map(lambda text: text * 30))
def test_any_name_is_one_file_name(name: str) -> None:
    told = safe_name(name)
    assert 0 < len(told.encode()) <= MAX_NAME_BYTES
    assert not set(told) & set('/\\:*?"<>|\0\n\r')
    assert told not in {".", ".."}
    assert safe_name(told) == told


@pytest.mark.parametrize(
    ("media_type", "name", "told"),
    [
        ("image/png", "a", "image/png"),
        ("", "a.webp", "image/webp"),
        ("", "a.mp4", "video/mp4"),
        ("", "a.pdf", "application/pdf"),
        ("", "a.csv", "text/plain"),
        ("", "a.html", OPAQUE),
        ("", "a.svg", OPAQUE),
        ("", "a.js", OPAQUE),
        ("", "a.xhtml", OPAQUE),
        ("text/html; charset=utf-8", "a.png", OPAQUE),
        ("IMAGE/SVG+XML", "a.png", OPAQUE),
        ("", "a.tar.gz", "application/gzip"),
        ("", "a.png.bz2", OPAQUE),
        ("", "nothing", OPAQUE),
        ("image/png\r\nX: y", "a", OPAQUE),
        ("image/" + "x" * 100, "a", OPAQUE),
    ],
)
def test_media_types_run_nothing(media_type: str, name: str, told: str) -> None:
    assert safe_media_type(media_type, name) == told
