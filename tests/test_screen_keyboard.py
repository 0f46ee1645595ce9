"""Names and caps of keys under layouts with and without Latin letters."""

from __future__ import annotations

import pytest

from screen import keyboard, sdl

PLACE_OF_G = 10


@pytest.fixture
def russian(monkeypatch: pytest.MonkeyPatch) -> None:
    """The layout of the keyboard: only its places of G and comma are asked for here."""
    layout = {PLACE_OF_G: ord("п"), 54: ord("б")}
    monkeypatch.setattr(sdl, "key_at", layout.get)
    monkeypatch.setattr("pygame.display.get_init", lambda: True)


@pytest.mark.parametrize(
    ("code", "scancode", "name"),
    [
        (ord("g"), PLACE_OF_G, "g"),
        (ord("п"), PLACE_OF_G, "g"),
        (ord("γ"), PLACE_OF_G, "g"),
        (ord("ע"), PLACE_OF_G, "g"),
        (ord("б"), 54, ","),
        (ord("q"), 4, "q"),  # the place of A on a French keyboard
        (ord("ö"), 51, "ö"),
    ],
)
def test_a_key_has_the_name_of_its_place_only_where_the_layout_is_not_latin(
    code: int, scancode: int, name: str
) -> None:
    assert keyboard.key_name(code, scancode) == name


@pytest.mark.usefixtures("russian")
def test_a_cap_shows_what_the_layout_types() -> None:
    assert [keyboard.cap(label) for label in ("G", ",", "Esc", "F1")] == ["П", "Б", "Esc", "F1"]


@pytest.mark.usefixtures("russian")
def test_text_of_a_russian_layout_is_read_by_place() -> None:
    assert keyboard.in_latin_letters("п 2") == "g 2"
