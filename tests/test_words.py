"""Words that must not come back: metaphors and translated phrases that this project once used instead of plain ones."""

from __future__ import annotations

import itertools
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
INSTEAD = {
    r"\b(is|are|was|were) told\b": "is reported, is shown",
    r"\bheld by a test\b": "tested by",
    r"\bstillborn\b|\bstrewn\b|\bof two minds\b|\bno sane\b": "plain words",
    r"\blooker-on\b|\bwhoever looks on\b": "viewer",
    r"\bthrown away\b": "discarded, in the trash",
    r"\bto be had\b": "available",
    r"\bwork(s|ed)? off\b|\blanes?\b": "run, worker",
    r"\bsittings?\b": "session",
    r"\bfront door\b|\bthe (one|only) door to\b|\bdoors\b": "command line, the only module that imports, action",
    r"\bgone on with\b|\bbroke off\b": "continued, was interrupted",
    r"\bspectators?\b": "live view",
    r"\b(a|by|the) strangers?\b": "untrusted",
    r"\bwhoever\b": "a person who, plain words",
    r"\b[Rr]aises \w+(Error|AnswerIsNo)? where\b": "raises ... if",
    r"(?<!there )\bis no (whole|plain|replay|number|share|list)\b": "is not a",
    r"\bfor ever\b": "forever, indefinitely",
    r"\bnow and then\b": "from time to time, at random",
    r"\ball the same\b(?! for)": "anyway",
}
"""Pattern to what is written instead; ``docs/decisions`` and CONTRIBUTING.md obey it too, except its own list."""


def tracked_texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.jinja"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    if not paths:  # an unpacked archive, without its history
        paths = [path for kind in ("*.py", "*.md") for path in ROOT.rglob(kind) if ".venv" not in path.parts]
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def replaced_phrases() -> list[str]:
    """Return the phrases that CONTRIBUTING.md lists as replaced, in the second column of its last table."""
    _, _, table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("| write | not |\n|---|---|\n")
    rows = itertools.takewhile(lambda line: line.startswith("|"), table.splitlines())
    return [phrase.strip() for row in rows for phrase in row.strip("|").split("|")[1].split(",")]


def test_contributing_lists_phrases_that_this_test_refuses() -> None:
    found = replaced_phrases()
    assert len(found) > 8
    assert [phrase for phrase in found if not any(re.search(p, phrase, re.IGNORECASE) for p in INSTEAD)] == []


def test_words_that_were_replaced_do_not_come_back() -> None:
    offenders = []
    listed = {row for row in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines() if row[:1] == "|"}
    for path in tracked_texts():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if path.name == "CONTRIBUTING.md" and line in listed:
                continue
            for pattern, instead in INSTEAD.items():
                found = re.search(pattern, line, re.IGNORECASE)
                if found:
                    offenders.append(f"{path.relative_to(ROOT)}:{number}: {found[0]!r}; write {instead}")
    assert offenders == []
