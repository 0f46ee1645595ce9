"""Check the structure of an HDF5 file before its content is read: a replay file is not trusted.

The checks examine metadata only (links, types, sizes, storage, filters), of the h5py objects that ``data.replay_file``
opened. Anything except plain numbers stored in the file itself is refused.
"""

from __future__ import annotations

import math
import mmap
import zlib
from pathlib import Path
from typing import Any

from data.errors import CoachError
from data.replay_format import (
    COLUMNS,
    MAX_ATTRIBUTE_BYTES,
    MAX_CHUNK_BYTES,
    MAX_FILE_FRAMES,
    MAX_OBJECTS,
    MAX_SCREEN_HEIGHT,
    OPTIONAL_COLUMNS,
    SCREEN_WIDTH,
    Column,
)

GZIP_FILTER = 1
ZSTD_FILTER = 32015
MAX_DEPTH = 4
MAX_BYTES = (MAX_FILE_FRAMES + 1) * MAX_SCREEN_HEIGHT * SCREEN_WIDTH
"""Size of the largest dataset of the format, uncompressed."""

_INTEGER, _FLOAT, _STRING, _VARIABLE_LENGTH = 0, 1, 3, 9
"""HDF5 type classes (H5T_class_t)."""


def check_structure(file: Any, where: str) -> dict[str, Any]:
    """Raise CoachError unless everything in the open h5py ``file`` is plain data within the format's limits.

    Returns the opened top-level objects, because opening them takes most of the time.
    """
    top = _check_group(file, where, 0, [0])
    for name, column in COLUMNS.items():
        if name not in top:
            raise CoachError(f"{where} is not a complete replay file: it has no {name}.")
        _check_column(top[name], name, column, where)
    for name, column in OPTIONAL_COLUMNS.items():
        if name in top:
            _check_column(top[name], name, column, where)
    frame_count = top["actions"].shape[0]
    for name, column in (COLUMNS | OPTIONAL_COLUMNS).items():
        if column.extra_rows is not None and name in top and len(top[name]) != frame_count + column.extra_rows:
            raise CoachError(f"{where} is inconsistent: {frame_count} actions but {len(top[name])} rows of {name}.")
    return top


def check_attributes(thing: Any, where: str) -> None:
    """Refuse attributes that are too many, too large, or not plain numbers or strings. Call before reading any."""
    attributes = thing.attrs
    if len(attributes) > MAX_OBJECTS:
        raise CoachError(f"{where} has more attributes than a replay file may have.")
    for name in list(attributes.keys()) if len(attributes) else []:
        identifier = attributes.get_id(name)
        if identifier.get_storage_size() > MAX_ATTRIBUTE_BYTES or math.prod(identifier.shape) > MAX_ATTRIBUTE_BYTES:
            raise CoachError(f"{where} has an attribute {name!r} that is larger than a replay file's may be.")
        kind = identifier.get_type()
        is_text = kind.get_class() == _STRING
        if not is_text and kind.get_class() not in (_INTEGER, _FLOAT):
            raise CoachError(f"{where} has an attribute {name!r} that is neither a number nor a string.")


def _check_group(group: Any, where: str, depth: int, count: list[int]) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise CoachError(f"{where} nests groups deeper than a replay file may.")
    check_attributes(group, where)
    found = {}
    for name in group:
        count[0] += 1
        if count[0] > MAX_OBJECTS:
            raise CoachError(f"{where} has more objects than a replay file may have.")
        link = type(group.get(name, getlink=True)).__name__
        if link != "HardLink":
            raise CoachError(f"{where} refers to other data through the {link} {name!r}, which replay files may not.")
        thing = found[name] = group[name]
        kind = type(thing).__name__
        if kind == "Group":
            _check_group(thing, where, depth + 1, count)
        elif kind == "Dataset":
            _check_dataset(thing, name, where)
        else:
            raise CoachError(f"{where} contains {name!r}, a {kind}; a replay file contains only plain arrays.")
    return found


