"""``coach`` without a command: the home window, or the tour where there is no display."""

from __future__ import annotations

import argparse
import os

from commands.output import clock, print_json, progress_console, report_console
from commands.parser import Commands, add_game
from data.library import Library

DEFAULT_GAME = "SpaceInvaders"


def add(commands: Commands) -> None:
    tour = commands.add("tour", "the whole loop with no window: record, judge, train and report", run_tour)
    add_game(tour)
    tour.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="processes")


def run_tour(options: argparse.Namespace) -> int:
    from commands.tour import take_tour

    result = take_tour(Library(options.library), options.game, options.jobs)
    if options.json:
        print_json(result)
        return 0
    console = report_console()
    console.print(f"The page with both agents: {result.report}")
    console.print(f"The seeded agent on film:  {result.gif}")
    console.print(f"All of it took {clock(result.seconds)}.")
    return 0


def open_home(options: argparse.Namespace) -> int:
    """The home window; where there is no display, say so and take the tour."""
    from commands.chosen_settings import chosen_settings
    from commands.home_doors import Home
    from home.home_window import TITLE
    from screen.window import NoDisplayError, Window

    settings = chosen_settings()
    try:
        window = Window(TITLE)
    except NoDisplayError:
        progress_console().print(
            "There is no display here, so no window can be opened. Instead, the whole loop runs without one: a planner "
            "plays, rules judge, two agents train (some ten minutes).",
            soft_wrap=True,
        )
        return run_tour(argparse.Namespace(library=options.library, game=DEFAULT_GAME, jobs=2, json=False))
    with window:
        Home(window, Library(options.library), settings).run()
    return 0
