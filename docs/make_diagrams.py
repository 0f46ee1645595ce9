"""The guide's diagrams, drawn from the settings and functions that they are about: `make pictures`.

Writes docs/pictures/seeding-*.svg. They are narrow, so that their text can be read on a phone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from agent.config import TrainConfig
from data.clip import Clip, Verdict, verdict_of_frames

PICTURES = Path(__file__).parent / "pictures"
GROUND, PANEL, LINE, TEXT, QUIET = "#0E1116", "#161B22", "#2A313C", "#E6E9EE", "#8B95A3"
GREEN, ORANGE, OLIVE = "#4CC38A", "#E5683C", "#C9B458"
WIDTH = 5.6
"""Of each picture, in inches."""
STYLE = {
    "svg.hashsalt": "replay-coach",  # the same picture is the same file
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": TEXT,
    "axes.facecolor": GROUND,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": GROUND,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}


def bare(axes: Axes, width: float, height: float) -> None:
    """A drawing without axes, ``width`` x ``height`` units, from the top left."""
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")


def box(axes: Axes, x: float, y: float, width: float, height: float, edge: str, title: str, words: str) -> None:
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.12", fc=PANEL, ec=edge, lw=1.4)
    )
    axes.text(x + width / 2, y + height * 0.36, title, ha="center", va="center", weight="bold")
    axes.text(x + width / 2, y + height * 0.71, words, ha="center", va="center", color=QUIET, size=9.5)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = QUIET) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)


def loop(figure: Figure) -> None:
    """How play becomes an agent."""
    axes = figure.subplots()
    bare(axes, 6.4, 3.4)
    box(axes, 0.05, 0.2, 1.7, 1.0, LINE, "Play", "in the emulator")
    box(axes, 2.35, 0.2, 1.7, 1.0, LINE, "Replay files", "every frame, action")
    box(axes, 4.65, 0.2, 1.7, 1.0, GREEN, "Judge", "clips: good or bad")
    box(axes, 4.65, 2.2, 1.7, 1.0, OLIVE, "Seeding", "what was approved")
    box(axes, 2.35, 2.2, 1.7, 1.0, LINE, "Replay memory", "seeded, then own")
    box(axes, 0.05, 2.2, 1.7, 1.0, GREEN, "Agent", "a deep Q-network")
    for start, end in (
        ((1.75, 0.7), (2.35, 0.7)),
        ((4.05, 0.7), (4.65, 0.7)),
        ((5.5, 1.2), (5.5, 2.2)),
        ((4.65, 2.7), (4.05, 2.7)),
        ((2.35, 2.55), (1.75, 2.55)),
        ((1.75, 2.85), (2.35, 2.85)),
    ):
        arrow(axes, start, end)
    arrow(axes, (3.2, 1.2), (4.65, 2.35))
    axes.text(2.05, 2.42, "learns", ha="center", size=9, color=QUIET)
    axes.text(2.05, 3.12, "plays", ha="center", size=9, color=QUIET)


def keep(figure: Figure) -> None:
    """Which decisions of an episode each --keep fills in."""
    frames = 1800
    spans = [(200, 380, "good"), (620, 800, "bad"), (1000, 1180, "good"), (1100, 1280, "bad"), (1500, 1680, "good")]
    verdicts = [Verdict(Clip("episode", a, b), f"{n}", v, "2026-01-01") for n, (a, b, v) in enumerate(spans)]
    said = verdict_of_frames(verdicts, frames)
    axes = figure.subplots()
    bare(axes, frames + 700, 8.3)
    left = 660
    axes.text(0, 1.0, "Verdicts", va="center")
    for row, (start, stop, verdict) in enumerate(spans):
        colour, y = (GREEN if verdict == "good" else ORANGE), 0.45 + 0.8 * (row == 3)
        axes.add_patch(Rectangle((left + start, y), stop - start, 0.6, color=colour))
        axes.text(left + (start + stop) / 2, y + 0.32, verdict, ha="center", va="center", size=9, color=GROUND)
    rows = {"all": said >= -1, "not-bad": said >= 0, "good": said > 0}
    for number, (name, kept) in enumerate(rows.items()):
        y = 3.0 + 1.4 * number
        axes.text(0, y + 0.4, f"--keep {name}", va="center", family="monospace", size=10)
        axes.add_patch(Rectangle((left, y), frames, 0.8, fc=PANEL, ec=LINE))
        edges = np.flatnonzero(np.diff(np.concatenate(([0], kept.astype(int), [0]))))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            axes.add_patch(Rectangle((left + start, y), stop - start, 0.8, color=OLIVE))
    for second in range(0, 31, 5):
        axes.text(left + 60 * second, 7.5, f"{second} s", ha="center", va="center", color=QUIET, size=9)


def memory(figure: Figure) -> None:
    """Where seeded and own transitions lie, at three moments of a training."""
    axes = figure.subplots()
    bare(axes, 10, 5.6)
    seeded, room = 3.0, 6.9
    moments = (("before the first step", 0.0, None), ("half full", 3.4, 3.4), ("full: the oldest own go", 6.9, 2.1))
    for number, (words, own, hand) in enumerate(moments):
        y = 0.6 + 1.7 * number
        axes.text(0.05, y - 0.18, words, size=9.5, color=QUIET)
        axes.add_patch(Rectangle((0.05, y), seeded + room, 0.8, fc=PANEL, ec=LINE))
        axes.add_patch(Rectangle((0.05, y), seeded, 0.8, fc=OLIVE))
        axes.add_patch(Rectangle((0.05 + seeded, y), own, 0.8, fc=GREEN))
        axes.text(0.05 + seeded / 2, y + 0.42, "seeded: stays", ha="center", va="center", color=GROUND)
        if own:
            axes.text(0.05 + seeded + own / 2, y + 0.42, "own steps", ha="center", va="center", color=GROUND)
        if hand is not None:
            arrow(axes, (0.05 + seeded + hand, y + 1.2), (0.05 + seeded + hand, y + 0.82), TEXT)
            axes.text(0.2 + seeded + hand, y + 1.15, "next", size=9, color=QUIET)


def share(figure: Figure) -> None:
    """Share of each batch that is seeded, over a training with the default settings."""
    config = TrainConfig()
    steps = np.array([0, config.seed_anneal_steps, config.steps])
    shares = np.array([1.0, config.seed_share, config.seed_share])
    axes = figure.subplots()
    axes.fill_between(steps, shares, color=OLIVE, alpha=0.9, lw=0)
    axes.fill_between(steps, shares, 1, color=GREEN, alpha=0.9, lw=0)
    middle = config.steps * 0.6
    axes.text(middle, config.seed_share / 2, "seeded", ha="center", color=GROUND)
    axes.text(middle, (1 + config.seed_share) / 2, "the agent's own steps", ha="center", color=GROUND)
    axes.set_xlim(0, config.steps)
    axes.set_ylim(0, 1)
    axes.set_xlabel("own steps")
    axes.set_ylabel("share of each batch")
    axes.set_xticks([0, config.seed_anneal_steps, config.steps // 2, config.steps])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def margin(figure: Figure) -> None:
    """What the large-margin loss asks of the action that you chose."""
    config = TrainConfig()
    names = ["NOOP", "FIRE", "RIGHT", "LEFT"]
    columns = (("before", [0.9, 1.1, 1.5, 0.7]), ("after", [0.8, 2.1, 1.3, 0.6]))
    for number, (axes, (title, values)) in enumerate(zip(figure.subplots(1, 2, sharey=True), columns, strict=True)):
        axes.bar(names, values, color=[GREEN if name == "FIRE" else QUIET for name in names], width=0.66)
        others = max(value for name, value in zip(names, values, strict=True) if name != "FIRE")
        axes.plot([-0.4, 3.4], [others + config.margin] * 2, color=ORANGE, lw=1.4, ls=(0, (4, 3)))
        if number == 0:
            axes.text(
                -0.4, others + config.margin + 0.06, f"the best other + {config.margin:g}", color=ORANGE, size=9.5
            )
        axes.set_title(title, size=11)
        axes.set_ylim(0, 2.8)
        axes.tick_params(labelsize=9)
    figure.axes[0].set_ylabel("value")


def inside(figure: Figure) -> None:
    """Own episodes that start at moments of a recorded one, by each rule."""
    axes = figure.subplots()
    bare(axes, 6.4, 3.9)
    left, right = 1.5, 6.2
    axes.plot([left, right], [0.5, 0.5], color=OLIVE, lw=5, solid_capstyle="butt")
    axes.text(left - 0.15, 0.5, "recorded", ha="right", va="center")
    for place, edge, name in ((0.42, GREEN, "good"), (0.74, ORANGE, "bad")):
        at = left + place * (right - left)
        axes.plot([at, at + 0.45], [0.5, 0.5], color=edge, lw=9, solid_capstyle="butt")
        axes.text(at + 0.22, 0.18, name, ha="center", va="center", color=edge, size=9.5)
    rules = {"even": (0.07, 0.33, 0.58, 0.86), "backward": (0.87, 0.9, 0.93), "good": (0.3, 0.36), "bad": (0.62, 0.68)}
    for number, (rule, places) in enumerate(rules.items()):
        y = 1.2 + 0.72 * number
        axes.text(left - 0.15, y, rule, ha="right", va="center", family="monospace")
        axes.plot([left, right], [y, y], color=LINE, lw=1)
        for place in places:
            at = left + place * (right - left)
            axes.plot([at], [y], "o", color=TEXT, markersize=5)
            arrow(axes, (at, y), (min(at + 0.5, right + 0.15), y), TEXT)
        if rule == "backward":
            arrow(axes, (left + 0.84 * (right - left), y), (left + 0.5 * (right - left), y), GREEN)
            axes.text(left + 0.46 * (right - left), y, "as it succeeds", ha="right", va="center", color=GREEN, size=9.5)


def verdicts(figure: Figure) -> None:
    """What a good and a bad clip do to the values of their action, with --bad-margin 0.8."""
    names = ["NOOP", "FIRE", "RIGHT", "LEFT"]
    margin = TrainConfig().margin
    columns = (
        ("good clip: FIRE is raised", [0.9, 1.0, 1.5, 0.7], "FIRE", 1.5 + margin, GREEN, "the best other + "),
        ("bad clip: RIGHT is lowered", [0.9, 1.1, 1.8, 0.7], "RIGHT", 1.1 - margin, ORANGE, "the best other - "),
    )
    for axes, (title, values, action, limit, colour, words) in zip(
        figure.subplots(1, 2, sharey=True), columns, strict=True
    ):
        axes.bar(names, values, color=[colour if name == action else QUIET for name in names], width=0.66)
        axes.plot([-0.4, 3.4], [limit, limit], color=colour, lw=1.4, ls=(0, (4, 3)))
        above = limit + 0.06 if limit > 1 else 2.05
        axes.text(-0.4, above, f"{words}{margin:g}", color=colour, size=9.5)
        place = names.index(action)
        arrow(axes, (place, values[place]), (place, limit), TEXT)
        axes.set_title(title, size=10.5)
        axes.set_ylim(0, 2.8)
        axes.tick_params(labelsize=9)
    figure.axes[0].set_ylabel("value")


DIAGRAMS: dict[str, tuple[Callable[[Figure], None], float]] = {
    "loop": (loop, 3.6),
    "keep": (keep, 3.0),
    "memory": (memory, 3.0),
    "share": (share, 2.9),
    "margin": (margin, 2.9),
    "inside": (inside, 3.5),
    "verdicts": (verdicts, 2.9),
}
"""What draws each, and its height in inches."""


def main() -> None:
    with mpl.rc_context(STYLE):
        for name, (draw, height) in DIAGRAMS.items():
            figure = Figure(figsize=(WIDTH, height))
            figure.set_layout_engine("constrained", w_pad=0.14, h_pad=0.1)
            draw(figure)
            path = PICTURES / f"seeding-{name}.svg"
            figure.savefig(path, metadata={"Date": None, "Creator": None})
            print(os.path.relpath(path))


if __name__ == "__main__":
    main()
