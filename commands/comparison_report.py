"""The report of a comparison: conclusions, scores, curves, films, settings, seedings, and how to reproduce it."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.arms import Arm, differing_settings
from agent.comparison import Plan
from agent.comparison_summary import ArmSummary, Summary, conclusions, listed
from agent.statistics import RESAMPLES
from commands.report import INK, Chart, Film, Table, draw_chart, format_estimate, render
from data.counted import counted
from data.durations import clock
from data.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_EPISODES = 40
"""Listed for each arm."""

COLOURS = ("#2f9e6b", "#c2551f", "#3b6fb6", "#8a7a1f", "#8e4fa8", "#57606a", "#b03a5b", "#1f8a8a")
MARKERS = "os^DvPX*"
ARM_INCHES = 0.6
"""Height of an arm in the chart of scores."""
LEGEND_CHARACTERS, NARROW_LEGEND_CHARACTERS = 108, 48
"""Characters that fit into a line of a chart's legend."""
LEGEND_MARK_CHARACTERS = 7
"""Width of a legend's mark and the gap to the next, in characters."""


@dataclass(frozen=True)
class Facts:
    """Everything that the report shows."""

    plan: Plan
    summary: Summary
    results: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    films: dict[str, Film]
    """By slug of the arm."""
    versions: dict[str, str]


def write_report(facts: Facts, out: Path) -> None:
    """Write ``report.html``, ``report.md`` and the charts' files into ``out``. Raises OSError."""
    values = _values(facts)
    for chart in values["charts"]:
        write_atomic(out / chart.file, chart.wide)
    write_atomic(out / "report.md", render("comparison.jinja", "md", **values))
    write_atomic(out / "report.html", render("comparison.jinja", "html", **values))


def _values(facts: Facts) -> dict[str, Any]:
    """Return the values for the template."""
    plan, summary = facts.plan, facts.summary
    return {
        "plan": plan,
        "summary": summary,
        "evaluations": _evaluations(plan),
        "resamples": RESAMPLES,
        "times": _times(plan),
        "steps": _range(sorted(arm.config.steps for arm in plan.arms)),
        "conclusions": conclusions(summary),
        "scores": _scores(summary),
        "charts": charts(summary),
        "reached": _reached(summary),
        "pairs": _pairs(summary),
        "films": [facts.films[arm.slug] for arm in plan.arms if arm.slug in facts.films],
        "settings": Table(
            ("Setting", *(arm.title for arm in plan.arms)),
            tuple((name, *values) for name, values in differing_settings(plan.arms).items()),
        ),
        "budget": _budget(summary),
        "seedings": [_seeding(facts, arm) for arm in plan.arms],
        "demonstrations": _demonstrations(plan),
        "seeds": listed([f"{seed}" for seed in plan.seeds]),
        "failures": Table(("Run", "Reason"), tuple((one["run"], one["error"]) for one in facts.failures)),
        "command": shlex.join(plan.command),
        "versions": ", ".join(f"{name} {number}" for name, number in facts.versions.items() if name != "system"),
        "machine": facts.versions["system"],
        "threads": _threads(plan),
        "times_taken": _times_taken(facts),
    }


def _times(plan: Plan) -> str:
    count = len(plan.seeds)
    return {1: "once", 2: "twice, with two random seeds,"}.get(count, f"{count} times, with {count} random seeds,")


def _evaluations(plan: Plan) -> str:
    """Return when the agents are evaluated during training and on how many episodes, "" if none is evaluated."""
    titles: dict[str, list[str]] = {}
    for arm in plan.arms:
        every, episodes = arm.config.evaluate_every, counted(arm.config.evaluation_episodes, "episode")
        titles.setdefault(f"every {every:,} own steps on {episodes}" if every else "never", []).append(arm.title)
    if len(titles) == 1:
        return next((words for words in titles if words != "never"), "")
    return listed([f"{words} ({listed(arms)})" for words, arms in titles.items()])


