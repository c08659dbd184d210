"""What a table of promises must not say when somebody publishes it: rows that fit no case.

Versions that are stored are read whatever they say; so this is no part of `Policy`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from pydantic import ValidationError

from services.sla.domain.policy import DIMENSIONS, Policy
from shared.contracts.refusal import Unacceptable
from shared.contracts.vocabulary import CaseType, Channel, Priority
from shared.validation import error_words, in_language

ROW_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
BY_THEMSELVES = (*Priority, *(t for t in CaseType if t is not CaseType.OTHER), Channel.PROPOSAL)
"""Names of rows that say for which cases they are."""
_SHOWN = 30
"""Codes that a refusal lists."""
_NO_SUCH = {
    "department": ("没有这个部门", "no such department"),
    "group": ("没有这个读者群体", "no such group of readers"),
    "category": ("没有这个类别", "no such category"),
}

Known = Mapping[str, Collection[str]]
"""Dimension → the codes there are; empty or missing where nobody can say."""


class Problem(NamedTuple):
    """What is wrong, and where: `rows.P3.warn`, as the body has it."""

    where: str
    zh: str
    en: str


def check_policy(policy: Policy, known: Known) -> None:
    """Raises Unacceptable for rows that could never be for any case."""
    if found := list(problems(policy, known)):
        raise refusal_of(found)


def problems(policy: Policy, known: Known) -> Iterator[Problem]:
    """All rows that fit no case: without conditions, or with such as nothing meets."""
    applying = {name for name, _, _ in policy.by_specificity}
    for name, row in policy.rows.items():
        if not ROW_NAME.fullmatch(name):
            zh = f"“{name}” 不能作行名：用字母、数字、- 和 _，不超过 40 个"
            en = f"“{name}” cannot name a row: letters, digits, - and _, at most 40"
            yield Problem(f"rows.{name}", zh, en)
        elif name not in applying:
            alone = ", ".join(BY_THEMSELVES)
            zh = f"“{name}” 没有写给哪些反馈，不会用到任何一件。请选条件；只有这些行名自己就生效："
            en = (
                f"“{name}” does not say which cases it is for, and would apply to none. Choose "
                "conditions; only rows of these names apply by themselves: "
            )
            yield Problem(f"rows.{name}.when", zh + alone, en + alone)
        for dimension in DIMENSIONS if row.when is not None else ():
            there_are = known.get(dimension, ())
            for code in getattr(row.when, dimension):
                if there_are and code not in there_are:
                    yield _no_such(f"rows.{name}.when.{dimension}", dimension, code, there_are)


def refusal_of(found: Collection[Problem]) -> Unacceptable:
    """All of it as one refusal, by place."""
    sentences = {p.zh: p.en for p in found}
    return Unacceptable(
        "；".join(sentences) + "。",
        "; ".join(sentences.values()) + ".",
        errors={p.where: f"{p.zh} | {p.en}" for p in found},
    )


def unreadable(error: ValidationError) -> Unacceptable:
    """What is no policy at all, by place."""
    found = []
    for one in error.errors(include_url=False):
        said = error_words(one, english=False), error_words(one, english=True)
        zh, en = in_language(said[0], "zh"), in_language(said[1], "en")
        # Numbers are places in a list: which of the percentages, whatever the column.
        where = [str(part) for part in one["loc"] if not isinstance(part, int)]
        found.append(Problem(".".join(where), zh, en))
    return Unacceptable(
        "这样填不行：" + "；".join(_placed(p.where, p.zh, "：") for p in found),
        "This cannot be: " + "; ".join(_placed(p.where, p.en, ": ") for p in found),
        errors={p.where: f"{p.zh} | {p.en}" for p in found},
    )


def _placed(where: str, said: str, colon: str) -> str:
    return f"{where}{colon}{said}" if where else said


def _no_such(where: str, dimension: str, code: str, there_are: Collection[str]) -> Problem:
    zh, en = _NO_SUCH.get(dimension, ("没有这个值", "no such value"))
    listed = sorted(there_are)
    zh_list, en_list = "、".join(listed[:_SHOWN]), ", ".join(listed[:_SHOWN])
    more = "…" if len(listed) > _SHOWN else ""
    return Problem(
        where, f"{zh}：{code}。有：{zh_list}{more}", f"{en}: {code}; there are {en_list}{more}"
    )
