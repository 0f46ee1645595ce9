"""What a person meets in the windows of a command: tested by keys, the mouse and the texts that are drawn."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

from data.clip import Clip, Verdict
from data.episode import EmulatorSettings, demonstrator_index
from data.label_database import LabelDatabase
from data.library import Library
from data.simulation import Emulator
from screen.theme import GREEN
from tests.driven_windows import Person, use
from tests.recorded_episodes import record_random_play
from tests.replay_episodes import begin, play
from tests.test_commands_read_only_library import mounted_read_only


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with two episodes of Space Invaders, which nothing changes."""
    folder = tmp_path_factory.mktemp("played") / "library"
    for seed in (5, 6):
        record_random_play(Library(folder), 600, seed=seed)
    return folder


@pytest.fixture
def library(played: Path, tmp_path: Path) -> Path:
    """A copy of it, for tests that write."""
    return Path(shutil.copytree(played, tmp_path / "library"))


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the settings of Ada."""
    file = tmp_path / "config" / "replay-coach" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"seen_tour": True, "player": "Ada"}))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return file


def verdicts(library: Path) -> list[Verdict]:
    with LabelDatabase(library / "labels.sqlite") as labels:
        return labels.verdicts()


def test_escape_that_is_held_goes_back_to_home_and_no_further(monkeypatch: pytest.MonkeyPatch, played: Path) -> None:
    titles = {
        "l": "library",
        "s": "settings",
        "g": "choosing",
        "j": "curating",
        "p": "ready",
        "t": "training",
        "c": "comparing",
    }
    returned = []

    def acts(person: Person) -> Iterator[None]:
        for key, title in titles.items():
            yield from person.see("home")
            yield from person.press(key)
            yield from person.see(title)
            yield from person.hold("escape", 0.3)
            person.up("escape")
            yield from person.pause()
            if "home" not in person.title:  # the form of a new training was closed, and its list was not
                yield from person.press("escape")
            returned.append(key)

    use(monkeypatch, acts, played)
    assert returned == list(titles)


# ---- the recorder ----------------------------------------------------------------------------------------------------


def test_no_button_takes_the_place_of_another_one_when_the_game_is_paused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found: dict[str, str] = {}

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("READY")
        yield from person.press("right")
        yield from person.see("REC")
        places = {words: person.find(words).centre for words in ("Rewind", "End")}
        yield from person.press("p")
        yield from person.see("PAUSED")
        found.update({words: person.at(*place) for words, place in places.items()})
        yield from person.press("escape", "delete")

    use(monkeypatch, acts, tmp_path / "library", "play")
    assert found == {"Rewind": "Rewind", "End": "End"}


def test_u_brings_back_what_a_rewind_discarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("READY")
        person.down("right")
        yield from person.see("0:04")
        person.up("right")
        yield from person.press("p")
        person.down("backspace")
        yield from person.see("0:01")
        person.up("backspace")
        yield from person.pause()
        yield from person.press("p")
        yield from person.see("REC")
        yield from person.press("p", "u")
        yield from person.press("escape")
        yield from person.see("Save")
        yield from person.press("return")
        yield from person.see("READY")

    use(monkeypatch, acts, tmp_path / "library", "play", "--speed", "4")
    [episode] = Library(tmp_path / "library").episodes()
    assert episode.seconds >= 4


def test_an_error_of_saving_is_shown_whole_with_two_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library, words = tmp_path / "library", []

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("READY")
        yield from person.press("right")
        yield from person.see("0:01")
        with mounted_read_only(library / "replays"):
            yield from person.press("escape", "return")
            yield from person.until(lambda: any("Read-only" in text or "denied" in text for text in person.words))
            words.extend(person.words)
        yield from person.press("delete")
        yield from person.see("READY")

    use(monkeypatch, acts, library, "play", "--speed", "4")
    assert {"Try again", "Save elsewhere"} <= set(words)
    assert not [text for text in words if text.endswith("…")]


# ---- judging ---------------------------------------------------------------------------------------------------------


def test_a_clip_that_was_put_aside_has_no_note_of_the_program(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    def acts(person: Person) -> Iterator[None]:
        yield from person.see(" left")
        yield from person.press("v", "1", "n")
        yield from person.type("mine")
        yield from person.press("return", "g")

    use(monkeypatch, acts, library, "curate", "--curator", "Ada")
    assert [(verdict.verdict, verdict.note) for verdict in verdicts(library)] == [("good", "mine")]


def test_a_verdict_of_another_window_is_not_replaced_silently(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    def acts(person: Person) -> Iterator[None]:
        yield from person.see(" left")
        yield from person.press("g")
        [given] = verdicts(library)
        yield from person.press("backspace")
        with LabelDatabase(library / "labels.sqlite") as labels:
            labels.record(Verdict(given.clip, "Ada", "bad"))
        yield from person.press("g")

    use(monkeypatch, acts, library, "curate", "--curator", "Ada")
    assert [verdict.verdict for verdict in verdicts(library)] == ["bad"]


def test_verdicts_follow_their_curator_to_a_new_name(
    monkeypatch: pytest.MonkeyPatch, library: Path, settings: Path
) -> None:
    with LabelDatabase(library / "labels.sqlite") as labels:
        labels.record(Verdict(Clip("a", 0, 60), "Ada", "good"))

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("home")
        yield from person.press("s")
        yield from person.see("settings")
        yield from person.press("return", "end", "backspace", "backspace", "backspace")
        yield from person.type("Bo")
        yield from person.press("return", "return")

    use(monkeypatch, acts, library)
    assert json.loads(settings.read_text())["player"] == "Bo"
    assert [verdict.curator for verdict in verdicts(library)] == ["Bo"]


def test_a_note_is_saved_by_the_mouse(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    def acts(person: Person) -> Iterator[None]:
        yield from person.see(" left")
        yield from person.click(*person.find("Note").centre)
        yield from person.type("mine")
        yield from person.click(*person.find("Save").centre)
        yield from person.see("Note: mine")
        yield from person.press("g")

    use(monkeypatch, acts, library, "curate", "--curator", "Ada")
    assert [verdict.note for verdict in verdicts(library)] == ["mine"]


def test_the_curator_goes_back_to_home_and_quits_without_it(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    words = []

    def acts(person: Person) -> Iterator[None]:
        if "curat" not in person.title and "episodes" not in person.title:
            yield from person.see("home")
            yield from person.press("j")
        yield from person.see(" left")
        words.append({"quit", "back"} & set(person.words))

    use(monkeypatch, acts, library)
    use(monkeypatch, acts, library, "curate", "--curator", "Ada")
    assert words == [{"back"}, {"quit"}]


def test_the_home_window_counts_the_clips_that_the_curator_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Path
) -> None:
    """Some of them are chosen at random, and some are shown a second time."""
    settings.write_text(json.dumps({"seen_tour": True, "player": "Ada", "game": "Centipede"}))
    monkeypatch.setattr("secrets.token_hex", lambda _: "6")  # which clips are shown again depends on the episode's id
    library = tmp_path / "library"
    record_random_play(Library(library), 3600, game="Centipede", seed=2)
    counts = []

    def judge(person: Person) -> Iterator[None]:
        yield from person.see(" left")
        for _ in range(36):
            person.down("g")
            person.up("g")
        yield from person.until(lambda: len(verdicts(library)) >= 35)  # one of them was shown twice

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("Newest episodes")
        counts.extend(re.findall(r"(\d+) clips?", person.page)[:1])
        yield from person.press("j")
        yield from person.see(" left")
        counts.extend(re.findall(r"(\d+) left", person.title))

    command = ("curate", "--curator", "Ada", "--queue", "uniform", "--clip-seconds", "1")
    use(monkeypatch, judge, library, *command)
    use(monkeypatch, acts, library)
    assert len(counts) == 2, counts
    assert counts[0] == counts[1]


def test_clips_before_lost_lives_wait_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Path) -> None:
    settings.write_text(json.dumps({"seen_tour": True, "player": "Ada", "game": "MontezumaRevenge"}))
    record_random_play(Library(tmp_path / "library"), 900, game="MontezumaRevenge")
    page = ""

    def acts(person: Person) -> Iterator[None]:
        nonlocal page
        yield from person.see("Newest episodes")
        page = person.page
        yield from person.press("j")
        yield from person.see(" left")

    use(monkeypatch, acts, tmp_path / "library")
    assert re.search(r"\b[1-9]\d* clips?\b", page), page
    assert "No clips wait" not in page


# ---- settings --------------------------------------------------------------------------------------------------------


def offered_sizes(monkeypatch: pytest.MonkeyPatch, library: Path, screen: tuple[int, int]) -> set[tuple[int, int]]:
    found = set()

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("home")
        yield from person.press("s")
        yield from person.see("settings")
        yield from person.until(lambda: "Window" in person.words)
        row = person.find("Window").centre
        yield from person.click(*row)
        for _ in range(8):
            found.update(re.findall(r"\b(\d{3,4}) x (\d{3,4})\b", person.page))
            yield from person.press("right")

    use(monkeypatch, acts, library, screen=screen)
    return {(int(width), int(height)) for width, height in found}


def test_no_window_size_larger_than_the_screen_is_offered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Path
) -> None:
    settings.write_text(json.dumps({"seen_tour": True, "window_width": 960, "window_height": 600}))
    sizes = offered_sizes(monkeypatch, tmp_path / "library", (1366, 768))
    assert sizes
    assert all(width <= 1366 and height < 768 for width, height in sizes), sizes


def test_a_large_screen_offers_full_hd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (1920, 1080) in offered_sizes(monkeypatch, tmp_path / "library", (2560, 1440))


@pytest.mark.parametrize("screen", [(1366, 768), (800, 500)], ids=str)
def test_a_window_opens_within_the_screen_and_shows_everything(
    monkeypatch: pytest.MonkeyPatch, played: Path, screen: tuple[int, int]
) -> None:
    words: list[str] = []

    def acts(person: Person) -> Iterator[None]:
        nonlocal words
        yield from person.see("Newest episodes")
        words = person.words
        assert person.size[1] < screen[1], "the title bar is off the screen"

    person = use(monkeypatch, acts, played, screen=screen)
    assert not [text for text in words if text.endswith("…") and not text.startswith("/")], words
    assert person.size[0] / person.scale >= 960


# ---- training and comparing ------------------------------------------------------------------------------------------


def compared(library: Path, seeds: int) -> None:
    """Write the result of a comparison of two arms."""
    folder = library / "comparisons" / "which"
    (folder / "runs").mkdir(parents=True)
    scores = {"none": 38.0, "human": 295.0}
    runs = [
        {"run": f"which-{arm}-s{seed}", "arm": arm, "seed": seed, "state": "done", "score": score, "share": 1.0}
        for arm, score in scores.items()
        for seed in range(seeds)
    ]
    now = {"phase": "done", "question": "Which?", "share": 1.0, "done": len(runs), "total": len(runs), "runs": runs}
    (folder / "progress.json").write_text(json.dumps(now))


def test_a_comparison_of_one_seed_says_that_it_proves_nothing(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    pages = []

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("home")
        yield from person.press("c")
        yield from person.see("295")
        pages.append(person.page)

    compared(library, seeds=1)
    use(monkeypatch, acts, library)
    assert "one seed proves nothing" in pages[0].lower()


def test_a_finished_comparison_offers_nothing_to_resume(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    words: list[str] = []

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("home")
        yield from person.press("c")
        yield from person.see("295")
        words.extend(person.words)

    compared(library, seeds=2)
    use(monkeypatch, acts, library)
    assert "Report" in words
    assert "Resume" not in words


def test_a_run_that_has_not_played_is_not_offered_to_be_watched(monkeypatch: pytest.MonkeyPatch, library: Path) -> None:
    """A run that was stopped during its pretraining has curves, and no agent."""
    folder = library / "runs" / "first"
    (folder / "checkpoints").mkdir(parents=True)
    about = {"format": "replay-coach-run", "version": 1, "action_meanings": ["NOOP"], "from_run": None, "carry": None}
    (folder / "run.json").write_text(json.dumps(about))
    (folder / "config.json").write_text(json.dumps({"steps": 100, "game": "SpaceInvaders", "seed_from": []}))
    (folder / "trace.csv").write_text(
        "step,loss,mean_value,seeded_share,epsilon,steps_per_second\n-50,1.5,0.1,1.0,,4\n-25,1.2,0.2,1.0,,4\n"
    )
    page = ""

    def acts(person: Person) -> Iterator[None]:
        nonlocal page
        yield from person.see("home")
        yield from person.press("t")
        yield from person.see("first")
        yield from person.see("Score")
        page = person.page

    use(monkeypatch, acts, library)
    assert "watch it play" not in page
    assert "watches it play" not in page


def test_contradictions_of_a_preset_are_said_before_the_start(monkeypatch: pytest.MonkeyPatch, played: Path) -> None:
    page = ""

    def acts(person: Person) -> Iterator[None]:
        nonlocal page
        yield from person.see("home")
        yield from person.press("t")
        yield from person.see("training")
        if "new" not in person.title:
            yield from person.press("n")
        yield from person.see("Preset")
        presets = {"nature", "tutorial", "small", "atari-fast", "first-default"}
        for _ in range(12):
            yield from person.press("right")
            if presets & set(person.words):
                break
            yield from person.press("left", "down")
        for _ in range(8):
            if "nature" in person.words:
                break
            yield from person.press("right")
        yield from person.see("250,000")
        page = person.page

    use(monkeypatch, acts, played)
    assert "Evaluated only before the first step: 250,000 steps between evaluations" in page
    assert "No pretraining" in page


# ---- sentences -------------------------------------------------------------------------------------------------------


def test_enter_in_the_list_of_games_chooses_and_games_have_their_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words: list[str] = []

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("home")
        yield from person.until(lambda: any("Invaders" in text for text in person.words))
        words.extend(person.words)
        yield from person.press("g")
        yield from person.see("choosing")
        for search in ("qbert", "et"):
            yield from person.type(search)
            words.extend(person.words)
            yield from person.press("escape")

    use(monkeypatch, acts, tmp_path / "library")
    assert {"Space Invaders", "Q*bert", "E.T."} <= set(words)
    assert "play" not in words


def test_a_rebuilt_episode_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    writer, emulator = begin(Library(tmp_path / "library"))
    play(writer, emulator, 60, np.random.default_rng(0))
    writer._journal.close(keep=True)  # as a crash leaves it
    colours = []

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("unfinished episode")
        yield from person.press("r")
        yield from person.until(lambda: any(text.endswith("rebuilt.") for text in person.words))
        colours.extend(text.colour for text in person.texts if text.words.endswith("rebuilt."))

    use(monkeypatch, acts, tmp_path / "library")
    assert colours == [GREEN]


@pytest.fixture(scope="module")
def one_point(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with an unfinished episode of Breakout with one point."""
    made = Library(tmp_path_factory.mktemp("breakout") / "library")
    emulator = Emulator("Breakout", EmulatorSettings(seed=1))
    writer = made.begin_episode(emulator.origin("Ada"), "human", emulator.state())
    reward, frames, action = 0.0, 0, 0
    rng = np.random.default_rng(1)
    while not reward:
        if frames % 4 == 0:
            action = int(rng.integers(len(emulator.action_meanings)))
        after = emulator.step(action)
        writer.append(action, demonstrator_index("human"), after)
        reward, frames = after.reward, frames + 1
    writer.publish("abandoned", emulator.palette)
    return made.folder


