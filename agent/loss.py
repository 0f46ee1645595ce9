"""The loss that the learner minimises, in Keras operations: pure functions of values, actions and rewards.

B is the batch size, A the number of actions.
"""

from __future__ import annotations

from typing import Any

from agent.batch import Batch
from agent.config import TrainConfig
from agent.quiet_keras import keras

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
    )


def loss_of(
    config: TrainConfig, online: keras.Model, target: keras.Model, batch: tuple[Any, ...]
) -> tuple[Any, tuple[Any, Any]]:
    """Return the loss of a batch, its TD errors (B,) and the mean value of its actions.

    batch: the arrays of ``batch_arrays``. This is Hester et al. 2018, equation 3, extended by double Q-learning, the
    bound by recorded returns, importance weights and the conservative loss; a weight of 0 leaves a term out.
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
    ) = batch
    q = online(stacks, training=True)  # [B, A]
    values = chosen(q, actions)  # [B]
    bound = recorded if config.bound_by_return else None

    def errors(sums: Any, factors: Any, after: Any) -> Any:
        choosing = keras.ops.stop_gradient(online(after, training=False)) if config.double_q else None
        next_values = bootstrap(target(after, training=False), choosing)
        return target_values(sums, factors, next_values, bound) - values

    td_errors = errors(returns, discounts, next_stacks)
    each = td_losses(td_errors, config.td_loss)
    if config.one_step_weight:
        each = each + config.one_step_weight * td_losses(errors(rewards, one_discounts, following), config.td_loss)
    if config.imitates:
        each = each + config.margin_weight * margin_losses(q, actions, imitate, config.margin)
    if config.conservative_weight:
        each = each + config.conservative_weight * conservative_losses(q, actions, imitate)
    total = keras.ops.mean(weights * each)
    if config.l2_weight:
        total = total + config.l2_weight * squared_weights(online.trainable_variables)
    return total, (td_errors, keras.ops.mean(values))


def chosen(q: Tensor, actions: Tensor) -> Tensor:
    """Return the values (B,) of actions (B,) int32 among q (B, A)."""
    return keras.ops.sum(q * keras.ops.one_hot(actions, q.shape[-1]), axis=1)


def bootstrap(q_next_target: Tensor, q_next_online: Tensor | None) -> Tensor:
    """Return the value (B,) of the next state.

    With ``q_next_online`` (B, A) the online network chooses the action that the target network values (van Hasselt
    et al. 2016, equation 4); without, the greatest of ``q_next_target`` (B, A) is taken (Mnih et al. 2015).
    """
    if q_next_online is None:
        return keras.ops.max(q_next_target, axis=1)
    return chosen(q_next_target, keras.ops.argmax(q_next_online, axis=1))


def target_values(returns: Tensor, discounts: Tensor, next_values: Tensor, recorded: Tensor | None) -> Tensor:
    """Return the targets (B,): n-step return plus the discounted value after it.

    ``recorded`` (B,), where given, bounds them below: the return that was earned after an action is at most that of
    the best policy (He et al. 2017, equation 4). -inf where it is not known.
    """
    targets = returns + discounts * next_values
    if recorded is not None:
        targets = keras.ops.maximum(targets, recorded)
    return keras.ops.stop_gradient(targets)


def td_losses(errors: Tensor, kind: str) -> Tensor:
    """Return the loss (B,) of TD errors (B,): "huber", linear beyond 1, or "squared", half the square."""
    squared = 0.5 * keras.ops.square(errors)
    if kind == "squared":
        return squared
    size = keras.ops.abs(errors)
    return keras.ops.where(size <= 1.0, squared, size - 0.5)


def margin_losses(q: Tensor, actions: Tensor, imitate: Tensor, margin: float) -> Tensor:
    """Return the large-margin loss (B,) of the decisions to be imitated (Hester et al. 2018, equation 2).

    imitate (B,) float32 is 1 there and 0 elsewhere.
    """
    others = margin * (1.0 - keras.ops.one_hot(actions, q.shape[-1]))  # [B, A]
    return imitate * (keras.ops.max(q + others, axis=1) - chosen(q, actions))


def conservative_losses(q: Tensor, actions: Tensor, imitate: Tensor) -> Tensor:
    """Return the log-sum-exp of the values minus the demonstrated action's value, (B,); 0 where not imitated.

    The regulariser of conservative Q-learning (Kumar et al. 2020, equation 4), which keeps down the values of actions
    that no demonstrator took. It is also the negative log-likelihood of the action under a softmax.
    """
    return imitate * (keras.ops.logsumexp(q, axis=1) - chosen(q, actions))


def squared_weights(variables: list[Any]) -> Tensor:
    """Return the sum of the squares of all kernels, but not biases or gains (the L2 term of Hester et al. 2018)."""
    return sum(keras.ops.sum(keras.ops.square(v)) for v in variables if v.path.endswith("/kernel"))
