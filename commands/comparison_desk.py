"""What the Compare window shows of a library, and what it begins there: ``coach compare`` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import webbrowser
from pathlib import Path
from typing import Any

from agent.comparison import ComparisonFolder, read_json, write_json
from agent.comparison_progress import FILE
from commands.training_controller import LibraryTrainingController, learning_early
from commands.training_queue import why
from data import jobs
from data.errors import CoachError
from data.files import is_locked
from data.label_database import LabelDatabase
from data.library import Library
from data.run_progress import is_alive
from data.runs import ComparedRun
from home.comparison_facts import ComparisonFacts, ComparisonState, ComparisonWish
from home.form import SourceOption
from home.train_form import TrainingRequest

SHORTEST_EVALUATION_STEPS = 250


class LibraryComparisonDesk:
    """``home.comparison_facts.ComparisonDesk`` over one library and game."""

    def __init__(self, library: Library, game: str) -> None:
        self._library = library
        self._game = game
        self._training = LibraryTrainingController(library, game)
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def _all(self) -> Path:
        return self._library.folder / "comparisons"

    # ---- looking -------------------------------------------------------------------------------------------------

    def comparisons(self) -> list[ComparisonFacts]:
        names = {path.name for path in self._all.glob("*/") if (path / "runs").is_dir() or path.name in self._started}
        names |= {path.name.removesuffix(".wish.json") for path in self._all.glob("*.wish.json")}
        found = [self._told(name) for name in names]
        return sorted(found, key=lambda facts: (not facts.is_at_work, -self._last_change(facts.name)))

    def _last_change(self, name: str) -> float:
        times = [0.0]
        for path in (self._all / name / "plan.json", self._wish(name), self._log(name)):
            if path.exists():
                times.append(path.stat().st_mtime)
        return max(times)

    def _told(self, name: str) -> ComparisonFacts:
        folder = ComparisonFolder(self._library, name)
        now = read_json(self._out(folder) / FILE)
        log = str(self._log(name)) if self._log(name).exists() else ""
        held = is_locked(folder.path / ".lock")
        process = self._started.get(name)
        # One that was started here and has told nothing yet; what stands in the file is of an earlier start.
        begins = process is not None and process.poll() is None and (now or {}).get("process") != process.pid
        if now is None or (begins and not held):
            return ComparisonFacts(name, *self._before_it_tells(name, process), log=log)
        report = str(now.get("report") or "")
        state = self._state(folder, now, held)
        complaint = _complaint(now)
        if state == "broke off":
            code = process.poll() if process is not None else None
            complaint = f"The comparison {name} was broken off; R goes on, and what is done is not done again."
            complaint = why(f"the comparison {name}", code, self._log(name)) if code else complaint
        return ComparisonFacts(
            name,
            state,
            str(now.get("question") or ""),
            float(now.get("share") or 0.0),
            int(now.get("done") or 0),
            int(now.get("failed") or 0),
            int(now.get("total") or 0),
            now.get("seconds_left"),
            tuple(_run(run) for run in now.get("runs", []) if isinstance(run, dict)),
            complaint=complaint,
            log=log,
            report=report if report and Path(report).is_file() else "",
        )

    def _before_it_tells(
        self, name: str, process: subprocess.Popen[bytes] | None
    ) -> tuple[ComparisonState, str, float, int, int, int, None, tuple[ComparedRun, ...], str]:
        """State and complaint of a comparison that has not told anything yet."""
        nothing: tuple[str, float, int, int, int, None, tuple[ComparedRun, ...]] = ("", 0.0, 0, 0, 0, None, ())
        code = None if process is None else process.poll()
        if process is not None and code is None:
            return ("starting", *nothing, "")
        if code:
            return ("failed", *nothing, why(f"the comparison {name}", code, self._log(name)))
        return ("broke off", *nothing, f"The comparison {name} was broken off before it began.")

    @staticmethod
    def _state(folder: ComparisonFolder, now: dict[str, Any], held: bool) -> ComparisonState:
        phase = now.get("phase")
        if phase in ("done", "stopped", "failed"):
            return "running" if held and phase != "done" else phase  # a new start has not told yet
        if not held or not is_alive(int(now.get("process") or 0)):
            return "broke off"
        return "stopping" if folder.stop_file.exists() else "running"

    def _out(self, folder: ComparisonFolder) -> Path:
        """Where it publishes how far it is: its own folder, unless it was begun with another --out."""
        command = (read_json(folder.plan_file) or {}).get("command") or []
        if "--out" in command[:-1]:
            return Path(command[command.index("--out") + 1])
        return folder.path

    def _log(self, name: str) -> Path:
        return self._all / f"{name}.log"

    def _wish(self, name: str) -> Path:
        """What was asked for, so that it can be gone on with before there is a plan."""
        return self._all / f"{name}.wish.json"

    # ---- choosing ------------------------------------------------------------------------------------------------

    def arms(self) -> list[SourceOption]:
        offers = [SourceOption("none", "Nothing", "from scratch"), SourceOption("random", "Random play", "fresh")]
        recorded = [s for s in self._training.sources() if s.spec not in ("none", "random")]
        judged = self._judged()
        for source in recorded:
            offers.append(source)
            if not judged or not source.available or source.spec not in ("human", "all"):
                continue
            for keep, words in (("not-bad", "without bad clips"), ("good", "good clips alone")):
                spec = f"{source.spec}-{keep}={source.spec},keep={keep}"
                offers.append(SourceOption(spec, source.label, words))
        return offers

    def _judged(self) -> bool:
        labels = LabelDatabase.open_existing(self._library.labels)
        if labels is None:
            return False
        with labels:
            return bool(labels.verdicts())

    def free_name(self) -> str:
        number = 1
        while (self._all / f"comparison-{number}").exists() or self._wish(f"comparison-{number}").exists():
            number += 1
        return f"comparison-{number}"

    def seconds_estimate(self, wish: ComparisonWish) -> float | None:
        """All runs one after another on the whole machine; its processors shared among them come to the same."""
        total = 0.0
        for arm in wish.arms:
            sources = () if arm == "none" else (arm,)
            one = TrainingRequest(wish.name, sources, "all", "default", wish.steps, wish.pretrain_steps, 0)
            seconds = self._training.seconds_estimate(one)
            if seconds is None:
                return None
            total += seconds * wish.seeds
        return total

    # ---- doing ---------------------------------------------------------------------------------------------------

    def start(self, wish: ComparisonWish) -> None:
        folder = ComparisonFolder(self._library, wish.name)
        if folder.path.exists() or self._wish(wish.name).exists():
            raise CoachError(f"There is a comparison {wish.name!r} already; choose another name.")
        arguments = ["--game", self._game, "--name", wish.name, "--out", str(folder.path.absolute())]
        arguments += ["--seedings", *wish.arms, "--seeds", str(wish.seeds), "--steps", str(wish.steps)]
        arguments += ["--pretrain-steps", str(wish.pretrain_steps), "--final-episodes", str(wish.final_episodes)]
        arguments += ["--evaluate-every", str(max(SHORTEST_EVALUATION_STEPS, wish.steps // 10))]
        arguments += ["--evaluation-episodes", str(min(10, wish.final_episodes))]
        self._launch(wish.name, ["compare", *arguments, *learning_early(wish.steps)])

    def _launch(self, name: str, arguments: list[str]) -> None:
        folder = str(self._library.folder.absolute())
        try:
            self._all.mkdir(parents=True, exist_ok=True)
            write_json(self._wish(name), {"arguments": arguments})
            command = jobs.python_command("coach", *arguments, "--library", folder)
            self._started[name] = jobs.start(command, self._log(name))
        except OSError as error:
            raise CoachError(f"The comparison {name!r} cannot be begun ({error.strerror or error}).") from error

    def stop(self, name: str) -> None:
        folder = ComparisonFolder(self._library, name)
        now = read_json(self._out(folder) / FILE)
        if is_locked(folder.path / ".lock") and now is not None and is_alive(int(now["process"])):
            if not folder.stop_file.exists():  # a second signal would break it off
                os.kill(int(now["process"]), signal.SIGINT)
            return
        process = self._started.get(name)
        if process is None or process.poll() is not None:
            raise CoachError(f"The comparison {name!r} is not at work.")
        process.send_signal(signal.SIGINT)

    def resume(self, name: str) -> None:
        folder = ComparisonFolder(self._library, name)
        if is_locked(folder.path / ".lock"):
            raise CoachError(f"The comparison {name!r} is at work already.")
        arguments = list((read_json(folder.plan_file) or {}).get("command") or [])[1:]
        arguments = arguments or list((read_json(self._wish(name)) or {}).get("arguments") or [])
        if not arguments:
            raise CoachError(f"What the comparison {name!r} was begun with is not known any more; begin another one.")
        self._launch(name, [str(word) for word in arguments])

    def open_report(self, name: str) -> str:
        report = self._told(name).report
        if not report:
            raise CoachError(f"The comparison {name!r} has no report yet.")
        page = Path(report)
        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            return f"The report: {page}"
        # A browser of the terminal would take the terminal over.
        if type(browser) is not webbrowser.GenericBrowser and browser.open(page.absolute().as_uri()):
            return f"Opened in the browser: {page}"
        return f"The report: {page}"


def _run(about: dict[str, Any]) -> ComparedRun:
    score = about.get("score")
    return ComparedRun(
        run=str(about.get("run", "")),
        arm=str(about.get("arm", "")),
        seed=int(about.get("seed") or 0),
        state=str(about.get("state", "")),
        phase=str(about.get("phase") or ""),
        step=int(about.get("step") or 0),
        total=int(about.get("total") or 0),
        share=float(about.get("share") or 0.0),
        score=None if score is None else float(score),
        error=None if about.get("error") is None else str(about["error"]),
    )


def _complaint(now: dict[str, Any]) -> str:
    if now.get("error"):
        return str(now["error"])
    errors = [str(run["error"]) for run in now.get("runs", []) if isinstance(run, dict) and run.get("error")]
    return errors[0] if errors else ""
