"""The learner: online, target and averaged weights, and the one compiled step that changes them."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.array_file import part_of
from agent.batch import Batch
from agent.config import TrainConfig
from agent.keras_network import array_of, build_network, is_dense, load_weights, refresh_arrays, weight_arrays
from agent.loss import batch_arrays
from agent.network import NumpyNetwork
from agent.quiet_keras import backend_name, keras
from data.errors import CoachError

GREATEST_LOSS = 1e6
"""A mean loss above this has diverged: with clipped rewards it stays below 100."""
GREATEST_LOSS_OF_POINTS = 1e14
"""The same for rewards of unchanged points, which in some games are millions."""


@dataclass(frozen=True)
class Update:
    """The result of one update of the weights."""

    loss: float
    td_errors: np.ndarray
    """(B,) float32: target minus value."""
    mean_value: float
    """Mean value of the actions taken in the batch."""


class Learner:
    """Networks and optimizer. Updates are deterministic: all randomness comes with the batch."""

    def __init__(self, config: TrainConfig, action_count: int, rng: np.random.Generator) -> None:
        self.config = config
        self.updates = 0
        self._action_count = action_count
        self.online = build_network(config, action_count, rng)
        self.target = build_network(config, action_count, np.random.default_rng(0))
        self.averaged = self.online
        if config.averaging:
            self.averaged = build_network(config, action_count, np.random.default_rng(0))
        self.optimizer = _optimizer(config)
        self.optimizer.build(self.online.trainable_variables)
        self._acting_arrays = self.acting_weights()
        self._acting = NumpyNetwork(config, action_count, self._acting_arrays)
        self._acting_is_stale = True
        self.copy_online()
        self._step = compile_step(self)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="learner")
        self._running: Future[Update] | None = None

    def start_again(self, rng: np.random.Generator) -> None:
        """Discard all that was learned: new weights that depend on ``rng`` alone, and a fresh optimizer."""
        _copy(build_network(self.config, self._action_count, rng), self.online)
        for variable in self.optimizer.variables:
            if "learning_rate" not in variable.path:
                variable.assign(np.zeros(variable.shape))
        self.copy_online()

    def reset_dense_layers(self, rng: np.random.Generator) -> None:
        """Give the dense layers new initial weights, which depend on ``rng`` alone, and zero their optimizer moments.

        The new weights are also those of the target and averaged networks. Convolutions stay (Nikishin et al. 2022).
        """
        assert self._running is None, "an update is being computed"
        fresh = build_network(self.config, self._action_count, rng)
        for network in (self.online, self.target, self.averaged):
            for new, variable in zip(fresh.weights, network.weights, strict=True):
                if is_dense(new):
                    variable.assign(new)
        names = [variable.path.replace("/", "_") for variable in fresh.weights if is_dense(variable)]
        moments = [v for v in self.optimizer.variables if any(f"/{name}_" in v.path for name in names)]
        if len(moments) < len(names):
            raise CoachError(f"--reset-every does not know the optimizer's variables of Keras {keras.__version__}.")
        for variable in moments:
            variable.assign(np.zeros(variable.shape))
        self._acting_is_stale = True

    def set_learning_rate(self, learning_rate: float) -> None:
        """Set the size of the following updates. It is saved with the optimizer."""
        self.optimizer.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.learning_rate)

    def copy_online(self) -> None:
        """Set target and averaged weights to the online ones."""
        for network in (self.target, self.averaged):
            if network is not self.online:
                _copy(self.online, network)
        self._acting_is_stale = True

    def q_values(self, stack: np.ndarray) -> np.ndarray:
        """Return the (A,) float32 values of one stack (S, 84, 84) uint8 by the weights that act."""
        return self._acting_network()(stack)

    def _acting_network(self) -> NumpyNetwork:
        """Return the network that acts, on a copy of the weights: acting continues during the next update."""
        if self._acting_is_stale:
            refresh_arrays(self.averaged, self._acting_arrays)
            self._acting_is_stale = False
        return self._acting

    def begin_update(self, batch: Batch) -> None:
        """Start one update of the online weights in the background; ``finish_update`` must follow."""
        assert self._running is None, "an update is being computed already"
        self._acting_network()
        self._running = self._worker.submit(self._update, batch)

    def finish_update(self) -> Update | None:
        """Wait for the update that was started, and act by its weights from now on; None if none was started.

        Raises CoachError when the loss is NaN or has diverged.
        """
        if self._running is None:
            return None
        running, self._running = self._running, None
        self._acting_is_stale = True
        return running.result()

    def update(self, batch: Batch) -> Update:
        """Make one update while the caller waits: for pretraining, where no agent acts."""
        self._acting_is_stale = True
        return self._update(batch)

    def close(self) -> None:
        """Wait for a running update and end the worker thread."""
        self._worker.shutdown()

    def _update(self, batch: Batch) -> Update:
        loss, td_errors, mean_value = self._step(*batch_arrays(batch))
        self.updates += 1
        if self.updates % self.config.target_update_steps == 0:
            _copy(self.online, self.target)
        result = Update(float(loss), np.asarray(td_errors), float(mean_value))
        greatest = GREATEST_LOSS_OF_POINTS if self.config.reward == "points" else GREATEST_LOSS
        if not abs(result.loss) <= greatest:  # also True for NaN
            raise CoachError(
                f"Training has diverged: the loss of update {self.updates:,} is {result.loss:g}. The last checkpoint "
                "is from before it. Try a smaller --learning-rate, or --reward sign."
            )
        return result

    def arrays(self) -> dict[str, np.ndarray]:
        """Return copies of everything that learning changes, by name."""
        found = {f"online/{name}": array for name, array in weight_arrays(self.online).items()}
        found |= {f"target/{name}": array for name, array in weight_arrays(self.target).items()}
        if self.averaged is not self.online:
            found |= {f"averaged/{name}": array for name, array in weight_arrays(self.averaged).items()}
        for number, variable in enumerate(self.optimizer.variables):
            found[f"optimizer/{number}"] = array_of(variable)
        return found

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Restore what ``arrays()`` returned; raises ValueError if something is missing or has another shape."""
        for prefix, network in (("online", self.online), ("target", self.target), ("averaged", self.averaged)):
            if prefix != "averaged" or network is not self.online:
                load_weights(network, part_of(arrays, prefix))
        for number, variable in enumerate(self.optimizer.variables):
            array = arrays.get(f"optimizer/{number}")
            if array is None or array.shape != tuple(variable.shape):
                raise ValueError(f"the optimizer's array {number} is missing or has another shape")
            variable.assign(array)
        self._acting_is_stale = True

    def acting_weights(self) -> dict[str, np.ndarray]:
        """Return copies of the weights that act and are evaluated."""
        return weight_arrays(self.averaged)


