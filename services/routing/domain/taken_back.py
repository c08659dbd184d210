"""Whether whoever tells of something takes it back in the same breath: a joke, or a test.

Only a clause that says nothing else counts: 开玩笑的, just kidding, 测试一下. "不是开玩笑", "no
kidding" and what happened in a test or to somebody who joked is told in earnest.
"""

from __future__ import annotations

import re

_CLAUSES = re.compile(
    r"[,，。、！？!?；;:：…()（）\[\]【】<>~～\n—–]+|\.(?=\s|$|\.)|\s-+\s"
    "|(?<=[\u3400-\u9fff])(?=[a-z])|(?<=[a-z])(?=[\u3400-\u9fff])"
)
_LONGEST = 40
"""Characters of such a clause, or of its end: who writes more says something else besides."""
_CHINESE = re.compile(
    "(?:我是来|我|我们|以上为|以上|上面|刚才|刚刚|前面|其实|这|那|都|只|就|仅|是|不过|一个|一条|一次|"
    "在|做|做个|抱歉|哈|嘿|嘻|h)*"
    "(?:开个?玩笑|闹着玩|说着玩|逗你|骗你|瞎编|编|愚人节|皮一下|恶作剧|测试|试一?下|试试|假消息|演习|演练)"
    "(?:的|地|了|啦|呢|哈|嘿|嘻|h|而已|罢了|一下|下|用|看|玩|你|们|快乐|系统|平台|功能|反应|速度|报警|"
    "警报|消息|信息|内容|数据|请|忽略|勿|回复|当真|别|怕|能|不能|有没有|人|是否|在|吗|[0-9])*"
)
_BEFORE = (
    r"i'?m|i am|i was|we'?re|we are|we were|it'?s|it is|it was|this is|this was|that'?s|that is|"
    r"that was|just|only|all|lol|haha\w*|hehe\w*|ok|sorry|but|please|ignore|a|an|my|another"
)
_AFTER = (
    r"lol|haha\w*|hehe\w*|you|u|guys|around|only|of|the|this|your|my|form|system|site|website|page|"
    r"alarm|message|submission|please|ignore|it|with|sorry|everyone|xd|\d+"
)
_ENGLISH = re.compile(
    rf"(?:(?:{_BEFORE})\s+)*"
    r"(?:kidding|joking|jk|j/k|jokes?|pranks?|pranking|fooling|messing|tests?|testing|drill"
    r"|april fools?)"
    rf"(?:\s+(?:{_AFTER}))*"
)
_AT_ITS_END = re.compile(
    r"^(?!.*[不没别谁非]).*(?:开个?玩笑|逗你们?玩?|骗你们?)[的啦了哈]*$"
    r"|(?<!not )(?<!n't )\b(?:just|only) (?:kidding|joking|testing)(?: lol| haha)?$"
    r"|\bjk(?: lol)?$"
)
"""A clause may end so without a mark: 着火了开玩笑的."""


def taken_back(folded: str) -> bool:
    """Takes what `fold` makes of a text."""
    clauses = (clause.strip(" \"'*#") for clause in _CLAUSES.split(folded))
    return any(
        _AT_ITS_END.search(clause[-_LONGEST:])
        or (len(clause) <= _LONGEST and (_CHINESE.fullmatch(clause) or _ENGLISH.fullmatch(clause)))
        for clause in clauses
        if clause
    )
