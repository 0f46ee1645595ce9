"""The held-out part of the demonstrations, and the check of the pretrained agent against random play."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agent_episodes import record_episode, small_config
from test_agent_training import assert_same_run

import agent.pretraining_checks
import agent.trainer
import agent.trust
from agent.checkpoint import acting_weights, read_checkpoint
from agent.config import TrainConfig
from agent.held_out import PATIENCE, HeldOut, hold_out
from agent.learner import Learner
from agent.memory_of_config import new_memory
from agent.replay_memory import ReplayMemory
from agent.run_loop import new_emulator
from agent.seeding import plan_seeding
from agent.seeding_fill import fill
from agent.training import train
from agent.trust import IMITATION, NOTHING, VALUES, Check, demonstrator_passes, sentence, used_next
from data.library import Library
from data.runs import RunFolder, run_summary

SETTINGS = {"seed_from": ("human",), "network": "small", "deterministic": True, "held_out": 0.5, "pretrain_steps": 6}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "library")
    library.prepare()
    record_episode(library, 400, seed=1, kind="human")
    return library


@pytest.fixture
def short_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure every second update, check after any pretraining, and play at most 40 frames."""
    monkeypatch.setattr(agent.trainer, "CHECK_UPDATES", 2)
    monkeypatch.setattr(agent.trust, "CHECK_FRAMES", 40)
    monkeypatch.setattr(agent.pretraining_checks, "LEAST_CHECKED_UPDATES", 0)


@pytest.fixture
def memory(library: Library) -> ReplayMemory:
    config = small_config(seed_from=("human",))
    plan = plan_seeding(config, library, new_emulator(config).action_meanings, None)
    memory = new_memory(config, plan.slots(config))
    fill(memory, config, plan, np.random.default_rng(0), lambda _: None)
    return memory


def test_no_frame_of_a_measured_decision_is_learned_from(memory: ReplayMemory) -> None:
    held_out = hold_out(memory, 0.5, np.random.default_rng(1))
    assert held_out is not None
    before, steps = memory.rules.reach, memory.rules.n_steps
    ready = np.flatnonzero(memory.columns["ready"])
    learned = {slot + reach for slot in ready.tolist() for reach in range(-before, steps + 1)}
    own = set(held_out.measured)
    assert len(own) > 32
    assert not own & learned
    assert not set(held_out.slots) & set(ready.tolist())
    assert len(held_out.slots) == round(0.5 * (len(ready) + len(held_out.slots)))


def test_what_was_held_out_can_be_sampled_again(memory: ReplayMemory) -> None:
    before = memory.columns["ready"].copy(), memory.seeded_ready
    held_out = hold_out(memory, 0.5, np.random.default_rng(1))
    assert held_out is not None
    assert memory.seeded_ready < before[1]
    memory.set_available(np.array(held_out.slots), True)
    np.testing.assert_array_equal(memory.columns["ready"], before[0])
    assert memory.seeded_ready == before[1]


def test_too_short_a_part_is_not_held_out(memory: ReplayMemory) -> None:
    assert hold_out(memory, 0.1, np.random.default_rng(1)) is None


def test_agreement_counts_actions_alike_and_errors_are_those_of_recorded_returns(memory: ReplayMemory) -> None:
    held_out = HeldOut([], list(range(40, 80)))
    actions, recorded = memory.columns["action"][40:80], memory.columns["recorded"][40:80].copy()
    recorded[::2] = 1.5
    memory.columns["recorded"][40:80] = recorded
    values = np.array([0.0, 0.5, 0.0, 0.0, 0.0, 0.0], np.float32)
    held_out.measure(memory, lambda _: values)
    assert held_out.fit is not None
    assert held_out.fit.agreement == pytest.approx(1 / len(set(actions.tolist())))
    known = np.isfinite(recorded)
    assert held_out.fit.return_error == pytest.approx(np.abs(values[actions] - recorded)[known].mean())


def test_pretraining_stops_when_nothing_improves(memory: ReplayMemory) -> None:
    held_out = HeldOut([], list(range(40, 80)))
    for number in range(PATIENCE + 1):
        assert not held_out.stops_pretraining, number
        held_out.measure(memory, lambda _: np.zeros(6, np.float32))
    assert held_out.stops_pretraining


@pytest.mark.usefixtures("short_checks")
def test_a_pretraining_without_improvement_ends_early_and_learns_from_everything_afterwards(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HeldOut, "stops_pretraining", property(lambda self: self.fit is not None))
    reported = []
    summary = train(library, "run", small_config(**SETTINGS, steps=0), report=reported.append)
    assert summary.updates == 2
    assert summary.seeded_decisions == 100


