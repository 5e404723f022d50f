"""The engine dies in the middle of a download and the app starts it again: the viewer ends with one version, whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from seedshot_desktop.seed import link as links
from seedshot_desktop.seed.messages import DiskFile, EngineOptions, Event, File, Keys, MemoryFile, Seed, Shared
from seedshot_desktop.seed.transfer import Manifest
from seedshot_desktop.ui.bridge import EngineBridge
from signal_server.server import ServerConfig, SignalServer
from tests.support.expectations import LogWatch
from tests.support.owner import content
from tests.support.qt import qt_loop
from tests.support.viewer import Viewer
from tests.support.waiting import until

SIZE = 12_000_000
BEGINNING = 300_000
OLD = content(SIZE)
NEW = OLD[::-1]
"""As long, and with other bytes nearly everywhere."""
BINARY = "application/octet-stream"


class Page:
    """A viewer who calls again and goes on as the page does: where all that is said of the file is as it was."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._manifest: Manifest | None = None
        self.held = b""
        self.received = 0
        """Bytes of the last call."""

    async def call(self, until_byte: int, then: Callable[[], None] = lambda: None) -> None:
        """Call, have so many bytes, do what comes `then`, and lose the connection."""
        async with Viewer(self._link) as viewer:
            manifest = await viewer.files()
            if manifest != self._manifest:
                self._manifest, self.held = manifest, b""
            viewer.bodies[0][:] = self.held
            await viewer.fetch(offset=len(self.held), until=until_byte)
            then()
        self.held, self.received = bytes(viewer.bodies[0]), viewer.payload_bytes


async def interrupted(
    shared: File, first: int, meanwhile: Callable[[], None], server: SignalServer, bridge: EngineBridge
) -> tuple[bytes, Page]:
    """What a page held when the engine was killed, `first` bytes or more; and the page with all that the next has."""
    events: list[Event] = []
    bridge.heard.connect(events.append)
    keys = links.mint()
    wire = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
    page = Page(str(keys.link(f"http://127.0.0.1:{server.address[1]}")))

    def kill() -> None:
        assert bridge.process_id
        os.kill(bridge.process_id, signal.SIGKILL)
        meanwhile()  # before the loop goes on, and with it the bridge

    bridge.start()
    bridge.send(Seed(wire, "a file", files=(shared,)))
    await until(lambda: events.count(Shared(keys.share)) == 1, "the share")
    await page.call(first, kill)
    held = page.held
    assert held == OLD[: len(held)]
    await until(lambda: events.count(Shared(keys.share)) == 2, "the share again")
    await page.call(SIZE)
    return held, page


def story(shared: File, first: int = BEGINNING, meanwhile: Callable[[], None] = lambda: None) -> tuple[bytes, Page]:
    """As `interrupted`, with a server that lives on."""
    with qt_loop() as run:
        server = SignalServer(ServerConfig(host="127.0.0.1", port=0))
        run(server.start())
        bridge = EngineBridge(EngineOptions(server_url=f"http://127.0.0.1:{server.address[1]}"))
        try:
            told: tuple[bytes, Page] = run(interrupted(shared, first, meanwhile, server, bridge))
            return told
        finally:
            run(bridge.stop())
            run(server.close())


@pytest.fixture
def path(tmp_path: Path, expected_log: LogWatch) -> Path:
    """A file on disk, shared in an engine that is going to die."""
    expected_log.expect("the engine ended by itself")
    path = tmp_path / "report.bin"
    path.write_bytes(OLD)
    return path


def rewrite(path: Path) -> None:
    path.write_bytes(NEW)


def replace(path: Path) -> None:
    """Another file with the same size and time takes the place."""
    status = path.stat()
    other = path.with_name("other")
    other.write_bytes(NEW)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(other, path)


@pytest.mark.parametrize("change", [rewrite, replace])
def test_a_file_that_changed_meanwhile_is_had_anew_and_never_mixed(path: Path, change: Callable[[Path], None]) -> None:
    held, page = story(DiskFile("report.bin", BINARY, str(path)), meanwhile=lambda: change(path))
    assert BEGINNING <= len(held) < SIZE, "in the middle"
    assert page.held == NEW
    assert page.received == SIZE


def test_who_held_all_of_the_old_file_is_not_taken_to_hold_the_new_one(path: Path) -> None:
    held, page = story(DiskFile("report.bin", BINARY, str(path)), SIZE, lambda: rewrite(path))
    assert held == OLD
    assert page.held == NEW


@pytest.mark.parametrize("where", ["disk", "memory"])
def test_a_file_that_is_the_same_goes_on_where_it_was(path: Path, where: str) -> None:
    on_disk = where == "disk"
    shared = DiskFile("report.bin", BINARY, str(path)) if on_disk else MemoryFile("report.bin", BINARY, OLD)
    held, page = story(shared)
    assert BEGINNING <= len(held) < SIZE, "in the middle"
    assert page.held == OLD
    assert page.received == SIZE - len(held), "nothing twice"
