"""Why a date is what it is, as its reporter reads it: no rows, no versions, no jargon."""

from __future__ import annotations

from collections.abc import Iterator

from services.sla.domain.calendars import LIBRARY, ROUND_THE_CLOCK
from services.sla.domain.explaining import Explanation, Move
from services.sla.wording.promises import Speaker
from shared.contracts.vocabulary import Clock

_BEGAN = {
    "feedback.received": "我们收到您的话",
    "case.split_off": "您说的几件事分开来办",
    "case.reopened": "重新办理",
    "case.restored": "恢复办理",
    "case.unmerged": "改为单独办理",
    "case.appeal_upheld": "复核认为应当重新办理",
}
_PROMISED = {
    Clock.FIRST_RESPONSE: "我们答应：{length}之内有人回应您。",
    Clock.RESOLUTION: "我们答应：{length}之内答复您。",
}
_MOVED = {
    "named": "办理的时间延长了",
    "calendar": "开放和上班的日子有调整",
    "priority": "办理的先后重新定了",
    "category": "整理之后归入了另一类",
    "reopened": "重新办理",
    "resumed": "等您补充的时间不算在内，顺延",
}


def told_to_reader(speaker: Speaker, seen: Explanation) -> Iterator[str]:
    """The whole of it, to be read from top to bottom."""
    say, timer = speaker.say, seen.timer
    working = timer.calendar != ROUND_THE_CLOCK
    began = say(_BEGAN.get(seen.cause, "开始计时"))
    yield say("{at} {what}，从这时算起。", at=speaker.moment(timer.started_at), what=began)
    first = next((span for day in seen.days for span in day.spans), None)
    if first is not None and first.start > timer.started_at:
        yield say("那时不在工作时间，从 {at} 开始走。", at=speaker.moment(first.start))
    length = speaker.length(seen.promised, working=working)
    yield say(_PROMISED[timer.clock], length=length)
    if timer.reopened:
        yield say("重新办理的，时间比第一次短。")
    if not working:
        yield say("急事全天都算，夜里和假日也算。")
    else:
        library = timer.calendar == LIBRARY
        whose = say("图书馆的工作时间") if library else speaker.calendar(timer.calendar)
        yield say("只算{whose}，休息日和节假日不算。", whose=whose)
        if skipped := list(speaker.skipped(seen)):
            yield say("没有算：{what}。", what=say("、").join(skipped))
    for pause in seen.pauses_to_tell:
        start = speaker.moment(pause.start)
        if pause.end is None:
            yield say("从 {start} 起等您补充；等多久，日期就顺延多久。", start=start)
        else:
            end = speaker.moment(pause.end)
            yield say("{start} 到 {end} 等您补充，不算在内。", start=start, end=end)
    for move in seen.moves_to_tell:
        yield say(
            "{at} 日期从 {was} 改为 {due}：{why}。",
            at=speaker.moment(move.at),
            was=speaker.moment(move.was),
            due=speaker.moment(move.due),
            why=_why(speaker, move),
        )
    yield say("所以是 {due}。", due=speaker.moment(timer.due))
    if seen.provisional:
        yield say("那一年的放假安排还没有公布，这个日期是暂定的。")


def _why(speaker: Speaker, move: Move) -> str:
    return speaker.because_of(speaker.say(_MOVED.get(move.kind, "办理的时间改了")), move)
