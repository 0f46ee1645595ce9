"""What the recorder's window shows, drawn without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.episode import EmulatorSettings
from data.library import Library
from recorder.controls import KeyMap, used_parts
from recorder.play_view import HINTS, PlayView, game_keys, key_rows, offers, paused_status
from recorder.session import Session
from recorder.session_state import SessionState
from screen.events import KeyDown
from screen.window import Window


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("Replay Coach - view", (960, 600)) as opened:
        yield opened


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(Library(tmp_path), "SpaceInvaders", EmulatorSettings(), KeyMap())


def test_the_pause_says_how_much_resuming_discards() -> None:
    assert paused_status(0, "U") == "Paused. Drag the bar to look back."
    assert "discards the next 12 frames; U " in paused_status(12, "U")
    assert "discards the next 0:02; U " in paused_status(130, "U")


def test_buttons_keep_their_places_in_every_state(session: Session) -> None:
    same_place = {"start": "pause"}
    places = set()
    for state in SessionState:
        session.state = state
        places.add(tuple(same_place.get(offer.command, offer.command) for offer in offers(session)))
    assert len(places) == 1


def test_keys_of_a_watched_game_are_listed_as_its_buttons_call_them() -> None:
    assert ("Esc", "End the episode") in key_rows(KeyMap(), False)
    watched = dict(key_rows(KeyMap(), True))
    assert watched["R"] == "Next game" and watched["Esc"].startswith("Back")


def test_no_caption_is_cut_in_the_smallest_layout(window: Window, session: Session) -> None:
    view = PlayView(session)
    for state in (SessionState.READY, SessionState.PLAYING, SessionState.PAUSED, SessionState.ENDED):
        session.state = state
        canvas = window.canvas
        view.draw(canvas)
        shown = [hint for hint in canvas.hints if not hint.startswith("Volume")]
        assert set(shown) <= set(HINTS.values()), "a caption is cut, so that it has a tooltip"
        assert len(shown) >= len(HINTS) - 1 or view.dialog.is_open


def test_the_keys_of_the_game_are_named_before_it_starts(session: Session) -> None:
    assert game_keys(session) == "← → Space"


def test_the_whole_error_is_in_the_dialog_with_two_ways_out(window: Window, session: Session) -> None:
    session.start()
    session.frame_due()
    session.state, session.save_problem = SessionState.ENDED, "Cannot write " + "/a-very-long-folder" * 12
    view = PlayView(session)
    canvas = window.canvas
    view.draw(canvas)
    labels = {button.label: command for command, button in view.dialog.buttons(canvas)}
    assert labels["Try again"] == "save"
    assert labels["Save elsewhere"] == "save_elsewhere"
    assert not any("folder" in hint for hint in canvas.hints)


def test_discard_keeps_its_place_when_saving_has_failed(window: Window, session: Session) -> None:
    session.state = SessionState.ENDED
    dialog = PlayView(session).dialog
    before = dict(dialog.buttons(window.canvas))
    session.save_problem = "Cannot write."
    after = dict(dialog.buttons(window.canvas))
    assert {command: after[command].box for command in before} == {c: button.box for c, button in before.items()}


@pytest.mark.usefixtures("window")
def test_the_folder_of_save_elsewhere_is_typed(session: Session, tmp_path: Path) -> None:
    session.start()
    for _ in range(8):
        session.frame_due()
    session.state, session.save_problem = SessionState.ENDED, "Cannot write."
    dialog = PlayView(session).dialog
    assert dialog.key_down(KeyDown("e"))
    dialog.key_down(KeyDown("u", control=True))
    dialog.write(str(tmp_path / "rescued"))
    dialog.key_down(KeyDown("return"))
    assert len(list((tmp_path / "rescued").glob("*.h5"))) == 1


def test_a_click_on_the_bar_of_a_paused_episode_shows_that_frame(window: Window, session: Session) -> None:
    session.start()
    for _ in range(80):
        session.frame_due()
    session.toggle_pause()
    view = PlayView(session)
    view.draw(window.canvas)
    track = view.bar._track
    frame = view.bar.frame_at(track.centre[0], track.centre[1])
    assert frame == 40
    session.seek(frame)
    assert session.take.frame == 40
    session.toggle_pause()
    view.draw(window.canvas)
    assert view.bar.frame_at(*track.centre) is None


@pytest.mark.parametrize(
    ("game", "meanings", "parts"),
    [
        ("SpaceInvaders", ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"), {"left", "right", "fire"}),
        ("Freeway", ("NOOP", "UP", "DOWN"), {"up", "down"}),
        ("Pong", ("NOOP", "FIRE", "RIGHT", "LEFT"), {"up", "down", "left", "right", "fire"}),
    ],
)
def test_only_the_keys_that_a_game_uses_are_shown(game: str, meanings: tuple[str, ...], parts: set[str]) -> None:
    assert used_parts(meanings, game) == parts
