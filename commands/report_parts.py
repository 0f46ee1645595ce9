"""What all report pages share: their style, pictures inside the page, and files that are whole or not there."""

from __future__ import annotations

import base64
import io
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import CoachError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1c2128"


def style() -> str:
    """The style sheet, to be put inside a page."""
    return (files("commands") / "report_style.css").read_text(encoding="utf-8")


def encoded(content: bytes) -> str:
    """Bytes as base64, for a data address."""
    return base64.b64encode(content).decode("ascii")


def png_of(figure: Figure) -> bytes:
    """A figure as a PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def quieten(axes: Axes) -> None:
    """No frame on the right and above, and small labels."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)


def write_text(path: Path, text: str) -> None:
    """Write a page that appears under its name only when it is whole; raises CoachError where it cannot be written."""
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise CoachError(f"{path} cannot be written ({error.strerror or error}).") from error
