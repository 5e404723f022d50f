"""``python -m tests.netlab`` as a person types it."""

from __future__ import annotations

import asyncio
import re
import sys

from tests.netlab.lab import ROOT
from tests.support.waiting import within


async def test_a_transfer_on_this_machine_is_tried_by_hand() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.netlab", "--loopback", "--size", "0.1"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await within(process.communicate(), "the end of the transfer", 45.0)
    assert process.returncode == 0, errors.decode()
    found = re.fullmatch(r"seedshot +([\d.]+) Mbit/s  open [\d.]+ s .*owner's CPU [\d.]+ s\n", output.decode())
    assert found, output
    assert float(found[1]) > 0
