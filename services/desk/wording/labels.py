"""What stands on the pages of the desk beside codes that only the desk knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from services.desk.domain.search import spans
from services.desk.domain.transitions import ACTIVE
from shared.web.names import pick
from shared.web.pages import safe_words

QUEUES: dict[str, str] = {
    "alarm": "可能紧急",
    "triage": "待整理",
    "mine": "我的",
    "mentioned": "提到我的",
    "department": "本部门",
    "to_accept": "待签收",
    "due_soon": "快到期",
    "overdue": "已超期",
    "owed": "答复后又来信",
    "reasons": "欠超期原因",
    "waiting": "等待中",
    "review": "待审核",
    "escalated": "提请过问",
    "extensions": "申请延期",
    "appeals": "待复核",
    "open": "未办结",
    "today": "今天到期",
    "all": "全部",
}
QUEUE_ICONS: dict[str, str] = {
    "alarm": "bell",
    "triage": "sort",
    "mine": "user",
    "mentioned": "note",
    "department": "people",
    "to_accept": "stamp",
    "due_soon": "clock",
    "overdue": "flag",
    "owed": "chat",
    "reasons": "pen",
    "waiting": "question",
    "review": "eye",
    "escalated": "flag",
    "extensions": "clock",
    "appeals": "scales",
    "open": "work",
    "today": "clock",
    "all": "inbox",
}
CLOCK_STATUS: dict[str, str] = {
    "running": "计时中",
    "paused": "已暂停",
    "met": "已做到",
    "breached": "已超期",
    "cancelled": "不再适用",
}
DECIDERS: dict[str, str] = {
    "rule": "按规则",
    "model": "按以往的经验",
    "person": "由人决定",
}
ACTIONS: dict[str, str] = {
    "dispatch": "派单",
    "recall": "收回",
    "correct": "更正登记",
    "reject": "不予受理",
    "spam": "标为无效",
    "restore": "恢复办理",
    "merge": "并入另一件",
    "unmerge": "撤销并案或拆分",
    "split": "拆成几件",
    "link": "关联另一件",
    "unlink": "取消关联",
    "join": "归入事件",
    "leave": "移出事件",
    "add_department": "请部门协办",
    "remove_department": "取消协办",
    "follow_up": "登记回访",
    "confirm_alarm": "是紧急情况",
    "dismiss_alarm": "不是紧急情况",
    "close": "办结",
    "reopen": "重新办理",
    "accept": "签收",
    "return": "退单",
    "assign": "指派经办人",
    "claim": "我来办",
    "unassign": "放回本部门",
    "progress": "告诉读者进展",
    "ask": "请用户补充",
    "wait": "等待外部单位",
    "resume": "继续办理",
    "submit": "送审",
    "reply": "发布答复",
    "amend": "补充或更正答复",
    "extend": "申请延期",
    "finish_part": "完成协办",
    "explain_breach": "说明超期原因",
    "approve": "通过并发布",
    "send_back": "退回修改",
    "grant_extension": "同意延期",
    "refuse_extension": "不同意延期",
    "supervise": "督办",
    "uphold": "复核成立",
    "dismiss": "维持原答复",
    "note": "写内部备注",
}
"""Staff actions; their forms are made of what their bodies may hold (`api.forms`)."""
JOBS: dict[str, str] = {
    "undo": "撤销",
    "answer_incident": "答复事件的每一件",
    "close_incident": "办结事件的每一件",
    "explain": "更新对外说明",
}
"""What a job does besides an action of staff."""
READINGS: dict[str, str] = {"contact": "姓名和联系方式", "export": "导出的副本"}
"""What somebody was shown of a reporter."""
FOUND: dict[str, str] = {
    "place": "地点",
    "text": "原话",
    "note": "内部备注",
    "send_back": "退回修改的意见",
    "reply": "答复",
    "progress": "进展",
    "question": "问读者的话",
    "rejection": "不予受理的原因",
    "verdict": "复核意见",
    "follow_up": "回访",
    "supplement": "读者的补充",
    "rating": "读者的评价",
    "reopening": "要求重新办理的话",
    "appeal": "申请复核的话",
    "private": "编号、查询码，或这里不显示的内容",
    "meaning": "意思相近",
}
"""Where a search found it."""
PARTS: dict[str, str] = {
    "near": "可能是同一件事",
    "answered": "本部门怎么答复过类似的",
    "record": "记录与核对",
    "look": "发之前看一看",
}
"""Parts of the page of a case that are pages of their own, too."""
FIRST = ("approve", "grant_extension")
"""Somebody waits for the answer of this one person."""
PRIMARY: dict[str, tuple[str, ...]] = {
    "TRIAGE": ("dispatch",),
    "DISPATCHED": ("accept",),
    "ACCEPTED": ("claim", "assign"),
    "WAITING_USER": ("resume",),
    "WAITING_EXTERNAL": ("resume",),
    "APPEALED": ("uphold",),
    "REJECTED": ("restore",),
}
"""State → of these the first that is allowed is what the page puts in front of somebody."""
OPEN_STATES = frozenset(str(state) for state in ACTIVE)
"""While a case is in one of these, what is perhaps the same matter is worth a look."""
LAST = ("finish_part",)
COUNTERPART = {
    "approve": "send_back",
    "grant_extension": "refuse_extension",
    "uphold": "dismiss",
}
"""A decision → the other way to take it, which stands beside it."""


def primary(state: str, may: Sequence[str]) -> str:
    """What this person does next; empty where nothing is asked of them."""
    return next((a for a in (*FIRST, *PRIMARY.get(state, ()), *LAST) if a in may), "")


LOCALES = Path(__file__).parents[1] / "locales"
_TABLES = {
    "queue": QUEUES,
    "clock_status": CLOCK_STATUS,
    "decider": DECIDERS,
    "action": ACTIONS,
    "job": JOBS,
    "reading": READINGS,
    "found": FOUND,
}


def part_name(part: str, locale: str) -> str:
    """What a part of the page of a case is called."""
    return pick(None, PARTS, part, locale, LOCALES)


def marked(text: object, words: str) -> Markup:
    """`text` for display, with what a search for `words` found in it marked."""
    whole, shown, at = str(text or ""), Markup(), 0
    for begin, end in spans(whole, words):
        hit = Markup("<mark>{}</mark>").format(safe_words(whole[begin:end]))
        shown += Markup("{}{}").format(safe_words(whole[at:begin]), hit)
        at = end
    return shown + safe_words(whole[at:])


def page_words(locale: str) -> Mapping[str, Any]:
    """What the templates of the desk call, in the reader's language."""
    labels = SimpleNamespace(
        QUEUES=QUEUES,
        QUEUE_ICONS=QUEUE_ICONS,
        ACTIONS=ACTIONS,
        COUNTERPART=COUNTERPART,
        OPEN_STATES=OPEN_STATES,
    )
    words = {
        f"{kind}_name": partial(pick, kind, table, locale=locale, locales=LOCALES)
        for kind, table in _TABLES.items()
    }

    def job_name(kind: str) -> str:
        return str(words["action_name" if kind in ACTIONS else "job_name"](kind))

    return {"labels": labels, "primary": primary, **words, "job_name": job_name, "marked": marked}
