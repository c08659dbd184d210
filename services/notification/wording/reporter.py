"""To the reporter. Their own words never stand here."""

from __future__ import annotations

import re

from services.notification.wording.details import Details
from shared.contracts.vocabulary import RefusalReason
from shared.moments import written_due
from shared.privacy import PLACEHOLDERS
from shared.web import letter

REFUSALS: dict[str, str] = {
    RefusalReason.TOO_LATE: "可以这样做的期限已经过了。",
    RefusalReason.TOO_OFTEN: "这样做的次数已经用完了。",
    RefusalReason.NOT_POSSIBLE_NOW: "以这件事现在的情况，不能这样做。",
}
MOVED = {
    "priority": "我们重新看了这件事的轻重缓急。",
    "category": "整理之后，您反映的事归入了另一类，那一类的答复期限更长一些。",
    "calendar": "图书馆的工作日历有调整。",
}
"""Why a promise moved, where nobody wrote a reason."""
_SHORT_INSTEAD = 300
"""Characters: with the rest of a WeChat message less than it may hold."""
_CODE = re.compile(r"[a-z0-9_.]+")
"""What a program wrote; a reason in words of people never looks like it."""


def _letter(
    f: Details, subject: str, *body: str, automatic: bool = True, dated: bool = True
) -> list[str]:
    unread = ""
    if automatic and f.channel != "wechat" and not f.answerable:
        unread = f.say(
            "（这封信是系统自动发出的，直接回信没有人能看到；想说什么，请用上面的链接。）"
        )
    about = letter.titled(f.say(subject), f.received_at if dated else None, f.locale, f.part)
    return [*letter.framed(f.locale, about, *body), unread]


def _yours(f: Details) -> str:
    return letter.yours(f.received_at, f.locale, f.part)


def _receipt(f: Details) -> list[str]:
    promise = f.say("我们会尽快处理，进展会写在下面的页面上。")
    if f.due:
        promise = f.say(
            "我们会在{due}答复您。万一做不到，我们会提前告诉您原因和新的时间。",
            due=written_due(f.due, f.locale),
        )
    return _letter(
        f,
        "我们收到了您的反馈",
        f.say("谢谢您告诉我们。{yours}已经收到，会有人认真看。", yours=_yours(f)),
        promise,
        f.link("看进展、补充情况、催一催，都在这里（不用登录，请收好这个链接）："),
    )


def _reopened(f: Details) -> list[str]:
    again = f.say("{yours}还没有真正解决，我们重新来办。", yours=_yours(f))
    if f.due:
        again = f.say(
            "{yours}还没有真正解决，我们重新来办。这一次会在{due}答复您。",
            yours=_yours(f),
            due=written_due(f.due, f.locale),
        )
    return _letter(f, "我们重新办理您的反馈", again, f.link("进展还在这里："))


def _question(f: Details) -> list[str]:
    who = f.department or f.say("图书馆")
    return _letter(
        f,
        "想请您补充一点情况",
        f.say("{who}正在办理{yours}，想请问您：", yours=_yours(f), who=who),
        f.words("问题写在下面的页面上。"),
        f.link(
            "直接在这里回复就行，或者在这个页面上回答（等您回答的时间不算在我们的期限里）："
            if f.channel == "wechat"
            else "请在这里回答（等您回答的时间不算在我们的期限里）："
        ),
        automatic=False,
    )


def _progress(f: Details) -> list[str]:
    who = f.department or letter.office(f.locale)
    if f.params.get("after"):
        return _letter(
            f,
            "给您的答复有补充",
            f.say("关于{yours}，{who}补充了答复：", yours=_yours(f), who=who),
            f.words("补充的话写在下面的页面上。"),
            f.link("连同原来的答复，可以在这里看："),
            automatic=False,
        )
    return _letter(
        f,
        "您的反馈有进展",
        f.say("关于{yours}，{who}告诉您进展：", yours=_yours(f), who=who),
        f.words("进展写在下面的页面上。"),
        f.link("办完之后我们还会答复您。现在到了哪一步，可以在这里看："),
        automatic=False,
    )


