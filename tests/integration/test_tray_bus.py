"""The tray as KDE, GNOME's extension and most panels have it: icon, menu and notices over D-Bus, and what clicks do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from seedshot_desktop.seed.link import parse
from tests.support.app import App, running_app
from tests.support.desktop import Person
from tests.support.screen import open_screen
from tests.support.tray_host import Icon, Line, TrayHost, tray_host
from tests.support.viewer import NotSeedingError, Viewer
from tests.support.waiting import until

SMALLEST_ICON_PX, LARGEST_ICON_PX = 22, 48
"""A panel at 100 %, and a tall one at 200 %."""
BROWSER = '#!/bin/sh\nprintf %s "$1" > "$HOME/opened.part" && mv "$HOME/opened.part" "$HOME/opened"\n'


class Desk:
    """A person, their panel, and the app in it."""

    def __init__(self, person: Person, host: TrayHost, app: App, icon: Icon) -> None:
        self.person, self.host, self.app, self.icon = person, host, app, icon

    async def share(self, name: str = "notes_of_may_1.txt") -> str:
        """Share a file of that name; its link."""
        path = self.person.screen.home / name
        path.write_text("R&D")
        return str((await self.app.ask("share", paths=[str(path)]))["link"])

    async def menu(self) -> list[Line]:
        """The lines of the menu that are seen."""
        return [line for line in (await self.icon.menu()).lines if line.visible]

    async def window(self, title: str) -> int:
        """That window, as soon as it is there."""
        found = await until(lambda: self.person.windows(title), f"the window {title}")
        return found[0]

    async def overlay_comes_and_goes(self) -> None:
        await self.app.overlay()
        self.person.press("Escape")
        await self.app.no_overlay()


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody whose desktop has no panel but that of the test."""
    with open_screen(tray=False) as screen:
        yield Person(screen)


def bus(person: Person) -> str:
    return person.screen.env["DBUS_SESSION_BUS_ADDRESS"]


@asynccontextmanager
async def desk_of(person: Person) -> AsyncIterator[Desk]:
    async with tray_host(bus(person)) as host, running_app(person) as app:
        yield Desk(person, host, app, await host.icon())


@pytest.fixture
async def desk(person: Person) -> AsyncIterator[Desk]:
    async with desk_of(person) as made:
        yield made


async def test_the_icon_has_a_name_and_a_picture_in_every_size(desk: Desk) -> None:
    seen = await desk.icon.look()
    assert (seen["Title"], seen["Status"], seen["Category"]) == ("Seedshot", "Active", "ApplicationStatus")
    assert seen["ItemIsMenu"] is False, "a left click is the app's, not the menu's"
    assert seen["ToolTip"][2] == "Seedshot: nothing is shared"
    sides = {width for width, height, pixels in seen["IconPixmap"] if width == height and any(pixels)}
    assert {SMALLEST_ICON_PX, LARGEST_ICON_PX} <= sides


async def test_the_icon_and_its_tooltip_say_that_somebody_looks(desk: Desk) -> None:
    idle = (await desk.icon.look())["IconPixmap"]
    async with Viewer(await desk.share()) as viewer:
        await viewer.fetch_all()

        async def says() -> bool:
            seen = await desk.icon.look()
            return bool(seen["ToolTip"][2] == "Seedshot: 1 share, 1 is looking" and seen["IconPixmap"] != idle)

        await until(says, "the viewer in the tray")


async def test_a_left_click_captures_and_a_middle_click_opens_the_window(desk: Desk) -> None:
    await desk.icon.click()
    await desk.overlay_comes_and_goes()
    await desk.icon.click("SecondaryActivate")
    await desk.window("Shares")


