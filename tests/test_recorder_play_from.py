"""Playing on from inside another episode, by the session, the commands and the windows that offer it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from replay_episodes import record

import coach
from curator.outline import read_outlines
from curator.queues import build_queue
from data.continuation import start_inside
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.verification import verify
from recorder.controls import KeyMap
from recorder.play_from import PlayFromSession
from recorder.session_state import SessionState


def session_from(library: Library, parent: Path, frame: int, run: str = "", give: object = None) -> PlayFromSession:
    with ReplayFile(parent) as replay:
        settings, start = start_inside(replay, frame)
        game = replay.origin.game
    start = StartedFrom(start.frame, run=run, step=500) if run else start
    return PlayFromSession(library, game, settings, KeyMap(), "Ada", start, give)  # type: ignore[arg-type]


def attempt(session: PlayFromSession, frames: int) -> None:
    session.start()
    for _ in range(frames):
        session.frame_due()
        session.tick()
    session.end()
    assert session.state is SessionState.ENDED
    session.save()


def test_every_attempt_starts_at_the_same_frame_and_verifies(tmp_path: Path) -> None:
    library = Library(tmp_path)
    parent = record(library, 300, "Breakout", seed=4)
    session = session_from(library, parent, 203)
    attempt(session, 40)
    attempt(session, 60)
    session.close()
    with ReplayFile(parent) as whole:
        shown = whole.frames(200, 201)[0]
    assert len(session.paths) == 2
    for path, frames in zip(session.paths, (40, 60), strict=True):
        assert verify(path).ok
        with ReplayFile(path) as replay:
            np.testing.assert_array_equal(replay.frames(0, 1)[0], shown)
            assert (replay.frame_count, replay.origin.player) == (frames, "Ada")
            assert replay.origin.started_from is not None
            assert (replay.origin.started_from.frame, replay.origin.started_from.episode) == (200, parent.stem)


@pytest.mark.soak
@pytest.mark.parametrize("game", ["SpaceInvaders", "Breakout", "MontezumaRevenge"])
def test_play_from_ten_random_frames_of_an_episode_verifies(game: str, tmp_path: Path) -> None:
    library = Library(tmp_path)
    parent = record(library, 240, game, seed=3)
    with ReplayFile(parent) as whole:
        digest, shown = whole.digest, whole.frames(0, 241)
    for number, frame in enumerate(np.random.default_rng(1).integers(0, 241, 10).tolist()):
        session = session_from(library, parent, frame)
        session.controls.press("left" if number % 2 else "right")
        attempt(session, 12 + number)
        session.close()
        (path,) = session.paths
        assert verify(path).ok, verify(path).sentence
        with ReplayFile(path) as replay:
            first = frame - frame % 4
            np.testing.assert_array_equal(replay.frames(0, 1)[0], shown[first])
            assert replay.origin.started_from == StartedFrom(first, parent.stem, digest)


def test_what_is_saved_is_given_to_the_training_and_waits_in_the_queue_of_corrections(tmp_path: Path) -> None:
    library = Library(tmp_path)
    given: list[Path] = []

    def give(path: Path) -> str:
        given.append(path)
        if len(given) > 1:
            raise CoachError("run-1 is gone.")
        return "run-1: 10 decisions added at step 500."

    session = session_from(library, record(library, 200), 100, "run-1", give)
    attempt(session, 200)
    attempt(session, 40)
    session.close()
    assert given == session.paths
    assert session.notice == "run-1 is gone."
    clips = build_queue(read_outlines(library), "coached", 1.0, seed=0)
    of_corrections = [clip for clip in clips if clip.queue == "coached"]
    assert {clip.clip.episode_id for clip in of_corrections} <= {path.stem for path in given}
    assert of_corrections[0].reason.startswith("a correction of run-1")


def test_a_frame_outside_the_episode_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = record(Library(tmp_path), 100)
    assert coach.main(["--library", str(tmp_path), "play", "--from", path.stem, "--frame", "900"]) == 2
    assert "frames 0 to 100, not 900" in capsys.readouterr().err
    assert coach.main(["--library", str(tmp_path), "play", "--coach", "run-1"]) == 2
    assert "--coach needs --from" in capsys.readouterr().err
