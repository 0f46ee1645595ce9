"""The label database: nothing lost, nothing double, nobody else's file touched."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from data.clip import VERDICTS, Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase

HOUSE = Path(__file__).parent.parent
CLIP = Clip("episode", 0, 180)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.sqlite"


@pytest.fixture
def labels(path: Path) -> Iterator[LabelDatabase]:
    with LabelDatabase(path) as database:
        yield database


def clip(number: int) -> Clip:
    return Clip("episode", number * 60, number * 60 + 60)


def judged(number: int, verdict: str = "good", curator: str = "Ann", note: str = "") -> Verdict:
    return Verdict(clip(number), curator, verdict, NOON + timedelta(seconds=number), note)


def test_a_verdict_comes_back_as_it_was_given(labels: LabelDatabase) -> None:
    given = Verdict(CLIP, "Änn O'Hara; --", "bad", datetime.now(UTC), 'He said "no" 🙂\nthen left', "uniform")
    labels.record(given)
    assert labels.verdicts() == [given]


@pytest.mark.parametrize(("note", "stored"), [("", "second look"), ("why?", "second look: why?")])
def test_a_clip_put_aside_is_stored_as_before_and_read_as_a_flag(
    labels: LabelDatabase, path: Path, note: str, stored: str
) -> None:
    given = Verdict(Clip("e", 0, 60), "Ann", "skip", note=note, put_aside=True)
    labels.record(given)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT note FROM verdicts").fetchone() == (stored,)
    assert labels.verdicts() == [given]


def test_frame_numbers_from_arrays_are_stored_as_numbers(labels: LabelDatabase, path: Path) -> None:
    labels.record(Verdict(Clip("e", np.int64(5), np.int64(9)), "Ann", "good"))
    assert sqlite3.connect(path).execute("SELECT start, stop FROM verdicts").fetchone() == (5, 9)


def test_ids_only_grow_even_when_the_latest_was_withdrawn(labels: LabelDatabase) -> None:
    first = labels.record(judged(1))
    labels.undo("Ann")
    assert labels.record(judged(1)) > first


def test_the_latest_verdict_on_a_clip_counts_and_the_earlier_stays_in_the_history(labels: LabelDatabase) -> None:
    labels.record(judged(1, "good"))
    labels.record(judged(1, "bad"))
    assert [v.verdict for v in labels.verdicts()] == ["bad"]
    assert [v.verdict for v in labels.history("Ann")] == ["good", "bad"]


def test_two_curators_do_not_replace_each_other(labels: LabelDatabase) -> None:
    labels.record(judged(1, "good", "Ann"))
    labels.record(judged(1, "bad", "Bob"))
    assert labels.counts() == {
        "Ann": {"good": 1, "bad": 0, "skip": 0},
        "Bob": {"good": 0, "bad": 1, "skip": 0},
    }
    assert labels.curators() == ["Ann", "Bob"]


def test_verdicts_can_be_asked_for_by_episode_and_by_curator(labels: LabelDatabase) -> None:
    other = Verdict(Clip("other", 0, 60), "Bob", "skip")
    labels.record(judged(1))
    labels.record(other)
    assert labels.verdicts(episode_id="other") == [other]
    assert labels.verdicts(curator="Ann") == [judged(1)]
    assert labels.verdicts("episode", "Bob") == []


def test_undo_takes_back_one_verdict_after_the_other_also_after_a_restart(path: Path) -> None:
    with LabelDatabase(path) as labels:
        for number in range(3):
            labels.record(judged(number))
        labels.record(judged(9, curator="Bob"))
        assert labels.undo("Ann") == judged(2)
    with LabelDatabase(path) as labels:
        assert [labels.undo("Ann") for _ in range(3)] == [judged(1), judged(0), None]
        assert labels.verdicts() == [judged(9, curator="Bob")]


def test_undoing_a_second_judgement_brings_the_first_back(labels: LabelDatabase) -> None:
    labels.record(judged(1, "good"))
    labels.record(judged(1, "bad"))
    labels.undo("Ann")
    assert labels.verdicts() == [judged(1, "good")]


def test_running_a_rule_again_changes_nothing(labels: LabelDatabase, path: Path) -> None:
    said = [judged(n, curator="rule:x") for n in range(4)]
    assert labels.replace_rule("rule:x", said) == 4
    rows = sqlite3.connect(path).execute("SELECT * FROM verdicts").fetchall()
    assert labels.replace_rule("rule:x", said) == 4
    assert sqlite3.connect(path).execute("SELECT * FROM verdicts").fetchall() == rows


def test_a_rule_run_otherwise_replaces_what_it_said_and_leaves_others_alone(labels: LabelDatabase) -> None:
    labels.record(judged(1, "bad", "Ann"))
    labels.replace_rule("rule:x", [judged(n, "good", "rule:x", "frames=1") for n in range(4)])
    again = [judged(1, "bad", "rule:x", "frames=2"), judged(7, "good", "rule:x", "frames=2")]
    assert labels.replace_rule("rule:x", again) == 2
    assert sorted(labels.verdicts(curator="rule:x"), key=lambda v: v.clip) == again
    assert labels.verdicts(curator="Ann") == [judged(1, "bad", "Ann")]


def test_a_rule_that_says_nothing_more_leaves_nothing_behind(labels: LabelDatabase) -> None:
    labels.replace_rule("rule:x", [judged(1, "good", "rule:x")])
    labels.record(judged(1, "bad", "rule:x"))
    assert labels.replace_rule("rule:x", []) == 0
    assert labels.verdicts() == []


def test_a_rule_with_thousands_of_clips_is_replaced_whole(labels: LabelDatabase) -> None:
    labels.replace_rule("rule:x", [judged(n, "good", "rule:x") for n in range(3000)])
    assert labels.replace_rule("rule:x", [judged(n, "good", "rule:x") for n in range(2999, 6000)]) == 3001
    assert labels.counts()["rule:x"]["good"] == 3001


def test_replacing_within_some_episodes_leaves_the_others(labels: LabelDatabase) -> None:
    elsewhere = Verdict(Clip("other", 0, 60), "rule:x", "good")
    labels.replace_rule("rule:x", [judged(1, "good", "rule:x"), elsewhere])
    assert labels.replace_rule("rule:x", [], episodes=["episode"]) == 0
    assert labels.verdicts() == [elsewhere]


def test_a_rule_cannot_speak_for_somebody_else(labels: LabelDatabase) -> None:
    with pytest.raises(CoachError, match="rule:x cannot be given by Ann"):
        labels.replace_rule("rule:x", [judged(1)])


def test_merging_twice_adds_nothing_and_the_verdict_given_last_stands(labels: LabelDatabase) -> None:
    labels.record(judged(5, "good"))
    early = Verdict(clip(5), "Ann", "bad", NOON - timedelta(days=1))
    late = Verdict(clip(5), "Ann", "skip", NOON + timedelta(days=1))
    assert labels.merge([early, judged(6, curator="Bob")]) == 2
    assert labels.verdicts(curator="Ann") == [judged(5, "good")]
    assert labels.merge([late, early, judged(6, curator="Bob")]) == 1
    assert labels.verdicts(curator="Ann") == [late]
    assert labels.merge([late, early, judged(6, curator="Bob")]) == 0


def test_a_verdict_that_was_undone_does_not_come_back_by_merging(labels: LabelDatabase) -> None:
    labels.record(judged(1))
    labels.undo("Ann")
    assert labels.merge([judged(1)]) == 0
    assert labels.verdicts() == []


def test_asking_for_a_database_that_is_not_there_does_not_make_one(path: Path) -> None:
    assert LabelDatabase.open_existing(path) is None
    assert LabelDatabase.open_existing(path.parent / "no folder" / "labels.sqlite") is None
    assert list(path.parent.iterdir()) == []


def test_an_existing_database_can_be_read_but_not_written_through_open_existing(path: Path) -> None:
    with LabelDatabase(path) as labels:
        labels.record(judged(1))
    before = path.read_bytes()
    existing = LabelDatabase.open_existing(path)
    assert existing is not None
    with existing:
        assert existing.verdicts() == [judged(1)]
        with pytest.raises(CoachError, match="opened read-only"):
            existing.record(judged(2))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["labels.sqlite"]


def test_a_library_folder_that_does_not_exist_yet_is_made(tmp_path: Path) -> None:
    with LabelDatabase(tmp_path / "new" / "library" / "labels.sqlite") as labels:
        labels.record(judged(1))
    assert (tmp_path / "new" / "library" / "labels.sqlite").is_file()


def test_a_plain_text_path_with_odd_characters_is_a_sqlite_file(tmp_path: Path) -> None:
    odd = tmp_path / "50% off? a#b ü.sqlite"
    with LabelDatabase(str(odd)) as labels:
        labels.record(judged(1))
    existing = LabelDatabase.open_existing(str(odd))
    assert existing is not None
    with existing:
        assert len(existing.verdicts()) == 1


@pytest.mark.parametrize("opened", [LabelDatabase, LabelDatabase.open_existing])
@pytest.mark.parametrize("content", ["text", "strangers_database", "other_version", "cut_short"])
def test_what_is_no_label_database_of_this_version_is_refused_and_left_untouched(
    path: Path, content: str, opened: type[LabelDatabase]
) -> None:
    if content == "text":
        path.write_bytes(b"this is my shopping list\n" * 100)
        complaint = "is not a label database"
    elif content == "strangers_database":
        stranger = sqlite3.connect(path)
        stranger.execute("CREATE TABLE recipes (name TEXT)")
        stranger.commit()
        stranger.close()
        complaint = "not a label database of Replay Coach"
    else:
        with LabelDatabase(path) as labels:
            labels.record(judged(1))
        if content == "other_version":
            later = sqlite3.connect(path)
            later.execute("UPDATE replay_coach_labels SET value = '2'")
            later.commit()
            later.close()
            complaint = "has version 2, and this program reads version 1"
        else:
            path.write_bytes(path.read_bytes()[:5000])
            complaint = "is not a label database|cannot be opened"
    before = path.read_bytes()
    with pytest.raises(CoachError, match=complaint) as refusal:
        opened(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["labels.sqlite"]


def test_an_empty_file_becomes_a_database_when_it_is_written_and_is_none_when_it_is_read(path: Path) -> None:
    path.touch()
    assert LabelDatabase.open_existing(path) is None
    with LabelDatabase(path) as labels:
        labels.record(judged(1))
        assert len(labels.verdicts()) == 1


def test_a_folder_or_a_place_that_cannot_be_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(CoachError, match="is a folder, not a label database"):
        LabelDatabase(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(CoachError, match="Cannot create"):
        LabelDatabase(tmp_path / "file" / "labels.sqlite")


AS_NOBODY = """
import os, sys, tempfile
from data.label_database import LabelDatabase
from data.errors import CoachError
with tempfile.TemporaryDirectory() as folder:
    LabelDatabase(folder + "/loads everything while it may be read").close()
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
existing = LabelDatabase.open_existing(sys.argv[1])
print(len(existing.verdicts()))
for place in sys.argv[1:]:
    try:
        LabelDatabase(place)
    except CoachError as error:
        print(error)
