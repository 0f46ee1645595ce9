"""``coach add``: give recorded episodes to a training that runs or is stopped."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.info import find_replay
from commands.output import print_json, report_console
from commands.parser import Commands, add_labels, at_least, labels_of
from data.additions import Addition, AdditionsFolder
from data.clip import Verdict
from data.counted import counted
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.quarantine import vetted
from data.replay_file import ReplayFile
from data.runs import RunFolder, RunSummary, open_own_run, survey_runs

if TYPE_CHECKING:
    from agent.addition_requests import Requested

POLL_SECONDS = 0.1
GIVE_SECONDS = 10.0
"""How long a window waits until a training has taken what was played."""


def add(commands: Commands) -> None:
    parser = commands.add("add", "give recorded episodes to a training that runs or is stopped", run_add)
    parser.add_argument("run_name", metavar="RUN", help="the run's name")
    parser.add_argument("episodes", metavar="EPISODE", nargs="*", help="episode ids, or paths of replay files")
    parser.add_argument(
        "--verdicts",
        action="store_true",
        help="apply the current verdicts to what is in its memory: stop using bad clips, and start using good ones",
    )
    parser.add_argument(
        "--by",
        metavar="KIND",
        help="whose decisions to add: human, planner, agent, imported, random or all "
        "(default: a person's where there are any, otherwise a planner's, otherwise all)",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=15.0,
        metavar="S",
        help="seconds to wait until a running training has taken them",
    )
    add_labels(parser)


def run_add(options: argparse.Namespace) -> int:
    at_least(options.wait, 0, "--wait")
    library = Library(options.library)
    folder = open_own_run(library, options.run_name)
    if not options.episodes and not options.verdicts:
        raise CoachError("Name at least one episode, or use --verdicts.")
    labels = labels_of(options, library)
    facts = add_episodes(library, folder, options.episodes, options.by, labels, options.wait)
    if options.verdicts:
        facts.append(add_verdicts(library, folder, labels, options.wait))
    if options.json:
        print_json({"run": folder.name, "running": folder.is_trained(), "additions": facts})
        return 0
    for fact in facts:
        report_console().print(fact["sentence"])
    return 0


def add_episodes(
    library: Library, folder: RunFolder, episodes: Iterable[str], by: str | None, labels: Path | str, wait: float
) -> list[dict[str, Any]]:
    """Request the episodes, wait until a running training has taken them, and return the result of each.

    All episodes are checked before the first is requested. Raises CoachError, and then adds nothing, for one that is
    damaged, of another game, or has nothing to add.
    """
    from agent.addition_requests import request_episode

    paths = [vetted(find_replay(library, episode), library.replays) for episode in episodes]
    database = LabelDatabase.open_existing(labels)

    def verdicts(episode_id: str) -> Iterable[Verdict]:
        return database.verdicts(episode_id=episode_id) if database is not None else ()

    requested = []
    try:
        for dry_run in (True, False):
            for path in paths:
                with ReplayFile(path) as replay:
                    found = request_episode(folder, replay, verdicts, by, dry_run)
                if not dry_run:
                    requested.append(found)
    finally:
        if database is not None:
            database.close()
    taken = wait_until_taken(folder, [one.request for one in requested], wait)
    return [_fact(folder, one, taken.get(one.request)) for one in requested]


def giver(library: Library, folder: RunFolder) -> Callable[[Path], str]:
    """Return a function that adds a person's replay file to a run and returns the result as a sentence.

    The function raises CoachError if that fails; the file is kept.
    """

    def give(path: Path) -> str:
        if not folder.exists:
            raise CoachError(f"There is no run {folder.name} any more; {path.stem} is kept in the library.")
        (fact,) = add_episodes(library, folder, [str(path)], "human", library.labels, wait=GIVE_SECONDS)
        return str(fact["sentence"])

    return give


def trainings_of(library: Library, game: str) -> list[RunSummary]:
    """Return the runs of a game to which episodes can be added: those that are trained now, then the newest first.

    The runs of comparisons are left out.
    """
    runs = [run for run in survey_runs(library)[0] if run.game == game and not run.comparison and not run.supplied]

    def order(run: RunSummary) -> tuple[bool, float]:
        newest = RunFolder(run.path).newest_checkpoint()
        return not run.is_active, -(newest.stat().st_mtime if newest is not None else 0.0)

    return sorted(runs, key=order)


def add_in_one_sentence(library: Library, run: str, paths: Sequence[Path]) -> str:
    """Add replay files to a run, and return the result as one sentence. Raises CoachError, and then adds nothing."""
    folder = open_own_run(library, run)
    facts = add_episodes(library, folder, [str(path) for path in paths], None, library.labels, GIVE_SECONDS)
    if len(facts) == 1:
        return str(facts[0]["sentence"])
    refused = [fact for fact in facts if fact["taken"] is not None and fact["taken"]["kind"] == "refused"]
    if refused:
        return f"{run}: {refused[0]['taken']['reason']}"
    new = [fact for fact in facts if not fact["already_here"]]
    if not new:
        return f"{run} already has these {counted(len(facts), 'episode')}."
    what = f"{counted(len(new), 'episode')} with {counted(sum(fact['decisions'] for fact in new), 'decision')}"
    had = len(facts) - len(new)
    rest = f"; it already had {counted(had, 'other')}" if had else ""
    steps = [fact["taken"]["step"] for fact in new if fact["taken"] is not None]
    if len(steps) == len(new):
        return f"{run}: {what} added at step {max(steps):,}{rest}."
    if folder.is_trained():
        return f"{run} will add {what} shortly{rest}."
    return f"{run} is not being trained; it will add {what} when it is resumed{rest}."


def add_verdicts(library: Library, folder: RunFolder, labels: Path | str, wait: float) -> dict[str, Any]:
    """Request that the current verdicts take effect, wait as ``add_episodes`` does, and return the result."""
    from agent.addition_requests import request_verdicts

    database = LabelDatabase.open_existing(labels)
    if database is None:
        raise CoachError("Nothing has been judged yet.")
    with database:
        name = request_verdicts(folder, library, lambda episode_id: database.verdicts(episode_id=episode_id))
    line = wait_until_taken(folder, [name], wait).get(name)
    if line is not None:
        sentence = f"{folder.name}: {line.sentence()}"
    elif folder.is_trained():
        sentence = f"{folder.name} will apply the verdicts shortly."
    else:
        sentence = f"{folder.name} is not being trained; it will apply the verdicts when it is resumed."
    return {"request": name, "taken": None if line is None else asdict(line), "sentence": sentence}


def coached_account(folder: RunFolder) -> str:
    """Return how often a training has sampled what was added to it; "" if it has not reported that yet."""
    try:
        coached = json.loads(folder.seeding.read_text())["coached"]
        return (
            f"{counted(int(coached['decisions']), 'decision')} added so far, sampled {int(coached['drawn']):,} times."
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def additions_in_words(folder: RunFolder) -> str:
    """Return what was added to a run, and how often that was sampled, in sentences; "" if nothing was."""
    additions = AdditionsFolder(folder.path)
    taken, waiting = additions.taken(), len(additions.waiting())
    sentences = [coached_account(folder), f"Last: {taken[-1].sentence()}" if taken else ""]
    if waiting and not folder.is_trained():
        sentences.append(f"{counted(waiting, 'addition waits', 'additions wait')} until the training is resumed.")
    return " ".join(filter(None, sentences))


def wait_until_taken(folder: RunFolder, requests: list[str], seconds: float) -> dict[str, Addition]:
    """Return the lines of those requests that the training has taken, waiting while it runs."""
    additions, deadline = AdditionsFolder(folder.path), time.monotonic() + seconds
    while True:
        taken = {line.request: line for line in additions.taken() if line.request in requests}
        if len(taken) == len(set(requests)) or time.monotonic() > deadline or not folder.is_trained():
            return taken
        time.sleep(POLL_SECONDS)


def _fact(folder: RunFolder, requested: Requested, line: Addition | None) -> dict[str, Any]:
    tally = requested.tally
    removed = f" ({tally.sentence()})" if tally.removed else ""
    if requested.already_here and not requested.request:
        sentence = f"{requested.episode} is already in the seeding of {folder.name}."
    elif requested.already_here:
        when = f": {line.sentence()}" if line is not None else ", and is waiting."
        sentence = f"{requested.episode} was already added to {folder.name}{when}"
    elif line is not None:
        sentence = f"{folder.name}: {line.sentence()}{removed}"
    elif folder.is_trained():
        sentence = f"{folder.name} will add {counted(requested.decisions, 'decision')} shortly."
    else:
        decisions = counted(requested.decisions, "decision")
        sentence = f"{folder.name} is not being trained; it will add {decisions} when it is resumed{removed}."
    return {
        "episode": requested.episode,
        "decisions": requested.decisions,
        "request": requested.request,
        "already_here": requested.already_here,
        "taken": None if line is None else asdict(line),
        "sentence": sentence,
    }
