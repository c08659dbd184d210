"""Sentences for a reporter, in Chinese and English. Never a code, never jargon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Pair = tuple[str, str]
SayDue = Callable[[str], str]
"""A deadline in words: "周二 17:00 前"."""
NameOf = Callable[[str | None], str]
"""The name of a department."""

LINES: dict[str, Pair] = {
    "feedback.received": ("收到您的反馈。", "We received your message."),
    "feedback.supplemented": ("您补充了情况。", "You added information."),
    "feedback.urged": ("您催了一次，办理的人已经看到。", "You asked us to hurry; they know."),
    "feedback.reopen_requested": (
        "您说还没有解决，请我们重新办理。",
        "You said it is not solved and asked us to take it up again.",
    ),
    "feedback.appealed": ("您请馆领导复核。", "You asked a library leader to look again."),
    "feedback.withdrawn": ("您要撤回这条反馈。", "You asked to take this back."),
    "case.opened": (
        "用户关系办公室已经看到，正在确定由谁来办。",
        "The User Relations Office has it and is deciding who will look after it.",
    ),
    "case.dispatched": ("已转给{dept}。", "Passed to {dept}."),
    "case.accepted": ("{dept}已经接手。", "{dept} has taken it on."),
    "case.returned": (
        "正在为您重新安排部门。答应您的时间不变。",
        "We are finding the right department. The promised time stays.",
    ),
    "case.assigned": ("{dept}已安排专人办理。", "{dept} has put somebody in charge."),
    "case.info_requested": ("{dept}想问您：{question}", "{dept} asks you: {question}"),
    "case.replied": ("{dept}答复了您。", "{dept} answered you."),
    "case.rejected": (
        "很抱歉，这件事没能受理：{reason}",
        "We are sorry, we could not take this on: {reason}",
    ),
    "case.reopened": ("重新开始办理。", "We have taken it up again."),
    "case.withdrawn": ("已经撤回，我们不再办理。", "Taken back; we will not go on."),
    "sla.resumed": (
        "等您补充的时间不算在内，答复的时间顺延到{due}。",
        "The time we waited for you does not count; you will have the answer {due}.",
    ),
}
RATED: dict[str, Pair] = {
    "yes": (
        "您评了 {stars} 星，说解决了。谢谢。",
        "You gave {stars} of 5 and said it is solved. Thank you.",
    ),
    "partly": (
        "您评了 {stars} 星，说解决了一部分。谢谢。",
        "You gave {stars} of 5 and said it is partly solved. Thank you.",
    ),
    "no": (
        "您评了 {stars} 星，说没有解决。",
        "You gave {stars} of 5 and said it is not solved.",
    ),
}
RESUMED: dict[str, Pair] = {
    "supplied": ("看到您的补充，继续办理。", "We have your answer and go on."),
    "timeout": ("没有等到您的补充，先按已知情况办理。", "We go on with what we know so far."),
    "": ("继续办理。", "We go on."),
}
CLOSED: dict[str, Pair] = {
    "rated": ("这件事办完了，谢谢您的评价。", "This is finished. Thank you for your rating."),
    "quiet": ("答复后没有新的情况，这件事办完了。", "Nothing new since the reply: finished."),
    "": ("这件事办完了。", "This is finished."),
}
REFUSED: dict[str, Pair] = {
    "feedback.reopen_requested": (
        "很抱歉，已经过了可以重新办理的时间或次数。请再提一条新的反馈。",
        "We are sorry, it is too late or too often to take this up again. Please write anew.",
    ),
    "feedback.withdrawn": (
        "这件事已经办完，不需要撤回。",
        "This was finished already and cannot be taken back.",
    ),
    "": ("很抱歉，现在不能这样做了。", "We are sorry, this is not possible any more."),
}
PROMISED: dict[str, Pair] = {
    "FIRST_RESPONSE": ("我们会在{due}回应您。", "You will hear from a person {due}."),
    "RESOLUTION": ("我们会在{due}答复您。", "You will have our answer {due}."),
}
MOVED: Pair = ("答复的时间改为{due}。{why}", "The answer will now come {due}.{why}")
BREACHED: dict[str, Pair] = {
    "FIRST_RESPONSE": (
        "没能在答应的时间里回应您，很抱歉。我们已经在催办。",
        "We did not get back to you in the promised time. We are sorry and are chasing it.",
    ),
    "RESOLUTION": (
        "没能在答应的时间里答复您，很抱歉。我们已经在催办。",
        "We did not answer in the promised time. We are sorry and are chasing it.",
    ),
}
SENT: dict[str, Pair] = {
    "receipt": ("已经把查询码和答复时间发{how}给您。", "We sent you the code and the date{how}."),
    "reply": ("答复已经发{how}给您。", "The reply was sent to you{how}."),
    "question": ("问题已经发{how}给您。", "The question was sent to you{how}."),
    "rejected": ("原因已经发{how}给您。", "The reason was sent to you{how}."),
    "delay": ("已经把新的时间发{how}给您。", "We sent you the new date{how}."),
}
HOW: dict[str, Pair] = {"email": ("邮件", " by e-mail"), "wechat": ("微信", " on WeChat")}
REASONS: dict[str, Pair] = {
    "calendar": ("开放安排有变动。", "opening days have changed."),
    "priority": ("我们重新看了这件事的轻重缓急。", "we have looked again at how urgent it is."),
    "reopened": ("这件事重新办理。", "it was taken up again."),
}
NEXT: dict[str, Pair] = {
    "RECEIVED": (
        "接下来：用户关系办公室会确定由谁来办。",
        "Next: the User Relations Office decides who will look after it.",
    ),
    "TRIAGE": (
        "接下来：确定由谁来办，转过去时这里会写明。",
        "Next: it goes to whoever can help; you will see here who that is.",
    ),
    "DISPATCHED": ("接下来：{dept}接手。", "Next: {dept} takes it on."),
    "ACCEPTED": ("接下来：{dept}安排专人办理。", "Next: {dept} puts somebody in charge."),
    "IN_PROGRESS": ("接下来：{dept}给您答复。", "Next: {dept} answers you."),
    "WAITING_USER": (
        "接下来：请您补充，我们收到后马上继续。",
        "Next: please answer; we go on as soon as we hear from you.",
    ),
    "WAITING_EXTERNAL": (
        "接下来：等校内其他单位的回音，再给您答复。",
        "Next: we hear from others on campus and then answer you.",
    ),
    "IN_REVIEW": ("接下来：核对之后发给您。", "Next: it is checked and sent to you."),
    "REPLIED": (
        "接下来：请告诉我们解决了没有；没有解决可以请我们重新办。",
        "Next: tell us whether it helped; if not, we will take it up again.",
    ),
    "APPEALED": ("接下来：馆领导告诉您复核的结果。", "Next: a leader tells you the outcome."),
}


def pick(pair: Pair, locale: str) -> str:
    """The half of `pair` that is read in `locale`."""
    return pair[1] if locale == "en" else pair[0]


def sentence(
    type_: str, data: Mapping[str, Any], *, locale: str, say_due: SayDue, name_of: NameOf
) -> str:
    """What a line of the timeline says."""
    pair = _pair(type_, data)
    clock_due = data.get("due")
    how = pick(HOW.get(str(data.get("channel")), ("", "")), locale)
    return (
        pick(pair, locale)
        .replace("{dept}", _department(data, name_of, locale))
        .replace("{due}", say_due(clock_due) if clock_due else "")
        .replace("{why}", _why(str(data.get("reason") or ""), locale))
        .replace("{how}", how)
        .replace("{stars}", str(data.get("stars", "")))
        # The words of people come last: what they typed is never a pattern.
        .replace("{question}", str(data.get("question", "")))
        .replace("{reason}", str(data.get("reason", "")))
    )


def next_step(state: str, department: str, locale: str) -> str:
    """What happens next; empty once everything is over."""
    someone = "the department in charge" if locale == "en" else "负责的部门"
    return pick(NEXT.get(state, ("", "")), locale).replace("{dept}", department or someone)


def reason_words(reason: str | None, locale: str) -> str | None:
    """Why a promise moved; the house's own codes become words, a person's words stay."""
    if not reason:
        return None
    return pick(REASONS.get(reason, (reason, reason)), locale)


def _pair(type_: str, data: Mapping[str, Any]) -> Pair:
    match type_:
        case "feedback.rated":
            return RATED.get(str(data.get("solved")), RATED["partly"])
        case "case.resumed":
            return RESUMED.get(str(data.get("reason")), RESUMED[""])
        case "case.closed":
            return CLOSED.get(str(data.get("how")), CLOSED[""])
        case "case.request_refused":
            return REFUSED.get(str(data.get("request")).removesuffix(".v1"), REFUSED[""])
        case "sla.promised":
            return MOVED if data.get("moved") else PROMISED[str(data.get("clock"))]
        case "sla.breached":
            return BREACHED[str(data.get("clock"))]
        case "notification.sent":
            return SENT[str(data.get("kind"))]
    return LINES.get(type_, ("有新的进展。", "There is progress."))


def _department(data: Mapping[str, Any], name_of: NameOf, locale: str) -> str:
    name = name_of(data.get("department"))
    return name or ("The library" if locale == "en" else "图书馆")


def _why(reason: str, locale: str) -> str:
    words = reason_words(reason, locale)
    if not words:
        return ""
    return f" Reason: {words}" if locale == "en" else f"原因：{words}"
