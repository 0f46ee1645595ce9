"""The report of a comparison as HTML and as Markdown: content, escaping, pictures, charts."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from comparison_results import BASE, plan_of, results_of

from agent.arms import parse_arm
from agent.comparison_summary import summarise
from agent.statistics import Estimate
from commands import report
from commands.comparison_report import Facts, _evaluations, charts, write_report
from commands.report import Film, Table, format_estimate


@pytest.mark.parametrize("title", ["shown", "curated-by-three-curators-of-the-class", "replays/" + 12 * "2026-11-25-"])
def test_every_name_fits_into_the_charts(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arms = tuple(parse_arm(f"{title}-{n}=random:{n}", BASE) for n in range(1, 6))
    plan = dataclasses.replace(plan_of(3), arms=arms)
    results = results_of(plan, {arm.slug: [1.0, 2.0, 5.0] for arm in arms})
    drawn: list[Any] = []
    monkeypatch.setattr(report, "_png_of", lambda figure: drawn.append(figure) or b"")
    charts(summarise(plan, results, []))
    assert len(drawn) == 6
    for figure in drawn:
        figure.draw_without_rendering()
        texts = [*figure.axes[0].get_yticklabels()]
        texts += [] if (legend := figure.axes[0].get_legend()) is None else [legend]
        for text in texts:
            box = text.get_window_extent()
            assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the report of a comparison with films, a failure, and names that need escaping."""
    plan = dataclasses.replace(plan_of(4), command=("coach", "compare", "--seedings", "none", "shown=planner"))
    results = results_of(plan, {"none": [1.0, 2.0, 5.0, 9.0], "shown": [3.0, 4.0, 6.0, 8.0]})
    failures = [{"run": "which-none-s9", "error": "It *broke*."}]
    films = {"shown": Film("films/shown.gif", b"GIF89a", "shown at play", "shown: 10 points.")}
    out = tmp_path_factory.mktemp("report")
    write_report(Facts(plan, summarise(plan, results, failures), results, failures, films, {"system": "Linux"}), out)
    return out


@pytest.mark.parametrize(
    "text",
    [
        "4 trainings per arm",
        "No significant difference",
        "3 were bad; these were left out",
        "Each arm was trained with the random seeds 0, 1, 2 and 3",
        "Mann-Whitney",
        "--seed-from",
        "shown: 10 points.",
        "which-none-s9",
        "## Times and machine",
    ],
)
def test_both_forms_of_the_report_have_the_same_content(folder: Path, text: str) -> None:
    html, markdown = ((folder / f"report.{form}").read_text() for form in ("html", "md"))
    assert text.removeprefix("## ") in html
    assert text in markdown


def test_inserted_text_is_escaped_for_each_form(folder: Path) -> None:
    html, markdown = ((folder / f"report.{form}").read_text() for form in ("html", "md"))
    assert "<h1>Which | is &lt;best&gt;?</h1>" in html
    assert "&lt;deeper&gt;" in html
    assert markdown.startswith("# Which | is \\<best>?\n\nSpaceInvaders: 2 arms, each trained 4 times")
    assert "- episodes by planner\n  - \\<deeper>\n" in markdown
    assert "| which-none-s9 | It \\*broke\\*. |" in markdown
    assert "```sh\ncoach compare --seedings none shown=planner\n```" in markdown


def test_the_html_form_needs_no_other_file_and_the_markdown_form_has_its_pictures_beside_it(folder: Path) -> None:
    html, markdown = ((folder / f"report.{form}").read_text() for form in ("html", "md"))
    assert re.findall(r'(?:src|href|srcset)="(?!data:)', html) == []
    assert html.count("data:image/png;base64,") == 6
    assert html.count("data:image/gif;base64,") == 1
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", markdown)
    assert pictures == ["curves.png", "scores.png", "seeded.png", "films/shown.gif"]
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in pictures[:3])


def test_cells_cannot_break_a_table_in_markdown() -> None:
    table = Table(("Name", "Number>"), (("a|b\nc", "1"),))
    template = '{% import "elements.md" as page %}{{ page.table(table) }}'
    text = report._environment("md").from_string(template).render(table=table)
    assert text.strip() == "| Name | Number |\n|---|---:|\n| a\\|b c | 1 |"


def test_an_estimate_that_rounds_to_0_has_no_sign() -> None:
    assert format_estimate(Estimate(-0.001, -0.002, 0.004), 2) == "0.00 (0.00 to 0.00)"


def test_the_method_names_the_evaluations_of_arms_that_differ() -> None:
    plan = plan_of(1)
    none, shown = plan.arms
    assert _evaluations(plan) == ""  # no arm of this plan is evaluated during training
    often = dataclasses.replace(
        shown, config=dataclasses.replace(shown.config, evaluate_every=10, evaluation_episodes=1)
    )
    never = dataclasses.replace(none, config=dataclasses.replace(none.config, evaluate_every=0))
    differing = dataclasses.replace(plan, arms=(never, often))
    assert _evaluations(differing) == f"never ({none.title}) and every 10 own steps on 1 episode ({shown.title})"
    alike = dataclasses.replace(plan, arms=(often, dataclasses.replace(often, title="other")))
    assert _evaluations(alike) == "every 10 own steps on 1 episode"
