"""Background jobs: which modules they import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARENT = """
from pathlib import Path
from data import jobs
raise SystemExit(jobs.start(jobs.python_command("data.child"), Path("log")).wait())
"""


def test_a_job_imports_the_modules_of_the_checkout_that_started_it(tmp_path: Path) -> None:
    """Neither those of an installation nor those of the working folder."""
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    shutil.copytree(ROOT / "data", checkout / "data", ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "data" / "child.py").write_text("print(__file__)")
    (checkout / "program.py").write_text(PARENT)
    elsewhere.mkdir()
    (elsewhere / "data.py").write_text("raise SystemExit('the wrong module')")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(checkout / "program.py")]
    done = subprocess.run(command, cwd=elsewhere, env=environment, check=False)
    assert (done.returncode, (elsewhere / "log").read_text().strip()) == (0, str(checkout / "data" / "child.py"))
