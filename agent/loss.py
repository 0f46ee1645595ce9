"""What the learner minimises, in Keras operations: pure functions of values, actions and rewards.

B is the batch, A the actions. Nothing here knows a network.
"""

from __future__ import annotations

from typing import Any

from agent.quiet_keras import keras

Tensor = Any
"""A tensor of whichever backend Keras runs on."""


def chosen(q: Tensor, actions: Tensor) -> Tensor:
    """Values (B,) of actions (B,) int32 among q (B, A)."""
    return keras.ops.sum(q * keras.ops.one_hot(actions, q.shape[-1]), axis=1)


def bootstrap(q_next_target: Tensor, q_next_online: Tensor | None) -> Tensor:
    """Value (B,) of the next state.

    With ``q_next_online`` (B, A) the online network chooses the action that the target network values (van Hasselt
    et al. 2016, equation 4); without, the greatest of ``q_next_target`` (B, A) counts (Mnih et al. 2015).
    """
    if q_next_online is None:
        return keras.ops.max(q_next_target, axis=1)
    return chosen(q_next_target, keras.ops.argmax(q_next_online, axis=1))


def target_values(returns: Tensor, discounts: Tensor, next_values: Tensor, recorded: Tensor | None) -> Tensor:
    """Targets (B,): n-step return plus the discounted value after it.

    ``recorded`` (B,), where given, bounds them below: what was really earned after an action is at most what the
    best play would earn (He et al. 2017, equation 4). -inf where nothing is known.
    """
    targets = returns + discounts * next_values
    if recorded is not None:
        targets = keras.ops.maximum(targets, recorded)
    return keras.ops.stop_gradient(targets)


def td_losses(errors: Tensor, kind: str) -> Tensor:
    """Loss (B,) of TD errors (B,): "huber" with its corner at 1, or "squared" (half the square, as Huber's core)."""
    squared = 0.5 * keras.ops.square(errors)
    if kind == "squared":
        return squared
    size = keras.ops.abs(errors)
    return keras.ops.where(size <= 1.0, squared, size - 0.5)


def margin_losses(q: Tensor, actions: Tensor, imitate: Tensor, margin: float) -> Tensor:
    """Large-margin loss (B,) on the decisions that are to be imitated (Hester et al. 2018, equation 2).

    imitate (B,) float32 is 1 there and 0 elsewhere.
    """
    others = margin * (1.0 - keras.ops.one_hot(actions, q.shape[-1]))  # [B, A]
    return imitate * (keras.ops.max(q + others, axis=1) - chosen(q, actions))


def conservative_losses(q: Tensor, actions: Tensor, imitate: Tensor) -> Tensor:
    """How far the soft maximum of the values stands above the demonstrated action's, (B,); 0 where not imitated.

    The regulariser of conservative Q-learning (Kumar et al. 2020, equation 4), which keeps the values of actions that
    no demonstrator took from growing unseen. It is also the negative log-likelihood of the action under a soft-max.
    """
    return imitate * (keras.ops.logsumexp(q, axis=1) - chosen(q, actions))


def squared_weights(variables: list[Any]) -> Tensor:
    """Sum of the squares of all kernels, without biases and normalisation (the L2 term of Hester et al. 2018)."""
    return sum(keras.ops.sum(keras.ops.square(v)) for v in variables if v.path.endswith("/kernel"))
