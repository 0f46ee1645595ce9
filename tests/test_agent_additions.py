"""Episodes that enter a training while it runs: exactly once whatever is killed, and bit for bit after a resume."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from agent_episodes import record_episode, small_config
from test_agent_training import assert_same_run
from test_recorder_play_from import attempt

import agent.added_memory as added_memory_module
import agent.addition_requests as requests_module
import agent.additions as additions_module
import agent.later_verdicts as later_verdicts_module
import agent.progress as progress_module
import coach
from agent.added_memory import ANNEAL_STEPS, AddedMemory
from agent.addition_requests import Requested, request_episode, request_verdicts
from agent.additions import Additions
from agent.array_file import read_arrays
from agent.config import TrainConfig
from agent.live_weights import newest_agent
from agent.replay_memory import ReplayMemory
from agent.sampling import PrioritisedSampler, UniformSampler
from agent.slots import MemoryRules
from agent.trainer import Generators, Trainer
from agent.training import train
from agent.trust import NOTHING
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
    monkeypatch.setattr(additions_module, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(additions_module, "READING_SECONDS", 60.0)
    monkeypatch.setattr(progress_module, "REPORT_SECONDS", 0.0)
    made = Library(tmp_path / "library")
    record_episode(made, 400, seed=1, kind="human")
    record_episode(made, 240, seed=2, kind="planner")
    return made


def added(library: Library, run: str, kind: str = "planner") -> Requested:
    (path,) = [Path(e.path) for e in library.episodes() if e.demonstrator == kind]
    with ReplayFile(path) as replay:
        return request_episode(open_run(library, run), replay)


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


def lines(library: Library, run: str) -> list[Addition]:
    return AdditionsFolder(library.run_folder(run)).taken()


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


# ---- without a network -----------------------------------------------------------------------------------------------

RULES = MemoryRules(ages=(0, 1, 2, 3), n_steps=3, discount=0.9, reward="points", evict_seed=False)


def memory_with(decisions: int, offset: int = 0) -> ReplayMemory:
    memory = ReplayMemory(RULES, lambda _: UniformSampler(), own_slots=decisions + 2)
    memory.begin(np.full((84, 84), offset % 251, np.uint8))
    for number in range(decisions):
        memory.add(number % 3, 1.0, False, np.full((84, 84), (offset + number) % 251, np.uint8), source=0, imitate=1)
    memory.end()
    return memory


@pytest.mark.parametrize("sampler", [lambda _: UniformSampler(), lambda n: PrioritisedSampler(n, 0.6, 0.001, 1.0)])
def test_added_transitions_are_those_of_their_files_however_much_is_added(
    sampler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(added_memory_module, "FIRST_SLOTS", 64)
    together = AddedMemory(RULES, sampler)
    parts = [memory_with(count, 7 * count) for count in (60, 90, 10)]
    first = 0
    for source, part in enumerate(parts):
        together.append(together.place(part.observations[: part.written]), part.columns_used(), source, 10 * source)
        slots = np.flatnonzero(part.columns["ready"])
        ours, theirs = together.batch(slots + first), part.batch(slots)
        for name in ("stacks", "actions", "returns", "next_stacks", "imitate"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        first += part.written
    assert len(together) == sum(len(part) for part in parts)
    batch = together.sample(np.random.default_rng(0), 64, None)
    assert batch.seeded.all()
    assert together.newest_step == 20
    again = AddedMemory(RULES, sampler)
    for source, part in enumerate(parts):
        again.append(again.place(part.observations[: part.written]), part.columns_used(), source, step=10 * source)
    again.restore_changes(together.changing_arrays())
    both = [memory.sample(np.random.default_rng(1), 64, None).slots for memory in (again, together)]
    np.testing.assert_array_equal(*both)


def test_a_verdict_brings_back_only_decisions_whose_neighbours_are_there() -> None:
    memory = ReplayMemory(RULES, lambda _: UniformSampler(), own_slots=64)
    memory.begin(np.zeros((84, 84), np.uint8), age=10)  # a piece from the middle of an episode
    for row in range(20):
        memory.add(0, 1.0, False, np.full((84, 84), row, np.uint8), source=0, kept=row >= 3)
    memory.end()
    ready = np.flatnonzero(memory.columns["ready"])
    np.testing.assert_array_equal(ready, np.arange(3, 20))
    every = np.arange(20)
    memory.judge(every, every < 10, np.full(20, -1, np.int8))
    np.testing.assert_array_equal(np.flatnonzero(memory.columns["ready"]), np.arange(3, 10))
    assert not memory.would_change(every, every < 10, np.full(20, -1, np.int8)).any()
    memory.judge(every, np.ones(20, bool), np.ones(20, np.int8))
    np.testing.assert_array_equal(np.flatnonzero(memory.columns["ready"]), ready)
    assert memory.columns["imitate"][ready].all()


def test_an_addition_is_a_quarter_of_a_batch_at_first_and_later_its_share_of_the_seeding() -> None:
    rng = np.random.default_rng(0)
    memory, seeded = AddedMemory(RULES, lambda _: UniformSampler()), memory_with(301)
    seeded.close_seeding()
    part = memory_with(101)
    assert memory.rows(rng, 32, 0, seeded, 0.5) == 0
    memory.append(memory.place(part.observations[: part.written]), part.columns_used(), 0, step=1000)
    assert memory.rows(rng, 32, 1000, seeded, 0.5) == 8
    later = [memory.rows(rng, 32, 1000 + ANNEAL_STEPS, seeded, 0.5) for _ in range(2000)]
    expected = 32 * 0.5 * len(memory) / (len(memory) + seeded.seeded_ready)
    assert np.mean(later) == pytest.approx(expected, abs=0.05)
    assert memory.rows(rng, 1, 1000, seeded, 1.0) == 0, "the other memory always has a row"


@pytest.fixture
def trainer() -> Trainer:
    """A trainer at step 20,000, when the seeding is no longer imitated, with an addition of step 19,000."""
    config = small_config(batch_size=32, mixing="share", seed_share=0.5, margin_anneal_steps=10_000, shift_pixels=0)
    memory, part = memory_with(300), memory_with(100)
    memory.close_seeding()
    learner: Any = SimpleNamespace(q_values=lambda stacks: np.zeros((len(stacks), 6)))
    made = Trainer(config, memory, learner, Generators.from_seed(0), experienced=True)
    added = made.batches.added = AddedMemory(RULES, lambda _: UniformSampler())
    added.append(added.place(part.observations[: part.written]), part.columns_used(), 0, step=19_000)
    made.step = 20_000
    return made


def test_what_is_added_late_is_imitated_although_the_seeding_no_longer_is(trainer: Trainer) -> None:
    imitate = trainer.batches.sample(trainer.step, None).imitate
    rows = trainer.batches.added_rows
    assert 4 <= rows <= 8
    np.testing.assert_array_equal(imitate[:-rows], 0.0)
    np.testing.assert_allclose(imitate[-rows:], 0.9)
    trainer.step = 29_000
    assert not trainer.batches.sample(trainer.step, None).imitate.any()


def test_imitation_fades_while_own_episodes_score_as_much_as_the_demonstrated_ones(trainer: Trainer) -> None:
    imitation = trainer.imitation
    imitation.config = dataclasses.replace(trainer.config, margin_anneal_rule="points")
    imitation.demonstrated_score = 300.0
    imitation.stepped(trainer.recent_scores)
    assert imitation.weight(20_000) == 1.0, "before the first own episode"
    trainer.recent_scores.extend([290.0] * 15 + [310.0] * 9)
    for steps, weight in ((1, 0.9999), (4_999, 0.5), (6_000, 0.0)):
        for _ in range(steps):
            imitation.stepped(trainer.recent_scores)
        assert imitation.weight(20_000) == pytest.approx(weight), "the 10 newest have 308 points on average"
    trainer.recent_scores.extend([200.0] * 10)
    for _ in range(2_500):
        imitation.stepped(trainer.recent_scores)
    imitate = trainer.batches.sample(trainer.step, None).imitate
    rows = trainer.batches.added_rows
    np.testing.assert_allclose(imitate[:-rows], 0.25)
    np.testing.assert_allclose(imitate[-rows:], 0.9, err_msg="additions fade by themselves")
    imitation.chance_score = 200.0
    for _ in range(500):
        imitation.stepped(trainer.recent_scores)
    assert imitation.weight(20_000) == pytest.approx(0.2), "imitating does not make it better than random play"
    restored = Trainer(trainer.config, memory_with(1), trainer.learner, Generators.from_seed(0), True)
    restored._restore_pretraining(trainer._pretraining_state())
    restored.imitation.config, restored.imitation.demonstrated_score = imitation.config, 300.0
    assert restored.imitation.weight(20_000) == imitation.weight(20_000)
    imitation.trust = NOTHING
    assert imitation.weight(20_000) == 0.0


def test_additions_stay_in_use_where_the_seeding_was_of_no_use(trainer: Trainer) -> None:
    trainer.imitation.trust, trainer.step = NOTHING, 19_000 + ANNEAL_STEPS
    rows = []
    for _ in range(50):
        trainer.batches.sample(trainer.step, None)
        rows.append(trainer.batches.added_rows)
    assert np.mean(rows) == pytest.approx(32 * 100 / 400, abs=0.5), "their proportion of all transitions"


def make_run(library: Library, **changes: Any) -> None:
    """Make the folder of a run that has not been trained."""
    config = small_config(**changes)
    names = {"SpaceInvaders": ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"), "Pong": ("NOOP",)}
    RunFolder(library.run_folder("run-1")).create(dataclasses.asdict(config), names[config.game])


def additions_of(library: Library) -> tuple[Additions, Any]:
    """The additions of a run that stands still, and its trainer."""
    run = open_run(library, "run-1")
    config, sampler = small_config(), lambda slots: PrioritisedSampler(slots, 0.6, 0.001, 1.0)
    additions = Additions(run, config, run.read().action_meanings, sampler)
    additions.open()
    return additions, SimpleNamespace(memory=memory_with(40), pretrained=4, step=0, batches=SimpleNamespace(added=None))


def test_the_training_continues_while_a_large_request_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(library)
    monkeypatch.setattr(additions_module, "READING_SECONDS", 0.0)
    may_read, read = threading.Event(), additions_module.read_arrays

    def slow(path: Path) -> dict[str, np.ndarray]:
        assert may_read.wait(60)
        return read(path)

    monkeypatch.setattr(additions_module, "read_arrays", slow)
    additions, trainer = additions_of(library)
    added(library, "run-1")
    for trainer.step in (1, 2):
        assert additions.take(trainer, []) == []
    may_read.set()
    trainer.step, deadline = 3, time.monotonic() + 60
    while not (found := additions.take(trainer, [])):
        assert time.monotonic() < deadline
    assert [(line.kind, line.decisions, line.step) for line in found] == [("episode", 60, 3)]


def test_an_addition_that_is_due_does_not_mix_with_one_that_is_being_read(library: Library) -> None:
    make_run(library)
    first, second = (added(library, "run-1", kind).request for kind in ("planner", "human"))
    folder = AdditionsFolder(library.run_folder("run-1"))
    folder.record(Addition(first, "episode", 60, step=8, pretrained=4))  # taken by a training that was killed
    additions, trainer = additions_of(library)
    additions._known.add(second)
    additions._waiting.append(second)
    additions._reading = additions._reader.submit(additions._read, second)
    concurrent.futures.wait([additions._reading])
    trainer.step = 8
    assert [line.request for line in additions.take(trainer, [])] == [first, second]
    assert additions.memory is not None
    rows = 0
    for name in (first, second):
        raw = zlib.decompress(read_arrays(folder.requests / name)["observations"].tobytes())
        expected = np.frombuffer(raw, np.uint8).reshape(-1, 84 * 84)
        np.testing.assert_array_equal(additions.memory.observations[rows : rows + len(expected)], expected)
        rows += len(expected)
    assert additions.state() == [first, second]


def test_an_episode_of_another_game_is_refused_in_one_sentence(library: Library) -> None:
    make_run(library, game="Pong")
    with pytest.raises(CoachError, match="is an episode of SpaceInvaders, and run-1 plays Pong"):
        added(library, "run-1")
    assert AdditionsFolder(library.run_folder("run-1")).request_names() == []


def test_two_people_who_add_at_the_same_moment_are_both_taken_once(library: Library) -> None:
    make_run(library)
    with concurrent.futures.ThreadPoolExecutor(2) as people:
        requests = [one.request for one in people.map(lambda kind: added(library, "run-1", kind), ("human", "planner"))]
    additions, trainer = additions_of(library)
    assert [line.request for line in additions.take(trainer, [])] == sorted(requests)
    assert additions.take(trainer, []) == []
    assert [line.decisions for line in lines(library, "run-1")] in ([100, 60], [60, 100])


def test_what_was_played_for_a_run_that_was_deleted_meanwhile_is_kept(library: Library) -> None:
    make_run(library)
    give = giver(library, open_run(library, "run-1"))
    path = Path(library.episodes()[0].path)
    shutil.rmtree(library.run_folder("run-1"))
    with pytest.raises(CoachError, match=f"There is no run run-1 any more; {path.stem} is kept in the library"):
        give(path)
    assert path.is_file()


def test_a_request_that_was_made_for_another_run_is_refused_in_one_sentence(library: Library) -> None:
    make_run(library)
    request = added(library, "run-1").request
    path = AdditionsFolder(library.run_folder("run-1")).requests / request
    arrays = read_arrays(path)
    about = json.loads(arrays["about"].tobytes()) | {"action_meanings": ["NOOP", "UP"]}
    np.savez(path, **{**arrays, "about": np.frombuffer(json.dumps(about).encode(), np.uint8)})
    additions, trainer = additions_of(library)
    (line,) = additions.take(trainer, [])
    assert line.kind == "refused"
    assert line.sentence().endswith("was made for another run: its game, actions or settings differ.")
    assert additions.memory is None


def test_a_request_that_a_full_disk_refuses_adds_nothing_and_says_so(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(library)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(requests_module, "write_arrays", full)
    (episode,) = [e.episode_id for e in library.episodes() if e.demonstrator == "planner"]
    assert coach.main(["--library", str(library.folder), "add", "run-1", episode]) == 2
    assert "No space left on device); nothing was added." in capsys.readouterr().err
    assert AdditionsFolder(library.run_folder("run-1")).waiting() == []


def test_only_the_persons_decisions_of_an_episode_are_added_and_no_bad_ones(library: Library) -> None:
    make_run(library, keep="good")
    choices = iter([0] * 10**6)
    mixed = record_episode(library, 200, seed=9, kind="agent", choose=lambda *_: next(choices))
    with ReplayFile(library.episode_path(mixed)) as replay:
        verdicts = [Verdict(Clip(mixed, 0, 100), "Ada", "bad")]
        assert request_episode(open_run(library, "run-1"), replay, lambda _: verdicts, dry_run=True).decisions == 25
        with pytest.raises(CoachError, match="50 were not chosen by human"):
            request_episode(open_run(library, "run-1"), replay, by="human")
        with pytest.raises(CoachError, match="--by must be one of"):
            request_episode(open_run(library, "run-1"), replay, by="nobody")


def test_the_command_says_what_becomes_of_an_episode(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(library)
    (episode,) = [e.episode_id for e in library.episodes() if e.demonstrator == "planner"]
    command = ["--library", str(library.folder), "add", "run-1", episode]
    assert coach.main(command) == 0
    assert "run-1 is not being trained; it will add 60 decisions when it is resumed." in capsys.readouterr().out
    shown = LibraryTrainingController(library, "SpaceInvaders").additions("run-1")
    assert shown == "1 addition waits until the training is resumed."
    assert coach.main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["running"], said["additions"][0]["already_here"], said["additions"][0]["taken"]) == (False, True, None)


def test_one_damaged_file_among_several_adds_nothing(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(library)
    whole = Path(library.episodes()[0].path)
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(whole.read_bytes()[:-5000])
    assert coach.main(["--library", str(library.folder), "add", "run-1", str(whole), str(damaged)]) == 2
    assert "damaged.h5" in capsys.readouterr().err
    assert AdditionsFolder(library.run_folder("run-1")).request_names() == []


def test_a_line_that_a_kill_left_incomplete_is_removed(tmp_path: Path) -> None:
    folder = AdditionsFolder(tmp_path)
    line = Addition("a.npz", "episode", 5, step=4, pretrained=0)
    folder.record(line)
    with folder.log.open("a") as file:
        file.write('{"request": "b.npz", "kind"')
    assert folder.taken() == [line]
    folder.mend()
    folder.record(line)
    assert folder.taken() == [line, line]
    assert line.sentence() == "5 decisions added at step 4."


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
