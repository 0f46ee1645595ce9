"""A seeding drawn: what each verdict keeps and removes, and which actions are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from commands.seeding_preview import sentences
from data.errors import CoachError
from data.seeding_preview import SeedingPreview

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEPT, REMOVED, INK, QUIET = "#2f9e6b", "#d9572b", "#1c2128", "#57606a"
FORMATS = (".png", ".svg", ".pdf")
ROWS = {"good": "judged good", "bad": "judged bad", "none": "no verdict"}


def draw_seeding(seeding: SeedingPreview, path: Path) -> Path:
    """Draw a preview into a file (PNG, SVG or PDF by its ending); raises CoachError where it cannot be written."""
    from matplotlib.figure import Figure

    if path.suffix.lower() not in FORMATS:
        raise CoachError(f"A picture's name ends in {', '.join(FORMATS)}, and {path} does not.")
    figure = Figure(figsize=(10, 4.6), dpi=150, layout="constrained")
    figure.suptitle(
        f"Seeding of {seeding.game}: {', '.join(seeding.sources)}, keep {seeding.keep}",
        x=0.01,
        ha="left",
        fontsize=13,
        fontweight="bold",
        color=INK,
    )
    left, right = figure.subplots(1, 2)
    _draw_verdicts(left, seeding)
    _draw_actions(right, seeding)
    for axes in (left, right):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(labelsize=9, colors=QUIET, length=0)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
    figure.supxlabel("\n".join(sentences(seeding)), x=0.01, ha="left", fontsize=8.5, color=QUIET)
    try:
        figure.savefig(path)
    except OSError as error:
        raise CoachError(f"The picture {path} cannot be written ({error.strerror or error}).") from error
    return path


def _draw_verdicts(axes: Axes, seeding: SeedingPreview) -> None:
    """One bar for each thing that verdicts come to, in transitions."""
    kept = [seeding.kept_by_verdict[name] for name in ROWS]
    removed = [seeding.removed_by_verdict[name] for name in ROWS]
    most = max(1, *(k + r for k, r in zip(kept, removed, strict=True)))
    axes.barh(list(ROWS.values()), kept, color=KEPT, label="kept", height=0.55)
    axes.barh(list(ROWS.values()), removed, left=kept, color=REMOVED, label="removed", hatch="//", height=0.55)
    for row, (keeps, removes) in enumerate(zip(kept, removed, strict=True)):
        parts = [f"{keeps:,} kept"] * bool(keeps) + [f"{removes:,} removed"] * bool(removes)
        axes.text(keeps + removes + 0.015 * most, row, ", ".join(parts) or "none", va="center", fontsize=9, color=INK)
    axes.set_xlim(0, 1.5 * most)
    axes.invert_yaxis()
    axes.set_title("Transitions, by what the verdicts on them come to", loc="left", fontsize=10, color=INK)
    axes.legend(frameon=False, fontsize=9, loc="lower right", labelcolor=QUIET)


def _draw_actions(axes: Axes, seeding: SeedingPreview) -> None:
    """The share of each action among the kept recorded decisions."""
    counts = list(seeding.actions.values())
    total, most = max(1, sum(counts)), max(1, *counts)
    axes.barh(list(seeding.actions), counts, color=KEPT, height=0.55)
    for row, count in enumerate(counts):
        axes.text(count + 0.015 * most, row, f"{count / total:.0%}  ({count:,})", va="center", fontsize=9, color=INK)
    axes.set_xlim(0, 1.3 * most)
    axes.invert_yaxis()
    axes.set_title("Actions of the kept recorded decisions", loc="left", fontsize=10, color=INK)
