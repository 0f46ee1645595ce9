"""Results of verification outlast the window and the program."""

from __future__ import annotations

import os
from pathlib import Path

from data.library import Library
from data.verification import verify
from data.verified_episodes import VerifiedEpisodes
from tests.replay_episodes import record


def test_a_result_outlasts_a_restart_until_its_file_changes(tmp_path: Path) -> None:
    library = Library(tmp_path)
    record(library, frames=40)
    (episode,) = library.episodes()
    path = library.episode_path(episode.episode_id)
    VerifiedEpisodes(library)[episode.episode_id] = verify(path)
    assert VerifiedEpisodes(library)[episode.episode_id].ok
    os.utime(path, (1, 1))
    assert list(VerifiedEpisodes(library)) == []


def test_a_damaged_file_of_results_is_ignored(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.prepare()
    (tmp_path / "verified.json").write_text('{"a": 3}')
    assert len(VerifiedEpisodes(library)) == 0
