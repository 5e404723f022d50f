"""The chunks that are on their way: which have arrived, which are lost, which are to be sent again (pure).

What RFC 6675 calls a scoreboard, for SCTP: the cumulative TSN and the gap blocks of a SACK say what has arrived, RACK
(RFC 8985) what has not. Each transmission of a chunk stands by itself, so the loss of a retransmission is seen as soon
as any other. The work of an acknowledgement is that of the news in it, whatever its blocks say once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from seedshot_desktop.seed.transport.delivery import Fate, Sent
from seedshot_desktop.seed.transport.rack import Rack
from seedshot_desktop.seed.transport.sacks import Block, difference

REPORTED_BLOCKS = 16
"""Some receivers name no more than this many gap blocks, so chunks beyond the last may have arrived."""
_OUTSTANDING, _LOST, _ACKED = Fate  # looking a member up costs more than what is done with it


class Scoreboard:
    """Keeps every chunk from its first sending until it is acknowledged. TSNs are counted on without wrapping."""

    def __init__(self, first_tsn: int) -> None:
        self.next_tsn = first_tsn
        self.cumulative = first_tsn - 1
        """All chunks up to this one have arrived."""
        self.in_flight = 0
        """Bytes of chunks that have left and of which nothing is known yet, headers included."""
        self.rack = Rack()
        self.deadline: float | None = None
        """When to look for losses again; None while no chunk is waited for."""
        self.dark = False
        """The last SACK, or the one before, may have left out what has arrived: what it adds may have come long ago."""
        self._chunks: dict[int, Sent] = {}
        self._order: deque[tuple[Sent, int]] = deque()
        self._lost: deque[Sent] = deque()
        self._gaps: list[Block] = []
        self._highest_acked = self.cumulative
        self._complete = True
        self._frozen_stream = -1

    def __len__(self) -> int:
        return len(self._chunks)

    def __iter__(self) -> Iterator[Sent]:
        """The chunks that are kept, the oldest first."""
        return iter(self._chunks.values())

    @property
    def span(self) -> int:
        """Chunks from the first that is not acknowledged to the newest."""
        return self.next_tsn - 1 - self.cumulative

    @property
    def idle(self) -> bool:
        """Whether everything that is still to be delivered has arrived."""
        if self._frozen_stream < 0:
            return not self._chunks
        return all(sent.fate is _ACKED for sent in self._chunks.values())

    # Sending

    def add(self, chunk: bytes, size: int) -> Sent:
        """A new chunk, which has the number `next_tsn` and `size` bytes on the link."""
        tsn = self.next_tsn
        self.next_tsn = tsn + 1
        self._chunks[tsn] = sent = Sent(tsn, chunk, size)
        return sent

    def leaves(self, sent: Sent) -> None:
        """A chunk is sent, for the first time or once more."""
        sent.times += 1
        sent.fate = _OUTSTANDING
        sent.dark = self.dark
        self.in_flight += sent.size
        self._order.append((sent, sent.times))

    def next_lost(self) -> Sent | None:
        """The chunk that is to be sent again before all others."""
        lost = self._lost
        while lost and lost[0].fate is not _LOST:
            lost.popleft()  # it has arrived meanwhile, or nobody wants it any more
        return lost[0] if lost else None

    def take_lost(self) -> Sent:
        """The same, which leaves now."""
        return self._lost.popleft()

    def take_tail(self) -> Sent | None:
        """The newest chunk that is on its way, to be sent once more."""
        for sent in reversed(self._chunks.values()):
            if sent.fate is _OUTSTANDING:
                self.in_flight -= sent.size
                return sent
        return None

    def take_outstanding(self) -> Iterator[Sent]:
        """Every chunk that is on its way, to be sent once more before the next is taken."""
        for sent in self._chunks.values():
            if sent.fate is _OUTSTANDING:
                self.in_flight -= sent.size
                yield sent

    def freeze(self, stream: int) -> None:
        """Chunks of that stream are never sent again: they count as if they had arrived."""
        self._frozen_stream = stream
        for sent in self._chunks.values():
            if sent.stream == stream and sent.fate is not _ACKED:
                if sent.fate is _OUTSTANDING:
                    self.in_flight -= sent.size
                sent.fate = _ACKED

    # Acknowledgements

    def acknowledge(self, cumulative: int, blocks: list[Block]) -> tuple[Sent | None, int]:
        """A SACK says that all up to `cumulative` has arrived, and what `blocks` name; both were checked.

        Gives the chunk that left last of those that are known to have arrived only now, None where there is none, and
        the bytes of those that never counted as arrived before.
        """
        acked: list[Sent] = []
        for tsn in range(self.cumulative + 1, cumulative + 1):
            sent = self._chunks.pop(tsn)
            if sent.fate is not _ACKED:
                acked.append(sent)
        self.cumulative = cumulative
        self._highest_acked = max(self._highest_acked, cumulative)
        self._read_gaps(blocks, acked)
        return self._mark(acked)

    def _read_gaps(self, blocks: list[Block], acked: list[Sent]) -> None:
        """Add to `acked` what the blocks name and the last ones did not."""
        for start, end in difference(blocks, self._gaps):
            for tsn in range(start, end + 1):
                sent = self._chunks[tsn]
                if sent.fate is not _ACKED:
                    acked.append(sent)
        complete = len(blocks) < REPORTED_BLOCKS
        self.dark = not (complete and self._complete)
        self._complete = complete
        if blocks:
            self._highest_acked = max(self._highest_acked, blocks[-1][1])
        self._gaps = blocks

    def _mark(self, acked: list[Sent]) -> tuple[Sent | None, int]:
        newest: Sent | None = None
        newly = 0
        for sent in acked:
            if sent.fate is _OUTSTANDING:
                self.in_flight -= sent.size
            sent.fate = _ACKED
            if not sent.counted:
                sent.counted = True
                newly += sent.size
            if newest is None or (sent.sent_at, sent.tsn) > (newest.sent_at, newest.tsn):
                newest = sent
        return newest, newly

    # Losses

    def detect(self, now: float, min_rtt: float, smoothed_rtt: float | None) -> list[Sent]:
        """The chunks that are taken for lost now: they left long enough before something that has arrived."""
        self.deadline = None
        lost: list[Sent] = []
        wait = self.rack.patience(min_rtt, smoothed_rtt)
        newest = self.rack.newest
        order = self._order
        while order:
            sent, times = order[0]
            if sent.times != times or sent.fate is not _OUTSTANDING:
                order.popleft()
                continue
            if (sent.sent_at, sent.tsn) >= newest:
                break
            lost_at = sent.sent_at + wait
            if not self._complete and sent.tsn > self._highest_acked:
                # a SACK that is full of blocks says nothing of later chunks: they get a round trip more to be named
                lost_at += smoothed_rtt or 0.0
            if lost_at > now:
                self.deadline = lost_at
                break
            order.popleft()
            self._lose(sent)
            lost.append(sent)
        return lost

    def _lose(self, sent: Sent) -> None:
        sent.fate = _LOST
        self.in_flight -= sent.size
        if sent.stream:
            self._lost.append(sent)
        else:
            self._lost.appendleft(sent)

    def lose_all(self) -> tuple[list[Sent], int]:
        """All of it is to be sent again, even what blocks have named: a receiver may forget that (RFC 9260, 6.2.1).

        Gives what is missing, and the bytes of it that were not taken for lost before.
        """
        missing = [sent for sent in self._chunks.values() if sent.stream != self._frozen_stream]
        newly = 0
        for sent in missing:
            if sent.fate is _OUTSTANDING:
                newly += sent.size
            sent.fate = _LOST
        self.in_flight -= newly
        self._lost = deque(sorted(missing, key=lambda sent: sent.stream != 0))
        self._gaps = []
        self._order.clear()
        self.deadline = None
        return missing, newly
