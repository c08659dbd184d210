"""To staff."""

from __future__ import annotations

from collections.abc import Callable

from services.notification.wording.details import Details
from shared.contracts.vocabulary import ALARM_NAMES, CLOCK_NAMES, Clock
from shared.moments import day_and_hour, written_due

WORK = {
    "triage": "有一件反馈待整理",
    "accept": "有一件反馈待签收",
    "returned": "有一件反馈被退回，待重新派单",
    "reopened": "有一件反馈重新办理，待整理",
    "assigned": "有一件反馈指派给您办理",
    "unassigned": "有一件反馈现在没有人办理，请另作安排",
    "appeal": "有一件复核请求",
    "restored": "有一件反馈恢复办理，待整理",
    "answered_rejection": "用户对不予受理有话说，一件反馈恢复办理，待整理",
    "help": "请您的部门协办一件反馈",
    "extension": "有一件延期申请待审批",
    "review": "有一份答复待审核",
    "sent_back": "您的答复被退回修改",
    "adjudicated": "一件反馈经裁定派给了部门",
    "recalled": "用户关系办公室收回了一件反馈，你们不用再办",
    "moved": "一件反馈转给了别的部门，你们不用再办",
    "part_finished": "协办部门完成了他们的部分",
    "part_not_needed": "请你们协办的事已经有了结果，不用再办",
    "part_withdrawn": "请你们协办的一件反馈，现在不用你们办了",
    "extension_granted": "延期申请已同意",
    "extension_refused": "延期申请没有同意",
    "waited_until": "到了约定再看的日子，请继续办理",
    "waited_timeout": "用户没有在期限内补充，请继续办理",
    "supervised": "有一件反馈被督办",
    "mentioned": "有人在备注里提到了您",
    "supplemented": "用户补充了情况",
    "urged": "用户催办",
    "ring": "读者只留了电话，写给他的话请打电话告诉",
    "unreached": "写给用户的话没有送达，请看看怎么办",
    "unsure": "不知道写给用户的话有没有送达，请看看怎么办",
}


def _about(f: Details) -> str:
    priority = f.params.get("priority")
    lines = [
        f.say("标题：{title}", title=f.title) if f.title else "",
        # What they cannot open any more they know by when it came.
        f.say("收到：{at}", at=day_and_hour(f.received_at)) if f.received_at and not f.url else "",
        f.say("优先级：{priority}", priority=priority) if priority in ("P1", "P2") else "",
        f.url,
    ]
    return "\n".join(line for line in lines if line)


def _absent(f: Details) -> str:
    """Why somebody reads what was meant for another."""
    return f.say("本来该办的人外出了，没有人代理，所以告诉您。") if f.params.get("absent") else ""


def _work(f: Details) -> list[str]:
    what = f.say(WORK[f.params["what"]])
    urgent = f.params.get("priority") == "P1"
    reason = str(f.params.get("text", ""))
    return [
        f.say("【紧急】{what}", what=what) if urgent else what,
        f.say("{what}。", what=what),
        f.say("原因：{reason}", reason=reason) if reason else "",
        # It may quote the draft, or the reporter: it stays at the desk.
        f.say("要改什么，请在页面上看。") if f.params["what"] == "sent_back" else "",
        _absent(f),
        _about(f),
    ]


def _clock(f: Details) -> str:
    code = f.params.get("clock")
    known = code in Clock._value2member_map_
    return CLOCK_NAMES[Clock(str(code))][f.locale == "en"] if known else ""


def _promise(subject_zh: str) -> Callable[[Details], list[str]]:
    def write(f: Details) -> list[str]:
        subject = f.say(subject_zh, clock=_clock(f))
        due = f.moment("due")
        when = (
            f.say("{subject}：{due}。", subject=subject, due=written_due(due, f.locale))
            if due
            else ""
        )
        return [subject, when, _absent(f), _about(f)]

    return write


def _alarm(f: Details) -> list[str]:
    zh, en = ALARM_NAMES.get(str(f.params.get("alarm")), ("", ""))
    kind = en if f.locale == "en" else zh
    again = f.params.get("again")
    subject = f.say("【可能紧急】{kind}", kind=kind) if kind else f.say("【可能紧急】请马上看")
    return [
        f.say("【再次提醒】{subject}", subject=subject) if again else subject,
        f.say("一条来信可能说的是紧急情况，请马上打开看。判断之后点“是”或“不是”。"),
        f.say("到现在还没有人处理。") if again else "",
        _about(f),
    ]


def _surge(f: Details) -> list[str]:
    what = str(f.params.get("en" if f.locale == "en" else "zh", ""))
    n, minutes = str(f.params.get("n", "")), str(f.params.get("minutes", ""))
    return [
        f.say("【突然多起来】{what}", what=what),
        f.say("{minutes} 分钟里有 {n} 件说的可能是同一件事，比平时多得多。", minutes=minutes, n=n),
        f.say("请看一眼：是同一件事，就建成事件，说明一次；不是，就点“不是”。读者还没有被告知。"),
        f.url,
    ]


def _absence(f: Details) -> list[str]:
    until = f.moment("until")
    assert until is not None
    away, substitute = str(f.params["away"]), str(f.params["substitute"])
    by = str(f.params["by"]) or f.say("系统管理员")
    values = {"away": away, "by": by, "until": day_and_hour(until)}
    if f.params.get("stands_in"):
        subject = f.say("请您代理{away}的工作", away=away)
        said = f.say("{away}外出，到 {until}，由您代理（{by}记下的）。", **values)
    else:
        subject = f.say("{by}替您记下了外出", by=by)
        said = f.say("您外出，到 {until}。", until=values["until"])
        said += (
            f.say("由{substitute}代理。", substitute=substitute)
            if substitute
            else f.say("没有人代理。")
        )
    return [subject, said, f.link("在这里可以看，也可以改：")]


WRITERS = {
    "new_work": _work,
    "news": _work,
    "alarm": _alarm,
    "surge": _surge,
    "absence": _absence,
    "warning": _promise("{clock}期限快到了"),
    "breach": _promise("{clock}已经超期"),
    "escalation": _promise("需要您过问：{clock}"),
}
