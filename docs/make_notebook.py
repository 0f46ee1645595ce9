"""Run docs/tutorial.ipynb and save its outputs: `make notebook`.

The notebook is edited in Jupyter. Only this script makes its outputs, in a fresh folder, so that they are those of the
present code.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent / "tutorial.ipynb"
MOST_BYTES = 2_000_000
CELL_SECONDS = 600
ENVIRONMENT = {
    # No windows, sounds or start messages of TensorFlow in a notebook.
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # On a busy machine threads wait for one another far longer than they save.
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def run(path: Path = NOTEBOOK, cell_seconds: int = CELL_SECONDS) -> Any:
    """Return the notebook with fresh outputs. Raises nbclient's CellExecutionError for a cell that fails."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="replay-coach-") as folder:
        # Its library is in the folder for temporary files, and is removed with it.
        with mock.patch.dict(os.environ, {**ENVIRONMENT, "TMPDIR": folder}):
            resources = {"metadata": {"path": folder}}
            client = NotebookClient(
                notebook, timeout=cell_seconds, startup_timeout=300, kernel_name="python3", resources=resources
            )
            client.execute()
        tidy(notebook, folder)
    return notebook


def tidy(notebook: Any, folder: str) -> None:
    """Remove what differs although nothing changed: times, versions, the temporary folder, and lines of progress.

    Progress is shown every ten seconds, so only a slow machine has any.
    """
    for cell in notebook.cells:
        cell.metadata.clear()
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not is_progress(output)]
        for output in cell.get("outputs", ()):
            if "text" in output:
                output["text"] = output["text"].replace(folder, "/tmp")
            for kind, value in output.get("data", {}).items():
                if isinstance(value, str) and kind.startswith("text/"):
                    output["data"][kind] = value.replace(folder, "/tmp")
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def is_progress(output: Any) -> bool:
    """Return whether an output is a line such as "        Evaluating teacher: 1 of 2 episodes"."""
    text = output.get("data", {}).get("text/plain", "")
    return bool(re.match(r" {8}\S.*: [\d.]+( of [\d.]+)? \w", text))


def main() -> int:
    text = nbformat.writes(run()) + "\n"
    if len(text.encode()) > MOST_BYTES:
        print(f"The notebook would have {len(text.encode()):,} bytes; the limit is {MOST_BYTES:,}.", file=sys.stderr)
        return 1
    NOTEBOOK.write_text(text, encoding="utf-8")
    print(f"{NOTEBOOK}: {len(text.encode()) / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
