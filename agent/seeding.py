"""Seeding: which recorded decisions fill the replay memory, by source and by verdict, and how they are used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import TrainConfig
from agent.run_loop import new_emulator
from data.checked_files import DamageCheck
from data.clip import Verdict, verdict_of_frames
from data.decisions import Decisions
from data.episode import DEMONSTRATOR_KINDS, EpisodeSummary, demonstrator_index
from data.errors import CoachError
from data.fitting_verdicts import fits
from data.label_database import LabelDatabase
from data.library import Library
from data.quarantine import vetted
from data.replay_file import ReplayFile

RANDOM = demonstrator_index("random")
Verdicts = Callable[[str], Iterable[Verdict]]
"""Returns the verdicts on an episode, by its id."""


@dataclass(frozen=True)
class Spec:
    """One source of a seeding, as written: ``human``, ``agent:RUN``, ``random:N``, ``all`` or a file."""

    text: str
    kind: str
    """A demonstrator kind, "all" or "file"; "random" means new random play of ``count`` steps."""
    run: str = ""
    count: int = 0
    path: Path | None = None
    weight: float = 1.0

    def selects(self, episode: EpisodeSummary) -> bool:
        """Return whether an episode of the library is one of this source."""
        if self.path is not None:
            return self.path.stem == episode.episode_id
        if self.kind != "all" and not episode.frames_by_demonstrator.get(self.kind):
            return False
        return not self.run or episode.player_of("agent") == self.run


def parse_spec(text: str) -> Spec:
    """Parse one source of a seeding; raises CoachError if it is not valid."""
    body, at, written = text.rpartition("@")
    weight = 1.0
    if at and not Path(text).exists():
        try:
            weight = float(written)
        except ValueError:
            weight = -1.0
        if not 0.001 <= weight <= 1000.0:
            raise CoachError(f"The weight in --seed-from {text} must be a number between 0.001 and 1000.")
    else:
        body = text
    kind, colon, rest = body.partition(":")
    if kind == "random" and colon:
        if not rest.isdecimal() or int(rest) == 0:
            raise CoachError(f"--seed-from {text}: write random:N with the number of steps, such as random:10000.")
        return Spec(text, "random", count=int(rest), weight=weight)
    if kind == "agent" and colon and rest:
        return Spec(text, "agent", run=rest, weight=weight)
    if body in ("human", "agent", "planner", "imported", "all"):
        return Spec(text, body, weight=weight)
    if Path(body).suffix == ".h5" or Path(body).is_file():
        return Spec(text, "file", path=Path(body), weight=weight)
    raise CoachError(
        f"--seed-from {text} is not a source: it must be human, agent, agent:RUN, planner, imported, random:N, "
        "all, or a replay file."
    )


VERDICT_SIGNS = {"good": 1, "bad": -1, "none": 0}
"""The verdict on a decision, and its value in ``verdict_of_frames``."""


@dataclass
class Tally:
    """How many decisions there were, and how many each filter removed."""

    found: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    mixed: int = 0
    """Kept decisions in which more than one action was executed."""
    kept: int = 0
    removed_by_verdict: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERDICT_SIGNS, 0))
    """How many of the sources' decisions ``keep`` removed, by verdict."""
    kept_by_verdict: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERDICT_SIGNS, 0))

    def remove(self, reason: str, mask: np.ndarray) -> None:
        if mask.any():
            self.removed[reason] = self.removed.get(reason, 0) + int(mask.sum())

    def sentence(self) -> str:
        parts = [f"{number:,} {reason}" for reason, number in self.removed.items()]
        return f"of {self.found:,} decisions " + (", ".join(parts) if parts else "none were removed")


