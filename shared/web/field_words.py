"""What fields are called where people read what is wrong with them; programs read their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from shared.web import names

FIELD_NAMES: Mapping[str, str] = {
    "about": "关于",
    "account": "账号",
    "action": "要做的事",
    "active": "启用",
    "again": "再输一次",
    "anonymous": "匿名",
    "at": "时间",
    "canned": "常用答复",
    "category": "类别",
    "channel": "渠道",
    "clock": "期限",
    "code": "原因",
    "comment": "意见",
    "confidential": "保密",
    "contact": "联系方式",
    "counts_as": "算作",
    "date": "日期",
    "defaults": "默认值",
    "department": "部门",
    "desk": "台口",
    "detail": "细目",
    "email": "邮箱",
    "en": "英文",
    "feedback_id": "编号",
    "feedback_ids": "选中的各件",
    "first": "第一天",
    "for": "在等谁",
    "from": "从",
    "how": "方式",
    "incident": "事件",
    "instead": "可以去找谁",
    "into": "并入哪一件",
    "kind": "种类",
    "last": "最后一天",
    "limit": "一次几件",
    "locale": "语言",
    "measure": "指标",
    "mention": "提到的同事",
    "name": "名称",
    "new": "新密码",
    "note": "备注",
    "notice": "放假通知",
    "occurred_at": "发生的时间",
    "on": "从哪天起",
    "on_behalf_of": "替谁",
    "open": "开放时间",
    "out": "移出的各件",
    "outcome": "结果",
    "parts": "分成的各件",
    "password": "密码",
    "period": "时段",
    "phone": "电话",
    "rang": "打过电话",
    "pictures": "照片",
    "place": "地点",
    "position": "顺序",
    "priority": "优先级",
    "q": "要找的",
    "query": "筛选",
    "question": "问题",
    "queue": "队列",
    "quiet": "免打扰时间",
    "reason": "理由",
    "reopened_percent": "重开后的时限",
    "reporter_group": "读者群",
    "required": "要不要审核",
    "responsible": "谁负责",
    "rows": "承诺的各行",
    "rule": "依据的规定",
    "skip": "翻页位置",
    "solved": "解决了吗",
    "stars": "评价",
    "state": "状态",
    "status": "状态",
    "substitute": "代办人",
    "suggest": "建议转给",
    "text": "内容",
    "title": "标题",
    "to": "到",
    "type": "类型",
    "typed": "编号",
    "until": "到什么时候",
    "username": "用户名",
    "version": "版本",
    "wanted": "要不要报告",
    "what": "做了什么",
    "year": "年份",
    "zh": "中文",
}
"""Name of a field, of a body or of an address → what people call it."""
_CODE = re.compile(r"[A-Za-z0-9_.-]+")
"""What only a program reads."""


class Wrong(NamedTuple):
    """One line of what is wrong: the `name` of the field in people's words, empty for what has
    none, and what is `said` of it."""

    field: str
    name: str
    said: str


def wrong_lines(errors: Mapping[str, str] | None, said_already: str, locale: str) -> list[Wrong]:
    """What a page lists below the sentence `said_already`: no code, and nothing twice."""
    return [
        Wrong(field, name_of_field(field, locale), said)
        for field, said in (errors or {}).items()
        if said != said_already and not _CODE.fullmatch(said)
    ]


def name_of_field(field: str, locale: str) -> str:
    """``parts.0.title`` is a title; empty where people have no word for it."""
    last = next((one for one in reversed(field.split(".")) if not one.isdigit()), "")
    return names.pick("field", FIELD_NAMES, last, locale) if last in FIELD_NAMES else ""
