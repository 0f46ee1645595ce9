"""The engines that work off a comparison's runs: joblib with loky here, or with Ray or Dask on a cluster.

An engine only lends processes. Each takes on one run after another, and trains it in a process of its own
(``agent.comparison_run``): a run that crashes or eats up the memory takes nothing with it, and its threads and its
memory end with it. What was done is told by files in the comparison's folder; so all engines give the same results,
and a start after a kill, of whatever, goes on from there.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.comparison import ComparisonFolder, write_json
from agent.comparison_run import STOPPED
from data import jobs
from data.errors import CoachError
from data.library import Library

LOOK_SECONDS = 0.25
CHECKPOINT_SECONDS = 120.0
"""For how long a run that is asked to stop may write its checkpoint."""
RAY_NOTICES_SECONDS = 40.0
"""Within this time Ray knows that a machine is gone: five missed answers, by default."""
RAY_FREES_SECONDS = 20.0
"""Within this time Ray takes back the processors of workers that are gone."""
TRIES = 2
"""How often a run is begun, in one start, whose process is killed by a signal that nobody here sent."""
MOST_ROUNDS = 3
"""How often all workers may be lost or end, with no run finished in between, before the comparison is given up."""


@dataclass(frozen=True)
class Lane:
    """What one process of an engine is told."""

    library: Path
    comparison: str
    runs: tuple[str, ...]
    """All runs that are to be done; each lane takes the next one that no other has claimed."""
    threads: int


def work_off(lane: Lane) -> int:
    """Take on runs until none is left; returns how many. Runs in the engine's process."""
    folder = ComparisonFolder(Library(lane.library), lane.comparison)
    parent = os.getppid()
    taken = 0
    for run in lane.runs:
        if folder.stop_file.exists() or os.getppid() != parent:
            break
        if is_settled(folder, run) or not _claimed(folder, run):
            continue
        taken += 1
        for attempt in range(1, TRIES + 1):
            if _supervise(folder, run, lane.threads, parent, last=attempt == TRIES):
                break
    return taken


def is_settled(folder: ComparisonFolder, run: str) -> bool:
    """Whether a run is finished, or has failed in this start."""
    return folder.result(run).exists() or folder.failure(run).exists()


def _claimed(folder: ComparisonFolder, run: str) -> bool:
    try:
        folder.claim(run).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def unclaim(folder: ComparisonFolder) -> None:
    """Forget who has which run in hand."""
    for claim in folder.runs.glob("*.claim"):
        claim.unlink(missing_ok=True)


def _supervise(folder: ComparisonFolder, run: str, threads: int, parent: int, last: bool) -> bool:
    """Train a run in a process of its own; whether that is all that can be done for it now."""
    command = jobs.python_command("agent.comparison_run", str(folder.library.folder), folder.name, run)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(max(1, threads)))
    process = jobs.start(command, folder.log(run), environment=limits)
    try:
        while process.poll() is None:
            if os.getppid() != parent:  # the engine is gone
                return True
            time.sleep(LOOK_SECONDS)
    finally:
        _end(process)
    code = process.returncode
    if code == STOPPED or is_settled(folder, run):
        return True
    if code >= 0 or last:  # only a killed process is worth another attempt
        write_json(folder.failure(run), {"run": run, "error": _sentence(folder, run, code)})
        return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a run end with a checkpoint, whatever this process is ended by."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(CHECKPOINT_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()


def _sentence(folder: ComparisonFolder, run: str, code: int) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code} and without a result"
    why = ", perhaps for want of memory: use fewer --jobs or a smaller --memory-size" if code == -9 else ""
    return f"The run's process {how}{why}; its output is in {folder.log(run)}."


def work_off_all(
    folder: ComparisonFolder,
    runs: tuple[str, ...],
    backend: str,
    jobs: int | None,
    threads: int,
    told: Callable[[str], None],
) -> None:
    """Work off runs until each has a result or a failure, or until the stop file appears.

    jobs: processes at once; None: as many as the engine has processors. ``told`` is told of workers that were lost.
    Raises CoachError where the engine cannot be had, and where it loses its workers again and again.
    """
    import joblib

    idle_rounds, left = 0, [run for run in runs if not is_settled(folder, run)]
    lost = False
    while left and not folder.stop_file.exists():
        unclaim(folder)  # what was claimed by workers that are no more
        problem, cause = "", None
        try:
            with _engine(backend, jobs, len(left), lost) as lanes:
                lane = Lane(folder.library.folder.absolute(), folder.name, tuple(left), threads)
                joblib.Parallel(n_jobs=lanes, batch_size=1)(joblib.delayed(work_off)(lane) for _ in range(lanes))
        except (CoachError, KeyboardInterrupt):
            raise
        except Exception as error:  # noqa: BLE001 - each engine has its own exceptions for a lost worker
            cause, problem = error, f"workers of the engine {backend} were lost ({_described(error)})"
        lost = cause is not None
        before, left = left, [run for run in left if not is_settled(folder, run)]
        idle_rounds = 0 if len(left) < len(before) else idle_rounds + 1
        if left and idle_rounds >= MOST_ROUNDS and not folder.stop_file.exists():
            raise CoachError(
                f"The comparison {folder.name!r} makes no progress: in {MOST_ROUNDS} rounds no run was finished; "
                f"{problem or f'the output of the runs is in {folder.runs}'}. The same command resumes it."
            ) from cause
        if problem:
            told(f"{problem[0].upper()}{problem[1:]}; their runs continue from their checkpoints.")


