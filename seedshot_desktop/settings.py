"""What a person may set, and the TOML file in the platform's config folder that keeps it.

``load`` reads the file, ``save`` writes it whole or not at all, and changes only
the lines whose values changed: comments, order and keys that this version does
not know stay. A string stands under each field; ``meaning`` gives it out.
"""

from __future__ import annotations

import ast
import functools
import inspect
import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from seedshot_desktop import settings_file
from seedshot_desktop.errors import SettingsError
from seedshot_desktop.seed.messages import EngineOptions, Limits

_FILE_NAME = "settings.toml"
_LONGEST_SHARE_S = 366 * 24 * 3600

_Meta = msgspec.Meta
_Count = Annotated[int, _Meta(ge=0, le=1_000_000, description="a whole number from 0 to 1000000")]
_Text = Annotated[str, _Meta(max_length=256, description="text of at most 256 characters")]
_Host = Annotated[
    str,
    _Meta(
        pattern=r"\A([0-9A-Za-z.:_-]{1,253}|)\Z",
        description='a host name or an IP address without a port, or "" to find it out',
    ),
]
_ServerUrl = Annotated[
    str,
    _Meta(
        pattern=r"\A(https?://[^/?#@\s]{1,253}/?|)\Z",
        description='an address like "https://seedshot.example", or "" for the embedded server',
    ),
]
_StunUrl = Annotated[str, _Meta(pattern=r"\Astuns?:[^\s]{1,253}\Z")]
_TurnUrl = Annotated[str, _Meta(pattern=r"\Aturns?:[^\s]{1,253}\Z")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set, with its default; frozen, so a change is a new value."""

    hotkey: Annotated[
        str, _Meta(min_length=1, max_length=64, description='a combination of keys like "Ctrl+Shift+2"')
    ] = "Ctrl+Shift+2"
    """The one combination of keys that starts a capture."""
    server_url: _ServerUrl = ""
    """The signalling server that links lead to; empty: the one inside the app."""
    listen: Annotated[Literal["lan", "local"], _Meta(description='"lan" or "local"')] = "lan"
    """Who reaches the embedded server: every computer in the network (lan), or this one only (local)."""
    listen_port: Annotated[int, _Meta(ge=0, le=65535, description="a whole number from 0 to 65535")] = 21880
    """The embedded server's port; the next free one if it is taken, 0 for any."""
    advertised_host: _Host = ""
    """The name or address in links; empty: the address of the default route."""
    expires_s: Annotated[
        int, _Meta(ge=0, le=_LONGEST_SHARE_S, description="a whole number of seconds from 0 to 31622400")
    ] = 0
    """How long a new share lives, in seconds; 0: until it is revoked."""
    max_views: _Count = 0
    """After how many complete views a new share ends; 0: any number."""
    max_viewers: Annotated[int, _Meta(ge=1, le=1000, description="a whole number from 1 to 1000")] = 50
    """How many may look at one share at the same time."""
    upload_limit_kib: _Count = 0
    """KiB per second over all shares; 0: no limit."""
    share_upload_limit_kib: _Count = 0
    """KiB per second for each share; 0: no limit."""
    stun_urls: Annotated[tuple[_StunUrl, ...], _Meta(max_length=8, description='a list like ["stun:host:3478"]')] = ()
    """STUN servers that are asked for this computer's public address, for viewers outside the network."""
    turn_urls: Annotated[tuple[_TurnUrl, ...], _Meta(max_length=8, description='a list like ["turn:host:3478"]')] = ()
    """TURN relays for viewers that cannot be reached directly."""
    turn_username: _Text = ""
    """The relays' user name."""
    turn_password: _Text = ""
    """The relays' password."""
    notifications: Annotated[bool, _Meta(description="true or false")] = True
    """Whether the desktop tells of a copied link and of problems."""

    def __repr__(self) -> str:
        """Without the values: a log line or a crash report may print this."""
        return "Settings(…)"


_FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}


class Loaded(msgspec.Struct, frozen=True):
    """What a settings file held."""

    settings: Settings
    """Every good value of the file, defaults for the rest."""
    problems: tuple[str, ...] = ()
    """A sentence for each value that could not be used."""
    unknown: tuple[str, ...] = ()
    """Keys that this version does not know; ``save`` keeps them."""


def settings_path() -> Path:
    """Where the settings are kept; the environment's SEEDSHOT_CONFIG_DIR names another folder."""
    if folder := os.environ.get("SEEDSHOT_CONFIG_DIR"):
        return Path(folder) / _FILE_NAME
    import platformdirs  # noqa: PLC0415 - only for the default folder

    return platformdirs.user_config_path("seedshot-desktop", appauthor=False) / _FILE_NAME


def load(path: Path | None = None) -> Settings:
    """The settings in the file at `path`, or the defaults when there is none; raises SettingsError."""
    loaded = read(path)
    if loaded.problems:
        raise SettingsError(" ".join(loaded.problems))
    return loaded.settings


