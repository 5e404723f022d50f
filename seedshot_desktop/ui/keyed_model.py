"""A list for Qt's views that takes whole frozen snapshots and tells the view only what differs.

Selection, scroll position and focus stay where they are while numbers change
five times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Row = TypeVar("Row")
_Index = QModelIndex | QPersistentModelIndex

ROW_ROLE = Qt.ItemDataRole.UserRole
"""The row itself, for the delegate that draws it."""


class KeyedModel(QAbstractListModel, Generic[Row]):
    """Rows that are known by a key; `spoken` gives a row in words, for screen readers and tests."""

    def __init__(
        self,
        key: Callable[[Row], str],
        spoken: Callable[[Row], str],
        usable: Callable[[Row], bool] = lambda _row: True,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._key, self._spoken, self._usable = key, spoken, usable
        self._rows: list[Row] = []

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """How many rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The row, or its words."""
        row = self._rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._spoken(row)
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Headings cannot be chosen."""
        if index.isValid() and not self._usable(self._rows[index.row()]):
            return Qt.ItemFlag.NoItemFlags
        return super().flags(index)

    def row(self, number: int) -> Row | None:
        """The row there, if there is one."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def find(self, key: str) -> int:
        """The number of the row with that key, or -1."""
        return next((number for number, row in enumerate(self._rows) if self._key(row) == key), -1)

    def apply(self, rows: Sequence[Row]) -> None:
        """Be `rows`."""
        wanted = [self._key(row) for row in rows]
        if [self._key(row) for row in self._rows] != wanted:
            self._reshape(rows, wanted)
        self._renew(rows)

    def _reshape(self, rows: Sequence[Row], wanted: list[str]) -> None:
        """Take out and put in, so that the keys agree; begin anew where the rest changed its order."""
        kept = set(wanted)
        for number in reversed(range(len(self._rows))):
            if self._key(self._rows[number]) not in kept:
                self.beginRemoveRows(QModelIndex(), number, number)
                del self._rows[number]
                self.endRemoveRows()
        present = {self._key(row) for row in self._rows}
        if [self._key(row) for row in self._rows] != [key for key in wanted if key in present]:
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
            return
        for number, (key, row) in enumerate(zip(wanted, rows, strict=True)):
            if key not in present:
                self.beginInsertRows(QModelIndex(), number, number)
                self._rows.insert(number, row)
                self.endInsertRows()

    def _renew(self, rows: Sequence[Row]) -> None:
        """The same keys; tell of the stretch that differs."""
        different = [number for number, row in enumerate(rows) if row != self._rows[number]]
        self._rows = list(rows)
        if different:
            self.dataChanged.emit(self.index(different[0]), self.index(different[-1]))
