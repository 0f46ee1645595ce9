"""Whole comparisons by the command: killed on the way, on a Ray cluster that loses a node, with a run that fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from agent_episodes import record_episode

from data.library import Library

ROOT = Path(__file__).parent.parent
SMALL = [
    *("--steps", "90", "--pretrain-steps", "8", "--learn-from-step", "16", "--batch-size", "4"),
    *("--hidden-units", "8", "--memory-size", "1000", "--max-episode-frames", "240", "--checkpoint-every", "30"),
    *("--evaluate-every", "45", "--evaluation-episodes", "1", "--final-episodes", "1"),
]
COMPARE = ["compare", "--seedings", "none", "shown=planner", "--seeds", "1", "--jobs", "2", "--out", "out", *SMALL]
ONE_AFTER_ANOTHER = ["--jobs", "1"]
"""So that a kill finds one run finished and the other at work; of an option that is given twice, the last counts."""
PATIENCE_SECONDS = 1500
pytestmark = pytest.mark.timeout(3600)  # generous: each run starts TensorFlow in a process of its own


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library with two short episodes; every comparison here begins with a copy of it."""
    made = Library(tmp_path_factory.mktemp("comparing") / "library")
    for seed in (1, 2):
        record_episode(made, 400, seed=seed, kind="planner")
    return made


def workplace(library: Library, folder: Path) -> Path:
    """A folder with a copy of the library, in which commands have the same words wherever it lies.

    Its modules are named like ours, and no run may import them.
    """
    shutil.copytree(library.folder, folder / "library")
    for package in ("agent", "commands", "data"):
        (folder / f"{package}.py").write_text("raise SystemExit(1)")
    return folder


def start(folder: Path, arguments: list[str], **environment: str) -> subprocess.Popen[bytes]:
    """The command in a process group of its own."""
    command = [sys.executable, str(ROOT / "coach.py"), *arguments]
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finish(folder: Path, arguments: list[str], **environment: str) -> int:
    process = start(folder, arguments, **environment)
    try:
        return process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()


def progress(folder: Path) -> dict[str, Any]:
    """What ``progress.json`` says; it must be whole at every moment."""
    path = folder / "out" / "progress.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"done": 0, "runs": []}
    return found


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert process.poll() is None, "the comparison ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def at_work(folder: Path, least: int = 1) -> bool:
    """Whether so many runs are pretraining or training now."""
    return sum(run["phase"] in ("pretraining", "training") for run in progress(folder)["runs"]) >= least


def report(folder: Path) -> tuple[str, str, dict[str, Any]]:
    """The page, its Markdown twin and the numbers, without what no two computations share: times, and the engine."""
    html, markdown = ((folder / "out" / f"report.{kind}").read_text() for kind in ("html", "md"))
    numbers = json.loads((folder / "out" / "comparison.json").read_text())
    for result in numbers["results"]:
        del result["training_seconds"], result["evaluation"]["seconds"]
    for arm in numbers["summary"]["arms"]:
        del arm["seconds"]
    del numbers["plan"]["command"]
    html = html.split("<h2>Times")[0].replace(" <span>--backend</span> <span>ray</span>", "")
    html = html.replace(" <span>--jobs</span> <span>1</span>", "")
    return html, markdown.split("## Times")[0].replace(" --backend ray", "").replace(" --jobs 1", ""), numbers


