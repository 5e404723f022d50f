"""Notices over D-Bus: a service that is slow, restarts or was never there, a bus that ends, programs that pretend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from dbus_fast import Message
from dbus_fast.aio import MessageBus

from seedshot_desktop.ui.desktop_notes import DesktopNotes, Notice
from tests.support.qt import application, picture
from tests.support.screen import open_bus
from tests.support.tray_host import NOTES, NOTES_PATH, Note, TrayHost, tray_host
from tests.support.waiting import until

COPIED = Notice("Link copied", "Paste it anywhere.", share="share-aaaaaaaa")
NEWER = Notice("Link copied", "Paste it anywhere.", share="share-bbbbbbbb")
NEWEST = Notice("Link copied", "Paste it anywhere.", share="share-cccccccc")
PROBLEM = Notice("Seedshot", "R&D: the server does not answer.")
DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


class Told:
    """What the app hears back of its notices."""

    def __init__(self) -> None:
        self.clicks = 0
        self.failed: list[Notice] = []
        self.notes = DesktopNotes(self._click, self.failed.append)

    def _click(self) -> None:
        self.clicks += 1


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with open_bus() as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture
async def host(address: str) -> AsyncIterator[TrayHost]:
    async with tray_host(address) as host:
        yield host


@pytest.fixture
async def told(address: str) -> AsyncIterator[Told]:
    told = Told()
    yield told
    await told.notes.close()


async def shown(host: TrayHost) -> dict[int, Note]:
    """What the service shows, as soon as that is something."""
    return await until(lambda: host.notes.shown, "the notice")


async def test_every_pixel_of_the_picture_arrives(host: TrayHost, told: Told) -> None:
    application()
    told.notes.show(Notice("Link copied", "", picture(321, 200, "#3366cc")))
    (note,) = (await shown(host)).values()
    assert note.image is not None
    assert note.image.size == (256, 160)
    colours = note.image.getcolors()
    assert colours
    assert max(colours)[1] == (0x33, 0x66, 0xCC, 0xFF)


@pytest.mark.parametrize(("ability", "text"), [("body-markup", "R&amp;D"), ("body", "R&D")])
async def test_text_is_markup_only_for_a_service_that_reads_it_so(
    address: str, told: Told, ability: str, text: str
) -> None:
    async with tray_host(address, abilities=[ability]) as host:
        told.notes.show(PROBLEM)
        assert (await shown(host))[1].text.startswith(text)


async def test_a_notice_that_the_service_takes_too_late_is_taken_back(host: TrayHost, told: Told) -> None:
    host.notes.answers.clear()
    told.notes.show(COPIED)
    await until(lambda: told.failed == [COPIED], "a notice that must be told in another way")
    assert host.notes.shown
    host.notes.answers.set()
    await until(lambda: not host.notes.shown, "the end of the late notice")


async def test_a_notice_on_its_way_goes_with_the_app(host: TrayHost, told: Told) -> None:
    host.notes.answers.clear()
    told.notes.show(COPIED)
    await shown(host)
    closing = asyncio.create_task(told.notes.close(), name="quit")
    host.notes.answers.set()
    await closing
    await until(lambda: not host.notes.shown, "the end of the notice")


async def test_a_service_that_hangs_is_waited_for_once_and_only_the_newest_share_is_told_of(
    host: TrayHost, told: Told
) -> None:
    host.notes.answers.clear()
    told.notes.show(COPIED)
    await shown(host)
    for notice in (NEWER, PROBLEM, NEWEST):
        told.notes.show(notice)
    await until(lambda: told.failed, "the end of the patience")
    assert told.failed == [COPIED, PROBLEM, NEWEST]
    assert host.notes.count == 1
    host.notes.answers.set()
    await until(lambda: not host.notes.shown, "the end of the late notice")


async def test_what_waits_to_be_told_of_a_share_is_never_told_after_its_end(host: TrayHost, told: Told) -> None:
    told.notes.show(COPIED)
    told.notes.take_back()
    told.notes.show(PROBLEM)
    await shown(host)
    assert [note.title for note in host.notes.shown.values()] == [PROBLEM.title]
    assert host.notes.count == 1


async def test_a_service_that_comes_after_the_first_notice_is_asked_what_it_can_do(address: str, told: Told) -> None:
    told.notes.show(PROBLEM)
    await until(lambda: told.failed == [PROBLEM], "a notice without a service")
    async with tray_host(address, abilities=["body-markup"]) as host:
        told.notes.show(PROBLEM)
        assert (await shown(host))[1].text.startswith("R&amp;D")


async def test_a_restarted_service_is_a_new_one(address: str, told: Told) -> None:
    async with tray_host(address) as host:
        for notice in (PROBLEM, PROBLEM, COPIED):
            told.notes.show(notice)
        await until(lambda: host.notes.count == 3, "all notices")
    async with tray_host(address, abilities=["body-markup"]) as host:
        told.notes.show(NEWER)
        assert list(await shown(host)) == [1], "it does not take the place of a notice of the old service"
        told.notes.show(PROBLEM)
        await until(lambda: host.notes.count == 2, "the other notice")
        assert host.notes.shown[2].text.startswith("R&amp;D")
        told.notes.take_back()
        await until(lambda: list(host.notes.shown) == [2], "the end of the share's notice")
    assert told.failed == []


async def test_a_bus_that_ended_and_came_back_is_found(monkeypatch: pytest.MonkeyPatch, told: Told) -> None:
    for _ in range(2):
        with open_bus() as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            async with tray_host(address) as host:
                told.notes.show(COPIED)
                assert list(await shown(host)) == [1]
    assert told.failed == []


async def test_only_the_service_can_say_that_a_notice_was_clicked(address: str, host: TrayHost, told: Told) -> None:
    told.notes.show(COPIED)
    (number,) = await shown(host)
    stranger = await MessageBus(bus_address=address).connect()
    try:
        names = await stranger.call(Message(*DAEMON, "ListNames"))
        assert names is not None
        for name in (None, *(name for name in names.body[0] if name.startswith(":"))):
            click = Message.new_signal(NOTES_PATH, NOTES, "ActionInvoked", "us", [number, "default"])
            click.destination = name
            await stranger.send(click)
        await stranger.call(Message(*DAEMON, "GetId"))  # the bus has passed everything on by then
    finally:
        stranger.disconnect()
    host.notes.ActionInvoked(number, "default")
    await until(lambda: told.clicks, "the click")
    assert told.clicks == 1
