"""Play, judge, train: the whole loop in real windows on a virtual screen, driven by real keys from outside."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from pathlib import Path

import pytest

import coach
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from tests.conftest import VirtualDisplay, running_coach


def hold(display: VirtualDisplay, seconds: float, *keys: str) -> None:
    display.xdotool("keydown", *keys)
    time.sleep(seconds)
    display.xdotool("keyup", *keys)


def spans(replay: ReplayFile) -> list[tuple[str, int, int]]:
    """(action, first frame, frames) of each span of one action."""
    found, frame = [], 0
    for action, rows in itertools.groupby(replay.actions.tolist()):
        length = len(list(rows))
        found.append((replay.origin.action_meanings[action], frame, length))
        frame += length
    return found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(tmp_path_factory.mktemp("whole_loop"))


def test_a_person_plays_and_the_file_holds_what_the_keys_said(
    virtual_display: VirtualDisplay, library: Library
) -> None:
    with running_coach(virtual_display, library, "play", "--player", "Ada", "--seed", "5") as process:
        virtual_display.wait_for_window("ready - Space Invaders", process)
        hold(virtual_display, 1.0, "Right")
        hold(virtual_display, 1.0, "space")
        hold(virtual_display, 1.0, "Left", "space")
        hold(virtual_display, 1.0, "d")
        virtual_display.xdotool("key", "Escape")
        virtual_display.wait_for_window("save or discard", process)
        virtual_display.xdotool("key", "Return")
        virtual_display.wait_for_window("ready - Space Invaders", process)
        virtual_display.xdotool("key", "Escape")
    [path] = library.replays.glob("*.h5")
    with ReplayFile(path) as replay:
        played = spans(replay)
        assert replay.origin.player == "Ada"
        assert replay.ended_by == "abandoned"
        assert {replay.demonstrator_kinds[kind] for kind in replay.demonstrator} == {"human"}
    assert all(first % 4 == 0 for _, first, _ in played), "actions change at decisions only"
    long_ones = [action for action, _, frames in played if action != "NOOP" and frames >= 24]
    assert long_ones == ["RIGHT", "FIRE", "LEFTFIRE", "RIGHT"]


def test_what_was_played_verifies(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert coach.main(["verify", str(library.replays), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_a_window_closed_in_mid_episode_keeps_it(virtual_display: VirtualDisplay, library: Library) -> None:
    before = set(library.replays.glob("*.h5"))
    with running_coach(virtual_display, library, "play", "--player", "Ada", "--seed", "6") as process:
        window = virtual_display.wait_for_window("ready - Space Invaders", process)
        hold(virtual_display, 0.8, "Left")
        virtual_display.ask_to_close(window)
    [path] = set(library.replays.glob("*.h5")) - before
    with ReplayFile(path) as replay:
        assert replay.ended_by == "abandoned"
        assert "LEFT" in [action for action, _, _ in spans(replay)]


def test_a_person_judges_and_every_verdict_is_in_the_database(
    virtual_display: VirtualDisplay, library: Library
) -> None:
    with running_coach(virtual_display, library, "curate", "--curator", "Ada", "--queue", "uniform") as process:
        virtual_display.wait_for_window("curating, ", process)
        verdicts = []
        for key, verdict in (("g", "good"), ("b", "bad")):
            virtual_display.xdotool("key", key)
            verdicts.append(verdict)
            virtual_display.wait_until(lambda: len(standing(library)) == len(verdicts), f"{verdict} in the database")
        assert [one for _, one in standing(library)] == verdicts
        virtual_display.xdotool("key", "BackSpace")
        virtual_display.wait_until(lambda: len(standing(library)) == 1, "the verdict taken back")
        virtual_display.xdotool("key", "g")
        virtual_display.wait_until(lambda: len(standing(library)) == 2, "a verdict again")
        virtual_display.xdotool("key", "Escape")
    assert [verdict for _, verdict in standing(library)] == ["good", "good"]


def standing(library: Library) -> list[tuple[str, str]]:
    """(curator, verdict) of all standing verdicts, oldest first."""
    labels = LabelDatabase.open_existing(library.labels)
    if labels is None:
        return []
    with labels:
        found = sorted(labels.verdicts(), key=lambda verdict: verdict.given)
    return [(verdict.curator, verdict.verdict) for verdict in found]


def test_an_agent_trains_on_what_was_approved_and_can_be_measured_and_filmed(
    library: Library, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    common = ["--library", str(library.folder)]
    settings = ["--steps", "40", "--pretrain-steps", "4", "--memory-size", "2000", "--batch-size", "8"]
    seeding = ["--seed-from", "human", "--keep", "good", "--evaluate-every", "0", "--hidden-units", "32"]
    assert coach.main([*common, "train", "--run", "first", *settings, *seeding, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["seeded_decisions"] > 0
    assert summary["step"] == 40
    assert coach.main([*common, "evaluate", "first", "--episodes", "2", "--json"]) == 0
    evaluation = json.loads(capsys.readouterr().out)
    assert evaluation["low"] <= evaluation["mean"] <= evaluation["high"]
    film = tmp_path / "first.gif"
    assert coach.main([*common, "watch", "first", "--gif", str(film), "--seconds", "2", "--json"]) == 0
    assert film.read_bytes()[:6] == b"GIF89a"


def test_each_episode_of_a_trained_agent_is_another_game_unless_it_acts_without_any_chance(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apart = Library(tmp_path / "apart")
    shutil.copytree(library.runs, apart.runs)
    record = ["--library", str(apart.folder), "record", "--by", "agent:first", "--episodes", "2", "--seed", "1"]
    assert coach.main([*record, "--max-frames", "1600"]) == 0
    assert "identical to another" not in capsys.readouterr().out
    assert coach.main([*record, "--max-frames", "160", "--epsilon", "0"]) == 0
    assert "1 of them is identical to another" in " ".join(capsys.readouterr().out.split())


def test_a_trained_agents_play_seeds_another_agent(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--library", str(library.folder)]
    assert coach.main([*common, "record", "--by", "agent:first", "--max-frames", "400", "--json"]) == 0
    [episode] = json.loads(capsys.readouterr().out)["episodes"]
    assert (episode["demonstrator"], episode["player"]) == ("agent", "first")
    settings = ["--steps", "8", "--pretrain-steps", "2", "--memory-size", "2000", "--batch-size", "8"]
    seeding = ["--seed-from", "agent:first", "--evaluate-every", "0", "--hidden-units", "32"]
    assert coach.main([*common, "train", "--run", "second", *settings, *seeding, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seeded_decisions"] == 100
