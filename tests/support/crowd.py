"""``python -m tests.support.crowd LINK COUNT``: so many viewers of one link, each with a connection of its own.

Each receives every file, and stays until standard input ends.
"""

from __future__ import annotations

import asyncio
import sys

from tests.support.viewer import NotSeedingError, Viewer
from tests.support.waiting import until

_PATIENCE_S = 60.0
_ASK_AGAIN_S = 0.5
_LET_IN_S = 45.0


async def main(link: str, count: int) -> None:
    """All of them."""
    leaving = asyncio.create_task(asyncio.to_thread(sys.stdin.read), name="until told to leave")
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(_visit(link, leaving), name=f"viewer {number}")


async def _visit(link: str, leaving: asyncio.Task[str]) -> None:
    viewer = await _opened(link)
    try:
        await viewer.fetch_all()
        await asyncio.shield(leaving)
    finally:
        await viewer.leave()


async def _opened(link: str) -> Viewer:
    """Ask again while the owner or the server has its hands full, as the page does."""

    async def let_in() -> Viewer | None:
        viewer = Viewer(link, deadline_s=_PATIENCE_S)
        try:
            await viewer.open()
        except NotSeedingError:
            await viewer.vanish()
            return None
        return viewer

    return await until(let_in, "being let in", _LET_IN_S, interval_s=_ASK_AGAIN_S)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
