"""Episodes that enter a training while it runs: exactly once whatever is killed, and bit for bit after a resume."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from added_episodes import added, additions_of, library_of_two, lines, make_run
from agent_episodes import record_episode, small_config
from test_agent_training import assert_same_run
from test_recorder_play_from import attempt

import agent.additions as additions_module
import agent.later_verdicts as later_verdicts_module
import coach
from agent.added_memory import AddedMemory
from agent.addition_requests import request_episode, request_verdicts
from agent.config import TrainConfig
from agent.live_weights import newest_agent
from agent.training import train
from commands.add import giver
from commands.corrections import worst_moments
from commands.training_controller import LibraryTrainingController
from data.additions import Addition, AdditionsFolder
from data.clip import Clip, Verdict
from data.episode import demonstrator_index
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.moments import frames_of, read_moments, start_before
from data.replay_file import ReplayFile
from data.run_progress import Progress
from data.runs import RunFolder, open_run
from data.simulation import Emulator
from data.verification import verify
from recorder.controls import KeyMap
from recorder.play_from import PlayFromSession

HERE = Path(__file__).parent
RUN: dict[str, Any] = {
    **{"seed_from": ("human",), "deterministic": True, "steps": 72, "checkpoint_every": 24},
    **{"max_episode_frames": 200, "sampling": "prioritised", "network": "small"},
}


class Crash(BaseException):
    """Ends a training as a kill does: nothing more is written."""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    return library_of_two(tmp_path / "library", monkeypatch)


def train_with_addition(
    library: Library, run: str, config: TrainConfig, at: int = 40, then: Callable[[int], None] = lambda _: None
) -> None:
    """Train, and add the planner's episode after step ``at``; ``then`` is called with each later step."""

    def report(progress: Progress) -> None:
        if progress.phase == "training" and progress.step == at:
            added(library, run)
        if progress.phase == "training" and progress.step > at:
            then(progress.step)

    train(library, run, config, report=report)


