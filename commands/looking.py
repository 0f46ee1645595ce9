"""Commands that tell: ``coach info``, ``coach library`` and ``coach verify``."""

from __future__ import annotations

import argparse
import json
import platform
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands import classroom
from commands.output import GREEN, ORANGE, QUIET, clock, print_json, progress_bar, report_console, row, styled, table
from commands.parser import Commands, add_labels, at_least, labels_of
from data.episode import EpisodeSummary
from data.errors import AnswerIsNo, CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from data.trash import Trash

if TYPE_CHECKING:
    from curator.agreement import Agreement
    from curator.learned_judge import JudgeFigures

MOST_DISPUTED = 3


def add(commands: Commands) -> None:
    info = commands.add("info", "say what is in a replay file; without a path, what this installation is", run_info)
    info.add_argument("path", nargs="?", metavar="PATH", help="a replay file, or the id of an episode of the library")
    info.add_argument("--gif", type=Path, metavar="FILE", help="also write the episode as an animated picture")

    library = commands.add("library", "say what is in the library, or share a part of it", run_library)
    classroom.add_choice(library)
    classroom.add_share(library)
    library.add_argument(
        "--seeding",
        metavar="SPEC,...",
        help='what a training would be seeded with, told and drawn: sources as for --seed-from, such as "human" or '
        '"human,planner@2", and keep=all, keep=not-bad (if not said) or keep=good',
    )
    library.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="where the seeding is drawn: .png, .svg or .pdf (default: seeding.png in the library)",
    )
    add_labels(library)

    verify = commands.add(
        "verify", "simulate episodes again and compare every frame, reward, life and byte", run_verify
    )
    verify.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="replay files, or folders of them")
    verify.add_argument("--jobs", type=int, default=1, metavar="N", help="processes to verify with")


def find_replay(library: Library, name: str) -> Path:
    """A path as it is, or the file of an episode id."""
    path = Path(name)
    if path.exists():
        return path
    if path.parent == Path():
        inside = library.replays / f"{path.name.removesuffix('.h5')}.h5"
        if inside.is_file():
            return inside
    raise CoachError(f"There is no replay file {name}, neither here nor in the library {library.folder}.")


