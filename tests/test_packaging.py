"""The package: a wheel is built from a clean checkout, installed in an environment of its own, and used there."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import Xlib.display
import Xlib.X

import coach
from data.library import Library
from tests.conftest import VirtualDisplay
from tests.guide_pages import ROOT, blocks

NOT_SOURCES = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "library", "tour", "*.egg-info")
PACKAGES = configparser.ConfigParser()
PACKAGES.read(ROOT / "setup.cfg")
NAMES = set(PACKAGES["options"]["packages"].split())
ICON = "128x128/replay-coach.png"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install .` builds it but for downloading setuptools."""
    checkout = tmp_path_factory.mktemp("checkout") / "replay-coach"
    shutil.copytree(ROOT, checkout, ignore=NOT_SOURCES)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = (checkout / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the wheel; what the wheel needs is lent by the one that runs the tests."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(command, check=True)
    [site] = folder.glob("lib/python*/site-packages")
    lent = [path for path in sys.path if path.endswith("site-packages")]
    (site / "lent.pth").write_text("\n".join(lent), encoding="utf-8")
    return folder


def installed_coach(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [environment / "bin" / "coach", *arguments]
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)


def test_a_wheel_holds_our_packages_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    inside = {name for name in names if not re.match(r"replay_coach-[\d.]+\.(dist-info|data)/", name)}
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in NAMES
        for path in (ROOT / package).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.parent.parent.name != "icons"
        and path.parent.name != "icons"
    }
    assert inside == ours | {"coach.py", "replay_coach.py", f"screen/icons/{ICON}"}
    assert not any(name.startswith(("tests/", "docs/", "benchmarks/")) for name in names)


def test_the_wheel_is_typed_and_the_guide_lists_the_names_that_it_installs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packages = {name for name in NAMES if not name.endswith("-stubs")}
    assert {f"{package}/py.typed" for package in packages} | {"replay_coach-stubs/__init__.pyi"} <= set(names)
    top_level = {name.split("/")[0].removesuffix(".py") for name in names if not name.startswith("replay_coach-0")}
    page = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    [listed] = re.findall(r"<!-- top-level names -->\n(.*?)\n\n", page, flags=re.DOTALL)
    assert set(re.findall(r"`([\w-]+)`", listed)) == top_level


def test_an_installed_coach_records_and_knows_itself(environment: Path, tmp_path: Path) -> None:
    done = installed_coach(environment, tmp_path, "info", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["replay-coach"] == PACKAGES["metadata"]["version"]
    where = subprocess.run(
        [environment / "bin" / "python", "-c", "import coach, data; print(coach.__file__, data.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert all(Path(path).is_relative_to(environment) for path in where), where
    done = installed_coach(environment, tmp_path, "record", "--by", "random", "--max-frames", "120", "--json")
    assert done.returncode == 0, done.stderr
    assert len(Library(tmp_path / "library").episodes()) == 1


def test_an_installed_coach_opens_its_window_under_its_icon(
    environment: Path, virtual_display: VirtualDisplay, tmp_path: Path
) -> None:
    command = [environment / "bin" / "coach", "--library", tmp_path / "library"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=virtual_display.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        number = virtual_display.wait_for_window("home", process)
        display = Xlib.display.Display(virtual_display.name)
        window = display.create_resource_object("window", int(number))
        icon = window.get_full_property(display.intern_atom("_NET_WM_ICON"), Xlib.X.AnyPropertyType)
        name = window.get_wm_class()
        display.close()
        virtual_display.ask_to_close(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert list(icon.value[:2]) == [128, 128]
    assert "replay-coach" in name


def test_the_desktop_entry_and_its_icons_are_installed_where_desktops_look(environment: Path) -> None:
    share = environment / "share"
    entry = configparser.ConfigParser(interpolation=None, delimiters="=")
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read(share / "applications" / "replay-coach.desktop", encoding="utf-8")
    assert entry["Desktop Entry"]["StartupWMClass"] == entry["Desktop Entry"]["Icon"] == "replay-coach"
    icons = {path.relative_to(share / "icons").as_posix() for path in (share / "icons").rglob("replay-coach.*")}
    sizes = {f"hicolor/{size}x{size}/apps/replay-coach.png" for size in (16, 32, 48, 64, 128, 256)}
    assert icons == sizes | {"hicolor/scalable/apps/replay-coach.svg"}


def test_the_desktop_entry_starts_coach_with_a_library_in_the_home_folder(tmp_path: Path) -> None:
    entry = configparser.ConfigParser(interpolation=None, delimiters="=")
    entry.read(ROOT / "screen" / "icons" / "replay-coach.desktop", encoding="utf-8")
    # Of the specification: a value's own escapes first, then those of a quoted argument.
    program, option, quoted = entry["Desktop Entry"]["exec"].replace("\\\\", "\\").split(" ", 2)
    words = [program, option, re.sub(r"\\([\"`$\\])", r"\1", quoted[1:-1])]
    stand_in = tmp_path / "coach"
    stand_in.write_text('#!/bin/sh\nprintf "%s|" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    environment = {"HOME": "/home/a person", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
    assert told == "--library|/home/a person/Replay Coach|"


def test_the_icons_are_what_their_drawing_says() -> None:
    import imageio.v3 as imageio

    from docs import make_icons

    for size in make_icons.SIZES:
        stored = imageio.imread(make_icons.ICONS / f"{size}x{size}" / "replay-coach.png").astype(int)
        assert np.abs(stored - make_icons.rendered(size)).mean() < 2, "run `make pictures`"


def dockerfile() -> list[list[str]]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [shlex.split(line, posix=False) for line in lines if line and not line.startswith("#")]


def test_the_dockerfile_copies_what_the_package_needs_and_its_ignore_file_lets_through() -> None:
    copied = {word for line in dockerfile() if line[0] == "COPY" for word in line[1:-1]}
    assert copied == NAMES | {"coach.py", "replay_coach.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in copied)
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {line[1:] for line in ignore if line.startswith("!")} == copied


def test_what_the_container_runs_are_commands() -> None:
    told = {line[0]: line[1:] for line in dockerfile()}
    assert json.loads(" ".join(told["ENTRYPOINT"])) == ["coach"]
    coach.build_parser().parse_args(json.loads(" ".join(told["CMD"])))
    lines = [line for block in blocks(ROOT / "docs" / "installing.md", "sh") for line in block.lines()]
    runs = [line.partition(" replay-coach ")[2] for line in lines if line.startswith("docker run")]
    assert len(runs) == 2
    for words in runs:
        coach.build_parser().parse_args(shlex.split(words))
