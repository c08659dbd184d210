"""What the tracking page says at the top: where it is, who has it, and the four steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.tracking.wording import lines
from services.tracking.wording.messages import translate
from shared.moments import moment

_PLACE = re.compile(r"\{(\w+)\}")
SENTENCES: dict[str, str] = {
    "RECEIVED": "我们已经收到您的话，接下来确定由谁来办。",
    "TRIAGE": "已经交给用户关系办公室，等他们确定由谁来办。",
    "DISPATCHED": "已转给{dept}，等他们接手。",
    "ACCEPTED": "{dept}已经接手，正在安排人办理。",
    "IN_PROGRESS": "{dept}正在办理。",
    "WAITING_USER": "{dept}想向您了解一点情况，等您补充。",
    "WAITING_EXTERNAL": "{dept}正在办理，需要其他单位配合。",
    "IN_REVIEW": "{dept}已经写好答复，正在最后核对。",
    "REPLIED": "{dept}已经答复您。",
    "CLOSED": "这件事已经办完，谢谢您告诉我们。",
    "APPEALED": "已经转给馆领导，等他们复核。",
    "REJECTED": "很抱歉，这件事图书馆没能受理。原因写在下面。",
    "MERGED": "已经和同一件事并在一起办理，进展照样在这里告诉您。",
    "WITHDRAWN": "您已经撤回，我们不再办理。",
    "SPAM": "这条内容没有办理。",
}
SPLIT = "您说的几件事分开办理，进展都在这里。"
LOOKED_AGAIN = "很抱歉，这件事图书馆没能受理。馆领导复核过，维持了这个决定。原因写在下面。"
LET_STAND = "馆领导复核过，维持了{dept}的答复。理由写在下面。"
"""Of an answer, until it is worked on again."""
UNANSWERED = "同样的事办完了，这件随着结束，没有单独答复您。"
"""What was closed with its incident, as it could be before."""
UNSOLVED: dict[str, str] = {
    "no": "您说没有解决。这件事先办结了，现在没有人在办。",
    "partly": "您说解决了一部分。这件事先办结了，现在没有人在办。",
}
"""What is closed, and not solved as its reporter says."""
WAITING_FOR = "{dept}正在办理，在等{waiting_for}。"
WAITING_FOR_ANOTHER = "{dept}正在办理，在等另一位读者补充情况。"
BACK: dict[str, str] = {
    "returned": "又交给了用户关系办公室，由他们重新安排部门。",
    "again": "我们重新来办这件事，由用户关系办公室确定谁来办。",
}
PROMISES: dict[str, str] = {
    "TRIAGE": "确定由谁办理",
    "ACCEPT": "部门接手",
    "FIRST_RESPONSE": "有人第一次回应您",
    "NEXT_RESPONSE": "有人再次回应您",
    "RESOLUTION": "给您答复",
    "REVIEW": "核对答复",
    "FOLLOW_UP": "问您是否满意",
    "APPEAL": "复核有结果",
}
"""The same clocks as a reporter reads them."""
STATE_WORDS: dict[str, str] = {
    "RECEIVED": "已收到",
    "TRIAGE": "待整理",
    "DISPATCHED": "已转给部门",
    "ACCEPTED": "部门已接手",
    "IN_PROGRESS": "办理中",
    "WAITING_USER": "等您补充",
    "WAITING_EXTERNAL": "需要其他单位配合",
    "IN_REVIEW": "正在核对答复",
    "REPLIED": "已答复",
    "CLOSED": "已办结",
    "APPEALED": "等待复核",
    "REJECTED": "未受理",
    "MERGED": "已合并办理",
    "WITHDRAWN": "已撤回",
    "SPAM": "未办理",
}
"""States as a reporter reads them; fit for ``state_text`` too."""
STAGE = {
    "RECEIVED": 1,
    "TRIAGE": 1,
    "DISPATCHED": 2,
    "ACCEPTED": 2,
    "IN_PROGRESS": 2,
    "WAITING_USER": 2,
    "WAITING_EXTERNAL": 2,
    "IN_REVIEW": 2,
    "APPEALED": 2,
    "REPLIED": 4,
    "CLOSED": 4,
}
"""State → index of the step that is under way (4: all done; absent: ended another way)."""
THANKS: dict[str, tuple[str, frozenset[str]]] = {
    "supplement": (
        "已经补充上了，办理的人会看到。",
        frozenset({"feedback.supplemented", "case.resumed", "case.restored"}),
    ),
    "urge": ("已经替您催了。", frozenset({"feedback.urged"})),
    "rate": ("谢谢您的评价。", frozenset({"feedback.rated", "case.closed"})),
    "reopen": ("我们重新来办这件事。", frozenset({"feedback.reopen_requested", "case.reopened"})),
    "withdraw": ("已经撤回。", frozenset({"feedback.withdrawn", "case.withdrawn"})),
    "appeal": ("已经请馆领导复核。", frozenset({"feedback.appealed", "case.appealed"})),
    "matters": (
        "如果这一件留过邮箱，链接已经发过去了；两小时内有效，只能用一次。",
        frozenset(),
    ),
}
"""What a reporter did just now → what is said of it, and the lines that are the same matter."""
THANKS_JOINED = ("已经告诉办理的人。", frozenset({"feedback.reopen_requested"}))
"""Of a reopening, where the case is handled together with others of the same matter."""
JUST_NOW = timedelta(minutes=10)
STEPS: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    ("received", "inbox", "收到", ("feedback.received",), ""),
    ("sorted", "sort", "整理", ("case.dispatched",), "TRIAGE"),
    ("handled", "work", "处理", ("case.accepted", "case.assigned"), "ACCEPT"),
    ("answered", "reply", "答复", (), "RESOLUTION"),
)


def sentence(case: dict[str, Any], locale: str = "zh") -> str:
    """One sentence: where it is and who has it; two where it is done together with others."""
    dept = case.get("department_name") or translate("负责的部门", locale)
    if case.get("state") == "REPLIED" or case.get("let_stand"):
        dept = case.get("answered_by") or translate(lines.OFFICE, locale)
    words = translate(_sentence(case), locale)
    values = {"dept": str(dept), "waiting_for": str((case.get("waiting_for") or {}).get("for", ""))}
    said = _PLACE.sub(lambda m: values.get(m[1], ""), words)
    if case.get("joined"):
        joined = translate(SENTENCES["MERGED"], locale)
        said = joined + ("" if locale == "zh" else " ") + lines.capital(said)
    return lines.capital(said)


def _sentence(case: dict[str, Any]) -> str:
    state = str(case.get("state"))
    if state == "MERGED" and case.get("parts"):
        return SPLIT
    if rejected := case.get("rejected"):
        return LOOKED_AGAIN if rejected.get("looked_again") else SENTENCES["REJECTED"]
    if state == "CLOSED" and not case.get("answered"):
        return UNANSWERED
    if case.get("let_stand"):
        return LET_STAND
    if state == "CLOSED" and case.get("solved") in UNSOLVED:
        return UNSOLVED[case["solved"]]
    if state == "WAITING_EXTERNAL" and case.get("waiting_for"):
        return WAITING_FOR
    if _waits_for_another(case):
        return WAITING_FOR_ANOTHER
    if state == "TRIAGE" and case.get("back") in BACK:
        return BACK[case["back"]]
    return SENTENCES.get(state, SENTENCES["RECEIVED"])


def takes_longer(case: dict[str, Any]) -> bool:
    """Whether the answer is promised for later than it was at first."""
    resolution = promise(case, "RESOLUTION") or {}
    return resolution.get("moved") == "later"


def shown_state(case: dict[str, Any]) -> str:
    """As which state it is shown: what was not taken on stays that, also after an appeal; where
    another reader is waited for, this one is asked nothing."""
    if case.get("rejected"):
        return "REJECTED"
    return "IN_PROGRESS" if _waits_for_another(case) else str(case.get("state") or "")


def _waits_for_another(case: dict[str, Any]) -> bool:
    return bool(case.get("joined")) and case.get("state") == "WAITING_USER"


def state_words(case: dict[str, Any], locale: str = "zh") -> str:
    """The state in a reporter's words."""
    code = shown_state(case)
    words = STATE_WORDS.get(code)
    if code == "MERGED" and case.get("parts"):
        words = lines.SPLIT
    elif _waits_for_another(case):
        words = lines.WAITING_FOR_ANOTHER
    elif code == "CLOSED":
        words = lines.CLOSED_UNSOLVED.get(case.get("solved") or "", words)
    return translate(words, locale) if words else code