def _described(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}"


@contextmanager
def _engine(backend: str, jobs: int | None, most: int, lost: bool) -> Iterator[int]:
    """Set joblib up for an engine; gives the number of processes to use, at most ``most``.

    ``lost``: it has just lost workers.
    """
    import joblib

    if backend == "loky":
        with joblib.parallel_config(backend="loky"):
            yield max(1, min(jobs or processors_here(), most))
    elif backend == "ray":
        # A lane takes up a processor: Ray would else put all of them on one machine.
        with _ray(jobs, most, lost) as lanes, joblib.parallel_config(backend="ray", ray_remote_args={"num_cpus": 1}):
            yield lanes
    elif backend == "dask":
        with _dask(jobs, most) as workers, joblib.parallel_config(backend="dask"):
            yield max(1, min(jobs or workers, workers, most))
    else:
        raise CoachError(f"There is no backend {backend!r}; there are loky, ray and dask.")


def processors_here() -> int:
    """Processors that this process may use."""
    import joblib

    return int(joblib.cpu_count())


@contextmanager
def _ray(jobs: int | None, most: int, lost: bool) -> Iterator[int]:
    """The cluster at RAY_ADDRESS, or one made here; gives the number of its processors to use, at most ``most``.

    After a loss it is waited until Ray, too, knows of the machine that is gone: else workers would be asked of it, and
    waited for in vain. Processors that others use are not waited for.
    """
    try:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise CoachError("The backend ray needs the package ray: pip install 'replay-coach[ray]'.") from error
    register_ray()
    address = os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {} if address else {"num_cpus": jobs or processors_here(), "include_dashboard": False}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True, **own)
    except (ConnectionError, RuntimeError, OSError, ValueError) as error:
        where = f"at RAY_ADDRESS={address}" if address else "here"
        raise CoachError(f"There is no Ray cluster to be had {where} ({_first_line(error)}).") from error
    try:
        if lost:
            _wait(RAY_NOTICES_SECONDS, lambda: not all(node["Alive"] for node in ray.nodes()))
        lanes = max(1, min(jobs or most, int(ray.cluster_resources().get("CPU", 1)), most))
        _wait(RAY_FREES_SECONDS, lambda: _free_processors() >= lanes)
        yield max(1, min(lanes, _free_processors()))
    finally:
        ray.shutdown()


def _free_processors() -> int:
    """How many of the cluster's processors nobody uses."""
    import ray

    return int(ray.available_resources().get("CPU", 0))


def _wait(seconds: float, holds: Callable[[], bool]) -> None:
    """Until something holds, but no longer than that."""
    patience = time.monotonic() + seconds
    while not holds() and time.monotonic() < patience:
        time.sleep(LOOK_SECONDS)


@contextmanager
def _dask(jobs: int | None, most: int) -> Iterator[int]:
    """The cluster at DASK_SCHEDULER_ADDRESS, or one made here; gives its number of workers."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise CoachError("The backend dask needs the package dask: pip install 'replay-coach[dask]'.") from error
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    workers = max(1, min(jobs or processors_here(), most))
    try:
        if address:
            client = Client(address, timeout="30s")
        else:
            # Runs have processes of their own: a limit on the worker's memory would say nothing.
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, memory_limit=0, dashboard_address=None
            )
            client = Client(cluster)
    except (OSError, TimeoutError, ValueError) as error:
        where = f"at DASK_SCHEDULER_ADDRESS={address}" if address else "here"
        raise CoachError(f"There is no Dask cluster to be had {where} ({_first_line(error)}).") from error
    try:
        yield len(client.scheduler_info()["workers"])
    finally:
        cluster_of_ours = None if address else client.cluster
        client.close()
        if cluster_of_ours is not None:
            cluster_of_ours.close()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
