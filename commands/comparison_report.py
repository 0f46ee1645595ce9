"""The report of a comparison: question, conclusions, scores, curves, films, settings, seedings, how to repeat it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.arms import differing_settings
from agent.comparison import Plan
from agent.comparison_summary import ArmSummary, Summary, conclusions
from agent.statistics import Estimate
from commands.comparison_charts import charts
from commands.report_blocks import (
    Block,
    Chain,
    Code,
    Film,
    Films,
    Heading,
    Note,
    Table,
    Words,
    to_html,
    to_markdown,
    write_pictures,
)
from commands.report_parts import write_text
from data.durations import clock

MOST_EPISODES = 40
TIMES = "Times and machine"
"""The one section that differs between two computations of the same comparison."""


@dataclass(frozen=True)
class Facts:
    """Everything that the report tells."""

    plan: Plan
    summary: Summary
    results: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    films: dict[str, Film]
    """By slug of the arm."""
    versions: dict[str, str]


def write_report(facts: Facts, out: Path) -> None:
    """Write ``report.html``, ``report.md`` and the charts' files into ``out``."""
    blocks = report_blocks(facts)
    title = facts.plan.question
    write_pictures(out, blocks)
    write_text(out / "report.md", to_markdown(title, blocks))
    write_text(out / "report.html", to_html(title, blocks))


def report_blocks(facts: Facts) -> list[Block]:
    return [
        Words(_lead(facts.plan)),
        Note(tuple(conclusions(facts.summary))),
        *_scores(facts),
        *_films(facts),
        *_arms(facts),
        *_seedings(facts),
        *_method(facts),
        *_again(facts),
    ]


def _lead(plan: Plan) -> str:
    steps = sorted({arm.config.steps for arm in plan.arms})
    amount = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    times = {1: "once", 2: "twice, with two random seeds"}
    seeds = times.get(len(plan.seeds), f"{len(plan.seeds)} times, with other random seeds")
    episodes = "episode" if plan.evaluation_episodes == 1 else f"{plan.evaluation_episodes} episodes"
    return (
        f"{plan.game}: {len(plan.arms)} ways to begin, each trained {seeds}, for {amount} steps of its own and "
        f"otherwise alike; then judged on the same {episodes}."
    )


def shown(estimate: Estimate | None, digits: int = 0) -> str:
    """ "281 (250 to 300)"; without an interval "281"."""
    if estimate is None:
        return "–"
    value = f"{estimate.value:z,.{digits}f}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({estimate.low:z,.{digits}f} to {estimate.high:z,.{digits}f})"


def _scores(facts: Facts) -> list[Block]:
    summary, game = facts.summary, facts.plan.game
    interval = ", 95% interval" if summary.has_intervals else ""
    normalised = summary.human is not None
    columns = ["Arm", f"Final score{interval}>", "Each training"]
    columns += ["Human-normalised>"] if normalised else []
    columns += [f"Mean while training{interval}>", "Trainings>"]
    rows = []
    for arm in summary.arms:
        each = ", ".join(f"{score:,.0f}" for score in arm.scores) or "–"
        cells = [arm.title, shown(arm.iqm), each]
        cells += [shown(arm.normalised, 2)] if normalised else []
        cells += [shown(arm.area), f"{len(arm.runs)}" + (f" ({arm.failed} failed)" if arm.failed else "")]
        rows.append(tuple(cells))
    known = (
        f" In {game}, chance scores {summary.chance:,.0f} and a person {summary.human:,.0f} (human-normalised: 0, 1)."
        if summary.human is not None and summary.chance is not None
        else ""
    )
    made: list[Block] = [
        Heading("Scores"),
        Table(tuple(columns), tuple(rows)),
        Words(
            "Final score: interquartile mean, over the trainings, of each one's mean final evaluation, in points "
            f"(with fewer than 4 trainings it is the plain mean).{known} "
            "Mean while training: area under the learning curve.",
            quiet=True,
        ),
        *charts(summary),
        *_reached(summary),
        *_pairs(summary),
    ]
    return made


