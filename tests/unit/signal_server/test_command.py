"""The command's arguments, and the sentences it says when it cannot start."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import pytest

import seedshot_desktop
import signal_server
from signal_server.__main__ import main
from signal_server.gate import client_address, parse_address
from signal_server.listen import ListenError, PortTakenError, open_socket, tls_context


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--port", "x"],
        ["--port", "9" * 5000],
        ["--max-sockets", "0"],
        ["--drain", "nan"],
        ["--drain", "-1"],
        ["--allowed-host", "https://a.example"],
        ["--allowed-host", "a.example:80"],
        ["--trust-forwarded-from", "everyone"],
        ["--stun", "stun.example.org"],
        ["--stun", "turn:stun.example.org"],
        ["--stun", "stuns:stun.example.org"],
        ["--stun", "stun:stun.example.org:65536"],
        ["--stun", "stun:stun.example.org?transport=tcp"],
        ["--stun", "stun:2001:db8::1"],
        ["--stun", "stun:a stun:b"],
        ["--stun", 'stun:">'],
        ["--stun=stun:a"] * 5,
        ["--trust-forwarded-from", "10.0.0.1/8"],
        ["surplus"],
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "Traceback" not in capsys.readouterr().err


def test_both_distributions_have_one_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"seedshot-signal {seedshot_desktop.__version__}\n"
    assert signal_server.__version__ == seedshot_desktop.__version__


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["--host", "127.0.0.1", "--port", str(port)]) == 1
    expected = f"seedshot-signal: Port {port} is taken by another program. Choose another port.\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "no-such-host.invalid"], "The host to listen on is not known here."),
        (["--host", "192.0.2.1"], "Cannot listen on port 21880: "),
        (["--tls-cert", "/nonexistent.pem"], "The TLS certificate or key cannot be read: no such file or directory."),
        (["--tls-cert", __file__], "The TLS certificate and key cannot be used: not PEM, or not of one pair."),
        (["--tls-key", __file__], "A TLS key was given without its certificate."),
    ],
)
def test_what_hinders_the_start_is_one_line(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"seedshot-signal: {sentence}")
    assert error.count("\n") == 1


def test_the_next_free_port_is_taken() -> None:
    with open_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with open_socket("127.0.0.1", port, attempts=20) as second:
            assert port < second.getsockname()[1] < port + 20
        with pytest.raises(PortTakenError, match=f"Port {port} is taken"):
            open_socket("127.0.0.1", port)


def test_the_last_port_is_the_last() -> None:
    with open_socket("127.0.0.1", 65535), pytest.raises(PortTakenError, match="Port 65535 is taken"):
        open_socket("127.0.0.1", 65535, attempts=20)


@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_every_address_means_both_families_on_one_port(client: str) -> None:
    if client == "::1":
        assert socket.has_dualstack_ipv6()
    with open_socket("", 0) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection((client, port), timeout=5):
            accepted, peer = listening.accept()
            accepted.close()
            assert parse_address(peer[0]) == parse_address(client)


def test_no_certificate_is_no_tls() -> None:
    assert tls_context(None, None) is None


def test_an_encrypted_key_is_refused_rather_than_asked_for(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(ListenError, match="cannot be used"):
        tls_context(tmp_path / "key.pem", tmp_path / "key.pem")


def test_networks_are_addresses_too() -> None:
    network = ipaddress.ip_network("127.0.0.1")
    assert client_address(parse_address("127.0.0.1"), ["192.0.2.1"], (network,)) == parse_address("192.0.2.1")
