"""What the home window shows of a library: a few numbers, and the next useful action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from data.comparisons import ComparisonSummary
from data.counted import counted
from data.durations import rounded_duration
from data.episode import EpisodeSummary
from data.runs import RunSummary

ENOUGH_SECONDS = 5 * 60
"""Of play, after which judging helps more than more play."""
ENOUGH_VERDICTS = 20

HomeAction = Literal["play", "curate", "train", "watch", "compare", "library", "settings", "game"]
MAIN_ACTIONS: tuple[HomeAction, ...] = ("play", "curate", "train", "watch", "compare")
"""The large ones, side by side."""
SIDE_ACTIONS: tuple[HomeAction, ...] = ("library", "settings")
"""The buttons at the bottom of the window."""


@dataclass(frozen=True)
class Overview:
    """One game of a library in a few numbers."""

    game: str
    library: str
    episodes: int = 0
    seconds: float = 0.0
    best_score: float | None = None
    other_games: int = 0
    """Episodes of other games in the same library."""
    good: int = 0
    bad: int = 0
    clips_waiting: int = 0
    unfinished: int = 0
    runs: tuple[RunSummary, ...] = ()
    comparisons: tuple[ComparisonSummary, ...] = ()
    """The one that changed last at the end."""
    recent: tuple[EpisodeSummary, ...] = ()
    supplied: RunSummary | None = None
    """The trained agent of the game that is installed with the program, if there is one."""

    @property
    def training(self) -> RunSummary | None:
        """The run that is trained now, except by a comparison."""
        return next((run for run in self.runs if run.is_training and not run.comparison), None)

    @property
    def watchable(self) -> RunSummary | None:
        """The newest run that has an agent to watch; the one that is being trained comes first."""
        return next((run for run in reversed(self.runs) if run.step > 0 or run.is_training), None)


def library_line(overview: Overview) -> str:
    """Return the library in one line: play, verdicts, runs and episodes of other games."""
    others = f"{overview.other_games:,} of other games" if overview.other_games else ""
    parts = [
        f"{rounded_duration(overview.seconds)} in {counted(overview.episodes, 'episode')}",
        others,
        counted(overview.good + overview.bad, "verdict"),
        counted(len(overview.runs), "run"),
    ]
    return "  ·  ".join(part for part in parts if part)


def offers_first_steps(overview: Overview) -> bool:
    """Return whether nothing is recorded yet and both playing and watching the supplied agent are offered."""
    return overview.episodes == 0 and overview.supplied is not None and overview.watchable is None


def next_action(overview: Overview) -> tuple[HomeAction, str]:
    """Return the next useful action, and the reason in one sentence."""
    if offers_first_steps(overview):
        return "play", "Nothing is recorded yet."
    if overview.episodes == 0:
        return "play", "Nothing is recorded yet: play an episode."
    if overview.training is not None and overview.training == overview.watchable:
        return "watch", f"The run {overview.training.name} is training: watch it learn."
    judged = overview.good + overview.bad
    if judged < ENOUGH_VERDICTS and overview.clips_waiting > 0:
        return "curate", f"{counted(overview.clips_waiting, 'clip')} to judge."
    if overview.seconds < ENOUGH_SECONDS:
        minutes = max(1, round((ENOUGH_SECONDS - overview.seconds) / 60))
        return "play", f"Record {counted(minutes, 'more minute')} of play."
    if overview.watchable is None:
        return "train", "Enough is recorded: train an agent on it."
    return "watch", f"See what the run {overview.watchable.name} has learned."


def action_lines(overview: Overview) -> dict[HomeAction, tuple[str, str]]:
    """Return two short lines about the state of each action."""
    best = "" if overview.best_score is None else f"best score {overview.best_score:g}"
    judged = overview.good + overview.bad
    training = overview.training
    train_lines = ("No runs yet", "")
    if training is not None:
        seconds = None if training.progress is None else training.progress.run_seconds_left
        left = "" if seconds is None else f"{rounded_duration(seconds)} left"
        train_lines = (f"{training.name}: {training.phase}", left)
    elif overview.runs:
        last = overview.runs[-1]
        train_lines = (counted(len(overview.runs), "run"), f"{last.name}: {counted(last.step, 'step')}")
    watchable = overview.watchable
    watch_lines = ("No agent yet", "train one first")
    shown = watchable or overview.supplied
    if shown is not None:
        score = "" if shown.mean_score is None else f"mean score {shown.mean_score:.0f}"
        watch_lines = ("The trained agent" if shown.supplied else shown.name, score)
    played = f"{counted(overview.episodes, 'episode')}, {rounded_duration(overview.seconds)}"
    return {
        "play": (played if overview.episodes else "No episodes yet", best),
        "curate": (
            f"{overview.good} good, {overview.bad} bad" if judged else "No verdicts yet",
            f"{counted(overview.clips_waiting, 'clip')} to judge" if overview.clips_waiting else "no clips to judge",
        ),
        "train": train_lines,
        "watch": watch_lines,
        "compare": _comparison_lines(overview.comparisons),
    }


def _comparison_lines(comparisons: Sequence[ComparisonSummary]) -> tuple[str, str]:
    if not comparisons:
        return "No comparisons yet", ""
    last = next((found for found in comparisons if found.is_active), comparisons[-1])
    done = f"{last.done} of {counted(last.total, 'run')}" if last.total else last.state
    if last.is_active:
        left = "" if last.seconds_left is None else f", {rounded_duration(last.seconds_left)} left"
        return f"{last.name}: {last.state}", f"{done}{left}"
    return counted(len(comparisons), "comparison"), f"{last.name}: {last.state}"