def promise(case: dict[str, Any], *clocks: str) -> dict[str, Any] | None:
    """The first promise among `clocks` that still counts: running, paused, or broken."""
    promises = case.get("promises") or []
    for clock in clocks:
        for one in promises:
            if one.get("clock") == clock and one.get("status") in ("running", "paused", "breached"):
                return dict(one)
    return None


def goal(case: dict[str, Any]) -> dict[str, Any] | None:
    """What the reporter waits for next, where somebody has promised it."""
    match case.get("state"):
        case "APPEALED":
            return promise(case, "APPEAL")
        case "REPLIED" | "CLOSED" | "REJECTED" | "WITHDRAWN" | "SPAM":
            return None
    return promise(case, "RESOLUTION", "FIRST_RESPONSE")


def steps(case: dict[str, Any], locale: str = "zh") -> list[dict[str, Any]]:
    """The four steps, each with `name, icon, at` (when it happened), `due`, `mark`.

    `mark` is ``done``, ``now`` or ``next``; a case that ended otherwise has no ``now``.
    """
    timeline = sorted(case.get("timeline") or [], key=lambda line: line.get("seq") or 0)
    unanswered = case.get("state") == "CLOSED" and not case.get("answered")
    ended = shown_state(case) not in STAGE or unanswered
    stage = 1 if ended else STAGE[shown_state(case)]
    answers = sorted(reply["at"] for reply in case.get("replies") or ())
    made = []
    for index, (key, icon, name, types, clock) in enumerate(STEPS):
        at = [line["at"] for line in timeline if line.get("type") in types] if types else answers
        due = promise(case, clock) if clock else None
        mark = "done" if index < stage else "now" if index == stage and not ended else "next"
        made.append(
            {
                "key": key,
                "icon": icon,
                "name": translate(name, locale),
                # A reopened matter passes the steps again: what counts is the latest time.
                "at": at[-1 if index else 0] if at and mark != "next" else None,
                "due": due["due"] if due and due["status"] != "paused" and mark != "done" else None,
                "mark": mark,
            }
        )
    return made


def just_done(
    case: dict[str, Any], asked: Mapping[str, str], now: datetime, locale: str = "zh"
) -> str | None:
    """What is said of the action that the address names (`done`, `at`), as long as it is true: a
    little while, and until something else happens. The address may be kept for longer."""
    done, at = THANKS.get(asked.get("done", "")), moment(asked.get("at"))
    if done is None or at is None or abs(now - at) > JUST_NOW:
        return None
    words, same = THANKS_JOINED if asked.get("done") == "reopen" and case.get("joined") else done
    later = [
        line["type"]
        for line in case.get("timeline") or []
        if (moment(line["at"]) or at) > at and line["type"].startswith(("feedback.", "case."))
    ]
    answers = [
        one
        for one in case.get("conversation") or []
        if one["who"] == "library" and (moment(one["at"]) or at) > at
    ]
    return None if answers or not same.issuperset(later) else translate(words, locale)