@pytest.mark.usefixtures("short_checks")
def test_an_agent_below_chance_is_pretrained_without_imitation_and_then_learns_as_without_demonstrations(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Check, "passed", property(lambda _: False))
    monkeypatch.setattr("agent.trust.demonstrator_passes", lambda *_: False)
    config = small_config(**{**SETTINGS, "check_episodes": 1, "steps": 24, "epsilon_steps": 0, "epsilon_end": 0.3})
    seen = []
    summary = train(library, "run", config, report=lambda progress: seen.append(progress.phase))
    assert "checking" in seen
    account = json.loads((library.run_folder("run") / "seeding.json").read_text())
    assert [check["trust"] for check in account["checks"]] == [IMITATION, VALUES]
    assert account["trust"] == NOTHING
    assert summary.note == account["sentence"]
    assert "continues without it" in summary.note
    assert run_summary(RunFolder(library.run_folder("run"))).note == summary.note, "lists and windows show it, too"
    assert summary.updates == 6 + 6 + 2  # and no third pretraining


def scores_in_checks(monkeypatch: pytest.MonkeyPatch, *points: float) -> list[dict[str, np.ndarray]]:
    """Give the agents of the checks these points, none of which passes; return the weights that they had."""
    left, weights = list(points), []

    def made(config: object, meanings: object, q: Any, trust: str, *_: object) -> Check:  # noqa: ARG001
        weights.append({name: array.copy() for name, array in q.__self__.acting_weights().items()})
        return Check(trust, left[len(weights) - 1], 5.0, 1.0)

    monkeypatch.setattr("agent.pretraining_checks.check", made)
    monkeypatch.setattr("agent.trust.demonstrator_passes", lambda *_: True)
    return weights


@pytest.mark.usefixtures("short_checks")
@pytest.mark.parametrize(
    ("points", "best"),
    [((0.0, 2.0, 1.0, 3.0), 3), ((0.0, 2.0, 1.0, -1.0, 0.0), 1), ((0.0, 2.0, 1.0, -1.0, 4.0), 4)],
    ids=str,
)
def test_where_none_passes_of_a_demonstrator_above_chance_the_best_agent_is_kept(
    library: Library, monkeypatch: pytest.MonkeyPatch, points: tuple[float, ...], best: int
) -> None:
    weights = scores_in_checks(monkeypatch, *points)
    config = small_config(**{**SETTINGS, "held_out": 0.0, "check_episodes": 1, "steps": 0})
    summary = train(library, "run", config)
    account = json.loads((library.run_folder("run") / "seeding.json").read_text())
    uses = ([IMITATION] * 3 + [VALUES, IMITATION])[: len(points)]
    assert [check["trust"] for check in account["checks"]] == uses
    assert (account["trust"], summary.updates) == (uses[best], 6 * len(points))
    np.testing.assert_equal(acting_weights(RunFolder(library.run_folder("run"))), weights[best])
    assert ("to imitate it" if uses[best] == IMITATION else "without imitation") in summary.note


