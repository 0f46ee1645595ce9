"""The results of a comparison: ``comparison.json``, the films, the report, and a table for the terminal."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from agent.comparison import FORMAT, VERSION, Plan
from agent.comparison_summary import Summary, conclusions, summarise
from commands.comparison_report import Facts, write_report
from commands.info import installation
from commands.output import progress_console, report_console, row, table
from commands.report import Film, format_estimate
from data.comparisons import ComparisonFolder, read_json, write_json
from data.errors import CoachError
from data.files import write_atomic

FILM_SECONDS = 10.0
FILM_EPSILON = 0.05
FILM_SEED = 7


def write_results(folder: ComparisonFolder, plan: Plan, out: Path) -> tuple[dict[str, Any], Summary]:
    """Write everything into ``out``. Return the content of ``comparison.json`` and the summary in it."""
    tasks = plan.tasks()
    results = [found for task in tasks if (found := read_json(folder.result(task.run))) is not None]
    failures = [found for task in tasks if (found := read_json(folder.failure(task.run))) is not None]
    summary = summarise(plan, results, failures)
    versions = installation()
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "plan": dataclasses.asdict(plan),
        "results": results,
        "failures": failures,
        "summary": dataclasses.asdict(summary),
        "conclusions": conclusions(summary),
        "versions": versions,
    }
    try:
        write_atomic(out / "comparison.json", json.dumps(whole, indent=1).encode())
        films = _films(folder, summary, out)
        write_report(Facts(plan, summary, results, failures, films, versions), out)
    except OSError as error:
        raise CoachError(f"Cannot write the report into {out} ({error.strerror or error}).") from error
    return whole, summary


def _films(folder: ComparisonFolder, summary: Summary, out: Path) -> dict[str, Film]:
    """Return a film for each arm, of the training with the median score. Earlier films are reused."""
    from commands.watch import film_agent

    films: dict[str, Film] = {}
    (out / "films").mkdir(exist_ok=True)
    for arm in summary.arms:
        if arm.median_run is None:
            continue
        path, about = out / "films" / f"{arm.slug}.gif", folder.runs / f"{arm.median_run}.film.json"
        facts = read_json(about)
        if facts is None or facts.get("run") != arm.median_run or not path.is_file() or facts.get("path") != str(path):
            try:
                found = film_agent(folder.library, arm.median_run, path, None, FILM_SECONDS, FILM_EPSILON, FILM_SEED)
            except CoachError as error:
                progress_console().print(f"There is no film of {arm.title}: {error}", soft_wrap=True, markup=False)
                continue
            facts = {"run": arm.median_run, "seconds": found["seconds"], "score": found["score"], "path": str(path)}
            write_json(about, facts)
        caption = f"{arm.title}: {facts['run']}, {facts['score']:g} points in {facts['seconds']:.0f} seconds."
        films[arm.slug] = Film(f"films/{path.name}", path.read_bytes(), f"{arm.title} playing", caption)
    return films


def print_results(found: dict[str, Any], summary: Summary, out: Path) -> None:
    """Print the table and the conclusions in the terminal."""
    table_shown = table("Arm", "Final score>", "Each training>")
    for arm in summary.arms:
        each = ", ".join(f"{score:.0f}" for score in arm.scores) or "–"
        table_shown.add_row(*row(arm.title, format_estimate(arm.iqm), each))
    console = report_console()
    console.print(table_shown)
    for sentence in found["conclusions"]:
        console.print(sentence)
    for failure in found["failures"]:
        console.print(f"{failure['run']} failed: {failure['error']}")
    console.print(f"Report: {out / 'report.html'}")
