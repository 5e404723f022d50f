"""A desktop's tray and notifications over D-Bus, as KDE, GNOME's extension and most panels have them.

The tray is freedesktop.org's StatusNotifierItem: the watcher is a service that
programs tell of their icons, the host draws what the icons' objects say, and
clicks are calls to them. An icon's menu is ``com.canonical.dbusmenu``. Here the
host draws nothing: a test reads what would be drawn, and clicks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from dbus_fast import Message, MessageType, NameFlag, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusDict, DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal
from PIL import Image as pillow
from PIL.Image import Image

from tests.support.waiting import until, within

WATCHER, WATCHER_PATH = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
ITEM, ITEM_PATH = "org.kde.StatusNotifierItem", "/StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
NOTES, NOTES_PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_CLOSED_BY_PROGRAM = 3
ABILITIES = ("body", "actions", "icon-static")

Nothing = Annotated[None, DBusSignature("")]
Strings = Annotated[list[str], DBusSignature("as")]
Closed = Annotated[tuple[int, int], DBusSignature("uu")]
Invoked = Annotated[tuple[int, str], DBusSignature("us")]


class Watcher(ServiceInterface):
    """The service that knows every icon."""

    def __init__(self, host: bool) -> None:
        super().__init__(WATCHER)
        self.items: list[str] = []
        """Bus names of the programs whose icons are shown."""
        self.asked: Literal["answers", "refuses", "hangs"] = "answers"
        """What becomes of the question whether there is a host."""
        self._host = host

    @dbus_method()
    def RegisterStatusNotifierItem(self, service: DBusStr) -> Nothing:
        """A program tells of its icon."""
        self.items.append(service)

    @dbus_property(access=PropertyAccess.READ)
    def IsStatusNotifierHostRegistered(self) -> DBusBool:
        """Whether anybody draws the icons."""
        return self._host

    @dbus_property(access=PropertyAccess.READ)
    def ProtocolVersion(self) -> DBusInt32:
        """Always 0."""
        return 0

    @dbus_signal()
    def StatusNotifierHostRegistered(self) -> Nothing:
        """Somebody draws the icons from now on."""

    @dbus_signal()
    def StatusNotifierHostUnregistered(self) -> Nothing:
        """One of those who draw them has gone."""

    def host_comes(self) -> None:
        """A panel begins to draw."""
        self._host = True
        self.StatusNotifierHostRegistered()

    def host_goes(self) -> None:
        """It ends, and this service goes on, as KDE's does."""
        self._host = False
        self.StatusNotifierHostUnregistered()

    def hear(self, message: Message) -> Message | bool:
        """Ahead of the properties: True keeps a question unanswered."""
        if message.member != "Get" or self.asked == "answers":
            return False
        return self.asked == "hangs" or Message.new_error(message, "org.freedesktop.DBus.Error.UnknownProperty", "no")


@dataclass
class Note:
    """A notification."""

    program: str
    title: str
    text: str
    image: Image | None
    """The picture that it brings."""
    actions: list[str]
    transient: bool
    """Whether no history keeps it."""


class Notes(ServiceInterface):
    """The service that shows notifications."""

    def __init__(self, abilities: Sequence[str] = ABILITIES) -> None:
        super().__init__(NOTES)
        self.abilities = list(abilities)
        self.shown: dict[int, Note] = {}
        """What is on the screen, by its number."""
        self.count = 0
        """How many there ever were."""
        self.clicked_at_once = False
        """Whether somebody clicks each before its program knows its number."""
        self.answers = asyncio.Event()
        """Cleared, it shows what it is told to, and tells nobody the number until it is set."""
        self.answers.set()

    @dbus_method()
    async def Notify(  # noqa: PLR0917 - the specification has eight
        self,
        program: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        title: DBusStr,
        text: DBusStr,
        actions: Strings,
        hints: DBusDict,
        expires_ms: DBusInt32,
    ) -> DBusUInt32:
        """Show one, in the place of another where that is named."""
        self.count += 1
        number = replaces or self.count
        image = _image(*hints["image-data"].value) if "image-data" in hints else None
        transient = "transient" in hints and hints["transient"].value
        self.shown[number] = Note(program, title, text, image, actions, transient)
        if self.clicked_at_once:
            self.ActionInvoked(number, actions[0])
        await self.answers.wait()
        return number

    @dbus_method()
    def CloseNotification(self, number: DBusUInt32) -> Nothing:
        """The program takes it back."""
        if self.shown.pop(number, None):
            self.NotificationClosed(number, _CLOSED_BY_PROGRAM)

    @dbus_method()
    def GetCapabilities(self) -> Strings:
        """What it can do."""
        return self.abilities

    @dbus_signal()
    def NotificationClosed(self, number: int, reason: int) -> Closed:
        """It is off the screen."""
        return (number, reason)

    @dbus_signal()
    def ActionInvoked(self, number: int, action: str) -> Invoked:
        """Somebody clicked it."""
        return (number, action)


