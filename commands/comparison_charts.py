"""The charts of a comparison's report, each in two widths: for a laptop or paper, and for a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.comparison_summary import ArmSummary, Summary
from commands.report_blocks import Chart
from commands.report_parts import INK, png_of, quieten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#2f9e6b", "#c2551f", "#3b6fb6", "#8a7a1f", "#8e4fa8", "#57606a", "#b03a5b", "#1f8a8a")
MARKERS = "os^DvPX*"
WIDE, NARROW = (8.8, 4.2), (4.2, 4.0)
"""Inches; a phone shows the narrow one at its full size, so that its letters can be read."""
ROW_INCHES = 0.6
"""Height of an arm's scores."""

NARROW_LETTERS, WIDE_LETTERS = 48, 108
"""So many letters of the legend fit into a line of the chart."""
LETTERS_OF_A_MARK = 7
"""A legend's mark, and the gap to the next, take the place of so many."""

Draw = Callable[["Axes", bool], None]


def charts(summary: Summary) -> list[Chart]:
    """Curves, final scores, and the seeded share where anything was seeded."""
    arms = [arm for arm in summary.arms if arm.runs]
    if not arms:
        return []
    found = []
    if any(arm.curve is not None and len(arm.curve.steps) > 1 for arm in arms):
        found.append(
            _chart(
                "curves.png",
                lambda axes, narrow: _curves(axes, arms, summary, narrow),
                "Learning curves of all arms",
                "Learning curves: evaluations while training, at the same own steps for all. Thick: interquartile mean "
                "over the trainings; thin: each training"
                + (
                    "; shaded: 95% stratified bootstrap band."
                    if summary.has_intervals
                    else ". Too few trainings for a band."
                ),
            )
        )
    found.append(
        _chart(
            "scores.png",
            lambda axes, _: _scores(axes, arms),
            "Final scores of all trainings",
            "Final evaluation: one mark for each training, and the interquartile mean"
            + (" with its 95% interval." if summary.has_intervals else "."),
            most_inches=1.0 + ROW_INCHES * len(arms),
        )
    )
    if any(arm.curve is not None and any(arm.curve.memory_seeded_share) for arm in arms):
        found.append(
            _chart(
                "seeded.png",
                lambda axes, narrow: _seeded(axes, arms, narrow),
                "Seeded share of the replay memory and of the batches",
                "How the seeding went: the seeded share of the replay memory (solid) and of the newest batch (dotted).",
            )
        )
    return found


def _chart(file: str, draw: Draw, alt: str, caption: str, most_inches: float = 10.0) -> Chart:
    wide, narrow = ((width, min(height, most_inches)) for width, height in (WIDE, NARROW))
    return Chart(file, _drawn(draw, wide, False), _drawn(draw, narrow, True), alt, caption)


def _drawn(draw: Draw, size: tuple[float, float], narrow: bool) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=150, layout="constrained")
    axes = figure.subplots()
    draw(axes, narrow)
    quieten(axes)
    return png_of(figure)


def _look(number: int) -> tuple[str, str]:
    return COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]


def _curves(axes: Axes, arms: list[ArmSummary], summary: Summary, narrow: bool) -> None:
    for number, arm in enumerate(arms):
        curve = arm.curve
        if curve is None:
            continue
        colour, marker = _look(number)
        for each in curve.each:
            axes.plot(curve.steps, each, color=colour, linewidth=0.8, alpha=0.45)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.steps, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(curve.steps, curve.middle, marker + "-", color=colour, label=arm.title, linewidth=2, markersize=5)
    if summary.chance is not None:
        axes.axhline(summary.chance, color=INK, linewidth=0.8, linestyle=":")
        axes.annotate(
            "chance",
            (1.0, summary.chance),
            xytext=(0, 2),
            textcoords="offset points",
            xycoords=("axes fraction", "data"),
            fontsize=8,
            ha="right",
            va="bottom",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
    _steps_axis(axes, narrow)
    axes.set_ylabel("points")
    _legend(axes, arms, narrow)


def _scores(axes: Axes, arms: list[ArmSummary]) -> None:
    for number, arm in enumerate(arms):
        colour, marker = _look(number)
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


def _seeded(axes: Axes, arms: list[ArmSummary], narrow: bool) -> None:
    for number, arm in enumerate(arms):
        curve = arm.curve
        if curve is None:
            continue
        colour, marker = _look(number)
        shares = [100.0 * share for share in curve.memory_seeded_share]
        axes.plot(curve.steps, shares, marker + "-", color=colour, label=arm.title, linewidth=2, markersize=5)
        known = [(s, 100.0 * b) for s, b in zip(curve.steps, curve.batch_seeded_share, strict=True) if b is not None]
        if known:
            axes.plot(*zip(*known, strict=True), ":", color=colour, linewidth=1.5)
    _steps_axis(axes, narrow)
    axes.set_ylabel("seeded, %")
    axes.set_ylim(-3, 103)
    _legend(axes, arms, narrow)


def _steps_axis(axes: Axes, narrow: bool) -> None:
    axes.set_xlabel("own steps")
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", nbins=4 if narrow else 8, integer=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _legend(axes: Axes, arms: list[ArmSummary], narrow: bool) -> None:
    """Above the axes, in as many columns as the longest title leaves room for."""
    letters = NARROW_LETTERS if narrow else WIDE_LETTERS
    longest = max(len(arm.title) for arm in arms)
    columns = max(1, min(4, len(arms), letters // (longest + LETTERS_OF_A_MARK)))
    legend = axes.legend(
        frameon=False, fontsize=9, ncols=columns, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2
    )
    for text in legend.get_texts():
        text.set_text(_wrapped(text.get_text(), letters - LETTERS_OF_A_MARK))


def _wrapped(title: str, letters: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(title, letters)) or title