@pytest.fixture(scope="module")
def undisturbed(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = workplace(library, tmp_path_factory.mktemp("undisturbed"))
    assert finish(folder, COMPARE) == 0, (folder / "said.txt").read_text()
    return folder


def test_a_comparison_killed_twice_ends_with_the_same_report_as_one_that_was_not(
    undisturbed: Path, library: Library, tmp_path: Path
) -> None:
    folder = workplace(library, tmp_path)
    compare = [*COMPARE, *ONE_AFTER_ANOTHER]
    first = start(folder, compare)
    wait_until(lambda: at_work(folder), first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    second = start(folder, compare)
    wait_until(lambda: progress(folder)["done"] == 1 and at_work(folder), second)
    kill_everything(folder, second)
    assert len(list(folder.glob("library/comparisons/out/runs/*.result.json"))) == 1
    assert finish(folder, compare) == 0, (folder / "said.txt").read_text()
    assert report(folder) == report(undisturbed)


@pytest.mark.soak
def test_several_runs_at_a_time_that_are_killed_twice_end_with_the_same_report(
    library: Library, tmp_path: Path
) -> None:
    compare = [*COMPARE, "--seeds", "2"]
    one, other = (workplace(library, tmp_path / name) for name in ("one", "other"))
    assert finish(one, compare) == 0, (one / "said.txt").read_text()
    for finished in (0, 1):
        process = start(other, compare)
        wait_until(lambda: progress(other)["done"] >= finished and at_work(other), process)  # noqa: B023
        kill_everything(other, process)
    assert finish(other, compare) == 0, (other / "said.txt").read_text()
    assert report(other) == report(one)


def kill_everything(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """The command and the runs' own processes, at once."""
    runs = [
        json.loads(path.read_text())["process"] for path in folder.glob("library/comparisons/*/runs/*.progress.json")
    ]
    os.killpg(process.pid, signal.SIGKILL)
    for run in runs:
        with suppress(ProcessLookupError):
            os.kill(run, signal.SIGKILL)
    process.wait()


def test_a_finished_comparison_is_not_computed_again(undisturbed: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.glob("library/comparisons/out/runs/*.result.json")}
    assert len(before) == 2
    assert finish(undisturbed, COMPARE) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_page_needs_no_other_file_and_tells_everything(undisturbed: Path) -> None:
    page = (undisturbed / "out" / "report.html").read_text().replace("</span> <span>", " ")
    assert page.count("data:image/gif;base64,") == 2
    assert 'src="data:' in page
    assert not [part for part in page.split('src="')[1:] if not part.startswith("data:")]
    for words in (
        "no interval over trainings can be given",
        "--seed-from",
        "episodes of SpaceInvaders by planner",
        "coach compare",
    ):
        assert words in page, words


def test_progress_tells_of_every_run(undisturbed: Path) -> None:
    state = progress(undisturbed)
    assert (state["phase"], state["done"], state["total"], state["share"]) == ("done", 2, 2, 1.0)
    assert Path(state["report"]).is_file()
    assert {run["arm"] for run in state["runs"]} == {"none", "shown"}


def test_the_same_name_with_other_settings_is_refused(undisturbed: Path) -> None:
    assert finish(undisturbed, [*COMPARE, "--discount", "0.5"]) == 2
    assert "was started with --discount 0.99" in (undisturbed / "said.txt").read_text()


@pytest.fixture
def ray_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes on this machine, one processor each; a node that does not answer for three seconds is dead."""
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else other work on this machine goes first
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    impatient = {"health_check_period_ms": 1000, "health_check_failure_threshold": 3}
    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000, include_dashboard=False, _system_config=impatient)
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()


def run_on(node: Any, folder: Path) -> str | None:
    """The run that learns on this Ray node now; None where none does."""
    raylet = node.all_processes["raylet"][0].process.pid
    for path in folder.glob("library/comparisons/out/runs/*.progress.json"):
        facts = json.loads(path.read_text())
        if facts["phase"] in ("pretraining", "training"):
            with suppress(psutil.NoSuchProcess):
                if raylet in {parent.pid for parent in psutil.Process(facts["process"]).parents()}:
                    return path.name.removesuffix(".progress.json")
    return None


def test_a_ray_cluster_that_loses_a_node_ends_with_the_same_report(
    undisturbed: Path, library: Library, tmp_path: Path, ray_cluster: Any
) -> None:
    folder = workplace(library, tmp_path)
    [lost] = ray_cluster.worker_nodes
    process = start(folder, [*COMPARE, "--backend", "ray"], RAY_ADDRESS=ray_cluster.address)
    try:
        wait_until(lambda: run_on(lost, folder) is not None, process)
        run = run_on(lost, folder)
        ray_cluster.remove_node(lost, allow_graceful=False)
        assert not (folder / f"library/comparisons/out/runs/{run}.result.json").exists(), "the node was lost too late"
        assert process.wait(PATIENCE_SECONDS) == 0, (folder / "said.txt").read_text()
    finally:
        process.kill()
    assert "Workers of the engine ray were lost" in (folder / "said.txt").read_text()
    assert report(folder) == report(undisturbed)
