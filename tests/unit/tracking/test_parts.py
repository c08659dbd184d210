"""The parts of the board's page: rendered again when something in them moved, and only then."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markupsafe import Markup

import services.tracking
from services.tracking.api.parts import MADE_OF
from services.tracking.deps.fragments import MOST, Fragments

TEMPLATES = Path(services.tracking.__file__).parent / "templates"


@pytest.mark.parametrize("part", MADE_OF)
def test_a_part_is_given_all_that_it_says_and_nothing_else(part: str) -> None:
    said = (TEMPLATES / f"board_{part}.html").read_text()
    found = {a or b for a, b in re.findall(r"""\bboard(?:\.(\w+)|\[["'](\w+)["']\])""", said)}
    # The measures stand in lines of their own (`figures`).
    given = {*MADE_OF[part]} - ({*MADE_OF["effect"][:-4]} if part == "effect" else set())
    assert found == given


def test_what_is_made_of_the_same_is_rendered_once() -> None:
    rendered: list[str] = []

    def render() -> Markup:
        rendered.append("")
        return Markup(f"<p>{len(rendered)}</p>")

    fragments = Fragments()
    first = fragments.once("now", ("10:00", b"1"), render)
    assert fragments.once("now", ("10:00", b"1"), render) == first
    assert fragments.once("effect", ("10:00", b"1"), render) != first
    assert fragments.once("now", ("10:00", b"2"), render)[0] == "<p>3</p>"
    assert fragments.once("now", ("10:01", b"2"), render)[0] == "<p>4</p>"
    # Only the last one is kept.
    assert fragments.once("now", ("10:00", b"1"), render)[0] == "<p>5</p>"


def test_the_fragments_that_nobody_asked_for_longest_make_room() -> None:
    fragments = Fragments()
    for n in range(MOST + 1):
        fragments.once(n, (None, b""), lambda: Markup("old"))
        fragments.once(1, (None, b""), lambda: Markup("one"))
    assert fragments.once(1, (None, b""), lambda: Markup("new"))[0] == "one"
    assert fragments.once(0, (None, b""), lambda: Markup("new"))[0] == "new"
