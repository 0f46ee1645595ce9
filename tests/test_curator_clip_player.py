"""Where in an episode the picture stands."""

from __future__ import annotations

import pytest

from curator.clip_player import HOLD_SECONDS, ClipPlayer
from data.clip import Clip


@pytest.fixture
def player() -> ClipPlayer:
    player = ClipPlayer()
    player.show(Clip("e", 100, 220), 1000)
    return player


def frames_of(player: ClipPlayer, pictures: int) -> list[int]:
    found = []
    for _ in range(pictures):
        found.append(player.frame)
        player.advance(1 / 60)
    return found


def test_it_plays_sixty_frames_a_second_from_the_clips_start(player: ClipPlayer) -> None:
    assert frames_of(player, 4) == [100, 101, 102, 103]
    player.advance(0.5)
    assert player.frame in (133, 134)


def test_it_shows_what_the_last_row_led_to_holds_it_and_begins_again(player: ClipPlayer) -> None:
    player.advance(2.0)
    assert player.frame == 220
    player.advance(HOLD_SECONDS - 0.01)
    assert player.frame == 220
    player.advance(0.02)
    assert player.frame == 100


def test_without_the_loop_it_stays_at_the_end_until_it_is_played_again(player: ClipPlayer) -> None:
    player.looping = False
    player.advance(60)
    assert player.frame == 220
    player.toggle_pause()
    assert (player.frame, player.paused) == (100, False)


def test_speed_goes_from_a_quarter_to_four_times(player: ClipPlayer) -> None:
    for _ in range(9):
        player.change_speed(-1)
    player.advance(1.0)
    assert (player.speed, player.frame) == (0.25, 115)
    for _ in range(9):
        player.change_speed(1)
    player.restart()
    player.advance(0.25)
    assert (player.speed, player.frame) == (4.0, 160)


def test_a_paused_clip_stands_still_and_goes_on_from_there(player: ClipPlayer) -> None:
    player.advance(0.5)
    player.toggle_pause()
    here = player.frame
    player.advance(10)
    assert player.frame == here
    player.toggle_pause()
    player.advance(1 / 60)
    assert player.frame == here + 1


def test_stepping_leaves_the_clip_and_playing_comes_back_to_its_start(player: ClipPlayer) -> None:
    player.step(-1)
    assert (player.frame, player.inside) == (99, False)
    player.toggle_pause()
    player.advance(0)
    assert player.frame == 100


def test_an_episodes_ends_cannot_be_passed(player: ClipPlayer) -> None:
    player.seek(-5)
    assert player.frame == 0
    player.seek(5000)
    assert player.frame == 1000


def test_the_next_clip_plays_at_the_same_speed_from_its_start_even_after_a_pause(player: ClipPlayer) -> None:
    player.change_speed(1)
    player.toggle_pause()
    player.show(Clip("f", 10, 70), 70)
    assert (player.frame, player.paused, player.speed) == (10, False, 2.0)
