"""Films with controls for notebooks."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.errors import CoachError
from data.film import FilmPlayer
from data.library import Library
from data.replay_file import ReplayFile
from tests.replay_episodes import record


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(Library(tmp_path_factory.mktemp("library")), 60)


def test_a_film_shows_each_decision_as_the_agent_sees_it(episode: Path) -> None:
    film = FilmPlayer.of_episode(episode)
    with ReplayFile(episode) as replay:
        colours = replay.palette[replay.frames()]
    assert len(film.pictures) == 16 and film.pictures_per_second == 15
    np.testing.assert_array_equal(film.pictures[0], colours[0])
    light = film.pictures[3].astype(int).sum(axis=2)
    assert (light >= np.minimum(*colours[11:13].astype(int).sum(axis=3))).all()
    assert film.captions[0] == "score 0" and film.captions[1].startswith("score ")


def test_single_frames_are_shown_as_they_are(episode: Path) -> None:
    film = FilmPlayer.of_episode(episode, 10, 14, every=1)
    with ReplayFile(episode) as replay:
        np.testing.assert_array_equal(film.pictures, replay.palette[replay.frames(10, 14)])


def test_the_page_holds_every_picture_and_needs_no_network(episode: Path) -> None:
    film = FilmPlayer.of_episode(episode, 0, 20)
    page = film._repr_html_()
    found = re.search(r"const film = (\{.*\}), root", page)
    assert found is not None
    facts = json.loads(found[1])
    for written, picture in zip(facts["pictures"], film.pictures, strict=True):
        png = np.frombuffer(base64.b64decode(written.partition(",")[2]), np.uint8)
        np.testing.assert_array_equal(cv2.imdecode(png, cv2.IMREAD_COLOR_RGB), picture)
    assert facts["captions"] == film.captions
    assert "http" not in page and 'type="range"' in page and "$" not in page


def test_a_caption_cannot_end_the_script(episode: Path) -> None:
    film = FilmPlayer.of_episode(episode, 0, 4)
    film.captions = ["</script><script>alert(1)</script>"]
    assert film.html().count("</script>") == 1


def test_two_films_on_a_page_have_two_names(episode: Path) -> None:
    film = FilmPlayer.of_episode(episode, 0, 8)
    names = [re.search(r'<div id="([^"]+)"', film.html()) for _ in range(2)]
    assert names[0] and names[1] and names[0][1] != names[1][1]


@pytest.mark.parametrize(("start", "stop", "every"), [(5, 5, 4), (-1, 5, 4), (0, 100, 4), (0, 10, 0)])
def test_a_span_that_is_not_there_is_refused(episode: Path, start: int, stop: int, every: int) -> None:
    with pytest.raises(CoachError, match="has frames 0 to 60"):
        FilmPlayer.of_episode(episode, start, stop, every)


def test_a_film_without_pictures_is_refused() -> None:
    with pytest.raises(CoachError, match="requires pictures"):
        FilmPlayer([], [], 15)
