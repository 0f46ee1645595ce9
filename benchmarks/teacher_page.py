"""The page of the supplied agent in the guide: its card and its learning curve."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from agent.atari_scores import ATARI_SCORES
from agent.setting import option_name
from benchmarks.learning_study import ROOT
from data.game_names import display_name
from data.run_curves import read_curves
from data.runs import RunFolder

mpl.use("Agg")
from matplotlib import pyplot

PAGE = ROOT / "docs" / "trained-agent.md"
PICTURES = ROOT / "docs" / "pictures"
BEGIN, END = "<!-- made by python -m benchmarks.teacher --package -->", "<!-- end of what was made -->"


def write_page(folder: RunFolder, page: Path = PAGE, pictures: Path = PICTURES) -> None:
    """Replace the card and the learning curve in the guide by those of a supplied run."""
    card = json.loads((folder.path / "card.json").read_text(encoding="utf-8"))
    draw_curve(folder, card, pictures / "trained-agent-curve.png")
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(before + "\n".join([BEGIN, "", *card_lines(card), "", END]) + after, encoding="utf-8")


def card_lines(card: dict[str, Any]) -> list[str]:
    """Return the card as lines of Markdown."""
    result = card["evaluation"]
    game = display_name(card["game"])
    chance, human = ATARI_SCORES.get(card["game"], (math.nan, math.nan))
    rows = [
        ("Game", game),
        (
            "Score",
            f"**{result['mean']:,.1f} points** on average; 95% interval {result['low']:,.1f} to {result['high']:,.1f}",
        ),
        ("Median", f"{result['median']:,g} points"),
        (
            "Evaluation",
            f"{result['episodes']} episodes, protocol `{result['protocol']}`, of the weights as they are stored",
        ),
        ("For comparison", f"random play {chance:,.0f}, a person {human:,.0f} (Wang et al. 2016)"),
        ("How it was trained", card["how"]),
        ("Own steps", f"{card['steps']:,} of {card['trained_steps']:,} that were trained"),
        ("Updates", f"{card['updates']:,}"),
        ("Duration", f"{card['hours']:,g} hours"),
        ("Machine", card["machine"]),
        ("Weights", f"{card['parameters']:,}, {card['arrays']}; {card['bytes'] / 1e6:.2f} MB"),
        ("SHA-256", f"`{card['sha256']}`"),
        ("Licence", card["licence"]),
    ]
    settings = ", ".join(f"`{_as_option(name, value)}`" for name, value in card["settings"].items())
    return [
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
        f"Settings that differ from the preset `default`: {settings}.",
        "",
        "![Learning curve of the supplied agent](pictures/trained-agent-curve.png)",
        "",
        "Evaluations during the training with 95% intervals; the last point is the evaluation above.",
    ]


def _as_option(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return option_name(name) if value else option_name(f"no_{name}")
    return f"{option_name(name)} {value}"


def draw_curve(folder: RunFolder, card: dict[str, Any], path: Path) -> None:
    """Draw the evaluations over own steps."""
    points = read_curves(folder).evaluations
    steps = [point.step for point in points]
    means = np.array([point.mean for point in points])
    errors = np.array([[p.mean - p.low for p in points], [p.high - p.mean for p in points]])
    chance, human = ATARI_SCORES.get(card["game"], (math.nan, math.nan))
    figure, axes = pyplot.subplots(figsize=(8, 3.6), layout="constrained")
    axes.errorbar(steps[:-1], means[:-1], errors[:, :-1], fmt="o-", color="#2E9E6B", markersize=4, capsize=2, lw=1)
    axes.errorbar(steps[-1:], means[-1:], errors[:, -1:], fmt="D", color="#C4502E", markersize=6, capsize=3)
    axes.axhline(chance, color="#666666", linestyle=":", linewidth=1)
    axes.text(0.99, chance, "random play", transform=axes.get_yaxis_transform(), ha="right", va="bottom", fontsize=8)
    if means.max() > human / 2:
        axes.axhline(human, color="#666666", linestyle="--", linewidth=1)
        axes.text(0.99, human, "a person", transform=axes.get_yaxis_transform(), ha="right", va="bottom", fontsize=8)
    axes.set(xlabel="own steps", ylabel="points", ylim=(0, None))
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
