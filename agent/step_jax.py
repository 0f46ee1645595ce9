"""The compiled update on JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from agent.config import TrainConfig
from agent.loss import loss_of
from agent.quiet_keras import keras


def jax_step(
    config: TrainConfig,
    online: keras.Model,
    target: keras.Model,
    averaged: keras.Model,
    optimizer: keras.optimizers.Optimizer,
) -> Callable[..., tuple[Any, Any, Any]]:
    """Return a function of a batch's arrays that updates the weights and returns loss, TD errors (B,), mean value."""

    def loss_at(values: list[Any], target_values: list[Any], batch: tuple[Any, ...]) -> Any:
        mapping = [
            *zip(online.trainable_variables, values, strict=True),
            *zip(target.trainable_variables, target_values, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping):
            return loss_of(config, online, target, batch)

    gradient_of = jax.value_and_grad(loss_at, has_aux=True)

    @jax.jit
    def pure(values: Any, target_values: Any, means: Any, state: Any, batch: Any) -> Any:
        (loss, (td_errors, mean_value)), gradients = gradient_of(values, target_values, batch)
        if config.gradient_norm:
            norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in gradients))
            gradients = [g * jnp.minimum(1.0, config.gradient_norm / jnp.maximum(norm, 1e-12)) for g in gradients]
        values, state = optimizer.stateless_apply(state, gradients, values)
        means = [config.averaging * m + (1.0 - config.averaging) * v for m, v in zip(means, values, strict=True)]
        return values, means, state, (loss, td_errors, mean_value)

    def step(*batch: Any) -> tuple[Any, Any, Any]:
        values, means, state, result = pure(
            [v.value for v in online.trainable_variables],
            [v.value for v in target.trainable_variables],
            [v.value for v in averaged.trainable_variables],
            [v.value for v in optimizer.variables],
            batch,
        )
        if averaged is not online:
            _assign(averaged.trainable_variables, means)
        _assign(online.trainable_variables, values)
        _assign(optimizer.variables, state)
        return tuple(result)

    return step


def _assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
