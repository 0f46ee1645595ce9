"""Compute the comparisons of ``docs/results``: hours of training; if interrupted, the same command continues them.

    python docs/make_results.py                                   all three, sized for a night on two processors
    python docs/make_results.py --only seedings --seeds 5         one comparison, with more trainings
    python docs/make_results.py --steps 200 --pretrain-steps 20 --seeds 2 --minutes 0.2 --work a --results b    a trial

Other options, such as --pretrain-steps above, are passed to each training (see ``coach train --help``). Everything is
saved under ``build/answers``; the reports are copied to ``docs/results/<comparison>.md``, with their charts and films.
No person plays: the demonstrators are the planner and the supplied agent ``teacher``.
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

# The repository is not an installed package here.
from data.episode import FRAMES_PER_SECOND, MAX_EPISODE_FRAMES  # noqa: E402
from data.library import Library  # noqa: E402
from data.runs import open_run, run_summary  # noqa: E402

HOW_IT_WAS_MADE = """
## How this page was made

<!-- not run: it trains agents for hours -->
```sh
{made_by}
```

records {minutes:g} minutes of play of the planner and, for the comparison of seedings, as many of the supplied agent
[`teacher`](../trained-agent.md), which scores {score:,.0f} points on average. It applies the rules to the planner's
play (the two seconds before a reward are good, those before a lost life are bad), and runs this comparison. For the
transfer it trains a run `invaders` before. Without `--only` it runs all three. No person played or judged: the planner
looks ahead on copies of the emulator, which neither a person nor an agent can do.
"""
GAME, OTHER_GAME = "SpaceInvaders", "DemonAttack"
TEACHER, TRANSFERRED = "teacher", "invaders"
"""The supplied run, and one that is trained for the transfer."""
DECISIONS_A_MINUTE = 15 * 60
PLANNER_SETTINGS = ("rollouts", "horizon", "hold")
MADE_BY = "python docs/make_results.py"


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


def record(library: Library, by: str, minutes: float, settings: list[str]) -> None:
    """Record what is missing of so many minutes of play, episode by episode; the last one is cut."""
    kind = by.partition(":")[0]
    while True:
        recorded = [episode.frame_count for episode in library.episodes(GAME) if episode.demonstrator == kind]
        left = round(minutes * 60 * FRAMES_PER_SECOND) - sum(recorded)
        if left < FRAMES_PER_SECOND:
            return
        seed, most = str(1000 + len(recorded)), str(min(left, MAX_EPISODE_FRAMES))
        coach(library, "record", "--by", by, "--game", GAME, "--seed", seed, "--max-frames", most, *settings)


def train_invaders(library: Library, steps: int, settings: list[str]) -> None:
    """Train the agent whose weights are transferred."""
    started = (library.run_folder(TRANSFERRED) / "run.json").exists()
    arguments = ["--resume"] if started else ["--seed-from", "planner", *settings]
    coach(library, "train", "--run", TRANSFERRED, "--game", GAME, "--steps", str(steps), "--seed", "100", *arguments)


def compare(library: Library, name: str, work: Path, results: Path, how: str, *arguments: str) -> None:
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
    (results / f"{name}.md").write_text(page + how.replace(MADE_BY, f"{MADE_BY} --only {name}"))


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
    parser.add_argument("--minutes", type=float, default=15.0, help="play of the planner, and of the supplied agent")
    for name in PLANNER_SETTINGS:
        parser.add_argument(f"--{name}", help="of the planner (default: see coach record)")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "answers", help="folder of the library and the comparisons"
    )
    parser.add_argument("--results", type=Path, help="folder for the reports (default: docs/results)")
    options, settings = parser.parse_known_args()
    chosen = options.only or ["seedings", "before-reward", "transfer"]
    results = options.results or (ROOT / "docs" / "results")
    library = Library(options.work / "library")
    given = {name: value for name in PLANNER_SETTINGS if (value := getattr(options, name)) is not None}
    planner = [part for name, value in given.items() for part in (f"--{name}", value)]
    record(library, "planner", options.minutes, planner)
    for rule in ("before-reward", "before-death"):
        coach(library, "label", "--rule", rule)
    size = ["--steps", str(options.steps), "--seeds", str(options.seeds), *settings]
    how = HOW_IT_WAS_MADE.format(
        made_by=shlex.join([*MADE_BY.split(), *size, "--minutes", f"{options.minutes:g}", *planner]),
        minutes=options.minutes,
        score=run_summary(open_run(library, TEACHER)).mean_score or 0.0,
    )
    if "seedings" in chosen:
        record(library, f"agent:{TEACHER}", options.minutes, [])
        equal = f"random:{round(options.minutes * DECISIONS_A_MINUTE)}"
        seedings = ("compare", "--game", GAME, "--seedings", "none", equal, "planner", f"agent:{TEACHER}")
        compare(library, "seedings", options.work, results, how, *seedings, *size)
    if "before-reward" in chosen:
        study = ("compare", "--game", GAME, "--study", "before-reward", "--seed-from", "planner")
        compare(library, "before-reward", options.work, results, how, *study, *size)
    if "transfer" in chosen:
        train_invaders(library, options.steps, settings)
        from_invaders = ("transfer", "--from", TRANSFERRED, "--game", OTHER_GAME)
        compare(library, "transfer", options.work, results, how, *from_invaders, *size)


if __name__ == "__main__":
    main()
