"""Who knocks at which owner: viewers whose offer was passed on and who have not been let in. Pure.

A stranger who knows an id can knock as often as he likes, so places are few
and are shared out by address: while all are taken, an address that holds many
gives its oldest up to one that holds few. One address alone can thus keep
nobody else out, and an owner never sees more than `knocking_per_owner`.
"""

from __future__ import annotations

from signal_server.limits import Limits
from signal_server.members import Socket


class Knocks:
    """Viewers' sockets by the socket of the owner they knock at and by their address (see `gate.quota_key`)."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._at: dict[Socket, tuple[Socket, str, float]] = {}
        """Of each viewer: the owner, the address, and since when; the oldest first."""
        self._crowds: dict[Socket, dict[str, dict[Socket, None]]] = {}

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, viewer: Socket) -> bool:
        return viewer in self._at

    def has_room(self, owner: Socket, address: str) -> bool:
        """May one more of `address` knock, be it in the place of another (see `in_the_way`)?"""
        crowd = self._crowds.get(owner, {})
        here = len(crowd.get(address, ()))
        if here >= self._limits.knocking_per_address:
            return False
        return not self._is_full(owner) or max(len(viewers) for viewers in crowd.values()) > here + 1

    def in_the_way(self, owner: Socket) -> Socket | None:
        """Who has to leave before one more may knock: the oldest of the address that holds the most."""
        if not self._is_full(owner):
            return None
        largest = max(self._crowds[owner].values(), key=len)
        return next(iter(largest))

    def add(self, owner: Socket, viewer: Socket, address: str, now: float) -> None:
        """`viewer` knocks."""
        self._at[viewer] = owner, address, now
        self._crowds.setdefault(owner, {}).setdefault(address, {})[viewer] = None

    def remove(self, viewer: Socket) -> None:
        """`viewer` knocks no longer; nothing if it does not."""
        if viewer not in self._at:
            return
        owner, address, _ = self._at.pop(viewer)
        crowd = self._crowds[owner]
        del crowd[address][viewer]
        if not crowd[address]:
            del crowd[address]
        if not crowd:
            del self._crowds[owner]

    def overdue(self, now: float) -> Socket | None:
        """Who has knocked for so long that the owner must have forgotten it."""
        for viewer, (_, _, since) in self._at.items():
            return viewer if now - since >= self._limits.knock_s else None
        return None

    def _is_full(self, owner: Socket) -> bool:
        return sum(len(viewers) for viewers in self._crowds.get(owner, {}).values()) >= self._limits.knocking_per_owner
