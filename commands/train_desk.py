"""What the Train window shows of a library, and what it begins there."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import preset
from agent.player import RunSummary, list_runs, run_summary, survey_runs
from agent.presets import PRESETS
from agent.run import RunFolder, is_trained
from agent.run_curves import read_curves
from agent.spectator import ask_for_pictures, read_picture
from agent.work_left import updates
from commands.background_training import broke_off, running_training
from commands.seeding_preview import preview
from commands.training_queue import TrainingQueue
from data.episode import DEMONSTRATOR_KINDS, FRAMES_PER_SECOND
from data.errors import CoachError
from data.library import Library
from home.training_facts import (
    Curves,
    Evaluated,
    GamePicture,
    Preset,
    RunFacts,
    SeedingFacts,
    SourceOffer,
    TrainWish,
)

ASK_EVERY_SECONDS = 1.0


class LibraryTrainDesk:
    """``home.training_facts.TrainDesk`` over one library and game."""

    def __init__(self, library: Library, game: str, threads: int = 0) -> None:
        """threads: for computing; 0: all."""
        self._library = library
        self._game = game
        self._threads = threads
        self._queue = TrainingQueue(library)
        self._queue.work_on()  # whoever worked it off may have been killed
        self._asked = float("-inf")
        self._picture_time: tuple[str, float] = ("", 0.0)
        self._picture: GamePicture | None = None

    # ---- looking -------------------------------------------------------------------------------------------------

    def runs(self) -> list[RunFacts]:
        """Those that go on, then those that wait, then the others, newest first; those of comparisons last."""
        known, unreadable = survey_runs(self._library)
        failures = {failure.run: failure for failure in self._queue.failures()}
        waiting = self._queue.waiting()
        current = self._queue.current()
        told: dict[str, RunFacts] = {}
        for summary in known:
            told[summary.name] = self._told(summary)
        for run in unreadable:
            told[run.name] = RunFacts(run.name, "failed", complaint=run.reason)
        if current is not None:
            told.setdefault(current.run, _begun(current.run, current.arguments))
            if told[current.run].state not in ("training", "stopping"):
                told[current.run] = _changed(told[current.run], **self._filling(current.run))
        for place, queued in enumerate((q for q in waiting if current is None or q.run != current.run), start=1):
            told.setdefault(queued.run, _begun(queued.run, queued.arguments))
            told[queued.run] = _changed(told[queued.run], state="waiting", place=place)
        for name, failure in failures.items():
            told.setdefault(name, _begun(name, failure.arguments))
            if not told[name].is_going_on:
                told[name] = _changed(told[name], state="failed", complaint=failure.sentence, log=failure.log)
        return sorted(told.values(), key=lambda run: self._order(run))

    def _order(self, run: RunFacts) -> tuple[int, float]:
        if run.state == "waiting":
            return 1, run.place
        if run.is_going_on:
            return 0, 0.0
        return (3 if run.comparison else 2), -_last_change(self._library.runs, run.name)

    def _told(self, summary: RunSummary) -> RunFacts:
        now = running_training(summary.path)
        facts = RunFacts(
            name=summary.name,
            state="done" if summary.step >= summary.steps else "stopped",
            seeding=_seeding_words(summary.seed_from),
            comparison=summary.comparison,
            step=summary.step,
            steps=summary.steps,
            mean_score=summary.mean_score,
        )
        if now is not None:
            return _changed(facts, **_live(now))
        if is_trained(summary.path):  # by a comparison, which tells nothing here
            return _changed(facts, state="training", phase="training")
        if broke_off(summary.path):
            log = self._queue.log(summary.name)
            goes_on = "Compare, R, goes on" if summary.comparison else "R goes on"
            return _changed(
                facts,
                state="broke off",
                complaint=f"The training of {summary.name} was broken off; {goes_on} from step {summary.step}.",
                log=str(log) if log.exists() else "",
            )
        return facts

    def _filling(self, run: str) -> dict[str, Any]:
        now = running_training(self._library.run_folder(run))
        return {**(_live(now) if now is not None else {}), "state": "starting"}

    def curves(self, run: str) -> Curves:
        found = read_curves(RunFolder(self._library.run_folder(run)))
        return Curves(
            episode_steps=found.episode_steps,
            episode_scores=found.episode_scores,
            running_mean=found.running_mean,
            evaluations=tuple(Evaluated(e.step, e.mean, e.low, e.high) for e in found.evaluations),
            trace_steps=found.trace["step"],
            loss=found.trace["loss"],
            mean_value=found.trace["mean_value"],
            seeded_share=found.trace["seeded_share"],
            rate=found.trace["steps_per_second"],
        )

    def picture(self, run: str) -> GamePicture | None:
        folder = self._library.run_folder(run)
        now = time.monotonic()
        if now - self._asked > ASK_EVERY_SECONDS and folder.is_dir():
            ask_for_pictures(folder)
            self._asked = now
        try:
            written = (folder / "live.picture").stat().st_mtime
        except OSError:
            return None
        if (run, written) != self._picture_time:
            self._picture_time = run, written
            found = read_picture(folder)
            if found is not None:
                self._picture = GamePicture(
                    found.frame, found.palette, found.actions, found.values, found.score, found.evaluating
                )
        return self._picture

    # ---- choosing ------------------------------------------------------------------------------------------------

    def sources(self) -> list[SourceOffer]:
        """What there is to seed from, and how much of it."""
        episodes = self._library.episodes(self._game)
        offers = []
        for kind in DEMONSTRATOR_KINDS:
            if kind == "random":
                continue
            frames = [e.frames_by_demonstrator.get(kind, 0) for e in episodes]
            count = sum(1 for n in frames if n)
            if not count and kind not in ("human", "planner"):
                continue
            offers.append(_offer(kind, _KIND_WORDS[kind], count, sum(frames)))
            if kind == "agent":
                by_run = sorted({e.player for e in episodes if e.frames_by_demonstrator.get("agent") and e.player})
                for run in by_run if len(by_run) > 1 else ():
                    mine = [e for e in episodes if e.player == run and e.frames_by_demonstrator.get("agent")]
                    frames_of_run = sum(e.frames_by_demonstrator["agent"] for e in mine)
                    offers.append(_offer(f"agent:{run}", f"Only the agent {run}", len(mine), frames_of_run))
        offers.append(_offer("all", "Everything recorded", len(episodes), sum(e.frame_count for e in episodes)))
        offers.append(SourceOffer("random", "Random play", "fresh"))
        offers.append(SourceOffer("none", "Nothing", "begin from scratch"))
        return offers

    def presets(self) -> Sequence[Preset]:
        configs = {name: preset(name) for name in PRESETS}
        return [Preset(name, c.steps, c.pretrain_steps, c.evaluate_every) for name, c in configs.items()]

    def free_name(self) -> str:
        taken = {queued.run for queued in self._queue.waiting()} | {failure.run for failure in self._queue.failures()}
        current = self._queue.current()
        taken |= {current.run} if current else set()
        number = 1
        while f"run-{number}" in taken or self._library.run_folder(f"run-{number}").exists():
            number += 1
        return f"run-{number}"

    def preview(self, sources: tuple[str, ...], keep: str) -> SeedingFacts:
        found = preview(self._library, self._game, sources, keep)
        removed, kept = found.removed_by_verdict, found.kept_by_verdict
        return SeedingFacts(
            decisions=found.transitions,
            seconds=found.seconds,
            episodes=found.episodes,
            random=found.random,
            reward_share=found.reward_share,
            removed_good=removed.get("good", 0),
            removed_bad=removed.get("bad", 0),
            removed_none=removed.get("none", 0),
            kept_good=kept.get("good", 0),
            kept_bad=kept.get("bad", 0),
            kept_none=kept.get("none", 0),
            actions=tuple(found.actions.items()),
            megabytes=found.megabytes,
        )

    def seconds_estimate(self, wish: TrainWish) -> float | None:
        """From the pace of the newest run that has one; evaluations are left out."""
        paces = []
        for summary in list_runs(self._library):
            rates = read_curves(RunFolder(summary.path)).trace
            mine = rates["steps_per_second"][rates["step"] > 0]
            mine = mine[np.isfinite(mine) & (mine > 0)]
            if len(mine):
                config = RunFolder(summary.path).read().config
                updates_per_second = float(np.median(mine)) / config.train_every
                paces.append((_last_change(self._library.runs, summary.name), updates_per_second))
        if not paces:
            return None
        pretraining = wish.pretrain_steps if wish.sources else 0
        return updates(pretraining, wish.steps, preset(wish.preset).train_every) / max(paces)[1]

    # ---- doing ---------------------------------------------------------------------------------------------------

    def start(self, wish: TrainWish) -> None:
        arguments = ["--game", self._game, "--preset", wish.preset, "--keep", wish.keep]
        for source in wish.sources:
            arguments += ["--seed-from", source]
        arguments += ["--steps", str(wish.steps), "--pretrain-steps", str(wish.pretrain_steps)]
        arguments += ["--evaluate-every", str(wish.evaluate_every)]
        if self._threads:
            arguments += ["--threads", str(self._threads)]
        self._queue.add(wish.run, [*arguments, *learning_early(wish.steps, wish.preset)])

    def stop(self, run: str) -> None:
        if not self._queue.stop(run):
            raise CoachError(f"The run {run!r} is trained by a comparison, or not at all; it cannot be stopped here.")

    def resume(self, run: str) -> None:
        folder = RunFolder(self._library.run_folder(run))
        failure = next((failure for failure in self._queue.failures() if failure.run == run), None)
        if not folder.exists:
            if failure is None:
                raise CoachError(f"There is no run {run!r}.")
            self._queue.add(run, list(failure.arguments))
            return
        summary = run_summary(folder)
        more = ["--steps", str(2 * summary.steps)] if summary.step >= summary.steps else []
        self._queue.add(run, ["--resume", *more])

    def dismiss(self, run: str) -> None:
        self._queue.forget_failure(run)


_KIND_WORDS = {
    "human": "People's play",
    "agent": "Agents' play",
    "planner": "The planner's play",
    "imported": "Imported play",
}


def _offer(spec: str, label: str, episodes: int, frames: int) -> SourceOffer:
    from home.overview import duration

    if not episodes:
        return SourceOffer(spec, label, "none recorded yet", offers=False)
    count = "1 episode" if episodes == 1 else f"{episodes} episodes"
    return SourceOffer(spec, label, f"{count}, {duration(frames / FRAMES_PER_SECOND)}")


def learning_early(steps: int, preset_name: str = "default") -> list[str]:
    """Options for a training so short that it would never learn: begin to learn earlier."""
    return ["--learn-from-step", str(steps // 4)] if steps <= preset(preset_name).learn_from_step else []


def _begun(run: str, arguments: Sequence[str]) -> RunFacts:
    """A run of which there is no more than its command line."""
    words = list(arguments)
    sources = tuple(words[n + 1] for n, word in enumerate(words[:-1]) if word == "--seed-from")
    steps = next(
        (int(words[n + 1]) for n, word in enumerate(words[:-1]) if word == "--steps" and words[n + 1].isdecimal()), 0
    )
    return RunFacts(run, "stopped", _seeding_words(sources), steps=steps)


def _seeding_words(sources: Sequence[str]) -> str:
    return ", ".join(sources) if sources else "from scratch"


def _live(now: dict[str, Any]) -> dict[str, Any]:
    """Fields of RunFacts from what a training says of itself."""
    told: dict[str, Any] = {"state": "stopping" if now.get("stopping") else "training"}
    if now.get("own_steps"):
        told["step"], told["steps"] = now["own_step"], now["own_steps"]
    for ours, theirs in (
        ("phase", "phase"),
        ("phase_step", "step"),
        ("phase_total", "total"),
        ("steps_per_second", "steps_per_second"),
        ("seconds_left", "run_seconds_left"),
        ("mean_score", "mean_score"),
        ("epsilon", "epsilon"),
        ("episodes", "episodes"),
    ):
        if now.get(theirs) is not None:
            told[ours] = now[theirs]
    return told


def _changed(facts: RunFacts, **changes: Any) -> RunFacts:
    return dataclasses.replace(facts, **changes)


def _last_change(runs: Path, run: str) -> float:
    times = [0.0]
    for path in (runs / run / "checkpoints", runs / f"{run}.log"):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return max(times)
