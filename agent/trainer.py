"""The training loop, step by step: agent, emulator, memory and learner. It does not log, save or draw."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.acting import ActingAgent
from agent.config import TrainConfig
from agent.held_out import CHECK_UPDATES, HeldOut, hold_out
from agent.horizon import Horizon, horizon_at
from agent.imitation import Imitation
from agent.moments import MomentFinder
from agent.own_episodes import OwnEpisodes
from agent.replay_memory import ReplayMemory
from agent.run_loop import begin_episode, continue_loop, new_emulator, next_episode
from agent.start_states import Start, StartStates
from agent.trust import NOTHING
from agent.update_batches import UpdateBatches

if TYPE_CHECKING:
    from agent.learner import Learner, Update

SCORE_WINDOW = 100
"""Episodes over which the running mean score is taken, as Stable-Baselines3 does."""


STARTING_AGAIN, HOLDING_OUT, RESETTING = 4, 5, 6
"""Children of the training's random seed, after those of ``Generators`` and of ``agent.start_states``."""


@dataclass(frozen=True)
class EpisodeDone:
    """A finished own episode."""

    score: float
    """Points."""
    steps: int


@dataclass(frozen=True)
class StepDone:
    """The result of one own step."""

    step: int
    episode: EpisodeDone | None
    update: Update | None
    boundary: bool
    """No update is being computed: the training can be saved, evaluated or stopped here."""


@dataclass
class Generators:
    """One random generator for each purpose, so that they do not influence each other."""

    acting: np.random.Generator
    sampling: np.random.Generator
    episodes: np.random.Generator

    @classmethod
    def from_seed(cls, seed: int) -> Generators:
        return cls(*(np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)))

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name).bit_generator.state for name in ("acting", "sampling", "episodes")}

    def restore(self, state: dict[str, Any]) -> None:
        for name in ("acting", "sampling", "episodes"):
            getattr(self, name).bit_generator.state = state[name]


def _generator(config: TrainConfig, child: int) -> np.random.Generator:
    return np.random.default_rng(_child(np.random.SeedSequence(config.seed), child))


