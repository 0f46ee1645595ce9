"""How large a Zstandard block says it will become, read without unpacking it (RFC 8878, section 3.1.1)."""

from __future__ import annotations

MAGIC = 0xFD2FB528


def content_size(packed: bytes) -> int:
    """Bytes that the frame declares to hold; raises ValueError where it declares none or is no Zstandard frame."""
    if len(packed) < 6 or int.from_bytes(packed[:4], "little") != MAGIC:
        raise ValueError("a block is not Zstandard-compressed")
    descriptor = packed[4]
    size_flag, single_segment, dictionary_flag = descriptor >> 6, descriptor >> 5 & 1, descriptor & 3
    at = 5 + (1 - single_segment) + (0, 1, 2, 4)[dictionary_flag]
    width = (single_segment, 2, 4, 8)[size_flag]
    if width == 0 or len(packed) < at + width:
        raise ValueError("a block does not say how large it is")
    size = int.from_bytes(packed[at : at + width], "little")
    return size + 256 if width == 2 else size
