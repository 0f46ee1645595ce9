"""Watching: nothing is saved unless a person took over, and what they play can be added to a training."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

import pygame
import pytest
from test_recorder_watch import Thinker

import recorder.watch_session as watch_session_module
from data.demonstrator import Demonstrator
from data.episode import EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.verification import verify
from recorder.controls import KeyMap
from recorder.play_view import PlayView
from recorder.play_window import RecorderWindow
from recorder.session_state import SessionState
from recorder.stretch import Stretch, last_run
from recorder.watch_session import Coaching, Watched, WatchSession
from screen.window import Window

RUN = Watched("run-1", 23_500, 185.0)


def watching(
    folder: Path,
    coaching: Coaching | None = None,
    newest: Callable[[], tuple[Demonstrator, Watched] | None] | None = None,
) -> WatchSession:
    settings = EmulatorSettings(seed=5, noop_start=3)
    library = Library(folder)
    library.prepare()
    session = WatchSession(library, "SpaceInvaders", settings, KeyMap(), "Ada", 1.0, Thinker(), RUN, newest, coaching)
    session.start()
    return session


def play(session: WatchSession, frames: int) -> None:
    for _ in range(frames):
        session.frame_due()
        session.tick()


def test_one_end_leaves_and_saves_nothing_while_only_the_agent_played(tmp_path: Path) -> None:
    for leave in (WatchSession.end, WatchSession.request_close):
        session = watching(tmp_path)
        play(session, 90)
        leave(session)
        assert session.closed
        session.close()
        assert session.paths == []
    assert Library(tmp_path).episodes() == []
    assert not list((tmp_path / "replays").glob("*.journal"))


@pytest.mark.parametrize("leave", [WatchSession.end, WatchSession.request_close])
def test_the_person_is_asked_after_they_took_over_and_each_has_their_own_name(
    leave: Callable[[WatchSession], None], tmp_path: Path
) -> None:
    session = watching(tmp_path)
    play(session, 40)
    session.toggle_take_over()
    play(session, 42)
    session.toggle_take_over()
    play(session, 20)
    leave(session)
    assert (session.state, session.closed) == (SessionState.ENDED, False)
    session.save()
    assert session.closed
    session.close()
    (path,) = session.paths
    assert verify(path).ok
    with ReplayFile(path) as replay:
        assert replay.origin.player == "run-1"
        assert dict(replay.origin.players) == {"agent": "run-1", "human": "Ada"}
        assert replay.summary().frames_by_demonstrator == {"agent": 58, "human": 44}
    (episode,) = Library(tmp_path).episodes()
    assert (episode.player, episode.player_of("human")) == ("run-1", "Ada")


def test_a_signal_saves_what_the_person_played_without_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    session = watching(tmp_path)
    play(session, 60)
    session.toggle_take_over()
    play(session, 60)
    with Window("Replay Coach - signal") as window:
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        RecorderWindow(window, session, PlayView(session)).run()
    assert len(session.paths) == 1


def test_a_person_who_goes_back_from_the_question_plays_on(tmp_path: Path) -> None:
    session = watching(tmp_path)
    session.toggle_take_over()
    play(session, 20)
    session.end()
    session.toggle_pause()
    session.toggle_pause()
    play(session, 20)
    assert session.state is SessionState.PLAYING
    session.close()
    assert len(session.paths) == 1, "what a person played is saved where the window is closed without an answer"


def test_the_next_game_starts_by_itself_with_the_newest_agent(tmp_path: Path) -> None:
    newer = Watched("run-1", 24_000)
    answers = iter([(Thinker(), newer), None])
    session = watching(tmp_path, newest=lambda: next(answers))
    session.frame_due()
    seeds = [session.take.emulator.settings.seed]
    for _ in range(2):
        session.restart()
        assert session.state is SessionState.PLAYING
        session.frame_due()
        seeds.append(session.take.emulator.settings.seed)
    assert seeds == [5, 6, 7]
    assert session.watched is newer
    session.close()


def test_what_a_person_played_is_published_and_added_when_they_hand_back(tmp_path: Path) -> None:
    given: list[Path] = []

    def give(path: Path) -> str:
        given.append(path)
        return "run-1: 11 decisions added at step 23,500."

    session = watching(tmp_path, Coaching(give, lambda: "sampled 40 times"))
    play(session, 40)
    session.toggle_take_over()
    play(session, 42)
    session.toggle_take_over()
    play(session, 42)
    session.toggle_take_over()
    play(session, 30)
    session.end()
    assert session.closed, "nobody is asked"
    session.close()
    assert session.coached == ["run-1: 11 decisions added at step 23,500."] * 2
    assert session.paths == given
    for path, first, frames in zip(given, (40, 124), (44, 30), strict=True):
        assert verify(path).ok
        with ReplayFile(path) as replay:
            start = replay.origin.started_from
            assert start is not None
            assert (start.run, start.step, start.frame) == ("run-1", 23_500, first)
            assert replay.summary().frames_by_demonstrator == {"human": frames}
            assert replay.origin.player == "Ada"
    assert len(Library(tmp_path).episodes()) == 2


def test_a_stretch_that_cannot_be_added_is_kept_and_said(tmp_path: Path) -> None:
    def give(path: Path) -> str:
        assert path.is_file()
        raise CoachError("Cannot write the request (No space left on device).")

    session = watching(tmp_path, Coaching(give, str))
    session.toggle_take_over()
    play(session, 20)
    session.close()
    assert "No space left on device" in session.coached[0]
    assert len(Library(tmp_path).episodes()) == 1


def test_what_a_full_disk_refuses_is_kept_and_saved_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish, is_full = watch_session_module.publish_stretch, True

    def refuses(library: Library, stretch: Stretch, player: str) -> Path:
        if is_full:
            raise CoachError("Cannot record in replays (No space left on device).")
        return publish(library, stretch, player)

    monkeypatch.setattr(watch_session_module, "publish_stretch", refuses)
    session = watching(tmp_path, Coaching(lambda path: path.name, str))

    def play_some() -> None:
        session.toggle_take_over()
        play(session, 20)
        session.toggle_take_over()
        play(session, 20)
        wait([*session._given])
        session.tick()

    play_some()
    assert "No space left on device" in session.coached[0]
    assert "What you played is kept here" in session.coached[0]
    session.end()
    assert not session.closed
    assert session.notice.startswith("What you played is not saved yet.")
    is_full = False
    play_some()
    assert session.coached[1] == " ".join(path.name for path in session.paths)
    assert len(Library(tmp_path).episodes()) == 2
    is_full = True
    session.toggle_take_over()
    play(session, 20)
    session.end()
    assert session.closed
    with pytest.raises(CoachError, match="could not be saved"):
        session.close()


def test_the_last_run_of_a_kind_is_found() -> None:
    assert last_run(b"", 0) == (0, 0)
    assert last_run(bytes([1, 1]), 0) == (0, 0)
    assert last_run(bytes([0, 0, 1, 0, 0, 1]), 0) == (3, 5)
    assert last_run(bytes([0, 0]), 0) == (0, 2)
