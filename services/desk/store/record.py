"""The record of a case: its two chains, who read it, and whether all of it is as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from services.desk.domain import chain
from services.desk.domain.lines import kept_of
from services.desk.store.readings import said
from services.desk.store.seal_marks import read_mark
from services.desk.store.sealed import SEALED, Pair, SealedRows
from services.desk.store.tables import CaseRow, MessageRow, ReadingRow, TimelineRow
from shared.contracts import EVENTS, REGISTER, Event, short_type
from shared.contracts.desk import CaseEvent, CasePersonalDataRead
from shared.messaging.row_buffer import RowBuffer, load_together, values_of
from shared.messaging.seals import Sealer
from shared.messaging.statements import Fetch

Lines = list[tuple[Mapping[str, Any], str | None]]
_EMITTED = """
SELECT ce_id, headers->>'ce_type' AS type, body FROM outbox
WHERE topic = $1 AND key = $2 ORDER BY id
"""
_COVERS = (("已核对", "checked:"), ("没有核对、不能证明：", "not covered:"))
_ERASED = (
    "联系方式和未遮盖的原话已删除，遮盖后的文字保留（未被识别的姓名也会留在其中）",
    "contact and words as they were written are erased; the masked text stays, and so does a name "
    "in it that was not recognised",
)
_DECIDED = frozenset({"feedback.routed", "feedback.triage_needed"})
"""With each of these lines routing's reasons are kept, and never thrown away."""
_NAMES = {"timeline": ("时间线", "timeline"), "messages": ("往来文字", "messages")}


@dataclass(frozen=True, slots=True)
class Record:
    """A case's record as it stands in the tables."""

    feedback_id: str
    timeline: Lines
    messages: Lines
    heads: dict[str, str | None]
    readings: list[dict[str, Any]]
    emitted: dict[str, Event | None]
    """What desk emitted, by id, oldest first; None: cannot be read any more."""
    sealed: SealedRows

    @property
    def proof(self) -> dict[str, Any]:
        """All lines with their hashes, as they are chained; what a verifier needs."""
        chains = {"timeline": self.timeline, "messages": self.messages}
        return {
            "feedback_id": self.feedback_id,
            "chains": {
                name: {
                    "head": self.heads[name],
                    "lines": [{**line, "hash": known} for line, known in lines],
                }
                for name, lines in chains.items()
            },
        }

    def differences(self) -> Iterator[tuple[str, str]]:
        """What is not as it was written, in words; of each chain the first line."""
        for name, lines in (("timeline", self.timeline), ("messages", self.messages)):
            verdict = chain.verify(self.feedback_id, lines, self.heads[name])
            if verdict.broken is not None:
                yield _in_words(name, lines, verdict.broken)
        yield from self.sealed.differences([line for line, _ in self.messages])
        decided = any(line["type"] in _DECIDED for line, _ in self.timeline)
        if decided and not self.sealed.rows["decisions"]:
            yield "分派依据（decisions）不见了", "decisions: the row is gone"
        yield from self._against_the_log()

    def summary(self) -> tuple[str, str]:
        """How much there is."""
        verdicts = [
            chain.verify(self.feedback_id, self.timeline, self.heads["timeline"]),
            chain.verify(self.feedback_id, self.messages, self.heads["messages"]),
        ]
        lines, old = sum(v.chained for v in verdicts), sum(v.before for v in verdicts)
        zh = f"哈希链共 {lines} 行" + (f"，另有 {old} 行写于启用哈希链之前" if old else "")
        en = f"{lines} lines in the chains" + (f", {old} from before the chain" if old else "")
        for words, pairs in zip(_COVERS, (self.sealed.covered(), self.not_covered()), strict=True):
            if pairs:
                zh += f"；{words[0]}{'、'.join(pair[0] for pair in pairs)}"
                en += f"; {words[1]} {', '.join(pair[1] for pair in pairs)}"
        if self.sealed.erased:
            zh, en = f"{zh}；{_ERASED[0]}", f"{en}; {_ERASED[1]}"
        return zh, en

    def not_covered(self) -> list[Pair]:
        """What the check says nothing about: from before there were chains and seals."""
        chains = {"timeline": self.timeline, "messages": self.messages}
        return [
            _NAMES[name]
            for name, lines in chains.items()
            if chain.verify(self.feedback_id, lines, self.heads[name]).before
        ] + self.sealed.not_covered()

    def _against_the_log(self) -> Iterator[tuple[str, str]]:
        """What desk emitted itself stands in its outbox, too; others' events do not."""
        for ce_id, event in self.emitted.items():
            if event is None:
                yield f"发件箱里的 {ce_id} 已读不懂", f"outbox: {ce_id} cannot be read any more"
        for line, _ in self.timeline:
            event = self.emitted.get(line["ce_id"])
            if event is not None and _as_line(event, line) != dict(line):
                yield (
                    f"时间线第 {line['seq']} 行与发件箱里的 {line['ce_id']} 不一致",
                    f"timeline: line {line['seq']} and {line['ce_id']} of the outbox differ",
                )
        yield from self._state_in_the_log()
        kept = {one["ce_id"]: one for one in self.readings}
        looks = {i: e for i, e in self.emitted.items() if isinstance(e, CasePersonalDataRead)}
        for ce_id in sorted(kept.keys() | looks.keys()):
            row, look = kept.get(ce_id), looks.get(ce_id)
            if row is None or (look is not None and said(look).items() - row.items()):
                yield f"查阅记录 {ce_id} 与发件箱不一致", f"readings: {ce_id} and the outbox differ"

    def _state_in_the_log(self) -> Iterator[tuple[str, str]]:
        """The last event of the case says its state, if the outbox still has that event."""
        own = [line for line, _ in self.timeline if line["type"].startswith("case.")]
        event = self.emitted.get(own[-1]["ce_id"]) if own else None
        if isinstance(event, CaseEvent) and event.state != self.sealed.state:
            yield (
                f"案卷的状态与发件箱里的 {own[-1]['ce_id']} 不一致",
                f"cases: the state and {own[-1]['ce_id']} of the outbox differ",
            )


