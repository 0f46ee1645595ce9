"""Compute the comparisons of ``docs/results``: hours of training; if interrupted, the same command continues them.

    python docs/make_results.py                                   all three, sized for a night on two processors
    python docs/make_results.py --only seedings --seeds 5         one comparison, with more trainings
    python docs/make_results.py --steps 200 --pretrain-steps 20 --seeds 2 --episodes 1 --work a --results b    a trial

Other options, such as --pretrain-steps above, are passed to each training (see ``coach train --help``). Everything is
saved under ``build/answers``; the reports are copied to ``docs/results/<comparison>.md``, with their charts and films.
No person plays: the demonstrator is the planner.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from data.library import Library  # noqa: E402 - the repository is not an installed package here

HOW_IT_WAS_MADE = """
## How this page was made

<!-- not run: it trains agents for hours -->
```sh
{made_by}
```

records episodes of the planner, applies the rules to them (the two seconds before a reward are good, those before a
lost life are bad), trains the agent `teacher`, and runs this comparison. Without `--only` it runs all three. No person
played or judged: the planner looks ahead on copies of the emulator, which neither a person nor an agent can do.
"""
GAME, OTHER_GAME, TEACHER = "SpaceInvaders", "DemonAttack", "teacher"
SEEDINGS = ["none", "random:50000", "planner", f"agent:{TEACHER}", "curated=planner,keep=not-bad"]


def coach(library: Library, *arguments: str) -> None:
    """Run a command; exit with its code if it fails or is interrupted."""
    print("coach " + " ".join(arguments), flush=True)
    command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library.folder), *arguments]
    with subprocess.Popen(command) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:  # the command was interrupted too, and writes its checkpoints first
            code = process.wait() or 130
    if code:
        sys.exit(code)


def record(library: Library, by: str, demonstrator: str, episodes: int) -> None:
    """Record the episodes that are missing."""
    recorded = sum(episode.demonstrator == demonstrator for episode in library.episodes(GAME))
    if recorded < episodes:
        count, seed = str(episodes - recorded), str(1000 + recorded)
        coach(library, "record", "--by", by, "--game", GAME, "--episodes", count, "--seed", seed, "--jobs", "2")


def train_teacher(library: Library, steps: int, settings: list[str]) -> None:
    """Train the agent whose play seeds other agents and whose weights are transferred."""
    started = (library.run_folder(TEACHER) / "run.json").exists()
    arguments = ["--resume"] if started else ["--seed-from", "planner", *settings]
    coach(library, "train", "--run", TEACHER, "--game", GAME, "--steps", str(steps), "--seed", "100", *arguments)


def compare(library: Library, name: str, work: Path, results: Path, made_by: str, *arguments: str) -> None:
    """Run one comparison, and copy its report with a section on how it was made."""
    out = work / name
    coach(library, *arguments, "--name", name, "--out", str(out))
    if json.loads((out / "progress.json").read_text())["phase"] != "done":
        sys.exit(1)
    target = results / name
    shutil.copytree(out / "films", target / "films", dirs_exist_ok=True)
    for path in out.glob("*.png"):
        shutil.copy(path, target / path.name)
    page = re.sub(r"(!\[[^]]*\]\()", rf"\1{name}/", (out / "report.md").read_text())
    page = page.replace(f"{ROOT}/", "")  # paths as typed in the repository's folder
    (results / f"{name}.md").write_text(page + HOW_IT_WAS_MADE.format(made_by=f"{made_by} --only {name}"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=("seedings", "before-reward", "transfer"),
        help="some of the comparisons (default: all)",
    )
    parser.add_argument("--steps", type=int, default=50_000, help="own steps of each training")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per arm")
    parser.add_argument("--episodes", type=int, default=14, help="episodes of the planner, and of the teacher")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "answers", help="folder of the library and the comparisons"
    )
    parser.add_argument("--results", type=Path, help="folder for the reports (default: docs/results)")
    options, settings = parser.parse_known_args()
    chosen = options.only or ["seedings", "before-reward", "transfer"]
    results = options.results or (ROOT / "docs" / "results")
    library = Library(options.work / "library")
    record(library, "planner", "planner", options.episodes)
    for rule in ("before-reward", "before-death"):
        coach(library, "label", "--rule", rule)
    train_teacher(library, options.steps, settings)
    size = ["--steps", str(options.steps), "--seeds", str(options.seeds), *settings]
    made_by = shlex.join(["python", "docs/make_results.py", *size, "--episodes", str(options.episodes)])
    if "seedings" in chosen:
        record(library, f"agent:{TEACHER}", "agent", options.episodes)
        seedings = ("compare", "--game", GAME, "--seedings", *SEEDINGS)
        compare(library, "seedings", options.work, results, made_by, *seedings, *size)
    if "before-reward" in chosen:
        study = ("compare", "--game", GAME, "--study", "before-reward", "--seed-from", "planner")
        compare(library, "before-reward", options.work, results, made_by, *study, *size)
    if "transfer" in chosen:
        from_teacher = ("transfer", "--from", TEACHER, "--game", OTHER_GAME)
        compare(library, "transfer", options.work, results, made_by, *from_teacher, *size)


if __name__ == "__main__":
    main()
