"""``coach library --seeding``: what a seeding would put into the replay memory, in words and as a picture."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commands.output import GREEN, print_json, report_console, row, styled, table
from commands.parser import labels_of
from commands.supplied_play import PLAY_SECONDS, unrecorded_players
from data.durations import clock
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError
from data.game_names import display_name
from data.library import Library
from data.seeding_preview import DEFAULT_KEEP, KEEPS, SeedingPreview

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEFAULT_GAME = "SpaceInvaders"
KEPT, REMOVED, INK, GREY = "#2f9e6b", "#d9572b", "#1c2128", "#57606a"
PICTURE_FORMATS = (".png", ".svg", ".pdf")
VERDICT_NAMES = {"good": "judged good", "bad": "judged bad", "none": "no verdict"}


def report_seeding(options: argparse.Namespace, library: Library) -> int:
    """Print what a seeding would put into the replay memory, and plot it."""
    game = options.game or only_game(library)
    seeding = preview_of_text(library, game, options.seeding, labels_of(options, library))
    path = options.picture or (None if library.is_read_only else library.folder / "seeding.png")
    picture = None if path is None else plot_seeding(seeding, path)
    if options.json:
        print_json(
            {**dataclasses.asdict(seeding), "hours": seeding.hours, "reward_share": seeding.reward_share}
            | {"transitions": seeding.transitions, "picture": picture}
        )
        return 0
    _print_seeding(seeding)
    if picture is None:
        report_console().print("Not plotted, because the library is read-only; --picture FILE plots it elsewhere.")
    else:
        report_console().print(f"Plotted in {picture}.")
    return 0


def only_game(library: Library) -> str:
    """Return the library's only game, or else the game that a training plays by default."""
    games = {episode.game for episode in library.episodes()}
    return games.pop() if len(games) == 1 else DEFAULT_GAME


# ---- computing -------------------------------------------------------------------------------------------------------


def preview_of_text(library: Library, game: str, text: str, labels: Path | str | None = None) -> SeedingPreview:
    """Return the ``preview`` of the value of ``--seeding``, such as ``human,planner@2,keep=good``."""
    sources, keep = parse_seeding(text)
    try:
        return preview(library, game, sources, keep, labels)
    except CoachError as error:
        # The same sources belong to another option in `coach train`.
        raise CoachError(str(error).replace("--seed-from", "--seeding")) from error


