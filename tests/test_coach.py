"""The command line: what outsiders rely on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import coach
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library with two short episodes of random play."""
    library = Library(tmp_path_factory.mktemp("recorded"))
    arguments = ["record", "--by", "random", "--episodes", "2", "--seed", "3", "--max-frames", "600", "--json"]
    assert coach.main(["--library", str(library.folder), *arguments]) == 0
    return library


def first_file(library: Library) -> Path:
    return sorted(library.replays.glob("*.h5"))[0]


def test_record_explores_sticks_and_plans_as_it_is_told(tmp_path: Path) -> None:
    words = "--by planner --rollouts 1 --horizon 2 --epsilon 0.5 --sticky 0.25 --max-frames 200 --seed 2 --game Pong"
    assert coach.main(["--library", str(tmp_path), "record", *words.split(), "--json"]) == 0
    (path,) = (tmp_path / "replays").glob("*.h5")
    assert coach.main(["verify", str(path), "--json"]) == 0
    with ReplayFile(path) as replay:
        kinds = [replay.demonstrator_kinds[kind] for kind in replay.demonstrator]
        assert 0.2 < kinds.count("random") / len(kinds) < 0.8
        assert set(kinds) == {"planner", "random"}
        assert replay.origin.settings.repeat_action_probability == 0.25
        assert replay.decisions().mixed.mean() > 0.1


