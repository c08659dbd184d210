"""What the fields of an action are called on a page, and how they are asked.

A key is the name of a field, or ``action.field`` where an action means something else by it.
"""

from __future__ import annotations

from services.desk.wording.twists import BREACH_CODES, HOW
from shared.web import names

FIELDS: dict[str, str] = {
    "text": "内容",
    "reason": "理由",
    "department": "哪个部门",
    "category": "类别",
    "type": "类型",
    "priority": "优先级",
    "title": "标题",
    "confidential": "保密",
    "to": "哪一件（查询码、编号或网址）",
    "into": "并入哪一件（查询码、编号或网址）",
    "incident": "哪个事件",
    "parts": "分成哪几件？每件一段，中间空一行。",
    "until": "到什么时候",
    "outcome": "结果",
    "rule": "依据的规定（名称和版本）",
    "solved": "解决了吗",
    "stars": "评价（星）",
    "how": "怎么问的",
    "clock": "哪一项超期了",
    "code": "原因",
    "dispatch.department": "交给哪个部门",
    "dispatch.reason": "理由（改派、裁定时要写）",
    "correct.reason": "为什么更正",
    "reject.reason": "原因，读者会看到",
    "reject.instead": "可以去找谁、怎么办，读者会看到",
    "return.reason": "为什么不归本部门",
    "return.suggest": "建议转给",
    "assign.to": "经办人",
    "ask.question": "想问读者什么？读者会直接看到这段话。",
    "add_department.question": "请他们做什么",
    "note.text": "备注，只有馆员看得到",
    "mention": "提到同事（会通知他们）",
    "progress.text": "进展，读者会直接看到这段话",
    "amend.text": "补充或更正，读者会直接看到这段话；答复本身不变",
    "wait.for": "在等哪个单位，读者会看到",
    "wait.reason": "等什么",
    "wait.until": "什么时候再看一次",
    "reply.text": "给读者的答复",
    "reply.reason": "理由（只作解释或做不到时要写）",
    "submit.text": "给读者的答复",
    "submit.reason": "理由（只作解释或做不到时要写）",
    "approve.text": "改过的答复",
    "approve.reason": "理由（只作解释或做不到时要写）",
    "send_back.comment": "请经办人改哪里",
    "extend.until": "希望延到什么时候",
    "extend.reason": "为什么要延期，读者会看到",
    "grant_extension.until": "同意延到什么时候",
    "grant_extension.note": "想对经办人说的话",
    "refuse_extension.reason": "为什么不同意",
    "finish_part.text": "本部门的意见，主办部门会看到",
    "explain_breach.text": "说明（已经说明过的，以这一次为准）",
    "explain_breach.until": "新的期限（没办结的可以另定，读者会看到）",
    "follow_up.text": "读者怎么说",
    "supervise.text": "督办意见，办理的人会看到",
    "uphold.reason": "复核意见，读者会看到",
    "dismiss.reason": "复核意见，读者会看到",
}
WORDS = frozenset({"text", "reason", "instead", "question", "comment", "note", "parts"})
"""Fields for sentences: they have room."""
PUBLIC = frozenset({"reply.text", "submit.text", "ask.question", "progress.text", "amend.text"})
"""Words that go out: they have more room, and are kept while somebody writes."""
MOMENTS = frozenset({"until"})
LISTS = {
    "department": "department",
    "suggest": "department",
    "category": "category",
    "clock": "clock",
    "assign.to": "colleague",
    "remove_department.department": "part",
    "incident": "incident",
    "mention": "people",
}
"""Fields that are chosen from what there is now."""
YES_NO = {"true": "是", "false": "否"}
SOLVED = {"yes": "解决了", "partly": "解决了一部分", "no": "没有解决"}
STARS = {str(n): "★" * n for n in range(5, 0, -1)}
CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "outcome": ("outcome", names.OUTCOMES),
    "type": ("type", names.TYPES),
    "priority": ("priority", names.PRIORITIES),
    "confidential": ("yes_no", YES_NO),
    "solved": ("solved", SOLVED),
    "stars": ("stars", STARS),
}
"""Field → the kind of code, and the codes with their Chinese names."""
PAIRED = {"code": BREACH_CODES, "how": HOW}
"""The same where both languages stand side by side."""
SEGMENTS = frozenset({"outcome", "solved"})
"""Few choices, of which one is always made: all of them are in sight."""
SAID_ELSEWHERE = frozenset({"rang"})
"""Fields that a form of their own sends."""
ONLY_IN = {"reply.type": "TRIAGE"}
"""Fields that mean something in one state only."""
KEPT_AS = {"submit": "reply", "amend": "reply"}
"""Actions that take the same words share what was begun, also where somebody was faster."""
UNCHANGED = "不改"
