"""What a comparison came to: ``comparison.json`` and the report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from agent.array_file import write_bytes
from agent.comparison import FORMAT, VERSION, ComparisonFolder, Plan, read_json
from commands.output import report_console, row, table


def write_results(folder: ComparisonFolder, plan: Plan, out: Path) -> dict[str, Any]:
    tasks = plan.tasks()
    results = [found for task in tasks if (found := read_json(folder.result(task.run))) is not None]
    failures = [found for task in tasks if (found := read_json(folder.failure(task.run))) is not None]
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "plan": dataclasses.asdict(plan),
        "results": results,
        "failures": failures,
    }
    write_bytes(out / "comparison.json", json.dumps(whole, indent=1).encode())
    return whole


def print_results(found: dict[str, Any], out: Path) -> None:
    shown = table("Run", "Score>")
    for result in found["results"]:
        shown.add_row(*row(result["run"], f"{result['evaluation']['mean']:.0f}"))
    console = report_console()
    console.print(shown)
    console.print(f"Kept in {out}.")
