"""The settings file: what is read, what is refused and how, and that saving loses nothing."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from seedshot_desktop import settings
from seedshot_desktop.errors import SettingsError
from seedshot_desktop.settings import Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "settings.toml"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def test_without_a_file_there_are_defaults(path: Path) -> None:
    assert settings.load(path) == Settings()
    assert not path.exists()


def test_what_was_saved_is_loaded(path: Path) -> None:
    kept = Settings(
        hotkey="Ctrl+Alt+S",
        server_url="https://seedshot.example",
        listen="local",
        listen_port=0,
        advertised_host="desk.local",
        expires_s=600,
        max_views=3,
        max_viewers=7,
        upload_limit_kib=512,
        share_upload_limit_kib=128,
        stun_urls=("stun:192.0.2.1:3478", "stun:[2001:db8::1]:3478"),
        turn_urls=("turns:relay.example:5349?transport=tcp",),
        turn_username="näme",
        turn_password='p"a\\s\ns\x7f',
        notifications=False,
    )
    settings.save(kept, path)
    assert settings.load(path) == kept


def test_every_setting_has_a_meaning_and_says_what_it_may_be() -> None:
    for name in settings.names():
        assert settings.meaning(name).endswith(".")
        assert settings.expected(name) != "text"


def test_only_what_differs_from_the_defaults_is_written(path: Path) -> None:
    settings.save(Settings(max_views=2), path)
    assert path.read_text().splitlines()[1:] == ["max_views = 2"]


def test_saving_keeps_comments_order_and_what_a_newer_version_wrote(path: Path) -> None:
    write(path, "# mine\nfuture = 1\nlisten_port = 5000  # open in the firewall\n\n[tables]\nmore = [1]\n")
    settings.save(settings.change(settings.load(path), {"listen_port": 6000, "max_views": 1}), path)
    assert path.read_text() == (
        "# mine\nfuture = 1\nlisten_port = 6000  # open in the firewall\n\nmax_views = 1\n[tables]\nmore = [1]\n"
    )


def test_saving_back_to_the_default_changes_the_line_that_is_there(path: Path) -> None:
    write(path, "listen_port = 5000\n")
    settings.save(Settings(), path)
    assert settings.load(path) == Settings()


@pytest.mark.parametrize(
    "text",
    [
        'stun_urls = [\n  "stun:a:1",  # first\n  "stun:b:2",\n]\nother = "x"\n',
        '"stun_urls" = ["stun:a:1"]\nother = "x"\n',
        "other = '''\nstun_urls = [\"stun:decoy:1\"]\n'''\nstun_urls = [\"stun:a:1\"]\n",
        'turn_password = """\nmany\nlines"""\nother = "x"\n',
    ],
)
def test_saving_replaces_values_however_they_are_written(path: Path, text: str) -> None:
    write(path, text)
    other = settings.read(path)
    assert other.unknown == ("other",)
    wanted = Settings(stun_urls=("stun:c:3",), turn_password="new")
    settings.save(wanted, path)
    assert settings.load(path) == wanted
    assert settings.read(path).unknown == ("other",)


def test_a_bad_value_is_named_with_its_line_and_what_it_may_be(path: Path) -> None:
    write(path, "# comment\nlisten_port = 99999\n")
    with pytest.raises(SettingsError) as caught:
        settings.load(path)
    assert "settings.toml, line 2" in str(caught.value)
    assert "listen_port must be a whole number from 0 to 65535" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_bad_value_costs_only_itself(path: Path) -> None:
    write(path, 'hotkey = "Ctrl+1"\nlisten_port = "abc"\nnotifications = "yes"\n')
    loaded = settings.read(path)
    assert loaded.settings == Settings(hotkey="Ctrl+1")
    assert len(loaded.problems) == 2


def test_the_value_of_a_setting_is_never_in_the_message(path: Path) -> None:
    write(path, f'turn_password = "{"secret" * 100}"\n')
    assert "secretsecret" not in settings.read(path).problems[0]
    assert "hidden" not in repr(Settings(turn_password="hidden"))


def test_a_file_with_a_bad_value_is_kept_when_it_is_saved_over(path: Path) -> None:
    write(path, "# mine\nlisten_port = 99999\nfuture = 1\n")
    settings.save(Settings(listen_port=5000), path)
    assert path.with_name("settings.broken-1.toml").read_text() == "# mine\nlisten_port = 99999\nfuture = 1\n"
    assert path.read_text() == "# mine\nlisten_port = 5000\nfuture = 1\n"


@pytest.mark.parametrize("content", [b"listen_port = \n", b"\xff\xfe", b"x = 1\nx = 2\n"])
def test_a_file_that_is_no_toml_is_named_and_kept(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot be understood"):
        settings.load(path)
    assert settings.read(path).settings == Settings()
    assert path.read_bytes() == content
    settings.save(Settings(max_views=4), path)
    settings.save(Settings(max_views=5), path)
    assert path.with_name("settings.broken-1.toml").read_bytes() == content
    assert settings.load(path) == Settings(max_views=5)


def test_saving_refuses_what_loading_would_refuse(path: Path) -> None:
    settings.save(Settings(max_views=1), path)
    with pytest.raises(SettingsError, match="max_viewers must be"):
        settings.save(Settings(max_viewers=0), path)
    assert settings.load(path) == Settings(max_views=1)


def test_nothing_is_left_half_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.save(Settings(max_views=1), path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SettingsError, match="No space left on device"):
        settings.save(Settings(max_views=2), path)
    assert settings.load(path) == Settings(max_views=1)
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.toml"]


if sys.platform != "win32":

    def test_only_the_owner_may_read_the_file(path: Path) -> None:
        write(path, "")
        path.chmod(0o644)
        settings.save(Settings(turn_password="x"), path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
        real, link = tmp_path / "dotfiles.toml", tmp_path / "settings.toml"
        real.write_text("max_views = 1\n")
        link.symlink_to(real)
        settings.save(Settings(max_views=2), link)
        assert link.is_symlink()
        assert real.read_text() == "max_views = 2\n"


def test_the_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_CONFIG_DIR", str(tmp_path))
    settings.save(Settings(max_views=9))
    assert settings.load(tmp_path / "settings.toml").max_views == 9


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("expires_s", "10m", 600),
        ("expires_s", "0", 0),
        ("listen", "local", "local"),
        ("notifications", "off", False),
        ("max_views", "3", 3),
        ("stun_urls", "stun:a:1, stun:b:2", ("stun:a:1", "stun:b:2")),
        ("stun_urls", "", ()),
        ("server_url", "https://seedshot.example/", "https://seedshot.example/"),
        ("advertised_host", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_what_a_person_types_becomes_a_value(key: str, text: str, value: object) -> None:
    assert getattr(settings.with_text(Settings(), key, text), key) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("listen_port", "-1"),
        ("listen_port", "65536"),
        ("listen", "world"),
        ("notifications", "perhaps"),
        ("expires_s", "soon"),
        ("max_viewers", "0"),
        ("server_url", "seedshot.example"),
        ("server_url", "https://user@seedshot.example"),
        ("server_url", "https://seedshot.example/path"),
        ("advertised_host", "host:80/x"),
        ("advertised_host", "host\n"),
        ("stun_urls", "turn:a:1"),
        ("hotkey", ""),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(key: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"The setting {key} must be "):
        settings.with_text(Settings(), key, text)


def test_a_misspelt_setting_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean hotkey"):
        settings.with_text(Settings(), "hotky", "F1")


def test_the_engine_is_told_in_its_own_units() -> None:
    options = settings.engine_options(
        Settings(server_url="https://seedshot.example/", upload_limit_kib=2, share_upload_limit_kib=1)
    )
    assert options.server_url == "https://seedshot.example"
    assert (options.upload_limit, options.share_upload_limit) == (2048, 1024)
    assert options.listen_host == ""
    local = settings.engine_options(Settings(listen="local"))
    assert (local.listen_host, local.advertised_host) == ("127.0.0.1", "127.0.0.1")
    assert settings.limits(Settings()).expires_s is None
    assert settings.limits(Settings(expires_s=5, max_views=2)).max_views == 2


@pytest.mark.parametrize(
    ("server_url", "open_to_listeners"),
    [
        ("", False),
        ("https://seedshot.example", False),
        ("http://seedshot.example", True),
        ("http://8.8.8.8:8080", True),
        ("http://[2606:4700::1111]", True),
        ("http://192.168.1.7:21880", False),
        ("http://[fd00::7]:21880", False),
        ("http://127.0.0.1:21880", False),
        ("http://[::1]:21880", False),
        ("http://localhost:21880", False),
        ("http://desk.local:21880", False),
        ("http://nas/", False),
    ],
)
def test_a_server_whose_visitors_can_be_overheard_is_known(server_url: str, open_to_listeners: bool) -> None:
    assert settings.is_open_to_listeners(server_url) is open_to_listeners
