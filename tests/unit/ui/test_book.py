"""The book of shares: what the engine says, joined with what only the app knows."""

from __future__ import annotations

from seedshot_desktop.seed.messages import (
    BaseUrlChanged,
    EndReason,
    EngineStarted,
    Limits,
    ServerState,
    ShareEnded,
    StatusChanged,
    ViewerState,
)
from seedshot_desktop.ui.book import Book
from tests.support.qt import BASE_URL, engine_status, status, viewer

SHARE = "share-aaaaaaaa"


def book_with_a_share() -> Book:
    book = Book()
    book.hear(EngineStarted(BASE_URL))
    book.add(SHARE, link=f"{BASE_URL}/#secret", label="Screenshot 14:03", limits=Limits(), now=1000.0)
    return book


def test_a_share_is_listed_before_the_engine_says_so() -> None:
    [listed] = book_with_a_share().overview().items
    assert listed.status.preparing
    assert listed.link == f"{BASE_URL}/#secret"
    assert listed.watchers == 0


def test_what_the_engine_says_takes_over_and_keeps_link_and_thumbnail() -> None:
    book = book_with_a_share()
    book.set_thumbnail(SHARE, b"png")
    book.hear(StatusChanged(engine_status(status(SHARE, viewers=(viewer(),)))))
    [listed] = book.overview().items
    assert (listed.link, listed.thumbnail, listed.watchers, listed.size) == (
        f"{BASE_URL}/#secret",
        b"png",
        1,
        100_000,
    )


def test_whoever_has_not_shown_the_secret_is_not_counted() -> None:
    book = book_with_a_share()
    book.hear(StatusChanged(engine_status(status(SHARE, viewers=(viewer(state=ViewerState.CONNECTING),)))))
    assert book.overview().watchers == 0


def test_newest_first_whoever_tells_of_it() -> None:
    book = book_with_a_share()
    book.hear(StatusChanged(engine_status(status(SHARE))))
    book.add("share-bbbbbbbb", link=f"{BASE_URL}/#b", label="b", limits=Limits(), now=2000.0)
    assert [item.status.share for item in book.overview().items] == ["share-bbbbbbbb", SHARE]


def test_a_revoked_share_is_gone_at_once_and_stays_gone() -> None:
    book = book_with_a_share()
    said = StatusChanged(engine_status(status(SHARE)))
    book.hear(said)
    book.revoking(SHARE)
    assert book.overview().items == ()
    book.hear(said)  # was on its way
    assert book.overview().items == ()
    assert not book.lives(SHARE)
    book.hear(StatusChanged(engine_status()))
    assert book.overview().items == ()


def test_revoking_all_leaves_nothing() -> None:
    book = book_with_a_share()
    book.hear(StatusChanged(engine_status(status("share-cccccccc"))))
    book.revoking_all()
    assert book.overview().items == ()


def test_a_share_that_ended_by_itself_goes() -> None:
    book = book_with_a_share()
    book.hear(ShareEnded(SHARE, EndReason.EXPIRED))
    assert book.overview().items == ()


def test_links_follow_the_address_of_the_machine() -> None:
    book = book_with_a_share()
    book.hear(BaseUrlChanged("http://198.51.100.9:21880"))
    assert book.base_url == "http://198.51.100.9:21880"
    assert book.overview().items[0].link == "http://198.51.100.9:21880/#secret"


def test_a_status_without_an_address_does_not_take_the_known_one_away() -> None:
    book = book_with_a_share()
    book.hear(StatusChanged(engine_status(base_url="")))
    assert book.base_url == BASE_URL


def test_when_the_engine_dies_shares_stay_viewers_go_and_counts_are_kept() -> None:
    book = book_with_a_share()
    before = status(SHARE, viewers=(viewer("v2"),), departed=(viewer("v1", ViewerState.LEFT),), views=2, max_views=5)
    book.hear(StatusChanged(engine_status(before)))
    book.engine_died("It stopped.", 1500.0)
    overview = book.overview()
    assert (overview.server, overview.problem) == (ServerState.OFFLINE, "It stopped.")
    [waiting] = overview.items
    assert waiting.status.viewers == ()
    assert [(gone.viewer, gone.left_reason, gone.left_at) for gone in waiting.status.departed] == [
        ("v2", EndReason.LOST, 1500.0),
        ("v1", EndReason.CLOSED, 1010.0),
    ]

    book.hear(EngineStarted(BASE_URL))
    book.hear(StatusChanged(engine_status(status(SHARE, created_at=1501.0, views=1, max_views=3, bytes_sent=10))))
    [joined] = book.overview().items
    assert (joined.status.views, joined.status.max_views, joined.status.created_at) == (3, 5, 1000.0)
    assert len(joined.status.departed) == 2
    assert book.overview().problem == ""


def test_before_the_engine_speaks_it_is_being_waited_for() -> None:
    assert Book().overview().server is ServerState.CONNECTING


def test_new_limits_show_even_while_the_engine_is_away() -> None:
    book = book_with_a_share()
    book.limit(SHARE, Limits(expires_s=60.0, max_views=2))
    [listed] = book.overview().items
    assert (listed.status.expires_at, listed.status.max_views) == (1060.0, 2)


def test_a_link_is_never_printed() -> None:
    assert "secret" not in repr(book_with_a_share().overview())