def test_an_addition_equals_itself_after_every_kind_of_kill(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small_config(**RUN)
    train_with_addition(library, "whole", config)
    (line,) = lines(library, "whole")
    assert (line.kind, line.decisions, line.step, line.pretrained) == ("episode", 60, 40, 4)
    account = json.loads((library.run_folder("whole") / "seeding.json").read_text())
    (source,) = [source for source in account["sources"] if source["source"] == "coached"]
    assert (source["name"], source["decisions"]) == (line.episode, 60)
    assert account["coached"]["drawn"] == source["drawn"] > 0
    shown = LibraryTrainingController(library, "SpaceInvaders").additions("whole")
    assert shown == (
        f"60 decisions added so far, sampled {source['drawn']:,} times. Last: 60 decisions added at step 40."
    )

    def crash(*_: Any) -> None:
        raise Crash

    def before_the_line(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(AdditionsFolder, "record", crash)

    def after_the_line(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(AddedMemory, "append", crash)

    for number, prepare in enumerate((before_the_line, after_the_line)):
        run = f"killed-{number}"
        with monkeypatch.context() as patch:
            prepare(patch)
            with pytest.raises(Crash):
                train_with_addition(library, run, config)
        train(library, run, config, resume=True)
        if number:
            assert_same_run(library, "whole", run)
            same_additions(library, "whole", run)
        # Killed before the line was written, the request is taken where the training continues.
        assert [line.step for line in lines(library, run)] == [40 if number else 24]

    def kill_later(step: int) -> None:
        if step == 60:
            raise Crash

    with pytest.raises(Crash):
        train_with_addition(library, "killed-later", config, then=kill_later)
    train(library, "killed-later", config, resume=True)
    assert_same_run(library, "whole", "killed-later")
    same_additions(library, "whole", "killed-later")


def same_additions(library: Library, one: str, other: str) -> None:
    a, b = (sorted((library.run_folder(run) / "checkpoints").glob("0*"))[-1] / "added.npz" for run in (one, other))
    with np.load(a) as ours, np.load(b) as theirs:
        assert ours.files == theirs.files
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    ours, theirs = (
        [(line.episode, line.decisions, line.moment) for line in lines(library, run)] for run in (one, other)
    )
    assert ours == theirs


def test_a_stopped_training_takes_an_addition_when_it_is_resumed(library: Library) -> None:
    config = small_config(steps=24, network="small", learn_from_step=8)
    train(library, "first", config)
    request = added(library, "first")
    assert added(library, "first").already_here
    assert AdditionsFolder(library.run_folder("first")).waiting() == [request.request]
    (library.run_folder("first") / "additions" / "20260101T000000000000Z-damaged0.npz").write_bytes(b"PK")
    train(library, "first", small_config(steps=64, network="small", learn_from_step=8), resume=True)
    refused, line = lines(library, "first")
    assert (refused.kind, refused.decisions) == ("refused", 0)
    assert "Cannot read the arrays" in refused.reason
    assert (line.request, line.decisions, line.step) == (request.request, 60, 24)
    account = json.loads((library.run_folder("first") / "seeding.json").read_text())
    assert account["coached"]["drawn"] > 0


def test_an_episode_of_the_seeding_is_not_added_again(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    train(library, "first", small_config(steps=8, network="small", seed_from=("planner",)))
    (episode,) = [e.episode_id for e in library.episodes() if e.demonstrator == "planner"]
    assert coach.main(["--library", str(library.folder), "add", "first", episode]) == 0
    assert "is already in the seeding of first" in capsys.readouterr().out
    assert AdditionsFolder(library.run_folder("first")).request_names() == []


def test_a_full_disk_loses_no_addition(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small_config(steps=24, network="small")
    train(library, "first", config)
    added(library, "first")

    record, refusals = AdditionsFolder.record, iter(range(1000))
    full_until = 1000

    def full(folder: AdditionsFolder, line: Addition) -> None:
        if next(refusals) < full_until:
            raise CoachError("Cannot write additions.jsonl (No space left on device).")
        record(folder, line)

    monkeypatch.setattr(AdditionsFolder, "record", full)
    summary = train(library, "first", small_config(steps=32, network="small"), resume=True)
    assert "No space left on device" in summary.note
    # The disk has room again while the next training runs.
    monkeypatch.setattr(additions_module, "RETRY_SECONDS", 0.0)
    refusals, full_until = iter(range(1000)), 1
    summary = train(library, "first", small_config(steps=40, network="small"), resume=True)
    (line,) = lines(library, "first")
    assert 32 <= line.step < 40
    assert summary.note == ""


def test_verdicts_given_while_it_trains_take_effect_and_are_part_of_the_resume(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(steps=24, network="small", seed_from=("human",), sampling="prioritised", deterministic=True)
    train(library, "run-1", config)
    command = ["--library", str(library.folder), "add", "run-1", "--verdicts"]
    assert coach.main(command) == 2
    assert "Nothing has been judged yet" in capsys.readouterr().err
    (episode,) = [e.episode_id for e in library.episodes() if e.demonstrator == "human"]
    sampled: list[int] = []
    for step, verdict in ((32, "bad"), (40, "good")):
        with LabelDatabase(library.labels) as database:
            database.record(Verdict(Clip(episode, 100, 300), "Ada", verdict))
        assert coach.main(command) == 0
        train(library, "run-1", dataclasses.replace(config, steps=step), resume=True)
        account = json.loads((library.run_folder("run-1") / "seeding.json").read_text())
        sampled.append(account["sources"][0]["still_in_memory"])
    assert sampled == [50, 100]
    found = lines(library, "run-1")
    assert [(line.kind, line.decisions, line.step) for line in found] == [("verdicts", 50, 24), ("verdicts", 50, 32)]
    assert found[0].sentence() == "Verdicts on 50 decisions took effect at step 24."


class AtOnce:
    """An executor that does its work when it is submitted."""

    def __init__(self, *_: Any) -> None:
        pass

    def submit(self, work: Callable[..., Any], *arguments: Any) -> concurrent.futures.Future[Any]:
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            done.set_result(work(*arguments))
        except CoachError as error:
            done.set_exception(error)
        return done


def test_a_running_training_finds_new_verdicts_and_takes_them_once_whatever_is_killed(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later_verdicts_module, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(later_verdicts_module, "ThreadPoolExecutor", AtOnce)
    config = small_config(**RUN | {"pretrain_steps": 0})
    planned, seeded = [e.episode_id for e in library.episodes()][::-1]
    assert [e.demonstrator for e in library.episodes()] == ["human", "planner"]

    def report(progress: Progress) -> None:
        if progress.phase != "training" or progress.step not in (10, 30, 60):
            return
        if progress.step == 60:
            raise Crash
        with LabelDatabase(library.labels) as database:  # the first is about an episode that it does not learn from
            database.record(Verdict(Clip(planned if progress.step == 10 else seeded, 100, 300), "Ada", "bad"))

    with pytest.raises(Crash):
        train(library, "run-1", config, report=report, follow_verdicts=True)
    with LabelDatabase(library.labels) as database:  # while it is stopped
        database.record(Verdict(Clip(seeded, 0, 60), "Ada", "bad"))
    train(library, "run-1", config, resume=True, follow_verdicts=True)
    first, second = lines(library, "run-1")
    assert (first.kind, first.decisions, second.kind, second.decisions) == ("verdicts", 50, "verdicts", 15)
    assert 30 < first.step < 60
    assert second.step > first.step
    account = json.loads((library.run_folder("run-1") / "seeding.json").read_text())
    assert account["sources"][0]["still_in_memory"] == 35
    # An uninterrupted training with the same verdicts at the same step.
    for name in ("additions", "additions.jsonl"):
        source, target = library.run_folder("run-1") / name, library.run_folder("whole") / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    train(library, "whole", config, labels=library.folder / "nothing-judged.sqlite")
    assert_same_run(library, "whole", "run-1")


def test_verdicts_do_not_remove_decisions_that_were_added_on_request(library: Library) -> None:
    make_run(library)
    emulator = Emulator("SpaceInvaders")
    writer = library.begin_episode(emulator.origin("Ada"), "human", emulator.state())
    for number in range(400):
        kind = "human" if number < 200 else "agent"
        writer.append(0, demonstrator_index(kind), emulator.step(0))
    with ReplayFile(writer.publish("truncated", emulator.palette)) as replay:
        request_episode(open_run(library, "run-1"), replay, by="all")
    additions, trainer = additions_of(library)
    assert [line.decisions for line in additions.take(trainer, [])] == [100]
    verdicts = [Verdict(Clip(replay.episode_id, 0, 100), "Ada", "bad")]
    for given, touched in (([], 0), (verdicts, 25)):
        request_verdicts(open_run(library, "run-1"), library, lambda _, given=given: given)
        assert [line.decisions for line in additions.take(trainer, [])] == [touched]


def test_a_planner_corrects_the_worst_moments_of_a_training(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(
        steps=120, network="small", epsilon_start=0.2, epsilon_end=0.1, max_episode_frames=240, life_loss_ends=True
    )
    train(library, "run-1", config)
    folder = open_run(library, "run-1")
    moments = read_moments(folder)
    assert moments
    for moment in moments:
        *_, (state, emulator) = frames_of(folder, moment, 1.0)
        assert emulator.settings.seed == moment.seed
        assert not state.game_over
    command = ["--library", str(library.folder), "record", "--by", "planner", "--correct", "run-1", "--json"]
    assert coach.main([*command, "--moments", "1", "--seconds", "2", "--rollouts", "1", "--horizon", "2"]) == 0
    (fact,) = json.loads(capsys.readouterr().out)["corrections"]
    assert fact["moment"]["severity"] == max(moment.severity for moment in moments)
    assert verify(Path(fact["path"])).ok
    with ReplayFile(fact["path"]) as replay:
        start = replay.origin.started_from
        assert start is not None
        assert (start.run, start.step) == ("run-1", fact["moment"]["step"])
        assert replay.frame_count == 120
    assert coach.main([*command, "--game", "Pong"]) == 2
    assert "run-1 plays SpaceInvaders, not Pong." in capsys.readouterr().err
    game, settings, worst = start_before(folder, max(moments, key=lambda moment: moment.severity))
    session = PlayFromSession(library, game, settings, KeyMap(), "Ada", worst, giver(library, folder))
    attempt(session, 40)  # a person plays on from the same moment
    session.close()
    assert session.notice == "run-1 is not being trained; it will add 10 decisions when it is resumed."
    assert verify(session.paths[0]).ok
    train(library, "run-1", dataclasses.replace(config, steps=128), resume=True)
    line, of_person = lines(library, "run-1")
    assert (line.episode, line.decisions, line.step) == (Path(fact["path"]).stem, 30, 120)
    assert (of_person.episode, of_person.decisions) == (session.paths[0].stem, 10)
    left = worst_moments(folder, 100)
    assert start not in {start_before(folder, moment)[2] for moment in left}


def test_whoever_watches_a_training_sees_weights_that_are_newer_than_its_checkpoint(library: Library) -> None:
    steps: list[int] = []

    def report(progress: Progress) -> None:
        if progress.phase == "training":
            steps.append(newest_agent(open_run(library, "run-1")).step)

    train(library, "run-1", small_config(steps=64, network="small"), report=report)
    assert steps[0] == 0
    assert 0 < steps[-1] < 64, "written once on request, and then not for a while"
    assert newest_agent(open_run(library, "run-1")).step == 64


SCRIPT = """
import sys
from pathlib import Path
import agent.additions
from agent.config import TrainConfig
from agent.training import train
from data.library import Library
from data.run_progress import ProgressFile

agent.additions.POLL_SECONDS = 0.01
library = Library(Path(sys.argv[1]))
report = ProgressFile(library.run_folder("run-1").with_name(".run-1.progress.json")).write
train(library, "run-1", TrainConfig.from_json(sys.argv[2]), resume=len(sys.argv) > 3, report=report)
"""


def train_to(library: Library, run: str, config: TrainConfig, step: int, resume: bool = False) -> None:
    reached = 0

    def report(progress: Progress) -> None:
        nonlocal reached
        reached = progress.own_step

    train(library, run, config, resume=resume, report=report, should_stop=lambda: reached >= step)


def saved_in(folder: AdditionsFolder) -> tuple[int, set[str]]:
    """The step of the newest checkpoint, and the requests in its memory."""
    found = RunFolder(folder.run).newest_state()
    return (0, set()) if found is None else (found[1]["step"], set(found[1].get("additions", ())))


def recorded_in(folder: AdditionsFolder) -> set[str]:
    return {line.request for line in folder.taken()}


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_kills_at_any_moment_around_additions_lose_none_and_take_none_twice(library: Library) -> None:
    config = small_config(**RUN | {"steps": 100_000, "checkpoint_every": 16})
    rng = np.random.default_rng()
    arguments = [sys.executable, "-c", SCRIPT, str(library.folder), config.to_json()]
    run = RunFolder(library.run_folder("run-1"))
    folder = AdditionsFolder(run.path)
    wanted: set[str] = set()
    for number in range(10):
        process = subprocess.Popen([*arguments, "resume"] if number else arguments, cwd=HERE.parent, env=os.environ)
        deadline = time.monotonic() + 600
        while (found := run.training()) is None or found.process != process.pid or found.progress.phase != "training":
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        # Not by a person, so that the seeding of the second training is that of the first.
        episode = record_episode(library, 120 if number % 2 else 2400, seed=100 + number, kind="planner")
        stage, seconds = ("begun", "recorded", "saved")[number % 3], float(rng.uniform(0.0, 1.0))
        timer = threading.Timer(seconds, process.kill)
        if stage == "begun":
            timer.start()
        with ReplayFile(library.episode_path(episode)) as replay:
            request = request_episode(open_run(library, "run-1"), replay).request
        wanted.add(request)
        if stage != "begun":
            while request not in (saved_in(folder)[1] if stage == "saved" else recorded_in(folder)):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            timer.start()
        timer.join()
        process.wait()
        step, saved = saved_in(folder)
        where = "recorded" if request in recorded_in(folder) else "waiting"
        where = "in a checkpoint" if request in saved else where
        print(f"kill {number + 1}: {seconds:.2f} s after it was {stage}: it was {where}; checkpoint at step {step}")
    step = saved_in(folder)[0] + 400
    train_to(library, "run-1", config, step, resume=True)
    assert sorted(line.request for line in folder.taken()) == sorted(wanted)
    assert saved_in(folder)[1] == wanted
    # An uninterrupted training that takes the same additions at the same steps is the same, bit for bit.
    whole = library.run_folder("whole")
    shutil.copytree(folder.requests, whole / "additions")
    shutil.copy(folder.log, whole)
    train_to(library, "whole", config, step)
    assert_same_run(library, "whole", "run-1")
    same_additions(library, "whole", "run-1")
    print(f"10 kills, {len(wanted)} additions, {step} steps: equal to an uninterrupted training, bit for bit")
