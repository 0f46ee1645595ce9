"""The progress that a training reports."""

from __future__ import annotations

import pytest

from agent import progress
from agent.progress import ProgressReporter
from data.run_progress import Progress


def test_the_first_update_which_compiles_is_left_out_of_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    reports: list[Progress] = []
    reporter = ProgressReporter(reports.append)
    reporter.start_phase("pretraining", 0, 100)
    for step, seconds in ((1, 20.0), (11, 1.0), (100, 9.0)):
        now += seconds
        reporter.stepped(step)
    assert [progress.seconds_left for progress in reports] == [None, pytest.approx(8.9), 0.0]
