"""Seeding: sources, filters, what is written into the memory, and the errors where nothing is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from agent_episodes import record_episode, small_config

from agent.config import TrainConfig
from agent.memory_of_config import new_memory
from agent.preprocessing import Preprocessor, observations_of
from agent.replay_memory import ReplayMemory
from agent.seeding import SeedPlan, Verdicts, parse_spec, plan_seeding
from agent.seeding_fill import Source, account, fill
from agent.slots import OWN
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator

MEANINGS = Emulator("SpaceInvaders").action_meanings


def verdicts(*given: tuple[str, int, int, str]) -> Verdicts:
    """Verdicts by one curator: (episode id, first frame, end, verdict)."""

    def of(episode_id: str) -> Iterable[Verdict]:
        return [Verdict(Clip(e, start, stop), "Grace", verdict) for e, start, stop, verdict in given if e == episode_id]

    return of


def filled(
    config: TrainConfig, library: Library, of: Verdicts | None = None
) -> tuple[SeedPlan, ReplayMemory, list[Source]]:
    plan = plan_seeding(config, library, MEANINGS, of)
    memory = new_memory(config, plan.slots(config))
    sources = fill(memory, config, plan, np.random.default_rng(0), lambda _: None)
    return plan, memory, sources


def frames_in(memory: ReplayMemory) -> list[int]:
    """First frames of the decisions that can be sampled."""
    return np.sort(memory.columns["frame"][memory.columns["ready"]]).tolist()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """One episode by a person and one by the planner, 400 frames each."""
    made = Library(tmp_path_factory.mktemp("library"))
    record_episode(made, 400, seed=1, kind="human", player="Ada")
    record_episode(made, 400, seed=2, kind="planner", player="")
    return made


def episode_by(library: Library, kind: str) -> str:
    return next(s.episode_id for s in library.episodes() if s.demonstrator == kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("human", "human"), ("agent", "agent"), ("planner", "planner"), ("imported", "imported"), ("all", "all")],
)
def test_a_kind_of_demonstrator_is_a_source(text: str, kind: str) -> None:
    assert parse_spec(text).kind == kind


def test_a_source_can_name_a_run_a_number_a_file_and_a_weight(tmp_path: Path) -> None:
    assert parse_spec("agent:first").run == "first"
    assert parse_spec("random:500").count == 500
    assert parse_spec("some/file.h5").path == Path("some/file.h5")
    assert (parse_spec("human@2.5").kind, parse_spec("human@2.5").weight) == ("human", 2.5)
    odd = tmp_path / "a@b.h5"
    odd.touch()
    assert parse_spec(str(odd)).path == odd


@pytest.mark.parametrize(
    "text", ["humans", "random", "random:", "random:0", "random:-3", "agent:", "human@0", "human@x", ""]
)
def test_an_invalid_source_is_refused(text: str) -> None:
    with pytest.raises(CoachError, match="--seed-from"):
        parse_spec(text)


def test_only_the_named_demonstrators_decisions_are_used(library: Library) -> None:
    plan, memory, sources = filled(small_config(seed_from=("human",)), library)
    assert [source.name for source in sources] == [episode_by(library, "human")]
    assert memory.seeded_ready == plan.decisions == 100
    assert frames_in(memory) == list(range(0, 400, 4))


def test_every_seeded_transition_equals_its_files_frames(library: Library) -> None:
    config = small_config(seed_from=("all",))
    _, memory, sources = filled(config, library)
    slots = np.flatnonzero(memory.columns["ready"])
    batch = memory.batch(slots)
    for number, source in enumerate(sources):
        with ReplayFile(library.episode_path(source.name)) as replay:
            decisions = replay.decisions()
            every = np.arange(len(decisions) + 1)
            seen = list(observations_of(replay, decisions, Preprocessor("nature"), every))
        for row in np.flatnonzero(memory.columns["source"][slots] == number):
            d = int(memory.columns["frame"][slots[row]]) // 4
            np.testing.assert_array_equal(batch.stacks[row], [seen[max(0, d - k)] for k in (3, 2, 1, 0)])
            assert batch.actions[row] == decisions.action[d]
            assert memory.columns["points"][slots[row]] == decisions.reward[d]
    assert batch.imitate.all()


def test_bad_clips_are_removed_unless_all_is_kept(library: Library) -> None:
    human = episode_by(library, "human")
    of = verdicts((human, 40, 80, "bad"))
    _, memory, _ = filled(small_config(seed_from=("human",)), library, of)
    # A decision takes the verdict of its first frame.
    assert frames_in(memory) == [frame for frame in range(0, 400, 4) if not 40 <= frame < 80]
    _, memory, _ = filled(small_config(seed_from=("human",), keep="all"), library, of)
    imitated = memory.columns["frame"][memory.columns["ready"] & (memory.columns["imitate"] > 0)]
    assert memory.seeded_ready == 100
    assert sorted(imitated.tolist()) == [frame for frame in range(0, 400, 4) if not 40 <= frame < 80]


@pytest.mark.parametrize("keep", ["not-bad", "good", "all"])
def test_with_a_bad_margin_the_actions_of_bad_clips_are_to_be_avoided(library: Library, keep: str) -> None:
    human = episode_by(library, "human")
    of = verdicts((human, 40, 80, "bad"), (human, 100, 140, "good"))
    _, memory, _ = filled(small_config(seed_from=("human",), keep=keep, bad_margin=0.5), library, of)
    ready, imitate, frame = (memory.columns[name] for name in ("ready", "imitate", "frame"))
    assert sorted(frame[ready & (imitate < 0)].tolist()) == list(range(40, 80, 4))
    approved = range(100, 140, 4) if keep == "good" else [*range(0, 40, 4), *range(80, 400, 4)]
    assert sorted(frame[ready & (imitate > 0)].tolist()) == list(approved)
    batch = memory.batch(np.flatnonzero(ready))
    assert set(batch.imitate.tolist()) == {1.0, -1.0}


def test_keeping_only_good_clips_takes_no_more_memory_than_their_neighbourhood(library: Library) -> None:
    human = episode_by(library, "human")
    of = verdicts((human, 100, 140, "good"), (human, 202, 212, "good"))
    _, memory, _ = filled(small_config(seed_from=("human",), keep="good", n_steps=3), library, of)
    assert frames_in(memory) == [*range(100, 140, 4), 204, 208]
    assert memory.seeded_end == (3 + 10 + 3) + (3 + 2 + 3)


def test_neighbours_of_a_removed_clip_keep_their_stacks_and_their_returns(library: Library) -> None:
    human = episode_by(library, "human")
    config = small_config(seed_from=("human",))
    _, everything, _ = filled(config, library)
    _, filtered, _ = filled(config, library, verdicts((human, 120, 240, "bad")))

    def by_frame(memory: ReplayMemory, frame: int) -> tuple[np.ndarray, np.ndarray, float, float]:
        slot = np.flatnonzero(memory.columns["ready"] & (memory.columns["frame"] == frame))
        batch = memory.batch(slot)
        return batch.stacks, batch.next_stacks, float(batch.returns[0]), float(batch.recorded[0])

    for frame in (0, 108, 116, 240, 244, 396):
        for one, other in zip(by_frame(everything, frame), by_frame(filtered, frame), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_seeding_that_selects_nothing_says_which_filter_removed_what(library: Library) -> None:
    human = episode_by(library, "human")
    of = verdicts((human, 0, 200, "good"), (human, 0, 400, "bad"))
    with pytest.raises(CoachError, match=r"of 100 decisions 100 were not judged good \(--keep good\)"):
        plan_seeding(small_config(seed_from=("human",), keep="good"), library, MEANINGS, of)
    with pytest.raises(CoachError, match=r"100 were judged bad \(--keep not-bad\)"):
        plan_seeding(small_config(seed_from=("human",)), library, MEANINGS, verdicts((human, 0, 400, "bad")))


def test_a_seeding_from_a_library_without_such_episodes_says_so(library: Library) -> None:
    with pytest.raises(CoachError, match="no episode of SpaceInvaders by imported"):
        plan_seeding(small_config(seed_from=("imported",)), library, MEANINGS, None)
    with pytest.raises(CoachError, match="no episode of SpaceInvaders by agent:nobody"):
        plan_seeding(small_config(seed_from=("agent:nobody",)), library, MEANINGS, None)


def test_a_file_of_another_game_is_refused(tmp_path: Path) -> None:
    other = Library(tmp_path)
    path = other.episode_path(record_episode(other, 40, game="Pong"))
    with pytest.raises(CoachError, match="is an episode of Pong, and the agent plays SpaceInvaders"):
        plan_seeding(small_config(seed_from=(str(path),)), other, MEANINGS, None)


def test_actions_are_carried_over_by_their_names(library: Library) -> None:
    human = episode_by(library, "human")
    meanings = ("FIRE", "RIGHT", "NOOP", "LEFT", "LEFTFIRE", "RIGHTFIRE")
    config = small_config(seed_from=("human",))
    plan = plan_seeding(config, library, meanings, None)
    with ReplayFile(library.episode_path(human)) as replay:
        theirs = [replay.origin.action_meanings[action] for action in replay.decisions().action]
    assert [meanings[action] for action in plan.episodes[0].actions] == theirs


def test_decisions_with_an_action_that_the_agent_lacks_are_left_out(library: Library) -> None:
    plan = plan_seeding(small_config(seed_from=("human",)), library, ("NOOP", "FIRE"), None)
    assert plan.tally.removed["had an action that the agent does not have"] == 100 - plan.tally.kept
    assert 0 < plan.tally.kept < 100


def test_random_decisions_within_a_demonstration_are_learned_from_and_never_imitated(tmp_path: Path) -> None:
    made = Library(tmp_path)
    record_episode(made, 400, seed=3, kind="random")
    _, memory, _ = filled(small_config(seed_from=("all",)), made)
    assert memory.seeded_ready == 100
    assert not memory.columns["imitate"].any()


def test_fresh_random_play_fills_the_requested_number_of_steps(tmp_path: Path) -> None:
    _, memory, sources = filled(small_config(seed_from=("random:230",)), Library(tmp_path))
    assert memory.seeded_ready == 230
    assert sources == [Source("random:230", 230)]
    assert not memory.columns["imitate"].any()


def test_a_mixed_decision_is_counted(tmp_path: Path) -> None:
    made = Library(tmp_path)
    record_episode(made, 80, seed=3, kind="human", hold=1)
    plan = plan_seeding(small_config(seed_from=("human",)), made, MEANINGS, None)
    with ReplayFile(library_path(made)) as replay:
        assert plan.tally.mixed == int(replay.decisions().mixed.sum()) > 0


def library_path(library: Library) -> Path:
    return Path(library.episodes()[0].path)


def test_the_account_reports_what_was_sampled_and_where_the_errors_are(library: Library) -> None:
    _, memory, sources = filled(small_config(seed_from=("human",)), library)
    slot = int(np.flatnonzero(memory.columns["ready"] & (memory.columns["frame"] == 200))[0])
    batch = memory.sample(np.random.default_rng(0), 64, 64)
    memory.update_errors(batch.slots, np.full(64, 0.1, np.float32))
    memory.columns["drawn"][slot] += 1
    memory.update_errors(np.array([slot]), np.array([50.0], np.float32))
    told = account(memory, sources)
    assert told["sources"][0]["drawn"] == 65
    assert told["spans"][0]["start"] <= 200 < told["spans"][0]["stop"]
    assert told["seeded_share"] == 1.0
    assert (memory.columns["source"][memory.columns["ready"]] != OWN).all()