def _child(parent: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    return parent.spawn(number + 1)[number]


class Trainer:
    """Everything that changes during training. Its ``state``, the memory and the learner are all of it."""

    def __init__(
        self,
        config: TrainConfig,
        memory: ReplayMemory,
        learner: Learner,
        generators: Generators,
        experienced: bool,
        starts: StartStates | None = None,
    ) -> None:
        """experienced: the agent was pretrained or starts from another run, so it explores less.

        starts: where own episodes start inside the seeding; None: all start at the game's beginning.
        """
        self.config = config
        self.memory = memory
        self.learner = learner
        self.generators = generators
        self.experienced = experienced
        self.emulator = new_emulator(config)
        self.agent = ActingAgent(
            learner.q_values, len(self.emulator.action_meanings), config.preprocessing, config.ages, generators.acting
        )
        self.step = 0
        self.pretrained = 0
        """Updates of pretraining done."""
        self.pretraining_ended = False
        """Whether it is complete, the check against random play included."""
        self.held_out: HeldOut | None = None
        """The part held out of pretraining while it runs."""
        self.own_updates = 0
        """Updates since pretraining."""
        self.imitation = Imitation(config)
        self.batches = UpdateBatches(config, memory, self.imitation, generators.sampling)
        self.episodes = 0
        self.recent_scores: deque[float] = deque(maxlen=SCORE_WINDOW)
        self.recent_lengths: deque[int] = deque(maxlen=SCORE_WINDOW)
        self.own_episodes = OwnEpisodes(memory, self.imitation, SCORE_WINDOW)
        self.moments = MomentFinder(config)
        self._starts = starts
        self._start: Start | None = None  # of the running episode, where it starts inside the seeding
        self._executed: list[int] | None = None  # the running episode's own actions, frame by frame
        self._score = 0.0
        self._length = 0

    def prepare_seeding(self) -> None:
        """Hold a part of the new seeding out, and weigh its actions, if the configuration requires it."""
        config = self.config
        if config.balance_actions:
            self.batches.balance_actions(len(self.emulator.action_meanings))
        if config.held_out and config.pretrain_steps:
            self.held_out = hold_out(self.memory, config.held_out, _generator(config, HOLDING_OUT))

    @property
    def epsilon(self) -> float:
        config = self.config
        start = config.epsilon_seeded if self.experienced else config.epsilon_start
        if self.step >= config.epsilon_steps:
            return config.epsilon_end
        return start + (config.epsilon_end - start) * self.step / config.epsilon_steps

    @property
    def score(self) -> float:
        """Points of the running episode so far."""
        return self._score

    def pretrain(self) -> Iterator[Update]:
        """Make the updates on the seeding before the first step."""
        held_out = self.held_out
        self.learner.set_learning_rate(self.config.pretrain_learning_rate or self.config.learning_rate)
        while self.pretrained < self.config.pretrain_steps and self.memory.seeded_ready:
            if self.pretraining_ended or (held_out is not None and held_out.stops_pretraining):
                return
            update = self.learner.update(self.batches.sample(self.step, self._horizon, pretraining=True))
            self.batches.learned(update)
            self.pretrained += 1
            if held_out is not None and self.pretrained % CHECK_UPDATES == 0:
                held_out.measure(self.memory, self.learner.q_values)
            yield update

    def pretrain_again(self, trust: str, attempt: int) -> None:
        """Discard the pretrained weights, and use the demonstrations for ``trust`` in another pretraining.

        attempt: number of pretrainings so far; each starts from weights of its own.
        """
        self.imitation.trust = trust
        self.experienced = trust != NOTHING
        self.pretrained = self.config.pretrain_steps if trust == NOTHING else 0
        weights = _child(_child(np.random.SeedSequence(self.config.seed), STARTING_AGAIN), attempt)
        self.learner.start_again(np.random.default_rng(weights))
        if self.held_out is not None:
            self.held_out.start_again()

    def end_pretraining(self) -> None:
        """Make the held-out decisions available, and continue with the agent's own steps."""
        self.pretraining_ended = True
        if self.held_out is not None:
            self.memory.set_available(np.array(self.held_out.slots), True)
            self.held_out.slots = []

    def train(self) -> Iterator[StepDone]:
        """Make the own steps up to the configured number, with ``gradient_steps`` updates every ``train_every``.

        While the last of these is computed, the agent acts with the weights of the update before it.
        """
        self.learner.set_learning_rate(self.config.learning_rate)
        while self.step < self.config.steps:
            if self._executed is None:
                self._start_episode()
            self._prepare_step()
            first_frame = 0 if self._start is None else self._start.frame
            for played in continue_loop(self.emulator, self.agent, first_frame + self.config.max_episode_frames):
                assert self._executed is not None
                self._executed.extend(played.executed)
                self._score += played.reward
                self._length += 1
                terminal = played.game_over or (self.config.life_loss_ends and played.life_lost)
                frame = self.emulator.frame_number - len(played.frames)
                self.moments.decided(self.agent.acted_value, frame, played)
                self.memory.add(played.action, played.reward, terminal, self.agent.observation, frame=frame)
                ended = played.game_over or played.truncated
                episode = self._end_episode() if ended else None
                self.step += 1
                self.imitation.stepped(self.recent_scores)
                boundary = self.step % self.config.train_every == 0 or self.step == self.config.steps
                update = self._finish_update() if boundary else None
                yield StepDone(self.step, episode, update, boundary)
                if self.step == self.config.steps:
                    return
                if not ended:
                    self._prepare_step()

    def _start_episode(self) -> None:
        self._start = None if self._starts is None else self._starts.choose()
        if self._starts is None or self._start is None:
            next_episode(self.emulator, self.config, self.generators.episodes)
        else:
            self._starts.begin(self.emulator, self._start)
        self.agent.observe_start(self.emulator)
        self.memory.begin(self.agent.observation)
        self._executed, self._score, self._length = [], 0.0, 0
        self.moments.begin()

    def _end_episode(self) -> EpisodeDone | None:
        """End the episode; return None if it started inside the seeding: its points are not a whole episode's."""
        self.memory.end()
        assert self._executed is not None
        inside = b"" if self._starts is None or self._start is None else self._starts.actions_before(self._start)
        self.moments.ended(self.emulator.settings, inside + bytes(self._executed), self.step + 1)
        if self._starts is not None and self._start is not None:
            self._starts.finished(self._start, self._score)
            self._executed = None
            return None
        done = EpisodeDone(self._score, self._length)
        self.episodes += 1
        self.recent_scores.append(done.score)
        self.recent_lengths.append(done.steps)
        self.own_episodes.ended(done.score, done.steps, self.recent_scores)
        self._executed = None
        return done

    def _prepare_step(self) -> None:
        self.agent.epsilon = self.epsilon
        config = self.config
        if self.step >= config.learn_from_step and self.step % config.train_every == 0 and len(self.memory):
            for _ in range(config.gradient_steps - 1):
                self._begin_update()
                self._finish_update()
            self._begin_update()

    def _begin_update(self) -> None:
        self._reset_if_due()
        self.learner.begin_update(self.batches.sample(self.step, self._horizon))

    def _reset_if_due(self) -> None:
        """Reset the dense layers after every ``reset_every`` own updates, by a generator of the reset's own.

        It comes just before the next update, so that no training ends with new weights.
        """
        every = self.config.reset_every
        if every and self.own_updates and self.own_updates % every == 0:
            seed = np.random.SeedSequence(self.config.seed, spawn_key=(RESETTING, self.own_updates // every))
            self.learner.reset_dense_layers(np.random.default_rng(seed))

    @property
    def _horizon(self) -> Horizon | None:
        every = self.config.reset_every
        return horizon_at(self.config, self.own_updates % every if every else self.own_updates)

    def _finish_update(self) -> Update | None:
        update = self.learner.finish_update()
        if update is not None:
            self.own_updates += 1
            self.batches.learned(update)
        return update

    # ---- saving --------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return plain values that are the whole training, together with memory and learner. Only between updates."""
        settings = self.emulator.settings
        inside = {} if self._start is None else {"start": asdict(self._start)}
        starts = {} if self._starts is None else {"starts": self._starts.state()}
        return {
            "step": self.step,
            "pretrained": self.pretrained,
            "own_updates": self.own_updates,
            "experienced": self.experienced,
            "updates": self.learner.updates,
            "episodes": self.episodes,
            "recent_scores": list(self.recent_scores),
            "recent_lengths": list(self.recent_lengths),
            "own_episodes": self.own_episodes.state(),
            **self.batches.state(),
            "generators": self.generators.state(),
            **starts,
            **self._pretraining_state(),
            "episode": None
            if self._executed is None
            else {
                "seed": settings.seed,
                "noop_start": settings.noop_start,
                "executed": bytes(self._executed).hex(),
                "score": self._score,
                "length": self._length,
                **inside,
            },
        }

    def _pretraining_state(self) -> dict[str, Any]:
        return {
            "pretraining_ended": self.pretraining_ended,
            **self.imitation.state(),
            "held_out": None if self.held_out is None else self.held_out.state(),
        }

    def _restore_pretraining(self, state: dict[str, Any]) -> None:
        # Checkpoints of older versions have none of these.
        ended = self.step > 0 or self.pretrained >= self.config.pretrain_steps
        self.pretraining_ended = state.get("pretraining_ended", ended)
        self.imitation.restore(state)
        held_out = state.get("held_out")
        self.held_out = None if held_out is None else HeldOut.from_state(held_out)

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from ``state``. Memory and learner must have been restored before."""
        self.step, self.pretrained, self.experienced = state["step"], state["pretrained"], state["experienced"]
        self.learner.updates, self.episodes = state["updates"], state["episodes"]
        self.own_updates = state.get("own_updates", 0)  # older versions, which lack it, had no resets
        self.recent_scores.extend(state["recent_scores"])
        self.recent_lengths.extend(state["recent_lengths"])
        self.own_episodes.restore(state.get("own_episodes", []))
        self.batches.restore(state)
        self.generators.restore(state["generators"])
        self._restore_pretraining(state)
        if self._starts is not None:
            self._starts.restore(state["starts"])
        episode = state["episode"]
        if episode is None:
            return
        if self._starts is not None and "start" in episode:
            self._start = Start(**episode["start"])
            self._starts.begin(self.emulator, self._start)
        else:
            begin_episode(self.emulator, episode["seed"], episode["noop_start"])
        self._executed = list(bytes.fromhex(episode["executed"]))
        for action in self._executed:
            self.emulator.executed(action)  # samples the sticky actions again
            self.emulator.act(action)
        self._score, self._length = episode["score"], episode["length"]
        self.moments.begin(self._score)
        self.agent.take_over(self.memory.history(self.memory.head))
