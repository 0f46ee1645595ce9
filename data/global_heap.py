"""A look at HDF5's global heaps before HDF5 reads them: a damaged one sends HDF5 1.14 round in circles for ever.

Texts in attributes lie in such heaps (HDF5 File Format Specification 3.0, section III.E). Each is a row of objects with
their sizes; a free object of size 0 is where the library would never get on.
"""

from __future__ import annotations

import mmap
from pathlib import Path

SIGNATURE = b"GCOL\x01"
HEADER_BYTES = 16
SMALLEST_HEAP_BYTES = 4096


def has_endless_heap(path: Path) -> bool:
    """Whether any global heap of the file cannot be walked to its end; raises OSError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(SIGNATURE)
        while at >= 0:
            stop = at + int.from_bytes(data[at + 8 : at + 16], "little")
            # Five bytes alike may be chance; HDF5 itself refuses a heap of any other size.
            if at + SMALLEST_HEAP_BYTES <= stop <= len(data) and not _can_be_walked(data, at + HEADER_BYTES, stop):
                return True
            at = data.find(SIGNATURE, at + 1)
    return False


def _can_be_walked(data: mmap.mmap, at: int, stop: int) -> bool:
    while at + HEADER_BYTES <= stop:
        index = int.from_bytes(data[at : at + 2], "little")
        size = int.from_bytes(data[at + 8 : at + 16], "little")
        step = HEADER_BYTES + (size + 7) // 8 * 8 if index else size
        if step < 1:
            return False
        at += step
    return True
