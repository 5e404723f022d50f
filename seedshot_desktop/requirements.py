"""What pyproject.toml asks for, and what of it this Python lacks; standard library only.

Reads the small part of PEP 508 that the project's own file uses: a name,
versions compared with ``>=``, ``<`` and ``==``, and one comparison as a marker.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;\[\]]*)(?:;\s*(.*))?")
_MARKER = re.compile(r"(python_version|sys_platform)\s*(==|!=|>=|<)\s*['\"]([^'\"]+)['\"]\s*")
_VERSION = re.compile(r"\s*(>=|<|==)\s*([0-9][0-9.]*)\s*")

_COMPARE: dict[str, Callable[[object, object], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">=": lambda a, b: a >= b,  # type: ignore[operator]
    "<": lambda a, b: a < b,  # type: ignore[operator]
}


def missing(project: Path, extras: tuple[str, ...] = ()) -> list[str]:
    """Every requirement in the file `project`, with `extras`, that this Python does not meet."""
    return [text for text in wanted(project, extras) if not is_met(text)]


def wanted(project: Path, extras: tuple[str, ...] = ()) -> list[str]:
    """The requirements in the file `project`, with those of `extras`; raises KeyError for an unknown extra."""
    import tomllib  # noqa: PLC0415 - not there before Python 3.11, which gets a sentence first

    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    optional = table.get("optional-dependencies", {})
    return [*table["dependencies"], *(text for extra in extras for text in optional[extra])]


def is_met(text: str, installed: Callable[[str], str | None] | None = None) -> bool:
    """Whether the requirement `text` is met or not meant for this Python; ValueError for one it cannot read.

    `installed` gives the version of a distribution, None when there is none.
    """
    match = _REQUIREMENT.fullmatch(text.strip())
    if not match:
        raise ValueError(f"not a requirement that can be read here: {text}")
    name, versions, marker = match.groups()
    if marker and not _applies(marker):
        return True
    version = (installed or _installed)(name)
    return version is not None and all(_fits(version, part) for part in versions.split(",") if part.strip())


def _applies(marker: str) -> bool:
    match = _MARKER.fullmatch(marker.strip())
    if not match:
        raise ValueError(f"not a marker that can be read here: {marker}")
    variable, operator, value = match.groups()
    if variable == "sys_platform":
        return _COMPARE[operator](sys.platform, value)
    return _COMPARE[operator](tuple(sys.version_info[:2]), _numbers(value))


def _fits(version: str, wanted_version: str) -> bool:
    match = _VERSION.fullmatch(wanted_version)
    if not match:
        raise ValueError(f"not a version that can be read here: {wanted_version}")
    have, want = _numbers(version), _numbers(match[2])
    length = max(len(have), len(want))
    return _COMPARE[match[1]](have + (0,) * (length - len(have)), want + (0,) * (length - len(want)))


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers at the start of `version`; what marks a pre-release is left out."""
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in release[0].split(".")) if release else ()


def _installed(name: str) -> str | None:
    from importlib import metadata  # noqa: PLC0415 - takes a while, and only a checkout asks

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
