"""The Q-networks by name: each is one function of its layers, computed in NumPy here and in Keras for learning.

Acting uses NumPy: one stack takes 0.5 ms and in a compiled call 0.9 ms, acting does not compete with the learner for
TensorFlow's threads, and a program that only watches or evaluates an agent starts without TensorFlow.
``agent.keras_network`` computes the same functions with Keras.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from agent.config import TrainConfig
from agent.heads import head_of
from agent.preprocessing import OBSERVATION_SIDE

CONVOLUTIONS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""Filters, kernel side and stride of each (Mnih et al. 2015, methods, "Model architecture")."""
SMALL_CONVOLUTIONS = ((16, 8, 4), (32, 4, 2), (32, 3, 1))
IMPALA_FILTERS = (16, 32, 32)
"""Of each section (Espeholt et al. 2018, figure 3, right)."""
NORM_EPSILON = np.float32(1e-3)
"""As in ``keras.layers.LayerNormalization``."""

Features = Any
"""What a set of layers computes with: an array of one example, a tensor of a batch, or a shape."""


class Layers(Protocol):
    """The layers that a network is made of. Every layer with weights has a name."""

    def convolution(self, name: str, inputs: Features, filters: int, side: int, stride: int, same: bool) -> Features:
        """Convolve (H, W, C); ``same``: padded with zeros to keep the size."""

    def dense(self, name: str, inputs: Features, units: int) -> Features: ...

    def norm(self, name: str, inputs: Features) -> Features:
        """Normalise over a whole example, with a gain and a bias for each number (Ba et al. 2016, equation 3)."""

    def relu(self, inputs: Features) -> Features: ...

    def pool(self, inputs: Features) -> Features:
        """Return the greatest of each 3 x 3 numbers, with stride 2 and padding."""

    def add(self, inputs: Features, others: Features) -> Features: ...

    def flatten(self, inputs: Features) -> Features: ...

    def combine(self, value: Features, advantage: Features) -> Features:
        """Return value plus advantage minus the advantages' mean (Wang et al. 2016, equation 9)."""

    def reshape(self, inputs: Features, shape: tuple[int, ...]) -> Features: ...


def nature(layers: Layers, config: TrainConfig, features: Features) -> Features:
    """Three convolutions (Mnih et al. 2015)."""
    for number, (filters, side, stride) in enumerate(CONVOLUTIONS, start=1):
        name = f"convolution_{number}"
        features = layers.convolution(name, features, filters, side, stride, same=False)
        if config.layer_norm:
            features = layers.norm(f"{name}_norm", features)
        features = layers.relu(features)
    return layers.flatten(features)


def small(layers: Layers, config: TrainConfig, features: Features) -> Features:
    """The same with fewer filters and no normalisation of convolutions: a third of the arithmetic."""
    return _small(layers, config, features, normalised=0)


def small_norm(layers: Layers, config: TrainConfig, features: Features) -> Features:
    """The small network, and the first convolution is normalised too: the features of pictures are small numbers."""
    return _small(layers, config, features, normalised=1)


def _small(layers: Layers, config: TrainConfig, features: Features, normalised: int) -> Features:
    for number, (filters, side, stride) in enumerate(SMALL_CONVOLUTIONS, start=1):
        name = f"convolution_{number}"
        features = layers.convolution(name, features, filters, side, stride, same=False)
        if config.layer_norm and number <= normalised:
            features = layers.norm(f"{name}_norm", features)
        features = layers.relu(features)
    return layers.flatten(features)


def impala(layers: Layers, config: TrainConfig, features: Features) -> Features:  # noqa: ARG001 - as the others
    """Fifteen convolutions with residual connections (Espeholt et al. 2018, figure 3, right)."""
    for section, filters in enumerate(IMPALA_FILTERS, start=1):
        name = f"convolution_{section}"
        features = layers.pool(layers.convolution(name, features, filters, 3, 1, same=True))
        for block in (1, 2):
            inside = features
            for half in (1, 2):
                inside = layers.relu(inside)
                inside = layers.convolution(f"{name}_{block}_{half}", inside, filters, 3, 1, same=True)
            features = layers.add(features, inside)
    return layers.flatten(layers.relu(features))


