"""How a training tells its pace."""

from __future__ import annotations

import pytest

from agent import progress
from agent.progress import Progress, Reporter


def test_the_first_update_which_compiles_does_not_count_in_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    told: list[Progress] = []
    reporter = Reporter(told.append)
    reporter.phase("pretraining", 0, 100)
    for step, seconds in ((1, 20.0), (11, 1.0), (100, 9.0)):
        now += seconds
        assert reporter.due(step)
        reporter.tell(step, None, None)
    assert [facts.seconds_left for facts in told] == [None, pytest.approx(8.9), 0.0]
