"""The timeline in plain words: one sentence, in Chinese and English, for every kind of fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.contracts import Actor, Event, short_type
from shared.contracts.vocabulary import CATEGORIES

_LOCAL = ZoneInfo("Asia/Shanghai")

Data = Mapping[str, Any]
NameOf = Callable[[str | None], str]
"""Department code → its name in the reader's language."""
Build = Callable[[Data, NameOf], tuple[str, str]]

CHANNELS = {
    "web": ("网页", "the web form"),
    "desk": ("服务台", "the service desk"),
    "wechat": ("微信", "WeChat"),
    "email": ("邮件", "e-mail"),
    "phone": ("电话", "phone"),
    "api": ("系统接入", "another system"),
    "other": ("其他渠道", "another channel"),
}
OUTCOMES = {
    "solved": ("已解决", "solved"),
    "explained": ("已说明原因", "explained"),
    "partly": ("解决了一部分", "partly solved"),
    "cannot": ("目前做不到", "not possible now"),
    "passed_on": ("已转相关单位", "passed to others"),
    "no_longer_needed": ("已不需要处理", "no longer needed"),
}
DECIDED = {
    "rule": ("按规则", "by rule"),
    "model": ("按以往经验", "by experience"),
    "person": ("人工", "by a person"),
}
CLOCKS = {
    "TRIAGE": ("派单", "sorting"),
    "ACCEPT": ("签收", "acceptance"),
    "FIRST_RESPONSE": ("首次响应", "first response"),
    "NEXT_RESPONSE": ("再次响应", "next response"),
    "RESOLUTION": ("办结", "resolution"),
    "REVIEW": ("审核", "review"),
    "FOLLOW_UP": ("回访", "follow-up"),
    "APPEAL": ("复核", "appeal"),
}
REFUSED = {
    "too_late": ("已超过期限", "too late"),
    "too_often": ("次数已满", "too often"),
    "not_possible_now": ("现在的状态不允许", "not possible in this state"),
}
WAITING_ENDED = {
    "supplied": ("用户已补充，继续办理", "The reporter answered; work goes on"),
    "timeout": ("等待已到期，继续办理", "Waiting ran out; work goes on"),
    "staff": ("不再等待，继续办理", "No longer waiting; work goes on"),
}
CLOSED_HOW = {
    "rated": ("用户评价后办结", "Closed: rated by the reporter"),
    "staff": ("办结", "Closed"),
    "quiet": ("回访期内没有异议，自动办结", "Closed: nobody objected in time"),
}
KINDS = {
    "receipt": ("回执", "a receipt"),
    "reply": ("答复", "the reply"),
    "question": ("问题", "the question"),
    "rejected": ("不予受理的说明", "the refusal"),
    "delay": ("延迟说明", "word of a delay"),
    "new_work": ("新任务提醒", "word of new work"),
    "news": ("新情况提醒", "word of news"),
    "warning": ("到期提醒", "a warning"),
    "breach": ("超期提醒", "word of a breach"),
    "escalation": ("升级提醒", "an escalation"),
}
SOLVED = {
    "yes": ("已解决", "solved"),
    "partly": ("部分解决", "partly solved"),
    "no": ("没有解决", "not solved"),
}
ROLES = {
    "reviewer": ("部门负责人", "the department head"),
    "leader": ("馆领导", "a library leader"),
}


def _pick(table: Mapping[str, tuple[str, str]], code: Any) -> tuple[str, str]:
    return table.get(str(code), (str(code or ""), str(code or "")))


def _plain(zh: str, en: str) -> Build:
    return lambda d, name: (zh, en)


