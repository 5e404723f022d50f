"""The person's story: press, select, share, copy. One coroutine tells it; a second one shares files.

The link is minted and on the clipboard before anything is encoded or sent:
whoever pastes it at once has it, and a viewer who opens it at once waits inside
the page until the picture is ready.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QCursor, QGuiApplication

from seedshot_desktop import settings
from seedshot_desktop.commands.inputs import disk_files
from seedshot_desktop.errors import CaptureError, EngineError, ShareError
from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import (
    DiskFile,
    FileStatus,
    Keys,
    Limits,
    MemoryFile,
    Provide,
    Seed,
)
from seedshot_desktop.settings import Settings
from seedshot_desktop.ui import pictures, words
from seedshot_desktop.ui.book import Book
from seedshot_desktop.ui.bridge import EngineBridge
from seedshot_desktop.ui.desktop_notes import Notice
from seedshot_desktop.ui.selector import FrozenScreen, Selection, Selector
from seedshot_desktop.ui.selector_screens import match_screens

if TYPE_CHECKING:
    from seedshot_desktop.capture import Backend, Frame

_ENGINE_WITHIN_S = 15.0
"""How long the first link may wait for the engine to say where links lead."""

Notify = Callable[[Notice], None]


@dataclass(frozen=True)
class Shared:
    """What became of a capture or of files."""

    share: str
    link: str
    saved: str = ""
    """The file that the picture was written to as well."""


class Story:
    """Shares what the person chooses. `changed` is called when the book has something new to draw."""

    def __init__(
        self,
        *,
        bridge: EngineBridge,
        book: Book,
        selector: Selector,
        wishes: Callable[[], Settings],
        notify: Notify,
        changed: Callable[[], None],
    ) -> None:
        self._bridge, self._book, self._selector = bridge, book, selector
        self._wishes, self._notify, self._changed = wishes, notify, changed
        self._backend: Backend | None = None
        self._opening = asyncio.Lock()
        self._engine_known = asyncio.Event()

    @property
    def capturing(self) -> bool:
        """Whether the overlay is open."""
        return self._selector.open

    async def warm_up(self) -> None:
        """Load what the first capture would otherwise wait for."""
        await self._screen_backend()
        self._selector.warm_up()
        await asyncio.to_thread(link.mint)

    def engine_known(self) -> None:
        """The engine has said where links lead."""
        self._engine_known.set()

    def close(self) -> None:
        """Leave the overlay, let go of the screen."""
        self._selector.cancel()
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    async def capture(self, mode: str, save: str | None = None) -> Shared | None:
        """Press, select, share, copy; None where the person leaves. Raises SeedshotError."""
        if self.capturing:
            return None
        backend = await self._screen_backend()
        try:
            return await self._capture(backend, mode, save)
        finally:
            self._selector.wipe()
            await asyncio.to_thread(backend.wipe)

    async def _capture(self, backend: Backend, mode: str, save: str | None) -> Shared | None:
        frames = await asyncio.to_thread(backend.grab)
        frozen = [_freeze(frame) for frame in frames]
        chosen = await self._selector.ask(frozen) if mode == "region" else _without_asking(mode, frozen)
        if chosen is None:
            return None

        keys, url = await self._mint_and_copy()
        label = words.tr("Screenshot {}").format(time.strftime("%H:%M"))
        limits = self._seed(keys, url, label, files=None)

        piece = await asyncio.to_thread(_cut, frames, chosen)
        encoding = asyncio.create_task(asyncio.to_thread(_encode, piece), name="encode")
        thumbnail = await asyncio.to_thread(_thumbnail, piece)
        self._book.set_thumbnail(keys.share, thumbnail)
        self._changed()
        self._tell_copied(keys.share, limits, thumbnail)
        try:
            self._provide(keys.share, await encoding)
        except CaptureError:
            self._give_up(keys.share)
            raise
        saved = await asyncio.to_thread(_save, piece, save) if save else ""
        return Shared(keys.share, url, saved)

    async def obstacle(self, paths: Sequence[str]) -> str:
        """Why the files at `paths` cannot be shared, in a sentence; "" where they can."""
        try:
            await asyncio.to_thread(disk_files, paths)
        except ShareError as error:
            return str(error)
        return ""

    async def share_files(self, paths: Sequence[str], limits: Limits | None = None) -> Shared:
        """Share files from disk, and copy their link; raises SeedshotError."""
        files = await asyncio.to_thread(disk_files, paths)
        keys, url = await self._mint_and_copy()
        label = files[0].name if len(files) == 1 else words.tr("%n files", len(files))
        limits = self._seed(keys, url, label, files=files, limits=limits)
        thumbnail = await asyncio.to_thread(pictures.thumbnail_of, files[0].path)
        self._book.set_thumbnail(keys.share, thumbnail)
        self._changed()
        self._tell_copied(keys.share, limits, thumbnail)
        return Shared(keys.share, url)

    async def _screen_backend(self) -> Backend:
        """The way to the pixels, opened once."""
        async with self._opening:
            if self._backend is None:
                self._backend = await asyncio.to_thread(_open_backend)
            return self._backend

    async def _mint_and_copy(self) -> tuple[link.ShareKeys, str]:
        """New keys, their link on the clipboard."""
        if not self._book.base_url:
            await self._first_base_url()
        keys = link.mint()
        url = str(keys.link(self._book.base_url))
        QGuiApplication.clipboard().setText(url)
        return keys, url

    async def _first_base_url(self) -> None:
        """In the first second after the start the engine is still looking for its port."""
        try:
            await asyncio.wait_for(self._engine_known.wait(), _ENGINE_WITHIN_S)
        except TimeoutError as error:
            problem = self._book.overview().problem
            raise EngineError(f"Nothing can be shared: the seeding engine does not start. {problem}".strip()) from error

    def _seed(
        self,
        keys: link.ShareKeys,
        url: str,
        label: str,
        *,
        files: tuple[DiskFile, ...] | None,
        limits: Limits | None = None,
    ) -> Limits:
        """Hand the share to the engine and list it; the limits that it got."""
        limits = limits if limits is not None else settings.limits(self._wishes())
        sent = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
        self._bridge.send(Seed(sent, label, limits, files))
        listed = tuple(FileStatus(file.name, 0, file.media_type) for file in files or ())
        self._book.add(keys.share, link=url, label=label, limits=limits, now=time.time(), files=listed)
        self._changed()
        return limits

    def _provide(self, share: str, file: MemoryFile) -> None:
        """The picture is ready; nobody wants it where the share was revoked meanwhile."""
        if self._book.lives(share):
            self._bridge.send(Provide(share, (file,)))

    def _give_up(self, share: str) -> None:
        """There is no picture to wait for; nobody took it back, and the pages say so."""
        self._bridge.send(Provide(share, ()))
        self._book.revoking(share)
        self._changed()

    def _tell_copied(self, share: str, limits: Limits, thumbnail: bytes) -> None:
        if self._book.overview().problem:
            text = words.tr("It will work as soon as the server is back.")
        elif limits.expires_s is not None:
            text = words.tr("Paste it anywhere. It ends in {}.").format(words.remaining(limits.expires_s))
        else:
            text = words.tr("Paste it anywhere. It works until you revoke it or quit.")
        if self._book.lives(share):
            self._notify(Notice(words.tr("Link copied"), text, thumbnail, share))


def _open_backend() -> Backend:
    """In a thread: Pillow and the system's graphics libraries take their time."""
    from seedshot_desktop.capture import encode, open_backend  # noqa: F401, PLC0415 - the encoder is wanted soon

    return open_backend()


