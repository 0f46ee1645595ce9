"""The files that services and tools read: the workflow, the pre-commit hooks and the issue template."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import coach

ROOT = Path(__file__).parent.parent


def read_yaml(path: str) -> Any:
    import yaml

    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_workflow_tests_every_supported_python() -> None:
    workflow = read_yaml(".github/workflows/tests.yml")
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    supported = re.findall(r"Programming Language :: Python :: (3\.\d+)", setup)
    assert workflow["jobs"]["linux"]["strategy"]["matrix"]["python"] == supported
    steps = [step.get("run", "") for step in workflow["jobs"]["linux"]["steps"]]
    assert {"make check", "make test"} <= set(steps)


def test_the_commands_of_the_workflow_are_commands_of_coach() -> None:
    jobs = read_yaml(".github/workflows/tests.yml")["jobs"]
    runs = [step["run"] for job in jobs.values() for step in job["steps"] if step.get("run", "").startswith("coach ")]
    assert len(runs) >= 4
    for run in runs:
        words = shlex.split(run)[1:]
        if words != ["--help"]:
            coach.build_parser().parse_args(words)


def test_the_hooks_run_what_make_check_runs() -> None:
    (repository,) = read_yaml(".pre-commit-config.yaml")["repos"]
    hooks = " ".join(hook["entry"] for hook in repository["hooks"])
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ncheck:")[1].split("\n\n")[0]
    for tool in re.findall(r"@\$\(BIN\)/(?:python -m )?(\w+)", recipe):
        assert tool in hooks


def test_the_issue_template_asks_for_the_versions() -> None:
    body = read_yaml(".github/ISSUE_TEMPLATE/bug.yml")["body"]
    assert any("coach info --json" in part["attributes"]["label"] for part in body)