NETWORKS: dict[str, Callable[[Layers, TrainConfig, Features], Features]] = {
    "nature": nature,
    "small": small,
    "small-norm": small_norm,
    "impala": impala,
}
"""From pixels (84, 84, S) between 0 and 1 to flat features."""


def q_network(layers: Layers, config: TrainConfig, action_count: int, pixels: Features) -> Features:
    """Compute a whole network: pixels (84, 84, S) to the head's outputs, with one or two (dueling) dense streams."""
    head = head_of(config)
    features = NETWORKS[config.network](layers, config, pixels)

    def stream(name: str, actions: int) -> Features:
        hidden = layers.dense(f"{name}_hidden", features, config.hidden_units)
        if config.layer_norm:
            hidden = layers.norm(f"{name}_hidden_norm", hidden)
        units = layers.dense(f"{name}_output", layers.relu(hidden), actions * head.width)
        return layers.reshape(units, head.shape(actions)) if head.width > 1 else units

    if not config.dueling:
        return stream("action", action_count)
    value = stream("value", 1)
    return layers.combine(value, stream("advantage", action_count))


class _Shapes:
    """Layers that compute shapes and collect those of the weights."""

    def __init__(self) -> None:
        self.weights: dict[str, tuple[int, ...]] = {}

    def convolution(
        self, name: str, inputs: tuple[int, ...], filters: int, side: int, stride: int, same: bool
    ) -> tuple[int, ...]:
        self.weights[f"{name}/kernel"] = (side, side, inputs[2], filters)
        self.weights[f"{name}/bias"] = (filters,)
        height, width = (-(-n // stride) if same else (n - side) // stride + 1 for n in inputs[:2])
        return height, width, filters

    def dense(self, name: str, inputs: tuple[int, ...], units: int) -> tuple[int, ...]:
        self.weights[f"{name}/kernel"], self.weights[f"{name}/bias"] = (inputs[0], units), (units,)
        return (units,)

    def norm(self, name: str, inputs: tuple[int, ...]) -> tuple[int, ...]:
        self.weights[f"{name}/gamma"] = self.weights[f"{name}/beta"] = inputs
        return inputs

    def relu(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        return inputs

    def pool(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        return -(-inputs[0] // 2), -(-inputs[1] // 2), inputs[2]

    def add(self, inputs: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:  # noqa: ARG002
        return inputs

    def flatten(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        return (inputs[0] * inputs[1] * inputs[2],)

    def combine(self, value: tuple[int, ...], advantage: tuple[int, ...]) -> tuple[int, ...]:  # noqa: ARG002
        return advantage

    def reshape(self, inputs: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:  # noqa: ARG002
        return shape


def weight_shapes(config: TrainConfig, action_count: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight by its name, such as "convolution_1/kernel"."""
    shapes = _Shapes()
    q_network(shapes, config, action_count, (OBSERVATION_SIDE, OBSERVATION_SIDE, len(config.ages)))
    return shapes.weights


class NumpyNetwork:
    """Values of one stack; equal to those of ``agent.keras_network.build_network`` up to rounding."""

    def __init__(self, config: TrainConfig, action_count: int, weights: dict[str, np.ndarray]) -> None:
        """weights: by name, as from ``agent.keras_network.weight_arrays``.

        Raises ValueError if one is missing or has another shape.
        """
        for name, shape in weight_shapes(config, action_count).items():
            if name not in weights:
                raise ValueError(f"the weights {name} are missing")
            if weights[name].shape != shape:
                raise ValueError(f"the weights {name} have shape {weights[name].shape}, not {shape}")
        _one_thread()
        self._layers = _NumpyLayers(weights)
        self._config = config
        self._action_count = action_count
        self._head = head_of(config)
        self._outputs = np.zeros(0, np.float32)
        """Of the last call, (A,) or (A, N)."""

    def __call__(self, stack: np.ndarray) -> np.ndarray:
        """Return the (A,) float32 values of a stack (S, 84, 84) uint8."""
        # Contiguous in that order, so that patches are copied in runs.
        pixels = np.ascontiguousarray(stack.transpose(1, 2, 0)).astype(np.float32) / np.float32(255.0)  # [84, 84, S]
        self._outputs = q_network(self._layers, self._config, self._action_count, pixels)
        values: np.ndarray = self._head.values(self._outputs, np)
        return values

    def interval(self, probability: float) -> np.ndarray | None:
        """Return the central interval (A, 2) of each action's return for the last stack; None without quantiles."""
        return self._head.interval(self._outputs, probability)


class _NumpyLayers:
    """Layers of one example in NumPy."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = weights

    def convolution(
        self,
        name: str,
        inputs: np.ndarray,
        filters: int,  # noqa: ARG002
        side: int,
        stride: int,
        same: bool,
    ) -> np.ndarray:
        if same:
            inputs = _padded(inputs, side, stride, 0.0)
        return self._product(name, _patches(inputs, side, stride))

    def dense(self, name: str, inputs: np.ndarray, units: int) -> np.ndarray:  # noqa: ARG002
        return self._product(name, inputs)

    def _product(self, name: str, inputs: np.ndarray) -> np.ndarray:
        kernel = self._weights[f"{name}/kernel"]
        sums: np.ndarray = inputs @ kernel.reshape(-1, kernel.shape[-1]) + self._weights[f"{name}/bias"]
        return sums

    def norm(self, name: str, inputs: np.ndarray) -> np.ndarray:
        outputs = inputs - inputs.mean()
        outputs /= np.sqrt(np.square(outputs).mean() + NORM_EPSILON)
        scaled: np.ndarray = outputs * self._weights[f"{name}/gamma"] + self._weights[f"{name}/beta"]
        return scaled

    def relu(self, inputs: np.ndarray) -> np.ndarray:
        active: np.ndarray = np.maximum(inputs, np.float32(0.0))
        return active

    def pool(self, inputs: np.ndarray) -> np.ndarray:
        greatest: np.ndarray = _windows(_padded(inputs, 3, 2, -np.inf), 3, 2).max(axis=(3, 4))
        return greatest

    def add(self, inputs: np.ndarray, others: np.ndarray) -> np.ndarray:
        total: np.ndarray = inputs + others
        return total

    def flatten(self, inputs: np.ndarray) -> np.ndarray:
        return inputs.reshape(-1)

    def combine(self, value: np.ndarray, advantage: np.ndarray) -> np.ndarray:
        combined: np.ndarray = value + advantage - advantage.mean(axis=0)
        return combined

    def reshape(self, inputs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return inputs.reshape(shape)


@functools.cache
def _one_thread() -> threadpool_limits:
    """Limit NumPy's matrix products of this process to one thread, permanently.

    Products as small as these gain nothing from a second thread, and wait for it while the learner is computing:
    8 ms instead of 0.6 were measured for one stack.
    """
    return threadpool_limits(1, user_api="blas")


def _padded(features: np.ndarray, side: int, stride: int, value: float) -> np.ndarray:
    """Pad (H, W, C) as TensorFlow's "same" padding does: the odd row and column at the end."""
    totals = [max((-(-n // stride) - 1) * stride + side - n, 0) for n in features.shape[:2]]
    pads = [(total // 2, total - total // 2) for total in totals]
    return np.pad(features, (*pads, (0, 0)), constant_values=value)


def _windows(features: np.ndarray, side: int, stride: int) -> np.ndarray:
    """Return the windows of (H, W, C): (H', W', C, side, side)."""
    return np.lib.stride_tricks.sliding_window_view(features, (side, side), axis=(0, 1))[::stride, ::stride]


def _patches(features: np.ndarray, side: int, stride: int) -> np.ndarray:
    """Return the inputs of each place of a convolution over (H, W, C): (H', W', side * side * C)."""
    features = np.ascontiguousarray(features)
    rows, columns = ((n - side) // stride + 1 for n in features.shape[:2])
    down, right, item = features.strides
    shape = rows, columns, side, side * features.shape[2]  # a row of a patch is contiguous
    strides = down * stride, right * stride, down, item
    windows = np.lib.stride_tricks.as_strided(features, shape, strides, writeable=False)
    return windows.reshape(rows, columns, -1)
