"""``seedshot share``: the engine in this process, from the link to the last page that is told.

The link is printed as soon as the engine knows its own address, before the
signalling server or anybody else has been asked for anything.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import PurePath
from typing import NoReturn

import msgspec

from seedshot_desktop import settings
from seedshot_desktop.commands import inputs, output, report, screen
from seedshot_desktop.commands.sharing import Plan, Sharing
from seedshot_desktop.errors import ShareError
from seedshot_desktop.seed import messages as m
from seedshot_desktop.seed.process import fast_loop, raise_file_limit

_NAMELESS = "standard-input"


def command(options: argparse.Namespace) -> NoReturn:
    """Run the command to its end and, with it, the process. Raises ShareError and SettingsError."""
    loaded = settings.read()
    for problem in loaded.problems:
        output.note(f"seedshot: {problem}")
    raise_file_limit()
    plan = plan_of(options, loaded.settings)
    output.warn_of_listeners(plan.options.server_url)
    code = fast_loop().run_until_complete(_share(plan, reporter_of(options)))
    output.flush()
    os._exit(code)  # a thread that waits for standard input or for a network drive is not waited for


async def _share(plan: Plan, reporter: report.Reporter) -> int:
    return await Sharing(plan, reporter).run()


def plan_of(options: argparse.Namespace, kept: settings.Settings) -> Plan:
    """What the command line asks for, on top of the settings that are kept; raises ShareError and SettingsError."""
    paths = [path for path in options.paths if path != inputs.STANDARD_INPUT]
    piped = len(options.paths) - len(paths)
    if piped > 1:
        raise ShareError("Standard input (-) can be shared only once.")
    if piped and sys.stdin.isatty():
        raise ShareError("Standard input is the terminal. Send something into it: some-command | seedshot share -")
    standard_input = PurePath(options.name or _NAMELESS).name if piped else None
    return Plan(
        options=_engine_options(options, kept),
        limits=_limits(options, kept),
        files=inputs.disk_files(paths, standard_input),
        standard_input=standard_input,
    )


def reporter_of(options: argparse.Namespace) -> report.Reporter:
    """How this run tells what happens."""
    if options.json:
        return report.JsonReporter(sys.stdout)
    qr = qr_maker() if options.qr else None
    if screen.is_terminal(sys.stdout) and screen.is_terminal(sys.stderr):
        return report.LiveReporter(sys.stdout, sys.stderr, time.time, qr)
    return report.PlainReporter(sys.stdout, sys.stderr, qr)


def qr_maker() -> Callable[[str], str]:
    """A function from a link to its QR code in half blocks, dark on light whatever the terminal's colours are."""
    import io  # noqa: PLC0415

    import segno  # noqa: PLC0415 - only with --qr

    def draw(link: str) -> str:
        drawn = io.StringIO()
        segno.make(link, error="l", micro=False).terminal(drawn, compact=True, border=2)
        lines = drawn.getvalue().splitlines()
        if not screen.is_terminal(sys.stderr):
            return "\n".join(lines)
        return "\n".join(f"\x1b[38;5;231;48;5;16m{line}\x1b[0m" for line in lines)

    return draw


def _engine_options(options: argparse.Namespace, kept: settings.Settings) -> m.EngineOptions:
    typed = {
        "server_url": options.server,
        "listen": options.listen,
        "listen_port": options.port,
        "advertised_host": options.host,
        "max_viewers": options.max_viewers,
    }
    changed = settings.change(kept, {key: value for key, value in typed.items() if value is not None})
    engine_options = settings.engine_options(changed)
    if options.upload_limit is None and options.share_upload_limit is None:
        return engine_options
    return msgspec.structs.replace(  # of both: with one share, the smaller holds, and what was typed has to
        engine_options, upload_limit=options.upload_limit or 0, share_upload_limit=options.share_upload_limit or 0
    )


def _limits(options: argparse.Namespace, kept: settings.Settings) -> m.Limits:
    limits = settings.limits(kept)
    return m.Limits(
        expires_s=limits.expires_s if options.expires is None else options.expires,
        max_views=limits.max_views if options.max_views is None else options.max_views,
    )
