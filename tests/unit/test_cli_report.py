"""What ``seedshot share`` writes: the JSON objects, the sentences, the live picture."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from seedshot_desktop.commands import events, report, screen
from seedshot_desktop.seed import messages as m

SHARED = events.shared("http://h/#f", "ID", (m.FileStatus("a.png", 2000, "image/png"),), 5.0, 3)
EVERY_EVENT: list[m.Event] = [
    m.Shared("ID"),
    m.ViewerJoined("ID", "v1", "Firefox 153", "Windows", True),
    m.ViewerProgressed("ID", "v1", 5, 10, 2.5),
    m.Viewed("ID", "v1", 1),
    m.ViewerLeft("ID", "v1", m.EndReason.LOST, 5, 10),
    m.ServerLost("The server is away.", 2.0),
    m.ServerBack(),
    m.ShareEnded("ID", m.EndReason.REVOKED),
    m.ShareEnded("ID", m.EndReason.EXPIRED),
    m.ShareEnded("ID", m.EndReason.USED_UP),
    m.FileFailed("ID", "a.png", "It vanished."),
    m.ShareEnded("ID", m.EndReason.BROKEN),
    m.CommandFailed("No.", "ID"),
    m.EngineFailed("It cannot start."),
]


def viewer(**fields: Any) -> m.ViewerStatus:
    known: dict[str, Any] = {
        "viewer": "v1",
        "state": m.ViewerState.RECEIVING,
        "browser": "Firefox 153",
        "system": "Windows",
        "direct": True,
        "held": 370,
        "total": 1000,
        "rate": 12_300_000.0,
        "joined_at": 100.0,
    }
    return m.ViewerStatus(**(known | fields))


def status(*viewers: m.ViewerStatus, departed: tuple[m.ViewerStatus, ...] = (), **fields: Any) -> m.EngineStatus:
    share = m.ShareStatus(
        share="ID",
        label="a.png",
        created_at=90.0,
        files=(m.FileStatus("a.png", 1000, "image/png", fields.pop("problem", "")),),
        preparing=False,
        expires_at=fields.pop("expires_at", None),
        max_views=fields.pop("max_views", None),
        views=2,
        bytes_sent=12_345,
        viewers=viewers,
        departed=departed,
    )
    return m.EngineStatus(m.ServerState.ONLINE, "http://h", "", (share,), **fields)


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: type(event).__name__)
def test_every_object_has_the_fields_that_the_help_names(event: m.Event) -> None:
    item = events.as_object(event)
    assert item is not None
    assert list(item.keys() - {"event"}) == [] or set(item) - {"event"} == set(events.FIELDS[item["event"]])
    assert json.loads(events.line(item)) == item


def test_every_event_of_the_help_is_made_by_something() -> None:
    made = {item["event"] for item in map(events.as_object, EVERY_EVENT) if item}
    own = {SHARED["event"], events.provided("ID", ())["event"], events.link_changed("x", "ID")["event"]}
    assert made | own == set(events.FIELDS)
    assert set(SHARED) - {"event"} == set(events.FIELDS["shared"])
    for name in events.FIELDS:
        assert f"\n  {name}\n" in events.help_text() + "\n"


def test_what_concerns_nobody_outside_is_not_told() -> None:
    assert events.as_object(m.EngineStarted("http://h")) is None
    assert events.as_object(m.StatusChanged(status())) is None
    assert events.as_object(m.Stopped()) is None


def test_json_is_one_object_a_line() -> None:
    out = io.StringIO()
    reporter = report.JsonReporter(out)
    reporter.tell(SHARED)
    reporter.tell(events.error("two\nlines"))
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["shared", "error"]


def test_a_pipe_gets_the_link_and_a_person_the_story() -> None:
    out, err = io.StringIO(), io.StringIO()
    reporter = report.PlainReporter(out, err)
    reporter.tell(SHARED)
    for event in EVERY_EVENT:
        if item := events.as_object(event):
            reporter.tell(item)
    assert out.getvalue() == "http://h/#f\n"
    told = err.getvalue().splitlines()
    assert told[:4] == [
        "Sharing a.png (2.00 kB) from this computer until you press Ctrl-C.",
        "Firefox 153, Windows opened the link.",
        "Firefox 153, Windows has everything (1 view).",
        "Firefox 153, Windows was lost: the connection broke at 50 %.",
    ]


def test_a_viewers_name_cannot_steer_the_terminal() -> None:
    assert report.who("\x1b]0;owned\x07", "\u202eLinux") == "�]0;owned�, �Linux"
    assert report.who(" ", "") == "A viewer"


def test_the_picture_shows_who_is_looking_and_how_far_they_are() -> None:
    lines = report.picture(
        status(
            viewer(),
            viewer(browser="Chromium 156", system="Linux", state=m.ViewerState.COMPLETE, held=1000),
            departed=(viewer(left_at=130.0, left_reason=m.EndReason.CLOSED),),
        ),
        now=142.0,
        columns=100,
        rows=24,
        fine=True,
    )
    assert lines[1] == "2 viewers now · 2 complete views · 12.3 kB sent"
    assert re.search(r"Firefox 153, Windows +━{8}╸┈+ +37 %  12\.3 MB/s +0:42$", lines[2])
    assert re.search(r"Chromium 156, Linux +━{24} +has everything +0:42$", lines[3])
    assert re.search(r"left at 37 % +0:30$", lines[4])


def test_the_picture_says_what_is_wrong() -> None:
    broken = status(problem="a.png has vanished.", expires_at=200.0, max_views=3)
    away = m.EngineStatus(m.ServerState.OFFLINE, "http://h", "The server is away.", broken.shares)
    lines = report.picture(away, now=140.0, columns=80, rows=24, fine=True)
    assert lines[1] == "0 viewers now · 2 of 3 views · 12.3 kB sent · ends in 1:00"
    assert lines[2:] == ["The server is away.", "a.png has vanished."]


@pytest.mark.parametrize("count", [1, 5, 17, 50])
def test_the_picture_fits_the_window(count: int) -> None:
    for columns in (20, 40, 60, 80, 200):
        lines = report.picture(status(*[viewer()] * count), 142.0, columns, rows=10, fine=True)
        assert len(lines) <= 8
    if count > 6:
        assert lines[-1] == f"  and {count - 5} more"


class Terminal(io.StringIO):
    """As much of a terminal as the block needs: it wraps, goes up and erases downwards."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        self.rows: list[str] = [""]
        self._row = 0

    def write(self, text: str) -> int:
        for part in re.findall(r"\x1b\[\d*[AJ]|\r|\n|[^\x1b\r\n]+", text):
            match part:
                case "\n":
                    self._row += 1
                    self.rows += [""] * (self._row + 1 - len(self.rows))
                case "\r":
                    pass
                case "\x1b[J":
                    del self.rows[self._row :]
                    self.rows.append("")
                case up if up.startswith("\x1b["):
                    self._row -= int(up[2:-1])
                    assert self._row >= 0
                case words:
                    self.rows[self._row] += words
        return len(text)

    def resize(self, columns: int) -> None:
        """As most terminals: lines that are too long now wrap."""
        self.columns = columns
        self.rows = [row[i : i + columns] for row in self.rows for i in range(0, max(1, len(row)), columns)]
        self._row = len(self.rows) - 1