def _appeal(f: Details) -> list[str]:
    result = (
        "馆领导复核了{yours}，决定重新办理："
        if f.params.get("upheld")
        else "馆领导复核了{yours}，维持原来的处理，理由如下："
    )
    return _letter(
        f,
        "您的反馈复核有结果了",
        f.say(result, yours=_yours(f)),
        f.words("理由写在下面的页面上。"),
        f.say("这一次会在{due}答复您。", due=written_due(f.due, f.locale))
        if f.params.get("upheld") and f.due
        else "",
        _instead(f),
        _left(f),
        f.link("经过都在这里："),
        automatic=False,
    )


def _left(f: Details) -> str:
    """What is left to whoever reads that a leader let their answer stand, and how often."""
    left, until = f.params.get("left"), f.moment("until")
    if left is None:
        return ""
    if not left or until is None:
        return f.say("不再复核。有新的情况，请另提一条。")
    due = written_due(until, f.locale)
    if left == 1:
        return f.say("还没有解决的话，在{due}可以再请我们重新办一次，那是最后一次。", due=due)
    return f.say("还没有解决的话，在{due}可以再请我们重新办，最多 {n} 次。", due=due, n=str(left))


def _restored(f: Details) -> list[str]:
    again = f.say("{yours}，我们继续办理。", yours=_yours(f))
    if f.due:
        again = f.say(
            "{yours}，我们继续办理，会在{due}答复您。",
            yours=_yours(f),
            due=written_due(f.due, f.locale),
        )
    over = f.say("之前说的不能受理，不再算数。") if f.params.get("rejected") else ""
    return _letter(f, "您的反馈继续办理", again, over, f.link("进展还在这里："))


def _merged(f: Details) -> list[str]:
    due = f.moment("due")
    later = (
        f.say("会在{due}答复，比原来说的晚，对不起。", due=written_due(due, f.locale))
        if due
        else ""
    )
    return _letter(
        f,
        "您的反馈和同一件事一起办理",
        f.say(
            "和{yours}同样的事，别人也告诉了我们。我们一起办理，有了答复也会告诉您。",
            yours=_yours(f),
        ),
        later,
        f.link("进展还在这里："),
    )


def _parted(f: Details) -> list[str]:
    alone = f.say("{yours}原来和同一件事一起办理，现在单独办理。", yours=_yours(f))
    if f.due:
        alone = f.say(
            "{yours}原来和同一件事一起办理，现在单独办理，会在{due}答复您。",
            yours=_yours(f),
            due=written_due(f.due, f.locale),
        )
    return _letter(f, "您的反馈单独办理", alone, f.link("进展还在这里："))


def _breach_reason(f: Details) -> list[str]:
    why = f.say("{yours}没能按时答复，对不起。原因是：", yours=_yours(f))
    if f.params.get("again"):
        why = f.say("{yours}没能按时答复，原因以这一次说的为准：", yours=_yours(f))
    return _letter(
        f,
        "您的反馈为什么晚了",
        why,
        f.words("原因写在下面的页面上。"),
        f.link("现在到了哪一步，可以在这里看："),
    )


def _matters(f: Details) -> list[str]:
    until = f.moment("until")
    assert until is not None
    by = written_due(until, f.locale)
    return _letter(
        f,
        "您在图书馆的全部反馈",
        f.say("有人（应该是您）想看用这个邮箱留下的全部反馈。"),
        f.link("打开下面的链接，再按一下按钮，就能看到。链接只能用一次："),
        f.say("请在{until}打开。不是您的话，不用理会，别人看不到。", until=by),
        dated=False,
    )


_STATUS = {
    **dict.fromkeys(("", "RECEIVED", "TRIAGE"), "在用户关系办公室，接下来由他们确定哪个部门来办。"),
    **dict.fromkeys(("DISPATCHED", "ACCEPTED"), "已经转给{who}，接下来由他们安排人办理。"),
    **dict.fromkeys(("IN_PROGRESS", "WAITING_EXTERNAL"), "{who}正在办理，办好了就答复您。"),
    "WAITING_USER": "{who}想向您了解一点情况，等您补充，直接在这里回答就行。",
    "IN_REVIEW": "{who}已经写好答复，核对之后就发给您。",
    "APPEALED": "已经转给馆领导，接下来由他们复核。",
    "REPLIED": "{who}已经答复您。要是没有解决，可以在下面的页面上要求重办。",
    "CLOSED": "已经办完了。要是没有解决，下面的页面上写着还能怎么办。",
    "REJECTED": "很抱歉，没能受理，原因写在下面的页面上。",
    "MERGED": "和同一件事并在一起办理，有了答复也会告诉您。",
    "WITHDRAWN": "您已经撤回，我们不再办理。",
    "SPAM": "没有办理。如果是我们弄错了，请在这里再说一次：在哪里、什么事。",
}
"""State → where it is, who has it and what is next. An event between two of these that nobody is
told of changes none of them."""
_SPLIT = "您说的几件事分开办理，各到了哪一步，写在下面的页面上。"
_BY_WHEN = "会在{due}答复您。"
_LATE = "原来答应{due}答复，已经晚了，对不起。一有结果，马上告诉您。"
_OPEN = frozenset(
    {"", "RECEIVED", "TRIAGE", "DISPATCHED", "ACCEPTED", "IN_PROGRESS", "WAITING_EXTERNAL"}
    | {"IN_REVIEW", "MERGED"}
)


