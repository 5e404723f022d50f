"""Notices that the desktop shows, over D-Bus (freedesktop.org, Desktop Notifications Specification 1.2).

Qt's own carry no picture, lead nowhere when they are clicked, cannot be taken
back, and on some desktops put what they show into a file first.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QImage

from seedshot_desktop.ui import icons, pictures

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

SERVICE, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_PROGRAM, _DESKTOP_FILE = "Seedshot", "seedshot-desktop"
_SHOWN_MS = 5000
_PICTURE = (256, 160)
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

    A task carries the wishes out, so nothing here waits. Call it on the thread
    of a running asyncio loop.
    """

    def __init__(self, clicked: Callable[[], None], failed: Callable[[Notice], None]) -> None:
        """`failed` gets each notice that the desktop did not take."""
        self._clicked, self._failed = clicked, failed
        self._wishes: asyncio.Queue[Notice | None] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._bus: MessageBus | None = None
        self._markup = False
        self._shown: set[int] = set()
        self._early: list[Message] = []
        """Signals about numbers that we do not know, while the answer with the next number is on its way."""
        self._asking = False
        self._about_share = 0
        """The number of the notice that tells of a share; 0 while there is none."""

    def show(self, notice: Notice) -> None:
        """Show it soon."""
        self._wish(notice)

    def take_back(self) -> None:
        """The share that the last notice told of has ended."""
        if self._worker is not None:
            self._wish(None)

    async def close(self) -> None:
        """Take back what tells of a share, and go."""
        if self._worker is None:
            return
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        self._worker = None
        if self._bus is not None:
            with contextlib.suppress(Exception):  # whatever is wrong with the desktop, the app ends
                async with asyncio.timeout(_FAREWELL_S):
                    await self._take_back()
            self._bus.disconnect()

    def _wish(self, wish: Notice | None) -> None:
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="desktop notes")
        self._wishes.put_nowait(wish)

    async def _work(self) -> None:
        while True:
            wish = await self._wishes.get()
            try:
                await (self._show(wish) if wish else self._take_back())
            except Exception:  # no bus, no service, a service that answers nonsense
                if wish:
                    self._failed(wish)

    async def _show(self, notice: Notice) -> None:
        await self._connect()
        replaced = self._about_share if notice.share else 0
        text = html.escape(notice.text, quote=False) if self._markup else notice.text
        hints = self._hints(notice)
        icon = icons.path("seedshot").as_uri()
        arguments = [_PROGRAM, replaced, icon, notice.title, text, ["default", _PROGRAM], hints, _SHOWN_MS]
        self._asking = True
        try:
            (number,) = await self._ask("Notify", "susssasa{sv}i", *arguments)
            self._shown.add(number)
            if notice.share:
                self._about_share = number
        finally:
            self._asking = False
            early, self._early = self._early, []
        for message in early:
            self._hear(message)

    def _hints(self, notice: Notice) -> dict[str, Any]:
        from dbus_fast import Variant  # noqa: PLC0415 - loaded by then

        hints = {"desktop-entry": Variant("s", _DESKTOP_FILE), "urgency": Variant("y", 1)}
        if notice.share:
            hints["transient"] = Variant("b", True)
        if notice.thumbnail:
            hints["image-data"] = Variant("(iiibiiay)", _raw(notice.thumbnail))
        return hints

    async def _take_back(self) -> None:
        number, self._about_share = self._about_share, 0
        if number in self._shown:
            self._shown.discard(number)
            await self._ask("CloseNotification", "u", number)

    async def _connect(self) -> None:
        """Once; again after the bus went away. The library is loaded in a thread."""
        if self._bus is not None and self._bus.connected:
            return
        await asyncio.to_thread(importlib.import_module, "dbus_fast.aio")
        from dbus_fast.aio import MessageBus  # noqa: PLC0415

        self._shown.clear()
        self._about_share = 0
        async with asyncio.timeout(_ANSWER_S):
            self._bus = await MessageBus().connect()
        self._bus.add_message_handler(self._hear)
        rule = f"type='signal',interface='{SERVICE}',path='{PATH}'"
        await self._ask("AddMatch", "s", rule, service="org.freedesktop.DBus", path="/org/freedesktop/DBus")
        (abilities,) = await self._ask("GetCapabilities", "")
        self._markup = "body-markup" in abilities

    async def _ask(
        self, member: str, signature: str, *arguments: Any, service: str = SERVICE, path: str = PATH
    ) -> list[Any]:
        """What the service answers; raises RuntimeError or TimeoutError."""
        from dbus_fast import Message, MessageType  # noqa: PLC0415

        assert self._bus is not None
        question = Message(service, path, service, member, signature=signature, body=list(arguments))
        async with asyncio.timeout(_ANSWER_S):
            answer = await self._bus.call(question)
        if answer.message_type is not MessageType.METHOD_RETURN:
            raise RuntimeError(member)
        return answer.body

    def _hear(self, message: Message) -> None:
        """Signals of the service, about everybody's notices.

        A click on ours may be read before its number is known, together with the answer or even ahead of it.
        """
        if message.interface != SERVICE or not message.body:
            return
        if message.body[0] not in self._shown:
            if self._asking:
                self._early.append(message)
            return
        if message.member == "ActionInvoked":
            self._clicked()
        elif message.member == "NotificationClosed":
            self._shown.discard(message.body[0])


def _raw(thumbnail: bytes) -> list[Any]:
    """Width, height, bytes a line, with alpha, bits a sample, samples a pixel, the pixels."""
    image = pictures.fitted(thumbnail, *_PICTURE, radius=0.0).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    return [image.width(), image.height(), image.bytesPerLine(), True, 8, 4, bytes(image.constBits())]
