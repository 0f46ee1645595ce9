"""A separate virtual environment, .venv-sb3, for Stable-Baselines3 and PyTorch; made once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".venv-sb3"
PACKAGES = (
    "torch==2.13.0",
    "stable-baselines3>=2.7,<3",
    # Needed by our evaluation and emulator, so that both sides are measured by the same code.
    *("ale-py>=0.12,<0.13", "gymnasium>=1.2,<1.5", "opencv-python-headless>=4.11", "numpy>=2.1", "scipy>=1.15"),
    *("h5py>=3.12", "hdf5plugin>=5.1", "threadpoolctl>=3.5", "platformdirs>=4.3", "SQLAlchemy>=2.0.40"),
)
MADE = FOLDER / ".installed"


def sb3_python() -> Path:
    """Return the environment's Python, making the environment first if necessary; raises RuntimeError on failure."""
    python = FOLDER / "bin" / "python"
    wanted = "\n".join(PACKAGES)
    if not MADE.is_file() or MADE.read_text() != wanted:
        print(f"Making {FOLDER} with Stable-Baselines3 and PyTorch (some minutes, once)", file=sys.stderr)
        for command in (
            [sys.executable, "-m", "venv", str(FOLDER)],
            [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-qq", *PACKAGES],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
        MADE.write_text(wanted)
    return python
