"""Who may know whom, and other promises that only the source itself can break: read from it, not from a run.

ARCHITECTURE.md says why the house is cut this way; each failure names the rule.
"""

from __future__ import annotations

import ast
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import machine

ROOT = Path(__file__).parent.parent
VIEWER = ROOT / "resources" / "viewer"
PACKAGES = ("seedshot_desktop", "signal_server")

TOP_LEVEL = {
    *("seedshot_desktop", "signal_server", "resources", "tests", "pyproject.toml", "README.md"),
    *("LICENSE", "CHANGELOG.md", "SECURITY.md", "ARCHITECTURE.md"),
}
MADE_BY_TOOLS = {"build", "dist", "__pycache__"}

IO_MODULES = {
    *("asyncio", "socket", "select", "selectors", "subprocess", "threading", "multiprocessing", "time", "uvloop"),
    *("PySide6", "qasync", "aiortc", "aioice", "websockets", "mss", "playwright"),
}

RULES = (
    ("seedshot_desktop/ui", {"aiortc", "aioice", "websockets", "mss"}, "the windows draw what the engine says"),
    (
        "seedshot_desktop/ui",
        {f"seedshot_desktop.{room}" for room in ("capture", "hotkey", "cli", "commands", "app")} | {"signal_server"},
        "the windows take plain values; app.py brings the rooms together",
    ),
    ("seedshot_desktop/seed", {"PySide6", "qasync"}, "the engine runs without Qt, under the command line too"),
    (
        "seedshot_desktop/seed",
        {f"seedshot_desktop.{room}" for room in ("ui", "capture", "hotkey", "cli", "commands", "app", "settings")},
        "messages are the only door of the engine",
    ),
    (
        "seedshot_desktop/capture",
        {f"seedshot_desktop.{room}" for room in ("seed", "ui", "hotkey", "cli", "commands", "app", "settings")},
        "pixels know nobody",
    ),
    (
        "seedshot_desktop/hotkey",
        {f"seedshot_desktop.{room}" for room in ("seed", "ui", "capture", "cli", "commands", "app", "settings")},
        "the hotkey knows nobody",
    ),
    ("seedshot_desktop/commands", {"PySide6", "qasync"}, "the command line works where there is no Qt"),
    ("seedshot_desktop/cli.py", {"PySide6", "qasync"}, "the command line works where there is no Qt"),
    (
        "signal_server",
        {"seedshot_desktop", "aiortc", "PySide6", "msgspec", "cryptography"},
        "the server stands alone, and has no name for what passes between owner and viewer",
    ),
    (
        "signal_server/rooms.py",
        {"signal_server.server", "signal_server.connection", "signal_server.pages", "websockets"},
        "server -> rooms -> protocol -> standard library",
    ),
    (
        "signal_server/protocol.py",
        {
            *(f"signal_server.{path.stem}" for path in (ROOT / "signal_server").glob("*.py") if path.stem != "fields"),
            "websockets",
        },
        "server -> rooms -> protocol -> standard library",
    ),
    (
        "signal_server/fields.py",
        {"signal_server", "websockets"},
        "server -> rooms -> protocol -> standard library",
    ),
)

PLAIN_VALUES = {"aioice.Candidate"}
"""What a pure module may take from a library that does I/O: a dataclass."""
HOSTS_THE_SERVER = "seedshot_desktop/seed/process.py"
MAY_START_THE_APP = {"seedshot_desktop/cli.py", "seedshot_desktop/__main__.py", "seedshot_desktop/app.py"}

TRANSFER_WORDS = {"secret", "pin", "manifest", "held", "payload", "get", "ack", "bye", "hello"}
"""Words of the transfer protocol that signalling has no use for, as names and as whole strings."""

DRAWING = re.compile(r"\bdocument\s*[.\[](?!visibilityState|addEventListener)|\bquerySelector")
"""Whether the page is in view is an event like others; what it shows is page.js's business."""
FOR_BEGIN = 'document.querySelector("meta[name=stun]")'
"""What the server has written into the page's head, where nothing is drawn."""

MAX_PAGE_BYTES = 60 * 1024
ORDINARY_LINES, MAX_LINES = 300, 500


def _sources(folder: str) -> list[Path]:
    path = ROOT / folder
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that the module imports, anywhere in it."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def _is_in(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _offences(folder: str, forbidden: set[str]) -> list[str]:
    return [
        f"{_name(path)}:{line} imports {module}"
        for path in _sources(folder)
        for line, module in _imports(path)
        if _is_in(module, forbidden)
    ]