async def test_the_menu_has_every_line_and_a_live_share_its_own(desk: Desk) -> None:
    assert [line.text for line in await desk.menu() if line.text] == [
        "Capture region",
        "Capture screen",
        "Share files…",
        "Nothing is shared",
        "Revoke all",
        "Shares…",
        "Settings…",
        "Quit",
    ]
    async with Viewer(await desk.share()) as viewer:
        await viewer.fetch_all()

        async def listed() -> Line | None:
            found = [line for line in await desk.menu() if line.lines]
            return found[0] if found and found[0].text == "notes_of_may_1.txt  (1 is looking)" else None

        share = await until(listed, "the share and its viewer")
        assert [line.text for line in share.lines if line.text] == ["Copy link", "Open in browser", "Limits…", "Revoke"]
        drawn = [line for line in (*await desk.menu(), *share.lines) if line.text]
        assert [line.text for line in drawn if not line.icon.startswith(b"\x89PNG")] == []


async def test_a_captures_line_shows_its_picture(desk: Desk) -> None:
    await desk.icon.choose("Capture region")
    await desk.app.overlay()
    desk.person.press("Return")
    await desk.app.new_link()

    async def pictured() -> bool:
        shares = [line for line in await desk.menu() if line.lines]
        return bool(shares) and shares[0].text.startswith("Screenshot") and shares[0].icon.startswith(b"\x89PNG")

    await until(pictured, "the capture's thumbnail")


async def test_what_the_menu_of_a_share_does(desk: Desk) -> None:
    link = await desk.share()
    newer = await desk.share()
    await desk.icon.choose("notes_of_may_1.txt", "Limits…")
    limits = await desk.window("Limits|notes")
    desk.person.press("Escape")
    await until(lambda: limits not in desk.app.windows(), "the end of the limits")
    await desk.icon.choose("notes_of_may_1.txt", "Revoke")
    await until(lambda: _lives(desk, [link]), "the end of the newer share")
    await desk.icon.choose("notes_of_may_1.txt", "Copy link")
    await until(lambda: desk.person.clipboard() == link, "the older share's link")
    with pytest.raises(NotSeedingError):
        async with Viewer(newer):
            pass


async def _lives(desk: Desk, links: list[str]) -> bool:
    return [share["link"] for share in await desk.app.shares()] == links


async def test_open_in_browser_opens_the_link(person: Person) -> None:
    tools = person.screen.home / "bin"
    tools.mkdir()
    (tools / "xdg-open").write_text(BROWSER)
    (tools / "xdg-open").chmod(0o700)
    person.screen.env["PATH"] = f"{tools}:{person.screen.env['PATH']}"
    async with desk_of(person) as desk:
        link = await desk.share()
        await desk.icon.choose("notes", "Open in browser")
        opened = person.screen.home / "opened"
        await until(opened.exists, "the browser")
        assert parse(opened.read_text()) == parse(link)


async def test_the_other_lines_open_what_they_say(desk: Desk) -> None:
    for line, title in (("Shares…", "Shares"), ("Settings…", "Settings"), ("Share files…", "Share files")):
        await desk.icon.choose(line)
        await desk.window(title)


async def test_revoke_all_and_quit(desk: Desk) -> None:
    links = [await desk.share("one"), await desk.share("two")]
    await desk.icon.choose("Revoke all")
    await until(lambda: _lives(desk, []), "the end of all shares")
    for link in links:
        with pytest.raises(NotSeedingError):
            async with Viewer(link):
                pass
    await desk.icon.choose("Quit")
    assert await asyncio.to_thread(desk.app.program.wait, 10.0) == 0


async def test_an_open_menu_follows_the_shares(desk: Desk) -> None:
    await desk.share("early")
    await desk.icon.opens()
    before = desk.icon.changes
    await desk.app.ask("revoke", all=True)
    await desk.share("late")

    async def lines() -> bool:
        return [line.text for line in await desk.menu() if line.lines] == ["late  (nobody is looking)"]

    await until(lines, "the new share in the open menu")
    assert desk.icon.changes > before, "the panel was told to draw anew"
    await desk.icon.closes()
    assert await lines()


