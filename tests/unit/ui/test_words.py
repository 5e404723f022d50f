"""Numbers and states as people read them."""

from __future__ import annotations

import pytest

from seedshot_desktop.seed.messages import EndReason, FileStatus, ViewerState
from seedshot_desktop.ui import words
from tests.support.qt import application, status, viewer


@pytest.fixture(autouse=True)
def _english() -> None:
    application()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86_400 * 3, "3 d"), (-5, "0 s")],
)
def test_durations_are_rounded_down(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (60, "1 min"), (61, "2 min"), (540, "9 min"), (3601, "2 h"), (0, "0 s")]
)
def test_what_is_still_to_come_is_rounded_up(seconds: float, text: str) -> None:
    assert words.remaining(seconds) == text


def test_ages() -> None:
    assert words.age(3) == "just now"
    assert words.age(130) == "2 min ago"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (312_000, "312 kB"), (1_500_000, "1.5 MB")]
)
def test_sizes(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize(("part", "whole", "percent"), [(0, 0, 100), (0, 9, 0), (999, 1000, 99), (1000, 1000, 100)])
def test_only_all_of_it_is_a_hundred_percent(part: int, whole: int, percent: int) -> None:
    assert words.percent(part, whole) == percent


def test_views_with_and_without_a_limit() -> None:
    assert words.views(status(views=0)) == "0 views"
    assert words.views(status(views=1)) == "1 view"
    assert words.views(status(views=1, max_views=3)) == "1 of 3 views"


def test_a_visitor_is_what_the_page_says_and_no_more() -> None:
    assert words.visitor(viewer()) == "Firefox 153 on Windows"
    assert words.visitor(viewer(system="")) == "Firefox 153"
    assert words.visitor(viewer(browser=" ", system="")) == "Unknown browser"


def test_a_page_cannot_write_on_other_lines_or_backwards() -> None:
    spoken = words.visitor(viewer(browser="Fire\nfox\u202e", system="\x07\x1b[31m" + "x" * 100))
    assert spoken.isprintable()
    assert len(spoken) < 80


def test_what_a_viewer_does() -> None:
    assert words.doing(viewer(rate=25_000.0)) == "25 kB/s"
    assert words.doing(viewer(state=ViewerState.WAITING)) == "waiting"
    assert words.doing(viewer(state=ViewerState.COMPLETE)) == "has it all"


def test_how_a_visit_ended() -> None:
    gone = ViewerState.LEFT
    assert words.farewell(viewer(state=gone, held=100_000)) == "saw it all"
    assert words.farewell(viewer(state=gone, left_reason=EndReason.LOST)) == "got 50 %, the connection broke"
    assert words.farewell(viewer(state=gone, left_reason=EndReason.DISMISSED)) == "got 50 %, you sent them away"


def test_every_reason_has_words_or_none_at_all() -> None:
    for reason in EndReason:
        assert words.farewell(viewer(state=ViewerState.LEFT, left_reason=reason))


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (FileStatus("a.webp", 5, "image/webp"), "WEBP"),
        (FileStatus("a", 5, "image/svg+xml"), "SVG"),
        (FileStatus("report.PDF", 5, "application/pdf"), "PDF"),
        (FileStatus("table.xlsx", 5, "application/vnd.openxmlformats"), "XLSX"),
        (FileStatus(".profile", 5, "application/octet-stream"), "File"),
        (FileStatus("README", 5, "application/octet-stream"), "File"),
    ],
)
def test_kinds_of_files(file: FileStatus, kind: str) -> None:
    assert words.files((file,)) == f"{kind}, 5 bytes"


def test_many_files() -> None:
    file = FileStatus("a", 500_000, "")
    assert words.files((file, file, file)) == "3 files, 1.5 MB"


def test_labels_fit_a_menu_and_mark_no_shortcut() -> None:
    assert words.for_menu("Q&A") == "Q&&A"
    assert words.for_menu("a_b & c & d", by_bus=True) == "a__b && c & d"
    long = words.one_line("x" * 40 + "y" * 40 + ".pdf", 48)
    assert len(long) == 48
    assert long.endswith(".pdf")
    assert "…" in long
    assert words.one_line("a\nb\tc") == "a�b�c"


def test_counts_of_people_and_shares() -> None:
    assert [words.watchers(count) for count in (0, 1, 5)] == ["nobody is looking", "1 is looking", "5 are looking"]
    assert [words.shares(count) for count in (0, 1, 5)] == ["nothing is shared", "1 share", "5 shares"]
