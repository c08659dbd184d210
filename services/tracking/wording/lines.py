"""The timeline a reporter reads. Never a code, never jargon."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from services.tracking.wording.messages import translate
from shared.contracts.sla import PromiseStatus
from shared.contracts.vocabulary import STATE_NAMES, State
from shared.moments import moment, written_due

SayDue = Callable[[str], str]
"""A deadline in words: "周二 17:00 前"."""
NameOf = Callable[[str | None], str]
"""The name of a department."""
_PLACE = re.compile(r"\{(\w+)\}")
_CODE = re.compile(r"[a-z0-9_.]+")
"""What a program wrote; a reason in words of people never looks like it."""

LINES: dict[str, str] = {
    "feedback.received": "收到您的反馈。",
    "feedback.supplemented": "您补充了情况。",
    "feedback.pictures_erased": "您发来的照片已经删除。",
    "feedback.supplement_moved": "您说最后补充的是另一件事，已经另立一条，查询码在微信里给了您。",
    "feedback.urged": "您催了一次，已经转告办理的人。",
    "feedback.reopen_requested": "您说还没有解决，请我们重新办理。",
    "feedback.appealed": "您请馆领导复核。",
    "feedback.withdrawn": "您要撤回这条反馈。",
    "case.opened": "已经交给用户关系办公室，由他们确定谁来办。",
    "case.dispatched": "已转给{dept}。",
    "case.accepted": "{dept}已经接手。",
    "case.returned": "由用户关系办公室重新安排部门。答应您的时间不变。",
    "case.assigned": "{dept}已安排专人办理。",
    "case.info_requested": "{dept}想问您：{question}",
    "case.replied": "{dept}答复了您。",
    "case.rejected": "很抱歉，这件事没能受理：{reason}",
    "case.reopened": "这件事要重新办理。",
    "case.recalled": "由用户关系办公室重新安排部门。答应您的时间不变。",
    "case.marked_as_spam": "这条内容没有办理。",
    "case.restored": "这件事要重新办理。",
    "case.merged": "和同一件事并在一起办理，进展和答复照样在这里告诉您。",
    "case.answered_through": "{dept}答复了您。",
    "case.unmerged": "这件事又单独办理了。",
    "case.split": "您说的几件事分开办理，进展和答复都在这里。",
    "case.split_off": "从您说的话里分出来单独办理。",
    "case.joined_incident": "很多人都遇到了：{title}。{text}",
    "case.left_incident": "这件事改为单独办理。",
    "case.department_added": "{dept}也一起办理。",
    "case.part_finished": "{dept}办完了他们的部分。",
    "case.followed_up": "我们回访了您，谢谢您告诉我们。",
    "case.supervised": "馆里已经关注，在督促办理。",
    "case.progressed": "{dept}告诉您进展。",
    "case.waiting_external": "在等{waiting_for}：{reason}",
    "case.reply_submitted": "{dept}已经写好答复，正在核对。",
    "case.breach_explained": "没能按时的原因：{reason}",
    "case.appealed": "已经转给馆领导复核。",
    "case.appeal_upheld": "复核的结果：重新办理。{reason}",
    "case.appeal_dismissed": "复核的结果：维持原来的处理。{reason}",
    "case.withdrawn": "已经撤回，我们不再办理。",
}
AMENDED = "{dept}补充了答复。"
TOGETHER = "您说的几件事又合在一起办理。"
EXPLAINED_AGAIN = "没能按时的原因，以这一次说的为准：{reason}"
RATED: dict[str, str] = {
    "yes": "您评了 {stars} 星，说解决了。谢谢。",
    "partly": "您评了 {stars} 星，说解决了一部分。谢谢。",
    "no": "您评了 {stars} 星，说没有解决。",
}
RESUMED: dict[str, str] = {
    "supplied": "收到您的补充，已经转给办理的人。",
    "timeout": "没有等到您的补充，先按已知情况办理。",
    "until": "到了约定再看的日子，已经提醒办理的人。",
    "": "继续办理。",
}
CLOSED: dict[str, str] = {
    "rated": "收到您的评价，这件事办结了。谢谢您。",
    "quiet": "答复后没有新的情况，这件事办完了。",
    "followed_up": "回访之后，这件事办结了。",
    "incident": "同样的事办完了，这件随着结束。",
    "": "这件事办完了。",
}
REFUSED: dict[str, str] = {
    "feedback.reopen_requested": "很抱歉，已经过了可以重新办理的时间或次数。请再提一条新的反馈。",
    "feedback.withdrawn": "这件事已经办完，不需要撤回。",
    "feedback.supplemented": (
        "您补充的时候，这件事已经办结了。还没有解决的话，请要求重新办理，或者再提一条新的反馈。"
    ),
    "feedback.received": "您说也遇到的那件事，在这之前刚刚办结了。您的话单独办理，一样会答复您。",
    "": "很抱歉，现在不能这样做了。",
}
PROMISED: dict[str, str] = {
    "FIRST_RESPONSE": "我们会在{due}回应您。",
    "RESOLUTION": "我们会在{due}答复您。",
}
MOVED = "答复的时间改为{due}。{why}"
WAITED = "等您补充的时间不算在内，答复的时间顺延到{due}。"
BREACHED: dict[str, str] = {
    "FIRST_RESPONSE": "没能在答应的时间里回应您，很抱歉。我们已经在催办。",
    "RESOLUTION": "没能在答应的时间里答复您，很抱歉。我们已经在催办。",
}
SENT: dict[str, str] = {
    "receipt": "已经把查询码和答复时间发{how}给您。",
    "reply": "答复已经发{how}给您。",
    "question": "问题已经发{how}给您。",
    "rejected": "原因已经发{how}给您。",
    "delay": "已经把延迟的情况发{how}给您。",
    "progress": "这段话已经发{how}给您。",
    "appeal": "复核的结果已经发{how}给您。",
}
HOW: dict[str, str] = {"email": "邮件", "wechat": "微信"}
REASONS: dict[str, str] = {
    "calendar": "开放安排有变动。",
    "priority": "我们重新看了这件事的轻重缓急。",
    "category": "整理之后，这件事归入了另一类，那一类的答复期限不一样。",
    "reopened": "这件事重新办理。",
}
NEXT: dict[str, str] = {
    "RECEIVED": "接下来：用户关系办公室会确定由谁来办。",
    "TRIAGE": "接下来：确定由谁来办，转过去时这里会写明。",
    "DISPATCHED": "接下来：{dept}接手。",
    "ACCEPTED": "接下来：{dept}安排专人办理。",
    "IN_PROGRESS": "接下来：{dept}给您答复。",
    "WAITING_USER": "接下来：请您补充，我们收到后马上继续。",
    "WAITING_EXTERNAL": "接下来：等他们的回音，再给您答复。",
    "IN_REVIEW": "接下来：核对之后发给您。",
    "REPLIED": "接下来：请告诉我们解决了没有。",
    "APPEALED": "接下来：馆领导告诉您复核的结果。",
    "MERGED": "接下来：并在一起的那件事有了进展，这里会写明。",
    "WITHDRAWN": "不会再有人办这件事。还想提的话，请另写一条。",
    "SPAM": "如果是我们弄错了，请另提一条，写清楚在哪里、什么事，或者联系用户关系办公室。",
}
UNSOLVED: dict[str, tuple[str, str, str]] = {
    "reopen": (
        "接下来：请告诉我们解决了没有；没有解决可以请我们重新办。",
        "没有解决的话，在{due}可以请我们重新办。",
        "接下来：说说哪里还没有解决，在{due}可以请我们重新办。",
    ),
    "appeal": (
        "接下来：请告诉我们解决了没有；没有解决可以请馆领导复核。",
        "没有解决可以请馆领导复核。",
        "接下来：可以请馆领导复核。",
    ),
    "supplement": (
        NEXT["REPLIED"],
        "没有解决的话，请补充情况，办理的人看得到。",
        "接下来：请补充情况，办理的人看得到。",
    ),
    "": (
        NEXT["REPLIED"],
        "这件事没有下一步了。还有问题，请另提一条。",
        "这件事不再办了。还没有解决的话，请另提一条，或者联系用户关系办公室。",
    ),
}
"""What is left to a reader after a reply, by the first of these that they may: before they rated
it, after, and where they said that it solved nothing."""
LET_STAND = {
    "": "不再复核。有新的情况，请另提一条。",
    "reopen": "还没有解决的话，在{due}可以请我们重新办。",
    "once": "还没有解决的话，在{due}可以再请我们重新办一次，那是最后一次。",
    "times": "还没有解决的话，在{due}可以再请我们重新办，最多 {n} 次。",
}
"""What is left to a reader whose answer a leader let stand, and how often, where that is known."""
REJECTED: dict[str, str] = {
    "appeal": "接下来：您觉得不对，可以在下面说明，也可以请馆领导复核。",
    "supplement": "接下来：您觉得不对，可以在下面说明，我们再看一次。",
    "": "有新的情况，请另提一条。",
}
"""What is left to a reader whose matter was not taken on."""
REJECTED_FINALLY = "不再复核。有新的情况，请另提一条。"
INSTEAD = "这类事可以这样办：{instead}"
_ENDS = tuple("。！？….!?")
OFFICE = "用户关系办公室"
"""Whoever answers without a department."""
WAITING_FOR_ANOTHER = "等另一位读者补充"
THANKED = "您回了话。"
"""What was added is thanks alone."""
SPLIT = "已分开办理"
SPLIT_NEXT = "接下来：每一件各自办理，到了哪一步分别写在下面。"
CLOSED_UNSOLVED: dict[str, str] = {
    "no": "已办结，您说没有解决",
    "partly": "已办结，您说解决了一部分",
}
"""The state of what is closed and, as its reporter says, not solved."""

OWED = "接下来：{dept}回应您后来补充的话。"
OWED_BY = "接下来：{dept}在{due}回应您后来补充的话。"
OWED_LATE = "接下来：{dept}回应您后来补充的话，比答应您的时间晚了，很抱歉。"

OWED_TO_OTHERS = {
    OWED: "接下来：{dept}回应别的读者后来补充的话，您也看得到。",
    OWED_BY: "接下来：{dept}在{due}回应别的读者后来补充的话，您也看得到。",
    OWED_LATE: "接下来：{dept}回应别的读者后来补充的话，比答应的时间晚了。您也看得到。",
}
"""The same, said to those who read the answer because they told us of the same matter."""


class Wording:
    """How one reader reads what happened, when and by whom."""

    def __init__(self, locale: str, say_due: SayDue, name_of: NameOf) -> None:
        self.locale = locale
        self.due = say_due
        self._name_of = name_of

    def say(self, zh: str) -> str:
        """The sentence in the reader's language."""
        return translate(zh, self.locale)

    def state(self, code: str) -> str:
        """Where the case is."""
        return STATE_NAMES[State(code)][self.locale == "en"]

    def department(self, code: str | None) -> str:
        """Its name; empty where there is none."""
        return self._name_of(code)

    def answerer(self, code: str | None) -> str:
        """Who answered, at the beginning of a sentence: a department, or the office itself."""
        return capital(self._name_of(code) or self.say(OFFICE))

    def line(self, type_: str, data: Mapping[str, Any]) -> str:
        """What a line of the timeline says."""
        if type_ == "sla.promises_changed":
            return ("" if self.locale == "zh" else " ").join(map(self._date, data["promises"]))
        how = HOW.get(str(data.get("channel")))
        values = {name: str(value) for name, value in data.items() if value is not None}
        values["dept"] = self.answerer(data.get("department"))
        values["how"] = self.say(how) if how else ""
        # In one go: what people typed is never a pattern.
        return _PLACE.sub(lambda m: values.get(m[1], ""), self.say(_sentence(type_, data)))

    def closed(self, solved: str | None) -> str:
        """The state of what is closed, with what its reporter said of it."""
        words = CLOSED_UNSOLVED.get(solved or "")
        return self.say(words) if words else self.state(State.CLOSED)

    def waiting_for_another(self) -> str:
        """The state of what waits for its own reporter, to whoever was joined to it."""
        return self.say(WAITING_FOR_ANOTHER)

    def next_step(self, state: str, department: str) -> str:
        """What happens next, in a state in which that is the same for whoever reads it."""
        return self.say(NEXT[state]).replace("{dept}", department or self.say("负责的部门"))

    def after_reply(self, may: Collection[str], solved: str | None, until: str | None) -> str:
        """What a reader can do with an answer; the first of these that they may is named.

        `solved`: what they said of it. `until`: when it is too late to have it taken up again.
        """
        before, after, unsolved = UNSOLVED[_first(UNSOLVED, may)]
        words = before if "rate" in may else unsolved if solved in CLOSED_UNSOLVED else after
        return self.say(words).replace("{due}", self.due(until) if until else "")

    def let_stand(self, may: Collection[str], until: str | None, left: int | None) -> str:
        """What a reader can do with an answer that a leader let stand: `left` times."""
        known = "reopen" if left is None else "once" if left == 1 else "times"
        words = self.say(LET_STAND[known if "reopen" in may else ""])
        return words.replace("{due}", self.due(until) if until else "").replace("{n}", str(left))

    def rejected(self, instead: str | None, *, final: bool, may: Collection[str]) -> str:
        """Where to go with what was not taken on, and whether anybody looks again."""
        said = [self.say(INSTEAD).replace("{instead}", self._ended(instead))] if instead else []
        said.append(self.say(REJECTED_FINALLY if final else REJECTED[_first(REJECTED, may)]))
        return ("" if self.locale == "zh" else " ").join(said)

    def _ended(self, words: str) -> str:
        """Words as a sentence that another may follow: whoever types them ends it or not."""
        end = "。" if self.locale == "zh" else "."
        return words if words.endswith(_ENDS) else words + end

    def split(self) -> str:
        """The state of a comment whose matters go on each by itself."""
        return self.say(SPLIT)

    def split_next(self) -> str:
        """Where to read what is next in such a comment."""
        return self.say(SPLIT_NEXT)

    def owed(
        self, department: str, promise: Mapping[str, Any] | None, *, others: bool = False
    ) -> str:
        """Who answers what was said after the reply, by this reader or by `others`, and by when
        where that is promised."""
        words, due = OWED, ""
        if promise is not None and promise["status"] == PromiseStatus.BREACHED:
            words = OWED_LATE
        elif promise is not None and promise["status"] == PromiseStatus.RUNNING:
            words, due = OWED_BY, self.due(promise["due"])
        said = self.say(OWED_TO_OTHERS[words] if others else words).replace("{due}", due)
        return said.replace("{dept}", department or self.say(OFFICE))

    def reason(self, reason: str | None) -> str | None:
        """Why a promise moved: a code in words or not at all, a person's words as they are."""
        if not reason or (reason not in REASONS and _CODE.fullmatch(reason)):
            return None
        return self.say(REASONS[reason]) if reason in REASONS else reason

    def _date(self, one: Mapping[str, Any]) -> str:
        sentence = {"moved": MOVED, "resumed": WAITED}.get(one["kind"]) or PROMISED[one["clock"]]
        # A line is read on other days, too, and says what was said then: the date as it is written.
        due = moment(one["due"])
        why = self.reason(str(one.get("reason") or ""))
        return (
            self.say(sentence)
            .replace("{due}", written_due(due, self.locale) if due else "")
            .replace("{why}", self.say("原因：{reason}").replace("{reason}", why) if why else "")
        )


