"""Codes as people read them, and the one icon and colour each state has on every page."""

from __future__ import annotations

from typing import Any

from shared.contracts.vocabulary import CATEGORIES, DEPARTMENTS, STATE_NAMES

Pair = tuple[str, str]
"""(Chinese, English)."""

STATE_ICONS: dict[str, str] = {
    "RECEIVED": "inbox",
    "TRIAGE": "sort",
    "DISPATCHED": "send",
    "ACCEPTED": "stamp",
    "IN_PROGRESS": "work",
    "WAITING_USER": "question",
    "WAITING_EXTERNAL": "building",
    "IN_REVIEW": "eye",
    "REPLIED": "reply",
    "CLOSED": "done",
    "APPEALED": "scales",
    "REJECTED": "refuse",
    "MERGED": "merge",
    "WITHDRAWN": "undo",
    "SPAM": "ban",
}
"""State → symbol in ``icons.svg``; the colour is the CSS class ``state-<state in lower case>``."""

OUTCOMES: dict[str, Pair] = {
    "solved": ("已解决", "Solved"),
    "explained": ("已说明原因", "Explained"),
    "partly": ("解决了一部分", "Partly solved"),
    "cannot": ("目前做不到", "Not possible now"),
    "passed_on": ("已转相关单位", "Passed to others"),
    "no_longer_needed": ("已不需要处理", "No longer needed"),
}
TYPES: dict[str, Pair] = {
    "complaint": ("投诉", "Complaint"),
    "request": ("请求", "Request"),
    "suggestion": ("建议", "Suggestion"),
    "inquiry": ("咨询", "Question"),
    "praise": ("表扬", "Praise"),
}
PRIORITIES: dict[str, Pair] = {
    "P1": ("紧急", "Urgent"),
    "P2": ("高", "High"),
    "P3": ("普通", "Normal"),
    "P4": ("建议", "Suggestion"),
}
CLOCKS: dict[str, Pair] = {
    "TRIAGE": ("派单", "Sorting"),
    "ACCEPT": ("签收", "Acceptance"),
    "FIRST_RESPONSE": ("首次响应", "First response"),
    "NEXT_RESPONSE": ("再次响应", "Next response"),
    "RESOLUTION": ("办结", "Resolution"),
    "REVIEW": ("审核", "Review"),
    "FOLLOW_UP": ("回访", "Follow-up"),
    "APPEAL": ("复核", "Appeal"),
}
PROMISES: dict[str, Pair] = {
    "TRIAGE": ("确定由谁办理", "Decide who looks after it"),
    "ACCEPT": ("部门接手", "Department takes it on"),
    "FIRST_RESPONSE": ("有人第一次回应您", "First word from a person"),
    "NEXT_RESPONSE": ("有人再次回应您", "Next word from a person"),
    "RESOLUTION": ("给您答复", "Full answer to you"),
    "REVIEW": ("核对答复", "Reply is checked"),
    "FOLLOW_UP": ("问您是否满意", "We ask whether it helped"),
    "APPEAL": ("复核有结果", "Second look is done"),
}
"""The same clocks as a reporter reads them."""
CLOCK_STATUS: dict[str, Pair] = {
    "running": ("计时中", "running"),
    "paused": ("已暂停", "paused"),
    "met": ("已做到", "kept"),
    "breached": ("已超期", "overdue"),
    "cancelled": ("不再适用", "no longer applies"),
}
QUEUES: dict[str, Pair] = {
    "triage": ("待整理", "To sort"),
    "mine": ("我的", "Mine"),
    "department": ("本部门", "My department"),
    "to_accept": ("待签收", "To accept"),
    "due_soon": ("快到期", "Due soon"),
    "overdue": ("已超期", "Overdue"),
    "waiting": ("待补充", "Waiting"),
    "review": ("待审核", "To review"),
    "open": ("未办结", "Open"),
    "today": ("今天到期", "Due today"),
    "all": ("全部", "All"),
}
QUEUE_ICONS: dict[str, str] = {
    "triage": "sort",
    "mine": "user",
    "department": "people",
    "to_accept": "stamp",
    "due_soon": "clock",
    "overdue": "flag",
    "waiting": "question",
    "review": "eye",
    "open": "work",
    "today": "clock",
    "all": "inbox",
}
CHANNELS: dict[str, tuple[str, str, str]] = {
    "web": ("网页", "Web", "globe"),
    "desk": ("服务台", "Service desk", "desk"),
    "wechat": ("微信", "WeChat", "chat"),
    "email": ("邮件", "E-mail", "mail"),
    "phone": ("电话", "Phone", "phone"),
    "api": ("系统接入", "Other system", "plug"),
}
ROLES: dict[str, Pair] = {
    "coordinator": ("用户关系办公室", "User relations office"),
    "leader": ("馆领导", "Library leader"),
    "admin": ("系统管理员", "Administrator"),
    "auditor": ("审计", "Auditor"),
    "clerk": ("台口馆员", "Desk clerk"),
    "student": ("学生助理", "Student assistant"),
    "liaison": ("部门联络员", "Department liaison"),
    "handler": ("经办人", "Handler"),
    "reviewer": ("部门负责人", "Department head"),
}
DECIDERS: dict[str, Pair] = {
    "rule": ("按规则", "by rule"),
    "model": ("按以往的经验", "by experience"),
    "person": ("由人决定", "by a person"),
}