def _check_dataset(dataset: Any, name: str, where: str) -> None:
    check_attributes(dataset, where)
    kind = dataset.id.get_type()
    if kind.get_class() not in (_INTEGER, _FLOAT):
        raise CoachError(f"{where} contains {name!r}, which is not an array of numbers.")
    if dataset.shape is None or math.prod(dataset.shape) * kind.get_size() > MAX_BYTES:
        raise CoachError(f"{where} declares {name!r} larger than a replay file may be.")
    plan = dataset.id.get_create_plist()
    if dataset.is_virtual or plan.get_external_count():
        raise CoachError(f"{where} stores {name!r} in another file, which replay files may not.")
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if filters not in ([], [GZIP_FILTER], [ZSTD_FILTER]):
        raise CoachError(
            f"{where} stores {name!r} with the HDF5 filters {filters}; only gzip and Zstandard are supported."
        )
    if dataset.chunks is not None:
        if dataset.chunks[1:] != dataset.shape[1:] or math.prod(dataset.chunks) * kind.get_size() > MAX_CHUNK_BYTES:
            raise CoachError(f"{where} stores {name!r} in blocks of a size that replay files do not use.")
    elif filters:
        raise CoachError(f"{where} declares a filter on {name!r}, which is not stored in blocks.")


def _check_column(dataset: Any, name: str, column: Column, where: str) -> None:
    if not hasattr(dataset, "shape") or dataset.dtype.str != column.dtype:
        raise CoachError(f"{where} stores {name!r} in a type other than {column.dtype}.")
    row_shape = dataset.shape[1:]
    if column.row_shape is None:
        right = len(row_shape) == 2 and 1 <= row_shape[0] <= MAX_SCREEN_HEIGHT and row_shape[1] == SCREEN_WIDTH
    else:
        right = row_shape == column.row_shape and dataset.ndim == 1 + len(column.row_shape)
    if name == "palette":
        right = dataset.shape == (256, 3)
    if not right or dataset.shape[0] > MAX_FILE_FRAMES + 1:
        raise CoachError(f"{where} stores {name!r} in the shape {dataset.shape}, which replay files do not use.")


SIGNATURE = b"GCOL\x01"
HEADER_BYTES = 16
SMALLEST_HEAP_BYTES = 4096


def has_endless_heap(path: Path) -> bool:
    """Return whether a global heap of the file would make HDF5 loop forever. Raises OSError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(SIGNATURE)
        while at >= 0:
            stop = at + int.from_bytes(data[at + 8 : at + 16], "little")
            # The five bytes may occur by chance. HDF5 itself refuses a heap of any other size.
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


ZSTD_MAGIC = 0xFD2FB528


def zstd_content_size(packed: bytes) -> int:
    """Return the content size that a Zstandard frame declares (RFC 8878, section 3.1.1), without decompressing it.

    Raises ValueError if it declares none or is not a Zstandard frame.
    """
    if len(packed) < 6 or int.from_bytes(packed[:4], "little") != ZSTD_MAGIC:
        raise ValueError("a block is not Zstandard-compressed")
    descriptor = packed[4]
    size_flag, single_segment, dictionary_flag = descriptor >> 6, descriptor >> 5 & 1, descriptor & 3
    at = 5 + (1 - single_segment) + (0, 1, 2, 4)[dictionary_flag]
    width = (single_segment, 2, 4, 8)[size_flag]
    if width == 0 or len(packed) < at + width:
        raise ValueError("a block does not declare its size")
    size = int.from_bytes(packed[at : at + width], "little")
    return size + 256 if width == 2 else size


def inflate(packed: bytes, size: int) -> bytes:
    """Decompress a gzip block of exactly ``size`` bytes. Raises ValueError as soon as it becomes larger."""
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"a block is not gzip-compressed: {error}") from error
    if len(data) != size or not reader.eof:
        raise ValueError(f"a block does not decompress to {size} bytes")
    return data
