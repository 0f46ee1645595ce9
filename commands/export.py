"""``coach export``: write episodes, clips or verdicts in other formats."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commands.info import find_replay
from commands.output import print_json, progress_console, progress_counter, report_console
from commands.parser import Commands, add_labels, labels_of
from data.clip import VERDICTS, Verdict
from data.counted import counted
from data.errors import CoachError
from data.fitting_verdicts import FittedVerdicts, fit_verdicts, frame_counts_of
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from data.export import Span

EXPORTS = ("gif", "mp4", "npz", "portable")


def add(commands: Commands) -> None:
    export = commands.add("export", "write episodes, clips or verdicts in another format", run_export)
    export.add_argument(
        "paths", nargs="*", metavar="PATH", help="replay files, episode ids or folders (default: the whole library)"
    )
    export.add_argument("--to", required=True, choices=(*EXPORTS, "minari", "labels"), help="the format")
    export.add_argument("--out", type=Path, default=Path(), metavar="PATH", help="a folder, or the file to write")
    export.add_argument("--frames", metavar="A:B", help="only frames A to B - 1 of each episode")
    export.add_argument("--verdict", choices=VERDICTS, help="only the clips with this verdict")
    export.add_argument("--curator", metavar="NAME", help="only verdicts of this curator")
    export.add_argument(
        "--overlay", action="store_true", help="gif, mp4: show action, reward and score below the picture"
    )
    export.add_argument("--dataset", metavar="ID", help="minari: the data set's id (default: replay-coach/GAME-v0)")
    add_labels(export)


def run_export(options: argparse.Namespace) -> int:
    library = Library(options.library)
    if options.to == "labels":
        return _export_labels(options, library)
    spans = _chosen_spans(options, library)
    if not spans:
        raise CoachError("There is nothing to export: no episode or clip was selected.")
    with progress_counter(f"Exporting to {options.to}") as on_progress:
        written = _write(options, spans, on_progress)
    if options.json:
        print_json({"written": written})
    else:
        for path in written:
            report_console().print(str(path))
    return 0


def _write(options: argparse.Namespace, spans: list[Span], on_progress: Callable[[int, int], None]) -> list[Path]:
    from data.export import FILE_KINDS, export, export_all

    if options.to == "minari":
        from data.minari_export import default_dataset_id, export_minari

        return [export_minari(spans, options.dataset or default_dataset_id(spans), on_progress)]
    if len(spans) == 1:
        span = spans[0]
        return [export(span.path, options.to, options.out, span.start, span.stop, options.overlay, on_progress)]
    if options.out.is_file() or options.out.suffix == FILE_KINDS[options.to]:
        raise CoachError(f"{len(spans)} files are to be written, but --out {options.out} is a single file.")
    return export_all(spans, options.to, options.out, options.overlay, on_progress)


def _chosen_spans(options: argparse.Namespace, library: Library) -> list[Span]:
    """Return whole episodes, a part of each, or the clips with a verdict."""
    from data.export import Span

    paths = _replay_files(options.paths, library)
    if options.verdict or options.curator:
        labels = LabelDatabase.open_existing(labels_of(options, library))
        if labels is None:
            raise CoachError(f"The library {library.folder} has no verdicts yet; give some with `coach curate`.")
        with labels:
            verdicts = labels.verdicts(curator=options.curator)
        verdicts = [v for v in verdicts if v.verdict == (options.verdict or v.verdict)]
        return _judged_spans(verdicts, paths, library)
    start, stop = _frames(options.frames)
    return [Span(path, start, stop) for path in paths]


def _judged_spans(verdicts: list[Verdict], paths: list[Path], library: Library) -> list[Span]:
    """Return the judged clips of these replay files; report verdicts that fit no episode."""
    from data.export import spans_of
    from data.replay_file import ReplayFile

    known = {Path(episode.path).resolve(): episode for episode in library.episodes()}
    fitted = fit_verdicts(verdicts, frame_counts_of(known.values()))
    for sentence in fitted.sentences():
        progress_console().print(sentence, soft_wrap=True, markup=False)
    chosen: dict[str, Path] = {}
    frame_counts: dict[str, int] = {}
    for path in paths:
        episode = known.get(path.resolve())
        if episode is None:
            with ReplayFile(path) as replay:
                episode = replay.summary()
        chosen.setdefault(episode.episode_id, path)
        frame_counts.setdefault(episode.episode_id, episode.frame_count)
    clips = {verdict.clip for verdict in fit_verdicts(verdicts, frame_counts).fitting}
    return spans_of(sorted(clips), chosen)


def _frames(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 0, None
    first, colon, last = text.partition(":")
    if not colon or not (first or "0").isdecimal() or (last and not last.isdecimal()):
        raise CoachError(f"--frames must be two frame numbers separated by a colon, such as 600:780, not {text!r}.")
    return int(first or 0), int(last) if last else None


def _replay_files(names: list[str], library: Library) -> list[Path]:
    from data.quarantine import replay_paths, vetted

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
    frame_counts = frame_counts_of(library.episodes())
    with labels:
        count = export_labels(labels, target, options.curator, frame_counts)
        fitted = fit_verdicts(labels.verdicts(curator=options.curator), frame_counts)
    beyond_end = fitted.beyond_end
    if options.json:
        print_json({"written": [target], "verdicts": count, "verdicts_left_out": {"beyond_end": beyond_end}})
        return 0
    report_console().print(f"{counted(count, 'verdict')}: {target}")
    for sentence in FittedVerdicts([], {}, beyond_end).sentences():
        report_console().print(sentence, soft_wrap=True, markup=False)
    return 0
