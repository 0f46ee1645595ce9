"""The compiled update on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from agent.config import TrainConfig
from agent.quiet_keras import keras

LossOf = Callable[[TrainConfig, keras.Model, keras.Model, tuple[Any, ...]], tuple[Any, tuple[Any, Any]]]


def tensorflow_step(
    config: TrainConfig,
    online: keras.Model,
    target: keras.Model,
    averaged: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss_of: LossOf,
) -> Callable[..., tuple[Any, Any, Any]]:
    """A function of a batch's arrays that updates the weights and gives loss, TD errors (B,) and mean value."""
    variables = online.trainable_variables

    def step(*batch: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            loss, (td_errors, mean_value) = loss_of(config, online, target, batch)
        gradients = tape.gradient(loss, variables)
        if config.gradient_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, config.gradient_norm)
        optimizer.apply(gradients, variables)
        if averaged is not online:
            for mean, newest in zip(averaged.trainable_variables, variables, strict=True):
                mean.assign(config.averaging * mean + (1.0 - config.averaging) * newest)
        return loss, td_errors, mean_value

    # Without AutoGraph, which nothing here needs: it writes files into the temporary folder, and a kill leaves them.
    compiled: Callable[..., tuple[Any, Any, Any]] = tf.function(step, reduce_retracing=True, autograph=False)
    return compiled
