"""Every shell block of README and guide is typed as a reader would type it, in a small library; or says why not."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import coach
from data.clip import Clip, Verdict
from data.label_database import LabelDatabase
from data.library import Library
from tests.agent_episodes import record_episode
from tests.guide_pages import PAGES, ROOT, blocks, name_of, without_blocks

TINY_RUN = ["--pretrain-steps", "2", "--memory-size", "1000", "--batch-size", "4", "--hidden-units", "16"]
TINY: dict[str, list[str]] = {
    "train": ["--steps", "12", "--learn-from-step", "4", "--evaluate-every", "0", *TINY_RUN],
    "record": ["--max-frames", "240", "--jobs", "1"],
    "evaluate": ["--episodes", "1", "--jobs", "1"],
    "watch": ["--seconds", "1"],
}
"""What is added to a command so that it takes seconds; of an option that is given twice, the last one counts."""

COMMAND_BEGINS = re.compile(r"^\s{4,}(\$ )?(coach|make|pip|pipx|python|git|docker|\.venv/\S+) ", re.MULTILINE)


def typed(page: Path) -> list[str]:
    return [line for block in blocks(page, "sh") if not block.not_run for line in block.lines()]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the library of somebody who has played and judged a little."""
    folder = tmp_path_factory.mktemp("reader")
    library = Library(folder / "library")
    episodes = [record_episode(library, 600, seed, kind="human") for seed in (1, 2, 3)]
    with LabelDatabase(library.labels) as labels:
        for episode, verdict in zip(episodes, ("good", "bad", "good"), strict=True):
            labels.record(Verdict(Clip(episode, 60, 240), "Ada", verdict))
    return folder


@pytest.fixture(scope="module")
def _eagerly() -> Iterator[None]:
    """Tiny trainings would spend their seconds on compiling."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.usefixtures("_eagerly")
@pytest.mark.parametrize("page", [page for page in PAGES if typed(page)], ids=name_of)
def test_commands_of_a_page_work(
    page: Path, played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "python"):
        # A page that has a script saved says under which name.
        named = re.search(r"[Ss]ave it as `(\w+\.py)`", page.read_text(encoding="utf-8"))
        if named:
            Path(named[1]).write_text(block.body, encoding="utf-8")
    for line in typed(page):
        code = run(line)
        told = capsys.readouterr()
        assert code == 0, f"{name_of(page)}: {line}\n{told.out}{told.err}"


def run(line: str) -> int:
    """The exit code of a line; ``coach`` runs in this process, which is a few seconds faster each time."""
    words = shlex.split(line)
    if words[0] != "coach" or set(shlex.shlex(line, punctuation_chars=True)) & {"|", ">", "&&", ";", "<", "&"}:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
        return subprocess.run(["bash", "-euc", line], env=environment, check=False).returncode
    return coach.main([*words[1:], *made_small(words)])


def made_small(words: list[str]) -> list[str]:
    command = words[1]
    if "--resume" in words:
        return ["--steps", "16"]
    if ("--from", "teacher") in pairwise(words):
        return TINY[command][:-2]  # its network is that of the supplied run
    planner = ["--rollouts", "1", "--horizon", "3"] if "planner" in words else []
    return [*TINY.get(command, []), *planner]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_that_are_not_run_are_valid(page: Path) -> None:
    for block in blocks(page, "sh"):
        for line in block.lines():
            words = [word for word in shlex.split(line) if not re.fullmatch(r"[A-Z_]+=\S*", word)]
            if "coach" in words[:1]:
                coach.build_parser().parse_args(words[1:])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_only_in_blocks_marked_as_shell(page: Path) -> None:
    others = "\n".join(block.body for block in blocks(page) if block.language not in ("sh", "python"))
    indented = "\n".join(f"    {line}" for line in others.splitlines())
    found = COMMAND_BEGINS.findall(indented) + COMMAND_BEGINS.findall(without_blocks(page))
    assert not found, f"{name_of(page)}: commands outside a ```sh block: {found}"
