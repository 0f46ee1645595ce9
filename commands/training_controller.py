"""What the Train window shows of a library, and the trainings that it starts there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agent.config import preset, run_config
from agent.presets import ABOUT, PRESETS
from agent.progress import updates
from agent.seeding import parse_spec
from commands.add import additions_in_words
from commands.seeding_preview import preview
from data.additions import AdditionsFolder
from data.comparisons import compared_runs
from data.counted import counted
from data.durations import rounded_duration
from data.episode import DEMONSTRATOR_KINDS, FRAMES_PER_SECOND, EpisodeSummary
from data.errors import CoachError
from data.job_queue import Job, JobQueue
from data.library import Library
from data.live_view import LivePicture, picture_time, read_picture, request_pictures
from data.run_curves import RunCurves, read_curves
from data.runs import (
    RunFolder,
    RunState,
    RunSummary,
    find_run,
    move_run,
    open_own_run,
    run_folder,
    run_folders,
    run_summary,
    supplied_runs,
    survey_runs,
)
from data.seeding_preview import SeedingPreview
from data.trash import Trash
from home.form import SourceOption
from home.train_form import Preset, TrainingRequest

PRACTICE_SHARE = 0.5
"""Share of own episodes that start inside a seeded one, where the form asks for practice."""
REQUEST_SECONDS = 1.0
"""Time between two requests for pictures of a training's game."""

KIND_LABELS = {
    "human": "People's play",
    "agent": "Agents' play",
    "planner": "The planner's play",
    "imported": "Imported play",
}


