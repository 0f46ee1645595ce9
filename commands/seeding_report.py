"""``coach library --seeding``: a seeding told and drawn before it is used."""

from __future__ import annotations

import argparse
import dataclasses

from commands.output import GREEN, print_json, report_console, row, styled, table
from commands.parser import labels_of
from commands.seeding_preview import game_of, preview_of_text, sentences
from data.library import Library
from data.seeding_preview import SeedingPreview


def tell_seeding(options: argparse.Namespace, library: Library) -> int:
    """What a seeding would put into the replay memory, in words and as a picture."""
    from commands.seeding_picture import draw_seeding

    found = preview_of_text(library, options.game or game_of(library), options.seeding, labels_of(options, library))
    picture = draw_seeding(found, options.picture or library.folder / "seeding.png")
    if options.json:
        print_json(
            {**dataclasses.asdict(found), "hours": found.hours, "reward_share": found.reward_share}
            | {"transitions": found.transitions, "picture": picture}
        )
        return 0
    _print_seeding(found)
    report_console().print(f"Drawn in {picture}.")
    return 0


def _print_seeding(found: SeedingPreview) -> None:
    console = report_console()
    for sentence in sentences(found):
        console.print(sentence)
    by_verdict = table("Judged", "Kept>", "Removed>")
    for verdict, kept in found.kept_by_verdict.items():
        by_verdict.add_row(*row(verdict, f"{kept:,}", f"{found.removed_by_verdict[verdict]:,}"))
    console.print(by_verdict)
    for reason, number in found.removed.items():
        console.print(f"Removed: {number:,} {reason}.")
    actions = table("Action", "Decisions>", "Share>", "")
    most = max(1, *found.actions.values())
    for action, number in found.actions.items():
        bar = "█" * round(24 * number / most)
        actions.add_row(*row(action, f"{number:,}", f"{number / max(1, found.kept):.0%}"), styled((bar, GREEN)))
    console.print(actions)
