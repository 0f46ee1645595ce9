"""Input fields: a line of text, and one of several values."""

from __future__ import annotations

import pytest

from screen.events import KeyDown
from screen.fields import Choice, TextField
from screen.layout import Box


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([KeyDown("backspace")], "Ada Lovelac"),
        ([KeyDown("backspace", control=True)], "Ada "),
        ([KeyDown("u", control=True)], ""),
        ([KeyDown("home"), KeyDown("delete")], "da Lovelace"),
        ([KeyDown("left"), KeyDown("left"), KeyDown("right"), KeyDown("backspace")], "Ada Lovelae"),
    ],
)
def test_keys_edit_at_the_caret(keys: list[KeyDown], text: str) -> None:
    field = TextField("Ada Lovelace")
    for key in keys:
        assert field.press(key)
    assert field.text == text


def test_typed_text_is_inserted_at_the_caret() -> None:
    field = TextField("Ada")
    field.press(KeyDown("home"))
    field.write("Dr. ")
    assert field.text == "Dr. Ada"


def test_a_field_accepts_only_its_length_and_no_line_breaks() -> None:
    field = TextField(most=5)
    field.write("ab\ncdefgh")
    assert field.text == "abcde"


def test_other_keys_are_not_handled() -> None:
    assert not TextField("Ada").press(KeyDown("return"))


def test_a_choice_wraps_around_and_its_left_arrow_goes_back() -> None:
    choice, box = Choice(["one", "two", "three"]), Box(0, 0, 200, 32)
    assert choice.click(box, 5, 5)
    assert choice.value == "three"
    choice.click(box, 190, 5)
    assert choice.value == "one"
    assert not choice.click(box, 300, 5)