PYTHON = [path for package in PACKAGES for path in _sources(package)]
TESTS = [path for path in _sources("tests") if path.name != Path(__file__).name]


@pytest.mark.parametrize(("folder", "forbidden", "reason"), RULES, ids=[f"{rule[0]}-{rule[2]}" for rule in RULES])
def test_a_room_knows_only_whom_it_may(folder: str, forbidden: set[str], reason: str) -> None:
    assert _sources(folder), f"{folder} has moved: move its rule with it"
    assert not _offences(folder, forbidden), reason


def test_windows_know_the_engine_by_its_messages_alone() -> None:
    offences = [
        f"{_name(path)}:{line} imports {module}"
        for path in _sources("seedshot_desktop/ui")
        for line, module in _imports(path)
        if _is_in(module, {"seedshot_desktop.seed"}) and not _is_in(module, {"seedshot_desktop.seed.messages"})
    ]
    assert not offences, "messages are the only door of the engine"


def test_messages_have_one_door() -> None:
    inside = {f"seedshot_desktop.seed.messages.{path.stem}" for path in _sources("seedshot_desktop/seed/messages")}
    offences = [
        f"{_name(path)}:{line} imports {module}"
        for path in (*PYTHON, *TESTS)
        if "messages" not in path.parts
        for line, module in _imports(path)
        if _is_in(module, inside)
    ]
    assert not offences, "seed/messages/__init__.py names all that others may use; where it stands inside may change"


def test_the_engine_knows_of_the_server_its_protocol_alone() -> None:
    offences = [
        f"{_name(path)}:{line} imports {module}"
        for path in _sources("seedshot_desktop/seed")
        if _name(path) != HOSTS_THE_SERVER
        for line, module in _imports(path)
        if _is_in(module, {"signal_server"}) and not _is_in(module, {"signal_server.protocol"})
    ]
    assert not offences, f"only {HOSTS_THE_SERVER} hosts the embedded server"


def test_nobody_knows_the_app() -> None:
    offences = [
        offence
        for offence in _offences("seedshot_desktop", {"seedshot_desktop.app"})
        if offence.partition(":")[0] not in MAY_START_THE_APP
    ]
    assert not offences, "app.py wires the others; whoever needs something of it needs a room for that"


def test_the_version_can_be_read_without_importing_anything() -> None:
    assert not list(_imports(ROOT / "seedshot_desktop" / "__init__.py")), "__init__ holds the version, nothing else"


@pytest.mark.parametrize("path", [path for path in PYTHON if _tree(path).body], ids=_name)
def test_pure_modules_do_no_io(path: Path) -> None:
    words = ast.get_docstring(_tree(path)) or ""
    if not re.search(r"Sans-I/O|without any I/O|\bpure\b", words.split("\n\n")[0]):
        return
    offences = [
        f"{_name(path)}:{line} imports {module}"
        for line, module in _imports(path)
        if _is_in(module, IO_MODULES) and module not in PLAIN_VALUES
    ]
    assert not offences, "its docstring promises no I/O: bytes in, what to do out, time as an argument"


def test_there_are_pure_cores() -> None:
    for core in ("signal_server/rooms.py", "seedshot_desktop/seed/session.py", "seedshot_desktop/seed/transfer.py"):
        words = ast.get_docstring(_tree(ROOT / core)) or ""
        assert re.search(r"Sans-I/O|without any I/O", words), f"{core} says in its docstring that it does no I/O"


def test_the_server_has_no_word_of_the_transfer_protocol() -> None:
    offences = []
    for path in _sources("signal_server"):
        for node in ast.walk(_tree(path)):
            word = _word(node)
            if word in TRANSFER_WORDS:
                offences.append(f"{_name(path)}:{getattr(node, 'lineno', 0)} says {word!r}")
    assert not offences, "what passes between owner and viewer is none of the server's business"


