"""What the Compare window shows of a library and starts there: ``coach compare`` in the job queue."""

from __future__ import annotations

import webbrowser
from dataclasses import replace
from pathlib import Path

from commands.training_controller import LibraryTrainingController, learning_early
from data.comparisons import ComparisonFolder, ComparisonSummary, comparison_summary, read_json
from data.errors import CoachError
from data.fitting_verdicts import fit_verdicts, frame_counts_of
from data.job_queue import Job, JobQueue
from data.label_database import LabelDatabase
from data.library import Library
from data.run_curves import EvaluationPoint, read_curves
from data.runs import run_folder
from home.comparison_form import ComparisonRequest
from home.form import SourceOption
from home.train_form import TrainingRequest

SHORTEST_EVALUATION_STEPS = 250


class LibraryComparisonController:
    """``home.comparison_window.ComparisonController`` for one library and game."""

    def __init__(self, library: Library, game: str) -> None:
        self._library = library
        self._game = game
        self._training = LibraryTrainingController(library, game)
        self._queue = JobQueue(library)
        self._read: dict[str, tuple[int, tuple[EvaluationPoint, ...]]] = {}
        """Of each run: when its evaluations changed last, and those."""

    # ---- what there is -------------------------------------------------------------------------------------------

    def comparisons(self) -> list[ComparisonSummary]:
        names = {path.parent.name for path in self._library.folder.glob("comparisons/*/runs/")}
        names |= {path.name.removesuffix(".wish.json") for path in self._library.folder.glob("comparisons/*.wish.json")}
        found = {name: comparison_summary(ComparisonFolder(self._library, name)) for name in names}
        current = self._queue.current()
        if current is not None and current.kind == "comparison":
            folder = ComparisonFolder(self._library, current.name)
            if (folder.reported() or {}).get("process") != current.process:
                found[current.name] = ComparisonSummary(current.name, "starting", log=str(self._queue.log(current)))
        for position, job in enumerate(self._queue.waiting(), start=1):
            if job.kind == "comparison":
                summary = found.get(job.name, ComparisonSummary(job.name, "waiting"))
                found[job.name] = replace(summary, state="waiting", queue_position=position, error="")
        for failure in self._queue.failures():
            if failure.job.kind == "comparison":
                name = failure.job.name
                summary = found.get(name, ComparisonSummary(name, "interrupted"))
                if summary.state == "interrupted":
                    found[name] = replace(summary, state="failed", error=failure.error, log=failure.log)
        return sorted(found.values(), key=self._order)

    def evaluations(self, name: str) -> dict[str, tuple[EvaluationPoint, ...]]:
        """Return the evaluations of each of a comparison's runs; files that did not change are not read again."""
        found = {}
        for run in comparison_summary(ComparisonFolder(self._library, name)).runs:
            folder = run_folder(self._library, run.run)
            try:
                changed = folder.evaluations.stat().st_mtime_ns
            except OSError:
                continue
            if self._read.get(run.run, (0, ()))[0] != changed:
                self._read[run.run] = changed, read_curves(folder).evaluations
            found[run.run] = self._read[run.run][1]
        return found

    def _order(self, summary: ComparisonSummary) -> tuple[int, float]:
        if summary.state == "waiting":
            return 1, summary.queue_position
        if summary.is_active:
            return 0, 0.0
        folder = ComparisonFolder(self._library, summary.name)
        return 2, -max((path.stat().st_mtime for path in (folder.plan_file, folder.log) if path.exists()), default=0.0)

    def arms(self) -> list[SourceOption]:
        offers = [SourceOption("none", "Nothing", "from scratch"), SourceOption("random", "Random play", "fresh")]
        recorded = [s for s in self._training.sources() if s.spec not in ("none", "random")]
        judged = self._judged()
        for source in recorded:
            offers.append(source)
            if not judged or not source.available or source.spec not in ("human", "all"):
                continue
            for keep, words in (("not-bad", "without bad clips"), ("good", "good clips only")):
                spec = f"{source.spec}-{keep}={source.spec},keep={keep}"
                offers.append(SourceOption(spec, source.label, words))
        return offers

    def _judged(self) -> bool:
        """Return whether there are any verdicts."""
        labels = LabelDatabase.open_existing(self._library.labels)
        if labels is None:
            return False
        with labels:
            return bool(fit_verdicts(labels.verdicts(), frame_counts_of(self._library.episodes())).fitting)

    def free_name(self) -> str:
        taken = {summary.name for summary in self.comparisons()}
        number = 1
        while f"comparison-{number}" in taken:
            number += 1
        return f"comparison-{number}"

    def seconds_estimate(self, request: ComparisonRequest) -> float | None:
        """Return the time of all runs one after another, which take as long side by side on the same processors."""
        total = 0.0
        for arm in request.arms:
            sources = () if arm == "none" else (arm,)
            one = TrainingRequest(request.name, sources, "all", "default", request.steps, request.pretrain_steps, 0)
            seconds = self._training.seconds_estimate(one)
            if seconds is None:
                return None
            total += seconds * request.seeds
        return total

    # ---- changes -------------------------------------------------------------------------------------------------

    def start(self, request: ComparisonRequest) -> bool:
        waits = self._queue.is_busy()
        folder = ComparisonFolder(self._library, request.name)
        if folder.path.exists() or request.name in {summary.name for summary in self.comparisons()}:
            raise CoachError(f"There is a comparison {request.name!r} already; choose another name.")
        arguments = ["--game", self._game, "--name", request.name, "--out", str(folder.path.absolute())]
        arguments += ["--seedings", *request.arms, "--seeds", str(request.seeds), "--steps", str(request.steps)]
        arguments += ["--pretrain-steps", str(request.pretrain_steps), "--final-episodes", str(request.final_episodes)]
        arguments += ["--evaluate-every", str(max(SHORTEST_EVALUATION_STEPS, request.steps // 10))]
        arguments += ["--evaluation-episodes", str(min(10, request.final_episodes))]
        self._queue.add(Job("comparison", request.name, ("compare", *arguments, *learning_early(request.steps))))
        return waits

    def stop(self, name: str) -> None:
        if not self._queue.stop("comparison", name):
            raise CoachError(f"The comparison {name!r} is not running.")

    def resume(self, name: str) -> None:
        failure = self._queue.failure("comparison", name)
        arguments = ComparisonFolder(self._library, name).command() or list(failure.job.arguments if failure else ())
        arguments = arguments or self._requested(name)
        if not arguments:
            raise CoachError(f"The command of the comparison {name!r} is no longer known; start another one.")
        self._queue.add(Job("comparison", name, tuple(arguments)))

    def _requested(self, name: str) -> list[str]:
        """Return the arguments of a comparison that an earlier version noted and that has no plan yet."""
        noted = read_json(self._library.folder / "comparisons" / f"{name}.wish.json") or {}
        return [str(word) for word in noted.get("arguments") or []]

    def open_report(self, name: str) -> str:
        report = comparison_summary(ComparisonFolder(self._library, name)).report
        if not report:
            raise CoachError(f"The comparison {name!r} has no report yet.")
        page = Path(report)
        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            return f"The report: {page}"
        # A browser that runs in the terminal would take it over.
        if type(browser) is not webbrowser.GenericBrowser and browser.open(page.absolute().as_uri()):
            return f"Opened in the browser: {page}"
        return f"The report: {page}"