def _received(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(CHANNELS, d.get("channel"))
    place = f"（{d['place']}）" if d.get("place") else ""
    return f"通过{zh}收到{place}", f"Received through {en}" + (f" ({d['place']})" if place else "")


def _routed(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(DECIDED, d.get("decided"))
    where = name(d.get("department"))
    return f"{zh}建议交给{where}", f"Suggested {en}: {where}"


def _triage_needed(d: Data, name: NameOf) -> tuple[str, str]:
    if d.get("department"):
        where = name(d["department"])
        return f"需要人工判断，最像是{where}", f"A person has to decide; most likely {where}"
    return "需要人工判断由谁办理", "A person has to decide who handles it"


def _dispatched(d: Data, name: NameOf) -> tuple[str, str]:
    where = name(d.get("department"))
    zh, en = _pick(DECIDED, d.get("decided"))
    category = CATEGORIES.get(str(d.get("category")))
    about_zh = f"，类别：{category[0]}" if category else ""
    about_en = f", category: {category[1]}" if category else ""
    last_zh, last_en = ("，裁定", ", bindingly") if d.get("binding") else ("", "")
    return (
        f"派给{where}（{zh}{last_zh}）{about_zh}",
        f"Dispatched to {where} ({en}{last_en}){about_en}",
    )


def _accepted(d: Data, name: NameOf) -> tuple[str, str]:
    where = name(d.get("department"))
    return f"{where}已签收", f"Accepted by {where}"


def _returned(d: Data, name: NameOf) -> tuple[str, str]:
    where, reason = name(d.get("department")), d.get("reason", "")
    hint = name(d.get("suggest")) if d.get("suggest") else ""
    return (
        f"{where}退单：{reason}" + (f"（建议转{hint}）" if hint else ""),
        f"Returned by {where}: {reason}" + (f" (suggests {hint})" if hint else ""),
    )


def _assigned(d: Data, name: NameOf) -> tuple[str, str]:
    who = d.get("to_display") or d.get("to", "")
    return f"由{who}经办", f"Handled by {who}"


def _replied(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(OUTCOMES, d.get("outcome"))
    return f"已答复：{zh}", f"Replied: {en}"


def _reopened(d: Data, name: NameOf) -> tuple[str, str]:
    reason, cycle = d.get("reason", ""), d.get("cycle", 2)
    return f"重新办理（第 {cycle} 轮）：{reason}", f"Reopened (round {cycle}): {reason}"


def _resumed(d: Data, name: NameOf) -> tuple[str, str]:
    return WAITING_ENDED.get(str(d.get("reason")), WAITING_ENDED["staff"])


def _closed(d: Data, name: NameOf) -> tuple[str, str]:
    return CLOSED_HOW.get(str(d.get("how")), CLOSED_HOW["staff"])


def _request_refused(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(REFUSED, d.get("reason"))
    return f"用户的请求没有生效：{zh}", f"The reporter's request was not taken up: {en}"


def _rated(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(SOLVED, d.get("solved"))
    return f"用户评价 {d.get('stars')} 星，{zh}", f"Rated {d.get('stars')} of 5, {en}"


def _with_reason(zh: str, en: str) -> Build:
    return lambda d, name: (f"{zh}：{d.get('reason', '')}", f"{en}: {d.get('reason', '')}")


def _clock(zh: str, en: str) -> Build:
    def build(d: Data, name: NameOf) -> tuple[str, str]:
        clock_zh, clock_en = _pick(CLOCKS, d.get("clock"))
        return zh.format(clock_zh), en.format(clock_en)

    return build


def _day_and_hour(at: Any) -> str:
    """``03-11 10:00`` on the library's clock: short, and true whenever it is read."""
    return f"{datetime.fromisoformat(at).astimezone(_LOCAL):%m-%d %H:%M}" if at else "–"


def _promised(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(CLOCKS, d.get("clock"))
    due = _day_and_hour(d.get("due"))
    if d.get("due") != d.get("first_due"):
        return f"“{zh}”的期限改为 {due}", f"The deadline of {en} moved to {due}"
    return f"“{zh}”开始计时，期限 {due}", f"The clock of {en} runs, due {due}"


def _warned(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(CLOCKS, d.get("clock"))
    return f"“{zh}”时间已用 {d.get('level')}%", f"{d.get('level')}% of {en} is used up"


def _met(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(CLOCKS, d.get("clock"))
    if d.get("in_time", True):
        return f"“{zh}”按时完成", f"The promise of {en} was kept"
    return f"“{zh}”已完成，但超过了期限", f"{en.capitalize()} came late"


def _escalated(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(ROLES, d.get("to_role"))
    return f"已提请{zh}关注", f"Brought to {en}"


def _delivery(zh: str, en: str) -> Build:
    def build(d: Data, name: NameOf) -> tuple[str, str]:
        kind_zh, kind_en = _pick(KINDS, d.get("kind"))
        to_zh, to_en = (
            ("用户", "the reporter") if d.get("audience") == "reporter" else ("馆员", "staff")
        )
        return zh.format(kind_zh, to_zh), en.format(kind_en, to_en)

    return build


SENTENCES: dict[str, tuple[tuple[str, ...], Build]] = {
    "feedback.received": (("channel", "place"), _received),
    "feedback.supplemented": ((), _plain("用户补充了信息", "The reporter added something")),
    "feedback.urged": ((), _plain("用户催办", "The reporter asked for speed")),
    "feedback.rated": (("stars", "solved"), _rated),
    "feedback.reopen_requested": (
        ("reason",),
        _with_reason("用户表示没有解决", "The reporter says it is not solved"),
    ),
    "feedback.appealed": (("reason",), _with_reason("用户申请复核", "The reporter appealed")),
    "feedback.withdrawn": ((), _plain("用户撤回", "The reporter took it back")),
    "feedback.routed": (("department", "decided"), _routed),
    "feedback.triage_needed": (("department",), _triage_needed),
    "case.opened": ((), _plain("用户关系办公室已收件", "The user relations office has it")),
    "case.dispatched": (("department", "category", "decided", "binding"), _dispatched),
    "case.accepted": (("department",), _accepted),
    "case.returned": (("department", "reason", "suggest"), _returned),
    "case.assigned": (("to", "to_display"), _assigned),
    "case.info_requested": ((), _plain("请用户补充信息", "The reporter was asked something")),
    "case.resumed": (("reason",), _resumed),
    "case.noted": ((), _plain("写了内部备注", "An internal note was written")),
    "case.replied": (("outcome",), _replied),
    "case.rejected": (("reason",), _with_reason("不予受理", "Not accepted")),
    "case.closed": (("how",), _closed),
    "case.reopened": (("reason", "cycle"), _reopened),
    "case.withdrawn": ((), _plain("已撤回，不再办理", "Withdrawn; work ends")),
    "case.request_refused": (("request", "reason"), _request_refused),
    "sla.promised": (("clock", "due", "first_due"), _promised),
    "sla.warned": (("clock", "level"), _warned),
    "sla.breached": (("clock",), _clock("“{}”超期", "The deadline of {} passed")),
    "sla.met": (("clock", "in_time"), _met),
    "sla.paused": (("clock",), _clock("“{}”暂停计时", "The clock of {} stands still")),
    "sla.resumed": (("clock",), _clock("“{}”继续计时", "The clock of {} runs again")),
    "sla.cancelled": (("clock",), _clock("“{}”不再计时", "The clock of {} no longer applies")),
    "escalation.raised": (("to_role",), _escalated),
    "notification.sent": (
        ("kind", "audience"),
        _delivery("已把{0}发给{1}", "Sent {0} to {1}"),
    ),
    "notification.failed": (
        ("kind", "audience"),
        _delivery("{0}没有送达{1}", "Could not deliver {0} to {1}"),
    ),
    "notification.suppressed": (
        ("kind", "audience"),
        _delivery("没有给{1}发{0}", "Did not send {0} to {1}"),
    ),
}
"""Type without version → the fields the sentence needs, and how it is said."""


def kept_of(event: Event) -> dict[str, Any]:
    """What a timeline keeps of a fact: only what its sentence needs."""
    fields, _ = SENTENCES.get(short_type(event.type), ((), None))
    return event.model_dump(mode="json", include=set(fields), exclude_none=True) if fields else {}


def sentence(kind: str, data: Data, name_of: NameOf, locale: str = "zh") -> str:
    """The line of the timeline; the bare type for a kind nobody put in words."""
    entry = SENTENCES.get(kind)
    if entry is None:
        return kind
    zh, en = entry[1](data, name_of)
    return en if locale == "en" else zh


def actor_name(by: Actor, locale: str = "zh") -> str:
    """Who did it, as people say it. A reporter has no name here."""
    if by.kind == "staff":
        return by.display or by.name or ""
    pair = ("读者", "Reporter") if by.kind == "reporter" else ("系统", "System")
    return pair[locale == "en"]
