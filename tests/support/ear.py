"""A listener to the signalling client that keeps what it hears."""

from __future__ import annotations

from seedshot_desktop.seed.messages import ServerState
from signal_server import protocol


class Ear:
    """signalling.Listener"""

    def __init__(self) -> None:
        self.states: list[tuple[ServerState, str, float]] = []
        self.heard: list[object] = []

    def on_server(self, state: ServerState, problem: str, retry_s: float) -> None:
        self.states.append((state, problem, retry_s))

    def on_seeding(self, share: str, stun_urls: tuple[str, ...]) -> None:
        self.heard.append(("seeding", share, *stun_urls))

    def on_refused(self, share: str, code: protocol.ErrorCode) -> None:
        self.heard.append(("refused", share, code))

    def on_offer(self, offer: protocol.Offer) -> None:
        self.heard.append(offer)

    def on_candidate(self, message: protocol.OwnerCandidate) -> None:
        self.heard.append(message)

    def on_left(self, message: protocol.Left) -> None:
        self.heard.append(message)