def test_one_point_is_singular_when_an_episode_is_played_back(
    monkeypatch: pytest.MonkeyPatch, one_point: Path, settings: Path
) -> None:
    settings.write_text(json.dumps({"seen_tour": True, "game": "Breakout"}))
    page = ""

    def acts(person: Person) -> Iterator[None]:
        nonlocal page
        yield from person.see("home")
        yield from person.press("l")
        yield from person.see("human")
        yield from person.press("return")
        yield from person.see("played back")
        yield from person.press("end")
        page = person.page

    use(monkeypatch, acts, one_point)
    assert "of 1 point" in page
    assert "1 points" not in page


def test_one_point_is_singular_at_the_end_of_an_episode(
    monkeypatch: pytest.MonkeyPatch, one_point: Path, tmp_path: Path
) -> None:
    library = shutil.copytree(one_point, tmp_path / "library")
    page = ""

    def acts(person: Person) -> Iterator[None]:
        nonlocal page
        yield from person.see("PAUSED")
        yield from person.press("p")
        yield from person.see("REC")
        yield from person.press("escape")
        yield from person.see("this episode?")
        page = person.page
        yield from person.press("delete")

    use(monkeypatch, acts, library, "play", "--game", "Breakout", "--player", "Ada", "--resume")
    assert "1 point in" in page


def test_the_recorder_offers_no_resume_without_an_unfinished_episode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words: list[str] = []

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("READY")
        words.extend(person.words)

    use(monkeypatch, acts, tmp_path / "library", "play")
    assert "Games" in words
    assert "Resume" not in words


def test_the_recorder_shows_the_keys_and_lives_of_its_game(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words: list[str] = []
    picture = tmp_path / "window.png"

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("Lives")
        words.extend(person.words)
        left, top = (round(length * person.scale) for length in (person.find("Lives").right, person.find("Lives").top))
        person.screenshot(picture)
        pixels = pygame.surfarray.array3d(pygame.image.load(picture))[left : left + 36, top : top + 24]
        icon = (pixels == GREEN).all(axis=2)
        columns = icon[:, icon.any(axis=0)]
        # A heart is widest above its middle, a cannon at its bottom.
        wide = columns.sum(axis=0)
        assert wide[: len(wide) // 2].max() > wide[-3:].max(), wide

    use(monkeypatch, acts, tmp_path / "library", "play", "--game", "Breakout")
    assert {"←", "→"} <= set(words)
    assert not {"↑", "↓"} & set(words)