"""


def test_a_folder_that_may_not_be_written_can_be_read_and_is_refused_for_writing() -> None:
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        folder = Path(outer) / "library"
        with LabelDatabase(folder / "labels.sqlite") as labels:
            labels.record(judged(1))
        (folder / "labels.sqlite").chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", AS_NOBODY, str(folder / "labels.sqlite"), str(folder / "other.sqlite")]
        done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
        folder.chmod(0o755)
        assert done.returncode == 0, done.stderr
        found, first, second = done.stdout.strip().splitlines()
        assert found == "1"
        assert "read-only" in first and "read-only" in second
        assert [p.name for p in folder.iterdir()] == ["labels.sqlite"]


def test_a_url_without_its_driver_or_meaning_is_one_clear_sentence_that_hides_the_password() -> None:
    for url in ("nosuchdatabase://ann:secret@host/labels", "postgresql+nosuchdriver://ann:secret@host/labels"):
        with pytest.raises(CoachError, match="label database") as refusal:
            LabelDatabase(url)
        assert "secret" not in str(refusal.value)
    with pytest.raises(CoachError, match="is not valid"):
        LabelDatabase("://")


def test_a_database_that_another_program_holds_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.label_connection.BUSY_SECONDS", 0.1)
    with LabelDatabase(path) as labels:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(CoachError, match="locked by another program"):
            labels.record(judged(1))
        holder.execute("ROLLBACK")
        labels.record(judged(1))
        assert labels.verdicts() == [judged(1)]


WRITER = """
import sys
from data.clip import Clip, Verdict
from data.label_database import LabelDatabase
path, curator, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with LabelDatabase(path) as labels:
    for number in range(first, first + count):
        labels.record(Verdict(Clip("episode", number, number + 1), curator, "good"))
        print(number, flush=True)
