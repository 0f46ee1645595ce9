"""A report as a list of blocks, and its two forms: one HTML page that needs no other file, and Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from commands.report_parts import encoded, style


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Words:
    """A paragraph; ``quiet``: small print."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Note:
    """What must not be overlooked: one sentence a line."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Columns whose name ends in ">" are numbers and stand to the right; ``folded``: a title to click on."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: str = ""


@dataclass(frozen=True)
class Chart:
    """A picture in two widths, for a wide and for a narrow screen."""

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


@dataclass(frozen=True)
class Films:
    films: tuple[Film, ...]


@dataclass(frozen=True)
class Chain:
    """Lines (depth, text): each deeper one is where the one above comes from."""

    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Code:
    """A command."""

    text: str


Block = Heading | Words | Note | Table | Chart | Films | Chain | Code


def to_html(title: str, blocks: Iterable[Block]) -> str:
    """One page with everything inside."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style()}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Words(text, quiet):
            return f'<p class="small quiet">{escape(text)}</p>' if quiet else f"<p>{escape(text)}</p>"
        case Note(lines):
            items = "".join(f"<li>{escape(line)}</li>" for line in lines)
            return f'<div class="note"><ul>{items}</ul></div>'
        case Table():
            return _html_table(block)
        case Chart(_, wide, narrow, alt, caption):
            return (
                f'<figure><picture><source media="(max-width: 600px)" srcset="data:image/png;base64,{encoded(narrow)}">'
                f'<img alt="{escape(alt)}" src="data:image/png;base64,{encoded(wide)}"></picture>'
                f"<figcaption>{escape(caption)}</figcaption></figure>"
            )
        case Films(films):
            return '<div class="films">' + "".join(_html_film(film) for film in films) + "</div>"
        case Chain(lines):
            items = "".join(
                f'<li style="--depth: {depth}">{"↳ " if depth else ""}{escape(text)}</li>' for depth, text in lines
            )
            return f'<ul class="chain">{items}</ul>'
        case Code(text):
            return f"<pre>{' '.join(f'<span>{escape(word)}</span>' for word in text.split(' '))}</pre>"


def _html_film(film: Film) -> str:
    return (
        f'<figure><img alt="{escape(film.alt)}" src="data:image/gif;base64,{encoded(film.content)}">'
        f"<figcaption>{escape(film.caption)}</figcaption></figure>"
    )


def _html_table(table: Table) -> str:
    kinds = [' class="number"' if column.endswith(">") else "" for column in table.columns]
    head = "".join(
        f"<th{kind}>{escape(column.rstrip('>'))}</th>" for kind, column in zip(kinds, table.columns, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(_html_cell(kind, cell) for kind, cell in zip(kinds, row, strict=True)) + "</tr>\n"
        for row in table.rows
    )
    made = f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>'
    return f"<details><summary>{escape(table.folded)}</summary>{made}</details>" if table.folded else made


def _html_cell(kind: str, text: str) -> str:
    option = ' class="option"' if text.startswith("--") else kind
    return f"<td{option}>{escape(text)}</td>"


def to_markdown(title: str, blocks: Iterable[Block]) -> str:
    """The same for a README or a review; pictures and films are files beside it."""
    return "\n\n".join([f"# {_inline(title)}", *(_markdown(block) for block in blocks)]) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_inline(text)}"
        case Words(text):
            return _inline(text)
        case Note(lines):
            return "\n".join(f"> - {_inline(line)}" for line in lines)
        case Table(columns, rows):
            head = "| " + " | ".join(_cell(column.rstrip(">")) for column in columns) + " |"
            rule = "|" + "|".join("---:" if column.endswith(">") else "---" for column in columns) + "|"
            body = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
            folded = [f"{_inline(block.folded)}:", ""] if block.folded else []
            return "\n".join([*folded, head, rule, *body])
        case Chart(file, _, _, alt, caption):
            return f"![{_inline(alt)}]({file})\n\n{_inline(caption)}"
        case Films(films):
            return "\n\n".join(f"![{_inline(film.alt)}]({film.file})\n\n{_inline(film.caption)}" for film in films)
        case Chain(lines):
            return "\n".join(f"{'  ' * depth}- {_inline(text)}" for depth, text in lines)
        case Code(text):
            return f"<!-- not run: it trains agents -->\n```sh\n{text}\n```"


def _inline(text: str) -> str:
    """Text that Markdown takes as it is."""
    for letter in "\\`*_[]<":
        text = text.replace(letter, "\\" + letter)
    return text


def _cell(text: str) -> str:
    return _inline(text).replace("|", "\\|").replace("\n", " ")


def write_pictures(folder: Path, blocks: Iterable[Block]) -> None:
    """Write the wide charts as files, for the Markdown form."""
    for block in blocks:
        if isinstance(block, Chart):
            partial = folder / f"{block.file}.part"
            partial.write_bytes(block.wide)
            partial.replace(folder / block.file)
