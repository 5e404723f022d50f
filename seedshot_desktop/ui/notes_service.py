"""The connection to the service that shows notices: D-Bus, its answers, and the signals that are its own."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

SERVICE, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_DAEMON, _DAEMON_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_RULES = (
    f"type='signal',sender='{SERVICE}',interface='{SERVICE}',path='{PATH}'",
    f"type='signal',sender='{_DAEMON}',interface='{_DAEMON}',member='NameOwnerChanged',arg0='{SERVICE}'",
)


class NotesService:
    """One program after the other may be the service: each has its own abilities and its own numbers."""

    def __init__(self, heard: Callable[[str, int], None], renewed: Callable[[], None]) -> None:
        """`heard` gets a signal's name and the number of the notice; `renewed`: every number is void."""
        self._heard, self._renewed = heard, renewed
        self._bus: MessageBus | None = None
        self._owner = ""
        """The connection of the program that is the service now; "" until it has told its abilities."""
        self._markup = False

    @property
    def markup(self) -> bool:
        """Whether it takes a notice's text for markup."""
        return self._markup

    async def ready(self) -> None:
        """Be connected, and know what the service can do; raises whatever is wrong. Call it before each notice.

        Cancelled, it leaves nothing half made.
        """
        if self._bus is None or not self._bus.connected:
            self._forget()
            self._bus = await self._connected()
        if not self._owner:
            answer = await self._ask(self._bus, "GetCapabilities")
            self._markup = "body-markup" in answer.body[0]
            self._owner = answer.sender or ""

    async def ask(self, member: str, signature: str, *arguments: Any) -> list[Any]:
        """What the service answers, whenever it does; raises RuntimeError.

        An answer counts only while the program that gave it is still the service.
        """
        if self._bus is None:
            raise RuntimeError(member)
        answer = await self._ask(self._bus, member, signature, *arguments)
        if answer.sender != self._owner:
            raise RuntimeError(f"{member}: answered by a service that has gone")
        return answer.body

    def disconnect(self) -> None:
        """Go; open questions fail."""
        if self._bus is not None:
            self._bus.disconnect()

    async def _connected(self) -> MessageBus:
        """A connection that hears the service. The library is loaded in a thread."""
        await asyncio.to_thread(importlib.import_module, "dbus_fast.aio")
        from dbus_fast.aio import MessageBus  # noqa: PLC0415

        bus = MessageBus()
        try:
            await bus.connect()
            bus.add_message_handler(self._hear)
            for rule in _RULES:
                await self._ask(bus, "AddMatch", "s", rule, service=_DAEMON, path=_DAEMON_PATH)
        except BaseException:
            bus.disconnect()
            raise
        return bus

    async def _ask(
        self,
        bus: MessageBus,
        member: str,
        signature: str = "",
        *arguments: Any,
        service: str = SERVICE,
        path: str = PATH,
    ) -> Message:
        from dbus_fast import Message, MessageType  # noqa: PLC0415 - loaded by then

        answer = await bus.call(Message(service, path, service, member, signature=signature, body=list(arguments)))
        if answer.message_type is not MessageType.METHOD_RETURN:
            raise RuntimeError(member)
        return answer

    def _hear(self, message: Message) -> None:
        """Whoever is on the bus can send us a signal that looks like the service's, so its sender counts."""
        if message.sender == _DAEMON and message.member == "NameOwnerChanged" and message.body[:1] == [SERVICE]:
            self._forget()
        elif message.interface == SERVICE and message.sender == self._owner and message.body:
            self._heard(message.member or "", message.body[0])

    def _forget(self) -> None:
        self._owner, self._markup = "", False
        self._renewed()
