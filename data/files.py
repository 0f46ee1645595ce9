"""Atomic and durable writes and file locks, on every operating system."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import filelock

from data.errors import CoachError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK_SECONDS = 1.0
"""How long to wait for a lock: longer than ``is_locked`` holds one."""
BINARY = getattr(os, "O_BINARY", 0)
"""Flag for ``os.open``: without it Windows changes line endings."""
PLATFORM_HAS_LOCKS = fcntl is not None or os.name == "nt"


# ---- writing ---------------------------------------------------------------------------------------------------------


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte. Raises OSError; part of the data may have been written then."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_atomic(path: Path, data: bytes | str, mode: int = 0o644, durable: bool = True) -> None:
    """Write a file that appears under its name complete or not at all.

    data: text is written as UTF-8. mode: permissions, where the operating system has them. durable: the content and
    the name survive a power failure; without it, only other programs are certain to see a complete file. Raises
    OSError, and then removes what was written.
    """
    content = data.encode() if isinstance(data, str) else data
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, 0o600)
    try:
        try:
            write_all(descriptor, content)
            set_mode(descriptor, mode)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(partial, path)
    except OSError:
        remove_quietly(partial)
        raise
    if durable:
        sync_folder(path.parent)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside ``path``, with its suffix; what the caller writes there is renamed to ``path``.

    The content is on the disk before the name appears. If the caller raises, ``path`` is unchanged and the partial
    file is removed. Raises OSError.
    """
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        remove_quietly(partial)
    sync_folder(path.parent)


def publish_new(partial: Path, path: Path) -> bool:
    """Rename ``partial`` to ``path`` atomically. If ``path`` exists, do nothing and return False. Raises OSError."""
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    except OSError:
        # Some file systems (FAT on memory sticks) have no hard links. This is not safe against other programs.
        if path.exists():
            return False
        os.replace(partial, path)
    else:
        remove_quietly(partial)
    sync_folder(path.parent)
    return True


def publish_folder(partial: Path, path: Path) -> None:
    """Rename the folder ``partial`` to ``path``, durably and atomically. Raises OSError."""
    sync_folder(partial)
    os.replace(partial, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in ``folder`` survive a power failure, if the system can (Windows cannot)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        # The file is complete and has its name. Network file systems often guarantee no more than that.
        return
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)


def set_mode(descriptor: int, mode: int) -> None:
    """Set the permissions of an open file.

    Nothing is changed on Windows, which could neither replace nor delete a read-only file. Raises OSError.
    """
    if os.name != "nt":
        os.fchmod(descriptor, mode)


def remove_quietly(path: Path) -> None:
    """Remove a file if it exists, and ignore errors."""
    with suppress(OSError):  # a remaining partial file is harmless, and recovery removes it later
        path.unlink(missing_ok=True)


# ---- locks -----------------------------------------------------------------------------------------------------------


class LocksUnavailable(CoachError):
    """The file system does not support locks, such as an NFS mount without a lock service."""

    def __init__(self, path: Path | str, error: OSError) -> None:
        folder = path if os.path.isdir(path) else Path(path).parent
        super().__init__(
            f"The file system of {folder} does not support file locks ({error.strerror or error}); "
            "use a folder on a local disk, or mount the file system with locks."
        )


def try_lock(descriptor: int, path: Path, shared: bool = False) -> bool:
    """Lock an open file without waiting. Return False if another process holds a conflicting lock.

    The lock is released when the file is closed, also by a kill or a power failure. A child process that inherits the
    descriptor holds it too. It is ``flock`` on POSIX and one byte of ``LockFileEx`` on Windows, where ``shared`` is
    ignored. On a platform with neither, nothing is locked. path: the file, for the error. Raises LocksUnavailable.
    """
    if not PLATFORM_HAS_LOCKS:
        return True
    try:
        if shared and fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
        return filelock.lock_descriptor(descriptor, blocking=False)
    except BlockingIOError:
        return False
    except OSError as error:
        raise LocksUnavailable(path, error) from error


def wait_for_lock(descriptor: int, path: Path) -> bool:
    """Lock an open file as ``try_lock`` does, but wait up to LOCK_SECONDS, because ``is_locked`` locks it briefly."""
    deadline = time.monotonic() + LOCK_SECONDS
    while not try_lock(descriptor, path):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def hold_lock(path: Path) -> Iterator[IO[bytes] | None]:
    """Hold the lock file ``path`` in a ``with`` statement; yield None if another process holds it.

    The file is created if necessary and never removed. A child process that inherits its descriptor holds the lock
    too, until it ends. Raises LocksUnavailable, and OSError if the file cannot be created.
    """
    with path.open("ab") as file:
        yield file if wait_for_lock(file.fileno(), path) else None


def is_locked(path: Path) -> bool:
    """Return whether any process on this machine holds the lock file ``path``."""
    try:
        with path.open("rb") as file:
            return not try_lock(file.fileno(), path, shared=True)
    except (FileNotFoundError, LocksUnavailable):
        return False  # nothing can hold a lock there
    except OSError:
        return True


def require_locks(folder: Path) -> None:
    """Raise LocksUnavailable if ``folder`` is on a file system without locks. A read-only folder is not checked.

    SQLite mistakes a missing lock service for a busy database and waits. It uses ``fcntl`` locks, which are tested on
    a temporary file: closing the database file would release SQLite's own locks.
    """
    if fcntl is None:
        return
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LocksUnavailable(folder, error) from error
    except OSError:
        return
