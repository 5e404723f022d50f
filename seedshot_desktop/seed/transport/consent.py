"""Consent to send: the viewer goes on answering checks, or nothing more is sent (RFC 7675).

aioice takes an answer that is later than half a second for none, and ends a connection after six of those: on a
satellite, or behind a queue that somebody else fills, every connection would end after half a minute. Here every
answer to a check of the last 30 seconds counts, as the RFC has it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from aioice import ice, stun

CHECK_S = 5.0
"""From one check to the next, in the mean (section 5.1)."""
EXPIRES_S = 30.0
"""After the last check that was answered."""


class Consent:
    """The checks of one connection, each on the path that is in use when it leaves."""

    def __init__(self, agent: ice.Connection, pair: Callable[[], ice.CandidatePair | None]) -> None:
        """`pair`: the one in use."""
        self._agent = agent
        self._pair = pair
        self._clock = asyncio.get_running_loop().time
        self._given_at = self._clock()
        self._open: list[_Check] = []

    async def expires(self) -> None:
        """Ask until nothing has been answered for `EXPIRES_S`; returns then."""
        known = self._pair()
        try:
            while (left := self._given_at + EXPIRES_S - self._clock()) > 0:
                await asyncio.sleep(min(left, CHECK_S * random.uniform(0.8, 1.2)))  # noqa: S311 - keeps no secret
                pair = self._pair()
                if pair is not known:  # a check on it has just been answered
                    known, self._given_at = pair, self._clock()
                if pair is not None:
                    self._ask(pair)
        finally:
            for check in self._open:
                check.forget()

    def _ask(self, pair: ice.CandidatePair) -> None:
        password = self._agent.remote_password
        assert password is not None
        now = self._clock()
        while self._open and self._open[0].sent_at <= now - EXPIRES_S:
            self._open.pop(0).forget()
        request = self._agent.build_request(pair, nominate=False)
        request.add_message_integrity(password.encode())
        self._open.append(_Check(pair, request.transaction_id, password.encode(), now, self._answered))
        pair.protocol.send_stun(request, pair.remote_addr)

    def _answered(self) -> None:
        self._given_at = self._clock()


class _Check:
    """Stands where aioice looks for whom an answer is to; it is never sent again (RFC 7675, section 5.1)."""

    def __init__(
        self, pair: ice.CandidatePair, transaction: bytes, key: bytes, sent_at: float, answered: Callable[[], None]
    ) -> None:
        self.sent_at = sent_at
        self._address = pair.remote_addr
        self._transaction = transaction
        self._key = key
        self._answered = answered
        transactions: Any = pair.protocol.transactions
        self._transactions: dict[bytes, Any] = transactions
        self._transactions[transaction] = self

    def response_received(self, message: stun.Message, addr: tuple[str, int]) -> None:
        """Any answer that is signed and comes from where the check went."""
        is_answer = message.message_class is stun.Class.RESPONSE and addr == self._address
        if is_answer and message.check_message_integrity(self._key):
            self.forget()
            self._answered()

    def forget(self) -> None:
        """No answer counts any more."""
        self._transactions.pop(self._transaction, None)
