"""The page's address as the network changes, with a routing table by hand; and no packet is sent to find it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from seedshot_desktop.seed import addresses, uplink
from seedshot_desktop.seed.engine import no_embedded_server
from seedshot_desktop.seed.messages import EngineOptions
from seedshot_desktop.seed.signalling import MAX_REMEMBERED
from seedshot_desktop.seed.uplink import Uplink
from signal_server import protocol
from tests.support.ear import Ear

TOKEN = "AAECAwQFBgcICQoLDA0ODw"


class Hosted:
    """uplink.HostedServer"""

    host = "127.0.0.1"
    port = 21880
    closed = False

    async def close(self) -> None:
        self.closed = True


class Route:
    """The default route's address."""

    address: str | None = "192.0.2.7"

    def __call__(self) -> str | None:
        return self.address


@pytest.fixture
def route(monkeypatch: pytest.MonkeyPatch) -> Route:
    route = Route()
    monkeypatch.setattr(uplink, "default_route_address", route)
    return route


@asynccontextmanager
async def started(options: EngineOptions) -> AsyncIterator[tuple[Uplink, list[str]]]:
    moves: list[str] = []
    hosted = Hosted()

    async def host(_: EngineOptions) -> Hosted:
        return hosted

    link = Uplink(Ear(), host, moves.append)
    await link.start(options)
    yield link, moves
    await link.stop()
    assert hosted.closed is not bool(options.server_url)


async def test_the_page_moves_with_the_default_route(route: Route) -> None:
    async with started(EngineOptions()) as (link, moves):
        assert link.base_url == "http://192.0.2.7:21880"
        link.check()
        assert moves == []
        route.address = "198.51.100.3"
        link.check()
        assert moves == [link.base_url] == ["http://198.51.100.3:21880"]


async def test_without_a_network_the_last_address_stands(route: Route) -> None:
    async with started(EngineOptions()) as (link, moves):
        route.address = None
        link.check()
        assert link.base_url == "http://192.0.2.7:21880"
        assert moves == []


async def test_a_computer_that_never_had_a_network_reaches_itself(route: Route) -> None:
    route.address = None
    async with started(EngineOptions()) as (link, moves):
        assert link.base_url == "http://127.0.0.1:21880"
        route.address = "192.0.2.7"
        link.check()
        assert moves == ["http://192.0.2.7:21880"]


@pytest.mark.parametrize(
    ("options", "base_url"),
    [
        (EngineOptions(advertised_host="desk.example"), "http://desk.example:21880"),
        (EngineOptions(advertised_host="2001:db8::7"), "http://[2001:db8::7]:21880"),
        (EngineOptions(listen_host="127.0.0.1"), "http://127.0.0.1:21880"),
        (EngineOptions(server_url="https://seed.example/"), "https://seed.example"),
    ],
)
async def test_a_page_with_a_name_stays_where_it_is(route: Route, options: EngineOptions, base_url: str) -> None:
    async with started(options) as (link, moves):
        route.address = "198.51.100.3"
        link.check()
        assert link.base_url == base_url
        assert moves == []


async def test_options_that_lead_to_the_same_server_change_nothing(route: Route) -> None:
    async with started(EngineOptions()) as (link, _):
        assert link.same_server(EngineOptions(max_viewers=3, stun_urls=("stun:stun.example",)))
        assert not link.same_server(EngineOptions(listen_port=1))
        assert not link.same_server(EngineOptions(server_url="https://seed.example"))


def test_the_clock_goes_on() -> None:
    first = addresses.clock()
    assert addresses.clock() >= first


def test_ipv6_addresses_stand_in_brackets() -> None:
    assert addresses.base_url_of("::1", 80) == addresses.base_url_of("[::1]", 80) == "http://[::1]:80"
    assert addresses.base_url_of("192.0.2.7", 80) == "http://192.0.2.7:80"


async def test_what_ended_between_two_servers_is_kept_for_the_next_one(route: Route) -> None:
    ended = {protocol.id_of_token(TOKEN): (TOKEN, protocol.EndedReason.REVOKED)}
    (share,) = ended
    async with started(EngineOptions(server_url="https://seed.example")) as (link, _):
        link.seed(share, TOKEN)
        link.unseed(share, TOKEN, protocol.EndedReason.REVOKED)
        for _ in range(2):
            before = link.signalling
            await link.stop()
            await link.start(EngineOptions(server_url="https://seed.example"))
            assert link.signalling is not None
            assert link.signalling is not before
            assert link.signalling.unheard == ended


async def test_what_ends_without_a_server_is_kept_within_bounds(route: Route) -> None:
    link = Uplink(Ear(), no_embedded_server, lambda _: None)
    for number in range(MAX_REMEMBERED + 5):
        token = base64.urlsafe_b64encode(number.to_bytes(16, "big")).decode().rstrip("=")
        link.unseed(protocol.id_of_token(token), token, protocol.EndedReason.EXPIRED)
    await link.start(EngineOptions(server_url="https://seed.example"))
    assert link.signalling is not None
    assert len(link.signalling.unheard) == MAX_REMEMBERED
    await link.stop()
