"""The engines that distribute the runs of a comparison: joblib with loky here, or with Ray or Dask on a cluster.

An engine only provides worker processes. Each takes one run after another and trains it in a process of its own
(``agent.comparison_run``), so that a run that crashes or exhausts the memory affects no other, and its threads and
memory end with it. The state of the runs is in files of the comparison's folder. Therefore all engines give the same
results, and after a kill of any process the comparison continues from those files.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.comparison_run import STOPPED
from data import jobs
from data.comparisons import ComparisonFolder, write_json
from data.errors import CoachError
from data.library import Library

POLL_SECONDS = 0.25
CHECKPOINT_SECONDS = 120.0
"""Time that a run has for writing its checkpoint when it is stopped."""
RAY_NOTICES_SECONDS = 40.0
"""Ray may need this long to detect that a machine has failed: five missed health checks, by default."""
RAY_FREES_SECONDS = 20.0
"""Ray takes up to this time to release the processors of workers that are gone."""
ATTEMPTS = 2
"""How often a run is started if its process is killed by a signal from elsewhere."""
MOST_ROUNDS = 3
"""How often all workers may be lost or end, with no run finished in between, before the comparison is given up."""


@dataclass(frozen=True)
class Worker:
    """What one process of an engine is passed."""

    library: Path
    comparison: str
    runs: tuple[str, ...]
    """All runs that are left. Each worker takes the next one that no other has claimed."""
    threads: int


def run_tasks(worker: Worker) -> int:
    """Take runs until none is left, and return how many. Called in a process of the engine."""
    folder = ComparisonFolder(Library(worker.library), worker.comparison)
    parent = os.getppid()
    taken = 0
    for run in worker.runs:
        if folder.stop_file.exists() or os.getppid() != parent:
            break
        if is_settled(folder, run) or not _claimed(folder, run):
            continue
        taken += 1
        for attempt in range(1, ATTEMPTS + 1):
            if _train(folder, run, worker.threads, parent, last=attempt == ATTEMPTS):
                break
    return taken


def is_settled(folder: ComparisonFolder, run: str) -> bool:
    """Return whether a run is finished, or has failed since the comparison was last started."""
    return folder.result(run).exists() or folder.failure(run).exists()


def _claimed(folder: ComparisonFolder, run: str) -> bool:
    try:
        folder.claim(run).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def unclaim(folder: ComparisonFolder) -> None:
    """Remove all claims: no worker is left."""
    for claim in folder.runs.glob("*.claim"):
        claim.unlink(missing_ok=True)


def _train(folder: ComparisonFolder, run: str, threads: int, parent: int, last: bool) -> bool:
    """Train a run in a process of its own. Return False if it was killed and is worth another attempt."""
    command = jobs.python_command("agent.comparison_run", str(folder.library.folder), folder.name, run)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(max(1, threads)))
    process = jobs.start(command, folder.run_log(run), environment=limits)
    try:
        while process.poll() is None:
            if os.getppid() != parent:  # the engine is gone
                return True
            time.sleep(POLL_SECONDS)
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
    """Let a run end with a checkpoint."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(CHECKPOINT_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()


def _sentence(folder: ComparisonFolder, run: str, code: int) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code} and without a result"
    hint = (
        ", perhaps because the memory was exhausted: use fewer --jobs or a smaller --memory-size" if code == -9 else ""
    )
    return f"The run's process {how}{hint}; its output is in {folder.run_log(run)}."


def run_all(
    folder: ComparisonFolder,
    runs: tuple[str, ...],
    backend: str,
    at_once: int | None,
    threads: int,
    warn: Callable[[str], None],
) -> None:
    """Train all runs until each has a result or a failure, or until the stop file appears.

    at_once: processes at a time; None: as many as the engine has processors. ``warn`` receives a sentence when workers
    were lost. Raises CoachError if the engine is not available, and if several rounds pass without a finished run.
    """
    import joblib

    idle_rounds, left = 0, [run for run in runs if not is_settled(folder, run)]
    lost = False
    while left and not folder.stop_file.exists():
        unclaim(folder)  # claims of workers that are gone
        problem, cause = "", None
        try:
            with _engine(backend, at_once, len(left), lost) as workers:
                worker = Worker(folder.library.folder.absolute(), folder.name, tuple(left), threads)
                joblib.Parallel(n_jobs=workers, batch_size=1)(joblib.delayed(run_tasks)(worker) for _ in range(workers))
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
            warn(f"{problem[0].upper()}{problem[1:]}; their runs continue from their checkpoints.")


