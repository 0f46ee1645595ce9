"""The page of the study of defaults: seeded beside unseeded, a table and a plot for each game, and what failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.learning_study import ROOT
from benchmarks.study_plots import draw, draw_minutes, draw_summary
from benchmarks.study_tables import OF_PAGE, curves_of, differences, minutes_table, summary, table

PAGE = ROOT / "docs" / "results" / "study.md"
ROWS = ROOT / "docs" / "results" / "study" / "trials.jsonl"
BEGIN, END = "<!-- made by python -m benchmarks.study -->", "<!-- end of what was made -->"
SUMMARY_PLOT, MINUTES_PLOT = "seeded-and-unseeded.png", "minutes-of-play.png"


def made_part(rows: list[dict[str, Any]], page: Path = PAGE) -> list[str]:
    """Return the lines between the page's marks, and draw the plots beside it."""
    lines = [BEGIN, "", "## Seeded and unseeded", "", *summary(rows), ""]
    if draw_summary(rows, page.parent / "study" / SUMMARY_PLOT):
        lines += [f"![Points over own steps, seeded and unseeded](study/{SUMMARY_PLOT})", ""]
    lines += ["The mean of each training, in ascending order:", "", *differences(rows), ""]
    if minutes := minutes_table(rows):
        draw_minutes(rows, page.parent / "study" / MINUTES_PLOT)
        about = "Space Invaders, the planner with a person's limits: the default's points."
        lines += ["## Minutes of play", "", about, "", *minutes, ""]
        lines += [f"![Points over minutes of play](study/{MINUTES_PLOT})", ""]
    for name, game in OF_PAGE.items():
        curves = curves_of(rows, name)
        if not curves:
            continue
        picture = page.parent / "study" / f"{name}.png"
        lines += [
            f"## {name}",
            "",
            f"Demonstrations: {game.title}. Random play: {game.chance:g}.",
            "",
            *table(curves),
            "",
        ]
        if draw(curves, name, game.chance, picture):
            lines += [f"![Points over own steps in {name}](study/{picture.name})", ""]
    failed = [row for row in rows if "error" in row]
    if failed:
        lines += ["## Failures", ""]
        lines += [f"- {r['game']}, {r['arm']}, seed {r['seed']}, {r['steps']:,} steps: {r['error']}" for r in failed]
        lines.append("")
    machines = sorted({row["machine"] for row in rows})
    return [*lines, f"{len(rows)} trials, one thread each. Machine: {'; '.join(machines)}.", "", END]


def write_page(rows: list[dict[str, Any]], page: Path = PAGE) -> None:
    """Write the part of the page between its marks; the rest stays as it is."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + "\n".join(made_part(rows, page)) + after)
