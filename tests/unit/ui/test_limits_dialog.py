"""The two questions of a share's end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QPushButton

from seedshot_desktop.seed.messages import Limits
from seedshot_desktop.ui.limits_dialog import ExpiryField, LimitsDialog, ViewsField
from tests.support.qt import application, child, click, item, shown

NOW = 1300.0


@pytest.fixture(autouse=True)
def _at_second_1300(monkeypatch: pytest.MonkeyPatch) -> None:
    application()
    monkeypatch.setattr(time, "time", lambda: NOW)


@contextmanager
def opened(limits: Limits, **fields: object) -> Iterator[LimitsDialog]:
    """For a new share; with `fields`, for a living one that has them."""
    dialog = LimitsDialog("report.pdf", "", limits, item(**fields) if fields else None)  # type: ignore[arg-type]
    with shown(dialog):
        yield dialog


def boxes(dialog: LimitsDialog) -> tuple[ExpiryField, ViewsField]:
    return child(dialog, ExpiryField), child(dialog, ViewsField)


def button(dialog: LimitsDialog, text: str) -> QPushButton:
    return next(found for found in dialog.findChildren(QPushButton) if found.text() == text)


@pytest.mark.parametrize(
    "limits", [Limits(), Limits(expires_s=600.0), Limits(max_views=2), Limits(expires_s=5400.0, max_views=33)]
)
def test_what_is_shown_is_what_is_given_back(limits: Limits) -> None:
    with opened(limits) as dialog:
        assert dialog.limits() == limits


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("1 hour", 3600.0), (" 1h30m ", 5400.0), ("10 minutes", 600.0)]
)
def test_times_are_chosen_or_typed(text: str, seconds: float) -> None:
    with opened(Limits()) as dialog:
        boxes(dialog)[0].setEditText(text)
        assert dialog.limits().expires_s == seconds


def test_what_cannot_be_read_keeps_the_dialog_open_and_says_so() -> None:
    with opened(Limits()) as dialog:
        boxes(dialog)[0].setEditText("tomorrow")
        click(button(dialog, "Share"))
        assert dialog.isVisible()
        assert any("10m" in label.text() for label in dialog.findChildren(QLabel) if label.isVisible())
        boxes(dialog)[0].setEditText("10m")
        click(button(dialog, "Share"))
        assert dialog.result() == QDialog.DialogCode.Accepted


def test_the_time_of_a_living_share_counts_from_its_start() -> None:
    with opened(Limits(), created_at=1000.0, expires_at=1900.0) as dialog:
        assert boxes(dialog)[0].seconds() == 600.0
        assert dialog.limits().expires_s == 900.0
        boxes(dialog)[0].setEditText("60s")
        assert dialog.limits().expires_s == 360.0


def test_fewer_views_than_there_were_are_no_limit_for_a_living_share() -> None:
    with opened(Limits(max_views=9), views=4) as dialog:
        views: QComboBox = boxes(dialog)[1]
        choices = [views.itemData(index) for index in range(views.count())]
        assert choices == [None, 5, 10, 100]
        views.setEditText("4")
        with pytest.raises(ValueError, match="more than the 4 so far"):
            dialog.limits()
        views.setEditText("6")
        assert dialog.limits().max_views == 6


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "9999999"])
def test_numbers_of_views_that_mean_nothing(text: str) -> None:
    field = ViewsField(None)
    field.setEditText(text)
    with pytest.raises(ValueError, match="number of views"):
        field.views()
