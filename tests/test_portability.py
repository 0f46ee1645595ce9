"""Without what only POSIX systems have, the commands that need no window still work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

SCRIPT = """
import os, signal, sys

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None  # importing it raises ImportError
for owner, names in (
    (os, ("sysconf", "sched_setaffinity", "sched_getaffinity", "sched_setscheduler", "sched_yield", "nice")),
    (signal, ("SIGUSR1", "SIGHUP")),
):
    for name in names:
        if hasattr(owner, name):
            delattr(owner, name)

import coach

if __name__ == "__main__":
    library, *rest = sys.argv[1:]
    record = ["record", "--by", "random", "--episodes", "1", "--max-frames", "400", "--seed", "1"]
    small = "--steps 24 --pretrain-steps 2 --learn-from-step 8 --memory-size 1000 --evaluate-every 0 --hidden-units 16"
    for command in (
        record,
        ["verify", library + "/replays"],
        ["library", "--json"],
        ["train", "--run", "first", "--seed-from", "all", "--threads", "1", *small.split()],
    ):
        code = coach.main(["--library", library, *command])
        assert code == 0, (command, code)
"""


def test_headless_commands_work_without_the_modules_of_posix(tmp_path: Path) -> None:
    script = tmp_path / "without_posix.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-P", str(script), str(tmp_path / "library")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "library" / "runs" / "first" / "checkpoints").is_dir()
