"""Progress where there is no terminal."""

from __future__ import annotations

import pytest

from commands import output


def test_long_work_says_how_far_it_is_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(output.time, "monotonic", lambda: now)
    with output.progress_bar("Recording", "episodes") as progress:
        task = progress.task_ids[0]
        progress.update(task, total=3, completed=1)
        assert capsys.readouterr().err == ""
        now += output.LINE_SECONDS
        progress.update(task, completed=2, note="[episode] 3: 1:02 played")
        assert capsys.readouterr().err == "        Recording: 2 of 3 episodes  [episode] 3: 1:02 played\n"
        progress.advance(task)
        assert capsys.readouterr().err == ""
