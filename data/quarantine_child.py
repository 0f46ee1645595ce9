"""The child process of ``data.quarantine``: reads files under limits and writes the results as JSON lines.

It is a separate module so that the parent does not import what reads the files.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.errors import CoachError
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES
from data.verification import verify

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

REPORT_SECONDS = 0.1


def limit(memory_bytes: int) -> None:
    """Limit this process's memory, and forbid core dumps and writing to files."""
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def end_at_once_when_interrupted() -> None:
    """Let Ctrl-C end this process at once. It has nothing to clean up."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class Reporter:
    """Sends messages to the parent, including the progress of a long task."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._next = 0.0

    def send(self, message: dict[str, Any]) -> None:
        self._channel.write(json.dumps(message).encode() + b"\n")
        self._channel.flush()

    def frames(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + REPORT_SECONDS
            self.send({"frames": [done, total]})


def answer(task: str, path: Path, reporter: Reporter) -> dict[str, Any]:
    if task == "verify":
        return asdict(verify(path, reporter.frames)) | {"path": str(path)}
    if task == "demo":
        from data.demo_pickle import read_plain_demo  # rarely needed, and slow to import

        return read_plain_demo(path)
    with ReplayFile(path) as replay:
        if task == "vet":
            total = replay.frame_count + 1
            for first in range(0, total, CHUNK_FRAMES):
                replay.frames(first, first + CHUNK_FRAMES)
                replay.ram(first, first + CHUNK_FRAMES)
                reporter.frames(first, total)
        return asdict(replay.summary())


def main() -> None:
    limit(int(sys.argv[1]))
    end_at_once_when_interrupted()
    # What libraries print must not mix with the messages.
    reporter = Reporter(os.fdopen(os.dup(1), "wb"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    reporter.send({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reporter.send({"answer": answer(request["task"], Path(request["path"]), reporter)})
        except CoachError as error:
            reporter.send({"error": str(error)})


if __name__ == "__main__":
    main()
