"""``coach library``: show what the library holds, share a part of it, or preview a seeding."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from commands import shares
from commands.output import ORANGE, print_json, report_console, row, styled, table
from commands.parser import Commands, add_labels, labels_of
from data.counted import counted
from data.durations import clock
from data.episode import EpisodeSummary
from data.errors import CoachError
from data.fitting_verdicts import counts_by_curator, fit_verdicts, frame_counts_of
from data.game_names import display_name
from data.label_database import LabelDatabase
from data.library import Library
from data.trash import Trash

if TYPE_CHECKING:
    from curator.agreement import Agreement
    from curator.learned_judge import JudgeFigures

MOST_DISPUTED = 3
"""Number of disputed clips that are listed."""
RUN_KEYS = ("name", "game", "step", "steps", "seed_from", "mean_score", "path", "comparison")
"""Of a run, in the JSON form."""


def add(commands: Commands) -> None:
    library = commands.add("library", "show what the library holds, or share a part of it", run_library)
    shares.add_choice(library)
    shares.add_share(library)
    library.add_argument(
        "--seeding",
        metavar="SPEC,...",
        help='show and plot what a training would be seeded with: sources as for --seed-from, such as "human" or '
        '"human,planner@2", and keep=all, keep=not-bad (the default) or keep=good',
    )
    library.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="file for the plot of the seeding: .png, .svg or .pdf (default: seeding.png in the library)",
    )
    add_labels(library)


def run_library(options: argparse.Namespace) -> int:
    from curator.agreement import agreement

    if options.share is not None:
        return shares.export_share(options)
    if options.no_verdicts or options.pseudonyms:
        raise CoachError("--no-verdicts and --pseudonyms apply to a share only; add --share FILE.zip.")
    library = Library(options.library)
    if options.seeding is not None:
        from commands.seeding_preview import report_seeding

        return report_seeding(options, library)
    if options.picture is not None:
        raise CoachError("--picture plots a seeding; name it, for example with --seeding human.")
    choice = shares.choice_of(options)
    labels = LabelDatabase.open_existing(labels_of(options, library))
    fitted = fit_verdicts([], {})
    agreed = agreement([])
    episodes = choice.episodes(library, None) if labels is None else []
    if labels is not None:
        with labels:
            episodes = choice.episodes(library, labels)
            frame_counts = frame_counts_of(library.episodes())
            fitted = fit_verdicts(labels.verdicts(), frame_counts)
            agreed = agreement(fit_verdicts(labels.history(), frame_counts).fitting)
    counts = counts_by_curator(fitted.fitting)
    from curator.learned_judge import load_judge
    from data.runs import supplied_runs, survey_runs

    runs, unreadable = survey_runs(library)
    supplied = supplied_runs(library)
    judges = {
        game: judge.figures
        for game in sorted({episode.game for episode in episodes})
        if (judge := load_judge(library, game)) is not None
    }
    broken = [*library.broken(), *((run.path, run.error) for run in unreadable)]
    discarded = Trash(library).names()
    if options.json:
        facts = {
            "library": str(library.folder),
            "seconds": sum(episode.seconds for episode in episodes),
            "episodes": episodes,
            "verdicts": counts,
            "verdicts_left_out": fitted.facts(),
            "agreement": agreed,
            "judges": judges,
            "runs": [{name: getattr(run, name) for name in RUN_KEYS} for run in runs],
            "supplied_runs": [{name: getattr(run, name) for name in RUN_KEYS} for run in supplied],
            "broken": [{"path": str(path), "reason": reason} for path, reason in broken],
            "trash": len(discarded),
        }
        print_json(facts)
        return 0
    _print_library(options, episodes, choice.is_everything)
    _print_verdicts(counts, agreed, judges)
    for sentence in fitted.sentences():
        report_console().print(styled((sentence, ORANGE)))
    for run in runs:
        score = "" if run.mean_score is None else f", mean score {run.mean_score:.0f}"
        of = f", of the comparison {run.comparison}" if run.comparison else ""
        report_console().print(
            f"Run {run.name}: {display_name(run.game)}, {run.step:,} of {run.steps:,} steps{score}{of}"
        )
    for run in supplied:
        score = "" if run.mean_score is None else f", mean score {run.mean_score:.0f}"
        about = f"{display_name(run.game)}, {run.step:,} steps{score}"
        report_console().print(f"Run {run.name}: {about}, supplied with Replay Coach; `coach watch {run.name}`")
    for path, reason in broken:
        sentence = reason if reason.startswith(str(path)) else f"{path}: {reason}"
        report_console().print(styled(("Broken: ", ORANGE), sentence))
    if discarded:
        report_console().print(
            f"In the trash: {counted(len(discarded), 'episode')}; `coach trash` lists and restores them."
        )
    return 0


def _print_library(options: argparse.Namespace, episodes: list[EpisodeSummary], is_everything: bool) -> None:
    console = report_console()
    if not episodes and not is_everything:
        console.print(f"No episode in {options.library} matches.")
    elif not episodes:
        console.print(f"No episodes yet in {options.library}. `coach play` records one.")
    else:
        shown = table("Episode", "Game", "By", "Player", "Score>", "Time>", "Ended by")
        for episode in episodes:
            who = (episode.episode_id, episode.game, episode.demonstrator, episode.player)
            result = (f"{episode.score:g}", clock(episode.seconds), episode.ended_by.replace("_", " "))
            shown.add_row(*row(*who, *result))
        console.print(shown)
        by = Counter(episode.demonstrator for episode in episodes)
        kinds = ", ".join(f"{number} by {kind}" for kind, number in by.most_common())
        total = clock(sum(episode.seconds for episode in episodes))
        console.print(f"\n{counted(len(episodes), 'episode')} ({kinds}), {total} of play.")


def _print_verdicts(counts: dict[str, dict[str, int]], agreed: Agreement, judges: dict[str, JudgeFigures]) -> None:
    console = report_console()
    for curator, verdicts in counts.items():
        console.print(f"Verdicts of {curator}: " + ", ".join(f"{number} {name}" for name, number in verdicts.items()))
    if agreed.alpha is not None:
        console.print(
            f"Agreement of {len(agreed.curators)} people on {agreed.shared_clips} clips that several judged: "
            f"Krippendorff's alpha {agreed.alpha:.2f}"
        )
    for curator, (alike, again) in agreed.self_agreement.items():
        console.print(f"{curator} judged {counted(again, 'clip')} twice, {alike} of them the same way")
    for disputed in agreed.disputed[:MOST_DISPUTED]:
        clip = disputed.clip
        console.print(
            f"Disputed: {clip.episode_id} {clock(clip.start / 60)} to {clock(clip.stop / 60)}: good for "
            f"{', '.join(disputed.good)}; bad for {', '.join(disputed.bad)}"
        )
    for game, figures in judges.items():
        console.print(
            f"Learned judge of {display_name(game)}: balanced accuracy {figures.balanced_accuracy:.2f} on unseen "
            f"episodes, from {figures.verdicts} verdicts"
        )
