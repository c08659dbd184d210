"""Every sentence that goes out, in both languages. The reporter's own words never stand here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.contracts.vocabulary import Clock

LOCAL = ZoneInfo("Asia/Shanghai")
_DAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCKS: dict[str, tuple[str, str]] = {
    Clock.TRIAGE: ("派单", "sorting"),
    Clock.ACCEPT: ("签收", "acceptance"),
    Clock.FIRST_RESPONSE: ("首次响应", "first response"),
    Clock.NEXT_RESPONSE: ("再次响应", "next response"),
    Clock.RESOLUTION: ("答复", "the answer"),
    Clock.REVIEW: ("审核", "review"),
    Clock.FOLLOW_UP: ("回访", "follow-up"),
    Clock.APPEAL: ("复核", "the appeal"),
}
_MOVED = {
    "priority": (
        "整理之后，您反映的事归入了另一类，那一类的答复期限更长一些。",
        "After sorting, your matter turned out to belong to a kind that takes a little longer.",
    ),
    "calendar": ("图书馆的工作日历有调整。", "The library's working days have changed."),
}


@dataclass(frozen=True)
class Facts:
    """What a text may draw on."""

    url: str
    locale: str = "zh"
    received_at: datetime | None = None
    due: datetime | None = None
    title: str = ""
    channel: str = "email"
    params: dict[str, Any] = field(default_factory=dict)
    department_name: Callable[[str | None, str], str] = lambda code, locale: code or ""
    short: bool = False
    """The words are too long for this channel: say where they stand."""

    @property
    def zh(self) -> bool:
        return self.locale != "en"

    @property
    def department(self) -> str:
        return self.department_name(self.params.get("department"), self.locale)


def day(value: datetime, locale: str = "zh") -> str:
    """`3月4日` / `4 Mar`: mail is read on another day, so never "tomorrow"."""
    value = value.astimezone(LOCAL)
    if locale == "en":
        return f"{value.day} {_MONTHS[value.month - 1]}"
    return f"{value.month}月{value.day}日"


def by_when(value: datetime, locale: str = "zh") -> str:
    """`3月11日（周三）17:00 前` / `by 17:00 on Wed 11 Mar`."""
    value = value.astimezone(LOCAL)
    weekday = _DAYS["en" if locale == "en" else "zh"][value.weekday()]
    if locale == "en":
        return f"by {value:%H:%M} on {weekday} {day(value, 'en')}"
    return f"{day(value)}（{weekday}）{value:%H:%M} 前"


def compose(kind: str, facts: Facts) -> tuple[str, str]:
    """Subject and text of a message."""
    subject, *parts = _WRITERS[kind](facts)
    return subject, "\n\n".join(part for part in parts if part) + "\n"


# -- to the reporter ------------------------------------------------------------------


def _hello(f: Facts) -> str:
    return "您好：" if f.zh else "Hello,"


def _yours(f: Facts) -> str:
    if f.received_at is None:
        return "您的反馈" if f.zh else "your comment"
    when = day(f.received_at, f.locale)
    return f"您{when}留下的反馈" if f.zh else f"your comment of {when}"


def _signed(f: Facts) -> str:
    return "图书馆用户关系办公室" if f.zh else "User Relations Office, the Library"


def _automatic(f: Facts) -> str:
    if f.channel == "wechat":
        return ""
    if f.zh:
        return "（这封信是系统自动发出的，直接回信没有人能看到；想说什么，请用上面的链接。）"
    return (
        "(Sent automatically: nobody reads replies to this message, so please use the link above.)"
    )


def _link(f: Facts, zh: str, en: str) -> str:
    return f"{zh}\n{f.url}" if f.zh else f"{en}\n{f.url}"


def _receipt(f: Facts) -> list[str]:
    if f.zh:
        promise = (
            f"我们会在{by_when(f.due)}答复您。万一做不到，我们会提前告诉您原因和新的时间。"
            if f.due
            else "我们会尽快处理，进展会写在下面的页面上。"
        )
        return [
            "我们收到了您的反馈",
            _hello(f),
            f"谢谢您告诉我们。{_yours(f)}已经收到，会有人认真看。",
            promise,
            _link(f, "看进展、补充情况、催一催，都在这里（不用登录，请收好这个链接）：", ""),
            _signed(f),
            _automatic(f),
        ]
    promise = (
        f"You will have our answer {by_when(f.due, 'en')}. Should we not manage, "
        "we will tell you why, and the new date, before you have to ask."
        if f.due
        else "We will look into it as soon as we can; progress is shown on the page below."
    )
    return [
        "We have received your comment",
        _hello(f),
        f"Thank you for telling us. We have {_yours(f)}, and somebody will read it with care.",
        promise,
        _link(f, "", "Follow it, add to it or ask us to hurry here (no account needed):"),
        _signed(f),
        _automatic(f),
    ]


def _reopened(f: Facts) -> list[str]:
    if f.zh:
        return [
            "我们重新办理您的反馈",
            _hello(f),
            f"{_yours(f)}还没有真正解决，我们重新来办。"
            + (f"这一次会在{by_when(f.due)}答复您。" if f.due else ""),
            _link(f, "进展还在这里：", ""),
            _signed(f),
            _automatic(f),
        ]
    return [
        "We are working on your comment again",
        _hello(f),
        f"The matter of {_yours(f)} is not settled, so we are working on it again."
        + (f" This time you will hear from us {by_when(f.due, 'en')}." if f.due else ""),
        _link(f, "", "Progress is shown here as before:"),
        _signed(f),
        _automatic(f),
    ]


def _words(f: Facts, zh: str, en: str) -> str:
    if not f.short:
        return str(f.params.get("text", ""))
    return zh if f.zh else en


def _reply(f: Facts) -> list[str]:
    words = _words(
        f,
        "答复比较长，这里放不下，全文在下面的页面上。",
        "The reply is too long for a message here; the page below has all of it.",
    )
    if f.zh:
        who = f.department or "图书馆"
        return [
            "您的反馈有答复了",
            _hello(f),
            f"关于{_yours(f)}，{who}答复如下：",
            words,
            "——",
            _link(f, "问题解决了吗？请在这里告诉我们；没有解决，也可以请我们重新办：", ""),
            _signed(f),
        ]
    who = f.department or "the Library"
    return [
        "A reply to your comment",
        _hello(f),
        f"About {_yours(f)}, {who} replies:",
        words,
        "—",
        _link(f, "", "Did it help? Tell us here; if it did not, you can ask us to look again:"),
        _signed(f),
    ]


def _question(f: Facts) -> list[str]:
    words = _words(f, "问题写在下面的页面上。", "The question is on the page below.")
    if f.zh:
        who = f.department or "图书馆"
        return [
            "想请您补充一点情况",
            _hello(f),
            f"{who}正在办理{_yours(f)}，想请问您：",
            words,
            _link(f, "请在这里回答（等您回答的时间不算在我们的期限里）：", ""),
            _signed(f),
        ]
    who = f.department or "the Library"
    return [
        "A question about your comment",
        _hello(f),
        f"{who} is working on {_yours(f)} and would like to ask you:",
        words,
        _link(f, "", "Please answer here (our deadline waits until you do):"),
        _signed(f),
    ]


def _rejected(f: Facts) -> list[str]:
    words = _words(f, "原因写在下面的页面上。", "The reason is on the page below.")
    if f.zh:
        return [
            "关于您的反馈",
            _hello(f),
            f"很抱歉，{_yours(f)}我们没有办法受理。原因是：",
            words,
            _link(f, "如果您觉得不对，请在这里告诉我们：", ""),
            _signed(f),
        ]
    return [
        "About your comment",
        _hello(f),
        f"We are sorry: we cannot take up {_yours(f)}. The reason:",
        words,
        _link(f, "", "If you think this is wrong, please tell us here:"),
        _signed(f),
    ]


def _refused(f: Facts) -> list[str]:
    words = _words(f, "原因写在下面的页面上。", "The reason is on the page below.")
    if f.zh:
        return [
            "您刚才的请求没有办成",
            _hello(f),
            f"关于{_yours(f)}，您刚才的请求我们没能照办。原因是：",
            words,
            _link(f, "现在可以做什么，写在这里：", ""),
            _signed(f),
        ]
    return [
        "We could not do what you asked",
        _hello(f),
        f"About {_yours(f)}: we could not do what you just asked. The reason:",
        words,
        _link(f, "", "What you can do now is shown here:"),
        _signed(f),
    ]


def _delay(f: Facts) -> list[str]:
    was, due = _moment(f.params.get("was")), _moment(f.params.get("due"))
    raw = str(f.params.get("reason", ""))
    because = _MOVED[raw][0 if f.zh else 1] if raw in _MOVED else raw
    if f.zh:
        who = f.department
        said = f"我们原来答应{by_when(was)}答复{_yours(f)}" if was else f"关于{_yours(f)}"
        if due:
            body = f"{said}，现在需要改到{by_when(due)}。让您久等了，对不起。"
            why = f"原因：{because}" if because else ""
        else:
            body = f"{said}，没能做到。对不起。"
            why = (f"{who}还在办理，" if who else "这件事还在办理，") + (
                "已经提醒了负责的人。一有结果，马上告诉您。"
            )
        return [
            "您的反馈要晚一些答复",
            _hello(f),
            body,
            why,
            _link(f, "现在到了哪一步，可以在这里看：", ""),
            _signed(f),
            _automatic(f),
        ]
    said = f"We promised an answer to {_yours(f)} {by_when(was, 'en')}" if was else "Your answer"
    if due:
        until = by_when(due, "en").removeprefix("by ")
        body = f"{said}. It will now take until {until}. We are sorry."
        why = f"The reason: {because}" if because else ""
    else:
        body = f"{said}, and we have not kept that promise. We are sorry."
        why = (f"{f.department} is" if f.department else "We are") + (
            " still working on it, and those responsible have been reminded. "
            "You will hear from us as soon as there is a result."
        )
    return [
        "Our answer will be late",
        _hello(f),
        body,
        why,
        _link(f, "", "Where it stands now:"),
        _signed(f),
        _automatic(f),
    ]


# -- to staff -------------------------------------------------------------------------

_WORK = {
    "triage": ("有一件反馈待整理", "A comment waits to be sorted"),
    "accept": ("有一件反馈待签收", "A comment waits for your department"),
    "returned": ("有一件反馈被退回，待重新派单", "A comment was returned and waits to be sorted"),
    "reopened": ("有一件反馈重新办理，待整理", "A comment was reopened and waits to be sorted"),
    "assigned": ("有一件反馈指派给您办理", "A comment was assigned to you"),
    "appeal": ("有一件复核请求", "An appeal waits for you"),
    "supplemented": ("用户补充了情况", "The reporter added something"),
    "urged": ("用户催办", "The reporter asks for speed"),
}


def _about(f: Facts) -> str:
    urgent = f.params.get("priority") in ("P1", "P2")
    lines = [
        (f"标题：{f.title}" if f.zh else f"Title: {f.title}") if f.title else "",
        (f"优先级：{f.params['priority']}" if f.zh else f"Priority: {f.params['priority']}")
        if urgent
        else "",
        f.url,
    ]
    return "\n".join(line for line in lines if line)


def _work(f: Facts) -> list[str]:
    zh, en = _WORK[f.params["what"]]
    urgent = f.params.get("priority") == "P1"
    subject = (("【紧急】" if urgent else "") + zh) if f.zh else ("URGENT: " if urgent else "") + en
    reason = str(f.params.get("text", ""))
    said = (f"原因：{reason}" if f.zh else f"Reason: {reason}") if reason else ""
    return [subject, (f"{zh}。" if f.zh else f"{en}."), said, _about(f)]


def _promise(zh: str, en: str) -> Callable[[Facts], list[str]]:
    def write(f: Facts) -> list[str]:
        name = _CLOCKS.get(str(f.params.get("clock")), ("", ""))
        due = _moment(f.params.get("due"))
        when = by_when(due, f.locale) if due else ""
        subject = (zh if f.zh else en).format(clock=name[0 if f.zh else 1])
        said = f"{subject}：{when}。" if f.zh else f"{subject} ({when})."
        return [subject, said, _about(f)]

    return write


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


_WRITERS: dict[str, Callable[[Facts], list[str]]] = {
    "receipt": _receipt,
    "reopened": _reopened,
    "reply": _reply,
    "question": _question,
    "rejected": _rejected,
    "refused": _refused,
    "delay": _delay,
    "new_work": _work,
    "news": _work,
    "warning": _promise("{clock}期限快到了", "The time for {clock} is nearly over"),
    "breach": _promise("{clock}已经超期", "The time for {clock} is over"),
    "escalation": _promise("需要您过问：{clock}", "Needs your attention: {clock}"),
}
