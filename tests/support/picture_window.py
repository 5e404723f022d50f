"""``python -m tests.support.picture_window FILE X Y``: another program's window, which shows a picture as it is."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPaintEvent, QRasterWindow


class PictureWindow(QRasterWindow):
    """One picture, pixel for pixel, without a frame."""

    def __init__(self, picture: QImage) -> None:
        super().__init__()
        self._picture = picture
        self.setFlags(Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint)
        self.resize(picture.size())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        with QPainter(self) as painter:
            painter.drawImage(0, 0, self._picture)


def main(path: str, x: str, y: str) -> int:
    """Show `path` at `x`, `y` until somebody ends the program."""
    app = QGuiApplication(sys.argv[:1])
    window = PictureWindow(QImage(path))
    window.setPosition(int(x), int(y))
    window.show()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
