"""The compiled update on TensorFlow, and Adam in one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from agent.config import TrainConfig
from agent.loss import loss_of
from agent.quiet_keras import keras


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam (Kingma and Ba 2015, end of section 2) with one TensorFlow operation for each weight.

    Keras's own reads and writes every weight and both moments several times. The variables are Keras's, so a
    checkpoint does not depend on which of the two made it.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        number = self._get_variable_index(variable)
        done = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].value.handle,
            v=self._velocities[number].value.handle,
            beta1_power=tf.pow(self.beta_1, done),
            beta2_power=tf.pow(self.beta_2, done),
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def tensorflow_step(
    config: TrainConfig,
    online: keras.Model,
    target: keras.Model,
    averaged: keras.Model,
    optimizer: keras.optimizers.Optimizer,
) -> Callable[..., tuple[Any, Any, Any]]:
    """Return a function of a batch's arrays that updates the weights and returns loss, TD errors (B,), mean value."""
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

    # Without AutoGraph, which is not needed and writes temporary files that a killed process does not remove.
    compiled: Callable[..., tuple[Any, Any, Any]] = tf.function(step, reduce_retracing=True, autograph=False)
    return compiled
