"""An owner: the real engine on the test's loop, its events kept, and a person who shares, waits and revokes."""

from __future__ import annotations

import array
import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from seedshot_desktop.seed import addresses, link
from seedshot_desktop.seed.engine import Engine
from seedshot_desktop.seed.messages import (
    Command,
    DismissViewer,
    EngineOptions,
    EngineStarted,
    Event,
    File,
    Keys,
    Limits,
    MemoryFile,
    Provide,
    Revoke,
    Seed,
    Shared,
    ShareStatus,
    Stop,
)
from seedshot_desktop.seed.process import host_embedded_server

DEADLINE_S = 15.0
LOCAL = EngineOptions(listen_host="127.0.0.1", listen_port=0)
NO_LIMITS = Limits()
T = TypeVar("T", bound=Event)


class Shown:
    """One share of the owner."""

    def __init__(self, owner: Owner, keys: link.ShareKeys) -> None:
        self._owner = owner
        self.keys = keys
        self.id = keys.share

    @property
    def link(self) -> str:
        """The text on the clipboard."""
        return str(self.keys.link(self._owner.base_url))

    @property
    def status(self) -> ShareStatus | None:
        """As the shares window would draw it; None once it is over."""
        shares = self._owner.engine.status().shares
        return next((share for share in shares if share.share == self.id), None)

    def revoke(self) -> None:
        self._owner.engine.submit(Revoke(self.id))

    def provide(self, *files: File) -> None:
        self._owner.engine.submit(Provide(self.id, files))

    def dismiss(self, viewer: str) -> None:
        self._owner.engine.submit(DismissViewer(self.id, viewer))


class Owner:
    """``async with Owner() as owner: share = await owner.share(picture(1000))``."""

    def __init__(self, options: EngineOptions = LOCAL, *, clock: Callable[[], float] = addresses.clock) -> None:
        self.events: list[Event] = []
        self._more = asyncio.Event()
        self.engine = Engine(self._emit, options, host_server=host_embedded_server, clock=clock)
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.engine.run(), name="the owner's engine")
        await self.saw(EngineStarted)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Quit: everything is revoked, every page told."""
        self.engine.submit(Stop())
        await self.ended()

    async def kill(self) -> None:
        """Cancel the engine: nothing is waited for, nobody is told."""
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def ended(self) -> None:
        """Wait until the engine has ended."""
        assert self._running is not None
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(self._running, return_exceptions=self._running.cancelled())

    @property
    def base_url(self) -> str:
        """What links are minted with now."""
        return self.engine.status().base_url

    async def share(
        self, *files: File, limits: Limits = NO_LIMITS, ready: bool = True, keys: link.ShareKeys | None = None
    ) -> Shown:
        """Share, and wait until the link works; `ready` False: the files follow."""
        keys = keys or link.mint()
        wire = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
        self.engine.submit(Seed(wire, "a share", limits, files if ready else None))
        await self.saw(Shared, lambda event: event.share == keys.share)
        return Shown(self, keys)

    def command(self, command: Command) -> None:
        """Any command."""
        self.engine.submit(command)

    def all(self, kind: type[T]) -> list[T]:
        """Every event of that kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def saw(self, kind: type[T], where: Callable[[T], bool] = lambda _: True, *, times: int = 1) -> T:
        """Wait for the event; the last of so many."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while len(found := [event for event in self.all(kind) if where(event)]) < times:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError as error:
            raise AssertionError(f"no {kind.__name__}; saw {[type(item).__name__ for item in self.events]}") from error
        return found[times - 1]

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self._more.set()


def picture(size: int, name: str = "Screenshot.png") -> MemoryFile:
    """A file in memory whose every byte tells its place."""
    return MemoryFile(name, "image/png", content(size))


def content(size: int) -> bytes:
    """Bytes in which any shift, gap or repetition shows."""
    return array.array("I", range(size // 4 + 1)).tobytes()[:size]
