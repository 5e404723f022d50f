"""What comes before the first window: is there a display, the application object, where unforeseen errors go."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEvent, QLibraryInfo, QLocale, QtMsgType, QTranslator, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

import seedshot_desktop
from seedshot_desktop.ui import garbage, icons, theme
from seedshot_desktop.x_connection import XConnection, XError

_log = logging.getLogger(__name__)

DESKTOP_FILE = "seedshot-desktop"
"""The name of the .desktop file, by which Wayland and the portals know the app."""
_SHARE_INSTEAD = "Without one, files are shared with: seedshot share FILE"


def display_problem(environ: Mapping[str, str] = os.environ) -> str:
    """Why no window can be opened here, with what to do instead; "" where one can.

    Qt ends the process where it finds no display, so it is looked for first.
    """
    if not sys.platform.startswith("linux") or environ.get("QT_QPA_PLATFORM", "xcb").split(":")[0] not in _NEED_DISPLAY:
        return ""
    if _wayland_answers(environ):
        return ""
    if not environ.get("DISPLAY"):
        return f"There is no display here. {_SHARE_INSTEAD}"
    missing = _missing_library()
    if missing:
        return f"Qt cannot open windows here: {missing}. {_SHARE_INSTEAD}"
    if not _x_server_answers(environ["DISPLAY"]):
        return f"The display {environ['DISPLAY']} does not answer, or this user may not use it. {_SHARE_INSTEAD}"
    return ""


_NEED_DISPLAY = ("xcb", "wayland", "wayland-egl", "")


def _wayland_answers(environ: Mapping[str, str]) -> bool:
    name, folder = environ.get("WAYLAND_DISPLAY", ""), environ.get("XDG_RUNTIME_DIR", "")
    return bool(name) and (Path(folder) / name).is_socket()


def _missing_library() -> str:
    """What the loader says when Qt's X11 plugin is loaded by hand: the name of the library that is not installed."""
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    try:
        ctypes.CDLL(str(plugins / "platforms" / "libqxcb.so"))
    except OSError as error:
        library = str(error).split(":")[0]
        package = _PACKAGES.get(library.split(".so")[0], "")
        hint = f" (on Debian and Ubuntu: apt install {package})" if package else ""
        return f"the library {library} is not installed{hint}"
    return ""


_PACKAGES = {
    "libxcb-cursor": "libxcb-cursor0",
    "libxcb-icccm": "libxcb-icccm4",
    "libxcb-image": "libxcb-image0",
    "libxcb-keysyms": "libxcb-keysyms1",
    "libxcb-render-util": "libxcb-render-util0",
    "libxcb-shape": "libxcb-shape0",
    "libxcb-xkb": "libxcb-xkb1",
    "libxkbcommon-x11": "libxkbcommon-x11-0",
    "libEGL": "libegl1",
    "libGL": "libgl1",
    "libfontconfig": "libfontconfig1",
    "libdbus-1": "libdbus-1-3",
}


def _x_server_answers(display: str) -> bool:
    try:
        XConnection({}, display).close()
    except XError:
        return False
    return True


class Application(QApplication):
    """Qt's application, which says that it was asked to quit and leaves it to the app to do so in order."""

    asked_to_quit = Signal()

    def event(self, event: QEvent) -> bool:
        """The session ends, or the menu of the system said quit; Qt itself would begin to close windows."""
        if event.type() == QEvent.Type.Quit:
            self.asked_to_quit.emit()
            return True
        return super().event(event)


def application() -> Application:
    """The one application object, named and dressed; it lives on when its last window closes."""
    QApplication.setDesktopFileName(DESKTOP_FILE)
    QApplication.setApplicationName("Seedshot")  # panels name the icon by it
    QApplication.setApplicationDisplayName("Seedshot")
    QApplication.setApplicationVersion(seedshot_desktop.__version__)
    qInstallMessageHandler(_log_qt)
    made = Application(["seedshot"])
    garbage.collect_here()
    made.setQuitOnLastWindowClosed(False)
    made.setWindowIcon(icons.logo())
    _translate(made)
    theme.apply(made)
    return made


def _translate(application: QApplication) -> None:
    """Qt's own words (the file dialog's, say) in the person's language."""
    translator = QTranslator(application)
    if translator.load(QLocale(), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        application.installTranslator(translator)


def _log_qt(kind: QtMsgType, _context: object, message: str) -> None:
    """Qt's complaints go where the app's go; what Qt merely chats about does not."""
    if kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
        _log.error("Qt: %s", message)
    else:
        _log.debug("Qt: %s", message)


def catch_everything(fault: Callable[[BaseException], None], tell: Callable[[str], None]) -> None:
    """Send what nobody foresaw to `fault`, which logs it, and `tell` the person in a sentence."""

    def caught(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            fault(error)
            tell(QApplication.translate("startup", "Something went wrong that should not have. Seedshot goes on."))

    sys.excepthook = caught