@dataclass(frozen=True)
class Line:
    """A line of a menu."""

    number: int
    properties: dict[str, Any]
    lines: tuple[Line, ...]
    """Of its submenu."""

    @property
    def text(self) -> str:
        """What is read, as the specification says: _ marks a shortcut, two of them are one; "" for a separator."""
        return re.sub("_(_?)", r"\1", str(self.properties.get("label", "")))

    @property
    def visible(self) -> bool:
        """Lines are, unless they say otherwise."""
        return bool(self.properties.get("visible", True))

    @property
    def enabled(self) -> bool:
        """Lines are, unless they say otherwise."""
        return bool(self.properties.get("enabled", True))

    @property
    def icon(self) -> bytes:
        """PNG; b"" for none."""
        return bytes(self.properties.get("icon-data", b""))

    def line(self, beginning: str) -> Line:
        """The visible line whose text begins so."""
        return next(line for line in self.lines if line.visible and line.text.startswith(beginning))


class Icon:
    """A program's icon, as the host reads and clicks it."""

    def __init__(self, bus: MessageBus, service: str) -> None:
        self._bus = bus
        self.service = service
        self.changes = 0
        """How often the panel was told that lines of the menu came or went."""
        bus.add_message_handler(self._hear)

    def _hear(self, message: Message) -> None:
        self.changes += message.interface == MENU and message.member == "LayoutUpdated"

    async def look(self) -> dict[str, Any]:
        """Every property of it."""
        body = await self._call(ITEM_PATH, "org.freedesktop.DBus.Properties", "GetAll", "s", ITEM)
        return {name: value.value for name, value in body[0].items()}

    async def click(self, button: str = "Activate") -> None:
        """``Activate`` is a left click, ``SecondaryActivate`` a middle one."""
        await self._call(ITEM_PATH, ITEM, button, "ii", 0, 0)

    async def menu(self) -> Line:
        """The whole menu."""
        path = (await self.look())["Menu"]
        body = await self._call(path, MENU, "GetLayout", "iias", 0, -1, [])
        return _line(body[1])

    async def opens(self, line: int = 0) -> None:
        """The host is about to show the menu, or the submenu of that line."""
        path = (await self.look())["Menu"]
        await self._call(path, MENU, "AboutToShow", "i", line)
        await self._event(path, line, "opened")

    async def closes(self) -> None:
        """The host has closed the menu."""
        await self._event((await self.look())["Menu"], 0, "closed")

    async def choose(self, *way: str) -> None:
        """Click the line that is found by the beginnings of texts along `way`, as soon as all of them are there."""

        async def found() -> Line | None:
            line = await self.menu()
            try:
                for beginning in way:
                    line = line.line(beginning)
            except StopIteration:
                return None
            return line

        line = await until(found, f"the line {' > '.join(way)}")
        await self._event((await self.look())["Menu"], line.number, "clicked")

    async def _event(self, path: str, line: int, name: str) -> None:
        await self._call(path, MENU, "Event", "isvu", line, name, Variant("s", ""), 0)

    async def _call(self, path: str, interface: str, member: str, signature: str, *arguments: Any) -> Any:
        message = Message(self.service, path, interface, member, signature=signature, body=list(arguments))
        reply = await within(self._bus.call(message), f"the icon's answer to {member}")
        assert reply is not None
        assert reply.message_type is MessageType.METHOD_RETURN, f"{member}: {reply.body}"
        return reply.body


class TrayHost:
    """A panel and a notification service on a session bus."""

    def __init__(self, bus: MessageBus, watcher: Watcher, notes: Notes) -> None:
        self._bus = bus
        self.watcher, self.notes = watcher, notes

    async def icon(self, number: int = 1) -> Icon:
        """The icon that was told of last, as soon as `number` have been."""
        await until(lambda: len(self.watcher.items) >= number, "the icon")
        rule = Message(*_DAEMON, "AddMatch", signature="s", body=[f"type='signal',interface='{MENU}'"])
        await self._bus.call(rule)
        return Icon(self._bus, self.watcher.items[-1])

    async def goes(self) -> None:
        """The panel crashes."""
        self._bus.disconnect()
        await until(lambda: not self._bus.connected, "the end of its connection")


@asynccontextmanager
async def tray_host(
    address: str,
    *,
    host: bool = True,
    shows_notes: bool = True,
    asked: Literal["answers", "refuses", "hangs"] = "answers",
    abilities: Sequence[str] = ABILITIES,
) -> AsyncIterator[TrayHost]:
    """A panel on the bus at `address`; with `host` False the watcher is there, but nobody draws yet."""
    bus = await MessageBus(bus_address=address).connect()
    watcher, notes = Watcher(host), Notes(abilities)
    watcher.asked = asked
    bus.add_message_handler(watcher.hear)
    bus.export(WATCHER_PATH, watcher)
    bus.export(NOTES_PATH, notes)
    for name in (NOTES, WATCHER) if shows_notes else (WATCHER,):
        await bus.request_name(name, NameFlag.DO_NOT_QUEUE)
    host_ = TrayHost(bus, watcher, notes)
    try:
        yield host_
    finally:
        if bus.connected:
            await host_.goes()


def _image(  # noqa: PLR0917 - so the specification has them
    width: int, height: int, stride: int, alpha: bool, bits: int, channels: int, pixels: bytes
) -> Image:
    """The hint ``image-data``; pixels that do not fill their lines fail the test."""
    assert (bits, channels) == (8, 4 if alpha else 3)
    assert len(pixels) == stride * height
    mode = "RGBA" if alpha else "RGB"
    return pillow.frombytes(mode, (width, height), bytes(pixels), "raw", mode, stride)


def _line(layout: Any) -> Line:
    number, properties, children = layout
    plain = {name: value.value for name, value in properties.items()}
    return Line(number, plain, tuple(_line(child.value) for child in children))
