"""From a fresh checkout to a running app with one command: ``python3 -m seedshot_desktop``.

Standard library only. Where this Python lacks what pyproject.toml asks for, it
makes ``.venv`` in the checkout, installs the project there and goes on in it; on
Debian and Ubuntu it also sees to the system's own packages: installs them as
root, names the command otherwise. Everything it says goes to standard error.
Tests reuse it with the extra ``test``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from seedshot_desktop import requirements, system_packages
from seedshot_desktop.errors import SeedshotError

OLDEST = (3, 11)
_NEWER = ("python3.13", "python3.12", "python3.11")
_CHECKOUT = Path(__file__).resolve().parent.parent
_STAMP = "seedshot-stamp"
_GUARD = "SEEDSHOT_BOOTSTRAPPED"
_SHOWN_ON_FAILURE = 15
"""Lines of pip's output."""


class BootstrapError(SeedshotError):
    """The environment cannot be made."""


def main(arguments: Sequence[str]) -> int:
    """Run ``seedshot`` with `arguments`, after making its environment where there is none; the exit code."""
    try:
        if sys.version_info < OLDEST:
            return _again_with(_newer_python(), arguments)
        python = ensure_environment()
        if not arguments:
            system_packages.ensure_qt_libraries(_say)
        if python != Path(sys.executable):
            return _again_with(str(python), arguments)
    except SeedshotError as error:
        _say(f"seedshot: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    from seedshot_desktop import cli  # noqa: PLC0415 - needs what has just been made sure of

    return cli.main(arguments)


def ensure_environment(extras: tuple[str, ...] = ()) -> Path:
    """A Python that has all that the project needs, with `extras`; made in ``.venv`` if this one does not.

    Takes no time when all is there, and installs again only when pyproject.toml
    has changed. Raises BootstrapError.
    """
    project = _CHECKOUT / "pyproject.toml"
    if not project.is_file():  # installed as a package: its installer has seen to everything
        return Path(sys.executable)
    missing = requirements.missing(project, extras)
    if not missing:
        return Path(sys.executable)
    if os.environ.get(_GUARD):
        raise BootstrapError(f"{missing[0]} is missing in spite of the installation. Remove .venv and try again.")
    environment = _CHECKOUT / ".venv"
    with _only_one(environment):
        stamp, installed = _stamp_of(environment)
        if stamp != _fingerprint(project) or not installed.issuperset(extras):
            every = tuple(sorted(installed.union(extras)))
            _make(environment)
            _install(environment, every)
            (environment / _STAMP).write_text(f"{_fingerprint(project)}\n{' '.join(every)}\n")
    return _python_in(environment)


def _make(environment: Path) -> None:
    """Create the environment, or keep the one that is there and works."""
    if _works(_python_in(environment)):
        return
    if environment.exists() and not (environment / "pyvenv.cfg").exists():
        raise BootstrapError(f"{environment} is in the way: it is no Python environment. Move it away and try again.")
    _say(f"Making a Python environment in {environment} …")
    system_packages.ensure_venv(_say)
    command = [sys.executable, "-m", "venv", "--clear", str(environment)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this very Python
    if made.returncode:
        raise BootstrapError(f"The environment could not be made: {_last_line(made.stdout + made.stderr)}")


def _install(environment: Path, extras: tuple[str, ...]) -> None:
    """pip, with the index that this machine is set up for."""
    _say("Installing Seedshot and what it needs; this happens once and takes a minute or two …")
    target = str(_CHECKOUT) + (f"[{','.join(extras)}]" if extras else "")
    command = [str(_python_in(environment)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    with subprocess.Popen(  # noqa: S603 - a path of our own making
        [*command, "--editable", target],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
    ) as pip:
        assert pip.stdout is not None
        said = list(_shown(pip.stdout))
    if pip.returncode:
        _say("\n".join(said[-_SHOWN_ON_FAILURE:]))
        raise BootstrapError(
            "Installing failed; what pip said stands above. Check the network and the free space, and try again."
        )
    _say(f"Installed. The command seedshot is {_python_in(environment).with_name('seedshot')}")


def _shown(lines: Iterator[str]) -> Iterator[str]:
    """Pass `lines` on; on a terminal, show what is being fetched on one line that replaces itself."""
    live = sys.stderr.isatty()
    for line in lines:
        words = line.split()
        if live and words[:1] == ["Collecting"]:
            sys.stderr.write(f"\r  {words[1][:60]:<60}")
            sys.stderr.flush()
        yield line.rstrip()
    if live:
        sys.stderr.write(f"\r{'':<62}\r")


def _again_with(python: str, arguments: Sequence[str]) -> int:
    """The same command in `python`; on POSIX in the place of this process."""
    command = [python, "-m", "seedshot_desktop", *arguments]
    environment = {**os.environ, _GUARD: "1"}
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(python, command, environment)  # noqa: S606 - a path of our own making
    with subprocess.Popen(command, env=environment) as child:  # noqa: S603 - likewise
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                pass  # the child has it too, and decides


def _newer_python() -> str:
    """The path of a Python that is new enough; raises BootstrapError."""
    import shutil  # noqa: PLC0415 - rarely needed

    found = [path for path in map(shutil.which, _NEWER) if path]
    if found and not os.environ.get(_GUARD):
        return found[0]
    version = ".".join(map(str, sys.version_info[:2]))
    raise BootstrapError(
        f"Seedshot needs Python {'.'.join(map(str, OLDEST))} or newer; this is {version}. "
        "Install a newer one from your system's packages or from python.org, and use it."
    )


def _python_in(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _works(python: Path) -> bool:
    """Whether `python` runs, is new enough and has pip; one that the system has upgraded away does not."""
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.run([str(python), "-c", check], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def _stamp_of(environment: Path) -> tuple[str, set[str]]:
    """What was installed there, and with which extras; nothing where the environment does not run any more."""
    try:
        stamp, extras = (environment / _STAMP).read_text().split("\n")[:2]
    except (OSError, ValueError):
        return "", set()
    return (stamp, set(extras.split())) if _python_in(environment).exists() else ("", set())


def _fingerprint(project: Path) -> str:
    """Changes with pyproject.toml and with the place, which an editable installation names."""
    return hashlib.sha256(project.read_bytes() + os.fsencode(_CHECKOUT)).hexdigest()


@contextlib.contextmanager
def _only_one(environment: Path) -> Iterator[None]:
    """Two starts at the same time install one after the other."""
    try:
        lock_file = environment.parent / ".cache" / "venv.lock"
        lock_file.parent.mkdir(exist_ok=True)
        lock = lock_file.open("w")
    except OSError as error:
        raise BootstrapError(
            f"Nothing can be written to {environment.parent}: {error.strerror}. Move the checkout to your home folder."
        ) from error
    with lock:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - Windows only

            msvcrt.locking(lock.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - everywhere else

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason was given"


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
