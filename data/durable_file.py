"""Files that are either whole or not there: write, sync, rename, sync the folder."""

from __future__ import annotations

import os
from pathlib import Path


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; raises OSError (a full disk may take a part first)."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in ``folder`` outlive a power cut, where the file system can do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        # The name is there and the file is whole; network file systems often know no more than that.
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)


def publish_file(path: Path, data: bytes, mode: int = 0o444) -> None:
    """Give ``data`` the name ``path`` in one atomic step, read-only unless ``mode`` says otherwise.

    The bytes are on the disk before the name appears. Raises OSError, and then leaves nothing behind.
    """
    partial = path.with_name(path.name + ".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            write_all(descriptor, data)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(partial, path)
    except OSError:
        remove_quietly(partial)
        raise
    sync_folder(path.parent)


def publish_new(partial: Path, path: Path) -> bool:
    """Give the written file ``partial`` the name ``path`` in one step; False, and nothing changed, if that is taken.

    Raises OSError. ``partial`` is gone afterwards where this returns True.
    """
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    except OSError:
        # Some file systems (FAT, on a memory stick) have no second names; between both calls nobody else may come.
        if path.exists():
            return False
        os.replace(partial, path)
    else:
        os.unlink(partial)
    sync_folder(path.parent)
    return True


def remove_quietly(path: Path) -> None:
    """Remove a file that may be gone already, from a folder that may be gone too."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # What cannot be removed is a leftover, and a leftover harms nobody: recovery clears it later.
        return
