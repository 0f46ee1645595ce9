"""Commands that bring episodes back, out and in: ``coach recover``, ``coach export`` and ``coach import``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commands import classroom
from commands.output import print_json, progress_bar, progress_console, report_console
from commands.parser import Commands, add_labels, at_least, labels_of
from data.clip import VERDICTS
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from data.export import Span

EXPORTS = ("gif", "mp4", "npz", "portable")


def add(commands: Commands) -> None:
    recover = commands.add("recover", "rebuild episodes that a crash left unfinished", run_recover)
    recover.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="journals, or folders of them (default: the library's own)"
    )

    export = commands.add("export", "take episodes, clips or verdicts elsewhere", run_export)
    export.add_argument(
        "paths", nargs="*", metavar="PATH", help="replay files, episode ids or folders (default: the whole library)"
    )
    export.add_argument("--to", required=True, choices=(*EXPORTS, "minari", "labels"), help="what to make of them")
    export.add_argument("--out", type=Path, default=Path(), metavar="PATH", help="a folder, or the file to write")
    export.add_argument("--frames", metavar="A:B", help="only frames A to B - 1 of each episode")
    export.add_argument("--verdict", choices=VERDICTS, help="only the clips with this verdict")
    export.add_argument("--curator", metavar="NAME", help="only verdicts of this curator")
    export.add_argument("--overlay", action="store_true", help="films: action, reward and score under the picture")
    export.add_argument("--dataset", metavar="ID", help="minari: the data set's id (default: replay-coach/GAME-v0)")
    add_labels(export)

    bring = commands.add("import", "bring episodes or verdicts from elsewhere into the library", run_import)
    bring.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="shares (made by `coach library --share`), or folders of them; or one file of another kind; for minari, "
        "the id of a local data set",
    )
    bring.add_argument(
        "--from",
        dest="origin",
        choices=("share", "npz", "minari", "labels"),
        help="what it is (default: share, for zips and folders)",
    )
    bring.add_argument("--jobs", type=int, default=1, metavar="N", help="shares: episodes to verify at a time")
    bring.add_argument("--game", help="the game, where the file does not say it")
    bring.add_argument("--player", default="", metavar="NAME", help="whose play this is")
    bring.add_argument("--keep-anyway", action="store_true", help="keep it even if its rewards are not reproduced")
    add_labels(bring)


def run_recover(options: argparse.Namespace) -> int:
    recovered = recover_with_progress(Library(options.library), options.paths or None)
    if options.json:
        print_json({"recovered": recovered})
        return 0
    for path in recovered:
        report_console().print(f"Rebuilt: {path}")
    if not recovered:
        report_console().print("Nothing was left unfinished.")
    return 0


def recover_with_progress(library: Library, paths: list[Path] | None) -> list[Path]:
    """Rebuild what is unfinished, with a bar."""
    from data.recovery import recover

    with progress_bar("Rebuilding", "frames") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        return recover(library, paths, on_progress=on_progress)


def recover_before_play(library: Library) -> None:
    """Rebuild what an earlier crash left unfinished; what cannot be rebuilt is said and does not stop the play."""
    if not library.replays.is_dir():
        return
    try:
        for path in recover_with_progress(library, None):
            progress_console().print(f"An episode that was cut short has been rebuilt: {path}", soft_wrap=True)
    except CoachError as error:
        progress_console().print(f"coach: {error}", soft_wrap=True)


def run_export(options: argparse.Namespace) -> int:
    library = Library(options.library)
    if options.to == "labels":
        return _export_labels(options, library)
    spans = _chosen_spans(options, library)
    if not spans:
        raise CoachError("There is nothing to export: no episode or clip was chosen.")
    with progress_bar(f"Exporting to {options.to}", "") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        written = _write(options, spans, on_progress)
    if options.json:
        print_json({"written": written})
    else:
        for path in written:
            report_console().print(str(path))
    return 0


def _write(options: argparse.Namespace, spans: list[Span], on_progress: Callable[[int, int], None]) -> list[Path]:
    from data.export import export, export_all

    if options.to == "minari":
        from data.minari_exchange import default_dataset_id, export_minari

        return [export_minari(spans, options.dataset or default_dataset_id(spans), on_progress)]
    if len(spans) == 1:
        span = spans[0]
        return [export(span.path, options.to, options.out, span.start, span.stop, options.overlay, on_progress)]
    if options.out.is_file():
        raise CoachError(f"{len(spans)} files are to be written, but --out {options.out} is a single file.")
    return export_all(spans, options.to, options.out, options.overlay, on_progress)


def _chosen_spans(options: argparse.Namespace, library: Library) -> list[Span]:
    """Whole episodes, a part of each, or the clips with a verdict."""
    from data.export import Span, spans_of

    paths = _replay_files(options.paths, library)
    if options.verdict or options.curator:
        labels = LabelDatabase.open_existing(labels_of(options, library))
        if labels is None:
            raise CoachError(f"The library {library.folder} has no verdicts yet; give some with `coach curate`.")
        with labels:
            standing = labels.verdicts(curator=options.curator)
        wanted = {path.stem for path in paths}
        clips = [
            v.clip for v in standing if v.verdict == (options.verdict or v.verdict) and v.clip.episode_id in wanted
        ]
        return spans_of(sorted(set(clips)), library.replays)
    start, stop = _frames(options.frames)
    return [Span(path, start, stop) for path in paths]


def _frames(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 0, None
    first, colon, last = text.partition(":")
    if not colon or not (first or "0").isdecimal() or (last and not last.isdecimal()):
        raise CoachError(f"--frames must be two frame numbers with a colon between, such as 600:780, not {text!r}.")
    return int(first or 0), int(last) if last else None


def _replay_files(names: list[str], library: Library) -> list[Path]:
    from commands.looking import find_replay
    from data.quarantine import vetted
    from data.verification import replay_paths

    if not names:
        return [Path(episode.path) for episode in library.episodes()]
    paths = replay_paths([find_replay(library, name) for name in names])
    return [vetted(path, library.replays) for path in paths]


def _export_labels(options: argparse.Namespace, library: Library) -> int:
    from data.label_exchange import export_labels

    target = options.out / "labels.jsonl" if options.out.is_dir() else options.out
    labels = LabelDatabase.open_existing(labels_of(options, library))
    if labels is None:
        raise CoachError(f"The library {library.folder} has no verdicts yet; give some with `coach curate`.")
    with labels:
        count = export_labels(labels, target, options.curator)
    if options.json:
        print_json({"written": [target], "verdicts": count})
    else:
        report_console().print(f"{count} verdicts: {target}")
    return 0


def run_import(options: argparse.Namespace) -> int:
    at_least(options.jobs, 1, "--jobs")
    if origin_of(options) == "share":
        return classroom.run_import_shares(options)
    if len(options.paths) > 1:
        raise CoachError(f"Only shares are imported many at a time; import what is {options.origin} one by one.")
    options.path = options.paths[0]
    library = Library(options.library)
    if options.origin == "labels":
        from data.label_exchange import import_labels

        library.prepare()
        with LabelDatabase(labels_of(options, library)) as labels:
            new = import_labels(labels, options.path)
        if options.json:
            print_json({"new_verdicts": new})
        else:
            report_console().print(f"{new} new verdicts.")
        return 0
    with progress_bar(f"Importing {options.path}", "") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        paths = _import_episodes(options, library, on_progress)
    if options.json:
        print_json({"imported": paths})
    else:
        for path in paths:
            report_console().print(str(path))
    return 0


def origin_of(options: argparse.Namespace) -> str:
    """What is to be imported; raises CoachError where that was not said and cannot be told."""
    if options.origin:
        return str(options.origin)
    for path in options.paths:
        if Path(path).suffix.lower() != ".zip" and not Path(path).is_dir():
            raise CoachError(f"Say what {path} is: --from npz, minari, labels or share.")
    return "share"


def _import_episodes(
    options: argparse.Namespace, library: Library, on_progress: Callable[[int, int], None]
) -> list[Path]:
    if options.origin == "minari":
        from data.minari_exchange import import_minari

        return import_minari(library, options.path, options.game, options.player, options.keep_anyway, on_progress)
    from data.actions_file import rebuild

    if options.game is None:
        raise CoachError("Say which game these actions are of: --game NAME.")
    path = Path(options.path)
    return [rebuild(library, options.game, path, options.player, "imported", options.keep_anyway, on_progress)]
