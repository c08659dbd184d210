"""What a replay of the past says: why each case is judged as it is, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from services.sla.domain.past_dates import When
from services.sla.domain.policy import Policy
from services.sla.domain.replay_summary import THE_REST
from services.sla.domain.replaying import Judged, PastCase, Standing, Why, row_of
from services.sla.wording.messages import translate
from shared.contracts.vocabulary import Clock
from shared.moments import LOCAL, span_words

SHOWN = 20
"""Names that are told; all of them stand in the summary of a JSON file."""


def why(case: PastCase, judged: Judged, policy: Policy, now: datetime, locale: str) -> str:
    """One sentence: where the due time comes from, and how the end lies to it."""
    main = judged.main
    if main.standing is None or main.due is None:
        return translate("没有可用的日期，无法判断。", locale)
    end = case.closed or case.responded
    if main is judged.first_response:
        end = case.responded or case.closed
    return f"{_source(case, judged, policy, locale)}{_outcome(main.due, end, now, locale)}"


def _source(case: PastCase, judged: Judged, policy: Policy, locale: str) -> str:
    main = judged.main
    due = main.due
    assert due is not None
    if main.why is Why.DUE_COLUMN:
        if due.day:
            return translate("表中的期限只有日期，算到当天结束；", locale)
        return translate("按表中的期限；", locale)
    clock = Clock.RESOLUTION if main is judged.resolution else Clock.FIRST_RESPONSE
    chosen = row_of(case, policy)
    allowed = chosen.row.clocks.get(clock) or policy.defaults.get(clock, "")
    said = translate("按政策第 {version} 版 {row}：{allowed}，从收到起算；", locale).format(
        version=policy.version, row=chosen.name, allowed=allowed
    )
    if case.received is not None and case.received.day:
        said += translate("收到只有日期，从当天零点算；", locale)
    return said


def _outcome(due: When, end: When | None, now: datetime, locale: str) -> str:
    if end is None:
        late = now > due.end
        span = span_words(now - due.end, locale)
        text = "还没有办结，已超过 {span}。" if late else "还没有办结，还有 {span}。"
    elif end.day or due.day:
        late = end.after(due)
        span = span_words((end.end if end.day else end.at) - due.end, locale)
        text = "超过期限才办结。" if late else "在期限当天或之前办结。"
    elif end.at == due.at:
        return translate("正好在期限办结。", locale)
    else:
        late = end.at > due.at
        span = span_words(end.at - due.at, locale)
        text = "晚了 {span}。" if late else "提前 {span}。"
    return translate(text, locale).format(span=span)


def summary_lines(
    body: dict[str, Any], locale: str, called: Callable[[str], str] = str
) -> Iterator[str]:
    """The summary as a person reads it, a line a fact."""

    def say(zh: str, **values: object) -> str:
        return translate(zh, locale).format(**values)

    now = datetime.fromisoformat(body["now"]).astimezone(LOCAL)
    yield say(
        "{file}：{cases} 件，截至 {now:%Y-%m-%d %H:%M}；政策第 {policy} 版，日历第 {calendar} 版。",
        file=body["file"],
        cases=body["cases"],
        now=now,
        policy=body["policy_version"],
        calendar=body["calendar_version"],
    )
    yield say(
        "其中 {n} 件按表中的期限判断，{unjudged} 件无法判断，{odd} 行有异常。",
        n=body["by_due_column"],
        unjudged=body["not_judged"],
        odd=body["odd_rows"],
    )
    yield from _group(body, say)
    if unknown := body["unknown_departments"]:
        shown = say("、").join(f"{name}（{n}）" for name, n in islice(unknown.items(), SHOWN))
        yield say(
            "{n} 个部门不在本馆部门之中，照写的名称计：{names}{more}",
            n=len(unknown),
            names=shown,
            more="…" if len(unknown) > SHOWN else "",
        )
    for name, found in body["departments"].items():
        words = called(name) if name != THE_REST else say("（其余的名称）")
        yield f"— {words or say('（没有写部门）')}"
        yield from _group(found, say)


def _group(body: dict[str, Any], say: Any) -> Iterator[str]:
    yield say(
        "按时 {on_time}，超期 {overdue}，在办 {open}，在办已超期 {open_overdue}；"
        "办结的按时率 {rate}，连同在办已超期的 {kept}。",
        rate=_percent(body["on_time_rate"]),
        kept=_percent(body["kept_rate"]),
        **{s.value.replace(" ", "_"): body[s.value.replace(" ", "_")] for s in Standing},
    )
    for name, zh in (("answer", "首次答复"), ("end", "办结")):
        times = body[name]
        if not times["n"] or (name == "end" and times == body["answer"]):
            continue
        yield say(
            "{name}（{n} 件）：工作时间 P50 {w50} 小时、P90 {w90} 小时；"
            "自然时间 P50 {e50} 小时、P90 {e90} 小时。",
            name=say(zh),
            n=times["n"],
            w50=times["working_hours"]["p50"],
            w90=times["working_hours"]["p90"],
            e50=times["elapsed_hours"]["p50"],
            e90=times["elapsed_hours"]["p90"],
        )
        within = say("、").join(
            say(
                "{hours} 小时内 {n} 件（{share}）",
                hours=w["hours"],
                n=w["n"],
                share=_percent(w["of_answered"]),
            )
            for w in times["within"]
        )
        yield say("{name}：{within}。", name=say(zh), within=within)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}%"
