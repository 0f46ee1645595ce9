"""The same promises of the label database on a real PostgreSQL server, started for these tests alone."""

from __future__ import annotations

import subprocess
import sys
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


def judged(number: int, verdict: str = "good", curator: str = "Ann", note: str = "") -> Verdict:
    return Verdict(Clip("episode", number * 60, number * 60 + 60), curator, verdict, note=note)


def test_verdicts_are_kept_replaced_and_taken_back_also_after_a_restart(postgresql_url: str) -> None:
    assert LabelDatabase.open_existing(postgresql_url) is None
    first, second = judged(1), judged(1, "bad", note="Änn 🙂")
    with LabelDatabase(postgresql_url) as labels:
        assert labels.record(first) < labels.record(second)
        assert labels.verdicts() == [second]
    with LabelDatabase(postgresql_url) as labels:
        assert labels.undo("Ann") == second
        assert labels.verdicts() == [first]
        assert (labels.undo("Ann"), labels.undo("Ann")) == (first, None)
    existing = LabelDatabase.open_existing(postgresql_url)
    assert existing is not None
    with existing, pytest.raises(CoachError, match="opened read-only"):
        existing.record(first)


def test_a_rule_is_replaced_in_whole_and_merging_is_idempotent(postgresql_url: str) -> None:
    with LabelDatabase(postgresql_url) as labels:
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


def test_a_database_of_another_version_is_refused(postgresql_url: str) -> None:
    import sqlalchemy as sa

    LabelDatabase(postgresql_url).close()
    engine = sa.create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE replay_coach_labels SET value = '9'"))
    engine.dispose()
    with pytest.raises(CoachError, match="has version 9"):
        LabelDatabase(postgresql_url)


def test_a_server_that_does_not_answer_is_one_clear_sentence(postgresql: str) -> None:
    with pytest.raises(CoachError, match="cannot be opened") as refusal:
        LabelDatabase(postgresql.format(name="no_such_database"))
    assert "\n" not in str(refusal.value)


def test_processes_that_make_and_write_one_database_at_once_lose_and_double_nothing(
    postgresql_url: str,
) -> None:
    names = ["Ann", "Bob", "Eve"]
    command = [sys.executable, "-c", WRITER, postgresql_url]
    writers = [subprocess.Popen([*command, name, "40"], cwd=HOUSE, stderr=subprocess.PIPE, text=True) for name in names]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    with LabelDatabase(postgresql_url) as labels:
        assert labels.counts() == {name: {"good": 40, "bad": 0, "skip": 0} for name in names}
        assert len(labels.history()) == 120


def test_two_windows_of_one_curator_take_back_each_verdict_once(postgresql_url: str) -> None:
    undoer = (
        WRITER[: WRITER.index("    for number")]
        + "    print(sum(labels.undo(curator) is not None for _ in range(count)))"
    )
    with LabelDatabase(postgresql_url) as labels:
        for number in range(30):
            labels.record(judged(number))
        command = [sys.executable, "-c", undoer, postgresql_url, "Ann", "30"]
        both = [subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        taken_back = [int(one.communicate()[0]) for one in both]
        assert (sum(taken_back), labels.verdicts()) == (30, [])