def read(path: Path | None = None) -> Loaded:
    """As ``load``, but a value that cannot be used costs only itself, so an app starts in spite of it."""
    path = path or settings_path()
    try:
        text, table = settings_file.read(path)
    except SettingsError as error:
        return Loaded(Settings(), (str(error),))
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key in table.keys() & _FIELDS.keys():
        try:
            values[key] = _checked(key, table[key])
        except SettingsError as error:
            line = settings_file.line_of(text, key)
            problems.append(f"{path.name}, line {line}: {error} Correct it in {path}.")
    unknown = tuple(key for key in table if key not in _FIELDS)
    return Loaded(Settings(**values), tuple(sorted(problems)), unknown)


def save(settings: Settings, path: Path | None = None) -> None:
    """Write `settings`; raises SettingsError for a value that cannot be used, or a file that cannot be written.

    A file with mistakes in it is kept beside the new one under another name.
    """
    path = path or settings_path()
    values = {name: _checked(name, getattr(settings, name)) for name in _FIELDS}
    if read(path).problems:
        settings_file.set_aside(path)
    _, present = settings_file.read(path)
    changed = {
        name: value
        for name, value in values.items()
        if _as_toml(value) != present.get(name, _as_toml(_FIELDS[name].default))
    }
    settings_file.write(path, {name: _as_toml(value) for name, value in changed.items()})


def with_text(settings: Settings, key: str, text: str) -> Settings:
    """`settings` with `key` set to what a person typed; raises SettingsError."""
    require(key)
    return change(settings, {key: _from_text(key, text)})


def change(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """`settings` with `values` in place of its own, all checked; raises SettingsError."""
    for key in values:
        require(key)
    return msgspec.structs.replace(settings, **{key: _checked(key, value) for key, value in values.items()})


def require(key: str) -> None:
    """Raises SettingsError, which names the nearest one, when there is no setting called `key`."""
    if key not in _FIELDS:
        raise SettingsError(f"There is no setting called {key}. {_suggestion(key)}")


def names() -> tuple[str, ...]:
    """Every setting's name, in the order in which they are shown."""
    return tuple(_FIELDS)


def default(key: str) -> Any:
    """The default of the setting called `key`."""
    return _FIELDS[key].default


def expected(key: str) -> str:
    """What the setting called `key` may be, in words."""
    return next((meta.description for meta in _annotations(key) if meta.description), "text")


def meaning(key: str) -> str:
    """What the setting called `key` is for: the string under its field."""
    return _meanings()[key]


def is_open_to_listeners(server_url: str) -> bool:
    """Whether `server_url` is plain http to a server that is neither this computer nor in a private network."""
    parts = urlsplit(server_url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "http" or not host:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local"))


def engine_options(settings: Settings) -> EngineOptions:
    """How `settings` let the engine meet the network."""
    local = settings.listen == "local"
    return EngineOptions(
        server_url=settings.server_url.rstrip("/"),
        listen_host="127.0.0.1" if local else "",
        listen_port=settings.listen_port,
        advertised_host=settings.advertised_host or ("127.0.0.1" if local else ""),
        stun_urls=settings.stun_urls,
        turn_urls=settings.turn_urls,
        turn_username=settings.turn_username,
        turn_password=settings.turn_password,
        max_viewers=settings.max_viewers,
        upload_limit=settings.upload_limit_kib * 1024,
        share_upload_limit=settings.share_upload_limit_kib * 1024,
    )


def limits(settings: Settings) -> Limits:
    """When a new share ends by itself, as `settings` have it."""
    return Limits(expires_s=settings.expires_s or None, max_views=settings.max_views or None)


def _checked(key: str, value: object) -> Any:
    """`value` where `key` may be it; the message never holds the value, which may be a password."""
    try:
        return msgspec.convert(value, type=_FIELDS[key].type)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The setting {key} must be {expected(key)}.") from error


def _from_text(key: str, text: str) -> object:
    value: Any = _FIELDS[key].default
    if isinstance(value, bool):
        words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
        return words.get(text.lower(), text)
    if key == "expires_s":
        return _seconds(text)
    if isinstance(value, int):
        return int(text) if text.isdecimal() else text
    if isinstance(value, tuple):
        return tuple(text.replace(",", " ").split())
    return text


def _seconds(text: str) -> object:
    from seedshot_desktop.quantities import parse_duration  # noqa: PLC0415 - only where one was typed

    try:
        return int(text) if text.isdecimal() else round(parse_duration(text))
    except ValueError:
        return text


def _suggestion(key: str) -> str:
    import difflib  # noqa: PLC0415 - only after a typing error

    near = difflib.get_close_matches(key, names(), n=1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names())}."


def _as_toml(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _annotations(key: str) -> tuple[msgspec.Meta, ...]:
    return getattr(_FIELDS[key].type, "__metadata__", ())


@functools.cache
def _meanings() -> dict[str, str]:
    """The strings under the fields, which Python itself throws away."""
    found: dict[str, str] = {}
    body = ast.parse(inspect.getsource(Settings)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = ast.literal_eval(below.value)
    return found