def capital(words: str) -> str:
    """The words as a sentence begins."""
    return words[:1].upper() + words[1:]


def _first(table: Mapping[str, Any], may: Collection[str]) -> str:
    """The first action of the table that is possible; empty where none is."""
    return next(action for action in table if not action or action in may)


def _sentence(type_: str, data: Mapping[str, Any]) -> str:
    match type_:
        case "feedback.supplemented" if data.get("thanks"):
            return THANKED
        case "feedback.rated":
            return RATED.get(str(data.get("solved")), RATED["partly"])
        case "case.resumed":
            return RESUMED.get(str(data.get("reason")), RESUMED[""])
        case "case.unmerged" if data.get("children"):
            return TOGETHER
        case "case.breach_explained" if data.get("again"):
            return EXPLAINED_AGAIN
        case "case.progressed" | "case.answered_through" if data.get("amends"):
            return AMENDED
        case "case.answered_through" if data.get("kind") == "progress":
            return LINES["case.progressed"]
        case "case.closed":
            return CLOSED.get(str(data.get("how")), CLOSED[""])
        case "case.request_refused":
            return REFUSED.get(str(data.get("request")).removesuffix(".v1"), REFUSED[""])
        case "sla.breached":
            return BREACHED[str(data.get("clock"))]
        case "notification.sent":
            return SENT[str(data.get("kind"))]
    return LINES.get(type_, "有新的进展。")
