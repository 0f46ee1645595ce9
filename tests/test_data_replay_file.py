"""A replay file is read back as it was recorded; an incomplete or different file is refused in one sentence."""

from __future__ import annotations

import json
import secrets
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay_episodes import RANDOM, begin, play, record, writable_copy

from data.episode import DEMONSTRATOR_KINDS, EmulatorSettings, FrameState, Origin
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile, compress_zstd, decompress_zstd, portable_image
from data.replay_writer import ReplayWriter
from data.simulation import Emulator
from data.verification import verify


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(Library(tmp_path_factory.mktemp("recorded")), 200)


def test_the_file_holds_every_frame_exactly_as_it_was_shown(tmp_path: Path) -> None:
    writer, emulator = begin(Library(tmp_path))
    first = emulator.state()
    shown = [first, *play(writer, emulator, 300, np.random.default_rng(4))]
    with ReplayFile(writer.publish("truncated", emulator.palette)) as replay:
        assert np.array_equal(replay.frames(), np.stack([state.screen for state in shown]))
        assert np.array_equal(replay.ram(), np.stack([state.ram for state in shown]))
        assert replay.lives.tolist() == [state.lives for state in shown]
        assert replay.rewards.tolist() == [state.reward for state in shown[1:]]


def test_nothing_is_visible_before_publishing_and_the_file_is_read_only_afterwards(tmp_path: Path) -> None:
    library = Library(tmp_path)
    writer, emulator = begin(library)
    play(writer, emulator, 100, np.random.default_rng(0))
    assert list(library.replays.glob("*.h5")) == []
    path = writer.publish("truncated", emulator.palette)
    assert [found.name for found in library.replays.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_an_episode_without_a_decision_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path)
    writer, emulator = begin(library)
    play(writer, emulator, 3, np.random.default_rng(0))
    with pytest.raises(CoachError, match="first decision"):
        writer.publish("abandoned", emulator.palette)
    assert list(library.replays.iterdir()) == []


def test_discarding_leaves_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path)
    writer, emulator = begin(library)
    play(writer, emulator, 200, np.random.default_rng(0))
    writer.discard()
    assert list(library.replays.iterdir()) == []


def test_a_plain_h5py_reader_finds_names_and_numbers_as_the_format_says(recorded: Path) -> None:
    with h5py.File(recorded) as file:
        assert list(file.attrs["demonstrator_kinds"]) == list(DEMONSTRATOR_KINDS)
        assert list(file.attrs["action_meanings"])[:2] == ["NOOP", "FIRE"]
        assert (file.attrs["format"], file.attrs["version"], file.attrs["game"]) == ("replay-coach", 1, "SpaceInvaders")
        assert file["frames"].shape == (201, 210, 160)
        assert file["rewards"].dtype == np.float32


@pytest.mark.parametrize("target", [0, 1, 62, 63, 64, 65, 127, 128, 199, 200])
def test_rewinding_to_any_frame_leaves_one_straight_episode(target: int, tmp_path: Path) -> None:
    writer, emulator = begin(Library(tmp_path))
    snapshots = [emulator.snapshot()]
    for _ in range(200):
        writer.append(2, RANDOM, emulator.step(2))
        snapshots.append(emulator.snapshot())
    writer.rewind_to(target)
    assert writer.frame_count == target
    emulator.restore(snapshots[target])
    play(writer, emulator, 90, np.random.default_rng(target))
    answer = verify(writer.publish("abandoned", emulator.palette))
    assert (answer.ok, answer.frames_checked) == (True, target + 91)


def test_rewinding_drops_the_markers_behind(tmp_path: Path) -> None:
    writer, emulator = begin(Library(tmp_path))
    for part in range(3):
        play(writer, emulator, 50, np.random.default_rng(part))
        writer.mark()
    writer.rewind_to(100)
    with ReplayFile(writer.publish("abandoned", emulator.palette)) as replay:
        assert replay.markers.tolist() == [50, 100]


