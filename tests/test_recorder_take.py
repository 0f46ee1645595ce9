"""Takes and sessions without a window: rewinding, restarting, keeping, discarding, taking over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.clip import Clip, Verdict
from data.continuation import read_unended
from data.episode import EmulatorSettings, FrameState
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.pace_report import PaceReport
from data.recovery import recover
from data.replay_file import ReplayFile
from data.simulation import Emulator, simulate
from data.verification import verify
from recorder import take as take_module
from recorder.key_map import KeyMap
from recorder.random_play import RandomPlay
from recorder.session import Session
from recorder.session_keys import SessionKeys
from recorder.stage import COUNTDOWN_TICKS, Stage
from recorder.take import Take


def a_take(folder: Path, demonstrator: object = None, **settings: float) -> Take:
    chosen = demonstrator or RandomPlay()
    rng = np.random.default_rng(1)
    return Take(Library(folder), "SpaceInvaders", EmulatorSettings(**settings), chosen, rng)


def play_on(take: Take, frames: int) -> None:
    for _ in range(frames):
        take.advance()


def assert_simulates_equal(path: Path) -> None:
    with ReplayFile(path) as replay:
        frames, ram = replay.frames(), replay.ram()
        for number, state in enumerate(simulate(replay.origin, replay.actions)):
            assert np.array_equal(state.screen, frames[number]), f"frame {number} differs"
            assert np.array_equal(state.ram, ram[number])
            assert state.lives == replay.lives[number]
        assert number == replay.frame_count


class Watcher:
    """Plays at random and remembers the last frame that it was shown at each decision."""

    kind = "agent"

    def __init__(self) -> None:
        self.seen: list[FrameState] = []
        self._random = RandomPlay()

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self.seen = []
        self._random.begin(emulator, rng)

    def choose(self, frames: Sequence[FrameState]) -> int:
        self.seen.append(frames[-1])
        return self._random.choose(frames)


@pytest.mark.parametrize("sticky", [0.0, 0.25])
def test_a_take_that_was_rewound_often_is_one_straight_episode(tmp_path: Path, sticky: float) -> None:
    take = a_take(tmp_path, repeat_action_probability=sticky)
    for forward, back in [(200, 140), (130, 7), (5, 100), (64, 0), (250, 61), (9, 240)]:
        play_on(take, forward)
        take.look_at(take.frame - back)
    play_on(take, 33)
    assert_simulates_equal(take.keep())


def test_looking_back_and_coming_forward_again_drops_nothing(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 150)
    screen, score = take.state.screen, take.score
    for frame in (0, 70, 10_000):
        take.look_at(frame)
    assert np.array_equal(take.state.screen, screen)
    assert (take.frame, take.recorded_frames, take.score) == (150, 150, score)
    play_on(take, 50)
    path = take.keep()
    with ReplayFile(path) as replay:
        assert replay.frame_count == 200
        assert replay.decisions().mixed_share == 0.0
    assert_simulates_equal(path)


def test_what_is_looked_at_is_what_was_recorded_there(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    states = [take.state]
    for _ in range(300):
        states.append(take.advance().after)
    for frame in (299, 123, 60, 59, 0, 244):
        take.look_at(frame)
        assert take.frame == frame - frame % 4
        assert np.array_equal(take.state.screen, states[take.frame].screen)
        assert take.score == sum(state.reward for state in states[: take.frame + 1])


def test_a_take_can_be_played_on_after_game_over_by_looking_back(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    while not take.over:
        take.advance()
    end = take.recorded_frames
    take.look_at(end - 200)
    assert not take.over
    play_on(take, 40)
    path = take.keep()
    with ReplayFile(path) as replay:
        assert (replay.ended_by, replay.frame_count) == ("abandoned", end - 200 - (end - 200) % 4 + 40)
    assert_simulates_equal(path)


def test_an_episode_kept_while_looking_back_is_kept_whole(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 100)
    take.look_at(20)
    with ReplayFile(take.keep()) as replay:
        assert replay.frame_count == 100


def test_markers_beyond_the_rewound_frame_are_gone(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 40)
    take.mark()
    play_on(take, 40)
    take.mark()
    take.look_at(60)
    assert take.marker_count == 1
    play_on(take, 8)
    with ReplayFile(take.keep()) as replay:
        assert replay.markers.tolist() == [40]


def test_after_a_rewind_a_demonstrator_has_seen_the_frames_that_led_here(tmp_path: Path) -> None:
    watcher = Watcher()
    take = a_take(tmp_path, watcher)
    play_on(take, 200)
    before = list(watcher.seen)
    take.look_at(100)
    take.advance()
    led_here = before[100 // 4 - take_module.MEMORY_DECISIONS : 100 // 4 + 1]
    assert len(watcher.seen) == len(led_here)
    for seen, expected in zip(watcher.seen, led_here, strict=True):
        assert np.array_equal(seen.screen, expected.screen)


class Player:
    """A session and a hand that presses its keys, without a window."""

    def __init__(self, folder: Path, key_map: KeyMap | None = None, **more: object) -> None:
        settings = EmulatorSettings(**more.pop("settings", {}))
        self.session = Session(Library(folder), "SpaceInvaders", settings, key_map or KeyMap(), **more)
        self.keys = SessionKeys(self.session)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys.down(key)
            self.keys.up(key)

    def ticks(self, number: int) -> None:
        for _ in range(number):
            self.session.frame_due()
            self.session.tick()

    def episodes(self) -> list[tuple[int, str]]:
        found = []
        for path in self.session.paths:
            assert_simulates_equal(path)
            with ReplayFile(path) as replay:
                found.append((replay.frame_count, replay.ended_by))
        return found

    def actions(self) -> list[str]:
        with ReplayFile(self.session.paths[-1]) as replay:
            return [replay.origin.action_meanings[action] for action in replay.actions]


@pytest.fixture
def player(tmp_path: Path) -> Iterator[Player]:
    player = Player(tmp_path)
    yield player
    if not player.session.closed:
        player.session.close()


def files_in(folder: Path) -> list[str]:
    return [path.name for path in (folder / "replays").iterdir()] if (folder / "replays").is_dir() else []


def test_nothing_is_recorded_before_the_first_game_key(player: Player, tmp_path: Path) -> None:
    player.ticks(30)
    player.press("m", "k", "x")
    assert (player.session.stage, player.session.take.frame) == (Stage.READY, 0)
    assert files_in(tmp_path) == []


def test_the_key_that_starts_the_episode_is_its_first_action(player: Player) -> None:
    player.press("space")
    player.ticks(8)
    player.press("escape", "return")
    assert player.actions() == ["FIRE"] * 4 + ["NOOP"] * 4


def test_keys_are_latched_at_decisions(player: Player) -> None:
    player.press("return")
    player.ticks(6)
    player.keys.down("left")
    player.ticks(4)
    player.keys.up("left")
    player.ticks(6)
    player.press("escape", "return")
    assert player.actions() == ["NOOP"] * 8 + ["LEFT"] * 4 + ["NOOP"] * 4


def test_with_a_frame_skip_of_one_keys_act_at_every_frame(tmp_path: Path) -> None:
    player = Player(tmp_path, settings={"frame_skip": 1})
    player.press("return")
    player.ticks(2)
    player.keys.down("left")
    player.ticks(1)
    player.keys.up("left")
    player.ticks(2)
    player.session.close()
    assert player.actions() == ["NOOP", "NOOP", "LEFT", "NOOP", "NOOP"]


def test_a_pause_leaves_no_trace_in_the_episode(player: Player) -> None:
    player.press("return")
    player.ticks(10)
    player.press("p")
    player.keys.down("left")
    player.ticks(50)
    player.keys.up("left")
    player.press("p")
    player.ticks(10)
    player.press("escape", "return")
    assert player.episodes() == [(20, "abandoned")]
    assert set(player.actions()) == {"NOOP"}


def test_a_window_without_the_keyboard_pauses_and_lets_all_keys_go(player: Player) -> None:
    player.press("return")
    player.keys.down("left")
    player.ticks(4)
    player.session.pause()
    assert player.session.stage is Stage.PAUSED
    player.press("p")
    player.ticks(4)
    player.press("escape", "return")
    assert player.actions() == ["LEFT"] * 4 + ["NOOP"] * 4


def test_space_counts_down_and_the_space_does_not_fire(player: Player) -> None:
    player.press("return")
    player.ticks(8)
    player.press("p", "space")
    player.ticks(COUNTDOWN_TICKS - 1)
    assert (player.session.stage, player.session.take.frame) == (Stage.COUNTDOWN, 8)
    player.ticks(9)
    player.press("escape", "return")
    assert player.episodes() == [(16, "abandoned")]
    assert set(player.actions()) == {"NOOP"}


def test_holding_backspace_goes_back_and_space_goes_on_from_there(player: Player) -> None:
    player.press("return")
    player.keys.down("left")
    player.ticks(120)
    player.keys.up("left")
    player.keys.down("backspace")
    player.ticks(10)
    player.keys.up("backspace")
    assert (player.session.stage, player.session.take.frame) == (Stage.PAUSED, 80)
    player.press("space")
    player.ticks(COUNTDOWN_TICKS - 1 + 21)
    player.press("escape", "return")
    assert player.episodes() == [(100, "abandoned")]
    assert player.actions() == ["LEFT"] * 80 + ["NOOP"] * 20


def test_forward_looks_at_what_is_recorded_and_then_plays_decision_by_decision(player: Player) -> None:
    player.press("return")
    player.ticks(20)
    player.press("p")
    player.session.take.look_at(12)
    player.press("n", "n")
    assert (player.session.take.frame, player.session.take.recorded_frames) == (20, 20)
    player.keys.down("left")
    player.press("n")
    player.keys.up("left")
    player.press("n", "escape", "return")
    assert player.actions() == ["NOOP"] * 20 + ["LEFT"] * 4 + ["NOOP"] * 4


def test_starting_over_drops_the_take_and_can_be_undone(player: Player, tmp_path: Path) -> None:
    player.press("return")
    player.ticks(20)
    player.press("r")
    assert player.session.stage is Stage.READY
    player.press("u")
    assert (player.session.stage, player.session.take.frame) == (Stage.PAUSED, 20)
    player.press("r", "return")
    player.ticks(8)
    player.press("escape", "return")
    player.session.close()
    assert player.episodes() == [(8, "abandoned")]
    assert files_in(tmp_path) == [player.session.paths[0].name]


@pytest.mark.parametrize("key", ["delete", "backspace"])
def test_a_discarded_episode_leaves_no_file_but_can_be_brought_back(player: Player, tmp_path: Path, key: str) -> None:
    player.press("return")
    player.ticks(20)
    player.press("escape")
    assert player.session.stage is Stage.ENDED
    player.press(key, "u", "escape", key)
    assert [episode.kept for episode in player.session.episodes] == [False]
    player.session.close()
    assert player.session.paths == []
    assert files_in(tmp_path) == []


def test_game_over_ends_the_episode_and_asks(player: Player) -> None:
    player.press("return")
    while player.session.stage is Stage.PLAYING:
        player.ticks(1)
    assert (player.session.stage, player.session.take.ended_by) == (Stage.ENDED, "game_over")
    player.press("return")
    assert player.episodes()[0][1] == "game_over"
    assert player.session.stage is Stage.READY


def test_from_game_over_one_can_go_back_into_the_episode(player: Player) -> None:
    player.press("return")
    while player.session.stage is Stage.PLAYING:
        player.ticks(1)
    player.press("p")
    assert player.session.stage is Stage.PAUSED
    assert not player.session.take.over
    player.press("p")
    player.ticks(8)
    player.session.close()
    assert player.episodes()[0][1] == "abandoned"


def test_closing_in_mid_episode_keeps_it_as_abandoned(player: Player) -> None:
    player.press("return")
    player.ticks(30)
    player.session.close()
    assert player.episodes() == [(30, "abandoned")]


def test_closing_before_the_first_decision_keeps_nothing(player: Player, tmp_path: Path) -> None:
    player.press("return")
    player.ticks(3)
    player.session.close()
    assert (player.session.paths, files_in(tmp_path)) == ([], [])


def test_escape_with_no_episode_leaves(player: Player) -> None:
    player.press("escape")
    assert player.session.closed


def test_markers_are_in_the_file(player: Player) -> None:
    player.press("return")
    player.ticks(20)
    player.press("k", "k")
    player.ticks(10)
    player.press("k", "escape", "return")
    with ReplayFile(player.session.paths[0]) as replay:
        assert replay.markers.tolist() == [20, 30]


def abandoned(folder: Path, frames: int = 42) -> Path:
    """An episode that was left, of so many frames: LEFT held, with a marker at frame 20."""
    player = Player(folder, player="Ann")
    player.keys.down("left")
    player.ticks(20)
    player.press("k")
    player.ticks(frames - 20)
    player.session.close()
    return player.session.paths[0]


def going_on(folder: Path, old: Path, frames: int = 42) -> Player:
    player = Player(folder, unended=read_unended(old))
    while player.session.stage is Stage.COMING_BACK:
        player.ticks(1)
    assert (player.session.stage, player.session.take.frame) == (Stage.PAUSED, frames - frames % 4)
    return player


def test_an_episode_that_was_left_goes_on_later_as_one_straight_episode(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    verdict = Verdict(Clip(old.stem, 0, 40), "Cy", "good")
    with LabelDatabase(Library(tmp_path).labels) as labels:
        labels.record(verdict)
    player = going_on(tmp_path, old)
    player.press("p")
    player.ticks(20)
    player.press("escape", "return")
    assert player.episodes() == [(60, "abandoned")]
    assert player.actions() == ["LEFT"] * 40 + ["NOOP"] * 20
    (new,) = player.session.paths
    with ReplayFile(new) as replay:
        assert (replay.markers.tolist(), replay.origin.player) == ([20], "Ann")
    assert verify(new).ok
    assert [episode.path for episode in Library(tmp_path).episodes()] == [str(new)]
    assert (tmp_path / "continued" / old.name).is_file()
    with LabelDatabase(Library(tmp_path).labels) as labels:
        assert [found.clip for found in labels.verdicts(new.stem)] == [Clip(new.stem, 0, 40)]
    assert player.session.next is not None
    assert player.session.next.unended is None, "ordinary play follows"


def test_an_episode_that_goes_on_can_be_rewound_into_what_was_played_before(tmp_path: Path) -> None:
    player = going_on(tmp_path, abandoned(tmp_path))
    player.session.take.look_at(24)
    player.press("p")
    player.ticks(8)
    player.session.close()
    assert player.session.take.common_frames == 24
    assert player.actions() == ["LEFT"] * 24 + ["NOOP"] * 8
    assert_simulates_equal(player.session.paths[0])


def test_an_episode_that_was_brought_back_and_not_played_on_stays_as_it_was(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    going_on(tmp_path, old).session.close()
    player = going_on(tmp_path, old)
    player.press("p")
    player.ticks(8)
    player.press("escape", "delete")
    player.session.close()
    left = Player(tmp_path, unended=read_unended(old))
    left.press("escape")
    left.session.close()
    assert files_in(tmp_path) == [old.name]


def crash(player: Player) -> None:
    """As after a kill: the journal is on the disk, and nobody holds it."""
    writer = player.session.take._writer
    assert writer is not None
    writer._keeper.stop()
    writer._journal.close(keep=True)


def test_a_crash_while_an_episode_goes_on_leaves_it_once(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    player = going_on(tmp_path, old)
    player.press("p")
    player.ticks(20)
    crash(player)
    (new,) = recover(Library(tmp_path))
    assert verify(new).ok
    assert [(e.path, e.frame_count) for e in Library(tmp_path).episodes()] == [(str(new), 60)]
    assert (tmp_path / "continued" / old.name).is_file()


def test_a_crash_before_anything_new_was_played_leaves_the_episode_as_it_was(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    crash(going_on(tmp_path, old))
    assert recover(Library(tmp_path)) == []
    assert files_in(tmp_path) == [old.name]


def test_only_an_episode_left_before_its_end_goes_on(player: Player) -> None:
    player.press("return")
    while player.session.stage is Stage.PLAYING:
        player.ticks(1)
    player.press("return")
    with pytest.raises(CoachError, match="is over"):
        read_unended(player.session.paths[0])


def test_an_episode_that_this_emulator_does_not_reproduce_is_left_alone(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    unended = read_unended(old)
    player = Player(tmp_path, unended=replace(unended, last_ram=unended.last_ram ^ 1))
    while not player.session.closed:
        player.ticks(1)
    assert player.session.next is not None
    assert "does not reproduce" in player.session.next.notice
    player.session.close()
    assert files_in(tmp_path) == [old.name]


def test_how_evenly_the_frames_came_is_in_the_file(player: Player) -> None:
    player.press("return")
    for late in (0.0, 0.0005, 0.0021, 0.030, 0.0):
        player.session.frame_due(late)
    player.press("escape", "return")
    with ReplayFile(player.session.paths[0]) as replay:
        assert replay.pace == PaceReport(5, 2, 0.030)
    assert verify(player.session.paths[0]).ok


@pytest.mark.parametrize(
    "told", [None, 7, "{}", "[]", '{"frames": 2, "late_frames": 3, "worst_seconds": 0}', "[" * 100_000]
)
def test_a_pace_that_makes_no_sense_is_passed_over(told: object) -> None:
    assert PaceReport.from_json(told) is None


def test_changed_keys_play(tmp_path: Path) -> None:
    player = Player(tmp_path, KeyMap().with_key("left", "j").with_key("marker", "x"))
    player.press("left")
    assert player.session.stage is Stage.READY
    player.press("j")
    player.ticks(4)
    player.press("x")
    player.session.close()
    assert player.actions() == ["LEFT"] * 4
    with ReplayFile(player.session.paths[0]) as replay:
        assert replay.markers.tolist() == [4]


def test_each_frame_says_who_chose_it_when_the_controls_are_taken_over(tmp_path: Path) -> None:
    player = Player(tmp_path, other=Watcher())
    player.press("return")
    player.ticks(20)
    player.press("t")
    player.keys.down("left")
    player.ticks(20)
    player.press("t")
    player.keys.up("left")
    player.ticks(20)
    player.session.close()
    ((frames, _),) = player.episodes()
    with ReplayFile(player.session.paths[0]) as replay:
        kinds = [replay.demonstrator_kinds[kind] for kind in replay.demonstrator]
        assert frames == 60
        assert kinds == ["agent"] * 20 + ["human"] * 20 + ["agent"] * 20
        assert {player.actions()[frame] for frame in range(20, 40)} == {"LEFT"}


def test_an_episode_that_was_only_watched_is_not_kept_when_the_window_closes(tmp_path: Path) -> None:
    player = Player(tmp_path, other=Watcher())
    player.press("return")
    player.ticks(20)
    player.session.close()
    assert (player.session.paths, files_in(tmp_path)) == ([], [])


def test_a_library_that_cannot_be_written_any_more_is_told_and_nothing_is_lost(player: Player, tmp_path: Path) -> None:
    player.press("return")
    player.ticks(20)
    player.press("escape")
    hidden = (tmp_path / "replays").rename(tmp_path / "elsewhere")
    player.press("return")
    assert player.session.stage is Stage.ENDED
    assert "could not be written" in player.session.notice
    hidden.rename(tmp_path / "replays")
    player.press("return")
    assert player.episodes() == [(20, "abandoned")]
