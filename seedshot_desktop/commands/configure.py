"""``seedshot settings``: show them, change one, or open the running app's dialog."""

from __future__ import annotations

import argparse
import getpass
import sys

from seedshot_desktop import settings
from seedshot_desktop.commands import events, output
from seedshot_desktop.control import ReloadRequest, ShowRequest, client_request
from seedshot_desktop.control_client import NotRunningError
from seedshot_desktop.errors import ControlError
from seedshot_desktop.settings import Settings

_SECRET = "turn_password"  # noqa: S105 - the name of a setting
_HIDDEN = "••••••••"


def command(options: argparse.Namespace) -> int:
    """Run the command; the exit code. Raises SettingsError and ControlError."""
    if options.path:
        output.result(str(settings.settings_path()))
        return 0
    if options.key is None and not options.list:
        return _open_dialog()
    present = _present()
    if options.list:
        _show(present, settings.names(), json=options.json)
    elif options.unset:
        settings.require(options.key)
        _save(settings.change(present, {options.key: settings.default(options.key)}))
    elif options.value is None:
        _show(present, (options.key,), json=options.json)
    else:
        _save(_changed(present, options.key, options.value))
    return 0


def _present() -> Settings:
    """What the file holds; what cannot be used in it is told, and does not stand in the way of a change."""
    loaded = settings.read()
    for problem in loaded.problems:
        output.note(problem)
    for key in loaded.unknown:
        output.note(f"{key} in the settings file is not a setting of this version. It is kept.")
    return loaded.settings


def _changed(present: Settings, key: str, text: str) -> Settings:
    settings.require(key)
    if text == "-":
        text = getpass.getpass(f"{key}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if key == "hotkey":
        from seedshot_desktop.hotkey import check_combo, parse_combo  # noqa: PLC0415 - only for this setting

        combo = parse_combo(text)
        check_combo(combo)
        text = str(combo)
    return settings.with_text(present, key, text)


def _save(changed: Settings) -> None:
    settings.save(changed)
    output.warn_of_listeners(changed.server_url)
    try:
        for _ in client_request(ReloadRequest()):
            pass
    except NotRunningError:
        pass  # it reads them when it starts
    except ControlError as error:
        output.note(f"Saved. The running Seedshot has not taken it yet: {error}")


def _show(present: Settings, keys: tuple[str, ...], *, json: bool) -> None:
    """One setting as its bare value; several with what each is for."""
    for key in keys:
        settings.require(key)
        value = getattr(present, key)
        if key == _SECRET and value:
            value = _HIDDEN
        if json:
            about = {"meaning": settings.meaning(key), "expected": settings.expected(key)}
            output.result(events.line({"key": key, "value": value, "default": settings.default(key), **about}))
        elif len(keys) == 1:
            output.result(_text(value))
        else:
            output.result(f"{key} = {_text(value) or '(empty)'}\n    {settings.meaning(key)}")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _open_dialog() -> int:
    try:
        for _ in client_request(ShowRequest(window="settings")):
            pass
    except NotRunningError as error:
        raise NotRunningError("; or change settings here: seedshot settings --list") from error
    return 0
