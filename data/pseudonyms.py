"""Names that stand for people where their play leaves the library: always the same, and not to be guessed back."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from data.errors import CoachError
from data.files import BINARY, publish_new, remove_quietly, write_all
from data.library import Library

KEY_BYTES = 32
_PSEUDONYM = re.compile(r"person-[0-9a-f]{10}")


class Pseudonyms:
    """Pseudonyms made with a secret of the library: without it nobody can try names until one fits."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of_library(cls, library: Library) -> Pseudonyms:
        """With the library's secret, which is made at the first use; raises CoachError where it cannot be kept."""
        library.prepare()
        existing = cls.existing(library)
        if existing is not None:
            return existing
        path = _key_path(library)
        try:
            partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
            try:
                write_all(descriptor, secrets.token_hex(KEY_BYTES).encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            publish_new(partial, path)  # of two processes one makes the key, and both use it
            remove_quietly(partial)
        except OSError as error:
            raise CoachError(f"The pseudonyms' key {path} cannot be kept ({error.strerror or error}).") from error
        made = cls.existing(library)
        assert made is not None
        return made

    @classmethod
    def existing(cls, library: Library) -> Pseudonyms | None:
        """With the library's secret, or None where it has none yet. Raises CoachError for one that is damaged."""
        path = _key_path(library)
        try:
            text = path.read_text("ascii")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CoachError(f"The pseudonyms' key {path} cannot be read ({error}).") from error
        if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
            raise CoachError(f"The pseudonyms' key {path} is damaged; remove it, and people get new pseudonyms.")
        return cls(bytes.fromhex(text))

    def of(self, name: str) -> str:
        """Such as "person-3f9a1c2b7d"; a name that is empty, or a pseudonym already, stays as it is."""
        if not name or _PSEUDONYM.fullmatch(name):
            return name
        return f"person-{hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:10]}"


def _key_path(library: Library) -> Path:
    return library.folder / "pseudonyms.key"
