"""Why a date is what it is, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.sla.domain.calendars import LIBRARY, ROUND_THE_CLOCK, DayNote, NoteKind, Weekday
from services.sla.domain.clocks import Timer
from services.sla.domain.explaining import Explanation, Move
from services.sla.domain.policy import WORKING_DAY
from services.sla.wording.messages import translate
from services.sla.wording.pages import row_name
from shared.contracts.vocabulary import CLOCK_NAMES, Clock
from shared.moments import WEEKDAYS, here, written_day
from shared.web import names

_HOUR = timedelta(hours=1)

BEGINNINGS = {
    "feedback.received": "收到反馈",
    "case.split_off": "从另一件里拆分出来",
    "case.dispatched": "派给部门",
    "case.returned": "部门退回",
    "case.recalled": "办公室撤回",
    "case.reopened": "重新办理",
    "case.restored": "恢复办理",
    "case.unmerged": "撤销并案",
    "case.appealed": "读者申请复核",
    "feedback.appealed": "读者申请复核",
    "case.appeal_upheld": "复核认为应当重新办理",
    "feedback.supplemented": "读者又说了话",
    "case.words_owed": "并入的一件的读者又说了话",
    "case.waiting_external": "开始等外部单位",
    "case.progressed": "上一次告知进展",
    "case.reply_submitted": "答复送审",
    "case.replied": "答复发出",
    "case.corrected": "更正了反馈的内容",
    "case.request_refused": "复核申请没有受理",
}
"""Type of an event → what happened then, as a noun or a short sentence."""
_DIMENSIONS = {
    "priority": "优先级是{value}",
    "type": "类型是{value}",
    "category": "分类是{value}",
    "channel": "来自{value}",
    "group": "读者是{value}",
    "department": "由{value}办理",
}
_NOTES = {
    NoteKind.ROUND_THE_CLOCK: "全天都算",
    NoteKind.ENTERED: "这一天单独定了时间",
    NoteKind.SHUT: "这一天不办公",
    NoteKind.MAKE_UP: "调休上班，按{day}算",
    NoteKind.CLOSED: "休息日",
}
_MOVES = {
    "named": "约定了新的日期",
    "calendar": "工作日历有改动",
    "priority": "优先级改了",
    "category": "类别或类型改了",
    "reopened": "重新办理",
    "resumed": "停下来的时间顺延",
}
_RESULTS = {
    "met": "已经做到，在期限之内。",
    "late": "已经做到，但超过了期限。",
    "breached": "已经超过期限。",
    "cancelled": "这项承诺已不适用。",
    "paused": "现在停着，等读者回话；停多久，期限就顺延多久。",
    "running": "还在计时。",
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says things in one language, with the names of this library."""

    locale: str
    department_name: Callable[[str, str], str]
    category_name: Callable[[str, str], str]

    def say(self, zh: str, **values: object) -> str:
        return translate(zh, self.locale).format(**values)

    def moment(self, at: datetime) -> str:
        """`3月4日（周三）10:00`: said so that it is true on any day."""
        local = here(at)
        weekday = WEEKDAYS["en" if self.locale == "en" else "zh"][local.weekday()]
        day = written_day(local, self.locale)
        if self.locale == "en":
            return f"{local:%H:%M} on {weekday} {day}"
        return f"{day}（{weekday}）{local:%H:%M}"

    def length(self, amount: timedelta, *, working: bool = True) -> str:
        """Working days where it is some, also with a half, else hours or minutes: what is worked on
        again is promised in half the time."""
        days = amount / WORKING_DAY
        if working and amount and 2 * days == int(2 * days):
            one = "{n} 个工作日" if days != 1 else "1 个工作日"
            return self.say(one, n=_short(days))
        if amount < _HOUR:
            return self.say("{n} 分钟", n=_short(amount / timedelta(minutes=1)))
        return self.say("{n} 小时" if amount != _HOUR else "1 小时", n=_short(amount / _HOUR))

    def clock(self, clock: Clock) -> str:
        zh, en = CLOCK_NAMES[clock]
        return en if self.locale == "en" else zh

    def value(self, dimension: str, code: str) -> str:
        """A value of what rows of the policy depend on."""
        match dimension:
            case "department":
                return self.department_name(code, self.locale)
            case "category":
                return self.category_name(code, self.locale)
            case "priority":
                name = names.pick("priority", names.PRIORITIES, code, self.locale)
                return f"{code} {name}"
            case "type":
                return names.pick("type", names.TYPES, code, self.locale)
            case "channel":
                return names.pick("channel", names.CHANNELS, code, self.locale)
        return code

    def weekday(self, day: date) -> str:
        return WEEKDAYS["en" if self.locale == "en" else "zh"][day.weekday()]

    def because(self, dimension: str, code: str) -> str:
        return self.say(_DIMENSIONS[dimension], value=self.value(dimension, code))

    def note(self, note: DayNote) -> str:
        """Why a day has the hours it has; nothing for an ordinary one."""
        if note.kind in (NoteKind.HOLIDAY, NoteKind.VACATION):
            return note.name_en or note.name if self.locale == "en" else note.name
        zh = _NOTES.get(note.kind)
        return "" if zh is None else self.say(zh, day=self._weekday(note.counts_as))

    def move(self, move: Move) -> str:
        """Why a deadline became another one."""
        return self.because_of(self.say(_MOVES.get(move.kind, "{kind}"), kind=move.kind), move)

    def because_of(self, why: str, move: Move) -> str:
        """`why`, and what somebody said of it, which is often a sentence within this one."""
        words = (move.words or "").rstrip("。.")
        return self.say("{why}：{words}", why=why, words=words) if words else why

    def calendar(self, name: str) -> str:
        """Whose hours are counted."""
        if name == ROUND_THE_CLOCK:
            return self.say("全天（24×7）")
        if name == LIBRARY:
            return self.say("全馆工作时间")
        return self.say(
            "{department}的工作时间", department=self.department_name(name, self.locale)
        )

    def result(self, timer: Timer) -> str:
        """What became of it, or how it stands."""
        if timer.met_at is not None:
            return self.say(_RESULTS["met" if timer.in_time else "late"])
        return self.say(_RESULTS[timer.status.value])

    def sentences(self, seen: Explanation) -> Iterator[str]:
        """The whole of it, to be read from top to bottom."""
        timer = seen.timer
        working = timer.calendar != ROUND_THE_CLOCK
        begins = self.say(BEGINNINGS.get(seen.cause, "开始计时"))
        yield self.say("{at} {what}，从这时算起。", at=self.moment(timer.started_at), what=begins)
        first = next((span for day in seen.days for span in day.spans), None)
        if first is not None and first.start > timer.started_at:
            yield self.say("那时不在工作时间，从 {at} 开始走。", at=self.moment(first.start))
        yield self.say(
            "按承诺第 {version} 版里“{row}”一行（{why}），{clock}要在 {length}之内。",
            version=seen.policy_version,
            row=self.row(seen.choice.name),
            why=self.say("、").join(self.because(d, v) for d, v in seen.choice.because)
            or self.say("当时适用"),
            clock=self.clock(timer.clock),
            length=self.length(seen.promised, working=working),
        )
        if timer.reopened:
            yield self.say("重新办理的，时间比第一次短。")
        calendar = self.calendar(timer.calendar)
        if working:
            yield self.say(
                "只算{calendar}（日历第 {version} 版）。",
                calendar=calendar,
                version=seen.calendar_version,
            )
            if skipped := list(self.skipped(seen)):
                yield self.say("没有算：{what}。", what=self.say("、").join(skipped))
        else:
            yield self.say("{calendar}，夜里和假日也算。", calendar=calendar)
        for pause in seen.pauses_to_tell:
            if pause.end is not None:
                yield self.say(
                    "{start} 到 {end} 停着等读者，占工作时间 {length}，期限顺延。",
                    start=self.moment(pause.start),
                    end=self.moment(pause.end),
                    length=self.length(pause.counted, working=working),
                )
            else:
                yield self.say("从 {start} 起停着等读者。", start=self.moment(pause.start))
        for move in seen.moves_to_tell:
            yield self.say(
                "{at} 期限从 {was} 改为 {due}：{why}。",
                at=self.moment(move.at),
                was=self.moment(move.was),
                due=self.moment(move.due),
                why=self.move(move),
            )
        due = self.moment(timer.due)
        if seen.named:
            yield self.say("{due} 是约定的日期，日历再改也不变。", due=due)
        else:
            whole = self.length(seen.promised + seen.added + seen.stood_still, working=working)
            yield self.say("合计 {length}，到 {due} 用完。", length=whole, due=due)
        if not seen.adds_up:
            yield self.say("这个期限是按更早的日历定下的，逐日已不能完全还原。")
        if seen.provisional:
            yield self.say("那一年的放假安排还没有公布，这个日期是暂定的。")
        yield self.result(timer)

    def row(self, name: str) -> str:
        """What a row of the policy is called."""
        return row_name(name, self.locale)

    def skipped(self, seen: Explanation) -> Iterator[str]:
        """Days on the way of which nothing counted: weekends together, holidays by name."""
        found: dict[str, int] = {}
        for day in seen.days[1:-1]:
            if not day.spans:
                name = self.note(day.note) or self.say("没有工作时间的日子")
                found[name] = found.get(name, 0) + 1
        for name, n in found.items():
            yield self.say("{name} {n} 天" if n > 1 else "{name} 1 天", name=name, n=n)

    def _weekday(self, weekday: Weekday | None) -> str:
        if weekday is None:
            return ""
        said = WEEKDAYS["en" if self.locale == "en" else "zh"]
        return said[list(Weekday).index(weekday)]


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
