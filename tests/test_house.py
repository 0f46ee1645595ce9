"""The house rules: which package may import which, and which module is the one door to which third party."""

from __future__ import annotations

import ast
import configparser
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ALLOWED: dict[str, set[str]] = {
    "coach": {"commands", "data"},
    "commands": {"commands", "home", "recorder", "curator", "agent", "screen", "data"},
    "home": {"home", "screen", "data"},
    "recorder": {"recorder", "screen", "data"},
    "curator": {"curator", "screen", "data"},
    "agent": {"agent", "data"},
    "screen": {"screen", "data"},
    "data": {"data"},
}
"""Imports run downward only."""

DOORS: dict[str, set[str]] = {
    "h5py": {"data/replay_file.py"},
    "hdf5plugin": {"data/replay_file.py"},
    "gymnasium": {"data/simulation.py"},
    "ale_py": {"data/simulation.py"},
    "sqlalchemy": {"data/label_database.py", "data/label_engines.py"},
}
"""The only modules that may import each of these."""

DOOR_PACKAGES: dict[str, str] = {"pygame": "screen", "keras": "agent", "tensorflow": "agent"}


def modules() -> list[Path]:
    found = [ROOT / "coach.py"]
    for package in ALLOWED:
        found += sorted((ROOT / package).rglob("*.py"))
    return [path for path in found if path.is_file()]


def imported_names(path: Path) -> set[str]:
    """Top-level names of everything that a module imports, wherever in the module the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_imports_run_downward_only(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours = {name for name in imported_names(path) if name in ALLOWED}
    assert ours <= ALLOWED[own], f"{relative(path)} must not import {sorted(ours - ALLOWED[own])}"


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_each_third_party_has_one_door(path: Path) -> None:
    package = relative(path).split("/")[0]
    for name in imported_names(path):
        if name in DOORS:
            assert relative(path) in DOORS[name], f"{name} may be imported in {sorted(DOORS[name])} alone"
        if name in DOOR_PACKAGES:
            assert package == DOOR_PACKAGES[name], f"{name} may be imported in {DOOR_PACKAGES[name]}/ alone"


def test_every_package_is_listed_for_installation() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    assert listed == set(ALLOWED) - {"coach"}


def test_the_project_file_holds_the_build_system_alone() -> None:
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())) == {"build-system"}


def test_every_dependency_has_a_lower_and_an_upper_bound() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = [
        *config["options"]["install_requires"].split("\n"),
        *config["options.extras_require"]["test"].split("\n"),
        *config["options.extras_require"]["docs"].split("\n"),
    ]
    unbounded = [line for line in required if line.strip() and not (">=" in line and "<" in line)]
    assert unbounded == []


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_no_module_has_a_name_that_says_nothing(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "manager"}
