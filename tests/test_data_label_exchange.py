"""Labels to JSON Lines and back: whole, idempotent, and refused where they are not labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clip import VERDICTS, Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.label_exchange import export_labels, import_labels

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HEADER = '{"format": "replay-coach-labels", "version": 1}'
LINE = {
    "episode": "e",
    "start": 0,
    "stop": 60,
    "curator": "Ann",
    "verdict": "good",
    "given": "2026-01-01T12:00:00+00:00",
}


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[LabelDatabase]:
    with LabelDatabase(tmp_path / "here.sqlite") as database:
        yield database


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[LabelDatabase]:
    with LabelDatabase(tmp_path / "elsewhere.sqlite") as database:
        yield database


def test_what_is_exported_is_imported_as_it_was(
    labels: LabelDatabase, elsewhere: LabelDatabase, tmp_path: Path
) -> None:
    labels.record(Verdict(Clip("e", 0, 60), "Änn", "good", NOON, 'said "no"\n🙂', "uniform"))
    labels.record(Verdict(Clip("e", 60, 120), "Bob", "bad", NOON))
    assert export_labels(labels, tmp_path / "labels.jsonl") == 2
    assert import_labels(elsewhere, tmp_path / "labels.jsonl") == 2
    assert elsewhere.verdicts() == labels.verdicts()


def test_importing_again_adds_nothing(labels: LabelDatabase, tmp_path: Path) -> None:
    labels.record(Verdict(Clip("e", 0, 60), "Ann", "good"))
    export_labels(labels, tmp_path / "labels.jsonl")
    assert import_labels(labels, tmp_path / "labels.jsonl") == 0
    assert len(labels.history()) == 1


def test_only_what_stands_is_exported_and_one_curator_can_be_chosen(labels: LabelDatabase, tmp_path: Path) -> None:
    labels.record(Verdict(Clip("e", 0, 60), "Ann", "good"))
    labels.record(Verdict(Clip("e", 0, 60), "Ann", "bad"))
    labels.record(Verdict(Clip("e", 0, 60), "Bob", "skip"))
    labels.record(Verdict(Clip("e", 60, 90), "Bob", "skip"))
    labels.undo("Bob")
    assert export_labels(labels, tmp_path / "all.jsonl") == 2
    assert export_labels(labels, tmp_path / "ann.jsonl", curator="Ann") == 1
    assert json.loads((tmp_path / "ann.jsonl").read_text().splitlines()[1])["verdict"] == "bad"
    with pytest.raises(CoachError, match="no verdict of 'Eve' to export; there are verdicts of Ann, Bob"):
        export_labels(labels, tmp_path / "eve.jsonl", curator="Eve")


def test_of_two_verdicts_by_one_curator_the_one_given_last_stands_whichever_way_they_travel(
    labels: LabelDatabase, elsewhere: LabelDatabase, tmp_path: Path
) -> None:
    labels.record(Verdict(Clip("e", 0, 60), "Ann", "good", NOON))
    elsewhere.record(Verdict(Clip("e", 0, 60), "Ann", "bad", NOON + timedelta(hours=1)))
    for number, (source, target) in enumerate(((labels, elsewhere), (elsewhere, labels))):
        export_labels(source, tmp_path / f"{number}.jsonl")
        import_labels(target, tmp_path / f"{number}.jsonl")
    assert labels.verdicts() == elsewhere.verdicts()
    assert [verdict.verdict for verdict in labels.verdicts()] == ["bad"]


@settings(deadline=None)  # each example writes two databases to a disk that others use, too
@given(
    st.lists(
        st.builds(
            Verdict,
            st.builds(lambda start, length: Clip("e", start, start + length), st.integers(0, 9), st.integers(1, 9)),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200).filter(
                str.strip
            ),
            st.sampled_from(VERDICTS),
            st.datetimes(timezones=st.just(UTC)),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        ),
        max_size=8,
    )
)
def test_any_labels_make_the_journey(
    tmp_path_factory: pytest.TempPathFactory,
    verdicts: list[Verdict],
) -> None:
    folder = tmp_path_factory.mktemp("journey")
    with LabelDatabase(folder / "a.sqlite") as here, LabelDatabase(folder / "b.sqlite") as there:
        for verdict in verdicts:
            here.record(verdict)
        export_labels(here, folder / "labels.jsonl")
        import_labels(there, folder / "labels.jsonl")
        assert {(v.curator, v.clip): v for v in there.verdicts()} == {(v.curator, v.clip): v for v in here.verdicts()}


def without(name: str) -> str:
    return json.dumps({key: value for key, value in LINE.items() if key != name})


def changed(name: str, value: object) -> str:
    return json.dumps({**LINE, name: value})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("hello", "line 1, is not a file of labels"),
        ('{"format": "something else"}', "does not say 'replay-coach-labels'"),
        ('{"format": "replay-coach-labels", "version": 2}', "version 2, and this program reads 1"),
        (f"{HEADER}\n[1, 2]", "line 2, is not a verdict"),
        (f"{HEADER}\n{json.dumps(LINE)}\n{{", "line 3, is not a file of labels"),
        (f"{HEADER}\n{without('verdict')}", "line 2, is not a verdict: 'verdict' is missing"),
        (f"{HEADER}\n{changed('verdict', 'great')}", "one of good, bad, skip"),
        (f"{HEADER}\n{changed('start', '0')}", "its start is '0'"),
        (f"{HEADER}\n{changed('start', True)}", "its start is True"),
        (f"{HEADER}\n{changed('stop', 0)}", "at least one frame"),
        (f"{HEADER}\n{changed('stop', 2**80)}", "too long"),
        (f"{HEADER}\n{changed('episode', '../../etc/passwd')}", "its episode is"),
        (f"{HEADER}\n{changed('given', 'yesterday')}", "isoformat"),
        (f"{HEADER}\n{changed('given', '2026-01-01T12:00:00')}", "no time zone"),
        (f"{HEADER}\n{changed('note', 5)}", "its note is 5"),
        (f"{HEADER}\n{changed('note', 'a' + chr(0))}", "zero byte"),
        (f"{HEADER}\n{changed('note', 'X').replace('X', chr(92) + 'ud800')}", "surrogates"),
        (f"{HEADER}\n{changed('note', 'a' * 200_000)}", "too long"),
        (f"{HEADER}\n" + "[" * 90_000, "line 2, is not a file of labels"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_line_and_nothing_is_added(
    labels: LabelDatabase, tmp_path: Path, content: str, complaint: str
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(content)
    with pytest.raises(CoachError, match=complaint) as refusal:
        import_labels(labels, path)
    assert str(path) in str(refusal.value)
    assert labels.verdicts() == []


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(labels: LabelDatabase, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(CoachError, match="is not a file of labels"):
        import_labels(labels, tmp_path / "noise")
    with pytest.raises(CoachError, match="Cannot read the verdicts"):
        import_labels(labels, tmp_path / "nothing")
    with pytest.raises(CoachError, match="Cannot write the verdicts"):
        export_labels(labels, tmp_path / "no folder" / "labels.jsonl")
