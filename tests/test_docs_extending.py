"""The pages on extending: what they say to change is changed, in a copy, and works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.clip import Clip
from data.label_database import LabelDatabase
from data.library import Library
from tests.agent_episodes import record_episode
from tests.guide_pages import ROOT, blocks
from tests.test_docs_shell_blocks import TINY_RUN

DOCS = ROOT / "docs"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources."""
    folder = tmp_path / "copy"
    for package in ("agent", "commands", "curator", "data", "home", "recorder", "screen", "tests"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("coach.py", "setup.cfg"):
        shutil.copy(ROOT / name, folder)
    return folder


def apply(diff: str, folder: Path) -> None:
    """Make the one change of a diff: the lines with a minus or a blank are there, once, and become the others."""
    head, *lines = diff.rstrip("\n").split("\n")
    path = folder / head.removeprefix("--- ")
    before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} does not have these lines, once:\n{before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def run(folder: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_network_of_ones_own_learns_and_acts_as_the_page_says(copy: Path) -> None:
    diffs = [block.body for block in blocks(DOCS / "your-own-network.md", "diff")]
    assert len(diffs) == 2
    for diff in diffs:
        apply(diff, copy)
    [block] = blocks(DOCS / "your-own-network.md", "sh")
    [line] = block.lines()
    check = line.split()[3:]
    assert line.startswith("python -m pytest ")
    record_episode(Library(copy / "library"), 200, kind="human")
    train = ["train", "--run", "mine", "--seed-from", "human", "--steps", "8", "--evaluate-every", "0", *TINY_RUN]
    train += ["--network", "nature"]
    # In one process, because each would load TensorFlow.
    both = f"import sys, pytest, coach; sys.exit(pytest.main({check}) or coach.main({train}))"
    assert re.search(r"[4-9] passed", run(copy, "-c", both))
    weights = next((copy / "library" / "runs" / "mine" / "checkpoints").rglob("learner.npz"))
    with np.load(weights) as arrays:
        assert arrays["online/trunk/kernel"].shape[1] == 256
        assert arrays["online/convolution_2/kernel"].shape[-1] == 32
        assert "online/convolution_3/kernel" not in arrays
    run(copy, "coach.py", "watch", "mine", "--gif", "mine.gif", "--seconds", "1")


def test_a_rule_of_ones_own_judges_as_the_page_says(tmp_path: Path) -> None:
    [block] = blocks(DOCS / "your-own-heuristic.md", "python")
    names: dict[str, object] = {"__name__": "idle_rule"}
    exec(compile(block.body, "idle_rule.py", "exec"), names)
    library = Library(tmp_path)
    idle = record_episode(library, 600, 1, choose=lambda frame, *_: 0 if 100 <= frame < 300 else 1)
    record_episode(library, 600, 2, choose=lambda *_: 1)
    for _ in range(2):
        names["main"](library)  # type: ignore[operator]
    with LabelDatabase(library.labels) as labels:
        standing = [(verdict.clip, verdict.curator, verdict.verdict) for verdict in labels.verdicts()]
    assert standing == [(Clip(idle, 100, 300), "rule:idle", "bad")]