def _reached(summary: Summary) -> list[Block]:
    arms = [arm for arm in summary.arms if arm.runs and arm.reach]
    if not arms:
        return []
    columns = ("Arm", *(f"{reach.name}>" for reach in arms[0].reach))
    rows = tuple(
        (arm.title, *(_when(reach.median, reach.count, len(reach.steps)) for reach in arm.reach)) for arm in arms
    )
    return [
        Heading("Steps to reach a score"),
        Table(columns, rows),
        Words(
            "Own steps at the first evaluation while training with that mean score: the median of the trainings, and "
            "how many of them reached it.",
            quiet=True,
        ),
    ]


def _when(median: float | None, count: int, total: int) -> str:
    if count == 0:
        return "never"
    return f"{'–' if median is None else f'{median:,.0f}'} ({count} of {total})"


def _pairs(summary: Summary) -> list[Block]:
    if not summary.pairs:
        return []
    rows = tuple(
        (
            f"{pair.first} over {pair.second}",
            shown(pair.improvement, 2),
            "–" if pair.p is None else f"{pair.p:.3f}",
            "yes" if pair.is_separated else "no",
            "–" if pair.seeds_needed is None else f"{pair.seeds_needed}",
        )
        for pair in summary.pairs
    )
    return [
        Heading("Which is better, and how sure is that?"),
        Table(("Arms", "Probability of improvement>", "Rank test, p>", "Told apart", "Trainings needed>"), rows),
        Words(
            "Probability of improvement: how likely a training of the first arm scores more than one of the second. "
            "Told apart: its 95% interval lies above 0.5, and p, of the Mann-Whitney test, below 0.05"
            + (f" (of {len(rows)} pairs, 1 in 20 would be by chance alone)" if len(rows) > 1 else "")
            + ". Trainings needed: of each arm, for a t-test to show the difference seen in 4 of 5 comparisons, if "
            "that difference and this spread are the true ones, which a few trainings cannot tell well.",
            quiet=True,
        ),
    ]


def _films(facts: Facts) -> list[Block]:
    films = tuple(facts.films[arm.slug] for arm in facts.plan.arms if arm.slug in facts.films)
    if not films:
        return []
    words = "The beginning of an episode by the training in the middle of each arm, with a random action now and then."
    return [Heading("How they play"), Words(words, quiet=True), Films(films)]


def _arms(facts: Facts) -> list[Block]:
    plan, summary = facts.plan, facts.summary
    titles = tuple(arm.title for arm in plan.arms)
    differing = differing_settings(plan.arms)
    made: list[Block] = [
        Heading("The arms"),
        Words("Settings in which the arms differ; all others are alike."),
        Table(("Setting", *titles), tuple((name, *values) for name, values in differing.items())),
    ]
    budget = tuple(
        (name, *(_range(values(arm)) for arm in summary.arms))
        for name, values in (
            ("own steps", lambda arm: arm.steps),
            ("updates", lambda arm: arm.updates),
            ("of these, pretraining", lambda arm: arm.pretrain_updates),
        )
    )
    made += [
        Heading("What each training was given", 3),
        Table(("Budget", *(f"{title}>" for title in titles)), budget),
    ]
    if plan.most_seconds is not None:
        made.append(
            Words(f"Each training ended after {plan.most_seconds:g} seconds, pretraining included, if not before.")
        )
    return made


def _range(values: tuple[int, ...]) -> str:
    if not values:
        return "–"
    return f"{values[0]:,}" if min(values) == max(values) else f"{min(values):,} to {max(values):,}"


def _seedings(facts: Facts) -> list[Block]:
    made: list[Block] = [Heading("What was in each seeding")]
    for arm in facts.plan.arms:
        seeding = facts.plan.seedings.get(arm.slug, {})
        made.append(Heading(arm.title, 3))
        made.append(Words(_seeding_words(seeding, arm.verdicts)))
        chain = facts.plan.provenance.get(arm.slug, [])
        if chain:
            made.append(Chain(tuple((line["depth"], line["text"]) for line in chain)))
        made += _episodes(seeding, facts, arm.slug)
    return made


def _seeding_words(seeding: dict[str, Any], verdicts: str) -> str:
    if not seeding.get("decisions"):
        return "Nothing: the replay memory began empty."
    words = f"{seeding['decisions']:,} decisions"
    if seeding["random"]:
        words += f", of them {seeding['random']:,} of fresh random play"
    if seeding["found"]:
        removed = (
            "; ".join(f"{number:,} {reason}" for reason, number in seeding["removed"].items()) or "none were removed"
        )
        judged = "" if verdicts == "library" else f" Verdicts: {verdicts}."
        words += f". Of {seeding['found']:,} recorded decisions {removed}.{judged}"
    else:
        words += "."
    if seeding["mixed"]:
        words += f" In {seeding['mixed']:,} of those kept, more than one action was held."
    return words


