"""The signalling server goes and comes back; transfers go on, links heal, what was ended stays ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from seedshot_desktop.seed.messages import (
    EngineOptions,
    ServerBack,
    ServerLost,
    ServerState,
    Shared,
    Viewed,
    ViewerLeft,
)
from signal_server import protocol
from signal_server.server import ServerConfig, SignalServer
from tests.support.owner import Owner, content, picture
from tests.support.viewer import NotSeedingError, Viewer


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[SignalServer]:
    """A signalling server of its own."""
    async with SignalServer(ServerConfig(host="127.0.0.1", port=port)) as server:
        yield server


def at(port: int) -> EngineOptions:
    return EngineOptions(server_url=f"http://127.0.0.1:{port}")


async def test_a_running_transfer_outlives_the_server_and_the_link_heals() -> None:
    async with serving() as server:
        port = server.address[1]
        async with Owner(at(port)) as owner:
            share = await owner.share(picture(8_000_000))
            async with Viewer(share.link) as viewer:
                await viewer.fetch(until=200_000)
                await server.close()
                lost = await owner.saw(ServerLost)
                assert lost.reason.endswith(".")
                assert owner.engine.status().server is ServerState.OFFLINE
                assert await viewer.fetch(offset=viewer.held) == content(8_000_000)
                await owner.saw(Viewed)
                async with serving(port):
                    await owner.saw(ServerBack)
                    await owner.saw(Shared, times=2)
                    assert owner.engine.status().server is ServerState.ONLINE
                    async with Viewer(share.link) as other:
                        assert await other.fetch(until=1000)
                    await owner.saw(ViewerLeft)
                    assert not viewer.ended.done()


async def test_a_share_that_ended_while_the_server_was_away_is_ended_there_too() -> None:
    async with serving() as server:
        port = server.address[1]
        async with Owner(at(port)) as owner:
            ended, live = await owner.share(picture(10)), await owner.share(picture(10))
            await server.close()
            await owner.saw(ServerLost)
            ended.revoke()
            async with serving(port):
                await owner.saw(Shared, lambda event: event.share == live.id, times=2)
                with pytest.raises(NotSeedingError) as told:
                    async with Viewer(ended.link):
                        pass
                assert told.value.message == protocol.Revoked()
                async with Viewer(live.link) as viewer:
                    assert await viewer.fetch() == content(10)


async def test_an_owner_without_a_server_goes_on_trying_and_the_link_starts_to_work() -> None:
    async with serving() as server:
        port = server.address[1]
    async with Owner(at(port)) as owner:
        sharing = asyncio.create_task(owner.share(picture(10)))
        assert "not running" in (await owner.saw(ServerLost)).reason
        async with serving(port):
            share = await sharing
            async with Viewer(share.link) as viewer:
                assert await viewer.fetch() == content(10)


async def test_a_draining_server_is_left_and_found_again() -> None:
    async with serving() as server:
        port = server.address[1]
        async with Owner(at(port)) as owner:
            share = await owner.share(picture(10))
            async with Viewer(share.link) as viewer:
                await viewer.fetch_all()
                await server.drain()
                await owner.saw(ServerLost)
                async with serving(port):
                    await owner.saw(Shared, times=2)
                    share.revoke()
                    assert await viewer.the_end() == "revoked"


async def test_an_address_that_is_none_is_said_in_a_sentence() -> None:
    owner = Owner(EngineOptions(server_url="https://[example"))
    await owner.engine.run()
    assert [type(event).__name__ for event in owner.events] == ["EngineFailed"]
