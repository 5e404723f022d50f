"""What is logged, and where: nothing by default, this product's own loggers with --verbose.

Other libraries' loggers stay silent, because they name addresses and ids.
"""

from __future__ import annotations

import logging
import os
import sys

from seedshot_desktop.errors import SettingsError

_OURS = ("seedshot_desktop", "signal_server")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_logger = logging.getLogger("seedshot_desktop")


def start(*, verbose: bool) -> None:
    """Log to standard error with `verbose`, or as SEEDSHOT_LOG says; raises SettingsError where that is no level."""
    logging.getLogger().addHandler(logging.NullHandler())  # in place of the one that prints warnings to the terminal
    word = os.environ.get("SEEDSHOT_LOG", "").lower() or ("debug" if verbose else "")
    if not word:
        return
    if word not in _LEVELS:
        raise SettingsError("SEEDSHOT_LOG must be debug, info, warning or error.")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT))
    for name in _OURS:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(_LEVELS[word])


def fault(error: BaseException) -> None:
    """Log where `error` was raised, without its text, which may hold a file's name."""
    _logger.error("%s at %s", type(error).__name__, places(error))


def places(error: BaseException) -> str:
    """Modules and lines on the way to where `error` was raised."""
    frames = []
    step = error.__traceback__
    while step:
        frames.append(f"{step.tb_frame.f_globals.get('__name__')}:{step.tb_lineno}")
        step = step.tb_next
    return " > ".join(frames)
