"""The loss that the learner minimises, in Keras operations: pure functions of values, actions and rewards.

B is the batch size, A the number of actions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from agent.batch import Batch
from agent.config import TrainConfig
from agent.heads import head_of
from agent.quiet_keras import keras
from agent.returns import UNKNOWN

FAR_BELOW = -1e9
"""A finite value below all others: infinity times 0 is not 0."""
Tensor = Any
"""A tensor of the backend that Keras runs on."""


def batch_arrays(batch: Batch) -> tuple[Any, ...]:
    """Return the arrays of a batch that the loss reads, in the order in which a compiled step takes them."""
    return (
        batch.stacks,
        batch.actions,
        batch.returns,
        batch.discounts,
        batch.next_stacks,
        batch.recorded,
        batch.imitate,
        batch.weights,
        batch.rewards,
        batch.one_step_discounts,
        batch.following_stacks,
        batch.seeded,
        batch.equivalent.astype(np.int32),
    )


def loss_of(
    config: TrainConfig, online: keras.Model, target: keras.Model, batch: tuple[Any, ...]
) -> tuple[Any, tuple[Any, Any]]:
    """Return the loss of a batch, its TD errors (B,) and the mean value of its actions.

    batch: the arrays of ``batch_arrays``. This is Hester et al. 2018, equation 3, extended by double Q-learning, the
    bound by recorded returns, importance weights and the conservative loss; a weight of 0 leaves a term out. The terms
    other than the TD loss are multiplied by the head's slope, so that a weight means the same with every head.
    """
    (
        stacks,
        actions,
        returns,
        discounts,
        next_stacks,
        recorded,
        imitate,
        weights,
        rewards,
        one_discounts,
        following,
        seeded,
        sets,
    ) = batch
    ops, head = keras.ops, head_of(config)
    outputs = online(stacks, training=True)  # [B, A], or [B, A, N] of N quantiles
    q = head.values(outputs, ops)  # [B, A]
    taken = chosen(outputs, actions)  # [B] or [B, N]
    alike = same_effect(sets, actions, q.shape[-1]) if config.equivalent_actions else None  # [B, A]
    bound = recorded if config.bounds_targets else None
    if config.bound_returns == "own" and bound is not None:
        bound = ops.where(seeded, UNKNOWN, recorded)

    def td(sums: Any, factors: Any, after: Any) -> tuple[Any, Any]:
        next_outputs = target(after, training=False)
        # With double Q-learning the online network chooses the action that the target network values (van Hasselt et
        # al. 2016, equation 4).
        choosing = online(after, training=False) if config.double_q else next_outputs
        best = ops.argmax(head.values(choosing, ops), axis=1)
        targets = head.targets(sums, factors, chosen(next_outputs, best), bound, ops)
        return head.losses(taken, ops.stop_gradient(targets), ops)

    each, td_errors = td(returns, discounts, next_stacks)
    if config.one_step_weight:
        each = each + config.one_step_weight * td(rewards, one_discounts, following)[0]
    if config.bad_margin:
        avoid = ops.maximum(-imitate, 0.0)
        each = each + head.slope * bad_margin_losses(q, actions, avoid, config.bad_margin, alike)
        imitate = ops.maximum(imitate, 0.0)
    if config.imitates:
        imitated = imitate
        if config.imitate_above_value:
            imitated = imitate * above_value(chosen(q, actions), recorded)
        each = each + head.slope * config.margin_weight * margin_losses(q, actions, imitated, config.margin, alike)
    if config.conservative_weight:
        earned = recorded if config.calibrate else None
        each = each + head.slope * config.conservative_weight * conservative_losses(q, actions, imitate, earned, alike)
    total = ops.mean(weights * each)
    if config.l2_weight:
        total = total + config.l2_weight * squared_weights(online.trainable_variables)
    return total, (td_errors, ops.mean(chosen(q, actions)))


def chosen(outputs: Tensor, actions: Tensor) -> Tensor:
    """Return what outputs (B, A) or (B, A, N) hold for actions (B,) int32: (B,) or (B, N)."""
    mask = keras.ops.one_hot(actions, outputs.shape[1])  # [B, A]
    if len(outputs.shape) == 3:
        mask = mask[:, :, None]
    return keras.ops.sum(outputs * mask, axis=1)


def same_effect(sets: Tensor, actions: Tensor, action_count: int) -> Tensor:
    """Return 1 for the action taken and those equivalent to it, and 0 for the others, (B, A) float32.

    sets: (B,) int32, a bit for each equivalent action; 0: unknown.
    """
    ops = keras.ops
    shifted = ops.cast(sets, "float32")[:, None] / np.float32(2.0) ** np.arange(action_count, dtype=np.float32)
    return ops.maximum(ops.mod(ops.floor(shifted), 2.0), ops.one_hot(actions, action_count))


def best_of(q: Tensor, alike: Tensor) -> Tensor:
    """Return the greatest value of the actions for which alike (B, A) is 1, (B,); -inf where there is none."""
    return keras.ops.max(_only(q, alike), axis=1)


def _only(q: Tensor, alike: Tensor) -> Tensor:
    return keras.ops.where(alike > 0.0, q, -np.inf)


def margin_losses(q: Tensor, actions: Tensor, imitate: Tensor, margin: float, alike: Tensor | None = None) -> Tensor:
    """Return the large-margin loss (B,) of the decisions to be imitated (Hester et al. 2018, equation 2).

    imitate (B,) float32 is 1 there and 0 elsewhere. alike (B, A), where given: 1 for the actions with the same effect,
    the best of which is to exceed all others. Where all have the same effect, nothing is imitated.
    """
    right = keras.ops.one_hot(actions, q.shape[-1]) if alike is None else alike  # [B, A]
    best = chosen(q, actions) if alike is None else best_of(q, alike)
    return imitate * (keras.ops.max(q + margin * (1.0 - right), axis=1) - best)


def above_value(values: Tensor, recorded: Tensor) -> Tensor:
    """Return 1 where the return recorded (B,) after an action exceeds its value (B,), and 0 elsewhere, (B,) float32.

    There the agent can still learn something from the demonstrator (Nair et al. 2018, section IV-C; Oh et al. 2018,
    equation 2). It is also 1 where the return is not known, so that an episode without an end is imitated.
    """
    return keras.ops.cast(keras.ops.logical_or(recorded > values, recorded == UNKNOWN), "float32")


def bad_margin_losses(q: Tensor, actions: Tensor, avoid: Tensor, margin: float, alike: Tensor | None = None) -> Tensor:
    """Return how far the value of an action to be avoided exceeds the best other one minus ``margin``, (B,), or 0.

    avoid (B,) float32 is 1 where the action was judged bad and 0 elsewhere: the large-margin loss turned round. alike
    (B, A), where given: 1 for the actions with the same effect, which are avoided together.
    """
    if alike is None:
        best_other = best_of(q, 1.0 - keras.ops.one_hot(actions, q.shape[-1]))
        return avoid * keras.ops.maximum(chosen(q, actions) + margin - best_other, 0.0)
    others = 1.0 - alike
    best_other = keras.ops.max(keras.ops.where(others > 0.0, q, FAR_BELOW), axis=1)
    exceeded = keras.ops.maximum(best_of(q, alike) + margin - best_other, 0.0)
    return avoid * keras.ops.max(others, axis=1) * exceeded  # 0 where there is no other


def conservative_losses(
    q: Tensor, actions: Tensor, imitate: Tensor, recorded: Tensor | None = None, alike: Tensor | None = None
) -> Tensor:
    """Return the log-sum-exp of the values minus the demonstrated action's value, (B,); 0 where not imitated.

    The regulariser of conservative Q-learning (Kumar et al. 2020, equation 4), which keeps down the values of actions
    that no demonstrator took. It is also the negative log-likelihood of the action under a softmax.

    recorded (B,), where given: the recorded return, -inf where it is not known. The other actions' values count as at
    least that, so they are not lowered further (Nakamoto et al. 2023, equation 5).

    alike (B, A), where given: 1 for the actions with the same effect, whose probabilities are added.
    """
    counted = q
    if recorded is not None:
        taken = keras.ops.one_hot(actions, q.shape[-1]) if alike is None else alike  # [B, A]
        counted = keras.ops.where(taken > 0.0, q, keras.ops.maximum(q, recorded[:, None]))
    right = chosen(q, actions) if alike is None else keras.ops.logsumexp(_only(q, alike), axis=1)
    return imitate * (keras.ops.logsumexp(counted, axis=1) - right)


def squared_weights(variables: list[Any]) -> Tensor:
    """Return the sum of the squares of all kernels, but not biases or gains (the L2 term of Hester et al. 2018)."""
    return sum(keras.ops.sum(keras.ops.square(v)) for v in variables if v.path.endswith("/kernel"))
