"""Heads: the network's outputs for each action, the Q-values that they represent, and the loss of a TD error.

``dqn`` outputs the value itself, ``quantile`` the quantiles of the return's distribution. A head works on the arrays of
either library: ``ops`` is ``keras.ops`` for learning and ``numpy`` for acting. B is the batch size, A the number of
actions, N the number of quantiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from agent.config import TrainConfig

Array = Any
"""A NumPy array or a tensor of Keras's backend."""


class Head(Protocol):
    """What a head defines. Another one is a class here and a choice in ``head_of``."""

    @property
    def width(self) -> int:
        """Outputs per action."""
        ...

    @property
    def slope(self) -> float:
        """Slope of the loss by the value, far from the target: the weights of other losses are multiples of it."""
        ...

    def shape(self, action_count: int) -> tuple[int, ...]:
        """Return the shape of an example's outputs: (A,) or (A, N)."""
        ...

    def values(self, outputs: Array, ops: Any) -> Array:
        """Return the action values (B, A) by which the agent acts."""
        ...

    def interval(self, outputs: np.ndarray, probability: float) -> np.ndarray | None:
        """Return the central interval (A, 2) that holds each action's return with this probability.

        outputs: of one example. None for a head that represents no distribution.
        """
        ...

    def targets(self, returns: Array, discounts: Array, following: Array, recorded: Array | None, ops: Any) -> Array:
        """Return what the outputs of the action taken should become.

        returns, discounts (B,): of n steps. following: the target network's outputs for the best action after them.
        recorded (B,), where given, bounds the value below: the return that was earned after an action is at most that
        of the best policy (He et al. 2017, equation 4). -inf where it is not known.
        """
        ...

    def losses(self, taken: Array, targets: Array, ops: Any) -> tuple[Array, Array]:
        """Return the loss (B,) and the TD error (B,) of the outputs ``taken`` for the action taken."""
        ...


@dataclass(frozen=True)
class ValueHead:
    """One value per action (Mnih et al. 2015)."""

    td_loss: str
    width: int = 1
    slope: float = 1.0

    def shape(self, action_count: int) -> tuple[int, ...]:
        return (action_count,)

    def values(self, outputs: Array, ops: Any) -> Array:  # noqa: ARG002
        return outputs

    def interval(self, outputs: np.ndarray, probability: float) -> np.ndarray | None:  # noqa: ARG002
        return None

    def targets(self, returns: Array, discounts: Array, following: Array, recorded: Array | None, ops: Any) -> Array:
        targets = returns + discounts * following
        return targets if recorded is None else ops.maximum(targets, recorded)

    def losses(self, taken: Array, targets: Array, ops: Any) -> tuple[Array, Array]:
        errors = targets - taken
        return (huber if self.td_loss == "huber" else half_squared)(errors, ops), errors


@dataclass(frozen=True)
class QuantileHead:
    """N quantiles of the return per action, with the mean as value (Dabney et al. 2018, section 4)."""

    width: int

    @property
    def slope(self) -> float:
        # Each quantile's loss has its level as slope, between 0 and 1, and the levels sum to half their number.
        return self.width / 2.0

    def shape(self, action_count: int) -> tuple[int, ...]:
        return action_count, self.width

    def values(self, outputs: Array, ops: Any) -> Array:
        return ops.mean(outputs, axis=-1)

    def interval(self, outputs: np.ndarray, probability: float) -> np.ndarray | None:
        """Interpolate between the quantiles, which are those of the levels (i + 0.5) / N, in any order."""
        outside = (1.0 - probability) / 2
        ends: np.ndarray = np.quantile(outputs, (outside, 1.0 - outside), axis=-1, method="hazen")
        return ends.T

    def targets(self, returns: Array, discounts: Array, following: Array, recorded: Array | None, ops: Any) -> Array:
        targets = returns[:, None] + discounts[:, None] * following  # [B, N]
        if recorded is None:
            return targets
        # The whole distribution is shifted up, so that its mean has the same bound as a single value.
        return targets + ops.maximum(recorded - ops.mean(targets, axis=1), 0.0)[:, None]

    def losses(self, taken: Array, targets: Array, ops: Any) -> tuple[Array, Array]:
        """Return the quantile Huber loss with kappa 1, and the difference of the means.

        Dabney et al. 2018, equations 9 and 10 and algorithm 1: summed over quantiles, averaged over targets.
        """
        errors = targets[:, None, :] - taken[:, :, None]  # [B, quantile, target]
        levels = (np.arange(self.width, dtype=np.float32) + np.float32(0.5)) / np.float32(self.width)
        below = ops.where(errors < 0.0, 1.0 - levels[None, :, None], levels[None, :, None])
        each = ops.sum(ops.mean(below * huber(errors, ops), axis=2), axis=1)
        return each, ops.mean(targets, axis=1) - ops.mean(taken, axis=1)


def huber(errors: Array, ops: Any) -> Array:
    """Return the Huber loss of errors of any shape: linear beyond 1."""
    size = ops.abs(errors)
    return ops.where(size <= 1.0, half_squared(errors, ops), size - 0.5)


def half_squared(errors: Array, ops: Any) -> Array:
    """Return half the squares of errors of any shape."""
    return 0.5 * ops.square(errors)


def head_of(config: TrainConfig) -> Head:
    """Return the configuration's head."""
    return QuantileHead(config.quantiles) if config.quantiles else ValueHead(config.td_loss)