def parse_seeding(text: str) -> tuple[tuple[str, ...], str]:
    """Return sources and ``keep`` of the value of ``--seeding``. Raises CoachError for anything else."""
    sources: list[str] = []
    keep = DEFAULT_KEEP
    for part in (part.strip() for part in text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            sources.append(part)
        elif name != "keep" or value not in KEEPS:
            raise CoachError(f"--seeding does not understand {part!r}; after the sources use keep={'|'.join(KEEPS)}.")
        else:
            keep = value
    if not any(sources):
        raise CoachError('--seeding needs a source, such as "human" or "human,planner,keep=good".')
    return tuple(source for source in sources if source), keep


def preview(
    library: Library, game: str, sources: Sequence[str], keep: str = DEFAULT_KEEP, labels: Path | str | None = None
) -> SeedingPreview:
    """Return what a seeding with the default preset selects: the plan that ``coach train`` itself makes.

    sources: as ``--seed-from`` takes them. labels: the label database, by default the library's own. Opens each file
    that the sources name (about 3 ms each) but reads no frames. Of the play of a supplied agent that the training
    records first, only the length is known. Raises CoachError, as the training would, if a source is wrong or nothing
    is selected.
    """
    from agent.config import TrainConfig
    from agent.preprocessing import OBSERVATION_BYTES
    from agent.run_loop import new_emulator
    from agent.seeding import parse_spec, plan_with_labels

    recorded_first = unrecorded_players(library, game, sources)
    to_record = len(recorded_first) * PLAY_SECONDS * FRAMES_PER_SECOND // TrainConfig.frame_skip
    counted_sources = tuple(text for text in sources if parse_spec(text).run not in recorded_first)
    config = TrainConfig(game=game, seed_from=counted_sources, keep=keep)
    meanings = new_emulator(config).action_meanings
    plan = plan_with_labels(config, library, meanings, library.labels if labels is None else labels)
    histogram = np.zeros(len(meanings), np.int64)
    frames, rewarded, points, imitated = 0, 0, 0.0, 0
    for episode in plan.episodes:
        rewards = episode.decisions.reward[episode.kept]
        histogram += np.bincount(episode.actions[episode.kept], minlength=len(meanings))
        frames += int(episode.decisions.length[episode.kept].sum())
        rewarded += int(np.count_nonzero(rewards > 0))
        points += float(rewards.sum())
        imitated += int((episode.imitate > 0).sum())
    tally = plan.tally
    return SeedingPreview(
        game=game,
        sources=tuple(sources),
        keep=keep,
        episodes=len(plan.episodes),
        found=tally.found,
        kept=tally.kept,
        random=sum(spec.count for spec in plan.random),
        seconds=frames / FRAMES_PER_SECOND,
        rewarded=rewarded,
        points=points,
        imitated=imitated,
        mixed=tally.mixed,
        actions=dict(zip(meanings, histogram.tolist(), strict=True)),
        kept_by_verdict=dict(tally.kept_by_verdict),
        removed_by_verdict=dict(tally.removed_by_verdict),
        removed=dict(tally.removed),
        megabytes=(plan.slots(config) + to_record) * OBSERVATION_BYTES / 1e6,
        to_record=to_record,
        recorded_first=tuple(recorded_first),
        damaged={str(path): problem for path, problem in plan.damaged},
    )


# ---- printing --------------------------------------------------------------------------------------------------------


def sentences(seeding: SeedingPreview) -> list[str]:
    """Return the preview as sentences, the most important first."""
    found = [
        f"{seeding.transitions:,} transitions of {display_name(seeding.game)} from {', '.join(seeding.sources)} "
        f"(keep {seeding.keep}): {clock(seeding.seconds)} of play ({seeding.hours:.2f} hours) in "
        f"{seeding.episodes} episodes, {seeding.megabytes:.0f} MB of memory."
    ]
    if seeding.random:
        found.append(f"{seeding.random:,} of them are new random play, generated when the training starts.")
    if seeding.kept:
        found.append(
            f"{seeding.rewarded:,} of {seeding.kept:,} recorded decisions bring points ({seeding.reward_share:.1%}; "
            f"{seeding.points:,.0f} points)."
        )
        found.append(f"{seeding.imitated:,} are to be imitated; {seeding.mixed:,} mix more than one action.")
    if seeding.to_record:
        who = " and ".join(seeding.recorded_first)
        found.append(f"{seeding.to_record:,} of them are play of {who}, recorded when the training starts.")
    return found + [f"Left out, because it is damaged: {problem}" for problem in seeding.damaged.values()]


def _print_seeding(seeding: SeedingPreview) -> None:
    console = report_console()
    for sentence in sentences(seeding):
        console.print(sentence)
    by_verdict = table("Judged", "Kept>", "Removed>")
    for verdict, kept in seeding.kept_by_verdict.items():
        by_verdict.add_row(*row(verdict, f"{kept:,}", f"{seeding.removed_by_verdict[verdict]:,}"))
    console.print(by_verdict)
    for reason, number in seeding.removed.items():
        console.print(f"Removed: {number:,} {reason}.")
    actions = table("Action", "Decisions>", "Share>", "")
    most = max(1, *seeding.actions.values())
    for action, number in seeding.actions.items():
        bar = "█" * round(24 * number / most)
        actions.add_row(*row(action, f"{number:,}", f"{number / max(1, seeding.kept):.0%}"), styled((bar, GREEN)))
    console.print(actions)


# ---- plotting --------------------------------------------------------------------------------------------------------


def plot_seeding(seeding: SeedingPreview, path: Path) -> Path:
    """Plot a preview into a file (PNG, SVG or PDF by its suffix). Raises CoachError if it is not writable."""
    from matplotlib.figure import Figure

    if path.suffix.lower() not in PICTURE_FORMATS:
        raise CoachError(f"The name of a picture must end in one of {', '.join(PICTURE_FORMATS)}, not {path}.")
    figure = Figure(figsize=(10, 4.6), dpi=150, layout="constrained")
    figure.suptitle(
        f"Seeding of {display_name(seeding.game)}: {', '.join(seeding.sources)}, keep {seeding.keep}",
        x=0.01,
        ha="left",
        fontsize=13,
        fontweight="bold",
        color=INK,
    )
    left, right = figure.subplots(1, 2)
    _plot_verdicts(left, seeding)
    _plot_actions(right, seeding)
    for axes in (left, right):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(labelsize=9, colors=GREY, length=0)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
    figure.supxlabel("\n".join(sentences(seeding)), x=0.01, ha="left", fontsize=8.5, color=GREY)
    try:
        figure.savefig(path)
    except OSError as error:
        raise CoachError(f"Cannot write the picture {path} ({error.strerror or error}).") from error
    return path


def _plot_verdicts(axes: Axes, seeding: SeedingPreview) -> None:
    """Plot the kept and the removed transitions of each verdict."""
    kept = [seeding.kept_by_verdict[name] for name in VERDICT_NAMES]
    removed = [seeding.removed_by_verdict[name] for name in VERDICT_NAMES]
    names = list(VERDICT_NAMES.values())
    most = max(1, *(k + r for k, r in zip(kept, removed, strict=True)))
    axes.barh(names, kept, color=KEPT, label="kept", height=0.55)
    axes.barh(names, removed, left=kept, color=REMOVED, label="removed", hatch="//", height=0.55)
    for y, (keeps, removes) in enumerate(zip(kept, removed, strict=True)):
        parts = [f"{keeps:,} kept"] * bool(keeps) + [f"{removes:,} removed"] * bool(removes)
        axes.text(keeps + removes + 0.015 * most, y, ", ".join(parts) or "none", va="center", fontsize=9, color=INK)
    axes.set_xlim(0, 1.5 * most)
    axes.invert_yaxis()
    axes.set_title("Transitions by verdict", loc="left", fontsize=10, color=INK)
    axes.legend(frameon=False, fontsize=9, loc="lower right", labelcolor=GREY)


def _plot_actions(axes: Axes, seeding: SeedingPreview) -> None:
    """Plot the share of each action among the kept recorded decisions."""
    counts = list(seeding.actions.values())
    total, most = max(1, sum(counts)), max(1, *counts)
    axes.barh(list(seeding.actions), counts, color=KEPT, height=0.55)
    for y, count in enumerate(counts):
        axes.text(count + 0.015 * most, y, f"{count / total:.0%}  ({count:,})", va="center", fontsize=9, color=INK)
    axes.set_xlim(0, 1.3 * most)
    axes.invert_yaxis()
    axes.set_title("Actions of the kept recorded decisions", loc="left", fontsize=10, color=INK)
