"""A setting of a training: a field with its meaning, unit, source and limits, and what is checked of its value."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import field
from typing import Any

from data.errors import CoachError


def setting(
    default: Any,
    text: str,
    unit: str = "",
    source: str = "",
    choices: tuple[str, ...] = (),
    least: float = -math.inf,
    most: float = math.inf,
) -> Any:
    """Return a field of a frozen dataclass of settings with its meaning, unit, source and limits (both inclusive)."""
    metadata = {"text": text, "unit": unit, "source": source, "choices": choices, "least": least, "most": most}
    return field(default=default, metadata=metadata)


def option_name(name: str) -> str:
    """Return the command-line option of a setting."""
    return "--" + name.replace("_", "-")


def check(item: dataclasses.Field[Any], value: Any) -> None:
    """Raise CoachError if a value is not of the setting's type, or outside its choices or limits."""
    option, kind = option_name(item.name), type(item.default)
    allowed: tuple[type, ...] = (int, float) if kind is float else (kind,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        raise CoachError(f"{option} must be of type {kind.__name__}, not {value!r}.")
    choices = item.metadata["choices"]
    if choices and value not in choices:
        raise CoachError(f"{option} must be one of {', '.join(choices)}, not {value!r}.")
    if kind in (int, float):
        least, most = item.metadata["least"], item.metadata["most"]
        if not least <= value <= most:  # also False for NaN
            limit = f"at least {least:g}" if most == math.inf else f"between {least:g} and {most:g}"
            raise CoachError(f"{option} must be {limit}, not {value:g}.")
