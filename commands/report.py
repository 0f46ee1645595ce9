"""The report engine: renders the templates in ``commands/templates`` as one HTML file or as Markdown.

A page's template, such as ``comparison.jinja``, extends ``layout.html`` or ``layout.md`` and uses the macros of
``elements.html`` or ``elements.md``, so that both forms have the same content. Inserted values are escaped for the form
(constants in ``{{ }}`` always for HTML). An HTML page needs no other file: its style and pictures are inside.
"""

from __future__ import annotations

import base64
import functools
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agent.statistics import Estimate
from data.counted import counted
from data.durations import clock

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1c2128"
CHART_INCHES = (8.8, 4.2)
NARROW_CHART_INCHES = (4.2, 4.0)
"""For a phone, which shows it in full size, so that its text is readable."""

Form = Literal["html", "md"]


@dataclass(frozen=True)
class Table:
    """Cells as text. Columns whose name ends in ">" are aligned right; a table with a ``title`` can be folded."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Chart:
    """A PNG in two widths: for a laptop or paper, and for a phone."""

    file: str
    """Name of the wide one's file, for Markdown."""
    wide: bytes
    narrow: bytes
    alt: str
    caption: str


@dataclass(frozen=True)
class Film:
    """A GIF: its file, relative to the report, and its content."""

    file: str
    content: bytes
    alt: str
    caption: str


def render(template: str, form: Form, **values: Any) -> str:
    """Return a page; raises jinja2.UndefinedError where the template uses a value that is not passed."""
    text = _environment(form).get_template(template).render(**values)
    return _tidied(text) if form == "md" else text


@functools.cache
def _environment(form: Form) -> Environment:
    environment = Environment(
        loader=PackageLoader("commands"),
        autoescape=True,
        finalize=_escape_markdown if form == "md" else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["form"] = form
    environment.filters |= {
        "base64": lambda content: base64.b64encode(content).decode("ascii"),
        "cell": lambda text: Markup(_escape_markdown(text).replace("|", "\\|").replace("\n", " ")),
        "clock": clock,
        "one_line": lambda text: Markup(" ").join(text.split()),
        "counted": counted,
    }
    return environment


def _escape_markdown(value: object) -> Markup:
    """Return text as Markdown that shows it as it is; Markup is Markdown already."""
    return value if isinstance(value, Markup) else Markup(re.sub(r"([\\`*_\[\]<])", r"\\\1", str(value)))


def _tidied(markdown: str) -> str:
    """Leave one empty line between the elements."""
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", markdown)).strip() + "\n"


def format_estimate(estimate: Estimate | None, digits: int = 0) -> str:
    """Return "281 (250 to 300)", "281" without an interval, and a dash for None."""
    if estimate is None:
        return "–"
    value = f"{estimate.value:z,.{digits}f}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({estimate.low:z,.{digits}f} to {estimate.high:z,.{digits}f})"


def draw_chart(
    file: str,
    draw: Callable[[Figure, bool], None],
    alt: str,
    caption: str,
    max_inches: float = 10.0,
) -> Chart:
    """Return a chart that ``draw(figure, narrow)`` draws in both widths; the same figure gives the same bytes.

    max_inches: the greatest height.
    """
    from matplotlib.figure import Figure

    pictures: list[bytes] = []
    for narrow, (width, height) in enumerate((CHART_INCHES, NARROW_CHART_INCHES)):
        figure = Figure(figsize=(width, min(height, max_inches)), dpi=150, layout="constrained")
        draw(figure, bool(narrow))
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=9)
        pictures.append(_png_of(figure))
    wide, phone = pictures
    return Chart(file, wide, phone, alt, caption)


def _png_of(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
