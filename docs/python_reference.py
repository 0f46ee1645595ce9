"""The reference of the Python names, made from the signatures and docstrings of ``replay_coach``."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import replay_coach

MARK = re.compile(r"<!-- reference: ([\w, ]+) -->")
"""A place in the page, with the names that are described there."""
LINE_LETTERS = 100


def filled(page: str) -> str:
    """Return the page with each of its marks replaced by the reference of the mark's names."""
    return MARK.sub(lambda match: "\n".join(map(described, match[1].split(", "))), page)


def names_in(page: str) -> list[str]:
    """Return all names that the page's marks list."""
    return [name for match in MARK.finditer(page) for name in match[1].split(", ")]


def described(name: str) -> str:
    """Return the section of one public name: its signature, its docstring and its members."""
    thing = getattr(replay_coach, name)
    is_called = "__init__" in vars(thing) if inspect.isclass(thing) else True
    head = f"{name}{signature(thing)}" if is_called and not getattr(thing, "_is_protocol", False) else name
    members = [f"- `{head}`: {' '.join(markdown(text).split())}" for head, text in members_of(thing)]
    return "\n".join([f"### {name}", "", "```text", head, "```", "", markdown(inspect.getdoc(thing)), "", *members, ""])


def signature(callable_: Callable[..., Any]) -> str:
    """Return a signature as it is written in the source; if it is long, with one parameter on each line."""
    whole = inspect.signature(callable_)
    parameters = [_unquoted(str(parameter)) for parameter in whole.parameters.values() if parameter.name != "self"]
    returns = (
        ""
        if inspect.isclass(callable_) or whole.return_annotation is inspect.Signature.empty
        else f" -> {whole.return_annotation}"
    )
    line = f"({', '.join(parameters)}){returns}"
    if len(line) <= LINE_LETTERS:
        return line
    return "(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f"){returns}"


def _unquoted(parameter: str) -> str:
    """Remove the quotes around the annotation, which is a string."""
    return re.sub(r"^([*\w]+): '([^']*)'", r"\1: \2", parameter)


def members_of(thing: Any) -> Iterator[tuple[str, str]]:
    """Yield (how it is written, its description) of each documented field, method and property of a class."""
    if not inspect.isclass(thing):
        return
    yield from _fields(thing)
    for name, member in public_members(thing):
        if isinstance(member, property):
            yield name, inspect.getdoc(member) or ""
        else:
            yield name + " ".join(signature(member).split()), inspect.getdoc(member) or ""


def public_members(class_: type) -> Iterator[tuple[str, Any]]:
    """Yield (name, member) of each public method and property that the class itself defines."""
    for name, member in vars(class_).items():
        if not name.startswith("_") and (
            isinstance(member, property | classmethod | staticmethod) or inspect.isfunction(member)
        ):
            yield name, member if isinstance(member, property) else getattr(class_, name)


def _fields(class_: type) -> Iterator[tuple[str, str]]:
    """Yield (name, description) of each field that its metadata or a string below it describes."""
    helps = {}
    if dataclasses.is_dataclass(class_):
        helps = {field.name: str(field.metadata.get("text", "")) for field in dataclasses.fields(class_)}
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(class_))).body
    assert isinstance(definition, ast.ClassDef)
    for statement, following in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            described_below = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            text = str(following.value.value) if described_below else helps.get(statement.target.id)  # type: ignore[union-attr]
            if text:
                yield statement.target.id, text


def markdown(docstring: str | None) -> str:
    """Return a docstring as Markdown."""
    code_or_text = re.split(r"(``.*?``)", docstring or "")
    return "".join(
        part[1:-1] if part.startswith("``") else part.replace("*", r"\*").replace("<", "&lt;") for part in code_or_text
    )


if __name__ == "__main__":
    print("\n".join(map(described, replay_coach.__all__)))