def _range(values: Sequence[int]) -> str:
    if not values:
        return "–"
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _scores(summary: Summary) -> Table:
    interval = ", 95% interval" if summary.has_intervals else ""
    is_normalised = summary.human is not None
    columns = ["Arm", f"Final score{interval}>", "Each training"]
    columns += ["Human-normalised>"] if is_normalised else []
    columns += [f"Mean during training{interval}>", "Trainings>"]
    rows = []
    for arm in summary.arms:
        cells = [arm.title, format_estimate(arm.iqm), ", ".join(f"{score:,.0f}" for score in arm.scores) or "–"]
        cells += [format_estimate(arm.normalised, 2)] if is_normalised else []
        cells += [format_estimate(arm.area), f"{len(arm.runs)}" + (f" ({arm.failed} failed)" if arm.failed else "")]
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def _reached(summary: Summary) -> Table:
    arms = [arm for arm in summary.arms if arm.runs and arm.reach]
    names = tuple(f"{reach.name}>" for reach in arms[0].reach) if arms else ()
    return Table(
        ("Arm", *names),
        tuple((arm.title, *(_when(one.median, one.count, len(one.steps)) for one in arm.reach)) for arm in arms),
    )


def _when(median: float | None, count: int, total: int) -> str:
    if count == 0:
        return "never"
    return f"{'–' if median is None else f'{median:,.0f}'} ({count} of {total})"


def _pairs(summary: Summary) -> Table:
    rows = tuple(
        (
            f"{pair.first} over {pair.second}",
            format_estimate(pair.improvement, 2),
            "–" if pair.p is None else f"{pair.p:.3f}",
            "yes" if pair.is_separated else "no",
            "–" if pair.seeds_needed is None else f"{pair.seeds_needed}",
        )
        for pair in summary.pairs
    )
    return Table(("Arms", "Probability of improvement>", "Mann-Whitney p>", "Significant", "Trainings needed>"), rows)


def _budget(summary: Summary) -> Table:
    rows = {
        "own steps": [arm.steps for arm in summary.arms],
        "updates": [arm.updates for arm in summary.arms],
        "of these, pretraining": [arm.pretrain_updates for arm in summary.arms],
    }
    return Table(
        ("Of each training", *(f"{arm.title}>" for arm in summary.arms)),
        tuple((name, *map(_range, values)) for name, values in rows.items()),
    )


@dataclass(frozen=True)
class _Seeding:
    """The report's section on an arm's seeding."""

    title: str
    sentences: str
    chain: tuple[tuple[int, str], ...]
    """(depth, text): the sources of the experience; a deeper one is a source of the one above it."""
    episodes: Table


def _seeding(facts: Facts, arm: Arm) -> _Seeding:
    facts_of_seeding = facts.plan.seedings.get(arm.slug, {})
    chain = tuple((line["depth"], line["text"]) for line in facts.plan.provenance.get(arm.slug, []))
    return _Seeding(
        arm.title, _seeding_sentences(facts_of_seeding, arm.verdicts), chain, _episodes(facts_of_seeding, facts, arm)
    )


def _seeding_sentences(seeding: dict[str, Any], verdicts: str) -> str:
    if not seeding.get("decisions"):
        return "Nothing: the replay memory started empty."
    sentences = f"{seeding['decisions']:,} decisions"
    if seeding["random"]:
        sentences += f", {seeding['random']:,} of them from new random play"
    sentences += "."
    if seeding["found"]:
        removed = [f"{number:,} {reason}" for reason, number in seeding["removed"].items()]
        found = f"{seeding['found']:,} recorded decisions"
        sentences += f" Of {found}, {listed(removed)}; these were left out." if removed else f" All {found} were used."
        if seeding.get("damaged"):
            sentences += f" Damaged replay files that were left out: {len(seeding['damaged'])}."
        if verdicts != "library":
            sentences += f" Verdicts: {verdicts}."
    if seeding["mixed"]:
        sentences += f" {seeding['mixed']:,} of the decisions used have more than one action in their frames."
    return sentences


