"""A crash at any moment costs at most a second of the present episode, and nothing of the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from replay_episodes import RANDOM, TIME, begin, play, play_until_killed

from data.background_writer import WRITE_SECONDS
from data.errors import AnswerIsNo, CoachError
from data.journal import SUFFIX, read_journal
from data.library import Library
from data.recovery import recover, unfinished
from data.replay_file import ReplayFile
from data.replay_writer import ReplayWriter
from data.verification import verify

KILLS = 12
SOAK_KILLS = 200
AT_A_TIME = 4
LONGEST_LIFE_SECONDS = 2.4


@dataclass(frozen=True)
class Kill:
    """What a kill left, and what recovery made of it."""

    published_whole: int
    published: int
    recovered_true: bool
    lost_seconds: float
    """Beyond the time for which no thread of that process could write anything."""


def kill_at_a_random_moment(folder: Path, seed: int) -> Kill:
    notes = folder / "notes"
    notes.mkdir(parents=True)
    library = Library(folder / "library")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["replay_episodes"])
    player = context.Process(target=play_until_killed, args=(str(library.folder), str(notes), seed))
    player.start()
    while not list(library.replays.glob(f"*{SUFFIX}")) and player.is_alive():
        time.sleep(0.005)
    time.sleep(float(np.random.default_rng(seed).uniform(0.0, LONGEST_LIFE_SECONDS)))
    assert player.pid is not None
    killed = time.time()
    os.kill(player.pid, signal.SIGKILL)
    player.join()

    published = [line for line in (notes / "published").read_text().split("\n") if line]
    whole = sum(verify(library.replays / f"{episode}.h5").ok for episode in published)
    recovered = recover(library)
    lost = 0.0
    for times_file in notes.iterdir():
        if times_file.name in (*published, "published", "clock"):
            continue
        data = times_file.read_bytes()
        times = [TIME.unpack_from(data, at)[0] for at in range(TIME.size, len(data) - 7, TIME.size)]
        path = library.replays / f"{times_file.name}.h5"
        kept = 0
        if path.exists():
            with ReplayFile(path) as replay:
                kept = replay.frame_count
        if len(times) > max(kept, 3):
            lost = max(lost, killed - times[kept])
    clock = (notes / "clock").read_bytes()
    stalled = max(0.0, killed - TIME.unpack(clock)[0] - WRITE_SECONDS) if clock else 0.0
    return Kill(whole, len(published), all(verify(path).ok for path in recovered), lost - stalled)


def check_kills(folder: Path, count: int) -> None:
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        kills = list(pool.map(lambda seed: kill_at_a_random_moment(folder / str(seed), seed), range(count)))
    longest = max(kill.lost_seconds for kill in kills)
    published = sum(kill.published for kill in kills)
    print(f"{count} kills, {published} published episodes all whole, at most {longest:.2f} s of the present one lost")
    assert published
    assert [kill for kill in kills if kill.published_whole != kill.published or not kill.recovered_true] == []
    assert longest <= 1.0


@pytest.mark.timeout(600)
def test_a_kill_at_a_random_moment_costs_at_most_a_second_of_the_present_episode(tmp_path: Path) -> None:
    check_kills(tmp_path, KILLS)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_kills_cost_at_most_a_second_each(tmp_path: Path) -> None:
    check_kills(tmp_path, SOAK_KILLS)


def crash(writer: ReplayWriter) -> Path:
    """Leave a recording as a crash would: the journal as last synced, and nobody holding it."""
    writer._background.stop()
    writer._journal.close(keep=True)
    return writer.journal_path


def test_what_a_crash_left_is_listed_and_rebuilt_with_its_markers(tmp_path: Path) -> None:
    library = Library(tmp_path)
    writer, emulator = begin(library)
    shown = play(writer, emulator, 150, np.random.default_rng(1))
    writer.mark()
    shown += play(writer, emulator, 50, np.random.default_rng(2))
    crash(writer)

    assert [(left.game, left.player, left.frame_count) for left in unfinished(library)] == [
        ("SpaceInvaders", "Ada", 200)
    ]
    (path,) = recover(library)
    assert path == writer.path
    with ReplayFile(path) as replay:
        assert replay.markers.tolist() == [150]
        assert np.array_equal(replay.frames(1), np.stack([state.screen for state in shown]))
        assert replay.ended_by == "abandoned"
        assert set(replay.demonstrator.tolist()) == {RANDOM}
    assert verify(path).ok
    assert unfinished(library) == []
    assert list(library.replays.glob(f"*{SUFFIX}")) == []


def test_an_episode_that_is_being_recorded_is_left_alone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    writer, emulator = begin(library)
    play(writer, emulator, 100, np.random.default_rng(0))
    writer._journal.sync()
    assert unfinished(library) == []
    assert recover(library) == []
    with pytest.raises(CoachError, match="being recorded"):
        recover(library, [writer.journal_path])
    play(writer, emulator, 100, np.random.default_rng(0))
    assert verify(writer.publish("abandoned", emulator.palette)).frames_checked == 201


def test_a_rewind_is_recovered_as_the_one_straight_episode(tmp_path: Path) -> None:
    library = Library(tmp_path)
    writer, emulator = begin(library)
    play(writer, emulator, 90, np.random.default_rng(1))
    snapshot = emulator.snapshot()
    play(writer, emulator, 90, np.random.default_rng(2))
    writer._journal.sync()
    emulator.restore(snapshot)
    writer.rewind_to(90)
    again = play(writer, emulator, 70, np.random.default_rng(3))
    crash(writer)
    (path,) = recover(library)
    with ReplayFile(path) as replay:
        assert replay.frame_count == 160
        assert np.array_equal(replay.frames(91), np.stack([state.screen for state in again]))


def test_a_journal_cut_anywhere_gives_a_true_beginning_of_the_episode(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    writer, emulator = begin(library)
    for part in range(5):
        play(writer, emulator, 40, np.random.default_rng(part))
        writer._journal.sync()
    text = crash(writer).read_bytes()
    contents = read_journal(writer.journal_path)
    whole, ends_of_records = contents.actions, {0, *contents.ram_checks}
    first_line = text.index(b"\n") + 1
    for cut in np.linspace(first_line, len(text), 25).astype(int):
        writer.journal_path.write_bytes(text[:cut])
        assert whole.startswith(read_journal(writer.journal_path).actions)
        assert read_journal(writer.journal_path).frame_count in ends_of_records
    changed = bytearray(text)
    changed[(first_line + len(text)) // 2] ^= 1
    writer.journal_path.write_bytes(changed)
    assert whole.startswith(read_journal(writer.journal_path).actions)


def test_a_journal_that_this_emulator_does_not_reproduce_stays_and_no_file_is_made(tmp_path: Path) -> None:
    library = Library(tmp_path)
    writer, emulator = begin(library)
    for _ in range(300):
        state = emulator.step(2)
        writer.append(0, RANDOM, state)
    journal = crash(writer)
    with pytest.raises(AnswerIsNo, match="does not reproduce"):
        recover(library)
    assert journal.exists()
    assert library.episodes() == []


def test_an_episode_can_be_recovered_to_another_library(tmp_path: Path) -> None:
    library, other = Library(tmp_path / "full"), Library(tmp_path / "other")
    writer, emulator = begin(library)
    play(writer, emulator, 100, np.random.default_rng(0))
    journal = crash(writer)
    (path,) = recover(library, [journal], into=other)
    assert path.parent == other.replays
    assert verify(path).ok
    assert [summary.frame_count for summary in other.episodes()] == [100]
