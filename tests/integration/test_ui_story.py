"""The person's story, step by step: what is on the clipboard when, and what becomes of it when something fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtGui import QClipboard, QGuiApplication

from seedshot_desktop import story as story_module
from seedshot_desktop.capture import Frame, Monitor
from seedshot_desktop.errors import CaptureError, EngineError, ShareError
from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import Command, EngineStarted, Limits, MemoryFile, Provide, Seed
from seedshot_desktop.settings import Settings
from seedshot_desktop.story import Shared, Story
from seedshot_desktop.ui.book import Book
from seedshot_desktop.ui.desktop_notes import Notice
from seedshot_desktop.ui.selector import FrozenScreen, Selection
from tests.support.qt import BASE_URL, Run, qt_loop
from tests.support.waiting import until

WHOLE = Selection(0, 0, 40, 20)


class Screen:
    """A capture backend: a left monitor of blue and a right one of green."""

    name = "painted"

    def __init__(self) -> None:
        self.closed = False

    def grab(self) -> list[Frame]:
        assert threading.current_thread() is not threading.main_thread(), "the GUI thread never waits"
        left, right = bytes((200, 0, 0, 0)) * 800, bytes((0, 200, 0, 0)) * 800
        return [Frame(Monitor("L", 0, 0, 40, 20), left), Frame(Monitor("R", 40, 0, 40, 20), right)]

    def wipe(self) -> None:
        """There is nothing that it keeps."""

    def close(self) -> None:
        self.closed = True


class Asked:
    """A selector that gives `answer`."""

    def __init__(self) -> None:
        self.answer: Selection | None = WHOLE
        self.open = False
        self.frames: Sequence[FrozenScreen] = ()

    async def ask(self, frames: Sequence[FrozenScreen]) -> Selection | None:
        self.frames = frames
        return self.answer

    def warm_up(self) -> None:
        """There is nothing to load."""

    def wipe(self) -> None:
        """There is nothing that it keeps."""

    def cancel(self) -> None:
        self.answer = None


class Sent:
    """A bridge that keeps what it is told, and what was on the clipboard then."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.clipboard_at_seed = ""

    def send(self, command: Command) -> None:
        self.commands.append(command)
        if isinstance(command, Seed):
            self.clipboard_at_seed = QGuiApplication.clipboard().text()


class Teller:
    """A story with everything that it needs, and everything that it says."""

    def __init__(self, run: Run[Any]) -> None:
        self.run = run
        self.settings = Settings()
        self.bridge, self.book, self.selector = Sent(), Book(), Asked()
        self.notes: list[Notice] = []
        self.drawn = 0
        self.story = Story(
            bridge=self.bridge,  # type: ignore[arg-type]
            book=self.book,
            selector=self.selector,  # type: ignore[arg-type]
            wishes=lambda: self.settings,
            notify=self.notes.append,
            changed=self._count,
        )
        self.book.hear(EngineStarted(BASE_URL))

    def _count(self) -> None:
        self.drawn += 1

    def file(self) -> MemoryFile:
        """The picture that was provided."""
        [provided] = [command for command in self.bridge.commands if isinstance(command, Provide)]
        [file] = provided.files
        assert isinstance(file, MemoryFile)
        return file


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Iterator[Teller]:
    monkeypatch.setattr(story_module, "_open_backend", Screen)
    with qt_loop() as run:
        QGuiApplication.clipboard().setText("from before")
        yield Teller(run)


def pixels(file: MemoryFile, tmp_path: Path) -> Image.Image:
    path = tmp_path / file.name
    path.write_bytes(file.data)
    return Image.open(path).convert("RGB")


def test_press_select_share_copy(teller: Teller, tmp_path: Path) -> None:
    shared: Shared = teller.run(teller.story.capture("region"))
    assert QGuiApplication.clipboard().text() == shared.link
    assert link.parse(shared.link).base_url == BASE_URL
    seed, provide = teller.bridge.commands
    assert isinstance(seed, Seed)
    assert seed.files is None
    assert teller.bridge.clipboard_at_seed == shared.link
    assert isinstance(provide, Provide)
    assert provide.share == shared.share
    assert pixels(teller.file(), tmp_path).getcolors() == [(800, (0, 0, 200))]
    [note] = teller.notes
    assert (note.title, note.text) == ("Link copied", "Paste it anywhere. It works until you revoke it or quit.")
    assert note.share == shared.share
    assert note.thumbnail.startswith(b"\x89PNG")
    [listed] = teller.book.overview().items
    assert (listed.link, listed.thumbnail) == (shared.link, note.thumbnail)


def test_the_primary_selection_is_left_alone(teller: Teller) -> None:
    clipboard = QGuiApplication.clipboard()
    changes: list[QClipboard.Mode] = []
    clipboard.changed.connect(changes.append)
    teller.run(teller.story.capture("region"))
    clipboard.changed.disconnect(changes.append)
    assert changes == [QClipboard.Mode.Clipboard]


def test_leaving_the_selection_shares_nothing(teller: Teller) -> None:
    teller.selector.answer = None
    assert teller.run(teller.story.capture("region")) is None
    assert QGuiApplication.clipboard().text() == "from before"
    assert (teller.bridge.commands, teller.notes) == ([], [])


def test_a_second_press_while_selecting_does_nothing(teller: Teller) -> None:
    teller.selector.open = True
    assert teller.run(teller.story.capture("region")) is None
    assert teller.bridge.commands == []


def test_a_region_over_two_monitors(teller: Teller, tmp_path: Path) -> None:
    teller.selector.answer = Selection(30, 5, 20, 10)
    teller.run(teller.story.capture("region"))
    counted = pixels(teller.file(), tmp_path).getcolors()
    assert {colour: count for count, colour in counted or ()} == {(0, 0, 200): 100, (0, 200, 0): 100}