def _word(node: ast.AST) -> str | None:
    """The name that `node` introduces, or the string that it is."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name.lower()
    return None


@pytest.mark.parametrize("path", [*PYTHON, *TESTS], ids=_name)
def test_tasks_are_owned_and_named(path: Path) -> None:
    offences = []
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="create_task" | "ensure_future")) as call):
                if not _is_a_group(call.func):
                    offences.append(f"{_name(path)}:{node.lineno} lets a task go")
            case ast.Call(func=ast.Attribute(attr="create_task")) if path in PYTHON and not _has_name(node):
                offences.append(f"{_name(path)}:{node.lineno} starts a task without a name")
    assert not offences, "a task that nobody keeps may vanish in the middle; one without a name cannot be traced"


def _is_a_group(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner)):
            return "group" in owner or owner.strip("_") == "tasks"
    return False


def _has_name(call: ast.Call) -> bool:
    return any(keyword.arg == "name" for keyword in call.keywords)


@pytest.mark.parametrize("path", [*PYTHON, *TESTS], ids=_name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    tree = _tree(path)
    assert not tree.body or ast.get_docstring(tree), f"{_name(path)} begins with a line that says what it is for"


def test_files_stay_short_enough_to_be_read() -> None:
    lines = {_name(path): len(path.read_text("utf-8").splitlines()) for path in (*PYTHON, *TESTS)}
    long = {name for name, count in lines.items() if count > ORDINARY_LINES}
    assert max(lines.values()) <= MAX_LINES, f"two modules by now: {[n for n in lines if lines[n] > MAX_LINES]}"
    assert len(long) <= len(lines) // 5, f"the ordinary file has fewer than {ORDINARY_LINES} lines: {sorted(long)}"


@pytest.mark.parametrize("path", [path for path in TESTS if "netlab" not in path.parts], ids=_name)
def test_tests_neither_sleep_nor_look_away(path: Path) -> None:
    offences = []
    for node in ast.walk(_tree(path)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="sleep")):
                offences.append(f"{_name(path)}:{node.lineno} sleeps: wait for the event, with tests.support.waiting")
            case ast.Attribute(attr="skip" | "skipif" | "xfail" | "importorskip"):
                offences.append(f"{_name(path)}:{node.lineno} leaves a test out")
    assert not offences


def test_the_test_command_installs_every_program_that_tests_find() -> None:
    known = {program for need in (*machine.EVERYWHERE, *machine.ON_LINUX) for program in need.programs}
    offences = []
    for path in TESTS:
        for node in ast.walk(_tree(path)):
            match node:
                case ast.Call(func=ast.Name(id="find"), args=[ast.Constant(value=str(program)), *_]):
                    if program not in known:
                        offences.append(f"{_name(path)}:{node.lineno} runs {program}")
    assert not offences, "tests/support/machine.py names every program and its package"


def test_nothing_is_left_for_later() -> None:
    marks = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")))
    offences = [
        f"{_name(path)}:{number}"
        for path in (*PYTHON, *TESTS, *sorted(VIEWER.iterdir()))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert not offences, "finish it, or take it out"


def test_the_top_of_the_tree_is_as_agreed() -> None:
    present = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    strange = {name for name in present - TOP_LEVEL - MADE_BY_TOOLS if not name.endswith(".egg-info")}
    assert not strange, "the top-level names are fixed; rooms are made below them"
    assert not TOP_LEVEL - present, "the top-level names are fixed"


def _without_comments(source: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", "", source, flags=re.DOTALL)


@pytest.mark.parametrize("path", sorted(VIEWER.glob("*.js")), ids=lambda path: path.name)
def test_one_file_of_the_viewer_touches_the_page(path: Path) -> None:
    if path.name in {"page.js", "sorry.js"}:  # the one says what happened where the other did not come
        return
    source = _without_comments(path.read_text("utf-8"))
    used = DRAWING.findall(source.replace(FOR_BEGIN, "") if path.name == "begin.js" else source)
    assert not used, "page.js draws the one state; everything else works without a page"


@pytest.mark.parametrize("path", sorted(VIEWER.glob("*.js")), ids=lambda path: path.name)
def test_nothing_from_the_wire_becomes_markup(path: Path) -> None:
    used = re.findall(r"\b(innerHTML|outerHTML|insertAdjacentHTML|eval|Function)\b\s*[(=]", path.read_text("utf-8"))
    assert not used, "names and types from the wire are text, never markup"


def test_the_page_fits_in_its_budget() -> None:
    over_the_wire = {path.name: len(gzip.compress(path.read_bytes(), mtime=0)) for path in sorted(VIEWER.iterdir())}
    assert sum(over_the_wire.values()) <= MAX_PAGE_BYTES, f"60 KB in all over the wire: {over_the_wire}"
