"""The display of a training in the terminal."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path

import pytest
from agent_episodes import record_episode, small_config
from rich.console import Console

from agent.training import train
from commands.train import BLOCKS, History, TrainingDisplay, sparkline
from data.library import Library
from data.run_progress import Progress


def state(score: float, episodes: int, **changes: object) -> Progress:
    known = {
        "phase": "training",
        "step": 500,
        "total": 1000,
        "steps_per_second": 80.0,
        "mean_score": score,
        "epsilon": 0.05,
        "seeded_share": 0.5,
        "loss": 0.25,
        "seconds_left": 6.0,
        "episodes": episodes,
        "mean_value": 1.5,
        "own_step": 500,
        "own_steps": 1000,
        "run_seconds_left": 65.0,
    }
    return Progress(**{**known, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "line"),
    [([], ""), ([float("nan")], ""), ([5.0, 5.0], "▁▁"), ([0, 7], "▁█"), (list(range(8)), BLOCKS)],
)
def test_a_curve_in_one_line(values: list[float], line: str) -> None:
    assert sparkline(values) == line


def test_a_long_curve_keeps_its_shape_in_few_characters() -> None:
    assert sparkline([0.0] * 500 + [1.0] * 500, width=4) == "▁▁██"


def test_history_stays_small_and_counts_an_episode_once() -> None:
    history = History()
    for number in range(10_000):
        history.add(state(number // 2, number // 2))
    assert 1000 < len(history.scores) < 2001
    assert history.scores == sorted(history.scores)


def test_the_terminal_shows_curve_loss_values_share_pace_and_time_left() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120)
    with TrainingDisplay("a", console).running() as display:
        for number in range(5):
            display.report(state(100.0 + 20 * number, number))
        display._live.refresh()  # type: ignore[union-attr]
    text = shown.getvalue()
    for words in ("a: training", "▁▃▅▆█", "0.2500", "1.500", "50%", "80 steps/s", "0:06 left", "1:05 left"):
        assert words in text


def test_a_pipe_gets_plain_lines() -> None:
    shown = io.StringIO()
    with TrainingDisplay("a", Console(file=shown, width=200)).running() as display:
        display.report(state(120, 3))
    assert "a: training 500 of 1000; 80 steps/s; 0:06 left; mean score 120 points" in shown.getvalue()
    assert "q-values, mean 1.500" in shown.getvalue()


def test_a_note_about_the_start_is_printed_once() -> None:
    shown = io.StringIO()
    display = TrainingDisplay("a", Console(file=shown, width=200))
    for step in (1, 2):
        display.report(Progress("filling", step, 2, note="A damaged replay file is left out: a.h5."))
    assert shown.getvalue().count("A damaged replay file is left out: a.h5.") == 1


def test_ctrl_c_ends_a_training_that_still_fills_its_memory_and_leaves_no_run(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    for seed in range(3):
        record_episode(library, 120, seed)
    shown = io.StringIO()
    display = TrainingDisplay("a", Console(file=shown, width=200))
    phases: list[tuple[str, int, int]] = []

    def report(progress: Progress) -> None:
        if not phases:
            os.kill(os.getpid(), signal.SIGINT)
        phases.append((progress.phase, progress.step, progress.total))
        display.report(progress)

    config = small_config(seed_from=("all",), keep="all")
    with display.running(), pytest.raises(KeyboardInterrupt):
        train(library, "a", config, report=report, should_stop=display.should_stop)
    ((phase, step, total),) = phases
    assert phase == "filling"
    assert step < total
    assert not library.run_folder("a").exists()
    assert "Stopping (Ctrl-C again: stop at once)." in shown.getvalue()
