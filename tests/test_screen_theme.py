"""The look: enough contrast, and text that never becomes too small to read."""

from __future__ import annotations

import pytest

from screen.theme import GREEN, GROUND, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE, Colour, scale_of


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: Colour) -> float:
        linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", [GROUND, PANEL], ids=["ground", "panel"])
@pytest.mark.parametrize(
    "colour", [TEXT, QUIET, GREEN, ORANGE, OLIVE, WHITE], ids=["text", "quiet", "green", "orange", "olive", "white"]
)
def test_every_text_colour_stands_out_from_its_ground(colour: Colour, ground: Colour) -> None:
    assert contrast(WHITE, (0, 0, 0)) == pytest.approx(21)
    assert contrast(colour, ground) >= 4.5


@pytest.mark.parametrize(
    ("size", "scale"), [((1280, 800), 1.0), ((2560, 1600), 2.0), ((960, 600), 0.875), ((1920, 800), 1.0)]
)
def test_scale_follows_the_window_and_stops_before_text_gets_unreadable(size: tuple[int, int], scale: float) -> None:
    assert scale_of(*size) == scale
    assert SMALL * scale_of(*size) >= 12
