"""The list of any length: the selected row stays visible, the wheel and the bar scroll."""

from __future__ import annotations

import pytest

from screen.layout import Box
from screen.list_view import ListView

BOX = Box(100, 50, 400, 320)


def placed(count: int) -> ListView:
    view = ListView(row_height=32)
    view.place(BOX, count)
    return view


def visible(view: ListView) -> list[int]:
    view.place(BOX, view.count)
    return [row for row, _ in view.rows()]


def test_only_the_rows_that_fit_are_visible() -> None:
    assert visible(placed(5000)) == list(range(10))


def test_a_short_list_shows_all_its_rows() -> None:
    assert visible(placed(3)) == [0, 1, 2]


@pytest.mark.parametrize(("keys", "chosen"), [(["down"] * 3, 3), (["end"], 99), (["pagedown", "up"], 9), (["up"], 0)])
def test_keys_move_the_selected_row_and_it_stays_visible(keys: list[str], chosen: int) -> None:
    view = placed(100)
    for key in keys:
        assert view.press(key)
    assert view.chosen == chosen
    assert chosen in visible(view)


def test_the_wheel_scrolls_and_keeps_the_selected_row() -> None:
    view = placed(100)
    view.wheel(-2)
    assert visible(view)[0] == 6
    assert view.chosen == 0


def test_a_row_is_found_where_it_is_drawn() -> None:
    view = placed(100)
    view.wheel(-1)
    row, box = list(view.rows())[4]
    assert view.row_at(*box.centre) == row == 7


def test_the_bar_dragged_to_its_end_shows_the_last_rows() -> None:
    view = placed(100)
    assert view.pointer_down(BOX.right - 4, BOX.y + 2)
    view.pointer_moved(BOX.bottom + 50)
    view.pointer_up()
    view.pointer_moved(BOX.y)
    assert visible(view)[-1] == 99


def test_a_list_that_shrinks_keeps_a_row_selected() -> None:
    view = placed(100)
    view.press("end")
    view.place(BOX, 4)
    assert view.chosen == 3
    view.place(BOX, 0)
    assert view.chosen == 0
    assert list(view.rows()) == []