def test_only_an_existing_abandoned_episode_can_be_resumed(
    recorded: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coach.main(["--library", str(recorded.folder), "play", "--resume", first_file(recorded).stem]) == 2
    assert "only abandoned episodes" in capsys.readouterr().err
    assert coach.main(["--library", str(tmp_path), "play", "--resume"]) == 2
    assert "no abandoned episode" in capsys.readouterr().err
    assert coach.main(["--library", str(tmp_path), "play", "--resume", "../secret"]) == 2


BAD_INPUT = {
    "an unknown command": "dance",
    "an unknown option": "library --dance",
    "an unknown game": "record --by random --game SpaceInvader",
    "an unknown demonstrator": "record --by nobody",
    "no demonstrator": "record",
    "no episodes": "record --by random --episodes 0",
    "a negative number of episodes": "record --by random --episodes -3",
    "a number that is none": "record --by random --episodes many",
    "a sticky probability above one": "record --by random --sticky 1.5",
    "a frame skip of nothing": "record --by random --frame-skip 0",
    "a negative seed": "record --by random --seed -1",
    "an agent that does not exist": "record --by agent:nobody",
    "actions that do not exist": "record --by actions:{folder}/missing.npz",
    "actions that are no actions": "record --by actions:{folder}/text.h5",
    "a file that does not exist": "info {folder}/missing.h5",
    "a file that is not a replay file": "info {folder}/text.h5",
    "a folder that is not a replay file": "info {folder}",
    "verifying what does not exist": "verify {folder}/missing.h5",
    "verifying what is not a replay file": "verify {folder}/text.h5",
    "a seeding to preview that means nothing": "library --seeding human,keep=best",
    "a seeding to preview that selects nothing": "library --seeding human",
    "a picture of no seeding": "library --picture {folder}/x.png",
    "an unknown rule": "label --rule nonsense",
    "a rule with a wrong parameter": "label --rule before-reward:frames=-4",
    "an empty library to judge": "label --rule before-reward",
    "an unknown queue": "curate --queue nonsense",
    "a clip that is too long": "curate --clip-seconds 50",
    "a curator who signs as a rule": "curate --curator rule:me",
    "negative steps": "train --run x --steps -1",
    "a run's name that leaves the library": "train --run ../x --steps 1",
    "a seeding that selects nothing": "train --run x --seed-from human --steps 1",
    "a seeding that means nothing": "train --run x --seed-from dreams --steps 1",
    "an unknown way to keep": "train --run x --keep everything --steps 1",
    "resuming a run that does not exist": "train --run nobody --resume",
    "going on from a run that does not exist": "train --run x --from nobody --steps 1",
    "a training without a name": "train --steps 5",
    "evaluating a run that does not exist": "evaluate nobody",
    "evaluating on no episodes": "evaluate nobody --episodes 0",
    "an unknown protocol": "evaluate nobody --protocol mine",
    "watching a run that does not exist": "watch nobody --gif {folder}/x.gif",
    "a film where no file can be": "watch nobody --gif {folder}/nowhere/x.gif",
    "a comparison of nothing": "compare",
    "a comparison of one arm": "compare --seedings none",
    "an arm that means nothing": "compare --seedings none dreams",
    "an arm with an unknown setting": "compare --seedings none x=random:50,dreams=1",
    "two arms that are alike": "compare --seedings none none",
    "an arm whose seeding selects nothing": "compare --seedings none human",
    "a comparison without seeds": "compare --seedings none random:50 --seeds 0",
    "an unknown engine": "compare --seedings none random:50 --backend cloud",
    "an unknown study": "compare --study dreams",
    "a study beside arms": "compare --study keep --seedings none human",
    "a comparison where no report can be": "compare --seedings none random:50 --out {folder}/text.h5/out",
    "a transfer from a run that does not exist": "transfer --from nobody --game Pong",
    "a transfer to no game": "transfer --from nobody",
    "recovering what does not exist": "recover {folder}/missing.journal",
    "a library inside a file": "record --by random --max-frames 60 --library {folder}/text.h5/library",
    "a speed of nothing": "play --speed 0",
}


@pytest.mark.parametrize("mistake", BAD_INPUT)
def test_a_mistake_is_one_sentence_and_exit_code_two(
    mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.h5").write_text("this is not a replay file")
    code = coach.main(BAD_INPUT[mistake].format(folder=tmp_path).split())
    told = capsys.readouterr()
    assert code == 2
    assert told.out == ""
    assert told.err.startswith("coach: ")
    assert told.err.count("\n") == 1, told.err
    assert told.err.rstrip().endswith((".", ".)")), told.err


@pytest.mark.parametrize("mistake", ["an unknown game", "a file that is not a replay file", "negative steps"])
def test_a_mistake_reaches_the_shell_without_a_traceback(mistake: str, tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("this is not a replay file")
    arguments = BAD_INPUT[mistake].format(folder=tmp_path).split()
    command = [sys.executable, str(ROOT / "coach.py"), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_truncated_file_is_told_from_a_stranger(
    recorded: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = first_file(recorded).read_bytes()
    cut = tmp_path / "cut.h5"
    cut.write_bytes(whole[: len(whole) // 2])
    assert coach.main(["info", str(cut)]) == 2
    told = capsys.readouterr().err
    assert "cut.h5" in told
    assert told.count("\n") == 1


def test_a_label_database_of_another_version_is_refused_and_left_as_it_is(
    recorded: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    database = tmp_path / "labels.sqlite"
    LabelDatabase(database).close()
    with sqlite3.connect(database) as connection:
        connection.execute("update replay_coach_labels set value = '99' where name = 'schema_version'")
    connection.close()
    before = database.read_bytes()
    options = ["--library", str(recorded.folder), "label", "--rule", "before-reward", "--labels", str(database)]
    assert coach.main(options) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert database.read_bytes() == before


def test_the_library_may_be_named_on_either_side_of_the_command(
    recorded: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    assert coach.main(["--library", str(recorded.folder), "library", "--json"]) == 0
    before = json.loads(capsys.readouterr().out)
    assert coach.main(["library", "--json", "--library", str(recorded.folder)]) == 0
    assert json.loads(capsys.readouterr().out) == before
    assert len(before["episodes"]) == 2


def test_the_library_names_a_broken_file_once_and_says_why(
    recorded: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Library(tmp_path)
    broken.prepare()
    path = broken.replays / "half.h5"
    path.write_bytes(first_file(recorded).read_bytes()[:3000])
    assert coach.main(["--library", str(tmp_path), "library"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "half.h5 is truncated: the end of the file is missing." in told
    assert told.count("half.h5") == 1


def test_recording_twice_with_one_seed_gives_the_same_actions(recorded: Library, tmp_path: Path) -> None:
    arguments = ["record", "--by", "random", "--episodes", "2", "--seed", "3", "--max-frames", "600", "--json"]
    assert coach.main(["--library", str(tmp_path), *arguments]) == 0
    assert actions_by_seed(Library(tmp_path)) == actions_by_seed(recorded)
    assert set(actions_by_seed(recorded)) == {3, 4}


def actions_by_seed(library: Library) -> dict[int, list[int]]:
    found = {}
    for path in library.replays.glob("*.h5"):
        with ReplayFile(path) as replay:
            found[replay.origin.settings.seed] = replay.actions.tolist()
    return found


def test_what_is_recorded_verifies(recorded: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert coach.main(["verify", str(recorded.replays), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert [file["frames_checked"] for file in told["files"]] == [601, 601]


def test_a_changed_copy_is_named_with_its_frame_and_exit_code_one(
    recorded: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import h5py

    copy = tmp_path / "copy.h5"
    copy.write_bytes(first_file(recorded).read_bytes())
    with h5py.File(copy, "r+") as file:
        file["ram"][123, 7] ^= 1
    assert coach.main(["verify", str(copy), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["files"][0]
    assert (told["ok"], told["kind"], told["frame"]) == (False, "ram", 123)
    assert "123" in told["sentence"]


def test_info_tells_what_is_in_a_file(recorded: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert coach.main(["--library", str(recorded.folder), "info", first_file(recorded).stem, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["game"], told["frames"], told["decisions"]) == ("SpaceInvaders", 600, 150)
    assert sum(told["actions"].values()) == 600
    assert told["demonstrators"] == {"random": 600}


@pytest.mark.parametrize("command", ["info", "library", "label --rule before-reward", "recover"])
def test_json_is_one_object_and_nothing_else(
    recorded: Library, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert coach.main(["--library", str(recorded.folder), *command.split(), "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_a_rule_that_runs_again_makes_no_duplicates(recorded: Library, capsys: pytest.CaptureFixture[str]) -> None:
    counts = []
    for _ in range(2):
        assert coach.main(["--library", str(recorded.folder), "label", "--rule", "before-reward", "--json"]) == 0
        with LabelDatabase(recorded.labels) as labels:
            counts.append(labels.counts())
    assert counts[0] == counts[1]
    capsys.readouterr()


def test_every_command_has_help_and_every_option_says_what_it_does() -> None:
    parser = coach.build_parser()
    commands = next(action for action in parser._actions if action.dest == "command")
    assert commands.choices
    for name, command in commands.choices.items():
        assert command.description, name
        for option in command._actions:
            assert option.help, f"{name} {option.option_strings}"
