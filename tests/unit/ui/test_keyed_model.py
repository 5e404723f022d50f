"""A list that is given whole snapshots and tells a view only what differs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt

from seedshot_desktop.ui.keyed_model import ROW_ROLE, KeyedModel
from tests.support.qt import application

Row = tuple[str, int]


@pytest.fixture(autouse=True, scope="module")
def _application() -> None:
    application()


class Watched:
    """A model, a mirror that is kept by its signals alone, and what they were."""

    def __init__(self) -> None:
        self.model: KeyedModel[Row] = KeyedModel(
            lambda row: row[0], lambda row: f"{row[0]} {row[1]}", lambda row: row[1] >= 0
        )
        self.mirror: list[str] = []
        self.signals: list[str] = []
        self.model.rowsInserted.connect(self._inserted)
        self.model.rowsRemoved.connect(self._removed)
        self.model.dataChanged.connect(self._changed)
        self.model.modelReset.connect(self._reset)

    def _words(self) -> list[str]:
        return [self.model.data(self.model.index(row)) for row in range(self.model.rowCount())]

    def _inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        self.signals.append(f"+{first}")
        self.mirror[first:first] = self._words()[first : last + 1]

    def _removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        self.signals.append(f"-{first}")
        del self.mirror[first : last + 1]

    def _changed(self, first: QModelIndex, last: QModelIndex) -> None:
        self.signals.append(f"~{first.row()}-{last.row()}")
        self.mirror[first.row() : last.row() + 1] = self._words()[first.row() : last.row() + 1]

    def _reset(self) -> None:
        self.signals.append("reset")
        self.mirror = self._words()


def test_only_what_differs_is_told() -> None:
    watched = Watched()
    watched.model.apply([("a", 1), ("b", 1), ("c", 1)])
    watched.signals.clear()
    watched.model.apply([("a", 1), ("b", 2), ("c", 1)])
    watched.model.apply([("a", 1), ("b", 2), ("c", 1)])
    watched.model.apply([("a", 1), ("c", 1)])
    watched.model.apply([("z", 1), ("a", 1), ("c", 1)])
    assert watched.signals == ["~1-1", "-1", "+0"]
    assert watched.mirror == ["z 1", "a 1", "c 1"]


def test_another_order_begins_anew() -> None:
    watched = Watched()
    watched.model.apply([("a", 1), ("b", 1)])
    watched.signals.clear()
    watched.model.apply([("b", 1), ("a", 1)])
    assert watched.signals == ["reset"]


def test_rows_by_number_and_by_key() -> None:
    model = Watched().model
    model.apply([("a", 1), ("b", 2)])
    assert model.row(1) == ("b", 2)
    assert model.row(2) is None
    assert model.row(-1) is None
    assert (model.find("b"), model.find("c")) == (1, -1)
    assert model.data(model.index(0), ROW_ROLE) == ("a", 1)
    assert model.data(model.index(0), Qt.ItemDataRole.AccessibleTextRole) == "a 1"
    assert model.data(model.index(0), Qt.ItemDataRole.DecorationRole) is None


def test_headings_cannot_be_chosen() -> None:
    model = Watched().model
    model.apply([("heading", -1), ("a", 1)])
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsSelectable


_rows = st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 2)), unique_by=lambda row: row[0], max_size=7)


@given(st.lists(_rows, max_size=6))
def test_a_view_that_only_listens_always_shows_the_last_snapshot(snapshots: list[list[Row]]) -> None:
    watched = Watched()
    for rows in snapshots:
        watched.model.apply(rows)
        assert watched.mirror == [f"{key} {value}" for key, value in rows]