ACTIONS: dict[str, Pair] = {
    "dispatch": ("派单", "Dispatch"),
    "accept": ("签收", "Accept"),
    "return": ("退单", "Return"),
    "assign": ("指派经办人", "Assign"),
    "claim": ("我来办", "I take this"),
    "ask": ("请用户补充", "Ask the reporter"),
    "note": ("写内部备注", "Internal note"),
    "reply": ("发布答复", "Publish reply"),
    "approve": ("通过并发布", "Approve and publish"),
    "send_back": ("退回修改", "Send back"),
    "reject": ("不予受理", "Do not accept"),
    "close": ("办结", "Close"),
    "reopen": ("重新办理", "Reopen"),
    "merge": ("并入另一件", "Join to another"),
    "spam": ("标为无效", "Mark invalid"),
    "resume": ("继续办理", "Resume"),
    "wait_external": ("等待外部单位", "Wait for others"),
    "extend": ("申请延期", "Ask for more time"),
    "grant": ("同意延期", "Grant more time"),
    "refuse": ("不同意延期", "Refuse more time"),
    "submit": ("送审", "Submit for review"),
    "add_department": ("请部门协办", "Add a department"),
    "adjudicate": ("裁定", "Adjudicate"),
    "supervise": ("督办", "Supervise"),
    "uphold": ("复核成立", "Uphold the appeal"),
    "dismiss": ("维持原答复", "Dismiss the appeal"),
}
"""Staff actions; the fields of each are in ``services/desk/templates/_actions.html``."""
PRIMARY = (
    "accept",
    "approve",
    "uphold",
    "dispatch",
    "reply",
    "claim",
    "submit",
    "assign",
)
"""The first of these that is allowed is what the page puts in front of a member of staff."""


def pick(table: dict[str, Any], code: object, locale: str) -> str:
    """The name of `code` in `locale`; an unknown code is shown as it is."""
    entry = table.get(str(code)) if code else None
    return str(entry[0 if locale == "zh" else 1]) if entry else str(code or "")


STATES: dict[str, Pair] = {
    **{str(code): pair for code, pair in STATE_NAMES.items()},
    "WAITING_USER": ("待用户补充", "Waiting for reporter"),
}


def state_name(code: object, locale: str = "zh") -> str:
    """A state as staff read it: 已收到, 办理中, …."""
    return pick(STATES, code, locale)


def department_name(code: object, locale: str = "zh") -> str:
    """Name of a shipped department; prefer the ``department_name`` of an API body."""
    return pick(DEPARTMENTS, code, locale)


def category_name(code: object, locale: str = "zh") -> str:
    """Name of a shipped category."""
    return pick(CATEGORIES, code, locale)
