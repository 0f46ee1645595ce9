"""Record episodes without a window: by any demonstrator, one replay file an episode, in several processes."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from queue import Empty
from types import FrameType
from typing import Any

import numpy as np

from data.demonstrator import Demonstrator, WithExploration
from data.episode import MAX_EPISODE_FRAMES, EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.simulation import Emulator
from recorder.frame_loop import play_frames

MOST_NOOPS = 30
"""Most no-op frames at an episode's start (Mnih et al. 2015, "Evaluation procedure")."""
PROGRESS_EVERY_FRAMES = 60

MakeDemonstrator = Callable[[], Demonstrator]
OnProgress = Callable[[int, int, float], None]
"""Called with (episode, counted from 0; frames played; score), about once a second of play and at the end."""


class RecordingStopped(KeyboardInterrupt):
    """Ctrl-C while recording. ``paths`` are the published replay files, including that of the interrupted episode."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__("recording stopped")
        self.paths = paths


@dataclass(frozen=True)
class _Task:
    """Everything that a process needs to record its episodes."""

    library_folder: Path
    make_demonstrator: MakeDemonstrator
    game: str
    settings: EmulatorSettings
    epsilon: float
    max_frames: int
    player: str


def episode_settings(settings: EmulatorSettings, seed: int) -> EmulatorSettings:
    """Return the settings of the episode with this seed: the seed and, unless one is set, a start of 0 to 30 no-ops.

    Most games ignore the emulator's seed, so without a varied start a demonstrator that does not explore would play
    the same episode every time.
    """
    noops = settings.noop_start or int(np.random.default_rng(seed).integers(MOST_NOOPS + 1))
    return replace(settings, seed=seed, noop_start=noops)


def record_episodes(
    library: Library,
    make_demonstrator: MakeDemonstrator,
    game: str,
    episodes: int = 1,
    settings: EmulatorSettings | None = None,
    seed: int = 0,
    jobs: int = 1,
    epsilon: float = 0.0,
    max_frames: int = MAX_EPISODE_FRAMES,
    player: str = "",
    on_progress: OnProgress | None = None,
) -> list[Path]:
    """Record ``episodes`` episodes with the seeds ``seed``, ``seed + 1``, ...; return their replay files in order.

    Two calls with the same arguments record the same actions, whatever ``jobs`` is. An episode that reaches
    ``max_frames`` ends as ``truncated``. Sticky actions are recorded as executed; decisions replaced by ``epsilon``
    are recorded as ``random``. With ``jobs`` above 1, ``make_demonstrator`` must be picklable.

    Ctrl-C raises RecordingStopped: finished episodes stay, and a running one with at least one whole decision is
    saved as ``abandoned`` (a seeding can use it); a shorter one is discarded.
    """
    if episodes < 1:
        raise CoachError(f"The number of episodes must be at least 1, not {episodes}.")
    if jobs < 1:
        raise CoachError(f"The number of jobs must be at least 1, not {jobs}.")
    if max_frames < 1:
        raise CoachError(f"The longest episode must have at least 1 frame, not {max_frames}.")
    library.prepare()
    task = _Task(library.folder, make_demonstrator, game, settings or EmulatorSettings(), epsilon, max_frames, player)
    report = on_progress or _no_report
    seeds = [(seed + episode) % 2**31 for episode in range(episodes)]
    if jobs == 1 or episodes == 1:
        return _record_here(task, seeds, report)
    return _record_in_processes(task, seeds, min(jobs, episodes), report)


def _no_report(_episode: int, _frames: int, _score: float) -> None:
    """Ignore progress."""


def _record_here(task: _Task, seeds: list[int], report: OnProgress) -> list[Path]:
    paths: list[Path] = []
    demonstrator = _demonstrator_of(task)
    with _interrupt_event() as stop:
        for episode, seed in enumerate(seeds):
            path = _record_one(task, demonstrator, seed, partial(report, episode), stop)
            if path is not None:
                paths.append(path)
            if stop.is_set():
                raise RecordingStopped(paths)
    return paths


def _demonstrator_of(task: _Task) -> Demonstrator:
    """Make one demonstrator for all episodes of a process: an agent's network is loaded once."""
    demonstrator = task.make_demonstrator()
    return WithExploration(demonstrator, task.epsilon) if task.epsilon > 0.0 else demonstrator


