"""From keys to actions: combinations, opposites, taps, missing actions; the key map, its conflicts and its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import CoachError
from data.simulation import Emulator, games
from recorder.controls import (
    DEFAULT_KEYS,
    MEANINGS,
    PARTS,
    Controls,
    KeyMap,
    key_label,
    nearest_action,
    parts_of,
    read_key_map,
    write_key_map,
)

INVADERS = ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")
ALL = Emulator("Seaquest").action_meanings
PAIRS = [("left", "right"), ("up", "down")]


def controls(meanings: tuple[str, ...] = INVADERS, game: str = "") -> Controls:
    return Controls(KeyMap().part_of_key(), meanings, game)


def after(*keys: str, meanings: tuple[str, ...] = INVADERS, game: str = "") -> str:
    """Return the action's name after these keys; "-left" is a release."""
    held = controls(meanings, game)
    for key in keys:
        held.release(key[1:]) if key[0] == "-" else held.press(key)
    return meanings[held.decide()]


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        ((), "NOOP"),
        (("left",), "LEFT"),
        (("a",), "LEFT"),
        (("space", "right"), "RIGHTFIRE"),
        (("left", "right"), "RIGHT"),
        (("right", "left", "space"), "LEFTFIRE"),
        (("left", "right", "-right"), "RIGHT"),
        (("left", "a", "-left"), "LEFT"),
        (("up",), "NOOP"),
        (("x",), "NOOP"),
    ],
)
def test_held_keys_make_the_combined_action(keys: tuple[str, ...], action: str) -> None:
    assert after(*keys) == action


@pytest.mark.parametrize(
    ("meanings", "keys", "action"),
    [
        (("NOOP", "FIRE", "RIGHT", "LEFT"), ("right", "space"), "FIRE"),
        (("NOOP", "FIRE", "RIGHT", "LEFT"), ("space", "right"), "RIGHT"),
        (("NOOP", "UP", "RIGHT", "LEFT", "DOWN"), ("up", "right"), "RIGHT"),
        (("NOOP", "UP", "RIGHT", "LEFT", "DOWN"), ("right", "up"), "UP"),
        (("NOOP", "FIRE", "RIGHTFIRE", "LEFTFIRE"), ("left",), "NOOP"),
        (("NOOP", "FIRE", "RIGHTFIRE", "LEFTFIRE"), ("left", "space"), "LEFTFIRE"),
        (ALL, ("up", "left", "space"), "UPLEFTFIRE"),
        (ALL, ("up", "left", "right", "space"), "UPRIGHTFIRE"),
    ],
)
def test_the_key_pressed_last_has_priority_where_the_game_lacks_the_combination(
    meanings: tuple[str, ...], keys: tuple[str, ...], action: str
) -> None:
    assert after(*keys, meanings=meanings) == action


def test_a_paddle_that_moves_up_and_down_follows_up_and_down() -> None:
    assert after("up", meanings=INVADERS, game="Pong") == "RIGHT"
    assert after("up", "down", "space", meanings=INVADERS, game="Pong") == "LEFTFIRE"


def test_every_action_of_every_game_can_be_pressed() -> None:
    for game in games():
        meanings = Emulator(game).action_meanings if game in ("Pong", "Breakout", "Freeway", "Atlantis") else ALL
        for index, meaning in enumerate(meanings):
            ordered = [part for part in PARTS if part in parts_of(meaning)]
            assert nearest_action(ordered, meanings) == index


@given(st.lists(st.sampled_from(PARTS), unique=True), st.sets(st.sampled_from(ALL)))
def test_an_action_never_does_what_is_not_pressed(pressed: list[str], known: set[str]) -> None:
    meanings = ("NOOP", *sorted(known - {"NOOP"}))
    chosen = parts_of(meanings[nearest_action(pressed, meanings)])
    assert chosen <= set(pressed)
    assert not any(set(pair) <= chosen for pair in PAIRS)


@given(st.lists(st.tuples(st.sampled_from(["left", "right", "space"]), st.integers(0, 3)), max_size=500))
def test_no_tap_is_lost_however_short(taps: list[tuple[str, int]]) -> None:
    held = controls()
    seen: list[str] = []
    for key, looks in taps:
        held.press(key)
        held.release(key)
        seen.append(INVADERS[held.decide()])
        seen += [INVADERS[held.decide()] for _ in range(looks)]
    wanted: list[str] = []
    for key, looks in taps:
        wanted += [{"left": "LEFT", "right": "RIGHT", "space": "FIRE"}[key], *["NOOP"] * looks]
    assert seen == wanted


def test_a_tap_on_the_other_direction_wins_once_over_a_held_one() -> None:
    held = controls()
    held.press("left")
    assert INVADERS[held.decide()] == "LEFT"
    held.press("right")
    held.release("right")
    assert [INVADERS[held.decide()] for _ in range(2)] == ["RIGHT", "LEFT"]


def test_releasing_all_leaves_nothing_held_and_no_tap_waiting() -> None:
    held = controls()
    held.press("left")
    held.press("space")
    held.release("space")
    held.release_all()
    assert INVADERS[held.decide()] == "NOOP"
    assert held.held_parts == ()


def test_the_default_keys_do_everything_without_conflict() -> None:
    assert set(DEFAULT_KEYS) == set(MEANINGS)
    assert KeyMap().conflicts() == []


def test_a_changed_key_does_the_new_thing_alone() -> None:
    changed = KeyMap().with_key("fire", "x")
    assert (changed.does("x"), changed.does("space")) == ("fire", None)


@pytest.mark.parametrize(
    ("what", "key", "sentence"), [("fire", "p", "P has several"), ("pause", "f1", "F1 has several")]
)
def test_a_key_that_would_do_two_things_is_reported(what: str, key: str, sentence: str) -> None:
    assert any(sentence in conflict for conflict in KeyMap().with_key(what, key).conflicts())


def test_a_command_without_a_key_is_reported() -> None:
    assert KeyMap({**DEFAULT_KEYS, "pause": ()}).conflicts() == ["No key does “Pause or resume”."]


def test_keys_are_saved_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config" / "keys.json"
    changed = KeyMap().with_key("fire", "x")
    write_key_map(changed, path)
    assert read_key_map(path) == changed
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


def test_without_a_file_the_keys_are_the_default_ones(tmp_path: Path) -> None:
    assert read_key_map(tmp_path / "keys.json") == KeyMap()


def test_what_the_file_lacks_is_as_by_default(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"fire": ["X"], "of a later version": ["y"]}')
    assert read_key_map(path) == KeyMap({**DEFAULT_KEYS, "fire": ("x",)})


def test_a_new_key_of_the_keyboard_leaves_the_controllers_key() -> None:
    changed = KeyMap().with_key("left", "j")
    assert changed.keys["left"] == ("j", "pad left")
    assert changed.with_key("left", "pad 5").keys["left"] == ("j", "pad 5")


def test_a_key_of_a_controller_is_labelled_as_such() -> None:
    labels = [key_label(key).replace("\N{NO-BREAK SPACE}", "_") for key in ("up", "pad up", "escape", "pad 8")]
    assert labels == ["↑", "Pad_↑", "Esc", "Pad_8"]


@pytest.mark.parametrize("text", ["{", "3", '{"fire": "x"}', '{"fire": [1]}', "\x00\xff"])
def test_an_unreadable_file_of_keys_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CoachError, match=r"Cannot read the file of keys .*keys\.json"):
        read_key_map(path)
