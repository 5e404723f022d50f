"""Rooms on a stage: sockets that speak, a clock that is set, and what everybody hears."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from signal_server.limits import Limits
from signal_server.members import Action, Close, Counts, Send
from signal_server.protocol import (
    AnyMessage,
    Error,
    ErrorCode,
    Seed,
    ServerMessage,
    View,
    encode,
    encode_base64url,
    id_of_token,
)
from signal_server.rooms import Rooms

NOTHING = Counts(sockets=0, owners=0, viewers=0, shares=0, paired=0, waiting=0, offline=0, tombstones=0)
OWNER, OTHER, ANNA, BERT, CARL = 1, 2, 11, 12, 13

Heard = list[tuple[int, ServerMessage | tuple[str, int]]]


def token(number: int) -> str:
    return encode_base64url(number.to_bytes(16, "big"))


TOKEN = token(1)
ID = id_of_token(TOKEN)


class Stage:
    """Rooms with a clock, and sockets that connect when they first speak; viewers are called v1, v2, …"""

    def __init__(self, **limits: Any) -> None:
        names = (f"v{number}" for number in itertools.count(1))
        self.rooms = Rooms(replace(Limits(), **limits), mint=lambda: next(names))
        self.now = 1000.0
        self.here: set[int] = set()

    def says(self, socket: int, said: AnyMessage | str | bytes, address: str = "") -> Heard:
        self.connects(socket, address)
        data = said if isinstance(said, str | bytes) else encode(said)
        return self._heard(self.rooms.receive(socket, data, self.now))

    def connects(self, socket: int, address: str = "") -> None:
        if socket not in self.here:
            self.here.add(socket)
            self.rooms.connect(socket, address or f"address of {socket}", self.now)

    def leaves(self, socket: int) -> Heard:
        self.here.discard(socket)
        return self._heard(self.rooms.disconnect(socket, self.now))

    def passes(self, seconds: float) -> Heard:
        self.now += seconds
        return self._heard(self.rooms.tick(self.now))

    def seeds(self, socket: int = OWNER, of: str = TOKEN) -> Heard:
        return self.says(socket, Seed(of))

    def views(self, socket: int, id: str = ID, address: str = "") -> Heard:
        return self.says(socket, View(id, f"offer of {socket}"), address)

    def _heard(self, actions: list[Action]) -> Heard:
        heard: Heard = []
        for action in actions:
            match action:
                case Send(socket, message):
                    heard.append((socket, message))
                case Close(socket, code, _):
                    self.here.discard(socket)
                    heard.append((socket, ("closed", code)))
        return heard


def errors(heard: Heard) -> list[tuple[int, ErrorCode]]:
    return [(socket, message.code) for socket, message in heard if isinstance(message, Error)]


def refused(socket: int, code: ErrorCode) -> list[tuple[int, ErrorCode]]:
    return [(socket, code)]
