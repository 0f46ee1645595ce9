"""What is taken elsewhere shows what was recorded."""

from __future__ import annotations

import sys
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from replay_episodes import record

from coach import main
from commands.export import EXPORTS
from data.clip import Clip
from data.episode_import import ImportOptions
from data.errors import CoachError
from data.export import FILE_KINDS, Span, export, export_all, spans_of
from data.film import brighter, caption_of, terminal_strip, write_gif, write_mp4
from data.library import Library
from data.minari_export import export_minari
from data.minari_import import import_minari
from data.replay_file import ReplayFile
from data.verification import verify


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(Library(tmp_path_factory.mktemp("recorded")), 240, "Breakout")


def test_a_gif_shows_every_second_frame_in_exact_colours_at_the_games_speed(recorded: Path, tmp_path: Path) -> None:
    path = export(recorded, "gif", tmp_path)
    assert path.name == f"{recorded.stem}.gif"
    pictures = imageio.imread(path, plugin="pillow", mode="RGB")
    with ReplayFile(recorded) as replay:
        frames = replay.frames()
        wanted = [frames[0]] + [brighter(frames[n - 1], frames[n], replay.palette) for n in range(2, len(frames), 2)]
        assert np.array_equal(pictures[:, :, ::2], replay.palette[np.stack(wanted)])
    durations = [imageio.immeta(path, plugin="pillow", index=at)["duration"] for at in range(len(pictures))]
    assert abs(sum(durations) - 1000 * 241 / 60) < 50


def test_what_is_shown_at_every_other_frame_only_is_seen_in_a_gif(tmp_path: Path) -> None:
    palette = np.zeros((256, 3), np.uint8)
    palette[2], palette[4] = (40, 0, 0), (0, 200, 0)
    there, gone = np.full((6, 8), 4, np.uint8), np.full((6, 8), 2, np.uint8)
    path = write_gif(tmp_path / "flicker.gif", [gone, there] * 4, palette)
    pictures = imageio.imread(path, plugin="pillow", mode="RGB")
    assert [tuple(picture[3, 3]) for picture in pictures[1:]] == [(0, 200, 0)] * (len(pictures) - 1)


def test_an_mp4_has_every_frame_at_sixty_a_second(recorded: Path, tmp_path: Path) -> None:
    path = export(recorded, "mp4", tmp_path / "film.mp4", 20, 80)
    pictures = imageio.imread(path)
    with ReplayFile(recorded) as replay:
        wanted = replay.palette[replay.frames(20, 80)].astype(int)
    assert pictures.shape == (60, 420, 640, 3)
    assert np.abs(pictures[:, 1::2, 2::4].astype(int) - wanted).mean() < 3
    assert imageio.immeta(path)["fps"] == 60


def test_an_overlay_tells_action_reward_and_score(recorded: Path, tmp_path: Path) -> None:
    with ReplayFile(recorded) as replay:
        caption = caption_of(replay)
        frame = int(np.flatnonzero(replay.rewards)[0]) if replay.rewards.any() else 5
        action = replay.origin.action_meanings[replay.actions[frame]]
        assert action in caption(frame + 1)
        assert f"score {replay.rewards[: frame + 1].sum():g}" in caption(frame + 1)
    plain, dressed = (
        export(recorded, "gif", tmp_path / "a.gif"),
        export(recorded, "gif", tmp_path / "b.gif", overlay=True),
    )
    assert imageio.imread(dressed, index=3).shape[0] > imageio.imread(plain, index=3).shape[0]


def test_films_are_also_made_of_colours(tmp_path: Path) -> None:
    frames = [np.full((20, 16, 3), (at * 20, 255 - at, 7), np.uint8) for at in range(10)]
    pictures = imageio.imread(write_gif(tmp_path / "x.gif", frames, frames_per_second=60), plugin="pillow", mode="RGB")
    assert np.array_equal(pictures[:, 0, 0], [frame[0, 0] for frame in frames])
    assert imageio.imread(write_mp4(tmp_path / "x.mp4", frames)).shape == (10, 40, 64, 3)


def test_an_archive_holds_every_column_of_the_span(recorded: Path, tmp_path: Path) -> None:
    with (
        np.load(export(recorded, "npz", tmp_path, 100, 150), allow_pickle=False) as arrays,
        ReplayFile(recorded) as replay,
    ):
        assert np.array_equal(arrays["frames"], replay.frames(100, 150))
        assert np.array_equal(arrays["actions"], replay.actions[100:149])
        assert np.array_equal(arrays["ram"], replay.ram(100, 150))
        assert str(arrays["game"]) == "Breakout"


def test_a_portable_file_is_whole_and_true(recorded: Path, tmp_path: Path) -> None:
    assert verify(export(recorded, "portable", tmp_path / "portable.h5")).ok
    with pytest.raises(CoachError, match="Only a whole episode"):
        export(recorded, "portable", tmp_path / "part.h5", 5, 10)


def test_clips_become_one_file_each(recorded: Path, tmp_path: Path) -> None:
    clips = [Clip(recorded.stem, 0, 60), Clip(recorded.stem, 100, 130)]
    told: list[tuple[int, int]] = []
    written = export_all(
        spans_of(clips, {recorded.stem: recorded}), "gif", tmp_path / "clips", on_progress=lambda *at: told.append(at)
    )
    assert [path.name for path in written] == [f"{recorded.stem}-0-60.gif", f"{recorded.stem}-100-130.gif"]
    assert [len(imageio.imread(path)) for path in written] == [30, 15]
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("kind", ["gif", "mp4", "npz", "portable"])
def test_what_cannot_be_written_is_one_sentence_and_leaves_nothing(kind: str, recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(CoachError, match=r"cannot be written|Cannot write") as told:
        export(recorded, kind, tmp_path / "nowhere" / "file.gif")
    assert "\n" not in str(told.value)
    with pytest.raises(CoachError, match="no span"):
        export(recorded, kind, tmp_path, 200, 1000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "start"), [("gif", b"GIF8"), ("mp4", b"ftyp")])
def test_a_film_may_have_any_name(kind: str, start: bytes, recorded: Path, tmp_path: Path) -> None:
    assert main(["export", str(recorded), "--to", kind, "--frames", "0:8", "--out", str(tmp_path / "NAME")]) == 0
    assert start in (tmp_path / "NAME").read_bytes()[:12]


def test_many_episodes_are_not_written_into_one_file(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(recorded.read_bytes())
    assert main(["export", str(recorded), str(other), "--to", "gif", "--out", str(tmp_path / "both.gif")]) == 2
    assert "is a single file" in capsys.readouterr().err
    assert not (tmp_path / "both.gif").exists()


def test_an_episode_is_not_exported_over_itself(recorded: Path) -> None:
    with pytest.raises(CoachError, match="the episode itself"):
        export(recorded, "portable", recorded)


def test_the_terminal_strip_fits_the_terminal(recorded: Path) -> None:
    with ReplayFile(recorded) as replay:
        for width in (10, 27, 80, 200):
            lines = terminal_strip(replay, width).plain.rstrip("\n").split("\n")
            assert len(lines) == 10
            assert max(len(line.rstrip()) for line in lines) <= max(width, 10)


def test_without_minari_one_sentence_says_how_to_get_it(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(CoachError, match="pip install"):
        export_minari([Span(recorded)], "x/y-v0")
    with pytest.raises(CoachError, match="pip install"):
        import_minari(Library(tmp_path), "x/y-v0", ImportOptions())


def test_the_command_offers_every_kind_of_file() -> None:
    assert tuple(FILE_KINDS) == EXPORTS