@pytest.mark.usefixtures("short_checks")
def test_the_best_agent_is_kept_by_a_training_stopped_at_any_time(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores_in_checks(monkeypatch, 0.0, 2.0, 1.0, -1.0, 0.0)
    config = small_config(**SETTINGS, check_episodes=1, steps=24)
    train(library, "whole", config)
    scores_in_checks(monkeypatch, 0.0, 2.0, 1.0, -1.0, 0.0)
    stop_often(library, "parts", config)
    assert_same_run(library, "whole", "parts")
    assert not any(name.startswith("best/") for name in newest_arrays(library, "parts"))


def stop_often(library: Library, run: str, config: TrainConfig) -> None:
    """Train with stops that come later each time; fails if there were fewer than two."""
    for number in range(1, 60):
        asked, stop = iter(range(1000)), 5 * number
        stopped = train(library, run, config, resume=number > 1, should_stop=lambda: next(asked) == stop)  # noqa: B023
        if not stopped.stopped:
            break
    assert number > 2


def newest_arrays(library: Library, run: str) -> dict[str, np.ndarray]:
    found = read_checkpoint(RunFolder(library.run_folder(run)))
    assert found is not None
    return found[2]


def test_a_demonstrator_passes_whose_points_are_above_random_play() -> None:
    last = Check(VALUES, -273.0, 62.0, 34.0)
    assert demonstrator_passes([100_400.0], last)
    assert not demonstrator_passes([60.0, 100.0], last)
    assert not demonstrator_passes([], last)


@pytest.mark.usefixtures("short_checks")
def test_a_training_stopped_at_any_time_continues_bit_for_bit(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Check, "passed", property(lambda self: self.trust == VALUES))
    resets: list[tuple[int, Any]] = []

    def reset(learner: Learner, rng: np.random.Generator, of: Callable[..., None] = Learner.reset_dense_layers) -> None:
        resets.append((learner.updates, rng.bit_generator.state))
        of(learner, rng)

    monkeypatch.setattr(Learner, "reset_dense_layers", reset)
    others = {"balance_actions": True, "change_weight": 4.0, "margin_anneal_steps": 40, "pretrain_learning_rate": 1e-3}
    others |= {"older_observations": 2, "start_weight": 3.0}
    others |= {"reset_every": 2, "gradient_steps": 2, "n_steps_start": 4, "discount_start": 0.9, "horizon_updates": 3}
    config = small_config(**SETTINGS, **others, check_episodes=1, steps=40)
    updates = train(library, "whole", config).updates
    own_updates = 2 * 6
    assert [updates - number for number, _ in resets] == list(range(own_updates - 2, 0, -2)), "not after the last one"
    assert resets[0][1] != resets[1][1]
    whole, resets = resets, []
    stop_often(library, "parts", config)
    assert_same_run(library, "whole", "parts")
    assert resets == whole


def test_pretraining_has_a_learning_rate_of_its_own(library: Library) -> None:
    settings = {"seed_from": ("human",), "network": "small-norm", "deterministic": True, "pretrain_steps": 2}
    train(library, "alike", small_config(**settings, learning_rate=1e-3, steps=0))
    config = small_config(**settings, learning_rate=1e-5, pretrain_learning_rate=1e-3, learn_from_step=0, steps=0)
    train(library, "own", config)
    ours, theirs = (acting_weights(RunFolder(library.run_folder(run))) for run in ("alike", "own"))
    np.testing.assert_equal(ours, theirs)
    train(library, "own", dataclasses.replace(config, steps=4), resume=True)
    moved = acting_weights(RunFolder(library.run_folder("own")))
    assert 0 < max(np.abs(moved[name] - theirs[name]).max() for name in theirs) < 1e-4


@pytest.mark.parametrize(
    ("agent", "chance", "error", "passes"),
    [(196.0, 189.0, 40.0, False), (4000.0, 62.0, 90.0, True), (0.0, 0.0, 0.0, True), (-21.0, -20.5, 0.2, False)],
)
def test_an_agent_passes_that_is_above_chance_by_a_standard_error(
    agent: float, chance: float, error: float, passes: bool
) -> None:
    assert Check(IMITATION, agent, chance, error).passed == passes


@pytest.mark.parametrize(
    ("points", "imitates", "score", "next_use"),
    [
        ({IMITATION: [300.0]}, True, 0.0, None),
        ({IMITATION: [90.0]}, True, 880.0, IMITATION),
        ({IMITATION: [90.0]}, True, 150.0, VALUES),
        ({IMITATION: [90.0, 95.0]}, True, 880.0, IMITATION),
        ({IMITATION: [90.0, 95.0, 80.0]}, True, 880.0, VALUES),
        ({IMITATION: [90.0, 300.0]}, True, 880.0, None),
        ({IMITATION: [90.0]}, False, 100.0, NOTHING),
        ({IMITATION: [90.0]}, False, 880.0, None),
        ({IMITATION: [-273.0, -900.0, -300.0], VALUES: [-700.0]}, True, 100_400.0, IMITATION),
        ({IMITATION: [-273.0, -900.0, -300.0], VALUES: [0.0]}, True, 100_400.0, None),
        ({IMITATION: [90.0], VALUES: [120.0]}, True, 150.0, NOTHING),
        ({IMITATION: [90.0], VALUES: [120.0]}, True, 880.0, None),
        ({IMITATION: [90.0], VALUES: [80.0]}, True, 880.0, IMITATION),
        ({IMITATION: [90.0, 95.0, 80.0], VALUES: [350.0]}, True, 880.0, None),
    ],
    ids=str,
)
def test_what_another_pretraining_uses_the_demonstrations_for(
    points: dict[str, list[float]], imitates: bool, score: float, next_use: str | None
) -> None:
    checks = [Check(trust, agent, 148.0, 20.0) for trust, agents in points.items() for agent in agents]
    assert used_next(checks, imitates, [score]) == next_use


def test_the_sentence_says_what_the_demonstrations_are_used_for() -> None:
    good = sentence([Check(IMITATION, 300.0, 148.0)], 95.0, 1)
    assert good == "1:35 of play: after pretraining 300 points, random play 148."
    values = sentence([Check(IMITATION, 93.0, 148.0), Check(VALUES, 254.0, 148.0)], 95.0, 1)
    assert values.startswith("1:35 of play teaches little yet: imitating it scores 93 points, random play 148.")
    assert "not imitated" in values
    assert "three more episodes" in values
    assert sentence([], 95.0, 1) == ""
