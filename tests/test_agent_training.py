"""Whole trainings with a real emulator: seeded, stopped, resumed and killed, and the files of their runs."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agent_episodes import record_episode, small_config

import agent.trainer as trainer_module
from agent.config import TrainConfig, run_config
from agent.learner import Learner
from agent.memory_of_config import new_memory
from agent.player import load_player
from agent.replay_memory import ReplayMemory
from agent.run_loop import Step, continue_loop
from agent.seeding import plan_seeding
from agent.seeding_fill import fill
from agent.trainer import Generators, Trainer
from agent.training import train
from data.clip import Clip, Verdict
from data.episode import demonstrator_index
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.run_progress import Progress
from data.runs import list_runs, open_run
from data.simulation import Emulator

HERE = Path(__file__).parent


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path / "library")
    record_episode(made, 800, seed=1, kind="human")
    return made


TRAINED = small_config(seed_from=("human",), deterministic=True, max_episode_frames=120)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library with the run "whole" of ``TRAINED``, and "parts", given 32 and then 48 of its 64 steps."""
    made = Library(tmp_path_factory.mktemp("trained") / "library")
    record_episode(made, 800, seed=1, kind="human")
    train(made, "whole", TRAINED)
    train(made, "parts", dataclasses.replace(TRAINED, steps=32))
    train(made, "parts", dataclasses.replace(TRAINED, steps=48), resume=True)
    return made


@pytest.fixture
def trained(trained_once: Library, tmp_path: Path) -> Library:
    """A copy of ``trained_once``."""
    shutil.copytree(trained_once.folder, tmp_path / "trained")
    return Library(tmp_path / "trained")


def own_play(config: TrainConfig, library: Library, monkeypatch: pytest.MonkeyPatch) -> ReplayMemory:
    """Let the trainer play with its own agent while a writer records the same frames."""
    writers: list[Any] = []

    def recording_loop(emulator: Emulator, agent: Any, max_frames: int) -> Iterator[Step]:
        created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=len(writers))
        writer = library.begin_episode(emulator.origin("own", created), "agent", emulator.state())
        writers.append(writer)
        ended_by = "abandoned"
        try:
            for step in continue_loop(emulator, agent, max_frames):
                for executed, frame in zip(step.executed, step.frames, strict=True):
                    writer.append(executed, demonstrator_index("agent"), frame)
                if step.game_over or step.truncated:
                    ended_by = "game_over" if step.game_over else "truncated"
                yield step
        finally:
            writer.publish(ended_by, emulator.palette)

    monkeypatch.setattr(trainer_module, "continue_loop", recording_loop)
    memory = new_memory(config, 0)
    memory.close_seeding()
    generators = Generators.from_seed(config.seed)
    learner = Learner(config, 6, generators.sampling)
    trainer = Trainer(config, memory, learner, generators, experienced=False)
    for _ in trainer.train():
        pass
    memory.end()
    learner.close()
    return memory


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"preprocessing": "tutorial", "n_steps": 1, "reward": "points", "learn_from_step": 1200},
        {"life_loss_ends": True, "n_steps": 10, "reward": "log", "learn_from_step": 1200},
        {"older_observations": 3, "learn_from_step": 1200},
    ],
)
def test_transitions_seeded_from_an_agents_own_play_equal_those_it_stored(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"steps": 1200, "learn_from_step": 1150, "max_episode_frames": 2000, "memory_size": 3000}
    config = small_config(seed=7, epsilon_start=0.9, **(whole | changes))
    library = Library(tmp_path)
    stored = own_play(config, library, monkeypatch)
    summaries = library.episodes()
    assert len(summaries) >= 3
    assert any(s.ended_by == "game_over" and s.frame_count % 4 for s in summaries), "no partial last decision"

    seeded_config = dataclasses.replace(config, seed_from=("agent",))
    plan = plan_seeding(seeded_config, library, Emulator(config.game).action_meanings, None)
    seeded = new_memory(seeded_config, plan.slots(seeded_config))
    fill(seeded, seeded_config, plan, np.random.default_rng(0), lambda _: None)

    slots = np.flatnonzero(stored.columns["ready"])
    np.testing.assert_array_equal(np.flatnonzero(seeded.columns["ready"]), slots)
    assert len(slots) == config.steps
    ours, theirs = stored.batch(slots, one_step=True), seeded.batch(slots, one_step=True)
    for name in (
        *("stacks", "actions", "returns", "discounts", "next_stacks", "following_stacks"),
        *("rewards", "one_step_discounts", "recorded"),
    ):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    np.testing.assert_array_equal(stored.columns["frame"][slots], seeded.columns["frame"][slots])
    assert ours.stacks.any()


