"""The overlay on two monitors of different scale, in physical pixels from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.desktop import ROOT


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.two_monitors_program"],
        cwd=ROOT,
        env={**os.environ, "QT_SCALE_FACTOR": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


@pytest.mark.parametrize(
    ("question", "region"),
    [
        ("left", [10, 20, 100, 50]),
        ("right", [1015, 30, 136, 61]),
        ("right corner", [2050, 750, 150, 150]),
        ("across", [900, 100, 200, 200]),
        ("enter left", [0, 0, 1000, 800]),
        ("enter right", [1000, 0, 1200, 900]),
        ("escape", None),
        ("cancelled", None),
        ("without a picture", None),
    ],
)
def test_the_region_in_physical_pixels(answers: dict[str, Any], question: str, region: list[int] | None) -> None:
    assert answers[question] == region


def test_a_second_question_is_answered_with_nothing_and_a_cancelled_one_closes(answers: dict[str, Any]) -> None:
    assert answers["again"] == "None, CancelledError, False"
