"""Names of games, and numbers with their nouns."""

from __future__ import annotations

import pytest

from data.counted import counted
from data.game_names import display_name
from data.simulation import games


@pytest.mark.parametrize(
    ("game", "name"),
    [
        ("SpaceInvaders", "Space Invaders"),
        ("Qbert", "Q*bert"),
        ("Et", "E.T."),
        ("MsPacman", "Ms. Pac-Man"),
        ("TicTacToe3D", "3-D Tic-Tac-Toe"),
        ("YarsRevenge", "Yars' Revenge"),
        ("Pong", "Pong"),
    ],
)
def test_a_game_has_the_name_that_people_know(game: str, name: str) -> None:
    assert display_name(game) == name


def test_every_game_has_a_name_of_its_own() -> None:
    assert len({display_name(game) for game in games()}) == len(games())


def test_numbers_agree_with_their_nouns() -> None:
    points = [counted(number, "point") for number in (1, 1.0, -1, 0, 0.5, 20.0, 1200)]
    assert points == ["1 point", "1 point", "-1 point", "0 points", "0.5 points", "20 points", "1,200 points"]
    assert [counted(number, "life", "lives") for number in (1, 3)] == ["1 life", "3 lives"]