def test_a_seeded_training_runs_to_its_end_and_writes_a_complete_run(library: Library) -> None:
    episode = library.episodes()[0].episode_id
    with LabelDatabase(library.labels) as database:
        database.record(Verdict(Clip(episode, 0, 200), "Grace", "bad"))
    reports: list[Progress] = []
    config = small_config(seed_from=("human", "random:20"), evaluate_every=40, evaluation_episodes=1)
    summary = train(library, "first", config, report=reports.append)
    assert (summary.step, summary.stopped, summary.seeded_decisions) == (64, False, 150 + 20)
    assert summary.updates == 4 + (64 - 16) // 4
    assert {"filling", "pretraining", "training", "evaluating"} == {progress.phase for progress in reports}
    last = [progress for progress in reports if progress.phase == "training"][-1]
    assert (last.step, last.total, last.seconds_left) == (64, 64, 0.0)
    folder = library.run_folder("first")
    assert (folder / "monitor.csv").read_text().splitlines()[1] == "r,l,t"
    assert list((folder / "tensorboard").iterdir())
    assert (folder / "best.npz").is_file()
    assert len((folder / "evaluations.jsonl").read_text().splitlines()) == 2
    assert json.loads((folder / "seeding.json").read_text())["sources"][1]["name"] == "random:20"
    [run] = list_runs(library)
    assert (run.name, run.step, run.steps, run.seed_from) == ("first", 64, 64, ("human", "random:20"))


def test_tensorboard_has_the_names_that_stable_baselines_uses(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.training.LOG_EVERY_UPDATES", 5)
    config = small_config(
        seed_from=("human",), steps=210, learn_from_step=180, max_episode_frames=120, pretrain_steps=5
    )
    config = dataclasses.replace(config, margin_anneal_steps=400, margin_anneal_rule="points")
    train(library, "first", config)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(library.run_folder("first") / "tensorboard"))
    events.Reload()
    tags = set(events.Tags()["tensors"]) | set(events.Tags()["scalars"])
    assert {
        *("rollout/ep_rew_mean", "rollout/ep_len_mean", "rollout/exploration_rate", "time/fps"),
        *("train/loss", "train/n_updates", "train/learning_rate", "seeding/batch_share"),
        *("memory/transitions", "memory/seeded_share", "memory/megabytes", "seeding/td_error", "seeding/imitation"),
    } <= tags
    imitation = [event.tensor_proto.float_val[0] for event in events.Tensors("seeding/imitation")]
    assert imitation == [1.0] * 7, "the demonstrated 30 points are more than the agent's"
    rows = (library.run_folder("first") / "monitor.csv").read_text().splitlines()[2:]
    assert len(rows) == 7
    assert all(int(row.split(",")[1]) <= 30 for row in rows)


def test_a_run_that_exists_already_is_not_overwritten(library: Library) -> None:
    train(library, "first", small_config(steps=8))
    with pytest.raises(CoachError, match="'first' exists already"):
        train(library, "first", small_config(steps=8))


def test_a_run_that_does_not_exist_cannot_be_resumed(library: Library) -> None:
    with pytest.raises(CoachError, match="has no run 'missing'"):
        train(library, "missing", small_config(), resume=True)


def test_a_run_of_another_game_or_another_setting_cannot_be_resumed(library: Library) -> None:
    config = small_config(steps=8)
    train(library, "first", config)
    with pytest.raises(CoachError, match="plays SpaceInvaders, not Pong"):
        train(library, "first", dataclasses.replace(config, game="Pong"), resume=True)
    with pytest.raises(CoachError, match=r"started with --discount 0\.99, so it cannot continue with 0\.5"):
        train(library, "first", dataclasses.replace(config, discount=0.5), resume=True)


def test_a_seeding_that_selects_nothing_leaves_no_run_behind(library: Library) -> None:
    with pytest.raises(CoachError, match="selects nothing"):
        train(library, "first", small_config(seed_from=("planner",)))
    assert list_runs(library) == []
    train(library, "first", small_config(steps=8))


def test_a_run_is_trained_by_one_process_at_a_time(library: Library) -> None:
    def again(_: Progress) -> None:
        train(library, "first", small_config(steps=8))

    with pytest.raises(CoachError, match="being trained by another process"):
        train(library, "first", small_config(steps=8), report=again)