def _episodes(seeding: dict[str, Any], facts: Facts, arm: Arm) -> Table:
    episodes = seeding.get("episodes", [])
    sampled: dict[str, list[int]] = {}
    for result in facts.results:
        if result["arm"] == arm.slug:
            for source in result["sources"]:
                sampled.setdefault(source["name"], []).append(source["drawn"])
    rows = tuple(
        (
            episode["episode"],
            episode["demonstrator"] + (f" ({episode['player']})" if episode["player"] else ""),
            f"{episode['score']:g}",
            clock(episode["seconds"]),
            f"{episode['kept']:,} of {episode['decisions']:,}",
            f"{np.mean(sampled[episode['episode']]):,.0f}" if episode["episode"] in sampled else "–",
        )
        for episode in episodes[:MAX_EPISODES]
    )
    first = f" (the first {MAX_EPISODES})" if len(episodes) > MAX_EPISODES else ""
    title = f"{counted(len(episodes), 'episode')}{first}; sampled: how often, on average, a training learned from it"
    return Table(("Episode", "Demonstrator", "Score>", "Length>", "Decisions used>", "Sampled>"), rows, title)


def _demonstrations(plan: Plan) -> str:
    """Return a sentence about the demonstrators."""
    episodes = {e["episode"]: e["demonstrator"] for s in plan.seedings.values() for e in s.get("episodes", [])}
    if not episodes:
        return "No demonstrations were used, and no person played."
    counts: dict[str, int] = {}
    for demonstrator in episodes.values():
        counts[demonstrator] = counts.get(demonstrator, 0) + 1
    names = {"human": "people", "planner": "a planner that looks ahead on copies of the emulator"}
    by = listed([f"{names.get(kind, kind)} ({counted(count, 'episode')})" for kind, count in sorted(counts.items())])
    sentence = f"Demonstrations were played by {by}."
    return sentence if "human" in counts else f"{sentence} No person's play was used."


def _threads(plan: Plan) -> str:
    counts = sorted({arm.config.threads for arm in plan.arms})
    return " or ".join("all processor threads" if n == 0 else counted(n, "computing thread") for n in counts)


def _times_taken(facts: Facts) -> Table:
    evaluating = {
        arm.slug: [result["evaluation"]["seconds"] for result in facts.results if result["arm"] == arm.slug]
        for arm in facts.summary.arms
    }
    rows = tuple(
        (arm.title, _clock_range(arm.seconds), _clock_range(evaluating[arm.slug])) for arm in facts.summary.arms
    )
    return Table(("Arm", "Training>", "Final evaluation>"), rows)


def _clock_range(seconds: Sequence[float]) -> str:
    if not seconds:
        return "–"
    low, high = clock(min(seconds)), clock(max(seconds))
    return low if low == high else f"{low} to {high}"


# ---- charts ----------------------------------------------------------------------------------------------------------


def charts(summary: Summary) -> list[Chart]:
    """Return charts of the curves, the final scores and, if anything was seeded, the seeded share."""
    arms = [arm for arm in summary.arms if arm.runs]
    if not arms:
        return []
    drawn = []
    if any(arm.curve is not None and len(arm.curve.steps) > 1 for arm in arms):
        band = "shaded: 95% bootstrap band" if summary.has_intervals else "too few trainings for a band"
        drawn.append(
            draw_chart(
                "curves.png",
                lambda figure, narrow: _draw_curves(figure.subplots(), arms, summary, narrow),
                "Learning curves of all arms",
                "Learning curves: evaluations during training, at the same own steps for all arms. Thick: "
                f"interquartile mean over the trainings; thin: each training; {band}.",
            )
        )
    drawn.append(
        draw_chart(
            "scores.png",
            lambda figure, _: _draw_scores(figure.subplots(), arms),
            "Final scores of all trainings",
            "Final evaluation: one mark per training, and the interquartile mean"
            + (" with its 95% interval." if summary.has_intervals else "."),
            max_inches=1.0 + ARM_INCHES * len(arms),
        )
    )
    if any(arm.curve is not None and any(arm.curve.memory_seeded_share) for arm in arms):
        drawn.append(
            draw_chart(
                "seeded.png",
                lambda figure, narrow: _draw_seeded_share(figure.subplots(), arms, narrow),
                "Seeded share of the replay memory and of the batches",
                "Seeded share of the replay memory (solid) and of the latest batch (dotted) during training.",
            )
        )
    return drawn


