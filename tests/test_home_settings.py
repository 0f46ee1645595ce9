"""Settings: written and read, invalid values, and the rows of the window."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import CoachError
from home.setting_rows import setting_rows
from home.settings import Settings, read_settings, write_settings

CHOSEN = Settings("Ada", "Breakout", 1, 0.25, False, 1600, 1000, True, 50, 2, True, True)


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "somewhere" / "settings.json"
    write_settings(CHOSEN, path)
    assert read_settings(path) == (CHOSEN, "")


def test_without_a_file_the_default_settings_hold_and_nothing_is_said(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "settings.json") == (Settings(), "")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b'{"sticky": NaN'])
def test_a_broken_file_is_one_sentence_and_the_default_settings(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(text)
    settings, problem = read_settings(path)
    assert settings == Settings()
    assert str(path) in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frame_skip", 0),
        ("frame_skip", 4.5),
        ("sticky", 1.0),
        ("sticky", float("nan")),
        ("sound", "yes"),
        ("window_width", 10**9),
        ("goal", True),
        ("player", "a\nb"),
        ("player", None),
        ("game", ""),
    ],
)
def test_a_value_that_cannot_be_is_named_and_the_others_hold(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"threads": 2, name: value, "of_a_later_version": 1}))
    settings, problem = read_settings(path)
    assert settings == Settings(threads=2)
    assert name in problem


def test_a_file_that_could_not_be_read_is_set_aside_before_another_is_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{ my settings")
    write_settings(CHOSEN, path)
    assert read_settings(path) == (CHOSEN, "")
    assert (tmp_path / "settings.unreadable").read_text() == "{ my settings"


def test_settings_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CoachError, match="Cannot write the settings"):
        write_settings(CHOSEN, tmp_path / "file" / "settings.json")


def test_every_setting_but_the_tours_has_a_row() -> None:
    in_rows = {name for row in setting_rows("ada", 2, (1920, 1080)) for name in row.names}
    assert in_rows | {"seen_tour"} == set(Settings.__dataclass_fields__)


def test_every_value_of_every_choice_is_a_possible_setting() -> None:
    for row in setting_rows("ada", 4, (1920, 1080)):
        for value, _ in row.values:
            assert row.now(row.with_value(Settings(), value)) == value


def test_a_value_that_stands_only_in_the_file_is_shown_among_the_others() -> None:
    row = next(row for row in setting_rows("ada", 2, (1920, 1080)) if row.names == ("sticky",))
    settings = replace(Settings(), sticky=0.33)
    assert row.options(settings)[row.place(settings)] == ((0.33,), "0.33")
