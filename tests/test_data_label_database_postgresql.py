"""The same promises of the label database on a real PostgreSQL server, started for these tests alone."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase

HOUSE = Path(__file__).parent.parent
WRITER = """
import sys
from data.clip import Clip, Verdict
from data.label_database import LabelDatabase
url, curator, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with LabelDatabase(url) as labels:
    for number in range(count):
        labels.record(Verdict(Clip("episode", number, number + 1), curator, "good"))
        if number % 3 == 0:
            labels.record(Verdict(Clip("episode", number, number + 1), curator, "bad"))
            assert labels.undo(curator).verdict == "bad"
"""


def _programs() -> Path | None:
    """Folder of PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of a server without databases of ours, up to the database's name."""
    programs = _programs()
    if programs is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or the package psycopg is not installed (on Debian: apt install postgresql)")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        # The server refuses to run as root.
        as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        cluster = f"{folder}/cluster"
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
        trust = ["--auth=trust", "--username=coach", "--no-sync"]
        subprocess.run([*as_user, str(programs / "initdb"), "-D", cluster, *trust], **quiet)
        options = f"-c listen_addresses= -c unix_socket_directories={folder}"
        control = [*as_user, str(programs / "pg_ctl"), "-D", cluster, "-w", "-l", f"{folder}/log"]
        subprocess.run([*control, "-o", options, "start"], **quiet)
        try:
            yield f"postgresql+psycopg://coach@/{{name}}?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """A new, empty database."""
    import psycopg

    name = f"test_{abs(hash(request.node.name))}"
    folder = server.rpartition("=")[2]
    with psycopg.connect(f"host={folder} user=coach dbname=postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name=name)


def judged(number: int, verdict: str = "good", curator: str = "Ann", note: str = "") -> Verdict:
    return Verdict(Clip("episode", number * 60, number * 60 + 60), curator, verdict, note=note)


def test_verdicts_are_kept_replaced_and_taken_back_also_after_a_restart(url: str) -> None:
    assert LabelDatabase.open_existing(url) is None
    first, second = judged(1), judged(1, "bad", note="Änn 🙂")
    with LabelDatabase(url) as labels:
        assert labels.record(first) < labels.record(second)
        assert labels.verdicts() == [second]
    with LabelDatabase(url) as labels:
        assert labels.undo("Ann") == second
        assert labels.verdicts() == [first]
        assert (labels.undo("Ann"), labels.undo("Ann")) == (first, None)
    existing = LabelDatabase.open_existing(url)
    assert existing is not None
    with existing, pytest.raises(CoachError, match="opened for reading alone"):
        existing.record(first)


def test_a_rule_is_replaced_in_whole_and_merging_is_idempotent(url: str) -> None:
    with LabelDatabase(url) as labels:
        said = [judged(number, curator="rule:x") for number in range(1200)]
        assert labels.replace_rule("rule:x", said) == labels.replace_rule("rule:x", said) == 1200
        assert labels.replace_rule("rule:x", said[:3], episodes=["episode"]) == 3
        assert labels.merge([judged(5), judged(6)]) == 2
        assert labels.counts() == {
            "Ann": {"good": 2, "bad": 0, "skip": 0},
            "rule:x": {"good": 3, "bad": 0, "skip": 0},
        }
        standing = labels.verdicts(curator="Ann")
        assert labels.merge(standing) == 0


def test_a_database_of_another_version_is_refused(url: str) -> None:
    import sqlalchemy as sa

    LabelDatabase(url).close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE replay_coach_labels SET value = '9'"))
    engine.dispose()
    with pytest.raises(CoachError, match="has version 9"):
        LabelDatabase(url)


def test_a_server_that_does_not_answer_is_one_clear_sentence(server: str) -> None:
    with pytest.raises(CoachError, match="cannot be opened") as refusal:
        LabelDatabase(server.format(name="no_such_database"))
    assert "\n" not in str(refusal.value)


def test_processes_that_make_and_write_one_database_at_once_lose_nothing_and_double_nothing(url: str) -> None:
    names = ["Ann", "Bob", "Eve"]
    command = [sys.executable, "-c", WRITER, url]
    writers = [subprocess.Popen([*command, name, "40"], cwd=HOUSE, stderr=subprocess.PIPE, text=True) for name in names]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    with LabelDatabase(url) as labels:
        assert labels.counts() == {name: {"good": 40, "bad": 0, "skip": 0} for name in names}
        assert len(labels.history()) == 120


def test_two_windows_of_one_curator_take_back_each_verdict_once(url: str) -> None:
    undoer = (
        WRITER[: WRITER.index("    for number")]
        + "    print(sum(labels.undo(curator) is not None for _ in range(count)))"
    )
    with LabelDatabase(url) as labels:
        for number in range(30):
            labels.record(judged(number))
        command = [sys.executable, "-c", undoer, url, "Ann", "30"]
        both = [subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        taken_back = [int(one.communicate()[0]) for one in both]
        assert (sum(taken_back), labels.verdicts()) == (30, [])
