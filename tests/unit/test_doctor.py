"""The doctor: each finding, with what to do; probes that hang or crash do not take it with them."""

from __future__ import annotations

import http.server
import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedshot_desktop import doctor, settings
from seedshot_desktop.doctor import checks, probe_runner
from seedshot_desktop.doctor.checks import Check, Finding
from seedshot_desktop.settings import Settings
from tests.support.programs import free_port


@pytest.fixture(autouse=True)
def bare_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SEEDSHOT_RUNTIME_DIR", str(tmp_path / "run"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which something listens that is no Seedshot."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def local(port: int) -> Settings:
    return Settings(listen="local", listen_port=port)


def test_it_runs_without_a_display(capsys: pytest.CaptureFixture[str]) -> None:
    settings.save(local(free_port()))
    assert doctor.command(Namespace(json=False)) == 0
    captured = capsys.readouterr()
    assert "seedshot share FILE" in captured.out
    assert captured.err.endswith("Sharing works on this computer.\n")


def test_programs_get_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    settings.save(local(free_port()))
    doctor.command(Namespace(json=True))
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [item["check"] for item in found] == [
        *("versions", "settings", "display", "app", "links", "server", "firewall")
    ]
    assert {item["finding"] for item in found} <= {"works", "limited", "fails"}
    assert all(set(item) == {"check", "finding", "details", "advice"} for item in found)


def test_what_fails_makes_the_exit_code(taken_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    settings.save(Settings(server_url=f"http://127.0.0.1:{taken_port}"))
    assert doctor.command(Namespace(json=False)) == 1
    captured = capsys.readouterr()
    assert "✗ server" in captured.out
    assert "it answers with status 404" in captured.out
    assert "see the lines with ✗" in captured.err


def test_a_free_port_is_fine() -> None:
    port = free_port()
    assert checks.server(local(port), running=False) == Check("server", Finding.WORKS, f"port {port} is free")


def test_a_taken_port_costs_only_the_ports_number(taken_port: int) -> None:
    found = checks.server(local(taken_port), running=False)
    assert found.finding is Finding.LIMITED
    assert "taken by another program" in found.details
    assert "seedshot settings listen_port" in found.advice


def test_a_server_that_is_away_is_named(taken_port: int) -> None:
    port = free_port()
    found = checks.server(Settings(server_url=f"http://127.0.0.1:{port}"), running=False)
    assert found.finding is Finding.FAILS
    assert "refused" in found.details


def test_settings_that_cannot_be_used_are_told() -> None:
    path = settings.settings_path()
    path.parent.mkdir()
    path.write_text("listen_port = 99999\nlisten_prt = 1\n")
    found = checks.settings_file(settings.read())
    assert found.finding is Finding.LIMITED
    assert "line 1" in found.advice
    path.write_text("listen_prt = 1\n")
    assert "listen_prt" in checks.settings_file(settings.read()).advice


@pytest.mark.parametrize(
    ("kept", "finding", "words"),
    [
        (Settings(server_url="https://seedshot.example"), Finding.WORKS, "lead to https://seedshot.example"),
        (Settings(listen="local"), Finding.LIMITED, "only this computer"),
        (Settings(advertised_host="127.0.0.1"), Finding.LIMITED, "only this computer"),
        (Settings(advertised_host="no.such.host.invalid"), Finding.LIMITED, "is not known here"),
        (Settings(advertised_host="2001:db8::7"), Finding.WORKS, "lead to http://[2001:db8::7]:21880"),
    ],
)
def test_it_says_where_links_lead(kept: Settings, finding: Finding, words: str) -> None:
    found = checks.links(kept)
    assert found.finding is finding
    assert words in found.details


def test_a_probe_that_crashes_is_a_finding() -> None:
    answer = probe_runner.probe("no such probe")
    assert not answer.works
    assert "KeyError" in answer.details


def test_a_probe_that_hangs_is_given_up() -> None:
    answer = probe_runner.probe("capture", within_s=0.001)
    assert not answer.works
    assert "no answer within" in answer.details


def test_a_display_that_does_not_answer_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":1799")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)  # other tests draw without a display
    for check in (checks.qt(), checks.tray(), checks.hotkey("Ctrl+Shift+2", running=False), checks.capture()):
        assert check.finding is Finding.LIMITED
        assert "Traceback" not in check.details


def test_a_hotkey_that_the_app_holds_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = probe_runner.Answer(works=False, details="Another program holds it.", taken=True)
    monkeypatch.setattr(checks, "probe", lambda *_: taken)
    assert checks.hotkey("Ctrl+Shift+2", running=True).finding is Finding.WORKS
    assert checks.hotkey("Ctrl+Shift+2", running=False).finding is Finding.LIMITED
