"""The Q-network's shape: which weights it has, under which names (Mnih et al. 2015). Imports no Keras."""

from __future__ import annotations

from agent.config import TrainConfig
from agent.preprocessing import OBSERVATION_SIDE

CONVOLUTIONS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))
"""Filters, kernel side and stride of each (Mnih et al. 2015, methods, "Model architecture")."""


def weight_shapes(config: TrainConfig, action_count: int) -> dict[str, tuple[int, ...]]:
    """Shape of each weight by its name, such as "convolution_1/kernel"."""
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