@dataclass(frozen=True)
class SeedEpisode:
    """The part of one replay file that goes into the memory: columns of its D decisions."""

    path: Path
    episode_id: str
    decisions: Decisions
    actions: np.ndarray
    """(D,) int64 indices into the agent's actions."""
    kept: np.ndarray
    """(D,) bool: may be sampled."""
    imitate: np.ndarray
    """(D,) int8: 1 where the action is to be imitated, -1 where it is to be avoided, 0 elsewhere."""
    weight: float
    verdict: np.ndarray
    """(D,) int8: 1 good, -1 bad, 0 none."""

    def pieces(self, reach: int, n_steps: int) -> list[tuple[int, int]]:
        """Return the ranges [start, stop) of decisions that kept ones need: ``reach`` before them, n steps after."""
        needed = np.zeros(len(self.kept) + 1, np.int64)
        rows = np.flatnonzero(self.kept)
        np.add.at(needed, np.maximum(rows - reach, 0), 1)
        np.add.at(needed, np.minimum(rows + n_steps, len(self.kept)), -1)
        inside = np.concatenate(([0], (np.cumsum(needed[:-1]) > 0).astype(np.int8), [0]))
        edges = np.flatnonzero(np.diff(inside))
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@dataclass(frozen=True)
class SeedPlan:
    """Everything that a seeding selects; no frame has been read yet."""

    episodes: tuple[SeedEpisode, ...]
    random: tuple[Spec, ...]
    """Fresh random play."""
    tally: Tally
    damaged: tuple[tuple[Path, str], ...] = ()
    """Files of the library that are left out because they cannot be read whole, each with the reason."""

    @property
    def note(self) -> str:
        """One sentence about the files that are left out, or ""."""
        if not self.damaged:
            return ""
        problem = self.damaged[0][1]
        if len(self.damaged) == 1:
            return f"A damaged replay file is left out: {problem}"
        return f"{len(self.damaged)} damaged replay files are left out, the first of them because: {problem}"

    def slots(self, config: TrainConfig) -> int:
        """Return an upper bound of the memory slots needed."""
        recorded = sum(
            stop - start + 1 for e in self.episodes for start, stop in e.pieces(config.ages[-1], config.most_n_steps)
        )
        return recorded + sum(spec.count + spec.count // 20 + 2 for spec in self.random)

    @property
    def decisions(self) -> int:
        """Decisions that go into the memory: those kept, and those of random play."""
        return self.tally.kept + sum(spec.count for spec in self.random)


def plan_seeding(
    config: TrainConfig, library: Library, action_meanings: tuple[str, ...], verdicts: Verdicts | None
) -> SeedPlan:
    """Select what goes into the memory; raises CoachError if a source is wrong or nothing is selected.

    Files of the library that are damaged are left out.
    """
    specs = [parse_spec(text) for text in config.seed_from]
    tally = Tally()
    summaries = library.episodes(config.game) if any(s.kind not in ("file", "random") for s in specs) else []
    episodes: dict[Path, SeedEpisode] = {}
    damaged: dict[Path, str] = {}
    with DamageCheck() as check:
        for spec in specs:
            for path in _paths(spec, summaries, library.replays) if spec.kind != "random" else ():
                resolved = path.resolve()
                if resolved in episodes:
                    continue  # selected by two sources: the first one's weight counts
                problem = check.problem(path) if spec.kind != "file" else ""
                if problem:
                    damaged[path] = problem
                    continue
                with ReplayFile(path) as replay:
                    if replay.origin.game != config.game:
                        raise CoachError(
                            f"{path} is an episode of {replay.origin.game}, and the agent plays {config.game}."
                        )
                    episodes[resolved] = select_decisions(config, spec, replay, action_meanings, verdicts, tally)
    fresh = tuple(spec for spec in specs if spec.kind == "random")
    plan = SeedPlan(tuple(e for e in episodes.values() if e.kept.any()), fresh, tally, tuple(damaged.items()))
    if specs and plan.decisions == 0:
        raise CoachError(" ".join(filter(None, (_nothing(config, library, tally, len(episodes)), plan.note))))
    return plan


def plan_with_labels(
    config: TrainConfig, library: Library, action_meanings: tuple[str, ...], labels: Path | str
) -> SeedPlan:
    """Call ``plan_seeding`` with the verdicts of a label database; without one, nothing has been judged."""
    database = LabelDatabase.open_existing(labels) if config.seed_from else None
    if database is None:
        return plan_seeding(config, library, action_meanings, None)
    with database:

        def verdicts(episode_id: str) -> Iterable[Verdict]:
            return database.verdicts(episode_id=episode_id)

        return plan_seeding(config, library, action_meanings, verdicts)


def _nothing(config: TrainConfig, library: Library, tally: Tally, episodes: int) -> str:
    if tally.found:
        return f"The seeding selects nothing: {tally.sentence()}; choose another --keep or other sources."
    sources = ", ".join(config.seed_from)
    if episodes:
        return f"The seeding selects nothing: the {episodes} episodes of {sources} have no whole decision."
    return (
        f"The seeding selects nothing: the library {library.folder} has no episode of {config.game} by {sources}; "
        "record one first."
    )


def _paths(spec: Spec, summaries: list[EpisodeSummary], replays: Path) -> list[Path]:
    if spec.path is not None:
        return [vetted(spec.path, replays)]  # it may come from anywhere
    chosen = summaries
    if spec.kind != "all":
        chosen = [s for s in summaries if s.frames_by_demonstrator.get(spec.kind)]
    if spec.run:
        chosen = [s for s in chosen if s.player_of("agent") == spec.run]
    return [Path(summary.path) for summary in chosen]


def select_decisions(
    config: TrainConfig,
    spec: Spec,
    replay: ReplayFile,
    action_meanings: tuple[str, ...],
    verdicts: Verdicts | None,
    tally: Tally,
) -> SeedEpisode:
    """Return the part of an episode that a source and the verdicts select, and count it in ``tally``."""
    decisions = replay.decisions(config.frame_skip)
    count = len(decisions)
    first = decisions.first_frame
    tally.found += count
    kept = np.ones(count, bool)

    def drop(reason: str, mask: np.ndarray) -> None:
        tally.remove(reason, kept & mask)
        kept[mask] = False

    kinds = np.array([DEMONSTRATOR_KINDS.index(kind) for kind in replay.demonstrator_kinds])
    who = kinds[decisions.demonstrator] if count else np.zeros(0, np.int64)
    if spec.kind not in ("all", "file"):
        # Random decisions within someone's play are exploration: they are learned from, but never imitated.
        drop(f"were not chosen by {spec.kind}", (who != demonstrator_index(spec.kind)) & (who != RANDOM))
    places = {name: index for index, name in enumerate(action_meanings)}
    translate = np.array([places.get(name, -1) for name in replay.origin.action_meanings])
    actions = translate[decisions.action] if count else np.zeros(0, np.int64)
    drop("had an action that the agent does not have", actions < 0)
    given = list(verdicts(replay.episode_id)) if verdicts is not None else []
    given = [verdict for verdict in given if fits(verdict.clip, replay.frame_count)]
    verdict = verdict_of_frames(given, replay.frame_count)[first] if count else np.zeros(0, np.int8)
    offered = kept.copy()
    # With --bad-margin, bad decisions are learned from as what to avoid.
    avoided = (verdict < 0) & (config.bad_margin > 0.0)
    if config.keep == "not-bad":
        drop("were judged bad (--keep not-bad)", (verdict < 0) & ~avoided)
    elif config.keep == "good":
        drop("were not judged good (--keep good)", (verdict <= 0) & ~avoided)
    for name, sign in VERDICT_SIGNS.items():
        tally.kept_by_verdict[name] += int((kept & (verdict == sign)).sum())
        tally.removed_by_verdict[name] += int((offered & ~kept & (verdict == sign)).sum())
    tally.kept += int(kept.sum())
    tally.mixed += int((kept & decisions.mixed).sum())
    imitate = (kept & (who != RANDOM) & (verdict >= 0)).astype(np.int8) - (kept & avoided).astype(np.int8)
    played = np.maximum(actions, 0)
    return SeedEpisode(replay.path, replay.episode_id, decisions, played, kept, imitate, spec.weight, verdict)


def terminals(config: TrainConfig, decisions: Decisions) -> np.ndarray:
    """Return where the return ends, (D,) bool: at game over, and with ``life_loss_ends`` at a lost life."""
    return decisions.terminal | decisions.life_lost if config.life_loss_ends else decisions.terminal


def seeding_facts(library: Library, config: TrainConfig, labels: Path | None) -> dict[str, Any]:
    """Return a seeding's sources, episodes, and decisions found, removed (by filter) and kept, for a report.

    ``labels``: the label database, or None: no verdicts. Raises CoachError if the seeding selects nothing.
    """
    meanings = new_emulator(config).action_meanings
    if labels is None:
        plan = plan_seeding(config, library, meanings, None)
    else:
        plan = plan_with_labels(config, library, meanings, labels)
    digest = hashlib.sha256()
    episodes = []
    for episode in plan.episodes:
        digest.update(episode.episode_id.encode() + episode.kept.tobytes() + episode.imitate.tobytes())
        with ReplayFile(episode.path) as replay:
            about = replay.summary()
        episodes.append(
            {
                "episode": episode.episode_id,
                "demonstrator": about.demonstrator,
                "player": about.player,
                "score": about.score,
                "seconds": about.seconds,
                "decisions": len(episode.kept),
                "kept": int(episode.kept.sum()),
                "imitated": int((episode.imitate > 0).sum()),
            }
        )
    return {
        "sources": list(config.seed_from),
        "keep": config.keep,
        "found": plan.tally.found,
        "removed": plan.tally.removed,
        "kept": plan.tally.kept,
        "mixed": plan.tally.mixed,
        "random": sum(spec.count for spec in plan.random),
        "decisions": plan.decisions,
        "episodes": episodes,
        "damaged": [str(path) for path, _ in plan.damaged],
        "digest": digest.hexdigest(),
    }