def _record_one(
    task: _Task, demonstrator: Demonstrator, seed: int, report: Callable[[int, float], None], stop: Any
) -> Path | None:
    """Record one episode; return None if it was stopped within its first decision."""
    settings = episode_settings(task.settings, seed)
    emulator = Emulator(task.game, settings)
    rng = np.random.default_rng([seed, 1])  # another stream than that of the no-ops
    first = emulator.state()
    demonstrator.begin(emulator, rng)
    writer = Library(task.library_folder).begin_episode(emulator.origin(task.player), demonstrator.kind, first)
    ended_by, score = "game_over", 0.0
    try:
        for frame in play_frames(emulator, demonstrator, [first]):
            writer.append(frame.executed, frame.demonstrator, frame.after)
            score += frame.after.reward
            if writer.frame_count % PROGRESS_EVERY_FRAMES == 0:
                report(writer.frame_count, score)
            if frame.after.game_over:
                break
            if stop.is_set():
                ended_by = "abandoned"
                break
            if writer.frame_count >= task.max_frames:
                ended_by = "truncated"
                break
    except BaseException:
        writer.discard()
        raise
    if ended_by == "abandoned" and writer.frame_count < settings.frame_skip:
        writer.discard()
        return None
    path = writer.publish(ended_by, emulator.palette)
    report(writer.frame_count, score)
    return path


@contextmanager
def _interrupt_event() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C sets, so that the running frame is finished; a second Ctrl-C interrupts."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread receives signals
        return

    def note(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


_worker_task: _Task
_worker_progress: Any
_worker_stop: Any


def _start_worker(task: _Task, progress: Any, stop: Any) -> None:
    """Give a new process what all its episodes share; only the parent handles Ctrl-C."""
    global _worker_task, _worker_progress, _worker_stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker_task, _worker_progress, _worker_stop = task, progress, stop


@cache
def _worker_demonstrator() -> Demonstrator:
    # Made with the first episode, not with the process, so that an error reaches the caller.
    return _demonstrator_of(_worker_task)


def _record_in_worker(episode: int, seed: int) -> Path | None:
    if _worker_stop.is_set():
        return None

    def report(frames: int, score: float) -> None:
        _worker_progress.put((episode, frames, score))

    return _record_one(_worker_task, _worker_demonstrator(), seed, report, _worker_stop)


def _record_in_processes(task: _Task, seeds: list[int], jobs: int, report: OnProgress) -> list[Path]:
    # Fresh processes, not forks: a fork of a process with threads (TensorFlow, a window) may hang.
    context = multiprocessing.get_context("spawn")
    progress, stop = context.Queue(), context.Event()
    with (
        _interrupt_event() as interrupted,
        ProcessPoolExecutor(jobs, context, _start_worker, (task, progress, stop)) as pool,
    ):
        futures = [pool.submit(_record_in_worker, episode, seed) for episode, seed in enumerate(seeds)]
        try:
            _follow(futures, progress, report, interrupted, stop)
        finally:
            stop.set()  # after an error or a second Ctrl-C, running episodes end at once
        try:
            paths = [path for path in (future.result() for future in futures) if path is not None]
        except BrokenProcessPool as error:
            raise CoachError(
                "A recording process was killed (was the memory full?); record again with fewer --jobs."
            ) from error
        if interrupted.is_set():
            raise RecordingStopped(paths)
    return paths


def _follow(
    futures: list[Future[Path | None]], progress: Any, report: OnProgress, interrupted: threading.Event, stop: Any
) -> None:
    """Report progress until everything is done, something failed, or Ctrl-C."""
    running = True
    while running:
        done, waiting = wait(futures, timeout=0.1, return_when=FIRST_EXCEPTION)
        running = bool(waiting) and not any(future.exception() for future in done)
        if interrupted.is_set():
            stop.set()
        while True:
            try:
                report(*progress.get_nowait())
            except Empty:
                break
