"""Where a comment goes, how urgent it is, and why: a pure decision over a compiled rule set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from services.routing.domain.match import Fired, RuleSet
from services.routing.domain.spelt import from_pinyin
from services.routing.domain.taken_back import taken_back
from services.routing.domain.text import fold
from shared.contracts.vocabulary import CaseType, Priority

CANDIDATES = 3
_NEVER_ALONE = frozenset({"not_ours"})
_FALLBACK = ("relations", "desk", "office", "reference", "space", "it")
_SUPPRESSED = 0.3
_EXTRA_PHRASE = 0.15
_TYPE_ORDER = (
    CaseType.COMPLAINT,
    CaseType.REQUEST,
    CaseType.INQUIRY,
    CaseType.SUGGESTION,
    CaseType.PRAISE,
)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Submission(_Value):
    """What routing knows of a comment."""

    text: str
    title: str = ""
    category: str | None = None
    place: str = ""
    channel: str | None = None
    confidential: bool = False


class Reason(_Value):
    """One reason in Chinese and English; only words of the rules, never the reporter's."""

    text: str
    text_en: str
    weight: float
    rule: str | None = None


class Candidate(_Value):
    """A department that might own the matter."""

    department: str
    score: float
    category: str | None = None
    unit: str | None = None
    """Of the university, where it is not the library's; and what the reader is told then."""
    unit_en: str | None = None
    instead: str | None = None
    instead_en: str | None = None


class Decision(_Value):
    """The best guess, and whether it may be acted on without a person."""

    decided: Literal["rule", "model"] = "rule"
    confident: bool
    confidence: float
    department: str
    category: str | None
    """None when no rule knows the comment."""
    type: CaseType
    priority: Priority
    emergency: bool
    reasons: tuple[Reason, ...]
    candidates: tuple[Candidate, ...]
    model_version: int | None = None
    """Of what was learned; None where the rules alone decided."""
    type_known: bool = Field(default=True, exclude=True)
    """Whether a rule says so; else it is what most are."""
    priority_known: bool = Field(default=True, exclude=True)
    fired: SkipValidation[tuple[Fired, ...]] = Field(default=(), exclude=True, repr=False)
    """The rules that spoke, for whoever finds that it is about something else."""

    @property
    def guess(self) -> str | None:
        """The department; None where nothing spoke for any."""
        known = self.confident or any(c.score > 0 for c in self.candidates)
        return self.department if known and self.department else None


CategoryNames = Mapping[str, tuple[str, ...]]
"""Category → (Chinese, English, and its department where that is known)."""


def decide(
    ruleset: RuleSet,
    submission: Submission,
    categories: CategoryNames = MappingProxyType({}),
    *,
    without: Collection[str] = (),
) -> Decision:
    """Choose department, category, type and priority for `submission`.

    Reasons call a category by its name in `categories`, else by its code. Rules `without` are not
    asked.
    """
    said = fold(f"{submission.title}\n{submission.text}")
    weighed = weigh(ruleset, submission, categories, without=without)
    first = TAKEN_BACK if taken_back(said) else None
    if not _emergencies(weighed[0]) and (read := from_pinyin(said)):
        spelt = submission.model_copy(update={"title": "", "text": read})
        anew = weigh(ruleset, spelt, categories, without=without)
        if _emergencies(anew[0]):
            weighed, first = anew, SPELT
    fired, scores, reasons = weighed
    candidates = rank(scores, fired)
    best, second = candidates[0], candidates[1]
    kind = _type(fired, best.category)
    if alarms := _emergencies(fired):
        return _alarm(alarms, candidates, reasons, kind, first)

    department, confidence = best.department, max(0.0, best.score - second.score / 2)
    book = ruleset.book
    confident = (
        best.score >= book.confident_at
        and best.score - second.score >= book.margin
        and best.category not in _NEVER_ALONE
    )
    if submission.confidential and department != "relations":
        department, confident = "relations", True
        confidence = 1.0
        reasons.append(_CONFIDENTIAL)
    elif not confident:
        reasons.append(_why_left(best, second, book.confident_at))
    return Decision(
        confident=confident,
        confidence=round(confidence, 3),
        department=department,
        category=best.category,
        type=kind,
        priority=_priority(fired, best.category, kind),
        emergency=False,
        reasons=_sorted(reasons),
        candidates=_led_by(department, best.category, candidates),
        type_known=_says_type(fired, best.category),
        priority_known=_says_priority(fired, best.category, kind),
        fired=tuple(fired),
    )


