"""What may be typed, what becomes of it, and how errors leave."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest

from seedshot_desktop import cli, control
from seedshot_desktop.commands import grammar, inputs, log, output, share
from seedshot_desktop.commands.sharing import Plan
from seedshot_desktop.control_client import NotRunningError
from seedshot_desktop.errors import SettingsError, ShareError
from seedshot_desktop.seed.files import open_files
from seedshot_desktop.seed.messages import DiskFile
from seedshot_desktop.settings import Settings
from tests.support.expectations import LogWatch


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SEEDSHOT_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("x")
    return path


def plan(*arguments: str, kept: Settings | None = None) -> Plan:
    return share.plan_of(grammar.parser().parse_args(["share", *arguments]), kept or Settings())


@pytest.mark.parametrize(
    "arguments",
    [
        ["dance"],
        ["share"],
        ["share", "x", "--expires", "soon"],
        ["share", "x", "--max-views", "0"],
        ["share", "x", "--max-views", "many"],
        ["share", "x", "--upload-limit", "fast"],
        ["share", "x", "--share-upload-limit", "0"],
        ["share", "x", "--port", "65536"],
        ["share", "x", "--exp", "10m"],
        ["capture", "window"],
        ["revoke", "ABC", "--all"],
        ["list", "extra"],
    ],
)
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == cli.USAGE
    assert "usage: seedshot" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["share", "--help"], ["doctor", "--help"], ["--version"]])
def test_help_is_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 0
    assert "eedshot" in capsys.readouterr().out


def test_the_help_names_exit_codes_and_environment(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    for code in (cli.DONE, cli.FAILED, cli.USAGE, cli.NOT_RUNNING, cli.CANCELLED, cli.INTERRUPTED):
        assert f"\n  {code} " in text
    assert "SEEDSHOT_CONFIG_DIR" in text


def test_the_command_line_goes_before_the_settings(file: Path) -> None:
    kept = Settings(server_url="https://kept.example", expires_s=60, max_views=5, max_viewers=9, upload_limit_kib=1)
    assert plan(str(file), kept=kept).options.server_url == "https://kept.example"
    assert plan(str(file), kept=kept).limits.expires_s == 60
    typed = plan(
        *(str(file), "--server", "https://typed.example/", "--expires", "2h", "--max-views", "1"),
        *("--max-viewers", "3", "--upload-limit", "2M", "--listen", "local", "--port", "0", "--host", "desk"),
        kept=kept,
    )
    assert typed.options.server_url == "https://typed.example"
    assert (typed.limits.expires_s, typed.limits.max_views) == (7200, 1)
    assert (typed.options.max_viewers, typed.options.upload_limit) == (3, 2 << 20)
    assert (typed.options.listen_host, typed.options.listen_port) == ("127.0.0.1", 0)
    assert typed.options.advertised_host == "desk"


def test_a_limit_that_is_typed_holds_in_the_place_of_both_that_are_kept(file: Path) -> None:
    kept = Settings(upload_limit_kib=1, share_upload_limit_kib=2)
    one, other = ["--upload-limit", "2M"], ["--share-upload-limit", "3M"]
    expected = {(): (1024, 2048), (*one,): (2 << 20, 0), (*other,): (0, 3 << 20), (*one, *other): (2 << 20, 3 << 20)}
    for words, limits in expected.items():
        options = plan(str(file), *words, kept=kept).options
        assert (options.upload_limit, options.share_upload_limit) == limits


def test_a_server_that_is_no_address_is_refused(file: Path) -> None:
    with pytest.raises(SettingsError, match="server_url must be"):
        plan(str(file), "--server", "seedshot.example")


def test_files_are_named_by_their_own_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    (shared,) = plan("./notes.txt").files
    assert (shared.name, shared.media_type, shared.path) == ("notes.txt", "text/plain", str(file))


def test_a_name_that_is_no_text_is_shown_as_well_as_can_be(tmp_path: Path) -> None:
    path = bytes(tmp_path) + b"/\xff.txt"
    with open(path, "wb"):
        (shared,) = inputs.disk_files([path.decode("utf-8", "surrogateescape")])
    assert shared.name == "�.txt"


@pytest.mark.parametrize(
    ("name", "problem"),
    [("missing", "there is no such file"), ("", "is a folder"), ("with\0zero", "not one of a file")],
)
def test_what_cannot_be_shared_is_named_with_the_reason(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(ShareError, match=problem):
        plan(f"{tmp_path}/{name}")


def sized(path: Path, size: int) -> str:
    """A file of that size that takes no room on the disk."""
    with path.open("wb") as made:
        made.truncate(size)
    return str(path)


def test_a_file_larger_than_a_page_takes_is_refused_before_there_is_a_link(tmp_path: Path) -> None:
    fits = sized(tmp_path / "fits.bin", inputs.MAX_FILE)
    large = sized(tmp_path / "film.mkv", inputs.MAX_FILE + 1)
    assert [file.name for file in plan(fits).files] == ["fits.bin"]
    with pytest.raises(ShareError) as told:
        plan(fits, large)
    assert str(told.value) == (
        f"{large} is 1.61 GB: pages take files of up to 1.61 GB so far. Share a smaller copy, or split it into parts."
    )


def test_the_page_and_the_owner_agree_on_the_largest_file() -> None:
    source = (Path(__file__).parents[2] / "resources" / "viewer" / "files.js").read_text("utf-8")
    stated = re.search(r"MAX_FILE = ([0-9.]+) \* 2 \*\* ([0-9]+);", source)
    assert stated is not None
    assert float(stated[1]) * 2 ** int(stated[2]) == inputs.MAX_FILE


def test_more_files_than_a_page_can_be_told_of_are_refused_before_there_is_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    many = [sized(tmp_path / f"{number:0100}.png", 1) for number in range(130)]
    last = len(many)
    with pytest.raises(ShareError, match=f"^These {last} files are too many for one share: .* 16 KiB .* an archive"):
        plan(*many)
    fitting = next(count for count in range(last, 0, -1) if fits_together(many[:count]))
    assert fitting > 80
    assert len(plan(*many[:fitting]).files) == fitting
    with pytest.raises(ShareError, match=f"^These {fitting + 1} files are too many"):
        plan(*many[:fitting], "-", "--name", f"{last:0100}.png")
    with pytest.raises(ShareError, match=r"^These 1001 files are too many"):
        plan(*["missing"] * 1001)


def fits_together(paths: list[str]) -> bool:
    """As the engine sees it."""
    try:
        open_files(tuple(DiskFile(Path(path).name, "image/png", path) for path in paths), bytes(32))
    except ShareError:
        return False
    return True


def test_a_pipe_on_disk_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ShareError, match="seedshot share - <"):
        plan(str(tmp_path / "pipe"))


def test_standard_input_is_taken_once(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert plan("-").standard_input == "standard-input"
    mixed = plan("-", str(file), "--name", "../../etc/notes.md")
    assert (mixed.standard_input, len(mixed.files), mixed.label) == ("notes.md", 1, "notes.txt")
    with pytest.raises(ShareError, match="only once"):
        plan("-", "-")


def test_a_terminal_is_no_input(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    with pytest.raises(ShareError, match="is the terminal"):
        plan("-")


@pytest.mark.parametrize(("size", "taken"), [(0, False), (1, True), (99, True), (100, True), (101, False)])
def test_standard_input_has_a_limit(size: int, taken: bool) -> None:
    source = io.BytesIO(b"x" * size)
    if taken:
        assert inputs.read_standard_input(source, limit=100) == b"x" * size
    else:
        with pytest.raises(ShareError, match="empty" if size == 0 else "longer than"):
            inputs.read_standard_input(source, limit=100)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ShareError("No."), cli.FAILED),
        (NotRunningError(), cli.NOT_RUNNING),
        (control.ControlRefusedError(control.Reply(ok=False, error="No.", code=control.Code.CANCELLED)), cli.CANCELLED),
        (KeyboardInterrupt(), cli.INTERRUPTED),
        (ValueError("a file's name"), cli.FAILED),
        (ModuleNotFoundError("No module named 'aiortc'", name="aiortc"), cli.FAILED),
        (ImportError("libEGL.so.1: cannot open shared object file"), cli.FAILED),
    ],
)
def test_no_error_is_a_traceback(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], expected_log: LogWatch
) -> None:
    def fail() -> int:
        raise error

    if isinstance(error, ValueError):
        expected_log.expect("ValueError at ")
    assert cli.guarded(fail) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert "a file's name" not in captured.err
    assert captured.err.count("\n") == (0 if code == cli.INTERRUPTED else 1)


def test_programs_get_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise ShareError("No.")

    assert cli.guarded(fail, json=True) == cli.FAILED
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"event": "error", "problem": "No.", "share": "", "file": ""}
    assert captured.err == ""


def test_a_missing_library_is_named_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")

    cli.guarded(fail)
    assert "libEGL.so.1 is not installed. `seedshot doctor` says" in capsys.readouterr().err


def test_without_a_display_one_line_says_what_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert cli.main([]) == cli.FAILED
    assert capsys.readouterr().err.splitlines() == [
        "seedshot: There is no display here. Share a file from the terminal: seedshot share FILE"
    ]


def test_a_fault_is_logged_without_what_it_says() -> None:
    try:
        raise ValueError("secret")
    except ValueError as error:
        words = log.places(error)
    assert "secret" not in words
    assert "test_cli" in words


def test_the_log_takes_only_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDSHOT_LOG", "loud")
    with pytest.raises(SettingsError, match="debug, info, warning or error"):
        log.start(verbose=False)


def test_a_server_that_others_can_listen_to_is_named_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    output.warn_of_listeners("https://seedshot.example")
    output.warn_of_listeners("http://192.168.1.7:21880")
    assert capsys.readouterr() == ("", "")
    output.warn_of_listeners("http://seedshot.example")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "can be read on the way" in told.err
