"""Agreement among curators and with themselves."""

from __future__ import annotations

from dataclasses import replace

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.agreement import agreement, krippendorff_alpha
from data.clip import Clip, Verdict


def says(curator: str, number: int, verdict: str, shift: int = 0) -> Verdict:
    return Verdict(Clip("e", number * 100 + shift, number * 100 + 60 + shift), curator, verdict)


def test_alpha_of_a_published_example() -> None:
    """Krippendorff (2011), section A: two observers, ten units, binary data."""
    first = ["0", "1", "0", "0", "0", "0", "0", "0", "1", "0"]
    second = ["1", "1", "1", "0", "0", "1", "0", "0", "0", "0"]
    assert krippendorff_alpha(zip_units(first, second)) == pytest.approx(0.095, abs=0.001)


def test_alpha_of_a_published_example_with_missing_values() -> None:
    """Krippendorff (2011), section C: four observers, twelve units, five values, some missing."""
    rows = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
    units = [[value for value in unit if value != "."] for unit in zip(*(row.split() for row in rows), strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=0.001)


def zip_units(*observers: list[str]) -> list[list[str]]:
    return [list(unit) for unit in zip(*observers, strict=True)]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["good", "bad"]), max_size=5), max_size=8))
def test_alpha_is_at_most_one_and_one_exactly_when_all_agree(units: list[list[str]]) -> None:
    alpha = krippendorff_alpha(units)
    paired = [unit for unit in units if len(unit) > 1]
    values = {value for unit in paired for value in unit}
    if len(values) < 2:
        assert alpha is None
    else:
        assert alpha is not None and alpha <= 1.0
        assert (alpha == pytest.approx(1.0)) == all(len(set(unit)) == 1 for unit in paired)


def test_only_peoples_good_and_bad_count() -> None:
    found = agreement([says("Ann", 1, "good"), says("rule:x", 1, "bad"), says("Bob", 1, "skip"), says("Bob", 2, "bad")])
    assert (found.curators, found.shared_clips, found.alpha, found.disputed) == (("Ann", "Bob"), 0, None, ())


def test_clips_that_differ_by_a_few_frames_are_the_same_clip() -> None:
    assert agreement([says("Ann", 1, "good"), says("Bob", 1, "good", shift=5)]).shared_clips == 1
    assert agreement([says("Ann", 1, "good"), says("Bob", 1, "good", shift=30)]).shared_clips == 0


def test_the_latest_word_counts_against_others() -> None:
    found = agreement([says("Ann", 1, "good"), says("Bob", 1, "bad"), says("Ann", 1, "bad"), says("Bob", 2, "good")])
    assert (found.disputed, found.shared_clips) == ((), 1)


def test_only_a_clip_that_was_shown_twice_tells_of_self_agreement() -> None:
    def again(number: int, verdict: str) -> Verdict:
        return replace(says("Ann", number, verdict), queue="repeat:uniform")

    corrected = [says("Ann", 1, "good"), says("Ann", 1, "bad")]
    assert agreement(corrected).self_agreement == {}
    assert agreement([*corrected, again(1, "bad")]).self_agreement == {"Ann": (1, 1)}
    assert agreement([*corrected, again(1, "good")]).self_agreement == {"Ann": (0, 1)}
    assert agreement([*corrected, again(1, "good"), again(1, "bad")]).self_agreement == {"Ann": (1, 1)}
    assert agreement([says("Ann", 1, "skip"), again(1, "good")]).self_agreement == {}


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["good", "bad", None]), min_size=3, max_size=3), min_size=1, max_size=30))
def test_alpha_is_that_of_a_package_for_it(units: list[list[str | None]]) -> None:
    codes = {"good": 0.0, "bad": 1.0, None: np.nan}
    ours = krippendorff_alpha([[said for said in unit if said] for unit in units])
    if ours is not None:
        data = np.array([[codes[said] for said in unit] for unit in units]).T  # [curators, clips]
        assert ours == pytest.approx(krippendorff.alpha(data, level_of_measurement="nominal"))


def test_the_most_disputed_clip_comes_first() -> None:
    found = agreement(
        [
            *(says(name, 1, "good") for name in ("Ann", "Bob", "Eve")),
            says("Max", 1, "bad"),
            *(says(name, 2, "good") for name in ("Ann", "Bob")),
            *(says(name, 2, "bad") for name in ("Eve", "Max")),
            *(says(name, 3, "good") for name in ("Ann", "Bob")),
        ]
    )
    assert [one.clip.start for one in found.disputed] == [200, 100]
    assert found.disputed[0].bad == ("Eve", "Max")
    assert found.shared_clips == 3