def test_a_stopped_training_continues_as_if_it_had_not_been_stopped(trained: Library) -> None:
    stops = iter([False] * 9 + [True])
    stopped = train(trained, "stopped", TRAINED, should_stop=lambda: next(stops))
    assert stopped.stopped
    assert 0 < stopped.step < TRAINED.steps
    assert train(trained, "stopped", TRAINED, resume=True).step == TRAINED.steps
    assert_same_run(trained, "whole", "stopped")


def test_evaluations_after_a_resume_equal_those_without_a_stop(library: Library) -> None:
    changes: dict[str, Any] = {"steps": 8, "evaluate_every": 64, "evaluation_episodes": 1}
    config = small_config(seed_from=("human",), deterministic=True, **changes)
    train(library, "whole", config)
    stops = iter([False] * (config.pretrain_steps - 1) + [True])
    assert train(library, "parts", config, should_stop=lambda: next(stops)).stopped  # pretrained, and not evaluated
    train(library, "parts", config, resume=True)
    whole, parts = (
        [
            {name: value for name, value in json.loads(line).items() if name not in ("run", "seconds")}
            for line in (library.run_folder(run) / "evaluations.jsonl").read_text().splitlines()
        ]
        for run in ("whole", "parts")
    )
    assert parts == whole
    assert [row["batch_seeded_share"] for row in whole] == [1.0]


def test_a_stop_in_a_check_or_an_evaluation_takes_effect_at_once_and_the_resume_repeats_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.progress.REPORT_SECONDS", 0.0)
    monkeypatch.setattr("agent.pretraining_checks.LEAST_CHECKED_UPDATES", 1)
    changes: dict[str, Any] = {"steps": 64, "evaluate_every": 32, "evaluation_episodes": 2, "check_episodes": 2}
    config = small_config(seed_from=("human",), deterministic=True, max_episode_frames=120, **changes)
    train(library, "whole", config)
    last = Progress("filling")

    def report(progress: Progress) -> None:
        nonlocal last
        last = progress

    places = [("checking", 0), ("evaluating", 0), ("evaluating", 32), ("evaluating", 64)]
    for number, (phase, step) in enumerate(places):
        after_one_episode = (phase, step, 1)

        def is_there(expected: tuple[str, int, int] = after_one_episode) -> bool:
            return (last.phase, last.own_step, last.step) == expected

        assert train(library, "parts", config, number > 0, report=report, should_stop=is_there).stopped
        assert is_there(), "no further episode was played"
    assert not train(library, "parts", config, resume=True).stopped
    assert_same_run(library, "whole", "parts")
    whole, parts = (
        [
            (row["step"], row["scores"])
            for row in map(json.loads, (library.run_folder(run) / "evaluations.jsonl").open())
        ]
        for run in ("whole", "parts")
    )
    assert parts == whole
    assert [step for step, _ in whole] == [0, 32, 64]


def test_a_finished_run_can_be_given_more_steps(trained: Library) -> None:
    train(trained, "parts", TRAINED, resume=True)
    assert run_config(open_run(trained, "parts")).steps == TRAINED.steps
    assert_same_run(trained, "whole", "parts")


SCRIPT = """
import os, signal, sys
from pathlib import Path
import agent.progress
from agent.config import TrainConfig, run_config
from agent.training import train
from data.library import Library

def report(progress):
    if progress.phase == "training" and progress.step >= 70:
        os.kill(os.getpid(), signal.SIGKILL)

agent.progress.REPORT_SECONDS = 0.0
train(Library(Path(sys.argv[1])), "killed", TrainConfig.from_json(sys.argv[2]), report=report)
"""


def test_a_killed_training_continues_bit_for_bit_as_if_it_had_not_been_killed(library: Library, tmp_path: Path) -> None:
    config = small_config(
        **{"seed_from": ("human",), "deterministic": True, "steps": 120, "checkpoint_every": 40},
        **{"max_episode_frames": 300, "epsilon_seeded": 0.8, "epsilon_end": 0.5, "sampling": "prioritised"},
        **{"dueling": True, "shift_pixels": 2, "one_step_weight": 1.0, "sticky": 0.25, "evict_seed": True},
    )
    command = [sys.executable, "-c", SCRIPT, str(library.folder), config.to_json()]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    killed = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, env=environment, check=False)
    assert killed.returncode == -9, killed.stderr
    assert list(temporary.iterdir()) == [], "what the kill left in the temporary folder stays there forever"
    resumed = train(library, "killed", config, resume=True)
    assert (resumed.step, resumed.stopped) == (120, False)
    train(library, "whole", config)
    assert_same_run(library, "whole", "killed")


