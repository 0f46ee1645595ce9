"""Which texts may be kept and shown: names come from people, from shells and from strangers' files."""

from __future__ import annotations

import unicodedata

UNSTORABLE = ("Cc", "Cs")
"""Control characters, and halves of characters (what a shell makes of bytes that are no UTF-8)."""


def is_plain_text(text: str) -> bool:
    """Whether a text holds neither control characters, which a terminal would obey, nor halves of characters."""
    return not any(unicodedata.category(character) in UNSTORABLE for character in text)
