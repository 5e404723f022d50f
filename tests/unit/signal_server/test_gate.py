"""Who may connect: quotas by address, own names, the page's own origin, whom a proxy names."""

from __future__ import annotations

import ipaddress

import pytest

from signal_server.gate import (
    Address,
    Gate,
    client_address,
    host_name,
    is_own_host,
    is_own_origin,
    is_plain_address,
    parse_address,
    quota_key,
)
from signal_server.limits import Bucket, Limits, Rate

LOOPBACK = parse_address("127.0.0.1")
LAN = parse_address("192.168.1.5")
PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.1"))


def address(text: str) -> Address:
    parsed = parse_address(text)
    assert parsed is not None
    return parsed


# Quotas


def test_half_open_connections_are_counted_by_address_and_in_all() -> None:
    gate = Gate(Limits(half_open=3, half_open_per_address=2))
    assert [gate.enter("a"), gate.enter("a"), gate.enter("a")] == [True, True, False]
    assert [gate.enter("b"), gate.enter("c")] == [True, False]
    gate.leave_half_open("a")
    assert gate.enter("c")
    for key in ("a", "b", "c"):
        gate.leave_half_open(key)
    assert gate.half_open == gate.addresses == 0


def test_a_websocket_gives_its_half_open_place_back() -> None:
    gate = Gate(Limits(half_open_per_address=1, sockets_per_address=2, sockets=3))
    for _ in range(2):
        assert gate.enter("a")
        assert gate.upgrade("a", "a")
    assert gate.enter("a")
    assert not gate.upgrade("a", "a")
    assert gate.half_open == 1, "who is refused is half open until it has gone"
    gate.leave_half_open("a")
    gate.leave("a")
    assert gate.enter("a")
    assert gate.upgrade("a", "a")


def test_websockets_are_bounded_in_all() -> None:
    gate = Gate(Limits(sockets=2))
    results = [gate.enter(key) and gate.upgrade(key, key) for key in ("a", "b", "c")]
    assert results == [True, True, False]
    gate.leave_half_open("c")
    for key in ("a", "b"):
        gate.leave(key)
    assert gate.sockets == gate.addresses == 0


def test_clients_behind_a_proxy_have_quotas_of_their_own() -> None:
    gate = Gate(Limits(sockets_per_address=1))
    for client in ("x", "y"):
        assert gate.enter("proxy")
        assert gate.upgrade("proxy", client)
    assert gate.enter("proxy")
    assert not gate.upgrade("proxy", "x")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_one_customer_shares_one_quota(one: str, other: str, same: bool) -> None:
    assert (quota_key(address(one)) == quota_key(address(other))) is same


def test_a_bucket_fills_again_but_never_over_its_brim() -> None:
    bucket = Bucket(Rate(per_s=2, burst=3), now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False]


# Behind proxies


@pytest.mark.parametrize(
    ("peer", "lines", "client"),
    [
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        ("127.0.0.1", ["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        ("127.0.0.1", ["203.0.113.9, nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["[2001:db8::5]"], "2001:db8::5"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed_and_only_from_the_right(peer: str, lines: list[str], client: str) -> None:
    assert client_address(address(peer), lines, PROXIES) == address(client)


def test_without_a_trusted_proxy_the_header_means_nothing() -> None:
    assert client_address(LOOPBACK, ["203.0.113.9"], ()) == LOOPBACK


# Own names


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("example.org:8080", "example.org"),
        ("192.168.1.5:80", "192.168.1.5"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("", None),
        (":80", None),
        ("a b", None),
        ("a/b", None),
        ("user@a", None),
        ("a#b", None),
        ("a:b", None),
        ("a:99999", None),
        ("[::1", None),
    ],
)
def test_host_names(host: str, name: str | None) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("host", "local", "own"),
    [
        ("192.168.1.5:21880", LAN, True),
        ("localhost:21880", LOOPBACK, True),
        ("127.0.0.1:21880", LOOPBACK, True),
        ("LocalHost.", LOOPBACK, True),
        ("named.example", LAN, True),
        ("NAMED.example:21880", LOOPBACK, True),
        ("localhost", LAN, False),
        ("127.0.0.1", LAN, False),
        ("192.168.1.6", LAN, False),
        ("rebound.attacker.example", LAN, False),
        ("rebound.attacker.example", LOOPBACK, False),
        ("127.0.0.1.attacker.example", LOOPBACK, False),
        ("localhost.attacker.example", LOOPBACK, False),
        ("named.example@attacker.example", LAN, False),
        ("", LAN, False),
    ],
)
def test_a_server_answers_to_its_own_names_only(host: str, local: Address, own: bool) -> None:
    assert is_own_host(host, local, frozenset({"named.example"})) is own


def test_a_public_server_answers_to_every_name_but_not_to_nonsense() -> None:
    assert is_own_host("any.example", LAN, None)
    assert not is_own_host("any.example/x", LAN, None)


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://a.example", "a.example", True),
        ("http://a.example:80", "a.example", True),
        ("https://a.example", "a.example", True),
        ("https://A.example", "a.EXAMPLE", True),
        ("http://192.168.1.5:21880", "192.168.1.5:21880", True),
        ("http://[::1]:21880", "[::1]:21880", True),
        ("http://a.example:8080", "a.example", False),
        ("http://a.example", "a.example:8080", False),
        ("http://b.example", "a.example", False),
        ("http://a.example.attacker.example", "a.example", False),
        ("http://x@a.example", "a.example", False),
        ("http://a.example/", "a.example", False),
        ("file://a.example", "a.example", False),
        ("null", "a.example", False),
        ("", "a.example", False),
        ("http://", "a.example", False),
        ("http://a.example:x", "a.example", False),
    ],
)
def test_a_websocket_is_opened_by_the_own_page_only(origin: str, host: str, own: bool) -> None:
    assert is_own_origin(origin, host) is own


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("192.168.1.5:21880", True),
        ("[2001:db8::1]", True),
        ("127.0.0.1:21880", False),
        ("[::1]", False),
        ("localhost", False),
        ("a.example", False),
        ("not a host", False),
    ],
)
def test_addresses_that_browsers_do_not_trust_over_http(host: str, plain: bool) -> None:
    assert is_plain_address(host) is plain
