"""Named arrays in one file, written atomically and read without pickled objects."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from data.errors import CoachError
from data.files import atomic_path


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as an .npz file, atomically. Names may hold slashes."""
    with atomic_path(path) as partial, open(partial, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return all arrays of an .npz file; raises CoachError for anything else, pickled objects included."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise CoachError(f"Cannot read the arrays of {path} ({error}).") from error


def part_of(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays under ``prefix/``, by their names without it."""
    return {name[len(prefix) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{prefix}/")}