def installation() -> dict[str, str]:
    """The versions that a bug report should name."""
    packages = ("replay-coach", "ale-py", "h5py", "keras", "numpy", "pygame-ce", "tensorflow")
    return {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"} | {
        p: _version(p) for p in packages
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def run_info(options: argparse.Namespace) -> int:
    from data.quarantine import vetted

    library = Library(options.library)
    if options.path is None:
        about = installation() | {"library": str(library.folder.absolute())}
        if options.json:
            print_json(about)
        else:
            for name, value in about.items():
                report_console().print(styled((f"{name:<14}", QUIET), value))
        return 0
    with ReplayFile(vetted(find_replay(library, options.path), library.replays)) as replay:
        facts = episode_facts(replay)
        if options.json:
            print_json(facts)
        else:
            _print_facts(replay, facts)
        if options.gif:
            from data.film import write_gif_of

            write_gif_of(replay, options.gif)
    return 0


def episode_facts(replay: ReplayFile) -> dict[str, Any]:
    """What is in a replay file, as plain values."""
    origin, decisions = replay.origin, replay.decisions()
    meanings = origin.action_meanings
    counts = np.bincount(replay.actions, minlength=len(meanings)) if replay.frame_count else np.zeros(len(meanings))
    summary = replay.summary()
    return {
        "path": str(replay.path),
        "episode_id": replay.episode_id,
        "game": origin.game,
        "player": origin.player,
        "created": origin.created.isoformat(),
        "demonstrators": summary.frames_by_demonstrator,
        "frames": replay.frame_count,
        "seconds": replay.frame_count / 60,
        "score": replay.score,
        "rewarded_frames": summary.rewarded_frames,
        "lives_lost": int((np.diff(replay.lives.astype(np.int16)) < 0).sum()),
        "ended_by": replay.ended_by,
        "decisions": len(decisions),
        "mixed_decisions": int(decisions.mixed.sum()),
        "markers": replay.markers.tolist(),
        "pace": replay.pace,
        "actions": {name: int(count) for name, count in zip(meanings, counts, strict=True)},
        "settings": json.loads(origin.settings.to_json()),
        "rom_md5": origin.rom_md5,
        "ale_version": origin.ale_version,
        "digest": replay.digest,
        "bytes": replay.path.stat().st_size,
    }


def _print_facts(replay: ReplayFile, facts: dict[str, Any]) -> None:
    console = report_console()
    total = max(1, facts["frames"])
    who = ", ".join(f"{kind} {frames / total:.0%}" for kind, frames in facts["demonstrators"].items())
    actions = sorted(facts["actions"].items(), key=lambda item: -item[1])
    mixed = facts["mixed_decisions"] / max(1, facts["decisions"])
    settings = {name: value for name, value in facts["settings"].items() if value not in (None, False, 0, 0.0)}
    for name, value in (
        ("Game", facts["game"]),
        ("Played by", f"{who}" + (f"; {facts['player']}" if facts["player"] else "")),
        ("Created", facts["created"]),
        ("Length", f"{clock(facts['seconds'])}, {facts['frames']} frames, {facts['decisions']} decisions"),
        ("Mixed decisions", f"{mixed:.1%}"),
        ("Score", f"{facts['score']:g}, on {facts['rewarded_frames']} rewarded frames"),
        ("Lives lost", str(facts["lives_lost"])),
        ("Ended by", facts["ended_by"].replace("_", " ")),
        ("Markers", ", ".join(clock(frame / 60) for frame in facts["markers"]) or "none"),
        ("Pace", "not told" if facts["pace"] is None else str(facts["pace"])),
        ("Actions", ", ".join(f"{name} {count / total:.0%}" for name, count in actions if count)),
        ("Settings", ", ".join(f"{name} {value}" for name, value in settings.items()) or "as usual"),
        ("Emulator", f"ale-py {facts['ale_version']}, ROM {facts['rom_md5']}"),
        ("Digest", facts["digest"]),
        ("File", f"{facts['path']}, {facts['bytes'] / 1e6:.2f} MB"),
    ):
        console.print(styled((f"{name:<17}", QUIET), value))
    if console.is_terminal:
        from data.film import terminal_strip

        console.print(terminal_strip(replay, console.width))


def run_library(options: argparse.Namespace) -> int:
    from curator.agreement import agreement

    if options.share is not None:
        return classroom.run_share(options)
    if options.no_verdicts or options.pseudonyms:
        raise CoachError("--no-verdicts and --pseudonyms say what goes into a share; add --share FILE.zip.")
    library = Library(options.library)
    if options.seeding is not None:
        from commands.seeding_report import tell_seeding

        return tell_seeding(options, library)
    if options.picture is not None:
        raise CoachError("--picture draws a seeding; say which, such as --seeding human.")
    choice = classroom.choice_of(options)
    labels = LabelDatabase.open_existing(labels_of(options, library))
    counts: dict[str, dict[str, int]] = {}
    agreed = agreement([])
    episodes = choice.episodes(library, None) if labels is None else []
    if labels is not None:
        with labels:
            episodes = choice.episodes(library, labels)
            counts = labels.counts()
            agreed = agreement(labels.history())
    from agent.player import survey_runs
    from curator.learned_judge import load_judge

    runs, unreadable = survey_runs(library)
    judges = {
        game: judge.figures
        for game in sorted({episode.game for episode in episodes})
        if (judge := load_judge(library, game)) is not None
    }
    broken = [*library.broken(), *((run.path, run.reason) for run in unreadable)]
    thrown_away = Trash(library).names()
    if options.json:
        facts = {
            "library": str(library.folder),
            "seconds": sum(episode.seconds for episode in episodes),
            "episodes": episodes,
            "verdicts": counts,
            "agreement": agreed,
            "judges": judges,
            "runs": runs,
            "broken": [{"path": str(path), "reason": reason} for path, reason in broken],
            "trash": len(thrown_away),
        }
        print_json(facts)
        return 0
    _print_library(options, episodes, choice.is_everything)
    _print_verdicts(counts, agreed, judges)
    for run in runs:
        score = "" if run.mean_score is None else f", mean score {run.mean_score:.0f}"
        of = f", of the comparison {run.comparison}" if run.comparison else ""
        report_console().print(f"Run {run.name}: {run.game}, {run.step:,} of {run.steps:,} steps{score}{of}")
    for path, reason in broken:
        told = reason if reason.startswith(str(path)) else f"{path}: {reason}"
        report_console().print(styled(("Broken: ", ORANGE), told))
    if thrown_away:
        number = "1 episode" if len(thrown_away) == 1 else f"{len(thrown_away):,} episodes"
        report_console().print(f"In the trash: {number}; `coach trash` brings back.")
    return 0


def _print_library(options: argparse.Namespace, episodes: list[EpisodeSummary], is_everything: bool) -> None:
    console = report_console()
    if not episodes and not is_everything:
        console.print(f"No episode in {options.library} is like that.")
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
        console.print(f"\n{len(episodes)} episodes ({kinds}), {total} of play.")


def _print_verdicts(counts: dict[str, dict[str, int]], agreed: Agreement, judges: dict[str, JudgeFigures]) -> None:
    console = report_console()
    for curator, verdicts in counts.items():
        console.print(f"Verdicts of {curator}: " + ", ".join(f"{number} {name}" for name, number in verdicts.items()))
    if agreed.alpha is not None:
        console.print(
            f"Agreement of {len(agreed.curators)} people on {agreed.shared_clips} shared clips: "
            f"Krippendorff's alpha {agreed.alpha:.2f}"
        )
    for curator, (alike, again) in agreed.self_agreement.items():
        console.print(f"{curator} judged {again} clips again, {alike} of them alike")
    for disputed in agreed.disputed[:MOST_DISPUTED]:
        clip = disputed.clip
        console.print(
            f"Disputed: {clip.episode_id} {clock(clip.start / 60)} to {clock(clip.stop / 60)}: good for "
            f"{', '.join(disputed.good)}; bad for {', '.join(disputed.bad)}"
        )
    for game, figures in judges.items():
        console.print(
            f"Learned judge of {game}: balanced accuracy {figures.balanced_accuracy:.2f} on unseen episodes, from "
            f"{figures.verdicts} verdicts"
        )


def run_verify(options: argparse.Namespace) -> int:
    from data.verification import replay_paths, verify_many

    at_least(options.jobs, 1, "--jobs")
    paths = replay_paths(options.paths)
    with progress_bar("Verifying", "files") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        results = verify_many(paths, options.jobs, on_progress)
    wrong = [result for result in results if not result.ok]
    unreadable = [result for result in wrong if result.kind == "structure"]
    if unreadable and len(results) == 1:
        raise CoachError(unreadable[0].sentence)
    if options.json:
        print_json({"ok": not wrong, "files": results})
    else:
        for result in results:
            mark = ("true   ", GREEN) if result.ok else ("false  ", ORANGE)
            report_console().print(styled(mark, f"{result.path}: {result.sentence}"))
    if len(unreadable) == len(wrong) > 0:
        raise CoachError(f"{len(wrong)} of {len(results)} files are no whole replay files.")
    if wrong:
        raise AnswerIsNo(f"{len(wrong)} of {len(results)} files did not verify.")
    return 0