def test_a_portable_copy_needs_no_plugin_and_is_as_true(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "portable.h5"
    with ReplayFile(recorded) as replay:
        copy.write_bytes(portable_image(replay))
    script = "import sys, h5py; print(h5py.File(sys.argv[1])['frames'][150].sum())"
    plain = subprocess.run([sys.executable, "-c", script, copy], capture_output=True, text=True, check=True)
    with ReplayFile(copy) as replay:
        assert int(plain.stdout) == replay.frames(150, 151).sum()
    assert verify(copy).ok


@pytest.mark.parametrize("name", ["\udcff", "a\0b", "two\nlines"])
def test_a_players_name_that_cannot_be_stored_is_refused_before_the_game_begins(name: str, tmp_path: Path) -> None:
    library, emulator = Library(tmp_path), Emulator("Pong")
    with pytest.raises(CoachError, match="plain text"):
        library.begin_episode(emulator.origin(name), "human", emulator.state())
    assert list(library.replays.iterdir()) == []


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_episode_that_is_written_is_read_back_equal(data: st.DataObject, tmp_path: Path) -> None:
    """Pictures and numbers are drawn at random: the file must not depend on what an emulator would show."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed"))
    count = data.draw(st.integers(4, 200), label="frames")
    height = data.draw(st.sampled_from([1, 210, 250, 256]), label="height")
    noise = rng.integers(0, 256, (height, 160), dtype=np.uint8)
    shown = [
        FrameState(
            noise + np.uint8(at % 256) if at % 50 == 0 else np.full((height, 160), at % 256, np.uint8),
            rng.integers(0, 256, 128, dtype=np.uint8),
            int(rng.integers(256)),
            float(np.float32(rng.normal() * 1000)),
            False,
        )
        for at in range(count + 1)
    ]
    texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
    names = tuple(data.draw(st.lists(texts, min_size=1, max_size=18), label="names"))
    player = data.draw(st.just("") | texts, label="player")
    marks = sorted(data.draw(st.sets(st.integers(1, count), max_size=5), label="marks"))
    origin = Origin("Pong", EmulatorSettings(seed=count), names, "0" * 32, "0.12", player)
    path = tmp_path / "replays" / f"{secrets.token_hex(8)}.h5"
    path.parent.mkdir(exist_ok=True)
    writer = ReplayWriter(path, origin, shown[0])
    actions = rng.integers(0, len(names), count)
    kinds = rng.integers(0, len(DEMONSTRATOR_KINDS), count)
    for at in range(count):
        writer.append(int(actions[at]), int(kinds[at]), shown[at + 1])
        if at + 1 in marks:
            writer.mark()
    palette = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    with ReplayFile(writer.publish("game_over", palette)) as replay:
        assert np.array_equal(replay.frames(), np.stack([state.screen for state in shown]))
        assert np.array_equal(replay.ram(), np.stack([state.ram for state in shown]))
        assert replay.lives.tolist() == [state.lives for state in shown]
        assert replay.rewards.tolist() == [state.reward for state in shown[1:]]
        assert replay.actions.tolist() == actions.tolist()
        assert replay.demonstrator.tolist() == kinds.tolist()
        assert replay.markers.tolist() == marks
        assert np.array_equal(replay.palette, palette)
        assert replay.origin == origin
        first, last = sorted(rng.integers(0, count + 1, 2).tolist())
        assert np.array_equal(replay.frames(first, last), replay.frames()[first:last])


def test_a_file_of_a_newer_version_is_refused_by_name(recorded: Path, tmp_path: Path) -> None:
    copy = writable_copy(recorded, tmp_path)
    with h5py.File(copy, "r+") as file:
        file.attrs["version"] = 2
    with pytest.raises(CoachError, match=r"format version 2.*Update"):
        ReplayFile(copy)


def test_later_additions_within_the_version_are_read_past(recorded: Path, tmp_path: Path) -> None:
    copy = writable_copy(recorded, tmp_path)
    with h5py.File(copy, "r+") as file:
        file.attrs["mood"] = "cheerful"
        file.create_dataset("heartbeat", data=np.arange(200))
        file.create_group("later").create_dataset("pressure", data=np.arange(3.0))
    with ReplayFile(copy) as replay:
        assert replay.frame_count == 200


def test_a_file_without_the_optional_checks_is_read_and_verified(recorded: Path, tmp_path: Path) -> None:
    copy = writable_copy(recorded, tmp_path)
    with h5py.File(copy, "r+") as file:
        del file["choice_checks"], file.attrs["attributes_sha256"], file["palette"].attrs["sha256"]
    assert verify(copy).ok


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused_in_one_sentence(share: float, recorded: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.h5"
    data = recorded.read_bytes()
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CoachError, match=r"cut\.h5") as told:
        ReplayFile(cut)
    assert "\n" not in str(told.value)


def test_what_is_no_hdf5_file_or_another_hdf5_file_is_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "text.h5", tmp_path / "other.h5"
    text.write_text("Dear diary")
    with h5py.File(other, "w") as file:
        file["frames"] = np.zeros(3)
    with pytest.raises(CoachError, match="not an HDF5 file"):
        ReplayFile(text)
    with pytest.raises(CoachError, match="not a replay file of Replay Coach"):
        ReplayFile(other)
    with pytest.raises(CoachError, match="Cannot read"):
        ReplayFile(tmp_path / "missing.h5")


def test_no_filter_plugins_are_loaded_from_elsewhere() -> None:
    paths = [h5py.h5pl.get(at) for at in range(h5py.h5pl.size())]
    assert paths == [str(hdf5plugin.PLUGIN_PATH).encode()]


def test_reading_frame_by_frame_equals_reading_at_once(recorded: Path) -> None:
    with ReplayFile(recorded) as replay:
        one_by_one = np.concatenate([replay.frames(at, at + 1) for at in range(201)])
        assert np.array_equal(one_by_one, replay.frames())


def test_the_emulator_palette_names_the_colours_of_the_frames(recorded: Path) -> None:
    emulator = Emulator("SpaceInvaders")
    with ReplayFile(recorded) as replay:
        assert np.array_equal(replay.palette[replay.frames(0, 1)[0]], emulator._ale.getScreenRGB())


def test_threads_may_read_and_record_at_the_same_time(recorded: Path) -> None:
    """Without a lock around HDF5 this fails, or ends the whole process, within seconds."""
    until = time.monotonic() + 3.0
    with ReplayFile(recorded) as replay:
        wanted = replay.frames(0, 64)

    def read() -> bool:
        equal = True
        while time.monotonic() < until:
            with ReplayFile(recorded) as replay:
                equal &= np.array_equal(replay.frames(0, 64), wanted)
        return equal

    def pack() -> bool:
        equal = True
        while time.monotonic() < until:
            equal &= np.array_equal(decompress_zstd(compress_zstd(wanted), wanted.shape), wanted)
        return equal

    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(work) for work in (read, read, read, pack, pack)]
    assert all(answer.result() for answer in answers)


def test_every_path_and_attribute_of_a_real_file_is_described(recorded: Path) -> None:
    described = (Path(__file__).parent.parent / "docs" / "file-format.md").read_text()
    with ReplayFile(recorded) as replay:
        names = [f"`/{name}`" for name in replay.h5py_file] + [f"`{name}`" for name in replay.attributes]
        names += [f"`{name}`" for name in json.loads(replay.attributes["settings"])]
    assert [name for name in names if name not in described] == []
