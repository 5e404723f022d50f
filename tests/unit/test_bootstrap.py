"""The way from a checkout to a Python that has everything: what is missing, what is said, what is done once."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seedshot_desktop import bootstrap, requirements, system_packages
from seedshot_desktop.bootstrap import BootstrapError
from seedshot_desktop.system_packages import SystemPackageError

ROOT = Path(bootstrap.__file__).parent.parent
PROJECT = ROOT / "pyproject.toml"


@pytest.mark.parametrize(
    ("text", "version", "met"),
    [
        ("name>=1.2,<2", "1.2", True),
        ("name>=1.2,<2", "1.10.3", True),
        ("name>=1.2,<2", "2.0", False),
        ("name>=1.2,<2", "1.1.9", False),
        ("name>=15", "15.0.1", True),
        ("name==1.2", "1.2.0", True),
        ("name", "0", True),
        ("name>=2", "2.0rc1", True),
        ("name>=1", None, False),
        ("name>=1; sys_platform=='no such system'", None, True),
        ("name>=1; sys_platform!='no such system'", None, False),
        ("name>=1; python_version<'3.0'", None, True),
        ("name>=1; python_version>='3.0'", None, False),
    ],
)
def test_a_requirement_is_met_or_not(text: str, version: str | None, met: bool) -> None:
    assert requirements.is_met(text, lambda _: version) is met


@pytest.mark.parametrize("text", ["name[extra]>=1", "name~=1.0", "name>=1; os_name=='nt'", "name @ https://x"])
def test_what_it_cannot_read_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="that can be read here"):
        requirements.is_met(text, lambda _: "1")


def test_the_projects_own_requirements_can_all_be_read() -> None:
    asked: list[str] = []

    def installed(name: str) -> str | None:
        asked.append(name)
        return None

    for text in requirements.wanted(PROJECT, ("test",)):
        requirements.is_met(text, installed)
    assert {"aiortc", "msgspec", "PySide6-Essentials", "pytest"} <= set(asked)


def test_nothing_is_missing_where_the_tests_run() -> None:
    assert requirements.missing(PROJECT, ("test",)) == []
    assert bootstrap.ensure_environment(("test",)) == Path(sys.executable)


def test_only_the_standard_library_is_loaded_before_the_environment_is_made() -> None:
    code = """if True:
        import sys
        before = set(sys.modules)
        import seedshot_desktop.__main__
        print(*(name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names))
    """
    python = [sys.executable, "-S", "-c", code]
    loaded = subprocess.run(python, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert loaded
    assert {name.partition(".")[0] for name in loaded} == {"seedshot_desktop"}


class Checkout:
    """A checkout whose installations are recorded instead of done."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.said: list[str] = []
        self.installed: list[tuple[str, ...]] = []
        (root / "pyproject.toml").write_text('[project]\ndependencies = ["no-such-distribution"]\n', "utf-8")
        monkeypatch.setattr(bootstrap, "_CHECKOUT", root)
        monkeypatch.setattr(bootstrap, "_say", self.said.append)
        monkeypatch.setattr(bootstrap, "_install", lambda _, extras: self.installed.append(extras))
        monkeypatch.setattr(requirements, "missing", lambda *_: ["no-such-distribution"])
        monkeypatch.delenv("SEEDSHOT_BOOTSTRAPPED", raising=False)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout(tmp_path, monkeypatch)


def test_the_environment_is_made_once(checkout: Checkout) -> None:
    python = bootstrap.ensure_environment()
    assert python.is_relative_to(checkout.root / ".venv")
    assert subprocess.run([python, "-c", "import pip"], check=False).returncode == 0
    assert checkout.said == [f"Making a Python environment in {checkout.root / '.venv'} …"]
    assert bootstrap.ensure_environment() == python
    assert checkout.installed == [()]

    bootstrap.ensure_environment(("test",))
    bootstrap.ensure_environment()
    assert checkout.installed == [(), ("test",)], "extras that are there stay there"

    (checkout.root / "pyproject.toml").write_text('[project]\ndependencies = ["another"]\n', "utf-8")
    bootstrap.ensure_environment()
    assert checkout.installed == [(), ("test",), ("test",)]
    assert len(checkout.said) == 1


