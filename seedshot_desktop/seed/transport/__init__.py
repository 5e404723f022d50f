"""Peer connections to viewers: one class, ``Peer``, and what it is made with."""

from seedshot_desktop.seed.transport.certificate import Certificate
from seedshot_desktop.seed.transport.gathering import IceOptions
from seedshot_desktop.seed.transport.limits import RateLimit
from seedshot_desktop.seed.transport.peer import STRANGER, Peer, PeerCallbacks, PeerState

__all__ = ["STRANGER", "Certificate", "IceOptions", "Peer", "PeerCallbacks", "PeerState", "RateLimit"]