class Sized(screen.Block):
    """A block on a terminal of a test's own size."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal)
        self._terminal = terminal

    def size(self) -> tuple[int, int]:
        return self._terminal.columns, 24


def test_a_block_is_drawn_in_place_and_words_go_above_it() -> None:
    terminal = Terminal(40)
    block = Sized(terminal)
    block.draw(["one", "two"])
    block.draw(["three"])
    block.print("for good")
    block.draw(["four", "five"])
    assert terminal.rows == ["for good", "four", "five", ""]
    block.draw([])
    assert terminal.rows == ["for good", ""]


def test_a_window_made_narrower_leaves_no_rests() -> None:
    terminal = Terminal(40)
    block = Sized(terminal)
    block.draw(["x" * 39, "y" * 20])
    terminal.resize(15)
    block.draw(["z"])
    assert terminal.rows == ["z", ""]


def test_what_has_not_changed_is_not_drawn_again() -> None:
    terminal = Terminal(40)
    block = Sized(terminal)
    block.draw(["same"])
    drawn = terminal.rows.copy()
    terminal.write = None  # type: ignore[assignment,method-assign]  # a write would fail
    block.draw(["same"])
    assert terminal.rows == drawn


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("e\u0301te", 3, "e\u0301te"),
    ],
)
def test_text_is_cut_by_columns(text: str, columns: int, expected: str) -> None:
    assert screen.fit(text, columns) == expected
    assert screen.width(screen.pad(text, columns)) == columns


def test_a_bar_is_never_longer_than_its_room() -> None:
    for part in (-1, 0, 0.01, 0.5, 0.999, 1, 2):
        assert len(screen.bar(part, 10)) == len(screen.bar(part, 10, fine=False)) == 10
    assert screen.bar(1, 4, fine=False) == "####"
    assert screen.bar(0.999, 4, fine=False) == "###-"
