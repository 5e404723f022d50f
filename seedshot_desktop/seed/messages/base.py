"""What every message, and every value inside one, is."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of every command and every event; ``tag`` is the class's name."""


class Value(msgspec.Struct, frozen=True):
    """Base of the values inside messages."""