def _status(f: Details) -> list[str]:
    state, due = str(f.params.get("state", "")), f.moment("due")
    who = f.department or letter.office(f.locale)
    where = _SPLIT if f.params.get("split") else _STATUS.get(state, _STATUS[""])
    when = ""
    if due and state in _OPEN:
        said = _LATE if f.params.get("late") else _BY_WHEN
        when = f.say(said, due=written_due(due, f.locale))
    return _letter(
        f,
        "您的反馈到了哪一步",
        f.say("关于{yours}：", yours=_yours(f)),
        f.say(where, who=who),
        when,
        f.link("经过都在这里："),
    )


def _rejected(f: Details) -> list[str]:
    return _letter(
        f,
        "关于您的反馈",
        f.say("很抱歉，{yours}我们没有办法受理。原因是：", yours=_yours(f)),
        f.words("原因写在下面的页面上。"),
        _instead(f),
        f.link("如果您觉得不对，请在这里告诉我们："),
        automatic=False,
    )


def _instead(f: Details) -> str:
    """Where to go with what was not taken on; what a short message does not hold is on the page."""
    instead = str(f.params.get("instead") or "")
    if not instead or (f.short and len(instead) > _SHORT_INSTEAD):
        return ""
    for masked in PLACEHOLDERS:
        instead = instead.replace(masked, f.say(masked))
    return f.say("这类事可以这样办：{instead}", instead=instead)


def _refused(f: Details) -> list[str]:
    code = str(f.params.get("reason", ""))
    return _letter(
        f,
        "您刚才的请求没有办成",
        f.say("关于{yours}，您刚才的请求我们没能照办。", yours=_yours(f)),
        f.say(REFUSALS[code]) if code in REFUSALS else "",
        f.link("现在可以做什么，写在这里："),
        automatic=False,
    )


def _delay(f: Details) -> list[str]:
    was, due = f.moment("was"), f.moment("due")
    yours, who = _yours(f), f.department
    if was:
        promised = f.say(
            "我们原来答应{was}答复{yours}", was=written_due(was, f.locale), yours=yours
        )
    else:
        promised = f.say("关于{yours}", yours=yours)
    if due:
        said = f.say(
            "{promised}，现在需要改到{due}。让您久等了，对不起。",
            promised=promised,
            due=written_due(due, f.locale),
        )
        because = _because(f, str(f.params.get("reason", "")))
        why = f.say("原因：{reason}", reason=because) if because else ""
    else:
        said = f.say("{promised}，没能做到。对不起。", promised=promised)
        working = f.say("这件事在{who}，", who=who) if who else f.say("这件事还没有办完，")
        why = working + f.say("已经提醒了负责的人。一有结果，马上告诉您。")
    return _letter(f, "您的反馈要晚一些答复", said, why, f.link("现在到了哪一步，可以在这里看："))


def _because(f: Details, reason: str) -> str:
    """What a person wrote as it is; a code in words, or not at all."""
    if reason in MOVED:
        return f.say(MOVED[reason])
    return "" if _CODE.fullmatch(reason) else reason


WRITERS = {
    "receipt": _receipt,
    "reopened": _reopened,
    "question": _question,
    "rejected": _rejected,
    "refused": _refused,
    "delay": _delay,
    "progress": _progress,
    "appeal": _appeal,
    "restored": _restored,
    "merged": _merged,
    "parted": _parted,
    "matters": _matters,
    "status": _status,
    "breach_reason": _breach_reason,
}