def _freeze(frame: Frame) -> FrozenScreen:
    monitor = frame.monitor
    return FrozenScreen(monitor.name, monitor.x, monitor.y, monitor.width, monitor.height, frame.pixels)


def _without_asking(mode: str, frozen: Sequence[FrozenScreen]) -> Selection:
    """The monitor under the pointer, or with ``all`` every one."""
    if mode == "screen":
        under = QGuiApplication.screenAt(QCursor.pos())
        pairs = match_screens(frozen, QGuiApplication.screens())
        frozen = [screen for screen, shown in pairs if shown is under] or frozen[:1]
    left, top = min(screen.x for screen in frozen), min(screen.y for screen in frozen)
    right, bottom = max(screen.box.right for screen in frozen), max(screen.box.bottom for screen in frozen)
    return Selection(left, top, right - left, bottom - top)


def _cut(frames: Sequence[Frame], chosen: Selection) -> Frame:
    from seedshot_desktop.capture import Region, cut  # noqa: PLC0415 - Pillow

    return cut(frames, Region(chosen.x, chosen.y, chosen.width, chosen.height))


def _encode(piece: Frame) -> MemoryFile:
    """The picture as it is served; its name is what a viewer's computer saves it under."""
    from seedshot_desktop.capture.encode import encode_picture  # noqa: PLC0415 - Pillow

    picture = encode_picture(piece)
    taken = datetime.datetime.now().strftime("%Y-%m-%d %H.%M.%S")
    return MemoryFile(f"Screenshot {taken}.{picture.media_type.partition('/')[2]}", picture.media_type, picture.data)


def _thumbnail(piece: Frame) -> bytes:
    from seedshot_desktop.capture.encode import thumbnail  # noqa: PLC0415 - Pillow

    return thumbnail(piece, pictures.THUMBNAIL_BOX)


def _save(piece: Frame, name: str) -> str:
    """Write the picture where the person asked for it; raises CaptureError."""
    path = Path(name)
    kinds: dict[str, dict[str, Any]] = {".png": {"format": "PNG"}, ".webp": {"format": "WEBP", "lossless": True}}
    options = kinds.get(path.suffix.lower())
    if options is None:
        raise CaptureError(f"The picture was not saved: {path.name} must end in .png or .webp. Its link is copied.")
    try:
        piece.image().save(path, **options)
    except OSError as error:
        raise CaptureError(f"The picture was not saved: {error.strerror or error}. Its link is copied.") from error
    return str(path)
