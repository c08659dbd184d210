"""No expression takes more than linear time: whoever writes 50,000 characters of one sign waits
for nobody, and nobody for them.

Eight times as much text may take eight times as long, on whatever machine; where everything that
follows is read anew at each character, it is 64 times.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import services
import shared
from services.desk.domain.hints import hints
from services.desk.domain.search import findable_private
from services.desk.domain.similar import features
from services.desk.domain.suggesting import frames_of, sentences
from services.intake.domain.alike import alike
from services.intake.domain.language import language_of
from services.routing.domain.match import RuleSet
from services.routing.domain.rules import parse_rules
from services.routing.domain.taken_back import taken_back
from services.routing.domain.text import fold
from services.routing.seeds import SHIPPED
from services.sla.domain.hours import read_hours
from services.sla.domain.notice_text import days_in
from shared.contracts.refusal import Unacceptable
from shared.nfkc import nfkc
from shared.privacy import mask
from tests.contracts.hostile import texts, usual

SHORT, TIMES = 150, 8
MOST = 24
"""Times as long, for `TIMES` as much; between `TIMES` and its square."""

BOUNDED = {
    "services.desk.domain.matters._THINGS": "matter_of reads 400 characters",
    "services.desk.domain.matters._FAULTS": "matter_of reads 400 characters",
    "services.sla.domain.past_dates._FORMS": "read_date refuses more than 100 characters",
    "shared.privacy.names._BEFORE": "mask_name looks at 24 characters",
    "shared.privacy.names._MID_SENTENCE": "mask_name looks at 24 characters",
    "shared.privacy.names._SIGNED_AFTER": "mask_name looks at 24 characters",
    "shared.privacy.names._SIGNED_BEFORE": "mask_name looks at 24 characters",
}
"""Expressions that see a bounded piece only, and who bounds it."""

MADE = {
    "services.desk.domain.matters._beginning": "words of a table, see BOUNDED",
    "services.desk.domain.suggesting._frame": "see test_frames_of_canned_replies",
    "services.intake.domain.wishes.says_nothing_yet": "one face",
    "services.routing.domain.units._says": "one phrase, as it is",
    "shared.privacy._unreachable": "an address as it is; digits with at most two signs between",
    "shared.privacy._written": "read against digits of a telephone",
    "shared.privacy.names.mask_name": "a name as it is",
    "shared.settings.Settings": "settings of whoever runs it",
    "shared.web.edge.Edge": "paths of routes, as they are in the code",
}
"""Functions that make an expression of something else, and of what."""


NORMALISED = {
    "services.routing.domain.spelt": "the first 2,000 characters",
    "shared.contracts.inbound": "an address or a number of at most 254 characters",
    "shared.embedded.model_server": "the first 4,000 characters",
}
"""Modules that normalise a bounded piece themselves."""


RULES = RuleSet(parse_rules(SHIPPED.read_text("utf-8")))
READERS: dict[str, Callable[[str], object]] = {
    "alike": lambda text: alike(text, [Listed(text, text)]),
    "days_in": lambda text: days_in(f"2027年\n一、元旦：{text}"),
    "features": features,
    "findable": findable_private,
    "fired": lambda text: RULES.fired(text=fold(text), place="", channel="web", chosen=None),
    "hints": lambda text: hints(text, english=1, own=("lib.example",)),
    "language_of": lambda text: language_of(text, "zh"),
    "mask": lambda text: mask(text, "张三", "Will", own=("lib.example",)),
    "read_hours": read_hours,
    "sentences": sentences,
    "taken_back": lambda text: taken_back(fold(text)),
}
"""What reads all of a text as somebody wrote it."""


class Listed(NamedTuple):
    """An incident that somebody may mean."""

    title: str
    text: str


class Expression(NamedTuple):
    """One, where it stands, and how it is used: `search` stands for all that look at each place."""

    where: str
    pattern: re.Pattern[Any]
    uses: frozenset[str]


USES: dict[str, Callable[[re.Pattern[Any]], Callable[[Any], Any]]] = {
    "search": lambda pattern: lambda text: sum(1 for _ in pattern.finditer(text)),
    "match": lambda pattern: pattern.match,
    "fullmatch": lambda pattern: pattern.fullmatch,
}
_EVERY = frozenset(USES)


def test_no_expression_takes_more_than_linear_time() -> None:
    slow = [
        f"{one.where}, {use}: {text[:20]!r}… takes {times:.0f} times as long"
        for one in _expressions()
        if one.where not in BOUNDED
        for use in sorted(one.uses)
        for text, times in _slowest(one.pattern, use)
    ]
    assert not slow, "\n".join(slow)


@pytest.mark.parametrize(
    "quadratic", [r"\S*@", r"\s+x", r"a+b", r"\[[^\]]*\]", r"(?:^|\n)\s*x", r"x\s*y?\s*z"]
)
def test_what_is_quadratic_is_found(quadratic: str) -> None:
    assert list(_slowest(re.compile(quadratic), "search"))


def test_what_is_bounded_is_there() -> None:
    assert BOUNDED.keys() <= {one.where for one in _expressions()}


def test_expressions_that_are_made_are_known() -> None:
    assert {where for where, call in _calls() if _written(call) is None} == MADE.keys()


@pytest.mark.parametrize("reader", READERS)
def test_a_text_is_read_in_linear_time(reader: str) -> None:
    def read(text: str) -> None:
        with suppress(ValueError, Unacceptable):
            READERS[reader](text)

    slow = {
        short[:20]: times
        for short, long in usual(2 * SHORT, 2 * SHORT * TIMES)
        if (times := _times(read, long, short)) > MOST
    }
    assert not slow


def test_only_what_is_cut_is_normalised_elsewhere() -> None:
    """`shared.nfkc` takes linear time, Unicode's own normalisation of many marks does not."""
    itself = re.compile(r"unicodedata\.normalize\(")
    found = {one for one in _modules() if itself.search(_source(one))}
    assert found == {"shared.nfkc", *NORMALISED}


