"""Files that are dragged onto a window."""

from __future__ import annotations

from PySide6.QtCore import QMimeData


def dropped_files(data: QMimeData) -> list[str]:
    """The absolute paths in a drag; empty where it is something else, or of another computer."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
