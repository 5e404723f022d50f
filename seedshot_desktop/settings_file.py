"""The settings file as text: read, changed line by line, written whole or not at all.

Knows TOML and files; what a setting means is ``settings``' business.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedshot_desktop.errors import SettingsError

_HEADER = "# Settings of Seedshot Desktop. `seedshot settings` lists them all and says what they mean.\n"
_VALUE = r"""("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\[[^\]]*\]|[^\s#]+)"""
_MAX_BYTES = 1024 * 1024
_COPIES = 100


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of the file and its table, both empty when there is no file; raises SettingsError."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        return "", {}
    except OSError as error:
        raise SettingsError(f"The settings in {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8 text"
        raise SettingsError(
            f"The settings in {path} cannot be understood: {reason}. Correct that line, or move the file away."
        ) from error


def line_of(text: str, key: str) -> int:
    """The line on which `key` is set, from 1; 0 when it is on none."""
    match = _assignment(key).search(text)
    return text.count("\n", 0, match.start(1)) + 1 if match else 0


def set_aside(path: Path) -> Path:
    """Keep a file that has mistakes beside itself, under a name that is free; raises SettingsError.

    A file that is TOML stays as well, so that its comments and unknown keys are
    there for ``write``; one that is not makes room.
    """
    names = (path.with_name(f"{path.stem}.broken-{number}{path.suffix}") for number in range(1, _COPIES))
    aside = next((name for name in names if not name.exists()), None)
    if aside is None:
        raise SettingsError(f"{path.parent} holds too many broken settings files. Remove some of them.")
    try:
        try:
            read(path)
            shutil.copy2(path, aside)
        except SettingsError:
            path.rename(aside)
    except OSError as error:
        raise _unwritable(path, error) from error
    return aside


def write(path: Path, changes: Mapping[str, Any]) -> None:
    """Set `changes` in the file at `path`, which only its owner may read; raises SettingsError."""
    text, table = read(path)
    wanted = {**table, **changes}
    new = edited(text, changes) if text else _HEADER + edited("", changes)
    if _table_of(new) != wanted:  # a value in a form that lines cannot replace, such as a string over many lines
        import tomli_w  # noqa: PLC0415 - rarely needed

        new = _HEADER + tomli_w.dumps(wanted)
    try:
        _replace(Path(os.path.realpath(path)), new.encode())
    except OSError as error:
        raise _unwritable(path, error) from error


def edited(text: str, changes: Mapping[str, Any]) -> str:
    """`text` with the lines of `changes` replaced, or added before its first table."""
    for key, value in changes.items():
        line = f"{key} = {_as_toml(value)}"
        found = _assignment(key).search(text)
        text = f"{text[: found.start()]}{found[1]}{line}{text[found.end() :]}" if found else _added(text, line)
    return text


def _added(text: str, line: str) -> str:
    table = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    start = table.start() if table else len(text)
    before = text[:start]
    if before and not before.endswith("\n"):
        before += "\n"
    return f"{before}{line}\n{text[start:]}"


def _assignment(key: str) -> re.Pattern[str]:
    name = re.escape(key)
    return re.compile(rf"""^([ \t]*)(?:{name}|"{name}"|'{name}')[ \t]*=[ \t]*{_VALUE}""", re.MULTILINE)


def _as_toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_as_toml(item) for item in value) + "]"
    import tomli_w  # noqa: PLC0415 - reading needs none of it

    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def _table_of(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _replace(path: Path, data: bytes) -> None:
    """Write beside the file and rename over it: after a crash the old or the new one is there, whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600: a password may be in it
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"The settings cannot be written to {path}: {error.strerror}. Your old settings are kept.")
