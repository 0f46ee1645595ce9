"""Verifying files and folders, in parallel, each file in a child process with limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from data.errors import CoachError
from data.proof import Verification, verify
from data.quarantine import Quarantine

__all__ = ["Verification", "replay_paths", "verify", "verify_many"]


def replay_paths(paths: Sequence[Path]) -> list[Path]:
    """Files as they are; of a folder its replay files (of a library, those in ``replays``). Raises CoachError."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted((path / "replays").glob("*.h5")) or sorted(path.rglob("*.h5"))
            if not inside:
                raise CoachError(f"The folder {path} holds no replay file (*.h5).")
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
    """Verify files in ``jobs`` child processes at a time; the answers are in the order of ``paths``.

    ``on_progress`` gets the files done and the files in all; ``on_frames`` a file, its frames checked and its frames
    in all. Both are called one at a time, from threads other than the caller's.
    """
    idle: SimpleQueue[Quarantine] = SimpleQueue()
    children = [Quarantine() for _ in range(max(1, min(jobs, len(paths))))]
    for child in children:
        idle.put(child)
    telling = threading.Lock()
    done_files = 0

    def one(path: Path) -> Verification:
        nonlocal done_files

        def tell(done: int, total: int) -> None:
            if on_frames is not None:
                with telling:
                    on_frames(path, done, total)

        child = idle.get()
        try:
            answer = child.verify(path, tell)
        finally:
            idle.put(child)
        with telling:
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
