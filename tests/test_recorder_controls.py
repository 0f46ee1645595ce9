"""Keys to actions: combinations, opposites, taps, and games that lack an action."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.simulation import Emulator, games
from recorder.controls import PARTS, Controls, KeyMap, nearest_action, parts_of

INVADERS = ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")
ALL = Emulator("Seaquest").action_meanings
PAIRS = [("left", "right"), ("up", "down")]


def controls(meanings: tuple[str, ...] = INVADERS, game: str = "") -> Controls:
    return Controls(KeyMap().part_of_key(), meanings, game)


def after(*keys: str, meanings: tuple[str, ...] = INVADERS, game: str = "") -> str:
    """The action's name after these keys; "-left" lets go."""
    held = controls(meanings, game)
    for key in keys:
        held.release(key[1:]) if key[0] == "-" else held.press(key)
    return meanings[held.look()]


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
def test_what_was_pressed_last_matters_most_where_the_game_lacks_the_combination(
    meanings: tuple[str, ...], keys: tuple[str, ...], action: str
) -> None:
    assert after(*keys, meanings=meanings) == action


def test_a_paddle_that_moves_up_and_down_follows_up_and_down() -> None:
    assert after("up", meanings=INVADERS, game="Pong") == "RIGHT"
    assert after("up", "down", "space", meanings=INVADERS, game="Pong") == "LEFTFIRE"


def test_every_game_can_be_steered_by_each_of_its_single_actions() -> None:
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
        seen.append(INVADERS[held.look()])
        seen += [INVADERS[held.look()] for _ in range(looks)]
    wanted: list[str] = []
    for key, looks in taps:
        wanted += [{"left": "LEFT", "right": "RIGHT", "space": "FIRE"}[key], *["NOOP"] * looks]
    assert seen == wanted


def test_a_tap_on_the_other_direction_wins_once_over_a_held_one() -> None:
    held = controls()
    held.press("left")
    assert INVADERS[held.look()] == "LEFT"
    held.press("right")
    held.release("right")
    assert [INVADERS[held.look()] for _ in range(2)] == ["RIGHT", "LEFT"]


def test_letting_all_go_leaves_nothing_held_and_no_tap_waiting() -> None:
    held = controls()
    held.press("left")
    held.press("space")
    held.release("space")
    held.release_all()
    assert INVADERS[held.look()] == "NOOP"
    assert held.held_parts == ()
