"""Read and verify untrusted replay files in sandboxed child processes.

A malicious file can crash the HDF5 library or make it loop forever. A child process (``data.quarantine_child``) reads
such a file first, with limited memory, no permission to write, and a timeout. This process may then read a file that
the child has read completely. Without ``resource`` limits (Windows) the child's memory and writes are not limited, but
crashes and endless loops are still confined to it.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from data.episode import EpisodeSummary
from data.errors import CoachError
from data.verification import OnFrames, Verification

MEMORY_BYTES = 2 * 2**30
"""Address space of the child, including its libraries."""
MAX_MESSAGE_BYTES = 2**20
KILLED = -9
"""Exit code of a process that the system ended by SIGKILL, such as when memory is exhausted."""
SILENCE_SECONDS = 60.0
"""Timeout. The child reports every block of frames, so it hangs if it is silent for a minute."""
START_SECONDS = 60.0
"""Timeout of its start, which depends on the machine and not on a file."""


class ReaderUnavailable(CoachError):
    """No child process could be started. The file was not read."""


class _ReaderKilled(CoachError):
    """The system killed the child."""


class Quarantine:
    """A child process that reads files, started on first use and restarted after a file has crashed it.

    The methods that read raise ReaderUnavailable if no child can be started.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._memory_bytes = memory_bytes
        self._silence_seconds = silence_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._listener: threading.Thread | None = None

    def verify(self, path: Path, on_frames: OnFrames | None = None) -> Verification:
        """Call ``data.verification.verify`` in the child. A file that crashes it has a difference in "structure"."""
        try:
            answer = self._ask("verify", path, on_frames)
        except ReaderUnavailable:
            raise
        except CoachError as error:
            return Verification(path, False, "structure", None, str(error), 0, 0.0)
        return Verification(**(answer | {"path": path}))

    def summary(self, path: Path) -> EpisodeSummary:
        """Return what lists show of a file. Raises CoachError if it is not a replay file."""
        return EpisodeSummary(**self._ask("summary", path))

    def vet(self, path: Path, on_frames: OnFrames | None = None) -> EpisodeSummary:
        """Read everything in the file once. Raises CoachError if that fails."""
        return EpisodeSummary(**self._ask("vet", path, on_frames))

    def demo(self, path: Path) -> dict[str, list[float]]:
        """Call ``data.demo_pickle.read_plain_demo`` in the child."""
        return self._ask("demo", path)

    def _ask(self, task: str, path: Path, on_frames: OnFrames | None = None) -> dict[str, Any]:
        try:
            return self._ask_once(task, path, on_frames)
        except _ReaderKilled:  # perhaps because memory is short, not because of the file: try again
            return self._ask_once(task, path, on_frames)

    def _ask_once(self, task: str, path: Path, on_frames: OnFrames | None) -> dict[str, Any]:
        child = self._running_child()
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps({"task": task, "path": os.path.abspath(path)}).encode() + b"\n")
            child.stdin.flush()
            while True:
                message = self._next_message(self._silence_seconds)
                if "frames" in message:
                    if on_frames is not None:
                        on_frames(*message["frames"])
                elif "error" in message:
                    raise CoachError(message["error"])
                else:
                    answer: dict[str, Any] = message["answer"]
                    return answer
        except (OSError, ValueError) as error:
            refusal = _ReaderKilled if _was_killed(child) else CoachError
            self.close()
            how = "did not end" if isinstance(error, TimeoutError) else "crashed the reader"
            raise refusal(f"{path} is refused: reading it {how}, so it is damaged or malicious.") from error

    def _next_message(self, timeout: float) -> dict[str, Any]:
        """Return the child's next message. Raises TimeoutError, or ValueError if the child has ended."""
        try:
            line = self._messages.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None
        if not line:
            raise ValueError("the child ended")
        message: dict[str, Any] = json.loads(line)
        return message

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = self._started()
        return self._child

    def _started(self) -> subprocess.Popen[bytes]:
        """Start a child and wait until it is ready."""
        # The child imports this project's packages, and what this process finds through PYTHONPATH.
        sources = [str(Path(__file__).resolve().parent.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        environment = {name: value for name, value in os.environ.items() if name != "HDF5_PLUGIN_PATH"}
        environment |= {
            "PYTHONPATH": os.pathsep.join(filter(None, sources)),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-P", "-m", "data.quarantine_child", str(self._memory_bytes)]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        try:
            child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment)
        except OSError as error:
            raise ReaderUnavailable(f"Cannot start the reader of replay files ({error.strerror}).") from error
        assert child.stdout is not None
        self._child, self._messages = child, queue.SimpleQueue()
        self._listener = threading.Thread(target=_listen, args=(child.stdout, self._messages), daemon=True)
        self._listener.start()
        try:
            self._next_message(START_SECONDS)
        except (OSError, ValueError) as error:
            self.close()
            raise ReaderUnavailable(
                f"Cannot start the reader of replay files. To see why, run: {' '.join(command)}"
            ) from error
        return child

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            child, self._child = self._child, None
            child.kill()
            child.wait()
            if self._listener is not None:
                self._listener.join()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _listen(output: IO[bytes], messages: queue.SimpleQueue[bytes]) -> None:
    """Put each line of a child's output into a queue, and an empty one at its end."""
    line = b" "
    while line:
        line = output.readline(MAX_MESSAGE_BYTES)
        messages.put(line)


def _was_killed(child: subprocess.Popen[bytes]) -> bool:
    """Return whether the child was ended by SIGKILL."""
    try:
        return child.wait(timeout=1.0) == KILLED
    except subprocess.TimeoutExpired:  # it runs, but is silent or sends invalid messages
        return False


def vetted(path: Path, trusted: Path | None = None) -> Path:
    """Return ``path`` after a child has read it completely. Files in the folder ``trusted`` are not read again.

    Raises CoachError if it is not a complete replay file.
    """
    if trusted is None or path.resolve().parent != trusted.resolve():
        with Quarantine() as quarantine:
            quarantine.vet(path)
    return path


def replay_paths(paths: Sequence[Path]) -> list[Path]:
    """Return the given files, and the replay files in the given folders (in ``replays`` of a library).

    Raises CoachError for a path that does not exist or a folder without replay files.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted((path / "replays").glob("*.h5")) or sorted(path.rglob("*.h5"))
            if not inside:
                raise CoachError(f"The folder {path} has no replay files (*.h5).")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise CoachError(f"There is no file or folder {path}.")
    return list(dict.fromkeys(found))


def verify_many(
    paths: Sequence[Path],
    jobs: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    on_frames: Callable[[Path, int, int], None] | None = None,
) -> list[Verification]:
    """Verify files in ``jobs`` child processes and return the results in the order of ``paths``.

    on_progress: called with the number of files done and their total. on_frames: called with a file, its frames
    checked and their total. Both are called from other threads, but never at the same time.
    """
    idle: queue.SimpleQueue[Quarantine] = queue.SimpleQueue()
    children = [Quarantine() for _ in range(max(1, min(jobs, len(paths))))]
    for child in children:
        idle.put(child)
    callback_lock = threading.Lock()
    done_files = 0

    def one(path: Path) -> Verification:
        nonlocal done_files

        def report(done: int, total: int) -> None:
            if on_frames is not None:
                with callback_lock:
                    on_frames(path, done, total)

        child = idle.get()
        try:
            answer = child.verify(path, report)
        finally:
            idle.put(child)
        with callback_lock:
            done_files += 1
            if on_progress is not None:
                on_progress(done_files, len(paths))
        return answer

    try:
        with ThreadPoolExecutor(len(children)) as pool:
            return list(pool.map(one, paths))
    finally:
        for child in children:
            child.close()
