"""How the guide is built from these pages: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

import command_reference
import python_reference
from sphinx.application import Sphinx

project = "Replay Coach"
author = "the Replay Coach contributors"
html_title = project
extensions = ["myst_parser"]
exclude_patterns = ["site"]
html_theme = "furo"
html_static_path = ["site"]
html_css_files = ["guide.css"]
html_favicon = html_logo = "../screen/icons/replay-coach.svg"
html_show_sphinx = html_show_copyright = False
smartquotes = False  # two hyphens are an option here, not a dash
html_copy_source = False
myst_heading_anchors = 3
nitpicky = True

COMMANDS_STAND_HERE = "<!-- the commands stand here -->"


def put_the_commands_in(_: Sphinx, name: str, source: list[str]) -> None:
    """Fill the page of commands from the parser of the command line, so that neither can go without the other."""
    if name == "commands":
        source[0] = source[0].replace(COMMANDS_STAND_HERE, command_reference.reference())


def fill_in_python_reference(_: Sphinx, name: str, source: list[str]) -> None:
    """Fill the page of Python names from the signatures and docstrings of ``replay_coach``."""
    if name == "python-api":
        source[0] = python_reference.filled(source[0])


PLACES_KEPT = ("comparing",)
"""Pages that the table of contents names before they are written."""


def leave_out_what_is_not_written(_: Sphinx, name: str, source: list[str]) -> None:
    if name == "index":
        lines = source[0].split("\n")
        missing = [page for page in PLACES_KEPT if not (Path(__file__).parent / f"{page}.md").exists()]
        source[0] = "\n".join(line for line in lines if line not in missing)


def setup(app: Sphinx) -> None:
    app.connect("source-read", put_the_commands_in)
    app.connect("source-read", fill_in_python_reference)
    app.connect("source-read", leave_out_what_is_not_written)
