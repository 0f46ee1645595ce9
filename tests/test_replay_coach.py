"""The public Python names: each is there, typed and documented, and the guide imports nothing else of ours."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import replay_coach
from docs import python_reference
from tests.guide_pages import ROOT, blocks
from tests.test_house import ALLOWED

PAGE = ROOT / "docs" / "python-api.md"
STUB = ROOT / "replay_coach-stubs" / "__init__.pyi"


def imported(tree: ast.AST) -> dict[str, str]:
    """Return the module of each name that is imported ``from`` one of ours."""
    return {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ALLOWED
        for alias in node.names
    }


def test_what_type_checkers_see_is_what_is_imported() -> None:
    module = ast.parse((ROOT / "replay_coach.py").read_text())
    for_checkers = imported(module)
    assert sorted(for_checkers) == sorted(replay_coach.__all__)
    assert for_checkers == replay_coach._MODULE_OF
    assert imported(ast.parse(STUB.read_text())) == for_checkers


def test_every_public_name_and_each_of_its_members_is_documented() -> None:
    undocumented = []
    for name in replay_coach.__all__:
        thing = getattr(replay_coach, name)
        text = inspect.getdoc(thing) or ""
        if not text or text.startswith(f"{name}("):  # what dataclass() writes
            undocumented.append(name)
        members = python_reference.public_members(thing) if inspect.isclass(thing) else ()
        undocumented += [f"{name}.{member}" for member, value in members if not inspect.getdoc(value)]
    assert undocumented == []


def test_the_page_describes_each_public_name_once() -> None:
    assert sorted(python_reference.names_in(PAGE.read_text())) == sorted(replay_coach.__all__)


def test_the_example_on_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [block] = blocks(PAGE, "python")
    names: dict[str, object] = {}
    exec(compile(block.body, PAGE.name, "exec"), names)
    evaluation = names["result"]
    assert isinstance(evaluation, replay_coach.Evaluation)
    assert len(evaluation.scores) == 2
    # 150 decisions were recorded; those of the bad clip, 45, are left out.
    assert names["summary"].seeded_decisions == 105  # type: ignore[attr-defined]


def test_the_import_alone_loads_no_large_library() -> None:
    program = (
        "import sys, replay_coach; dir(replay_coach)\n"
        "print({'cv2', 'gymnasium', 'h5py', 'keras', 'numpy', 'pygame', 'tensorflow'} & set(sys.modules))\n"
        "replay_coach.Library, replay_coach.ReplayFile, replay_coach.TrainConfig, replay_coach.record_episodes\n"
        "print({'keras', 'pygame', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()", "set()"]


def test_another_name_is_not_there() -> None:
    assert set(replay_coach.__all__) <= set(dir(replay_coach))
    with pytest.raises(AttributeError, match="'Trainer'"):
        _ = replay_coach.Trainer
    with pytest.raises(ImportError):
        exec("from replay_coach import Trainer")


def guide_programs() -> dict[str, str]:
    """Return the Python programs of the guide by where they are."""
    found = {
        f"{page.name}, line {block.line}": block.body
        for page in sorted((ROOT / "docs").glob("*.md"))
        for block in blocks(page, "python")
    }
    notebook = nbformat.read(ROOT / "docs" / "tutorial.ipynb", as_version=4)
    found["tutorial.ipynb"] = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return found


def test_the_guide_imports_nothing_of_ours_but_the_public_names() -> None:
    programs = guide_programs()
    assert len(programs) >= 5
    for place, program in programs.items():
        for node in ast.walk(ast.parse(program)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                modules = names if isinstance(node, ast.Import) else [node.module or ""]
                ours = {module.split(".")[0] for module in modules} & set(ALLOWED)
                assert ours <= {"replay_coach"}, f"{place} imports {ours}"
                if modules == ["replay_coach"] and isinstance(node, ast.ImportFrom):
                    assert set(names) <= set(replay_coach.__all__), f"{place} imports {names}"
