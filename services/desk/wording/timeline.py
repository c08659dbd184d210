"""The timeline in plain words: one sentence, in Chinese and English, for every kind of event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.desk.wording import twists
from shared.contracts import Actor
from shared.contracts.sla import Change
from shared.contracts.vocabulary import ALARM_NAMES, CLOCK_NAMES
from shared.moments import day_and_hour

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
    "class_group": ("班级群", "a class group"),
    "survey": ("问卷", "a survey"),
    "meeting": ("座谈会", "a meeting"),
    "proposal": ("提案", "a proposal"),
    "staff": ("馆员发现", "a member of staff"),
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
REFUSED = {
    "too_late": ("已超过期限", "too late"),
    "too_often": ("次数已满", "too often"),
    "not_possible_now": ("现在的状态不允许", "not possible in this state"),
}
WAITING_ENDED = {
    "supplied": ("用户已补充，继续办理", "The reporter answered; work goes on"),
    "timeout": ("等待已到期，继续办理", "Waiting ran out; work goes on"),
    "staff": ("不再等待，继续办理", "No longer waiting; work goes on"),
    "until": ("到了再看的日子，继续办理", "The date to look again has come; work goes on"),
}
UNASSIGNED = {
    "moved": (
        "经办人调到别的部门，放回本部门",
        "Put back: the handler moved to another department",
    ),
    "left": ("经办人离开，放回本部门", "Put back: the handler left"),
    "untouched": (
        "超期无人办理，放回本部门",
        "Put back: nobody worked on it in time",
    ),
    "staff": ("放回本部门", "Put back to the department"),
}
CLOSED_HOW = {
    "rated": ("用户评价后办结", "Closed: rated by the reporter"),
    "staff": ("办结", "Closed"),
    "quiet": ("回访期内没有异议，自动办结", "Closed: nobody objected in time"),
    "followed_up": ("回访后办结", "Closed after asking the reporter"),
    "incident": ("随同一事件办结", "Closed with its incident"),
}
KINDS = {
    "receipt": ("回执", "a receipt"),
    "reply": ("答复", "the reply"),
    "question": ("问题", "the question"),
    "rejected": ("不予受理的说明", "the refusal"),
    "delay": ("延迟说明", "word of a delay"),
    "progress": ("进展", "word of progress"),
    "appeal": ("复核结果", "the result of the appeal"),
    "restored": ("继续办理的说明", "word that it goes on"),
    "merged": ("并案的说明", "word that it was joined"),
    "parted": ("单独办理的说明", "word that it goes on by itself"),
    "status": ("到了哪一步", "word of how far it is"),
    "breach_reason": ("超期的原因", "the reason of a breach"),
    "refused": ("请求未生效的说明", "word of a refused request"),
    "reopened": ("重新办理的说明", "word of the reopening"),
    "new_work": ("新任务提醒", "word of new work"),
    "news": ("新情况提醒", "word of news"),
    "warning": ("到期提醒", "a warning"),
    "breach": ("超期提醒", "word of a breach"),
    "escalation": ("升级提醒", "an escalation"),
    "alarm": ("紧急提醒", "an alarm"),
    "surge": ("突然多起来的提醒", "word of a surge"),
}
FOUND_BY = {
    "rule": ("按规则", "by a rule"),
    "meaning": ("按意思相近", "by its meaning"),
}
ROLES = {
    "reviewer": ("部门负责人", "the department head"),
    "leader": ("馆领导", "a library leader"),
}


def _pick(table: Mapping[Any, tuple[str, str]], code: Any) -> tuple[str, str]:
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
    zh_name, en_name = d.get("category_names") or ("", "")
    about_zh = f"，类别：{zh_name}" if zh_name else ""
    about_en = f", category: {en_name}" if en_name else ""
    last_zh, last_en = ("，裁定", ", bindingly") if d.get("binding") else ("", "")
    verb_zh, verb_en = ("改派", "Dispatched again") if d.get("again") else ("派", "Dispatched")
    why_zh, why_en = (f"：{d['reason']}", f": {d['reason']}") if d.get("reason") else ("", "")
    return (
        f"{verb_zh}给{where}（{zh}{last_zh}）{about_zh}{why_zh}",
        f"{verb_en} to {where} ({en}{last_en}){about_en}{why_en}",
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


def _unassigned(d: Data, name: NameOf) -> tuple[str, str]:
    return UNASSIGNED.get(str(d.get("reason")), UNASSIGNED["staff"])


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
    if str(d.get("request")).startswith("feedback.received"):
        return "用户说也遇到了，但那个事件已经结束", "Said “me too” of an incident that was over"
    zh, en = _pick(REFUSED, d.get("reason"))
    return f"用户的请求没有生效：{zh}", f"The reporter's request was not taken up: {en}"


def _noted(d: Data, name: NameOf) -> tuple[str, str]:
    mentioned = "[，提到{mentioned}]", "[, mentioning {mentioned}]"
    did = ("打电话告诉了读者", "The reporter was rung") if d.get("rang") else _WROTE
    return twists.said(did[0] + mentioned[0], did[1] + mentioned[1])(d, name)


_WROTE = "写了内部备注", "An internal note was written"


def _rated(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(twists.SOLVED, d.get("solved"))
    return f"用户评价 {d.get('stars')} 星，{zh}", f"Rated {d.get('stars')} of 5, {en}"


def _with_reason(zh: str, en: str) -> Build:
    return lambda d, name: (f"{zh}：{d.get('reason', '')}", f"{en}: {d.get('reason', '')}")


def _clock(zh: str, en: str) -> Build:
    def build(d: Data, name: NameOf) -> tuple[str, str]:
        clock_zh, clock_en = _pick(CLOCK_NAMES, d.get("clock"))
        return zh.format(clock_zh), en.format(clock_en)

    return build


def _promises_changed(d: Data, name: NameOf) -> tuple[str, str]:
    said = [_change(change) for change in d.get("changes", ())] or [
        ("期限有变动", "Deadlines have changed")
    ]
    return "；".join(zh for zh, _ in said), "; ".join(en for _, en in said)


def _change(d: Data) -> tuple[str, str]:
    zh, en = _pick(CLOCK_NAMES, d.get("clock"))
    due, by = day_and_hour(d.get("due")), day_and_hour(d.get("due"), "en")
    match d.get("change"):
        case Change.PROMISED:
            return f"“{zh}”期限 {due}", f"{en} due {by}"
        case Change.MOVED:
            return f"“{zh}”的期限改为 {due}", f"the deadline of {en} moved to {by}"
        case Change.PAUSED:
            return f"“{zh}”暂停计时", f"the clock of {en} stands still"
        case Change.RESUMED:
            return f"“{zh}”继续计时，期限 {due}", f"the clock of {en} runs again, due {by}"
        case Change.MET if d.get("in_time", True):
            return f"“{zh}”按时完成", f"{en} in time"
        case Change.MET:
            return f"“{zh}”已完成，但超过了期限", f"{en} came late"
        case _:
            return f"“{zh}”不再计时", f"the clock of {en} no longer applies"


def _warned(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(CLOCK_NAMES, d.get("clock"))
    return f"“{zh}”时间已用 {d.get('level')}%", f"{d.get('level')}% of {en} is used up"


def _escalated(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = _pick(ROLES, d.get("to_role"))
    return f"已提请{zh}关注", f"Brought to {en}"


def _alarm_raised(d: Data, name: NameOf) -> tuple[str, str]:
    zh, en = ALARM_NAMES.get(str(d.get("kind")), ("", ""))
    how_zh, how_en = _pick(FOUND_BY, d.get("found_by"))
    return (
        f"可能是紧急情况（{how_zh}）" + (f"：{zh}" if zh else ""),
        f"It may be an emergency ({how_en})" + (f": {en}" if en else ""),
    )


def _delivery(zh: str, en: str) -> Build:
    def build(d: Data, name: NameOf) -> tuple[str, str]:
        kind_zh, kind_en = _pick(KINDS, d.get("kind"))
        to_zh, to_en = (
            ("用户", "the reporter") if d.get("audience") == "reporter" else ("馆员", "staff")
        )
        return zh.format(kind_zh, to_zh), en.format(kind_en, to_en)

    return build


_NOT_DELIVERED = _delivery("{0}没有送达{1}", "Could not deliver {0} to {1}")
_NOBODY_KNOWS = _delivery("不知道{0}有没有送达{1}", "It is not known whether {0} reached {1}")


def _failed(d: Data, name: NameOf) -> tuple[str, str]:
    return (_NOBODY_KNOWS if d.get("uncertain") else _NOT_DELIVERED)(d, name)


SENTENCES: dict[str, Build] = {
    "feedback.received": _received,
    "feedback.supplemented": _plain("用户补充了信息", "The reporter added something"),
    "feedback.pictures_erased": _plain("用户的照片已经删除", "The reporter's pictures were erased"),
    "feedback.supplement_moved": _plain(
        "用户说最后补充的是另一件事，已另立一件",
        "The reporter says that what was added last is about something else: "
        "it is a comment of its own now",
    ),
    "feedback.matters_asked": _plain(
        "用户要看自己的全部反馈", "The reporter asked for a link to all they have with us"
    ),
    "feedback.incident_named": _plain("用户说也遇到了", "The reporter says “me too”"),
    "feedback.reachable_again": _plain(
        "用户又在微信里说话了：先前发不出去的，现在发给他们",
        "The reporter wrote in WeChat again: what could not be sent before goes out now",
    ),
    "feedback.progress_asked": _plain(
        "用户在微信里问进展", "The reporter asked in WeChat how far it is"
    ),
    "feedback.urged": _plain("用户催办", "The reporter asked for speed"),
    "feedback.rated": _rated,
    "feedback.reopen_requested": _with_reason(
        "用户表示没有解决", "The reporter says it is not solved"
    ),
    "feedback.appealed": _with_reason("用户申请复核", "The reporter appealed"),
    "feedback.withdrawn": _plain("用户撤回", "The reporter took it back"),
    "feedback.routed": _routed,
    "feedback.triage_needed": _triage_needed,
    "feedback.alarm_raised": _alarm_raised,
    "case.alarm_confirmed": _plain("确认是紧急情况", "Confirmed: it is an emergency"),
    "case.alarm_dismissed": _plain("认定不是紧急情况", "Looked at: it is no emergency"),
    "case.alarm_unanswered": _plain(
        "警报还没有人处理，再次提醒用户关系办公室和馆领导",
        "Nobody has answered the alarm: the office and the leaders are told again",
    ),
    "case.opened": _plain("用户关系办公室已收件", "The user relations office has it"),
    "case.dispatched": _dispatched,
    "case.accepted": _accepted,
    "case.returned": _returned,
    "case.assigned": _assigned,
    "case.unassigned": _unassigned,
    "case.info_requested": _plain("请用户补充信息", "The reporter was asked something"),
    "case.resumed": _resumed,
    "case.noted": _noted,
    "case.replied": _replied,
    "case.rejected": _with_reason("不予受理", "Not accepted"),
    "case.closed": _closed,
    "case.reopened": _reopened,
    "case.withdrawn": _plain("已撤回，不再办理", "Withdrawn; work ends"),
    "case.request_refused": _request_refused,
    "sla.promises_changed": _promises_changed,
    "sla.warned": _warned,
    "sla.breached": _clock("“{}”超期", "The deadline of {} passed"),
    "escalation.raised": _escalated,
    "notification.sent": _delivery("已把{0}发给{1}", "Sent {0} to {1}"),
    "notification.failed": _failed,
    "notification.suppressed": _delivery("没有给{1}发{0}", "Did not send {0} to {1}"),
    **twists.SENTENCES,
}
"""Type without version → how its line is said, from what `domain.lines` keeps."""


def sentence(kind: str, data: Data, name_of: NameOf, locale: str = "zh") -> str:
    """The line of the timeline; a general one for a kind nobody put in words."""
    build = SENTENCES.get(kind)
    if build is None:
        return ("有新的记录", "Something was recorded")[locale == "en"]
    zh, en = build(data, name_of)
    return en if locale == "en" else zh


def actor_name(by: Actor, locale: str = "zh", absent: str | None = None) -> str:
    """Who did it, as people say it. A reporter has no name here.

    `absent` is what the person is called in whose place it was done.
    """
    if by.kind == "staff":
        name = by.display or by.name or ""
        if by.substitute_for is None:
            return name
        whom = absent or by.substitute_for
        return f"{name} (standing in for {whom})" if locale == "en" else f"{name}（代 {whom}）"
    pair = ("读者", "Reporter") if by.kind == "reporter" else ("系统", "System")
    return pair[locale == "en"]
