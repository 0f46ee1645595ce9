"""The command-line options of a training's configuration, one for each field of ``TrainConfig``."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from typing import Any

from agent.config import TrainConfig, preset
from agent.presets import PRESETS
from agent.setting import option_name


def _help_of(item: dataclasses.Field[Any]) -> str:
    unit = item.metadata["unit"]
    default = f"{item.default:g}" if isinstance(item.default, float) else str(item.default)
    parts = [item.metadata["text"]]
    details = [unit] if unit else []
    if item.metadata["source"]:
        details.append(item.metadata["source"])
    details.append(f"default {'none' if item.default == () else default}")
    return f"{parts[0]} ({'; '.join(details)})".replace("%", "%%")


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--preset`` and one option for each field of ``TrainConfig``; unset options keep the preset's value."""
    parser.add_argument("--preset", choices=tuple(PRESETS), help="where unset options come from (default: default)")
    hints = typing.get_type_hints(TrainConfig)
    for item in dataclasses.fields(TrainConfig):
        option, text = option_name(item.name), _help_of(item)
        if type(item.default) is bool:
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=text)
        elif type(item.default) is tuple:
            parser.add_argument(option, action="append", default=None, metavar="SPEC", help=text)
        elif item.metadata["choices"]:
            parser.add_argument(option, choices=item.metadata["choices"], default=None, help=text)
        else:
            metavar = {int: "N", float: "X"}.get(type(item.default), "NAME")
            parser.add_argument(option, type=hints[item.name], default=None, metavar=metavar, help=text)


NETWORK_FIELDS = (
    "preprocessing",
    "frame_skip",
    "stack",
    "network",
    "quantiles",
    "hidden_units",
    "layer_norm",
    "dueling",
)
"""The settings of the network and of what it sees, which must be those of the run whose weights it starts with."""


def config_from_arguments(
    namespace: argparse.Namespace, base: TrainConfig | None = None, weights_of: TrainConfig | None = None
) -> TrainConfig:
    """Return the configuration that a command line requests; raises CoachError for values out of range.

    Unset options keep the value of ``base`` (a run's saved configuration, when it is resumed) or of the preset. Without
    a preset, those of ``NETWORK_FIELDS`` are taken from ``weights_of``: the run whose weights the training starts with.
    """
    name = getattr(namespace, "preset", None)
    start = base if base is not None and name is None else preset(name or "default")
    if weights_of is not None and name is None:
        start = dataclasses.replace(start, **{field: getattr(weights_of, field) for field in NETWORK_FIELDS})
    chosen: dict[str, Any] = {}
    for item in dataclasses.fields(TrainConfig):
        value = getattr(namespace, item.name, None)
        if value is not None:
            chosen[item.name] = tuple(value) if type(item.default) is tuple else value
    return dataclasses.replace(start, **chosen)