def _copy(source: keras.Model, destination: keras.Model) -> None:
    for ours, theirs in zip(source.weights, destination.weights, strict=True):
        theirs.assign(ours)


def _optimizer(config: TrainConfig) -> keras.optimizers.Optimizer:
    if config.optimizer == "adam":
        return _adam()(config.learning_rate, epsilon=config.optimizer_epsilon)
    return keras.optimizers.RMSprop(
        config.learning_rate,
        rho=config.optimizer_decay,
        epsilon=config.optimizer_epsilon,
        centered=config.optimizer == "rmsprop-centred",
    )


def _adam() -> Any:
    """Return the fastest class of Adam on this backend."""
    if backend_name() == "tensorflow":
        from agent.step_tensorflow import FusedAdam

        return FusedAdam
    return keras.optimizers.Adam


def compile_step(learner: Learner) -> Any:
    """Return one update as one compiled call: gradient, clipping, optimizer, averaged weights.

    It takes the arrays of ``agent.loss.batch_arrays``.
    """
    if backend_name() == "tensorflow":
        from agent.step_tensorflow import tensorflow_step

        return tensorflow_step(learner.config, learner.online, learner.target, learner.averaged, learner.optimizer)
    if backend_name() == "jax":
        from agent.step_jax import jax_step

        return jax_step(learner.config, learner.online, learner.target, learner.averaged, learner.optimizer)
    raise CoachError(f"The Keras backend {backend_name()!r} is not supported; set KERAS_BACKEND=tensorflow or jax.")
