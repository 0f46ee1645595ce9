"""A training from start to end: it builds all parts and adds checkpoints, evaluations, log and progress."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.acting import ActingAgent
from agent.additions import Additions
from agent.array_file import read_arrays
from agent.checkpoint import CheckpointStore, DamagedCheckpoint, read_checkpoint
from agent.config import TrainConfig, run_config
from agent.equivalent_actions import equivalence_facts, equivalent_actions_of_plan
from agent.later_verdicts import LaterVerdicts
from agent.live_weights import LiveWeights
from agent.memory_of_config import new_memory, sampler_factory
from agent.own_evaluations import OwnEvaluations
from agent.pretraining_checks import PretrainingChecks, is_checked
from agent.progress import ProgressReporter, TrainSummary
from agent.run_loop import new_emulator
from agent.seeding import plan_with_labels
from agent.seeding_fill import Source, fill, write_account
from agent.setting import option_name
from agent.start_states import (
    StartEpisode,
    StartStates,
    read_start_episodes,
    start_episodes,
    write_start_episodes,
)
from agent.trainer import Generators, Trainer
from agent.training_log import TrainingLog, logged_step
from data.errors import CoachError
from data.library import Library
from data.live_view import LiveView
from data.moments import write_moments
from data.run_progress import Progress
from data.runs import RunFolder, open_own_run, open_run, run_folder
from data.simulation import Emulator

if TYPE_CHECKING:
    from agent.learner import Learner

CHANGEABLE = ("steps", "evaluate_every", "evaluation_episodes", "checkpoint_every")
"""Settings that a resumed run may change: they decide when it stops and what is reported, not what is learned."""
LOG_EVERY_UPDATES = 250
ACCOUNT_SECONDS = 10.0
"""Time between two reports of what was added."""


def train(
    library: Library,
    run: str,
    config: TrainConfig,
    resume: bool = False,
    labels: Path | str | None = None,
    from_run: str | None = None,
    report: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    carry: str = "whole",
    follow_verdicts: bool = False,
) -> TrainSummary:
    """Train an agent as the run ``run`` of ``library``.

    resume: continue from the run's last checkpoint. labels: the label database, by default the library's. from_run:
    start with the weights of another run, of any game; carry: which of them, one of ``agent.transfer.CARRIES``.
    report: called with the progress about five times a second. should_stop: called every few steps; True ends the
    training with a checkpoint, and an evaluation that it interrupts is made again by the resumed training.
    follow_verdicts: let verdicts that are given during the training take effect in it.

    Raises CoachError if the run exists already (without ``resume``) or does not (with it), if a seeding selects
    nothing, where the configuration differs from the run's, and where the loss is NaN or has diverged.
    """
    folder = open_own_run(library, run) if resume else run_folder(library, run)
    library.prepare()
    training = _Training(library, folder, config, labels, report, should_stop or (lambda: False))
    if follow_verdicts:
        training.later_verdicts = LaterVerdicts(library, folder, training.labels)
    with ExitStack() as stack:
        stack.enter_context(folder.locked())
        if resume:
            _check_config(folder, config)
            training.restore()
        elif folder.exists:
            raise CoachError(f"The run {run!r} exists already; continue it with --resume, or choose another name.")
        else:
            training.start(from_run, carry)
        stack.callback(training.trainer.learner.close)
        return training.run(stack)


def _check_config(folder: RunFolder, config: TrainConfig) -> None:
    saved = run_config(folder)
    if saved.game != config.game:
        raise CoachError(f"The run {folder.name!r} plays {saved.game}, not {config.game}.")
    for item in dataclasses.fields(TrainConfig):
        before, now = getattr(saved, item.name), getattr(config, item.name)
        if before != now and item.name not in CHANGEABLE:
            raise CoachError(
                f"The run {folder.name!r} was started with {option_name(item.name)} {before}, "
                f"so it cannot continue with {now}."
            )


class _Stopped(Exception):
    """The training was asked to stop in an evaluation, or in the check after pretraining."""


class _Training:
    """One call of ``train``."""

    def __init__(
        self,
        library: Library,
        folder: RunFolder,
        config: TrainConfig,
        labels: Path | str | None,
        report: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool],
    ) -> None:
        self.library = library
        self.folder = folder
        self.config = config
        self.labels = labels if labels is not None else library.labels
        self.should_stop = should_stop
        self.progress = ProgressReporter(report, config)
        self.store = CheckpointStore(folder)
        self.sources: list[Source] = []
        self.live_view = LiveView(folder.path)
        self.live_weights = LiveWeights(folder.path)
        self.evaluations = OwnEvaluations(folder)
        self.seconds_before = 0.0
        self.note = ""
        self.account_due = 0.0
        self.later_verdicts: LaterVerdicts | None = None
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self.seconds_before + time.monotonic() - self.started

    # ---- starting ------------------------------------------------------------------------------------------------

    def start(self, from_run: str | None, carry: str) -> None:
        """Set up a new run: choose the seeding, fill the memory with it, make the network."""
        config = self.config
        action_meanings = new_emulator(config).action_meanings
        plan = plan_with_labels(config, self.library, action_meanings, self.labels)
        self.note = self.progress.note = plan.note
        memory = new_memory(config, plan.slots(config))
        generators = Generators.from_seed(config.seed)
        learner = self._learner(len(action_meanings), generators.sampling)
        if from_run is not None:
            from agent.transfer import take_weights

            take_weights(learner, open_run(self.library, from_run), action_meanings, carry)
        starts = start_episodes(config, plan, action_meanings) if config.start_inside else []
        equivalent = None
        if config.equivalent_actions:
            self.progress.start_phase("comparing", 0, max(1, sum(len(e.decisions) for e in plan.episodes)))
            equivalent = equivalent_actions_of_plan(plan, action_meanings, self.progress.stepped)
        self.progress.start_phase("filling", 0, max(1, plan.decisions))
        self.sources = fill(memory, config, plan, generators.episodes, self.progress.stepped, equivalent)
        experienced = from_run is not None or bool(config.pretrain_steps and memory.seeded_ready)
        self.trainer = Trainer(config, memory, learner, generators, experienced, self._start_states(starts))
        self.trainer.prepare_seeding()
        self.checks = PretrainingChecks(self.trainer, self.sources)
        # Only now, so that a start that fails or is interrupted leaves no run behind.
        self.folder.create(dataclasses.asdict(config), action_meanings, from_run, carry if from_run else None)
        self.additions = Additions(self.folder, config, action_meanings, sampler_factory(config))
        self.additions.open()
        if starts:
            write_start_episodes(self.folder.starts, starts)
        self.save()

    def _start_states(self, episodes: list[StartEpisode]) -> StartStates | None:
        return StartStates(self.config, episodes) if episodes else None

    def _learner(self, action_count: int, rng: np.random.Generator) -> Learner:
        # Not before the settings and the seeding are checked: importing TensorFlow takes seconds.
        from agent.learner import Learner
        from agent.quiet_keras import set_up_computing

        set_up_computing(self.config.threads, self.config.deterministic)
        return Learner(self.config, action_count, rng)

    def restore(self) -> None:
        """Restore everything from the run's newest checkpoint that is not damaged."""
        while True:
            newest = self.folder.newest_checkpoint()
            if newest is None:
                raise CoachError(f"The run {self.folder.name!r} has no checkpoint; train it again under another name.")
            try:
                self._restore_newest()
                return
            except DamagedCheckpoint as damage:
                if len(self.folder.checkpoint_paths()) == 1:
                    raise
                aside = self.folder.set_checkpoint_aside(newest)
                before = self.folder.newest_checkpoint()
                self.note = f"{damage} It is now {aside.name}; the training continues from checkpoint {before}."

    def _restore_newest(self) -> None:
        found = read_checkpoint(self.folder)
        if found is None:
            raise CoachError(f"The run {self.folder.name!r} has no checkpoint; train it again under another name.")
        checkpoint, state, learned = found
        config = self.config
        memory = new_memory(config, state["memory"]["seeded_end"])
        learner = self._learner(len(self.folder.read().action_meanings), np.random.default_rng(0))
        try:
            learner.load(learned)
        except ValueError as error:
            raise CoachError(f"The checkpoint {checkpoint} does not fit the run's network: {error}.") from error
        self.store.load_memory(checkpoint, state, memory)
        starts = self._start_states(read_start_episodes(self.folder.starts) if config.start_inside else [])
        self.trainer = Trainer(config, memory, learner, Generators.from_seed(config.seed), False, starts)
        self.trainer.restore(state["trainer"])
        self._restore_additions(checkpoint, state.get("additions"))
        self.sources = [Source(**source) for source in state["sources"]]
        self.evaluations.restore(state)
        self.checks = PretrainingChecks(self.trainer, self.sources)
        self.checks.restore(state.get("checks", []), learned)
        self.seconds_before = state["seconds"]
        self.folder.write_config(dataclasses.asdict(config))

    def _restore_additions(self, checkpoint: Path, applied: list[str] | None) -> None:
        meanings = self.folder.read().action_meanings
        self.additions = Additions(self.folder, self.config, meanings, sampler_factory(self.config))
        changes = None
        if applied:
            try:
                changes = read_arrays(checkpoint / "added.npz")
            except CoachError as error:
                raise DamagedCheckpoint(str(error)) from error
        self.additions.open(applied, changes)
        self.trainer.batches.added = self.additions.memory

    # ---- running -------------------------------------------------------------------------------------------------

    def run(self, stack: ExitStack) -> TrainSummary:
        """Pretrain and train to the end, or until asked to stop."""
        from agent.run_log import RunLog

        trainer, config = self.trainer, self.config
        rows = trainer.episodes, self.evaluations.count
        log = stack.enter_context(RunLog(self.folder, config.game, *rows, logged_step(trainer)))
        self.log = TrainingLog(log, trainer, self.progress)
        self.progress.trainer = trainer
        try:
            stopped = self._pretrain() or self._train()
        except _Stopped:
            stopped = True
        self.save()
        self._write_account()
        scores = list(trainer.recent_scores)
        return TrainSummary(
            run=self.folder.name,
            path=self.folder.path,
            step=trainer.step,
            steps=config.steps,
            updates=trainer.learner.updates,
            episodes=trainer.episodes,
            mean_score=float(np.mean(scores)) if scores else None,
            best_evaluation=self.evaluations.best,
            best_step=self.evaluations.best_step,
            seconds=self.seconds,
            stopped=stopped,
            seeded_decisions=trainer.memory.seeded_ready,
            note=self._whole_note(),
        )

    def _pretrain(self) -> bool:
        """Return whether the training was asked to stop."""
        trainer, config = self.trainer, self.config
        while not trainer.pretraining_ended:
            self.progress.start_phase("pretraining", trainer.pretrained, config.pretrain_steps)
            self._take_additions()
            for update in trainer.pretrain():
                self._take_additions()
                self.progress.updated(update, trainer.pretrained)
                self.log.trace()
                if trainer.pretrained % LOG_EVERY_UPDATES == 0:
                    self.log.update()
                if self.should_stop():
                    return True
                if trainer.pretrained % config.checkpoint_every == 0:
                    self.save()
            if not trainer.pretrained:  # there is nothing to pretrain on
                break
            if self._may_continue():
                trainer.end_pretraining()
                if config.evaluate_every:
                    self._evaluate()
                self.save()
        self.progress.note = self._whole_note()
        return False

    def _may_continue(self) -> bool:
        """Compare the pretrained agent with random play; where it is worse, use the demonstrations for less."""
        if not is_checked(self.trainer, self.folder.read().from_run):
            return True
        self.progress.start_phase("checking", 0, 2 * self.config.check_episodes)
        if self.checks.may_continue(self.progress.stepped, self._stop_if_asked):
            return True
        self.log.drop_trace()
        self.save()
        return False

    def _whole_note(self) -> str:
        later = self.later_verdicts.note if self.later_verdicts is not None else ""
        return " ".join(filter(None, (self.note, self.checks.sentence, self.additions.note, later)))

    def _facts(self) -> dict[str, Any]:
        """Return what the account says of equivalent actions and of the check against random play, where there are."""
        memory = self.trainer.memory
        if not self.config.equivalent_actions:
            return self.checks.facts()
        sets = memory.columns["equivalent"][: memory.seeded_end]
        found = equivalence_facts(sets[sets > 0], len(self.trainer.emulator.action_meanings))
        return {"equivalent_actions": found} | self.checks.facts()

    def _train(self) -> bool:
        """Return whether the training was asked to stop."""
        trainer, config = self.trainer, self.config
        self.progress.start_phase("training", trainer.step, config.steps)
        save_due = False
        # Without pretraining, too, the curve has a point at step 0.
        if self.evaluations.due or (config.evaluate_every and not trainer.step and not self.evaluations.count):
            self._evaluate()
        self._take_additions()
        for done in trainer.train():
            if done.update is not None:
                self.progress.updated(done.update, done.step)
                self.log.trace()
                if trainer.learner.updates % LOG_EVERY_UPDATES == 0:
                    self.log.update()
            if done.episode is not None:
                self.log.episode(done.episode, self.seconds)
            if trainer.moments.found:
                write_moments(self.folder, trainer.moments.found)
                trainer.moments.found = []
            self.progress.stepped(done.step)
            if self.live_view.is_due():
                self.live_view.write(trainer.emulator, trainer.agent.q_values(), trainer.score, evaluating=False)
            save_due |= done.step % config.checkpoint_every == 0
            self.evaluations.due |= bool(config.evaluate_every) and done.step % config.evaluate_every == 0
            if not done.boundary:
                continue
            self._take_additions()
            self.live_weights.offer(done.step, trainer.learner.acting_weights)
            if self.evaluations.due:
                self._evaluate()
            if save_due:
                self.save()
                save_due = False
            if self.should_stop() and done.step < config.steps:
                return True
        return False

    def save(self) -> None:
        """Write a checkpoint; only between updates."""
        trainer = self.trainer
        state = {
            "step": trainer.step,
            "recent_scores": list(trainer.recent_scores),
            "trainer": trainer.state(),
            "sources": [dataclasses.asdict(source) for source in self.sources],
            "checks": self.checks.state(),
            "note": self.checks.sentence,
            "seconds": self.seconds,
            **self.evaluations.state(),
        }
        if self.additions.memory is not None:
            state["additions"] = self.additions.state()
        learner = trainer.learner
        weights = learner.arrays() | self.checks.arrays(), learner.acting_weights()
        self.store.save(state, trainer.memory, *weights, self.additions.changes())
        self._write_account()

    def _take_additions(self) -> None:
        """Use what was added meanwhile; only between updates."""
        taken = self.additions.take(self.trainer, self.sources)
        if self.later_verdicts is not None:
            self.later_verdicts.poll(self.additions, self.trainer, self.sources)
        is_due = self.additions.memory is not None and time.monotonic() >= self.account_due
        if taken or is_due:
            self._write_account()

    def _write_account(self) -> None:
        self.account_due = time.monotonic() + ACCOUNT_SECONDS
        added = self.additions.memory, self.additions.sources
        write_account(self.folder, self.trainer.memory, self.sources, *added, self._facts())

    def _evaluate(self) -> None:
        self.evaluations.make(self.trainer, self.log, self.progress, self._watch_evaluation)
        self.progress.start_phase("training", self.trainer.step, self.config.steps)

    def _watch_evaluation(self, emulator: Emulator, agent: ActingAgent, score: float) -> None:
        self._take_additions()  # an evaluation samples nothing, so this is the same moment as after it
        if self.live_view.is_due():
            self.live_view.write(emulator, agent.q_values(), score, evaluating=True)
        self._stop_if_asked()

    def _stop_if_asked(self, *_: object) -> None:
        if self.should_stop():
            raise _Stopped