def test_marks_are_normalised_in_linear_time() -> None:
    once, often = ("\u0301" * n + "\u0323" * n for n in (SHORT, SHORT * TIMES))
    assert _times(nfkc, often, once) <= MOST
    assert nfkc("e\u0301\u0323\uff21\uff9e") == "\u1eb9\u0301A\u3099"


def test_frames_of_canned_replies() -> None:
    (frame,) = frames_of(["{称呼}，{标题}，{类别}，{部门}，{经办人}，{今天}，您反映的已经处理。"])
    assert not list(_slowest(frame, "fullmatch"))


def _slowest(pattern: re.Pattern[Any], use: str) -> Iterator[tuple[str, float]]:
    """The first text for which it takes more than linear time, and how many times as long."""
    run = USES[use](pattern)
    for both in texts(pattern, SHORT, SHORT * TIMES):
        short, long = (
            (one.encode() if isinstance(pattern.pattern, bytes) else one) for one in both
        )
        if (times := _times(run, long, short)) > MOST:
            yield both[0], times
            return


def _times(run: Callable[[Any], Any], long: Any, short: Any) -> float:
    """How many times as long it takes for the long one."""
    times = 0.0
    # Most are fast the first time; what is not may have been interrupted.
    for again in (1, 3, 10):
        times = _seconds(run, long, again) / _seconds(run, short, again)
        if times <= MOST:
            break
    return times


def _seconds(run: Callable[[Any], Any], text: Any, again: int) -> float:
    def once() -> float:
        begun = time.process_time_ns()
        run(text)
        return (time.process_time_ns() - begun) / 1e9

    return max(1e-6, min(once() for _ in range(again)))


@cache
def _expressions() -> list[Expression]:
    """All that are compiled at the top of a module or written in a function, each once."""
    found: dict[tuple[Any, int], Expression] = {}

    def add(where: str, pattern: re.Pattern[Any], uses: frozenset[str]) -> None:
        known = found.get(key := (pattern.pattern, pattern.flags))
        found[key] = Expression(
            known.where if known else where, pattern, uses | (known.uses if known else frozenset())
        )

    for module in _modules():
        for name, value in list(vars(importlib.import_module(module)).items()):
            for pattern in _patterns_in(value, set()):
                uses = _EVERY if value is not pattern else _uses(module, name)
                add(f"{module}.{name}", pattern, uses)
    for where, call in _calls():
        if isinstance(written := _written(call), str | bytes) and isinstance(
            call.func, ast.Attribute
        ):
            use = call.func.attr
            flags = re.IGNORECASE | re.MULTILINE if call.keywords else re.NOFLAG
            add(where, re.compile(written, flags), _as_used(use, 1))
    return list(found.values())


def _patterns_in(value: Any, seen: set[int], depth: int = 4) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
        return
    if not depth or id(value) in seen:
        return
    seen.add(id(value))
    inside: list[Any] = []
    if isinstance(value, dict):
        inside = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = list(value)
    elif is_dataclass(value) and not isinstance(value, type):
        inside = [getattr(value, one.name, None) for one in fields(value)]
    for one in inside:
        yield from _patterns_in(one, seen, depth - 1)


def _uses(module: str, name: str) -> frozenset[str]:
    """How a module uses an expression of this name: all ways, where it hands it on."""
    tree = _tree(module)
    calls = {
        id(call.func.value): _as_used(call.func.attr, len(call.args))
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    }
    named = [
        one
        for one in ast.walk(tree)
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load)
    ]
    return frozenset().union(*(calls.get(id(one), _EVERY) for one in named))


def _as_used(method: str, arguments: int) -> frozenset[str]:
    # With a second argument it is a place in a text, which others follow.
    return frozenset({method if method in USES and arguments == 1 else "search"})


def _calls() -> Iterator[tuple[str, ast.Call]]:
    """What functions ask `re` for, and where."""
    for module in _modules():
        for top in _tree(module).body:
            if isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for one in ast.walk(top):
                    if (
                        isinstance(one, ast.Call)
                        and isinstance(one.func, ast.Attribute)
                        and isinstance(one.func.value, ast.Name)
                        and one.func.value.id == "re"
                        and one.func.attr != "escape"
                    ):
                        yield f"{module}.{top.name}", one


def _written(call: ast.Call) -> Any:
    return call.args[0].value if isinstance(call.args[0], ast.Constant) else None


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_source(module))


def _source(module: str) -> str:
    return Path(str(importlib.import_module(module).__file__)).read_text("utf-8")


@cache
def _modules() -> list[str]:
    return [
        found.name
        for package in (services, shared)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if ".migrations" not in found.name and not found.name.endswith("__main__")
    ]