def _style(number: int) -> tuple[str, str]:
    return COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]


def _draw_curves(axes: Axes, arms: list[ArmSummary], summary: Summary, narrow: bool) -> None:
    for number, arm in enumerate(arms):
        curve = arm.curve
        if curve is None:
            continue
        colour, marker = _style(number)
        for each in curve.each:
            axes.plot(curve.steps, each, color=colour, linewidth=0.8, alpha=0.45)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.steps, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(curve.steps, curve.middle, marker + "-", color=colour, label=arm.title, linewidth=2, markersize=5)
    if summary.chance is not None:
        axes.axhline(summary.chance, color=INK, linewidth=0.8, linestyle=":")
        axes.annotate(
            "random play",
            (1.0, summary.chance),
            xytext=(0, 2),
            textcoords="offset points",
            xycoords=("axes fraction", "data"),
            fontsize=8,
            ha="right",
            va="bottom",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
    _label_steps(axes, narrow)
    axes.set_ylabel("points")
    _draw_legend(axes, arms, narrow)


def _draw_scores(axes: Axes, arms: list[ArmSummary]) -> None:
    for number, arm in enumerate(arms):
        colour, marker = _style(number)
        height = len(arms) - 1 - number
        spread = [height + 0.16 * (i % 3 - 1) for i in range(len(arm.scores))]
        axes.plot(arm.scores, spread, marker, color=colour, alpha=0.55, markersize=6)
        if arm.iqm is None:
            continue
        if arm.iqm.low is not None and arm.iqm.high is not None:
            axes.hlines(height, arm.iqm.low, arm.iqm.high, color=INK, linewidth=1.5)
        axes.plot([arm.iqm.value], [height], "|", color=INK, markersize=18, markeredgewidth=2)
    axes.set_yticks(range(len(arms)), [_wrapped(arm.title, 16) for arm in reversed(arms)])
    axes.set_ylim(-0.6, len(arms) - 0.4)
    axes.set_xlabel("points")
    low, high = axes.get_xlim()
    axes.set_xlim(min(0.0, low), high)


def _draw_seeded_share(axes: Axes, arms: list[ArmSummary], narrow: bool) -> None:
    for number, arm in enumerate(arms):
        curve = arm.curve
        if curve is None:
            continue
        colour, marker = _style(number)
        shares = [100.0 * share for share in curve.memory_seeded_share]
        axes.plot(curve.steps, shares, marker + "-", color=colour, label=arm.title, linewidth=2, markersize=5)
        known = [(s, 100.0 * b) for s, b in zip(curve.steps, curve.batch_seeded_share, strict=True) if b is not None]
        if known:
            axes.plot(*zip(*known, strict=True), ":", color=colour, linewidth=1.5)
    _label_steps(axes, narrow)
    axes.set_ylabel("seeded, %")
    axes.set_ylim(-3, 103)
    _draw_legend(axes, arms, narrow)


def _label_steps(axes: Axes, narrow: bool) -> None:
    axes.set_xlabel("own steps")
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", nbins=4 if narrow else 8, integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _draw_legend(axes: Axes, arms: list[ArmSummary], narrow: bool) -> None:
    """Draw the legend above the axes, in as many columns as fit with the longest title."""
    characters = NARROW_LEGEND_CHARACTERS if narrow else LEGEND_CHARACTERS
    longest = max(len(arm.title) for arm in arms)
    columns = max(1, min(4, len(arms), characters // (longest + LEGEND_MARK_CHARACTERS)))
    legend = axes.legend(
        frameon=False, fontsize=9, ncols=columns, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2
    )
    for text in legend.get_texts():
        text.set_text(_wrapped(text.get_text(), characters - LEGEND_MARK_CHARACTERS))


def _wrapped(title: str, characters: int) -> str:
    return "\n".join(textwrap.wrap(title, characters)) or title
