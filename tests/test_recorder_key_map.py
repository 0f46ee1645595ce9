"""The keys: defaults, changes, conflicts and the file they are kept in."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import CoachError
from recorder.controls import DEFAULT_KEYS, MEANINGS, KeyMap, key_label, read_key_map, write_key_map


def test_the_default_keys_do_everything_without_conflict() -> None:
    assert set(DEFAULT_KEYS) == set(MEANINGS)
    assert KeyMap().conflicts() == []


def test_a_changed_key_does_the_new_thing_alone() -> None:
    changed = KeyMap().with_key("fire", "x")
    assert (changed.does("x"), changed.does("space")) == ("fire", None)


@pytest.mark.parametrize(("what", "key", "told"), [("fire", "p", "P does several"), ("pause", "f1", "F1 does several")])
def test_a_key_that_would_do_two_things_is_told(what: str, key: str, told: str) -> None:
    assert any(told in conflict for conflict in KeyMap().with_key(what, key).conflicts())


def test_a_thing_without_a_key_is_told() -> None:
    assert KeyMap({**DEFAULT_KEYS, "pause": ()}).conflicts() == ["No key does “Pause and go on”."]


def test_keys_are_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config" / "keys.json"
    changed = KeyMap().with_key("fire", "x")
    write_key_map(changed, path)
    assert read_key_map(path) == changed
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


def test_without_a_file_the_keys_are_the_default_ones(tmp_path: Path) -> None:
    assert read_key_map(tmp_path / "keys.json") == KeyMap()


def test_what_the_file_does_not_say_is_as_by_default(tmp_path: Path) -> None:
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
    with pytest.raises(CoachError, match=r"keys\.json cannot be read"):
        read_key_map(path)