class LibraryTrainingController:
    """The ``home.train_window.TrainingController`` of one library and game."""

    def __init__(self, library: Library, game: str, threads: int = 0) -> None:
        """threads: number of threads for computing; 0: all."""
        self._library = library
        self._game = game
        self._threads = threads
        self._queue = JobQueue(library)
        self._queue.ensure_running()  # the process that ran it may have been killed
        self._stop_requested: set[int | None] = set()
        """Processes that were asked to stop; one that is still loading does not report it."""
        self._curves_changed: list[str] = []
        """Name of the run whose curves were read last, and when its files had changed."""
        self._curves = RunCurves()
        self._requested = float("-inf")
        self._picture_time: tuple[str, float] = ("", 0.0)
        self._picture: LivePicture | None = None

    # ---- state ---------------------------------------------------------------------------------------------------

    def runs(self) -> list[RunSummary]:
        """Return active runs, those that wait, the others, newest first, those of comparisons, and supplied ones."""
        known, unreadable = survey_runs(self._library)
        found = {run.name: self._explained(run) for run in [*known, *unreadable]}
        current = self._queue.current()
        if current is not None and current.kind == "training":
            run = found.setdefault(current.name, _queued(current))
            if not run.is_training:
                report = run_folder(self._library, current.name).training()
                progress = None if report is None else report.progress
                found[run.name] = replace(run, state=self._state_of_current(current), progress=progress)
        for position, job in enumerate(self._queue.waiting(), start=1):
            if job.kind == "training":
                run = found.setdefault(job.name, _queued(job))
                found[run.name] = replace(run, state="waiting", queue_position=position)
        for failure in self._queue.failures():
            if failure.job.kind == "training":
                run = found.setdefault(failure.job.name, _queued(failure.job))
                if not run.is_active:
                    found[run.name] = replace(run, state="failed", error=failure.error, log=failure.log)
        for run in supplied_runs(self._library):
            found.setdefault(run.name, run)
        return sorted(found.values(), key=self._order)

    def _state_of_current(self, job: Job) -> RunState:
        """Return the state of a training that does not report: it is still loading, or it is about to end."""
        checkpoints = run_folder(self._library, job.name).checkpoints
        with contextlib.suppress(OSError):
            if checkpoints.stat().st_mtime > self._queue.current_since():
                return "stopping"  # it has written one
        return "stopping" if job.process in self._stop_requested else "starting"

    def _order(self, run: RunSummary) -> tuple[int, float]:
        if run.state == "waiting":
            return 1, run.queue_position
        if run.is_active:
            return 0, 0.0
        if run.supplied:
            return 4, 0.0
        return (3 if run.comparison else 2), -_last_change(RunFolder(self._library.runs / run.name))

    def _explained(self, run: RunSummary) -> RunSummary:
        """Add the reason to a run that was interrupted."""
        if run.state != "interrupted":
            return run
        log = RunFolder(run.path).log
        resume = "R in the Compare window resumes" if run.comparison else "R resumes"
        error = f"The training of {run.name} was interrupted; {resume} it from step {run.step:,}."
        return replace(run, error=error, log=str(log) if log.exists() else "")

    def curves(self, run: str) -> RunCurves:
        """Return the curves of a run; files that did not change are not read again."""
        folder = find_run(self._library, run)
        changed = [run]
        for path in (folder.monitor, folder.evaluations, folder.trace):
            with contextlib.suppress(OSError):
                changed.append(str(path.stat().st_mtime_ns))
        if changed != self._curves_changed:
            self._curves_changed, self._curves = changed, read_curves(folder)
        return self._curves

    def additions(self, run: str) -> str:
        folder = run_folder(self._library, run)
        return additions_in_words(folder) if AdditionsFolder(folder.path).requests.exists() else ""

    def picture(self, run: str) -> LivePicture | None:
        folder = self._library.run_folder(run)  # a supplied run is not trained
        now = time.monotonic()
        if now - self._requested > REQUEST_SECONDS and folder.is_dir():
            request_pictures(folder)
            self._requested = now
        written = picture_time(folder)
        if written is None:
            return None
        if (run, written) != self._picture_time:
            self._picture_time = run, written
            self._picture = read_picture(folder) or self._picture
        return self._picture

    # ---- choices for a new training ------------------------------------------------------------------------------

    def sources(self) -> list[SourceOption]:
        """Return the sources that a seeding can use, and how much each contains."""
        episodes = self._library.episodes(self._game)
        supplied = [run.name for run in supplied_runs(self._library) if run.game == self._game]
        found = []
        for kind in DEMONSTRATOR_KINDS:
            if kind == "random":
                continue
            frames = [e.frames_by_demonstrator.get(kind, 0) for e in episodes]
            count = sum(1 for n in frames if n)
            if not count and kind not in ("human", "planner"):
                continue
            found.append(_source(kind, KIND_LABELS[kind], count, sum(frames)))
            if kind == "agent":
                by_run = sorted({e.player_of(kind) for e in episodes if e.frames_by_demonstrator.get(kind)} - {""})
                found += [
                    self._played_by(run, f"Only the agent {run}", episodes)
                    for run in by_run
                    if len(by_run) > 1 and run not in supplied
                ]
        for run in supplied:
            option = self._played_by(run, "The trained agent's play", episodes)
            if not option.available:
                option = replace(option, detail="recorded at the start", available=True)
            found.append(option)
        found.append(_source("all", "Everything recorded", len(episodes), sum(e.frame_count for e in episodes)))
        found.append(SourceOption("random", "Random play", "fresh"))
        found.append(SourceOption("none", "Nothing", "start from scratch"))
        return found

    def _played_by(self, run: str, label: str, episodes: Sequence[EpisodeSummary]) -> SourceOption:
        played = [e.frames_by_demonstrator["agent"] for e in episodes if parse_spec(f"agent:{run}").selects(e)]
        return _source(f"agent:{run}", label, len(played), sum(played))

    def presets(self) -> Sequence[Preset]:
        configs = {name: preset(name) for name in PRESETS}
        return [
            Preset(
                name,
                c.steps,
                c.pretrain_steps,
                c.evaluate_every,
                ABOUT[name],
                c.epsilon_steps,
                c.epsilon_seeded > 0.5,
            )
            for name, c in configs.items()
        ]

    def free_name(self) -> str:
        current = self._queue.current()
        jobs = [*self._queue.waiting(), *(failure.job for failure in self._queue.failures())]
        jobs += [current] if current is not None else []
        taken = {job.name for job in jobs if job.kind == "training"}
        number = 1
        while f"run-{number}" in taken or self._library.run_folder(f"run-{number}").exists():
            number += 1
        return f"run-{number}"

    def preview(self, sources: tuple[str, ...], keep: str) -> SeedingPreview:
        return preview(self._library, self._game, sources, keep)

    def discard(self, paths: Sequence[str]) -> None:
        """Move replay files of the library to its trash. Raises CoachError for the first that stays."""
        moved = Trash(self._library).discard([Path(path).stem for path in paths])
        if moved.problem:
            raise CoachError(moved.problem)

    def seconds_estimate(self, request: TrainingRequest) -> float | None:
        """Return the duration at the pace of the newest run that has one, without evaluations."""
        paces = []
        for folder in run_folders(self._library):
            trace = read_curves(folder).trace
            rates = trace["steps_per_second"][trace["step"] > 0]
            rates = rates[np.isfinite(rates) & (rates > 0)]
            if len(rates):
                with contextlib.suppress(CoachError):
                    paces.append((_last_change(folder), float(np.median(rates)) / run_config(folder).train_every))
        if not paces:
            return None
        pretraining = request.pretrain_steps if request.sources else 0
        return updates(pretraining, request.steps, preset(request.preset).train_every) / max(paces)[1]

    # ---- actions -------------------------------------------------------------------------------------------------

    def start(self, request: TrainingRequest) -> bool:
        waits = self._queue.is_busy()
        arguments = ["--game", self._game, "--preset", request.preset, "--keep", request.keep]
        for source in request.sources:
            arguments += ["--seed-from", source]
        arguments += ["--steps", str(request.steps), "--pretrain-steps", str(request.pretrain_steps)]
        arguments += ["--evaluate-every", str(request.evaluate_every)]
        if request.practice != "none" and request.sources:
            arguments += ["--start-inside", str(PRACTICE_SHARE), "--start-rule", request.practice]
            if request.practice == "bad":
                arguments += ["--bad-margin", str(preset(request.preset).margin)]
        if self._threads:
            arguments += ["--threads", str(self._threads)]
        self._add(request.run, [*arguments, *learning_early(request.steps, request.preset)])
        return waits

    def _add(self, run: str, arguments: Sequence[str]) -> None:
        self._queue.add(Job("training", run, tuple(arguments)))

    def stop(self, run: str) -> None:
        current = self._queue.current()
        if current is not None and current.key == ("training", run):
            self._stop_requested.add(current.process)
        if not self._queue.stop("training", run):
            raise CoachError(
                f"The run {run!r} cannot be stopped here: a comparison trains it, or it is not being trained."
            )

    def resume(self, run: str) -> None:
        failure = self._queue.failure("training", run)
        if failure is not None and not run_folder(self._library, run).exists:
            self._add(run, failure.job.arguments)
            return
        folder = open_own_run(self._library, run)
        summary = run_summary(folder)
        more = ["--steps", str(2 * summary.steps)] if summary.step >= summary.steps else []
        self._add(run, ["--resume", *more])

    def rename(self, run: str, name: str) -> None:
        """Give a run another name. The episodes that it played keep the old one as their player."""
        self._require_own(run)
        if name in {job.name for job in self._queue.waiting()}:
            raise CoachError(f"A run {name!r} is waiting already; choose another name.")
        self._library.prepare()
        move_run(open_own_run(self._library, run), run_folder(self._library, name))
        self._queue.dismiss_failure("training", run)

    def delete(self, run: str) -> None:
        """Move a run to the trash."""
        self._require_own(run)
        self._library.prepare()
        Trash(self._library).discard_run(run)
        self._queue.dismiss_failure("training", run)

    def restore(self, run: str) -> None:
        """Move a run back from the trash."""
        Trash(self._library).restore_run(run)

    def _require_own(self, run: str) -> None:
        if run in compared_runs(self._library):
            raise CoachError(f"The run {run!r} belongs to a comparison, which needs it under this name.")

    def dismiss(self, run: str) -> None:
        self._queue.dismiss_failure("training", run)


def _source(spec: str, label: str, episodes: int, frames: int) -> SourceOption:
    if not episodes:
        return SourceOption(spec, label, "none recorded yet", available=False)
    count = counted(episodes, "episode")
    return SourceOption(spec, label, f"{count}, {rounded_duration(frames / FRAMES_PER_SECOND)}")


def learning_early(steps: int, preset_name: str = "default") -> list[str]:
    """Return the options that let a training learn earlier, if it is so short that it would never learn."""
    return ["--learn-from-step", str(steps // 4)] if steps <= preset(preset_name).learn_from_step else []


def _queued(job: Job) -> RunSummary:
    """Return a summary from a run's command line only."""
    words = list(job.arguments)
    sources = tuple(words[n + 1] for n, word in enumerate(words[:-1]) if word == "--seed-from")
    steps = next(
        (int(words[n + 1]) for n, word in enumerate(words[:-1]) if word == "--steps" and words[n + 1].isdecimal()), 0
    )
    return RunSummary(job.name, "stopped", seed_from=sources, steps=steps)


def _last_change(folder: RunFolder) -> float:
    times = [0.0]
    for path in (folder.checkpoints, folder.log):
        with contextlib.suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)
