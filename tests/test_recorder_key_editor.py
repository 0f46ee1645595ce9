"""Changing keys: by keys alone, with a warning of conflicts, saved in the player's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.controls import KeyMap, read_key_map
from recorder.key_editor import WHATS, KeyEditor


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.json"
    monkeypatch.setattr("recorder.controls.key_file", lambda: path)
    return path


def press(editor: KeyEditor, *keys: str) -> None:
    for key in keys:
        editor.key_down(key)


def choose(editor: KeyEditor, what: str) -> None:
    press(editor, *["down"] * WHATS.index(what))


def test_a_new_key_is_saved_when_the_screen_is_closed(path: Path) -> None:
    editor = KeyEditor(KeyMap())
    choose(editor, "fire")
    press(editor, "return", "x", "escape")
    assert editor.done
    assert read_key_map(path) == KeyMap().with_key("fire", "x")


def test_a_conflict_must_be_resolved_before_the_keys_are_saved(path: Path) -> None:
    editor = KeyEditor(KeyMap())
    choose(editor, "fire")
    press(editor, "return", "p", "escape")
    assert not editor.done
    assert editor.notice
    assert not path.exists()
    press(editor, "delete", "escape")
    assert editor.done


def test_all_changes_can_be_undone(path: Path) -> None:
    editor = KeyEditor(KeyMap())
    press(editor, "return", "x", "down", "return", "y", "f3", "escape")
    assert editor.key_map == KeyMap()
    assert not path.exists()


def test_escape_while_a_key_is_awaited_changes_nothing(path: Path) -> None:
    editor = KeyEditor(KeyMap())
    press(editor, "return", "escape")
    assert (editor.key_map, editor.done) == (KeyMap(), False)
    assert not path.exists()