def test_something_else_called_venv_is_not_touched(checkout: Checkout) -> None:
    mine = checkout.root / ".venv" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(BootstrapError, match="is in the way"):
        bootstrap.ensure_environment()
    assert mine.read_text() == "mine"


def test_a_failed_installation_is_tried_again(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BootstrapError("no network")

    (checkout.root / ".venv").mkdir()
    (checkout.root / ".venv" / "pyvenv.cfg").touch()
    monkeypatch.setattr(bootstrap, "_make", lambda _: None)
    with monkeypatch.context() as broken:
        broken.setattr(bootstrap, "_install", fail)
        with pytest.raises(BootstrapError, match="no network"):
            bootstrap.ensure_environment()
    bootstrap.ensure_environment()
    assert checkout.installed == [()]


def test_it_does_not_go_round_in_circles(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_BOOTSTRAPPED", "1")
    with pytest.raises(BootstrapError, match="in spite of the installation"):
        bootstrap.ensure_environment()


def test_installed_as_a_package_there_is_nothing_to_do(checkout: Checkout) -> None:
    (checkout.root / "pyproject.toml").unlink()
    assert bootstrap.ensure_environment() == Path(sys.executable)


def test_an_old_python_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert bootstrap.main([]) == 1
    assert "Seedshot needs Python 3.11 or newer; this is 3.9." in capsys.readouterr().err


class Apt:
    """apt-get, as far as it can be told what to answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, root: bool, there: bool = True) -> None:
        self.calls: list[list[str]] = []
        self.fail_once = False
        monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get" if there else None)
        monkeypatch.setattr(subprocess, "run", self._run)
        monkeypatch.setattr(system_packages, "has_display", lambda: True)
        monkeypatch.setattr(system_packages, "loads", lambda name: name != "libxcb-cursor.so.0")

    def _run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        self.calls.append(command)
        failed, self.fail_once = self.fail_once, False
        return subprocess.CompletedProcess(command, int(failed))


def test_root_gets_qts_libraries_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    apt = Apt(monkeypatch, root=True)
    said: list[str] = []
    system_packages.ensure_qt_libraries(said.append)
    assert [call[-1] for call in apt.calls] == ["libxcb-cursor0"]
    assert "libxcb-cursor0" in said[0]


def test_package_lists_are_fetched_when_they_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    apt = Apt(monkeypatch, root=True)
    apt.fail_once = True
    system_packages.ensure_qt_libraries(lambda _: None)
    assert [call[2] for call in apt.calls] == ["install", "update", "install"]


@pytest.mark.parametrize(
    ("there", "words"), [(True, "Type: sudo apt-get install libxcb-cursor0"), (False, "libxcb-cursor.so.0")]
)
def test_others_are_told_what_to_type(monkeypatch: pytest.MonkeyPatch, there: bool, words: str) -> None:
    apt = Apt(monkeypatch, root=False, there=there)
    with pytest.raises(SystemPackageError, match=words.replace(".", r"\.")):
        system_packages.ensure_qt_libraries(lambda _: None)
    assert apt.calls == []


def test_without_a_display_qts_libraries_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    apt = Apt(monkeypatch, root=False)
    monkeypatch.setattr(system_packages, "has_display", lambda: False)
    system_packages.ensure_qt_libraries(lambda _: None)
    assert apt.calls == []


def test_debians_venv_is_named_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    Apt(monkeypatch, root=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    major, minor = sys.version_info[:2]
    with pytest.raises(SystemPackageError, match=rf"sudo apt-get install python{major}\.{minor}-venv"):
        system_packages.ensure_venv(lambda _: None)