def _described(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}"


@contextmanager
def _engine(backend: str, at_once: int | None, most: int, lost: bool) -> Iterator[int]:
    """Set joblib up for an engine. Yield the number of workers to use, at most ``most``.

    lost: the engine has just lost workers.
    """
    import joblib

    if backend == "loky":
        with joblib.parallel_config(backend="loky"):
            yield max(1, min(at_once or processors_here(), most))
    elif backend == "ray":
        # One processor for each worker; otherwise Ray would put all of them on one machine.
        with (
            _ray(at_once, most, lost) as workers,
            joblib.parallel_config(backend="ray", ray_remote_args={"num_cpus": 1}),
        ):
            yield workers
    elif backend == "dask":
        with _dask(at_once, most) as workers, joblib.parallel_config(backend="dask"):
            yield max(1, min(at_once or workers, workers, most))
    else:
        raise CoachError(f"There is no backend {backend!r}; there are loky, ray and dask.")


def processors_here() -> int:
    """Return how many processors this process may use."""
    import joblib

    return int(joblib.cpu_count())


@contextmanager
def _ray(at_once: int | None, most: int, lost: bool) -> Iterator[int]:
    """Connect to the cluster at RAY_ADDRESS or start one here. Yield the number of workers to use, at most ``most``.

    After a loss, wait until Ray has noticed that the machine is gone; otherwise it would be given workers. Processors
    that others use are not waited for.
    """
    try:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise CoachError("The backend ray needs the package ray: pip install 'replay-coach[ray]'.") from error
    register_ray()
    address = os.environ.get("RAY_ADDRESS")
    own: dict[str, Any] = {} if address else {"num_cpus": at_once or processors_here(), "include_dashboard": False}
    try:
        # Ray puts the working folder of this moment first on its workers' import path: it must not be one with modules
        # named like ours.
        with chdir(jobs.SOURCES):
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True, **own)
    except (ConnectionError, RuntimeError, OSError, ValueError) as error:
        where = f"at RAY_ADDRESS={address}" if address else "here"
        raise CoachError(f"No Ray cluster is available {where} ({_first_line(error)}).") from error
    try:
        if lost:
            _wait(RAY_NOTICES_SECONDS, lambda: not all(node["Alive"] for node in ray.nodes()))
        workers = max(1, min(at_once or most, int(ray.cluster_resources().get("CPU", 1)), most))
        _wait(RAY_FREES_SECONDS, lambda: _free_processors() >= workers)
        yield max(1, min(workers, _free_processors()))
    finally:
        ray.shutdown()


def _free_processors() -> int:
    """Return how many processors of the Ray cluster are free."""
    import ray

    return int(ray.available_resources().get("CPU", 0))


def _wait(seconds: float, condition: Callable[[], bool]) -> None:
    """Wait until the condition is true, but no longer than that."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


@contextmanager
def _dask(at_once: int | None, most: int) -> Iterator[int]:
    """Connect to the cluster at DASK_SCHEDULER_ADDRESS or start one here. Yield its number of workers."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise CoachError("The backend dask needs the package dask: pip install 'replay-coach[dask]'.") from error
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    workers = max(1, min(at_once or processors_here(), most))
    try:
        if address:
            client = Client(address, timeout="30s")
        else:
            # A limit on the worker's memory would not include the runs, which have processes of their own.
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, memory_limit=0, dashboard_address=None
            )
            client = Client(cluster)
    except (OSError, TimeoutError, ValueError) as error:
        where = f"at DASK_SCHEDULER_ADDRESS={address}" if address else "here"
        raise CoachError(f"No Dask cluster is available {where} ({_first_line(error)}).") from error
    try:
        yield len(client.scheduler_info()["workers"])
    finally:
        own_cluster = None if address else client.cluster
        client.close()
        if own_cluster is not None:
            own_cluster.close()


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
