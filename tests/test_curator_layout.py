"""Where things stand in the curator's window, and from frames to places on the timeline and back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.cuts import Edge, EdgeDrag
from curator.layout import CuratorLayout, curator_layout
from curator.timeline import FrameRange, TimelineScale
from data.clip import Clip
from screen.layout import Box, picture_scales
from screen.theme import scale_of

SIZES = [(1280, 800), (960, 600), (2560, 1600), (1920, 1080), (1366, 768), (1000, 1400), (3440, 1440)]


def layout_of(size: tuple[int, int]) -> tuple[CuratorLayout, Box, float]:
    scale = scale_of(*size)
    window = Box(0, 0, size[0] / scale, size[1] / scale)
    return curator_layout(window, scale), window, scale


def boxes_of(layout: CuratorLayout) -> list[Box]:
    single = [layout.header, layout.picture, layout.strip, layout.timeline, layout.reason, layout.progress]
    return [*single, layout.recent_title, *layout.verdict_buttons, *layout.lower_buttons, *layout.recent_rows]


def overlap(one: Box, other: Box) -> bool:
    apart = one.right <= other.x + 0.01 or other.right <= one.x + 0.01
    return not (apart or one.bottom <= other.y + 0.01 or other.bottom <= one.y + 0.01)


@pytest.mark.parametrize("size", SIZES)
def test_everything_stands_inside_the_window_and_nothing_on_anything_else(size: tuple[int, int]) -> None:
    layout, window, _ = layout_of(size)
    boxes = boxes_of(layout)
    assert len(layout.recent_rows) == 10
    for box in boxes:
        assert box.x >= 0 and box.y >= 0 and box.right <= window.right + 0.01 and box.bottom <= window.bottom + 0.01
        assert box.width > 40 and box.height >= 18
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if overlap(a, b)]


@pytest.mark.parametrize(("size", "most"), [((1280, 800), (5, 3)), ((960, 600), (4, 2)), ((2560, 1600), (11, 6))])
def test_the_picture_is_as_large_as_whole_numbers_allow(size: tuple[int, int], most: tuple[int, int]) -> None:
    layout, _, scale = layout_of(size)
    room = (int(layout.picture.width * scale), int(layout.picture.height * scale))
    assert picture_scales(160, 210, *room) == most


@pytest.mark.parametrize("size", SIZES[:5])
def test_the_picture_fills_its_room_where_pixels_may_differ_in_size(size: tuple[int, int]) -> None:
    scale = scale_of(*size)
    window = Box(0, 0, size[0] / scale, size[1] / scale)
    fills = curator_layout(window, scale, whole=False)
    assert fills.picture.height == pytest.approx(0.75 * fills.picture.width, rel=0.04)
    assert not [(a, b) for a, b in itertools.combinations(boxes_of(fills), 2) if overlap(a, b)]


@given(st.integers(1, 100_000), st.integers(0, 100_000), st.integers(300, 3000))
def test_a_frame_has_its_place_and_the_place_its_frame(frame_count: int, frame: int, width: int) -> None:
    frame = min(frame, frame_count)
    scale = TimelineScale(Box(10, 0, width, 60), FrameRange(0, frame_count))
    frames_per_unit = frame_count / scale.line.width
    assert abs(scale.frame_at(scale.x_of(frame)) - frame) <= 1
    assert scale.frame_at(-1e6) == 0 and scale.frame_at(1e6) == frame_count
    assert scale.frame_at(scale.line.x + 1) <= frames_per_unit + 1


def test_zooming_keeps_the_frame_under_the_pointer_and_ends_at_the_whole_episode() -> None:
    whole = FrameRange(0, 36_000)
    near = whole.zoomed(3, around=9_000, frame_count=36_000)
    scale, before = TimelineScale(Box(0, 0, 1000, 60), near), TimelineScale(Box(0, 0, 1000, 60), whole)
    assert near.last - near.first == round(36_000 / 1.5**3)
    assert scale.x_of(9_000) == pytest.approx(before.x_of(9_000), abs=1)
    assert near.zoomed(-9, around=9_000, frame_count=36_000) == whole
    closest = whole.zoomed(99, around=0, frame_count=36_000)
    assert closest == FrameRange(0, 480)
    # It moves to what it must show, and is the whole of a shorter episode.
    moved = closest.showing(20_000, 20_180, 36_000)
    assert moved.first <= 20_000 and moved.last >= 20_180 and moved.last - moved.first == 480
    assert moved.showing(100, 200, 400) == FrameRange(0, 400)


@pytest.mark.parametrize(
    ("edge", "to", "span"),
    [("start", 500, (500, 780)), ("start", 0, (480, 780)), ("start", 777, (720, 780)), ("stop", 9999, (600, 800))],
)
def test_a_dragged_edge_stays_within_the_episode_and_one_to_five_seconds(
    edge: Edge, to: int, span: tuple[int, int]
) -> None:
    clip = Clip("e", 600, 780)
    assert EdgeDrag(clip, clip, edge).moved(to, frame_count=800).clip == Clip("e", *span)
