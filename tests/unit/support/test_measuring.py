"""What benchmarks say: limits on one side and on both, peers as they were measured, and what a failure leaves."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from types import ModuleType

import pytest

from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import network
from tests.benchmarks._collecting import CANNOT, FAILED, collect
from tests.benchmarks.network_rows.common import Options, Rows, whole_of
from tests.netlab.transfer import Result
from tests.support.measuring import MeasuringError, Row, show, spread, spreads, table

MEASURED = Row("rows of others", [1.0], "ms")


@pytest.mark.parametrize(
    ("values", "holds"), [([34.9], False), ([35.0], True), ([20, 50, 99], True), ([65.0], True), ([100.0], False)]
)
def test_a_share_may_be_neither_too_small_nor_too_large(values: list[float], holds: bool) -> None:
    row = Row("TCP keeps", values, "%", (35, 65))
    assert row.holds is holds
    assert "35.0 to 65.0 %" in table([row])
    assert ("holds" if holds else "BROKEN") in table([row])


def test_one_number_is_the_most_or_the_least() -> None:
    assert Row("time", [1.0], "s", 1.0).holds
    assert not Row("time", [1.1], "s", 1.0).holds
    assert not Row("rate", [0.9], "Mbit/s", 1.0, more_is_better=True).holds


def test_a_peer_is_shown_with_its_range_and_its_runs() -> None:
    assert spread("aiortc", [3, 2, 2.5], "MB") == "aiortc 2.5 MB (2.0 to 3.0, 3 runs)"
    assert (
        spreads({"aiortc": [2.0], "chromium": [140, 160]})
        == "aiortc 2.0 (2.0, 1 run), chromium 150 (140 to 160, 2 runs)"
    )


def test_nothing_measured_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert show([]) == 0
    assert capsys.readouterr().out == ""


def test_our_own_transfer_has_to_bring_everything() -> None:
    short = Result("seedshot", 999, 0.1, 0.1, 0.1)
    with pytest.raises(MeasuringError, match="999 of 1000 bytes"):
        whole_of(short, 1000)
    assert whole_of(short, 999) is short
    peer = Result("aiortc", 1, 0.1, 0.1, 0.1)
    assert whole_of(peer, 1000) is peer


def test_without_root_the_rows_measured_before_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    other = ModuleType("tests.benchmarks.signal_server")
    other.rows = lambda: [MEASURED]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, other.__name__, other)
    assert benchmarks.main(["signal_server", "network"]) == CANNOT == 2
    said = capsys.readouterr()
    assert MEASURED.what in said.out
    assert "needs root" in said.err


def test_what_came_before_a_failure_stays(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Iterator[Row]:
        yield MEASURED
        raise ValueError("the cable")

    async def failing() -> AsyncIterator[Row]:
        yield MEASURED
        raise MeasuringError("Nothing has arrived.")

    async def all_at_once() -> list[Row]:
        return [MEASURED]

    measured: list[Row] = []
    assert [collect(found, measured) for found in (broken(), failing(), all_at_once())] == [FAILED, FAILED, 0]
    assert measured == [MEASURED] * 3
    said = capsys.readouterr().err
    assert "ValueError: the cable" in said
    assert said.endswith("Nothing has arrived.\n")


def test_a_row_that_fails_does_not_keep_the_next_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def failing(options: Options) -> Rows:
        if options.runs:
            raise MeasuringError("Nothing has arrived.")
        yield MEASURED

    async def good(_: Options) -> Rows:
        yield MEASURED

    monkeypatch.setattr(network, "ROWS", {"tcp": failing, "far": good})
    measured: list[Row] = []
    assert collect(network.measure_rows(["tcp", "far"], Options()), measured) == FAILED
    assert measured == [MEASURED]
    assert "tcp: Nothing has arrived." in capsys.readouterr().err
