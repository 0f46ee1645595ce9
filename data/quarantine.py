"""Reading strangers' files in a child process with limits: a crash, a flood or an endless loop ends there.

The HDF5 library is a large piece of C; a file made for the purpose can bring it down. A child reads such a file first,
with bounded memory, no right to write, and a limit on silence. What the child has read whole, this process may read.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from data.episode import EpisodeSummary
from data.errors import CoachError
from data.proof import OnFrames, Verification

MEMORY_BYTES = 2 * 2**30
"""Address space of the child, its libraries included."""
SILENCE_SECONDS = 60.0
"""The child reports every block of frames, so a minute without a word is a hang."""


class ReaderUnavailable(CoachError):
    """No child could be started, which is no fault of the file that it was to read."""


class _ReaderKilled(CoachError):
    """The system ended the child."""


class Quarantine:
    """One child process that reads files for us; started on first use, and again whenever a file brought it down."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._memory_bytes = memory_bytes
        self._silence_seconds = silence_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def verify(self, path: Path, on_frames: OnFrames | None = None) -> Verification:
        """``data.proof.verify`` in the child; a file that brings it down is not ok, of kind "structure".

        Raises ReaderUnavailable where no child can be started, as ``summary`` and ``vet`` do.
        """
        try:
            answer = self._ask("verify", path, on_frames)
        except ReaderUnavailable:
            raise
        except CoachError as error:
            return Verification(path, False, "structure", None, str(error), 0, 0.0)
        return Verification(**(answer | {"path": path}))

    def summary(self, path: Path) -> EpisodeSummary:
        """What the file says of itself; raises CoachError for one that is no replay file."""
        return EpisodeSummary(**self._ask("summary", path))

    def vet(self, path: Path, on_frames: OnFrames | None = None) -> EpisodeSummary:
        """Read everything in the file once; raises CoachError where that fails."""
        return EpisodeSummary(**self._ask("vet", path, on_frames))

    def demo(self, path: Path) -> dict[str, list[float]]:
        """``data.demo_pickle.read_plain_demo`` in the child."""
        return self._ask("demo", path)

    def _ask(self, task: str, path: Path, on_frames: OnFrames | None = None) -> dict[str, Any]:
        try:
            return self._ask_once(task, path, on_frames)
        except _ReaderKilled:  # where memory runs short, say, whatever was read: the file gets another
            return self._ask_once(task, path, on_frames)

    def _ask_once(self, task: str, path: Path, on_frames: OnFrames | None) -> dict[str, Any]:
        child = self._running_child()
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps({"task": task, "path": os.path.abspath(path)}).encode() + b"\n")
            child.stdin.flush()
            while True:
                message = self._next_message(child)
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
            raise refusal(f"{path} is refused: reading it {how}, which no replay file of ours does.") from error

    def _next_message(self, child: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Raises TimeoutError after silence, ValueError when the child is gone."""
        assert child.stdout is not None
        while b"\n" not in self._unread:
            ready, _, _ = select.select([child.stdout], [], [], self._silence_seconds)
            if not ready:
                raise TimeoutError
            part = os.read(child.stdout.fileno(), 65536)
            if not part:
                raise ValueError("the child ended")
            self._unread += part
        line, self._unread = self._unread.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = self._started()
        return self._child

    def _started(self) -> subprocess.Popen[bytes]:
        """A child that has said that it is ready."""
        # Ours come first; what else this process finds by its PYTHONPATH, its child finds, too.
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
            raise ReaderUnavailable(f"The reader of replay files cannot be started: {error.strerror}.") from error
        self._child = child
        try:
            self._next_message(child)
        except (OSError, ValueError) as error:
            self.close()
            raise ReaderUnavailable(
                "The reader of replay files cannot be started, so no file is read; what stands in its way is told by: "
                f"{' '.join(command)}"
            ) from error
        return child

    def close(self) -> None:
        """End the child."""
        self._unread = b""
        if self._child is not None:
            child, self._child = self._child, None
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _was_killed(child: subprocess.Popen[bytes]) -> bool:
    """Whether something outside has ended the child, and not by Ctrl-C."""
    try:
        return child.wait(timeout=1.0) == -signal.SIGKILL
    except subprocess.TimeoutExpired:  # it runs, and is silent or talks nonsense
        return False


def vetted(path: Path, trusted: Path | None = None) -> Path:
    """``path``, once a child has read it whole; files that lie in the folder ``trusted`` are not read again.

    Raises CoachError for a file that is no whole replay file.
    """
    if trusted is None or path.resolve().parent != trusted.resolve():
        with Quarantine() as quarantine:
            quarantine.vet(path)
    return path
