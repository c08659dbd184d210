"""What the tracking page says at the top: where it is, who has it, and the four steps."""

from __future__ import annotations

from typing import Any

from shared.web.names import Pair, pick

SENTENCES: dict[str, Pair] = {
    "RECEIVED": (
        "我们已经收到您的话，正在看该由谁来办。",
        "We have received your words and are deciding who will look after them.",
    ),
    "TRIAGE": (
        "用户关系办公室正在看您说的事，确定由谁来办。",
        "The User Relations Office is reading it and deciding who will look after it.",
    ),
    "DISPATCHED": ("已转给{dept}，等他们接手。", "It is with {dept}, who will take it on."),
    "ACCEPTED": (
        "{dept}已经接手，正在安排人办理。",
        "{dept} has taken it on and is arranging who will handle it.",
    ),
    "IN_PROGRESS": ("{dept}正在办理。", "{dept} is working on it."),
    "WAITING_USER": (
        "{dept}想向您了解一点情况，等您补充。",
        "{dept} has a question for you and is waiting for your answer.",
    ),
    "WAITING_EXTERNAL": (
        "{dept}正在办理，需要校内其他单位配合。",
        "{dept} is working on it together with others on campus.",
    ),
    "IN_REVIEW": (
        "{dept}已经写好答复，正在最后核对。",
        "{dept} has written a reply; it is being checked.",
    ),
    "REPLIED": ("{dept}已经答复您。", "{dept} has answered you."),
    "CLOSED": ("这件事已经办完，谢谢您告诉我们。", "This is finished. Thank you for telling us."),
    "APPEALED": ("馆领导正在复核这件事。", "A library leader is taking a second look."),
    "REJECTED": (
        "很抱歉，这件事图书馆没能受理。原因写在下面。",
        "We are sorry: the library could not take this on. The reason is below.",
    ),
    "MERGED": (
        "已经和同一件事并在一起办理，进展照样在这里告诉您。",
        "It was joined with the same matter; you will hear the progress here.",
    ),
    "WITHDRAWN": ("您已经撤回，我们不再办理。", "You have taken it back; we will not go on."),
    "SPAM": ("这条内容没有办理。", "This message was not handled."),
}
STATE_WORDS: dict[str, Pair] = {
    "RECEIVED": ("已收到", "Received"),
    "TRIAGE": ("正在整理", "Being sorted"),
    "DISPATCHED": ("已转给部门", "With a department"),
    "ACCEPTED": ("部门已接手", "Taken on"),
    "IN_PROGRESS": ("办理中", "In progress"),
    "WAITING_USER": ("等您补充", "Waiting for you"),
    "WAITING_EXTERNAL": ("需要其他单位配合", "Others are involved"),
    "IN_REVIEW": ("正在核对答复", "Reply being checked"),
    "REPLIED": ("已答复", "Answered"),
    "CLOSED": ("已办结", "Finished"),
    "APPEALED": ("复核中", "Second look"),
    "REJECTED": ("未受理", "Not taken on"),
    "MERGED": ("已合并办理", "Joined to the same matter"),
    "WITHDRAWN": ("已撤回", "Taken back"),
    "SPAM": ("未办理", "Not handled"),
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
STEPS: tuple[tuple[str, str, Pair, tuple[str, ...], str], ...] = (
    ("received", "inbox", ("收到", "Received"), ("feedback.received",), ""),
    ("sorted", "sort", ("整理", "Sorted"), ("case.dispatched",), "TRIAGE"),
    ("handled", "work", ("处理", "Handled"), ("case.accepted", "case.assigned"), "ACCEPT"),
    ("answered", "reply", ("答复", "Answered"), ("case.replied", "case.closed"), "RESOLUTION"),
)


def sentence(case: dict[str, Any], locale: str = "zh") -> str:
    """One sentence: where it is and who has it."""
    zh, en = SENTENCES.get(str(case.get("state")), SENTENCES["RECEIVED"])
    someone = "负责的部门" if locale == "zh" else "The department in charge"
    dept = case.get("department_name") or someone
    return (zh if locale == "zh" else en).replace("{dept}", str(dept))


def state_words(code: object, locale: str = "zh") -> str:
    """The state in a reporter's words."""
    return pick(STATE_WORDS, code, locale)


def promise(case: dict[str, Any], *clocks: str) -> dict[str, Any] | None:
    """The first promise among `clocks` that still counts: running, paused, or broken."""
    promises = case.get("promises") or []
    for clock in clocks:
        for one in promises:
            if one.get("clock") == clock and one.get("status") in ("running", "paused", "breached"):
                return dict(one)
    return None


def steps(case: dict[str, Any], locale: str = "zh") -> list[dict[str, Any]]:
    """The four steps, each with `name, icon, at` (when it happened), `due`, `mark`.

    `mark` is ``done``, ``now`` or ``next``; a case that ended otherwise has no ``now``.
    """
    timeline = sorted(case.get("timeline") or [], key=lambda line: line.get("seq") or 0)
    ended = case.get("state") not in STAGE
    stage = STAGE.get(str(case.get("state")), 1)
    made = []
    for index, (key, icon, name, types, clock) in enumerate(STEPS):
        at = [line["at"] for line in timeline if line.get("type") in types]
        due = promise(case, clock) if clock else None
        mark = "done" if index < stage else "now" if index == stage and not ended else "next"
        made.append(
            {
                "key": key,
                "icon": icon,
                "name": name[0 if locale == "zh" else 1],
                # A reopened matter passes the steps again: what counts is the latest time.
                "at": at[-1 if index else 0] if at and mark != "next" else None,
                "due": due["due"] if due and due["status"] != "paused" and mark != "done" else None,
                "mark": mark,
            }
        )
    return made