"""


def write_in_another_process(path: Path, curator: str, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), curator, str(first), str(count)]
    return subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_that_make_and_write_one_database_at_once_lose_nothing(path: Path) -> None:
    writers = [write_in_another_process(path, f"curator {n}", 0, 60) for n in range(3)]
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    with LabelDatabase(path) as labels:
        assert {name: found["good"] for name, found in labels.counts().items()} == {
            f"curator {n}": 60 for n in range(3)
        }
        assert len(labels.history()) == 180


def test_a_killed_process_has_lost_no_verdict_that_it_acknowledged(path: Path) -> None:
    rng = np.random.default_rng(0)
    acknowledged: list[int] = []
    for _ in range(4):
        writer = write_in_another_process(path, "Ann", acknowledged[-1] + 1 if acknowledged else 0, 10_000)
        assert writer.stdout is not None
        for _ in range(int(rng.integers(1, 40))):
            acknowledged.append(int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        writer.wait()
        with LabelDatabase(path) as labels:
            kept = [verdict.clip.start for verdict in labels.verdicts(curator="Ann")]
            # The verdict that was just being written may be there without having been acknowledged.
            assert kept[: len(acknowledged)] == acknowledged
            assert len(kept) - len(acknowledged) <= 1
            acknowledged = kept


class Labelling(RuleBasedStateMachine):
    """Whatever is done, in whatever order, the database says what a plain list of verdicts says."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "labels.sqlite"
        self.labels = LabelDatabase(self.path)
        self.given: dict[str, list[Verdict]] = {"Ann": [], "Bob": [], "rule:x": []}

    @rule(curator=st.sampled_from(["Ann", "Bob"]), number=st.integers(0, 3), verdict=st.sampled_from(VERDICTS))
    def judge(self, curator: str, number: int, verdict: str) -> None:
        new = judged(number, verdict, curator)
        self.labels.record(new)
        self.given[curator].append(new)

    @rule(curator=st.sampled_from(["Ann", "Bob"]))
    def undo(self, curator: str) -> None:
        expected = self.given[curator].pop() if self.given[curator] else None
        assert self.labels.undo(curator) == expected

    @rule(numbers=st.sets(st.integers(0, 5)), verdict=st.sampled_from(["good", "bad"]))
    def run_rule(self, numbers: set[int], verdict: str) -> None:
        self.given["rule:x"] = [judged(n, verdict, "rule:x") for n in sorted(numbers)]
        assert self.labels.replace_rule("rule:x", self.given["rule:x"]) == len(numbers)

    @rule()
    def restart(self) -> None:
        self.labels.close()
        self.labels = LabelDatabase(self.path)

    @invariant()
    def the_database_says_what_the_list_says(self) -> None:
        expected = {(v.curator, v.clip): v for given in self.given.values() for v in given}
        standing = self.labels.verdicts()
        assert {(v.curator, v.clip): v for v in standing} == expected
        assert len(standing) == len(expected)

    def teardown(self) -> None:
        self.labels.close()
        self.folder.cleanup()


TestLabelling = Labelling.TestCase
TestLabelling.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
