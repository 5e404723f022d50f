"""The grammar of the command line: commands, their options, and the help that goes with them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, TypeVar

from seedshot_desktop import __version__, quantities
from seedshot_desktop.commands import events

_T = TypeVar("_T")

_EXIT_CODES = """exit codes:
  0    done; also when a share was interrupted or has ended by itself
  1    it failed; a sentence on standard error says why and what to do
  2    the command line was wrong
  3    the app is not running
  4    cancelled: Esc was pressed in the selection
  130  interrupted
"""
_ENVIRONMENT = """environment:
  SEEDSHOT_CONFIG_DIR   the folder of settings.toml, in place of the system's
  SEEDSHOT_RUNTIME_DIR  the folder of the running app's socket, in place of the system's
  SEEDSHOT_LOG          debug, info, warning or error: what is logged on standard error, as with --verbose
"""


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    root = _parser_of(
        argparse.ArgumentParser, "seedshot", description="Share screenshots and files straight from this computer."
    )
    root.epilog = f"Without a command the tray app starts.\n\n{_EXIT_CODES}\n{_ENVIRONMENT}"
    root.add_argument("--version", action="version", version=f"Seedshot Desktop {__version__}")
    commands = root.add_subparsers(dest="command", metavar="command", title="commands")
    for add in (_add_share, _add_capture, _add_list, _add_revoke, _add_settings, _add_quit, _add_doctor):
        add(commands)
    return root


def _add_share(commands: Any) -> None:
    share = _subparser(commands, "share", "share files, or standard input, until interrupted")
    share.add_argument("paths", nargs="+", metavar="PATH", help="a file; - is standard input")
    share.add_argument("--server", metavar="URL", help="the signalling server; default: the one in settings")
    share.add_argument("--expires", metavar="TIME", type=_duration, help="end after this time: 90s, 10m, 2h, 1d")
    share.add_argument("--max-views", metavar="N", type=_count, help="end after N complete views")
    share.add_argument("--max-viewers", metavar="N", type=_count, help="at most N viewers at the same time")
    limited = "bytes per second{}: 500K, 2M; with either limit typed, neither of those in settings holds"
    share.add_argument("--upload-limit", metavar="RATE", type=_rate, help=limited.format(""))
    share.add_argument("--share-upload-limit", metavar="RATE", type=_rate, help=limited.format(" for the share"))
    share.add_argument("--listen", choices=("lan", "local"), help="who reaches the embedded server")
    share.add_argument("--port", metavar="N", type=_port, help="the embedded server's port; the next free one if taken")
    share.add_argument("--host", metavar="NAME", help="the name or address in the link")
    share.add_argument("--name", help="the name of what comes on standard input, such as notes.txt")
    share.add_argument("--qr", action="store_true", help="print a QR code of the link")
    share.add_argument("--json", action="store_true", help="print one JSON object a line")
    share.epilog = events.help_text()


def _add_capture(commands: Any) -> None:
    capture = _subparser(commands, "capture", "let the running app take a picture of the screen and share it")
    capture.add_argument(
        "mode", nargs="?", choices=("region", "screen", "all"), default="region", help="default: region"
    )
    capture.add_argument("--save", metavar="FILE", help="write the picture to FILE (.png or .webp) as well")
    capture.add_argument("--json", action="store_true", help="print one JSON object a line")


def _add_list(commands: Any) -> None:
    shares = _subparser(commands, "list", "list the live shares of the running app")
    shares.add_argument("--json", action="store_true", help="print one JSON object a line")


def _add_revoke(commands: Any) -> None:
    revoke = _subparser(commands, "revoke", "take a share of the running app back")
    which = revoke.add_mutually_exclusive_group()
    which.add_argument("share", nargs="?", metavar="ID", help="its id, the start of it, or its link")
    which.add_argument("--all", action="store_true", help="take every share back")
    revoke.add_argument("--json", action="store_true", help="print one JSON object a line")


def _add_settings(commands: Any) -> None:
    settings = _subparser(commands, "settings", "show and change settings; without KEY: open the app's dialog")
    settings.add_argument("key", nargs="?", metavar="KEY", help="print this setting")
    settings.add_argument("value", nargs="?", metavar="VALUE", help="set it; - reads the value from standard input")
    settings.add_argument("--list", action="store_true", help="print every setting with its meaning")
    settings.add_argument("--unset", action="store_true", help="set KEY back to its default")
    settings.add_argument("--path", action="store_true", help="print where the settings are kept")
    settings.add_argument("--json", action="store_true", help="print one JSON object a line")


def _add_quit(commands: Any) -> None:
    _subparser(commands, "quit", "take every share back and end the running app")


def _add_doctor(commands: Any) -> None:
    doctor = _subparser(commands, "doctor", "say what works on this computer and why not")
    doctor.add_argument("--json", action="store_true", help="print one JSON object a line")


def _subparser(commands: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = _parser_of(
        commands.add_parser, name, help=help_text, description=help_text[0].upper() + help_text[1:] + "."
    )
    return added


def _parser_of(make: Callable[..., argparse.ArgumentParser], name: str, **fields: Any) -> argparse.ArgumentParser:
    made = make(name, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **fields)
    made.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help="log to standard error")
    return made


def _typed(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """`parse` as argparse wants it: the sentence of its ValueError is what the person reads."""

    def convert(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def _parse_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise ValueError("it is a whole number from 1 to 1000000")
    return int(text)


def _parse_port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError("it is a whole number from 0 to 65535; 0 is any free port")
    return int(text)


_duration = _typed(quantities.parse_duration)
_rate = _typed(quantities.parse_rate)
_count = _typed(_parse_count)
_port = _typed(_parse_port)
