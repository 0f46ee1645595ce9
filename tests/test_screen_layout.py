"""Boxes and the scale of the game's picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screen.layout import TELEVISION_ASPECT, Box, picture_scales


def test_parts_of_a_box_fill_it_without_overlap() -> None:
    box = Box(10, 20, 300, 200)
    left, rest = box.left_part(80), box.without_left(80)
    assert (left.x, left.right, rest.x, rest.right) == (10, 90, 90, 310)
    top, below = box.top_part(50), box.without_top(50)
    assert (top.y, top.bottom, below.y, below.bottom) == (20, 70, 70, 220)


def test_a_part_is_never_larger_than_its_box() -> None:
    assert Box(0, 0, 100, 100).right_part(500) == Box(0, 0, 100, 100)
    assert Box(0, 0, 10, 10).inset(20).width == 0


def test_columns_are_equal_and_end_at_the_right_edge() -> None:
    columns = Box(0, 0, 320, 10).columns(3, gap=10)
    assert {column.width for column in columns} == {100}
    assert columns[-1].right == 320


def test_a_box_contains_its_left_edge_and_not_its_right_one() -> None:
    box = Box(0, 0, 10, 10)
    assert box.contains(0, 0)
    assert not box.contains(10, 5)


@given(
    height=st.sampled_from([210, 214, 220, 230, 250]), width=st.integers(340, 4000), room_height=st.integers(260, 3000)
)
def test_the_picture_fits_its_room_and_has_nearly_the_shape_of_a_television(
    height: int, width: int, room_height: int
) -> None:
    across, down = picture_scales(160, height, width, room_height)
    assert 160 * across <= width
    assert height * down <= room_height
    if (across, down) != (1, 1):
        shape = 160 * across / (height * down)
        assert max(shape / TELEVISION_ASPECT, TELEVISION_ASPECT / shape) <= 1 + 1 / 6


@pytest.mark.parametrize(("room", "scales"), [((920, 770), (5, 3)), ((1880, 1570), (11, 7)), ((100, 100), (1, 1))])
def test_the_picture_is_as_large_as_whole_numbers_allow(room: tuple[int, int], scales: tuple[int, int]) -> None:
    assert picture_scales(160, 210, *room) == scales


def test_pixels_are_square_without_an_aspect() -> None:
    assert picture_scales(84, 84, 400, 300, aspect=None) == (3, 3)
