"""The guide: it builds without a warning, nothing in it leads nowhere, and every command and option is in it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

import coach
from docs.command_reference import commands, options
from tests.guide_pages import PAGES, ROOT, name_of

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built guide; a warning is an error."""
    out = tmp_path_factory.mktemp("guide")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-b",
        "html",
        "-W",
        "--keep-going",
        "-E",
        "-q",
        "-d",
        str(out / "doctrees"),
    ]
    done = subprocess.run([*command, "docs", str(out / "html")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / "html"


def words_of(page: Path) -> str:
    """What a reader sees, in one line."""
    text = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", html.unescape(text).replace("’", "'"))


def test_every_page_is_built(guide: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        if page != ROOT / "docs" / "decisions" / "README.md":
            assert (guide / page.relative_to(ROOT / "docs").with_suffix(".html")).is_file(), name_of(page)


@pytest.mark.parametrize("name", ["coach", *commands(coach.build_parser())])
def test_every_command_and_option_has_help_and_stands_in_the_reference(name: str, guide: Path) -> None:
    parser = coach.build_parser()
    command = parser if name == "coach" else commands(parser)[name]
    page = (guide / "commands.html").read_text(encoding="utf-8")
    heading = "coach" if name == "coach" else f"coach {name}"
    begins = page.index(f"<h2>{heading}<")
    ends = page.find("<h2>", begins + 1)
    section = page[begins : ends if ends > 0 else None]
    assert command.description
    for written, text in options(command):
        assert len(text) > 3, f"{name} {written} has no help"
        if written != "--library DIR" or name == "coach":
            assert f'<span class="pre">{html.escape(written.split()[0].rstrip(","))}' in section, f"{name} {written}"


def test_an_option_is_told_with_its_default_in_the_reference(guide: Path) -> None:
    assert "frames for which an action is held, as for an agent" in words_of(guide / "commands.html")
    assert "(default: MsPacman)" in words_of(guide / "commands.html")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not re.match(r"https?://|mailto:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{name_of(page)} links to {target}"


def test_diagrams_are_what_their_command_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from docs import make_diagrams

    monkeypatch.setattr(make_diagrams, "PICTURES", tmp_path)
    make_diagrams.main()
    drawn = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert drawn == sorted(path.name for path in (ROOT / "docs" / "pictures").glob("seeding-*.svg"))
    for name in drawn:
        # Other versions of matplotlib place glyphs a hair differently; shapes and colours must be the same.
        ours, theirs = ((folder / name).read_text() for folder in (ROOT / "docs" / "pictures", tmp_path))
        assert re.findall(r"fill: (#\w+)", ours) == re.findall(r"fill: (#\w+)", theirs), f"{name}: run `make pictures`"