async def read_record(fetch: Fetch, feedback_id: str, sealer: Sealer) -> Record | None:
    """The record of a case, or None where there is no such case."""
    classes: tuple[type[Any], ...] = (*SEALED, TimelineRow, MessageRow, ReadingRow)
    tables = {row_class: RowBuffer[Any](row_class, fetch) for row_class in classes}
    await load_together(fetch, list(tables.values()), [feedback_id])
    if (case := tables[CaseRow].get(feedback_id)) is None:
        return None

    def rows(row_class: Any) -> list[dict[str, Any]]:
        return [values_of(row) for row in tables[row_class].for_case(feedback_id)]

    timeline = sorted(rows(TimelineRow), key=lambda line: line["seq"])
    messages = sorted(rows(MessageRow), key=lambda m: (m["at"], m["message_id"]))
    emitted = await fetch(_EMITTED, EVENTS, feedback_id)
    return Record(
        feedback_id=feedback_id,
        timeline=[(chain.line_of(t, chain.TIMELINE), t["hash"]) for t in timeline],
        messages=chain.in_order(
            feedback_id, [(chain.line_of(m, chain.MESSAGES), m["hash"]) for m in messages]
        ),
        heads={"timeline": case.timeline_hash, "messages": case.messages_hash},
        readings=sorted(rows(ReadingRow), key=lambda r: (r["at"], r["ce_id"])),
        emitted={row["ce_id"]: _event(row["type"], row["body"]) for row in emitted},
        sealed=SealedRows(
            {c.__tablename__: rows(c) for c in SEALED}, sealer, await read_mark(fetch, sealer)
        ),
    )


def _event(kind: str | None, body: bytes | None) -> Event | None:
    try:
        return REGISTER[kind or ""].model_validate_json(body or b"")
    except (KeyError, ValidationError):
        return None


def _as_line(event: Event, line: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        "seq": line["seq"],
        "ce_id": line["ce_id"],
        "type": short_type(event.type),
        "at": event.at,
        "by": event.by.model_dump(exclude_none=True),
        "data": kept_of(event),
    }
    return chain.line_of(values, chain.TIMELINE)


def _in_words(name: str, lines: Lines, broken: int) -> tuple[str, str]:
    zh, en = _NAMES[name]
    if broken == len(lines):
        return f"{zh}的末尾缺行，或案卷所记的末行哈希被改动", f"{en}: the end is not as it was"
    line, known = lines[broken]
    which = line.get("seq", line.get("message_id"))
    what = json.dumps(line, ensure_ascii=False)
    if known is None:
        return f"{zh} {which} 没有哈希：{what}", f"{en}: {which} has no hash: {what}"
    return (
        f"{zh}从 {which} 起与所记不符：{what}",
        f"{en}: {which} is the first that differs: {what}",
    )
