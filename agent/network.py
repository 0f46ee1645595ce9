"""The Q-network: its layers and weights (Mnih et al. 2015), and its values in plain NumPy, for acting.

Imports no Keras. ``agent.keras_network`` builds the same network for learning. One stack takes 0.5 ms here and 0.9 ms
in a compiled call, acting does not compete with the learner for TensorFlow's threads, and a program that only watches
or evaluates an agent starts without TensorFlow.
"""

from __future__ import annotations

import functools

import numpy as np
from threadpoolctl import threadpool_limits

from agent.config import TrainConfig
from agent.preprocessing import OBSERVATION_SIDE

CONVOLUTIONS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""Filters, kernel side and stride of each (Mnih et al. 2015, methods, "Model architecture")."""
NORM_EPSILON = np.float32(1e-3)
"""As in ``keras.layers.LayerNormalization``."""


def weight_shapes(config: TrainConfig, action_count: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight by its name, such as "convolution_1/kernel"."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, kernel: tuple[int, ...], outputs: tuple[int, ...], hidden: bool) -> None:
        shapes[f"{name}/kernel"], shapes[f"{name}/bias"] = kernel, kernel[-1:]
        if hidden and config.layer_norm:
            shapes[f"{name}_norm/gamma"] = shapes[f"{name}_norm/beta"] = outputs

    side, channels = OBSERVATION_SIDE, config.stack
    for number, (filters, kernel, stride) in enumerate(CONVOLUTIONS, start=1):
        side = (side - kernel) // stride + 1
        layer(f"convolution_{number}", (kernel, kernel, channels, filters), (side, side, filters), True)
        channels = filters
    features = side * side * channels
    streams = {"value": 1, "advantage": action_count} if config.dueling else {"action": action_count}
    for name, outputs in streams.items():
        layer(f"{name}_hidden", (features, config.hidden_units), (config.hidden_units,), True)
        layer(f"{name}_output", (config.hidden_units, outputs), (outputs,), False)
    return shapes


class NumpyNetwork:
    """Values of one stack; equal to those of ``agent.keras_network.build_network`` up to rounding."""

    def __init__(self, config: TrainConfig, action_count: int, weights: dict[str, np.ndarray]) -> None:
        """weights: by name, as from ``agent.keras_network.weight_arrays``.

        Raises ValueError where one is missing or has another shape.
        """
        for name, shape in weight_shapes(config, action_count).items():
            if name not in weights:
                raise ValueError(f"the weights {name} are missing")
            if weights[name].shape != shape:
                raise ValueError(f"the weights {name} have shape {weights[name].shape}, not {shape}")
        _one_thread()
        self._weights = weights
        self._layer_norm = config.layer_norm
        self._dueling = config.dueling

    def __call__(self, stack: np.ndarray) -> np.ndarray:
        """Return the (A,) float32 values of a stack (S, 84, 84) uint8."""
        features = stack.transpose(1, 2, 0).astype(np.float32) / np.float32(255.0)  # [84, 84, S]
        for number, (_, side, stride) in enumerate(CONVOLUTIONS, start=1):
            name = f"convolution_{number}"
            features = self._hidden(name, _patches(features, side, stride) @ self._matrix(name))
        features = features.reshape(-1)
        if not self._dueling:
            return self._stream("action", features)
        advantage = self._stream("advantage", features)
        values: np.ndarray = self._stream("value", features) + advantage - advantage.mean()
        return values

    def _matrix(self, name: str) -> np.ndarray:
        kernel = self._weights[f"{name}/kernel"]
        return kernel.reshape(-1, kernel.shape[-1])

    def _hidden(self, name: str, sums: np.ndarray) -> np.ndarray:
        outputs = sums + self._weights[f"{name}/bias"]
        if self._layer_norm:
            outputs = outputs - outputs.mean()
            outputs /= np.sqrt(np.square(outputs).mean() + NORM_EPSILON)
            outputs = outputs * self._weights[f"{name}_norm/gamma"] + self._weights[f"{name}_norm/beta"]
        active: np.ndarray = np.maximum(outputs, np.float32(0.0))
        return active

    def _stream(self, name: str, features: np.ndarray) -> np.ndarray:
        hidden = self._hidden(f"{name}_hidden", features @ self._matrix(f"{name}_hidden"))
        values: np.ndarray = hidden @ self._matrix(f"{name}_output") + self._weights[f"{name}_output/bias"]
        return values


@functools.cache
def _one_thread() -> threadpool_limits:
    """Limit NumPy's matrix products of this process to one thread, permanently.

    Products as small as these gain nothing from a second thread, and wait for it while the learner is computing:
    8 ms instead of 0.6 were measured for one stack.
    """
    return threadpool_limits(1, user_api="blas")


def _patches(features: np.ndarray, side: int, stride: int) -> np.ndarray:
    """Return the inputs of each place of a convolution over (H, W, C): (H', W', side * side * C)."""
    windows = np.lib.stride_tricks.sliding_window_view(features, (side, side), axis=(0, 1))[::stride, ::stride]
    rows, columns = windows.shape[:2]
    return windows.transpose(0, 1, 3, 4, 2).reshape(rows, columns, -1)