def assert_same_run(library: Library, one: str, other: str) -> None:
    """Weights, optimizer, memory, random states and logs of two runs are equal, bit for bit."""
    a, b = (sorted((library.run_folder(run) / "checkpoints").glob("0*"))[-1] for run in (one, other))
    for name in ("learner.npz", "acting.npz", "memory.npz"):
        with np.load(a / name) as ours, np.load(b / name) as theirs:
            assert ours.files == theirs.files
            for array in ours.files:
                np.testing.assert_array_equal(ours[array], theirs[array], err_msg=f"{name}: {array}")
    ours, theirs = (json.loads((path / "state.json").read_text()) for path in (a, b))
    assert ours["trainer"] == theirs["trainer"]
    assert ours["memory"] == theirs["memory"]
    blocks = [
        [(library.run_folder(run) / "memory" / name).read_bytes() for name in state["blocks"].values()]
        for run, state in ((one, ours), (other, theirs))
    ]
    assert blocks[0] == blocks[1]
    rows = [(library.run_folder(run) / "monitor.csv").read_text().splitlines() for run in (one, other)]
    assert [row.rsplit(",", 1)[0] for row in rows[0]] == [row.rsplit(",", 1)[0] for row in rows[1]]


def test_a_loss_that_diverges_ends_the_training_with_an_error_and_keeps_the_checkpoint(trained: Library) -> None:
    newest = sorted((trained.run_folder("whole") / "checkpoints").glob("0*"))[-1]
    arrays = dict(np.load(newest / "learner.npz"))
    arrays["online/action_output/bias"][:] = np.nan
    np.savez(newest / "learner.npz", **arrays)
    with pytest.raises(CoachError, match=r"Training has diverged: the loss of update \d+ is nan"):
        train(trained, "whole", dataclasses.replace(TRAINED, steps=200), resume=True)
    assert sorted((trained.run_folder("whole") / "checkpoints").glob("0*"))[-1] == newest
    load_player(trained, "whole")


def damage(path: Path, how: str) -> None:
    if how == "removed":
        path.unlink()
    elif how == "cut short":
        path.write_bytes(path.read_bytes()[:-200])
    else:
        np.savez(path, evil=np.array([print], dtype=object))


@pytest.mark.parametrize(
    ("file", "how"), [("learner.npz", "removed"), ("memory.npz", "cut short"), ("learner.npz", "objects")]
)
def test_a_damaged_newest_checkpoint_is_set_aside_and_the_one_before_it_continues(
    file: str, how: str, trained: Library
) -> None:
    older, newest = sorted((trained.run_folder("parts") / "checkpoints").glob("0*"))[-2:]
    damage(newest / file, how)
    summary = train(trained, "parts", TRAINED, resume=True)
    assert f"now damaged-{newest.name}; the training continues from checkpoint {older}" in summary.note
    assert_same_run(trained, "whole", "parts")


def test_a_run_whose_checkpoints_are_all_damaged_is_reported_in_one_sentence(trained: Library) -> None:
    for checkpoint in (trained.run_folder("whole") / "checkpoints").glob("0*"):
        damage(checkpoint / "learner.npz", "cut short")
    with pytest.raises(CoachError, match="Cannot read the arrays of") as error:
        train(trained, "whole", dataclasses.replace(TRAINED, steps=100), resume=True)
    assert "\n" not in str(error.value)


def test_an_agent_of_one_game_continues_in_another_by_the_names_of_its_actions(tmp_path: Path) -> None:
    library = Library(tmp_path)
    train(library, "invaders", small_config(steps=8))
    train(library, "pong", small_config(steps=8, learn_from_step=100, game="Pong"), from_run="invaders")
    theirs, ours = (
        np.load(sorted((library.run_folder(run) / "checkpoints").glob("0*"))[-1] / "learner.npz")
        for run in ("invaders", "pong")
    )
    np.testing.assert_array_equal(ours["online/convolution_1/kernel"], theirs["online/convolution_1/kernel"])
    meanings = [Emulator(game).action_meanings for game in ("SpaceInvaders", "Pong")]
    for name in ("LEFT", "RIGHTFIRE"):
        np.testing.assert_array_equal(
            ours["online/action_output/kernel"][:, meanings[1].index(name)],
            theirs["online/action_output/kernel"][:, meanings[0].index(name)],
        )
    with pytest.raises(CoachError, match="has another network"):
        train(library, "wide", small_config(hidden_units=32), from_run="invaders")
