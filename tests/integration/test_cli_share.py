"""``seedshot share`` as a person and a script meet it: a real process, a real viewer, real signals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from seedshot_desktop.commands import events
from seedshot_desktop.seed import link
from seedshot_desktop.seed.addresses import default_route_address
from signal_server.protocol import Offline, Stopped
from signal_server.server import ServerConfig, SignalServer
from tests.support.command_line import LOCAL, Seedshot, seedshot
from tests.support.viewer import NotSeedingError, Viewer
from tests.support.waiting import until

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
async def sharing(tmp_path: Path, picture: Path) -> AsyncIterator[Seedshot]:
    async with seedshot(tmp_path, "share", *LOCAL, "--json", str(picture)) as command:
        yield command


def replace(path: Path) -> None:
    """Another file under the name of the first, at once: the engine may be reading, and must always find one."""
    other = path.with_name("other")
    other.write_bytes(b"something else")
    other.replace(path)


def first_lines(descriptor: int, count: int) -> list[bytes]:
    """Read `count` lines, then close the reading end."""
    with os.fdopen(descriptor, "rb") as output:
        return [output.readline() for _ in range(count)]


async def opened(text: str) -> Viewer | None:
    """A visit; None while the server does not know the share, which the page waits for by itself."""
    viewer = Viewer(text)
    try:
        await viewer.open()
    except NotSeedingError:
        await viewer.vanish()
        return None
    return viewer


async def test_the_link_is_the_first_line(tmp_path: Path, picture: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, str(picture)) as command:
        text = await command.line()
        link.parse(text)
        viewer = await until(lambda: opened(text), "the link to work")
        assert await viewer.fetch() == CONTENT
        await viewer.leave()
        command.interrupt()
        assert await command.line() == "", "standard output holds the link alone"
        assert await command.ended() == 0
        assert "Sharing picture.png (512 kB)" in await command.errors()


async def test_a_visit_is_told_from_its_beginning_to_its_end(sharing: Seedshot, picture: Path) -> None:
    shared = await sharing.event()
    assert shared["files"] == [{"name": "picture.png", "size": len(CONTENT)}]
    assert (await sharing.event("reachable"))["share"] == shared["share"]
    async with Viewer(shared["link"]) as viewer:
        assert await viewer.fetch() == CONTENT
        await sharing.event("viewed")
    left = await sharing.event("viewer_left")
    assert left["reason"] == "closed"
    assert left["held"] == left["total"] == len(CONTENT)
    sharing.interrupt()
    await sharing.rest()
    assert await sharing.ended() == 0
    order = [item["event"] for item in sharing.seen if item["event"] != "progress"]
    assert order == ["shared", "reachable", "viewer_joined", "viewed", "viewer_left", "revoked"]
    last = [item for item in sharing.seen if item["event"] == "progress"][-1]
    assert last["held"] == last["total"]
    for item in sharing.seen:
        assert set(item) - {"event"} == set(events.FIELDS[item["event"]]), "every field is named in the help"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_to_end_tells_the_pages(sharing: Seedshot, number: signal.Signals) -> None:
    shared = await sharing.shared()
    async with Viewer(shared["link"]) as viewer:
        await viewer.files()
        started = time.monotonic()
        sharing.interrupt(number)
        assert await viewer.the_end() == "revoked"
        assert await sharing.ended() == 0
        assert time.monotonic() - started < 2.0


async def test_under_nohup_the_terminal_may_close(tmp_path: Path, picture: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, "--json", str(picture), under=("nohup",)) as command:
        shared = await command.shared()
        command.interrupt(signal.SIGHUP)
        async with Viewer(shared["link"]) as viewer:
            assert await viewer.fetch() == CONTENT
        command.interrupt(signal.SIGTERM)
        assert await command.ended() == 0


async def test_a_viewer_who_does_not_close_cannot_hold_the_command(sharing: Seedshot) -> None:
    shared = await sharing.shared()
    async with Viewer(shared["link"]) as viewer:
        await viewer.files()
        viewer.die()
        started = time.monotonic()
        sharing.interrupt()
        assert await sharing.ended() == 0
        assert time.monotonic() - started < 2.0


async def test_a_second_interrupt_ends_it_at_once(sharing: Seedshot) -> None:
    shared = await sharing.shared()
    async with Viewer(shared["link"]) as viewer:
        await viewer.files()
        viewer.die()
        sharing.interrupt()
        await sharing.event("revoked")
        sharing.interrupt()
        assert await sharing.ended() in {0, 130}


async def test_several_files_are_one_share(tmp_path: Path, picture: Path) -> None:
    other = tmp_path / "naïve – file.txt"
    other.write_text("x")
    async with seedshot(tmp_path, "share", *LOCAL, "--json", str(picture), str(other)) as command:
        shared = await command.shared()
        async with Viewer(shared["link"]) as viewer:
            assert await viewer.fetch_all() == [CONTENT, b"x"]
            assert (await viewer.files()).files[1].name == other.name


async def test_it_ends_when_its_views_are_used_up(tmp_path: Path, picture: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, "--json", "--max-views", "1", str(picture)) as command:
        shared = await command.shared()
        assert shared["max_views"] == 1
        async with Viewer(shared["link"]) as viewer:
            await viewer.fetch()
            await command.event("viewed")
        await command.event("used_up")
        assert await command.ended() == 0


async def test_it_ends_when_its_time_is_over(tmp_path: Path, picture: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, "--json", "--expires", "1s", str(picture)) as command:
        shared = await command.shared()
        assert shared["expires_at"] <= time.time() + 1
        async with Viewer(shared["link"]) as viewer:
            assert await viewer.the_end() == "expired"
        await command.event("expired")
        assert await command.ended() == 0


def close_to_all(path: Path) -> None:
    """A file that nobody may open any more, not even the administrator: a link that leads to itself."""
    loop = path.with_name("loop")
    loop.symlink_to(path.name)
    loop.replace(path)  # at once, as above


@pytest.mark.parametrize(
    ("spoil", "reason", "words"),
    [
        (Path.unlink, "vanished", "was moved or deleted. Put it back and share it again."),
        (replace, "changed", "has changed since it was shared. Share it again."),
        (close_to_all, "unreadable", "can no longer be read. Check the disk it is on, then share it again."),
    ],
    ids=["vanished", "changed", "unreadable"],
)
async def test_without_its_only_file_the_share_ends_and_says_why(
    tmp_path: Path, picture: Path, spoil: Callable[[Path], None], reason: str, words: str
) -> None:
    async with SignalServer(ServerConfig(host="127.0.0.1")) as server:
        url = f"http://127.0.0.1:{server.address[1]}"
        async with seedshot(tmp_path, "share", "--server", url, "--json", str(picture)) as command:
            shared = await command.shared()
            async with Viewer(shared["link"]) as viewer, Viewer(shared["link"]) as other:
                await viewer.files()
                await other.files()
                spoil(picture)
                viewer.get(0)
                error = await command.event("error")
                assert error == {
                    "event": "error",
                    "problem": f"“picture.png” {words}",
                    "share": shared["share"],
                    "file": "picture.png",
                }
                for page in (viewer, other):
                    assert await page.the_end() == reason
                    assert [item.reason for item in page.failed] == [reason]
            rest = await command.rest()
            assert [item for item in rest if item["event"] in {"broken", "revoked"}] == [
                {"event": "broken", "share": shared["share"]}
            ]
            assert {item["reason"] for item in rest if item["event"] == "viewer_left"} == {"broken"}
            assert await command.ended() == 1
            assert await command.errors() == ""
        with pytest.raises(NotSeedingError) as late:
            async with Viewer(shared["link"]):
                pass
        assert late.value.message == Stopped(), "the server knows no more than that it is over"


async def test_without_its_only_file_the_command_says_one_line(tmp_path: Path, picture: Path) -> None:
    async with seedshot(tmp_path, "share", *LOCAL, str(picture)) as command:
        text = await command.line()
        viewer = await until(lambda: opened(text), "the link to work")
        await viewer.files()
        replace(picture)
        viewer.get(0)
        assert await command.ended() == 1
        await viewer.leave()
        told = (await command.errors()).splitlines()
        assert told[0].startswith("Sharing picture.png")
        assert told[-1] == "“picture.png” has changed since it was shared. Share it again."
        assert not [line for line in told if "Taken back" in line]


async def test_of_several_files_the_others_stay(tmp_path: Path, picture: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("still here")
    async with seedshot(tmp_path, "share", *LOCAL, "--json", str(picture), str(other)) as command:
        shared = await command.shared()
        async with Viewer(shared["link"]) as viewer:
            await viewer.files()
            replace(picture)
            viewer.get(0)
            await command.event("error")
            assert await viewer.fetch(1) == b"still here"


async def test_the_link_does_not_wait_for_the_server(tmp_path: Path, picture: Path) -> None:
    async with SignalServer(ServerConfig(host="127.0.0.1")) as server:
        port = server.address[1]
    url = f"http://127.0.0.1:{port}"
    async with seedshot(tmp_path, "share", "--server", url, "--json", str(picture)) as command:
        shared = await command.event()
        assert shared["link"].startswith(f"{url}/#")
        await command.event("server_lost")
        async with SignalServer(ServerConfig(host="127.0.0.1", port=port)):
            await command.event("server_back")
            await command.event("reachable")
            async with Viewer(shared["link"]) as viewer:
                assert await viewer.fetch() == CONTENT
            command.interrupt()
            assert await command.ended() == 0


async def test_two_at_once_take_ports_side_by_side(tmp_path: Path, picture: Path, sharing: Seedshot) -> None:
    first = await sharing.shared()
    port = str(urlsplit(first["link"]).port)
    async with seedshot(tmp_path, "share", "--listen", "local", "--port", port, "--json", str(picture)) as second:
        other = await second.shared()
        assert (urlsplit(other["link"]).port or 0) > int(port)
        async with Viewer(first["link"]) as one, Viewer(other["link"]) as two:
            assert await one.fetch() == await two.fetch() == CONTENT


async def test_in_the_lan_the_link_names_the_computers_address(tmp_path: Path, picture: Path) -> None:
    async with seedshot(tmp_path, "share", "--listen", "lan", "--port", "0", "--json", str(picture)) as command:
        shared = await command.shared()
        assert urlsplit(shared["link"]).hostname == (default_route_address() or "127.0.0.1")
        async with Viewer(shared["link"]) as viewer:
            assert await viewer.fetch() == CONTENT


async def test_a_killed_share_is_offline_at_the_server(tmp_path: Path, picture: Path) -> None:
    async with SignalServer(ServerConfig(host="127.0.0.1")) as server:
        url = f"http://127.0.0.1:{server.address[1]}"
        async with seedshot(tmp_path, "share", "--server", url, "--json", str(picture)) as command:
            shared = await command.shared()
            command.process.kill()
            await command.process.wait()
            with pytest.raises(NotSeedingError) as caught:
                async with Viewer(shared["link"]):
                    pass
            assert caught.value.message == Offline()


async def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path, picture: Path) -> None:
    read, write = os.pipe()
    async with seedshot(tmp_path, "share", *LOCAL, "--json", str(picture), stdout=write) as command:
        os.close(write)
        shared, _reachable = map(json.loads, first_lines(read, 2))
        async with Viewer(shared["link"]) as viewer:
            assert await viewer.the_end() == "revoked"
        assert await command.ended() == 0
        assert await command.errors() == ""


async def test_without_a_free_port_it_says_so(tmp_path: Path, picture: Path) -> None:
    last = 65535
    with contextlib.ExitStack() as taken:
        with contextlib.suppress(OSError):  # taken by somebody else: as good
            taken.enter_context(socket.create_server(("127.0.0.1", last)))
        arguments = ("share", "--listen", "local", "--port", str(last), "--json", str(picture))
        async with seedshot(tmp_path, *arguments) as command:
            error = await command.event()
            assert error["event"] == "error"
            assert "taken by another program" in error["problem"]
            assert await command.ended() == 1
            assert await command.errors() == ""
