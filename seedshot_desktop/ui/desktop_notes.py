"""Notices that the desktop shows, over D-Bus (freedesktop.org, Desktop Notifications Specification 1.2).

Qt's own carry no picture, lead nowhere when they are clicked, cannot be taken
back, and on some desktops put what they show into a file first.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from PySide6.QtGui import QImage

from seedshot_desktop.ui import icons, pictures
from seedshot_desktop.ui.notes_service import NotesService

T = TypeVar("T")

_PROGRAM, _DESKTOP_FILE = "Seedshot", "seedshot-desktop"
_SHOWN_MS = 5000
PICTURE = (256, 160)
"""Logical pixels, at most."""
_ANSWER_S = 2.0
_FAREWELL_S = 0.5


@dataclass(frozen=True)
class Notice:
    """A sentence or two for somebody who looks elsewhere."""

    title: str
    text: str
    thumbnail: bytes = field(default=b"", repr=False)
    """PNG, or b""."""
    share: str = ""
    """The share that it is about; the notice goes when that ends."""


class DesktopNotes:
    """Shows notices in order; one about a share takes the place of the last one about a share.

    Tasks carry the wishes out, so nothing here waits. Call it on the thread
    of a running asyncio loop.
    """

    def __init__(self, clicked: Callable[[], None], failed: Callable[[Notice], None]) -> None:
        """`failed` gets each notice that the desktop did not take, also one that it did not take in time."""
        self._clicked, self._failed = clicked, failed
        self._service = NotesService(self._hear, self._renew)
        self._wishes: deque[Notice | None] = deque()
        """What is to be shown; None takes back what tells of a share."""
        self._worker: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[Any]] = set()
        """Questions that the service may yet answer."""
        self._shown: set[int] = set()
        self._early: list[tuple[str, int]] = []
        """Signals about numbers that we do not know, while the answer with the next number is on its way."""
        self._asking = False
        self._about_share = 0
        """The number of the notice that tells of a share; 0 while there is none."""

    def show(self, notice: Notice) -> None:
        """Show it soon."""
        if notice.share:
            self._drop_waiting()
        self._wish(notice)

    def take_back(self) -> None:
        """The share that the last notice told of has ended."""
        self._drop_waiting()
        if self._worker is not None:
            self._wish(None)

    async def close(self) -> None:
        """Take back what tells of a share, and go."""
        if self._worker is None:
            return
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        self._worker = None
        self._take_back()
        with contextlib.suppress(TimeoutError):  # whatever is wrong with the desktop, the app ends
            async with asyncio.timeout(_FAREWELL_S):
                while self._calls:
                    await asyncio.wait(self._calls)
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        self._service.disconnect()

    def _drop_waiting(self) -> None:
        """What waits to be said of a share is out of date."""
        self._wishes = deque(wish for wish in self._wishes if wish is None or not wish.share)

    def _wish(self, wish: Notice | None) -> None:
        self._wishes.append(wish)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="desktop notes")

    async def _work(self) -> None:
        while self._wishes:
            wish = self._wishes.popleft()
            if wish is None:
                self._take_back()
                continue
            try:
                await self._show(wish)
            except TimeoutError:  # it would not answer those who wait either
                self._fail(wish, *filter(None, self._wishes))
                self._wishes = deque(wish for wish in self._wishes if wish is None)
            except Exception:  # no bus, no service, a service that answers nonsense
                self._fail(wish)

    def _fail(self, *notices: Notice) -> None:
        for notice in notices:
            self._failed(notice)

    async def _show(self, notice: Notice) -> None:
        async with asyncio.timeout(_ANSWER_S):
            await self._service.ready()
        replaced = self._about_share if notice.share else 0
        text = html.escape(notice.text, quote=False) if self._service.markup else notice.text
        hints = self._hints(notice)
        icon = icons.path("seedshot").as_uri()
        arguments = [_PROGRAM, replaced, icon, notice.title, text, ["default", _PROGRAM], hints, _SHOWN_MS]
        self._asking = True
        try:
            (number,) = await self._in_time(self._call("Notify", "susssasa{sv}i", *arguments))
            self._shown.add(number)
            if notice.share:
                self._about_share = number
        finally:
            self._asking = False
            early, self._early = self._early, []
        for member, about in early:
            self._hear(member, about)

    def _hints(self, notice: Notice) -> dict[str, Any]:
        from dbus_fast import Variant  # noqa: PLC0415 - loaded by then

        hints = {"desktop-entry": Variant("s", _DESKTOP_FILE), "urgency": Variant("y", 1)}
        if notice.share:
            hints["transient"] = Variant("b", True)
        if notice.thumbnail:
            hints["image-data"] = Variant("(iiibiiay)", _raw(notice.thumbnail))
        return hints

    def _take_back(self) -> None:
        number, self._about_share = self._about_share, 0
        if number in self._shown:
            self._close_note(number)

    def _close_note(self, number: int) -> None:
        self._shown.discard(number)
        self._call("CloseNotification", "u", number)

    def _call(self, member: str, signature: str, *arguments: Any) -> asyncio.Task[list[Any]]:
        """Ask now; the task ends with the answer."""
        return self._keep(self._service.ask(member, signature, *arguments), member)

    def _keep(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody need ask for it
        return task

    async def _in_time(self, notify: asyncio.Task[list[Any]]) -> list[Any]:
        """Its answer; raises TimeoutError. A notice whose number comes later than that is taken back then."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                await asyncio.wait({notify})
        except (TimeoutError, asyncio.CancelledError):
            self._keep(self._take_back_late(notify), "a late answer")
            raise
        return notify.result()

    async def _take_back_late(self, notify: asyncio.Task[list[Any]]) -> None:
        (number,) = await notify
        if number == self._about_share:  # it took that one's place
            self._about_share = 0
        self._close_note(number)

    def _renew(self) -> None:
        """Another program shows notices from now on, or none."""
        self._shown.clear()
        self._early.clear()
        self._about_share = 0

    def _hear(self, member: str, number: int) -> None:
        """Signals of the service, about everybody's notices.

        A click on ours may be read before its number is known, together with the answer or even ahead of it.
        """
        if number not in self._shown:
            if self._asking:
                self._early.append((member, number))
            return
        if member == "ActionInvoked":
            self._clicked()
        elif member == "NotificationClosed":
            self._shown.discard(number)


def _raw(thumbnail: bytes) -> list[Any]:
    """Width, height, bytes a line, with alpha, bits a sample, samples a pixel, the pixels."""
    image = pictures.fitted(thumbnail, *PICTURE, radius=0.0).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    return [image.width(), image.height(), image.bytesPerLine(), True, 8, 4, bytes(image.constBits())]
