"""How a training tells its pace."""

from __future__ import annotations

import pytest

from agent import progress
from agent.progress import ProgressReporter
from data.run_progress import Progress


def test_the_first_update_which_compiles_does_not_count_in_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    told: list[Progress] = []
    reporter = ProgressReporter(told.append)
    reporter.start_phase("pretraining", 0, 100)
    for step, seconds in ((1, 20.0), (11, 1.0), (100, 9.0)):
        now += seconds
        reporter.stepped(step)
    assert [progress.seconds_left for progress in told] == [None, pytest.approx(8.9), 0.0]
