"""Make a share: selected episodes and the verdicts on them in one zip."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.clip import Verdict
from data.episode import EpisodeSummary
from data.errors import CoachError
from data.files import BINARY, atomic_path, publish_new, remove_quietly, write_all
from data.fitting_verdicts import fit_verdicts, frame_counts_of
from data.label_exchange import labels_text
from data.library import Library
from data.replay_file import ReplayFile, renamed_image
from data.replay_format import is_episode_id
from data.share_archive import (
    LABELS,
    MANIFEST,
    MAX_EPISODES,
    MAX_LABELS_BYTES,
    MAX_SHARE_BYTES,
    PART_BYTES,
    Listed,
    Manifest,
    ShareArchive,
    member_of,
)

KEY_BYTES = 32
_PSEUDONYM = re.compile(r"person-[0-9a-f]{10}")


class Pseudonyms:
    """Pseudonyms made with a secret key of the library. Without the key, they cannot be found by trying names."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of_library(cls, library: Library) -> Pseudonyms:
        """Use the library's key, which is created at the first use. Raises CoachError if it cannot be saved."""
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
            publish_new(partial, path)  # if two processes do this, both use the key of the first
            remove_quietly(partial)
        except OSError as error:
            raise CoachError(f"Cannot write the pseudonyms' key {path} ({error.strerror or error}).") from error
        made = cls.existing(library)
        assert made is not None
        return made

    @classmethod
    def existing(cls, library: Library) -> Pseudonyms | None:
        """Use the library's key; return None if it has none yet. Raises CoachError if the key is damaged."""
        path = _key_path(library)
        try:
            text = path.read_text("ascii")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CoachError(f"Cannot read the pseudonyms' key {path} ({error}).") from error
        if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
            raise CoachError(f"The pseudonyms' key {path} is damaged; remove it, so that people get new pseudonyms.")
        return cls(bytes.fromhex(text))

    def of(self, name: str) -> str:
        """Return a name's pseudonym, such as "person-3f9a1c2b7d". Empty names and pseudonyms are unchanged."""
        if not name or _PSEUDONYM.fullmatch(name):
            return name
        return f"person-{hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:10]}"


def _key_path(library: Library) -> Path:
    return library.folder / "pseudonyms.key"


OnProgress = Callable[[int, int], None]
"""Called with the number of episodes done and their total."""


@dataclass(frozen=True)
class ShareSummary:
    """The content of a share that was written."""

    path: Path
    episodes: tuple[str, ...]
    """Their ids."""
    verdicts: int
    bytes: int
    pseudonyms: dict[str, str]
    """Name to pseudonym, if people's names were replaced."""


def write_share(
    path: Path,
    episodes: Sequence[EpisodeSummary],
    verdicts: Sequence[Verdict],
    pseudonyms: Pseudonyms | None = None,
    on_progress: OnProgress | None = None,
) -> ShareSummary:
    """Write ``episodes`` and those of ``verdicts`` that are on them into the zip ``path``, atomically.

    pseudonyms: replace the names of players and curators, and leave out people's notes; runs and rules keep their
    names. The same episodes and verdicts make the same bytes. Raises CoachError if there is nothing to share or too
    much, if a file cannot be read or written, and if ``path`` is a file that is not a share.
    """
    _require_shareable(path, episodes)
    chosen = frame_counts_of(episodes)
    shared = fit_verdicts(verdicts, chosen).fitting
    names: dict[str, str] = {}
    if pseudonyms is not None:
        names = _names(pseudonyms, episodes, shared)
        shared = [_anonymous(verdict, names) for verdict in shared]
    labels = labels_text(sorted(shared, key=lambda v: (v.given, v.clip, v.curator, v.verdict))) if shared else b""
    if len(labels) > MAX_LABELS_BYTES:
        raise CoachError(
            f"The verdicts have {len(labels):,} bytes; a share may have {MAX_LABELS_BYTES:,}. Share fewer episodes."
        )
    try:
        with atomic_path(path) as partial, zipfile.ZipFile(partial, "w", allowZip64=False) as archive:
            listed = {}
            for number, episode in enumerate(episodes):
                if on_progress is not None:
                    on_progress(number, len(episodes))
                parts = _parts(episode, names)
                listed[episode.episode_id] = _add(archive, member_of(episode.episode_id), parts, zipfile.ZIP_STORED)
            about_labels = _add(archive, LABELS, iter([labels]), zipfile.ZIP_DEFLATED) if labels else None
            manifest = Manifest(listed, about_labels).to_json()
            _add(archive, MANIFEST, iter([manifest]), zipfile.ZIP_DEFLATED)
        size = path.stat().st_size
    except OSError as error:
        raise CoachError(f"Cannot write the share {path} ({error.strerror or error}).") from error
    if on_progress is not None:
        on_progress(len(episodes), len(episodes))
    return ShareSummary(path, tuple(episode.episode_id for episode in episodes), len(shared), size, names)


