"""The page at the end of the tour: a seeded and an unseeded agent side by side, and how small the run was."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from commands.report_parts import INK, encoded, png_of, quieten, style, write_text
from data.durations import clock
from data.episode import EpisodeSummary


@dataclass(frozen=True)
class Arm:
    """One of the two agents."""

    name: str
    title: str
    pretrain_steps: int
    steps: int
    training_seconds: float
    training_scores: tuple[tuple[int, float], ...]
    """(own step at the episode's end, score) of each training episode."""
    scores: tuple[float, ...]
    """Of the evaluation episodes."""
    mean: float
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class TourFacts:
    """Everything that the page tells."""

    game: str
    episodes: tuple[EpisodeSummary, ...]
    verified: int
    verdicts: tuple[str, ...]
    """What each rule found, in words."""
    seeding: str
    """What the seeding put into the memory, in words."""
    arms: tuple[Arm, ...]
    film: Path
    film_words: str
    protocol: str
    versions: dict[str, str]
    commands: tuple[str, ...]
    seconds: float


_COLOURS = ("#2f9e6b", "#8b95a3")


def write_report(facts: TourFacts, path: Path) -> None:
    """Write the page: one file that needs no other."""
    page = Template((files("commands") / "tour_report.html").read_text(encoding="utf-8")).substitute(
        style=style(),
        game=escape(facts.game),
        smallness=escape(smallness(facts)),
        score_rows="\n".join(_score_row(arm) for arm in facts.arms),
        protocol=escape(facts.protocol),
        chart=encoded(_chart(facts)),
        film=encoded(facts.film.read_bytes()),
        film_words=escape(facts.film_words),
        seeding=escape(facts.seeding),
        verdicts="".join(f"<li>{escape(words)}</li>" for words in facts.verdicts),
        episode_rows="\n".join(
            f"<tr><td>{escape(Path(e.path).name)}</td><td>{escape(e.demonstrator)}</td>"
            f'<td class="number">{e.score:g}</td><td class="number">{clock(e.seconds)}</td></tr>'
            for e in facts.episodes
        ),
        verified=facts.verified,
        episode_count=len(facts.episodes),
        commands=escape("\n".join(facts.commands)),
        versions=escape(", ".join(f"{name} {number}" for name, number in facts.versions.items())),
        seconds=clock(facts.seconds),
    )
    write_text(path, page)


def smallness(facts: TourFacts) -> str:
    """How small the run was, and what therefore cannot be concluded."""
    arm = facts.arms[0]
    minutes = sum(episode.seconds for episode in facts.episodes) / 60
    return (
        f"This run is far too small to conclude anything: {minutes:.0f} minutes of planner's play in "
        f"{len(facts.episodes)} episodes, {arm.steps:,} steps of training (published agents train for millions), one "
        f"training of each agent, and {len(arm.scores)} evaluation episodes. It shows that every part works; which "
        "seeding is better takes several trainings of each."
    )


def _score_row(arm: Arm) -> str:
    numbers = (
        f"{arm.mean:.0f}",
        f"{arm.low:.0f} to {arm.high:.0f}",
        f"{arm.median:.0f}",
        f"{max(arm.scores):.0f}",
        str(len(arm.scores)),
        f"{arm.pretrain_steps:,} updates",
        f"{arm.steps:,}",
        clock(arm.training_seconds),
    )
    cells = "".join(f'<td class="number">{escape(number)}</td>' for number in numbers)
    return f"<tr><td>{escape(arm.title)}</td>{cells}</tr>"


def _chart(facts: TourFacts) -> bytes:
    """A PNG: evaluation scores on the left, training episodes on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.8, 3.4), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    for number, arm in enumerate(facts.arms):
        colour = _COLOURS[number % len(_COLOURS)]
        spread = [number + 0.3 * (i / max(1, len(arm.scores) - 1) - 0.5) for i in range(len(arm.scores))]
        left.plot(spread, arm.scores, "o", color=colour, alpha=0.45, markersize=4)
        left.errorbar(
            number,
            arm.mean,
            yerr=[[arm.mean - arm.low], [arm.high - arm.mean]],
            fmt="_",
            color=INK,
            capsize=5,
            markersize=14,
        )
        if arm.training_scores:
            steps, scores = zip(*arm.training_scores, strict=True)
            marker = "os"[number % 2]
            right.plot(steps, scores, marker, color=colour, label=arm.title, markersize=4)
    left.set_xticks(range(len(facts.arms)), [arm.title for arm in facts.arms])
    left.set_xlim(-0.6, len(facts.arms) - 0.4)
    left.set_ylabel("points")
    left.set_ylim(bottom=0)
    left.set_title("Evaluation", loc="left", fontsize=10)
    right.set_xlabel("own steps")
    right.set_ylabel("points")
    right.set_ylim(bottom=0)
    right.set_xlim(left=0)
    right.set_title("While training", loc="left", fontsize=10)
    if right.has_data():
        right.legend(frameon=False, fontsize=9)
    for axes in (left, right):
        quieten(axes)
    return png_of(figure)