async def test_a_notice_shows_the_picture_opens_the_window_and_goes_with_its_share(desk: Desk) -> None:
    await desk.app.ask("capture", mode="screen")
    notes = desk.host.notes
    (number,) = await until(lambda: list(notes.shown), "the notice")
    note = notes.shown[number]
    assert (note.program, note.title, note.transient) == ("Seedshot", "Link copied", True)
    assert note.image is not None
    assert note.image.width / note.image.height == pytest.approx(1280 / 800, rel=0.02)
    notes.ActionInvoked(number, note.actions[0])
    await desk.window("Shares")
    await desk.icon.choose("Revoke all")
    await until(lambda: not notes.shown, "the end of the notice")
    assert (await desk.icon.look())["Status"] == "Active", "nobody needs attention because of a notice"


async def test_a_desktop_that_shows_no_notices_gets_a_toast(person: Person) -> None:
    async with tray_host(bus(person), shows_notes=False) as host, running_app(person) as app:
        await host.icon()
        before = app.windows()
        await app.ask("capture", mode="screen")
        (toast,) = await until(lambda: set(app.windows()) - set(before), "the toast")
        await app.ask("revoke", all=True)
        await until(lambda: toast not in app.windows(), "the end of the toast")


async def test_a_click_that_is_read_before_the_number_of_its_notice_opens_the_window(desk: Desk) -> None:
    desk.host.notes.clicked_at_once = True
    await desk.share()
    await desk.window("Shares")


async def test_the_notice_of_the_next_share_takes_the_place_of_the_last(desk: Desk) -> None:
    for name in ("one", "two"):
        await desk.share(name)
    notes = desk.host.notes
    await until(lambda: notes.count == 2, "both notices")
    assert list(notes.shown) == [1]
    await desk.icon.choose("one", "Revoke")
    await until(lambda: _one_left(desk), "the end of the older share")
    assert list(notes.shown) == [1], "the notice is about the newer one"
    await desk.icon.choose("Quit")
    await until(lambda: not notes.shown, "the end of the notice with the app")


async def _one_left(desk: Desk) -> bool:
    return len(await desk.app.shares()) == 1


async def test_a_service_without_a_host_is_no_tray_yet(person: Person) -> None:
    async with tray_host(bus(person), host=False) as host, running_app(person) as app:
        await until(lambda: person.windows("^Seedshot$"), "the small window")
        assert host.watcher.items == []
        host.watcher.host_comes()
        icon = await host.icon()
        await until(lambda: not person.windows("^Seedshot$"), "the end of the small window")
        assert (await icon.look())["Status"] == "Active"
        assert await app.is_online()


async def test_a_panel_that_went_and_came_back_has_the_icon_again(person: Person) -> None:
    async with tray_host(bus(person)) as host, running_app(person) as app:
        await host.icon()
        await host.goes()
        async with tray_host(bus(person)) as next_host:
            icon = await next_host.icon()
            assert (await icon.menu()).line("Capture region").enabled
            await icon.click()
            await Desk(person, next_host, app, icon).overlay_comes_and_goes()


async def test_the_small_window_stands_in_for_a_panel_that_stays_away(person: Person) -> None:
    async with running_app(person) as app:
        async with tray_host(bus(person)) as host:
            await host.icon()
            await until(lambda: not person.windows("^Seedshot$"), "the end of the small window")
        await until(lambda: person.windows("^Seedshot$"), "the small window", 15.0)
        async with tray_host(bus(person)) as host:
            assert (await (await host.icon()).menu()).line("Quit").enabled
            await until(lambda: not person.windows("^Seedshot$"), "the end of the small window")
            assert await app.is_online()


@pytest.mark.parametrize("asked", ["refuses", "hangs"])
async def test_a_service_that_does_not_say_whether_it_has_a_host_is_no_tray(
    person: Person, asked: Literal["refuses", "hangs"]
) -> None:
    async with tray_host(bus(person), asked=asked) as host, running_app(person):
        await until(lambda: person.windows("^Seedshot$"), "the small window")
        assert host.watcher.items == []


async def test_the_small_window_stands_in_for_a_panel_whose_service_stays(person: Person) -> None:
    async with tray_host(bus(person)) as host, running_app(person):
        await host.icon()
        host.watcher.host_goes()
        await until(lambda: person.windows("^Seedshot$"), "the small window", 15.0)
        host.watcher.host_comes()
        await until(lambda: not person.windows("^Seedshot$"), "the end of the small window")
