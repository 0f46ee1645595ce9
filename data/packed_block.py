"""How large a compressed block becomes, known before the memory for it is taken: a block may be a bomb."""

from __future__ import annotations

import zlib

ZSTD_MAGIC = 0xFD2FB528


def zstd_content_size(packed: bytes) -> int:
    """Bytes that a Zstandard frame declares to hold (RFC 8878, section 3.1.1); nothing is unpacked.

    Raises ValueError where it declares none or is no Zstandard frame.
    """
    if len(packed) < 6 or int.from_bytes(packed[:4], "little") != ZSTD_MAGIC:
        raise ValueError("a block is not Zstandard-compressed")
    descriptor = packed[4]
    size_flag, single_segment, dictionary_flag = descriptor >> 6, descriptor >> 5 & 1, descriptor & 3
    at = 5 + (1 - single_segment) + (0, 1, 2, 4)[dictionary_flag]
    width = (single_segment, 2, 4, 8)[size_flag]
    if width == 0 or len(packed) < at + width:
        raise ValueError("a block does not say how large it is")
    size = int.from_bytes(packed[at : at + width], "little")
    return size + 256 if width == 2 else size


def inflate(packed: bytes, size: int) -> bytes:
    """Unpack a gzip block of exactly ``size`` bytes; raises ValueError, half-way, for one that becomes larger."""
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"a block is not gzip-compressed: {error}") from error
    if len(data) != size or not reader.eof:
        raise ValueError(f"a block does not unpack to {size} bytes")
    return data
