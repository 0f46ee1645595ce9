"""The one look: enough contrast, and text that never becomes too small to read."""

from __future__ import annotations

import pytest

from screen.theme import GREEN, GROUND, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE, Colour, contrast, scale_of


@pytest.mark.parametrize("ground", [GROUND, PANEL], ids=["ground", "panel"])
@pytest.mark.parametrize(
    "colour", [TEXT, QUIET, GREEN, ORANGE, OLIVE, WHITE], ids=["text", "quiet", "green", "orange", "olive", "white"]
)
def test_every_text_colour_stands_out_from_its_ground(colour: Colour, ground: Colour) -> None:
    assert contrast(colour, ground) >= 4.5


def test_contrast_of_black_and_white_is_twenty_one() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


@pytest.mark.parametrize(
    ("size", "scale"), [((1280, 800), 1.0), ((2560, 1600), 2.0), ((960, 600), 0.875), ((1920, 800), 1.0)]
)
def test_scale_follows_the_window_and_stops_before_text_gets_unreadable(size: tuple[int, int], scale: float) -> None:
    assert scale_of(*size) == scale
    assert SMALL * scale_of(*size) >= 12
