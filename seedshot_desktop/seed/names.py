"""What viewers are told of a file: a name that can do no harm, and a media type that runs nothing."""

from __future__ import annotations

import mimetypes
import re
import unicodedata

MAX_NAME_BYTES = 255
"""UTF-8 bytes of a name: what every file system takes."""
OPAQUE = "application/octet-stream"

_JOINERS = "\u200c\u200d"
"""Format marks that Persian, Indic scripts and emoji need."""
_FORBIDDEN = frozenset('/\\:*?"<>|')
"""Separators, and what Windows takes in no name."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, with any extension."""
_MEDIA_TYPE = re.compile(r"([a-z]+)/[a-z0-9][a-z0-9.+_-]{0,63}")
_HARMLESS_FAMILIES = {"image", "audio", "video", "font"}
_HARMLESS = {"application/pdf", "application/zip", "application/gzip", "application/json", "text/plain"}
_ACTIVE = {"image/svg+xml"}
_builtin = mimetypes.MimeTypes()
"""Python's own table: what the system's files say differs from machine to machine."""


def safe_name(name: str) -> str:
    """`name` as one harmless file name: no separators, controls or direction marks, never empty, never a device."""
    text = unicodedata.normalize("NFC", name)
    text = "".join("_" if mark in _FORBIDDEN else mark for mark in text if _visible(mark))
    text = text.strip().rstrip(". ")
    text = text.lstrip(".") if not text.strip(".") else text
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    return _shorten(text) or "file"


def safe_media_type(media_type: str, name: str) -> str:
    """A media type that a browser shows or saves, and never runs: the given one, or one guessed from `name`.

    Markup, scripts and everything unknown become ``application/octet-stream``,
    other text becomes ``text/plain``.
    """
    kind = media_type.partition(";")[0].strip().lower() or _guess(name)
    match = _MEDIA_TYPE.fullmatch(kind)
    if match is None or kind in _ACTIVE:
        return OPAQUE
    if kind in _HARMLESS or match[1] in _HARMLESS_FAMILIES:
        return kind
    return "text/plain" if kind in {"text/csv", "text/markdown", "text/x-python", "text/x-log"} else OPAQUE


def _guess(name: str) -> str:
    kind, encoding = _builtin.guess_type(name, strict=False)
    if encoding is not None:
        return "application/gzip" if encoding == "gzip" else OPAQUE
    return kind or OPAQUE


def _visible(mark: str) -> bool:
    return mark in _JOINERS or unicodedata.category(mark) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _shorten(text: str) -> str:
    """At most MAX_NAME_BYTES of UTF-8, cut before the extension."""
    if len(text.encode()) <= MAX_NAME_BYTES:
        return text
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension.encode()) > 32:
        stem, extension = text, ""
    tail = f"{dot}{extension}" if extension else ""
    room = MAX_NAME_BYTES - len(tail.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip() + tail