def of_category(ruled: Decision, category: str | None) -> Decision:
    """Type and priority as the rules say them where it is about `category`, not what they took it
    for. Words that only spoke for what it is not say no type either: thanks at the end of a
    complaint make no praise of it."""
    taken_for = [one for one in ruled.fired if one.rule.category == ruled.category is not None]
    misread = {word for one in taken_for for word in one.seen}
    fired = [
        one
        for one in ruled.fired
        if one.rule.category or not one.seen or not misread.issuperset(one.seen)
    ]
    kind = _type(fired, category)
    return ruled.model_copy(
        update={
            "type": kind,
            "priority": _priority(fired, category, kind),
            "type_known": _says_type(fired, category),
            "priority_known": _says_priority(fired, category, kind),
        }
    )


Scores = dict[tuple[str, str], float]
"""Evidence by (category, department)."""


def weigh(
    ruleset: RuleSet,
    submission: Submission,
    categories: CategoryNames,
    *,
    without: Collection[str] = (),
) -> tuple[list[Fired], Scores, list[Reason]]:
    """The rules that fire, what they add up to, and the reasons they give."""
    wanted = submission.category or ""
    owner = ruleset.book.owner_of(wanted) or "".join(categories.get(wanted, ())[2:])
    chosen = wanted if owner else None
    found = ruleset.fired(
        text=fold(f"{submission.title}\n{submission.text}"),
        place=fold(submission.place),
        channel=submission.channel,
        chosen=chosen,
    )
    fired = [each for each in found if each.rule.id not in without]
    reasons = [_reason(each, categories) for each in fired if each.rule.category]
    scores = _scores(fired)
    if chosen and owner:
        weight = ruleset.book.chosen_weight
        add(scores, (chosen, owner), weight)
        zh, en, *_ = categories.get(chosen, (chosen, chosen))
        reasons.append(
            Reason(
                # Also the clerk at the counter, or who made a part of another case of it.
                text=f"填写的人选择了类别“{zh}”",
                text_en=f"Whoever wrote it down chose the category “{en}”",
                weight=weight,
            )
        )
    return fired, scores, reasons


TAKEN_BACK = Reason(
    text="说是紧急情况，又说是玩笑或测试：先请人看",
    text_en="It tells of an emergency, and of a joke or a test: a person looks first",
    weight=1.0,
)
SPELT = Reason(
    text="像是用拼音写的紧急情况，可能读错：先请人看",
    text_en="It seems to be an emergency typed in pinyin, and may be misread: a person looks first",
    weight=1.0,
)


def _emergencies(fired: list[Fired]) -> list[Fired]:
    """The worst first."""
    worst = sorted(fired, key=lambda each: (-each.rule.rank, -each.rule.weight))
    return [each for each in worst if each.rule.emergency]


def _alarm(
    alarms: list[Fired],
    candidates: tuple[Candidate, ...],
    reasons: list[Reason],
    kind: CaseType,
    first: Reason | None,
) -> Decision:
    """An emergency is sent at once: better wrongly alarmed than missed. Where a person should look
    `first`, for this reason, only the alarm goes out."""
    worst = alarms[0].rule
    category = worst.category or "safety"
    return Decision(
        confident=first is None,
        confidence=round(worst.weight, 3),
        department=worst.owner,
        category=category,
        type=kind if kind in (CaseType.COMPLAINT, CaseType.REQUEST) else CaseType.COMPLAINT,
        priority=Priority.P1,
        emergency=True,
        reasons=_sorted([*((first,) if first else ()), *reasons]),
        candidates=_led_by(worst.owner, category, candidates),
        fired=tuple(alarms),
    )


def _scores(fired: list[Fired]) -> Scores:
    """Evidence per (category, department): 1 - Π(1 - weight), so it adds up but never past 1."""
    scores: Scores = {}
    muted = {
        (category, each.rule.category)
        for each in fired
        for category in each.rule.suppresses
        if each.rule.category
    }
    for each in fired:
        rule = each.rule
        if rule.category is None:
            continue
        weight = rule.weight
        for _ in [*each.seen, *filter(None, [each.chosen])][1:3]:
            weight += (1 - weight) * _EXTRA_PHRASE
        # An emergency is never talked down, not even by another one.
        if not rule.emergency and any(
            by != rule.category and category in (rule.category, "*") for category, by in muted
        ):
            weight *= _SUPPRESSED
        add(scores, (rule.category, rule.owner), weight)
    return scores


def add(scores: Scores, key: tuple[str, str], weight: float) -> None:
    """Count one more piece of evidence."""
    scores[key] = 1 - (1 - scores.get(key, 0.0)) * (1 - weight)