def _episodes(seeding: dict[str, Any], facts: Facts, slug: str) -> list[Block]:
    episodes = seeding.get("episodes", [])
    if not episodes:
        return []
    drawn: dict[str, list[int]] = {}
    for result in facts.results:
        if result["arm"] == slug:
            for source in result["sources"]:
                drawn.setdefault(source["name"], []).append(source["drawn"])
    rows = tuple(
        (
            episode["episode"],
            episode["demonstrator"] + (f" ({episode['player']})" if episode["player"] else ""),
            f"{episode['score']:g}",
            clock(episode["seconds"]),
            f"{episode['kept']:,} of {episode['decisions']:,}",
            f"{np.mean(drawn[episode['episode']]):,.0f}" if episode["episode"] in drawn else "–",
        )
        for episode in episodes[:MOST_EPISODES]
    )
    more = f" (the first {MOST_EPISODES})" if len(episodes) > MOST_EPISODES else ""
    columns = ("Episode", "Demonstrator", "Score>", "Length>", "Decisions kept>", "Drawn>")
    title = (
        f"{len(episodes)} episode{'s' if len(episodes) != 1 else ''}{more}; drawn: how often a training learned from it"
    )
    return [Table(columns, rows, folded=title)]


def _method(facts: Facts) -> list[Block]:
    plan = facts.plan
    config = plan.arms[0].config
    curve = (
        f"While training, every {config.evaluate_every:,} own steps, each agent played "
        f"{config.evaluation_episodes} episode{'s' if config.evaluation_episodes > 1 else ''} with seeds that are the "
        "same for all and are used for nothing else. "
        if config.evaluate_every
        else ""
    )
    words = (
        f"{curve}After training it played {_further(plan.evaluation_episodes)} with fixed seeds, under the "
        "nature protocol (Mnih et al. 2015: up to 30 no-ops at the start, epsilon 0.05, at most 5 minutes). Intervals "
        "and bands are 95% stratified bootstrap intervals over the trainings (Agarwal et al. 2021), by percentiles of "
        "10,000 resamples; they say nothing of other games or other settings."
    )
    people = {e["demonstrator"] for s in plan.seedings.values() for e in s.get("episodes", [])}
    who = (
        "No person's play was used here."
        if "human" not in people
        else "People's play was used here; who played is told above."
    )
    made: list[Block] = [Heading("How it was measured"), Words(words), Words(who)]
    if facts.failures:
        rows = tuple((failure["run"], failure["error"]) for failure in facts.failures)
        made += [Heading("Trainings that failed"), Table(("Run", "Why"), rows)]
    return made


def _further(episodes: int) -> str:
    return "1 further episode" if episodes == 1 else f"{episodes} further episodes"


def _again(facts: Facts) -> list[Block]:
    plan = facts.plan
    versions = ", ".join(f"{name} {number}" for name, number in facts.versions.items() if name != "system")
    return [
        Heading("Do it again"),
        Code(shlex.join(plan.command)),
        Words(f"The runs are {plan.tasks()[0].run} and so on in the library. {versions}.", quiet=True),
        Heading(TIMES),
        Table(
            ("Arm", "A training took>", "Its final evaluation>"),
            tuple(
                (arm.title, _times(arm.seconds), _times(_evaluation_seconds(facts, arm))) for arm in facts.summary.arms
            ),
        ),
        Words(f"{facts.versions['system']}; {_threads(plan)}. Trainings ran beside one another.", quiet=True),
    ]


def _threads(plan: Plan) -> str:
    threads = plan.arms[0].config.threads
    many = {0: "all processor threads", 1: "1 computing thread"}.get(threads, f"{threads} computing threads")
    return f"{many} for each training"


def _evaluation_seconds(facts: Facts, arm: ArmSummary) -> tuple[float, ...]:
    return tuple(result["evaluation"]["seconds"] for result in facts.results if result["arm"] == arm.slug)


def _times(seconds: tuple[float, ...]) -> str:
    if not seconds:
        return "–"
    low, high = clock(min(seconds)), clock(max(seconds))
    return low if low == high else f"{low} to {high}"
