"""The tutorial notebook: it runs from top to bottom, and what is kept of it is what it shows."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest

from docs import make_notebook
from tests.guide_pages import ROOT

MOST_LINES = 32
"""Of a cell: a student reads it in one look."""


@pytest.fixture(scope="module")
def kept() -> Any:
    notebook = nbformat.read(make_notebook.NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    return notebook


def shown(cell: Any) -> list[str]:
    """Which kinds of things a cell shows, in order."""
    kinds = [", ".join(sorted(output.get("data", {"text": ""}))) for output in cell.get("outputs", ())]
    # Two prints in a row may arrive together or apart.
    return [kind for number, kind in enumerate(kinds) if number == 0 or kind != kinds[number - 1]]


@pytest.mark.timeout(900)
def test_the_notebook_runs_and_its_saved_outputs_are_current(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    fresh = make_notebook.run()
    assert [cell.source for cell in fresh.cells] == [cell.source for cell in kept.cells]
    for new, old in zip(fresh.cells, kept.cells, strict=True):
        assert shown(new) == shown(old), f"`make notebook` has not been run since this cell changed:\n{old.source}"
        assert not any(output.get("name") == "stderr" for output in new.get("outputs", ())), new.outputs
    data = [output.get("data", {}) for cell in fresh.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in one for one in data) >= 6
    assert sum("const film" in one.get("text/html", "") for one in data) == 2
    assert sum("image/gif" in one for one in data) == 2
    assert len(nbformat.writes(fresh).encode()) < make_notebook.MOST_BYTES


def test_saved_outputs_are_small_and_independent_of_the_machine() -> None:
    text = make_notebook.NOTEBOOK.read_text(encoding="utf-8")
    assert len(text.encode()) < make_notebook.MOST_BYTES
    assert not re.search(r"/(root|home|work|Users)/|replay-coach-\w{8}", text)


def test_no_cell_is_longer_than_a_screen(kept: Any) -> None:
    for cell in kept.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source


def test_every_exercise_of_the_workshop_is_in_it(kept: Any) -> None:
    headings = "\n".join(cell.source for cell in kept.cells if cell.cell_type == "markdown").lower()
    for exercise in ("record", "judge", "seed", "compare", "transfer"):
        assert f"exercise: {exercise}" in headings
