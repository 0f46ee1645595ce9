"""What the canvas puts on a surface, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pygame
import pytest

from commands.chosen_settings import apply_to_windows
from home.settings import Settings
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GROUND, WHITE
from screen.widgets import Button, draw_key_list, draw_message, draw_verdict, message_buttons


@pytest.fixture(params=[(960, 600), (1280, 800), (2560, 1600)], ids=["960x600", "1280x800", "2560x1600"])
def canvas(request: pytest.FixtureRequest) -> Canvas:
    surface = pygame.Surface(request.param)
    made = Canvas(surface)
    made.fill(made.box, GROUND)
    return made


def painted(canvas: Canvas) -> np.ndarray:
    """Return where something was drawn, (W, H) bool."""
    return (pygame.surfarray.array3d(canvas.surface) != np.array(GROUND)).any(axis=2)


def test_a_picture_shows_each_palette_index_in_its_colour(canvas: Canvas) -> None:
    palette = np.zeros((256, 3), np.uint8)
    palette[7], palette[9] = (200, 10, 20), (1, 250, 3)
    frame = np.full((210, 160), 7, np.uint8)
    frame[:, 80:] = 9
    where = canvas.picture(frame, palette, canvas.box)
    pixels = pygame.surfarray.array3d(canvas.surface)
    left, right = round(where.x * canvas.scale), round(where.right * canvas.scale) - 1
    middle = round(where.centre[1] * canvas.scale)
    assert tuple(pixels[left, middle]) == (200, 10, 20)
    assert tuple(pixels[right, middle]) == (1, 250, 3)


def test_a_game_picture_fills_its_room_in_the_televisions_shape(canvas: Canvas) -> None:
    where = canvas.picture(np.zeros((210, 160), np.uint8), np.zeros((256, 3), np.uint8), canvas.box)
    assert where.height == pytest.approx(canvas.box.height, abs=2)
    assert where.width / where.height == pytest.approx(4 / 3, abs=0.01)


@pytest.fixture
def whole_multiples() -> Iterator[None]:
    apply_to_windows(Settings(whole_multiples=True))
    yield
    apply_to_windows(Settings())


@pytest.mark.usefixtures("whole_multiples")
def test_with_whole_multiples_all_pixels_of_a_picture_are_equally_large(canvas: Canvas) -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 2, (210, 160)).astype(np.uint8)
    palette = np.zeros((256, 3), np.uint8)
    palette[1] = WHITE
    where = canvas.picture(frame, palette, canvas.box)
    x, y = round(where.x * canvas.scale), round(where.y * canvas.scale)
    across, down = round(where.width * canvas.scale) // 160, round(where.height * canvas.scale) // 210
    shown = pygame.surfarray.array3d(canvas.surface)[x : x + 160 * across, y : y + 210 * down, 0] > 0
    assert np.array_equal(shown, np.kron(frame.T, np.ones((across, down))) > 0)


def test_long_text_is_cut_to_its_room_with_an_ellipsis(canvas: Canvas) -> None:
    where = canvas.text("a rather long name of a player " * 5, (8, 8), max_width=120)
    assert where.width <= 121
    assert not painted(canvas)[round(140 * canvas.scale) :, :].any()


@pytest.mark.parametrize(("align", "left"), [("left", 400), ("centre", 400), ("right", 400)])
def test_text_is_placed_by_its_alignment(canvas: Canvas, align: str, left: int) -> None:
    where = canvas.text("1230", (left, 8), mono=True, align=align)  # type: ignore[arg-type]
    expected = {"left": where.x, "centre": where.centre[0], "right": where.right}[align]
    assert expected == pytest.approx(left, abs=1.5)


def test_a_bar_is_filled_by_its_share(canvas: Canvas) -> None:
    canvas.bar(Box(0, 0, 400, 8), 0.5, GREEN)
    row = pygame.surfarray.array3d(canvas.surface)[:, round(4 * canvas.scale)]
    green = (row == np.array(GREEN)).all(axis=1).sum() / canvas.scale
    assert green == pytest.approx(200, abs=8)


def test_verdicts_differ_in_shape_and_not_only_in_colour(canvas: Canvas) -> None:
    shapes = []
    for number, verdict in enumerate(("good", "bad", "skip")):
        box = draw_verdict(canvas, verdict, (40 + 100 * number, 40), 40)
        x, y, size = (round(value * canvas.scale) for value in (box.x - 10, box.y - 10, 60))
        shapes.append(painted(canvas)[x : x + size, y : y + size])
    assert not np.array_equal(shapes[0], shapes[1])
    assert not np.array_equal(shapes[1], shapes[2])
    assert not np.array_equal(shapes[0], shapes[2])


def test_the_buttons_of_a_message_are_where_they_can_be_clicked(canvas: Canvas) -> None:
    save, discard = message_buttons(canvas, [("Save", "Return", GREEN), ("Discard", "Del", None)])
    draw_message(canvas, "Save this episode?", "230 points", [save, discard])
    assert save.contains(*save.box.centre)
    assert not save.contains(*discard.box.centre)
    assert canvas.box.contains(discard.box.right - 1, discard.box.bottom - 1)


def test_a_disabled_button_cannot_be_clicked() -> None:
    assert not Button(Box(0, 0, 100, 40), "Watch", "W", enabled=False).contains(50, 20)


def test_the_list_of_keys_fits_the_window_even_when_it_is_long(canvas: Canvas) -> None:
    draw_key_list(canvas, "Keys", [("Space", f"meaning number {number}") for number in range(26)])
    edge = pygame.surfarray.array3d(canvas.surface)[:, -1]
    assert (edge == edge[0]).all()