def rank(
    scores: Scores, fired: list[Fired], *, without: Collection[str] = ()
) -> tuple[Candidate, ...]:
    """The best departments, each with its best category; filled up so that there are three."""
    ranks: dict[tuple[str, str], int] = {}
    for each in fired:
        key = (each.rule.category or "", each.rule.owner)
        ranks[key] = max(ranks.get(key, -100), each.rule.rank)
    allowed = (key for key in scores if key[1] not in without)
    order = sorted(allowed, key=lambda key: (-scores[key], -ranks.get(key, 0), key))
    total: dict[str, float] = {}
    category: dict[str, str] = {}
    for key in order:
        total[key[1]] = 1 - (1 - total.get(key[1], 0.0)) * (1 - scores[key])
        category.setdefault(key[1], key[0])
    first = {department: index for index, department in reversed(list(enumerate(total)))}
    best = sorted(total, key=lambda department: (-total[department], first[department]))
    found = [
        Candidate(department=d, score=round(total[d], 3), category=category[d] or None)
        for d in best
    ]
    found += [
        Candidate(department=d, score=0.0) for d in _FALLBACK if d not in total and d not in without
    ]
    return tuple(found[:CANDIDATES])


def _led_by(
    department: str, category: str | None, candidates: tuple[Candidate, ...]
) -> tuple[Candidate, ...]:
    """The same candidates with the department that was decided in front."""
    mine = [c for c in candidates if c.department == department]
    lead = mine[0] if mine else Candidate(department=department, score=1.0, category=category)
    others = [c for c in candidates if c.department != department]
    return (lead, *others)[:CANDIDATES]


def _type(fired: list[Fired], category: str | None) -> CaseType:
    evidence: dict[CaseType, float] = {}
    for each in fired:
        kind = each.rule.type
        if kind is not None and each.rule.category in (None, category):
            evidence[kind] = 1 - (1 - evidence.get(kind, 0.0)) * (1 - each.rule.weight)
    if category == "praise":
        return CaseType.PRAISE
    if evidence:
        return max(_TYPE_ORDER, key=lambda kind: evidence.get(kind, 0.0))
    return CaseType.REQUEST if category == "acquisition" else CaseType.COMPLAINT


def _says_type(fired: list[Fired], category: str | None) -> bool:
    return category in ("praise", "acquisition") or any(
        each.rule.type and each.rule.category in (None, category) for each in fired
    )


def _says_priority(fired: list[Fired], category: str | None, kind: CaseType) -> bool:
    return (
        category in ("conduct", "acquisition")
        or kind in (CaseType.PRAISE, CaseType.SUGGESTION)
        or any(each.rule.priority and each.rule.category in (None, category) for each in fired)
    )


def _priority(fired: list[Fired], category: str | None, kind: CaseType) -> Priority:
    if category == "conduct":
        return Priority.P2
    if kind in (CaseType.PRAISE, CaseType.SUGGESTION) or category == "acquisition":
        return Priority.P4
    # A question about an outage is an outage; only thanks and proposals can wait.
    raised = [
        each.rule.priority
        for each in fired
        if each.rule.priority and each.rule.category in (None, category)
    ]
    return min(raised) if raised else Priority.P3


def _reason(each: Fired, categories: CategoryNames) -> Reason:
    zh, en = list(each.seen), list(each.seen)
    if each.chosen:
        names = categories.get(each.chosen, (each.chosen, each.chosen))
        zh.append(names[0])
        en.append(names[1])
    return Reason(
        text=each.rule.note + (f"（{'、'.join(f'“{s}”' for s in zh[:4])}）" if zh else ""),
        text_en=each.rule.note_en + (f" ({', '.join(f'“{s}”' for s in en[:4])})" if en else ""),
        weight=round(each.rule.weight, 3),
        rule=each.rule.id,
    )


_CONFIDENTIAL = Reason(
    text="用户要求保密，由用户关系办公室处理",
    text_en="The reporter asked for confidentiality: the User Relations Office handles it",
    weight=1.0,
)


def _why_left(best: Candidate, second: Candidate, confident_at: float) -> Reason:
    if best.score == 0:
        zh, en = "没有规则认得这条反馈，留给人判断", "No rule knows this comment: left to a person"
    elif best.category in _NEVER_ALONE:
        zh = "看来不是图书馆的事务，由人婉拒并告知该找谁"
        en = "Apparently not the library's: a person refuses kindly and says whom to ask"
    elif best.score < confident_at:
        zh, en = "把握不够，留给人判断", "Not sure enough: left to a person"
    else:
        zh = f"像是两件事，分数接近（{best.score:.2f} 与 {second.score:.2f}），留给人判断"
        en = f"Two matters score alike ({best.score:.2f}, {second.score:.2f}): left to a person"
    return Reason(text=zh, text_en=en, weight=0.0)


def _sorted(reasons: list[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))