def _require_shareable(path: Path, episodes: Sequence[EpisodeSummary]) -> None:
    if not episodes:
        raise CoachError("There is nothing to share: no episode is selected.")
    if len(episodes) > MAX_EPISODES:
        raise CoachError(f"A share has at most {MAX_EPISODES:,} episodes, not {len(episodes):,}; select fewer.")
    for episode in episodes:
        if not is_episode_id(episode.episode_id):
            raise CoachError(
                f"Cannot share {episode.path} under its name; rename it to letters, digits, dots, hyphens and "
                "underscores."
            )
    size = sum(Path(episode.path).stat().st_size for episode in episodes)
    if size > MAX_SHARE_BYTES - 2 * MAX_LABELS_BYTES:
        raise CoachError(f"These episodes have {size / 2**30:.1f} GiB; a share may have 3.8. Select fewer.")
    if path.exists():
        try:
            ShareArchive(path).close()
        except CoachError as error:
            raise CoachError(f"{path} exists and is not a share; choose another name.") from error


def _names(pseudonyms: Pseudonyms, episodes: Sequence[EpisodeSummary], verdicts: Sequence[Verdict]) -> dict[str, str]:
    people = {name for episode in episodes for name in _people(episode)}
    people |= {verdict.curator for verdict in verdicts if not verdict.by_rule}
    return {name: pseudonyms.of(name) for name in sorted(people)}


def _people(episode: EpisodeSummary) -> set[str]:
    """Return the names of people in an episode, not that of a run."""
    if episode.players:
        return {name for kind, name in episode.players.items() if kind != "agent"} - {""}
    return {episode.player} - {""} if not _plays_a_run(episode) else set()


def _plays_a_run(episode: EpisodeSummary) -> bool:
    """Return whether the player's name is that of a run: only an agent, and perhaps random play, chose actions."""
    kinds = set(episode.frames_by_demonstrator)
    return "agent" in kinds and kinds <= {"agent", "random"}


def _anonymous(verdict: Verdict, names: dict[str, str]) -> Verdict:
    if verdict.by_rule:
        return verdict
    return replace(verdict, curator=names[verdict.curator], note="", put_aside=False)


def _parts(episode: EpisodeSummary, names: dict[str, str]) -> Iterator[bytes]:
    if _people(episode) & names.keys():
        with ReplayFile(episode.path) as replay:
            yield renamed_image(replay, names)
        return
    with open(episode.path, "rb") as file:
        while part := file.read(PART_BYTES):
            yield part


def _add(archive: zipfile.ZipFile, name: str, parts: Iterator[bytes], packing: int) -> Listed:
    info = zipfile.ZipInfo(name)  # dated 1980, so that the same content makes the same bytes
    info.compress_type, info.create_system = packing, 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    digest, count = hashlib.sha256(), 0
    with archive.open(info, "w") as member:
        for part in parts:
            member.write(part)
            digest.update(part)
            count += len(part)
    return Listed(count, digest.hexdigest())
