"""The import rules: which package may import which, no circles, and which modules may import each third party."""

from __future__ import annotations

import ast
import configparser
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent

ALLOWED: dict[str, set[str]] = {
    "replay_coach": {"coach", "recorder", "curator", "agent", "data"},
    "coach": {"commands", "data"},
    "commands": {"commands", "home", "recorder", "curator", "agent", "screen", "data"},
    "home": {"home", "screen", "data"},
    "recorder": {"recorder", "screen", "data"},
    "curator": {"curator", "screen", "data"},
    "agent": {"agent", "data"},
    "screen": {"screen", "data"},
    "data": {"data"},
}
"""What each package may import of ours: imports run downward only."""

MODULES = {"coach", "replay_coach"}
"""The names of ``ALLOWED`` that are modules and not packages."""

IMPORTED_ONLY_IN: dict[str, set[str]] = {
    # A file format, the emulator, the label database, the window toolkit and the network each have one place.
    "h5py": {"data/replay_file.py"},
    "hdf5plugin": {"data/replay_file.py"},
    "ale_py": {"data/simulation.py"},
    "gymnasium": {"data/simulation.py"},
    "sqlalchemy": {"data/label_database.py", "data/label_connection.py"},
    "imageio_ffmpeg": {"data/film.py"},
    "minari": {"data/minari_export.py"},
    "platformdirs": {"data/user_folders.py"},
    "pygame": {"screen"},
    "keras": {"agent"},
    "tensorflow": {"agent"},
    "jax": {"agent"},
    "tensorboard": {"agent"},
    "threadpoolctl": {"agent"},
    "joblib": {"agent"},
    "ray": {"agent"},
    "dask": {"agent"},
    "distributed": {"agent"},
    "filelock": {"data"},
    "sklearn": {"curator"},
    "jinja2": {"commands/report.py"},
    "markupsafe": {"commands/report.py"},
    "matplotlib": {"commands"},
    # Used where they are needed.
    "rich": {"commands", "data/film.py"},
    "scipy": {"agent", "curator"},
    "cv2": {"agent", "data", "recorder"},
    "numpy": set(ALLOWED),
}
"""The modules or packages that may import each third party."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def modules() -> dict[str, Path]:
    """Return our source files by the names under which they are imported."""
    found = [ROOT / f"{name}.py" for name in MODULES]
    for package in sorted(set(ALLOWED) - MODULES):
        found += sorted((ROOT / package).rglob("*.py"))
    return {module_name(path): path for path in found}


def imported_names(path: Path) -> set[str]:
    """Return everything that a module imports, also inside functions and for type checking alone.

    ``from a import b`` gives both "a" and "a.b", since b may be a module.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: a relative import"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


IMPORTS = {name: imported_names(path) for name, path in modules().items()}


def top(name: str) -> str:
    return name.split(".")[0]


def find_circle(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules of one circle of imports, or an empty list."""
    known = {name: {other for other in names if other in imports and other != name} for name, names in imports.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_run_downward_only() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, names in IMPORTS.items()
        for imported in sorted(names)
        if top(imported) in ALLOWED and top(imported) not in ALLOWED[top(name)]
    ]
    assert wrong == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert find_circle(IMPORTS) == []


def test_a_circle_of_files_inside_one_package_is_found() -> None:
    imports = {
        "commands.chosen_settings": {"commands.playing"},
        "commands.playing": {"commands.output", "commands.chosen_settings"},
        "commands.output": {"rich"},
    }
    assert set(find_circle(imports)) == {"commands.chosen_settings", "commands.playing"}
    imports["commands.chosen_settings"] = {"home.settings"}
    assert find_circle(imports) == []


def test_each_third_party_is_imported_where_the_table_says() -> None:
    wrong = []
    for name, names in IMPORTS.items():
        for imported in sorted({top(imported) for imported in names}):
            if imported in ALLOWED or imported in sys.stdlib_module_names:
                continue
            places = IMPORTED_ONLY_IN.get(imported, set())
            if not places & {top(name), f"{name.replace('.', '/')}.py"}:
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name for name in IMPORTS if name.split(".")[-1] in {"utils", "helpers", "common", "manager"}] == []


def test_every_package_and_module_is_listed_for_installation() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert set(config["options"]["packages"].split()) == {*set(ALLOWED) - MODULES, "replay_coach-stubs"}
    assert set(config["options"]["py_modules"].split()) == MODULES


def test_every_module_is_type_checked() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    checked = {name.strip().removesuffix(".py") for name in config["mypy"]["files"].split(",")}
    assert set(ALLOWED) <= checked


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