@pytest.mark.parametrize(("mode", "size"), [("screen", (40, 20)), ("all", (80, 20))])
def test_screens_are_taken_without_asking(teller: Teller, tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    teller.run(teller.story.capture(mode))
    assert teller.selector.frames == ()
    assert pixels(teller.file(), tmp_path).size == size


def test_the_limits_of_settings_are_those_of_a_capture(teller: Teller) -> None:
    teller.settings = Settings(expires_s=600, max_views=2)
    teller.run(teller.story.capture("region"))
    seed = teller.bridge.commands[0]
    assert isinstance(seed, Seed)
    assert seed.limits == Limits(expires_s=600.0, max_views=2)
    assert teller.notes[0].text == "Paste it anywhere. It ends in 10 min."


def test_what_was_revoked_while_it_was_encoded_is_not_provided(teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    real = story_module._encode
    encoding = threading.Event()

    def encode_after_revocation(piece: Frame) -> MemoryFile:
        assert encoding.wait(10)
        return real(piece)

    async def story() -> None:
        capture = asyncio.create_task(teller.story.capture("region"), name="capture")
        await until(lambda: teller.book.overview().items, "the share")
        teller.book.revoking(teller.book.overview().items[0].status.share)
        encoding.set()
        await capture

    monkeypatch.setattr(story_module, "_encode", encode_after_revocation)
    teller.run(story())
    assert [type(command) for command in teller.bridge.commands] == [Seed]


def test_a_picture_that_cannot_be_encoded_ends_its_share(teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_piece: Frame) -> MemoryFile:
        raise CaptureError("The picture cannot be encoded.")

    monkeypatch.setattr(story_module, "_encode", fail)
    with pytest.raises(CaptureError):
        teller.run(teller.story.capture("region"))
    last = teller.bridge.commands[-1]
    assert isinstance(last, Provide)
    assert last.files == ()
    assert teller.book.overview().items == ()


@pytest.mark.parametrize("ending", ["png", "PNG", "webp"])
def test_a_picture_is_saved_where_it_was_asked_for(teller: Teller, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"here.{ending}"
    shared = teller.run(teller.story.capture("region", str(path)))
    assert shared.saved == str(path)
    assert Image.open(path).convert("RGB").getcolors() == [(800, (0, 0, 200))]


@pytest.mark.parametrize("name", ["picture.jpg", "no/such/folder/a.png"])
def test_a_picture_that_cannot_be_saved_is_shared_all_the_same(teller: Teller, tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureError, match=r"was not saved.*Its link is copied"):
        teller.run(teller.story.capture("region", str(tmp_path / name)))
    assert isinstance(teller.bridge.commands[-1], Provide)
    assert QGuiApplication.clipboard().text().startswith(BASE_URL)


def test_while_the_server_is_away_the_note_says_so(teller: Teller) -> None:
    teller.book.engine_died("The seeding engine stopped.", 1000.0)
    teller.run(teller.story.capture("region"))
    assert teller.notes[0].text == "It will work as soon as the server is back."


def in_the_first_second(teller: Teller) -> None:
    """The engine has not spoken yet."""
    teller.book = Book()
    teller.story._book = teller.book


def test_in_the_first_second_the_link_waits_for_the_engine(teller: Teller) -> None:
    in_the_first_second(teller)

    async def story() -> Shared | None:
        capture = asyncio.create_task(teller.story.capture("region"), name="capture")
        await until(lambda: teller.selector.frames, "the selection")
        teller.book.hear(EngineStarted(BASE_URL))
        teller.story.engine_known()
        return await capture

    shared = teller.run(story())
    assert shared.link.startswith(BASE_URL)


def test_an_engine_that_never_comes_is_said(teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_first_second(teller)
    teller.book.engine_died("Its program could not be started.", 1000.0)
    monkeypatch.setattr(story_module, "_ENGINE_WITHIN_S", 0.05)
    with pytest.raises(EngineError, match=r"does not start\. Its program could not be started\."):
        teller.run(teller.story.capture("region"))
    assert QGuiApplication.clipboard().text() == "from before"


def test_files_are_shared_from_disk(teller: Teller, tmp_path: Path) -> None:
    for name in ("a.txt", "b.png"):
        (tmp_path / name).write_bytes(b"content")
    shared = teller.run(
        teller.story.share_files([str(tmp_path / "a.txt"), str(tmp_path / "b.png")], Limits(max_views=1))
    )
    assert QGuiApplication.clipboard().text() == shared.link
    [seed] = teller.bridge.commands
    assert isinstance(seed, Seed)
    assert [(file.name, file.media_type) for file in seed.files or ()] == [
        ("a.txt", "text/plain"),
        ("b.png", "image/png"),
    ]
    assert seed.limits == Limits(max_views=1)
    assert (seed.label, teller.book.overview().items[0].link) == ("2 files", shared.link)


@pytest.mark.parametrize("name", ["missing", "."])
def test_files_that_cannot_be_shared_leave_the_clipboard_alone(teller: Teller, tmp_path: Path, name: str) -> None:
    with pytest.raises(ShareError):
        teller.run(teller.story.share_files([str(tmp_path / name)]))
    assert QGuiApplication.clipboard().text() == "from before"
    assert teller.bridge.commands == []


def test_closing_leaves_the_overlay_and_the_screen(teller: Teller) -> None:
    async def story() -> None:
        await teller.story.warm_up()
        teller.story.close()
        teller.story.close()

    teller.run(story())
    assert teller.selector.answer is None
