"""What the log knows of a service whose database is older than the log.

After a backup was restored, a service reads again what it had read, in the order of the log, with
its own events among it. What its handlers emit meanwhile is in the log already, nearly always:
`Replay` says what, so that nothing is emitted twice under a new number.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shared.clock import Clock
from shared.contracts import EVENTS, Event
from shared.messaging.envelope import InvalidMessage, Record

if TYPE_CHECKING:
    from shared.messaging.transaction import Transaction


class Replay:
    """The events of `service` about cases that stand in the log.

    A relay publishes in the order in which events were emitted. So as long as a later event of the
    service about the case is known, whatever an earlier record made it emit is in the log, and what
    is not there was never emitted. Behind the last of them that does not hold: an event that is
    emitted there was lost with the database, or never came to be, and is emitted now.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.echoed: dict[str, Record] = {}
        """Id → event in the log that a handler made again from its cause."""
        self.missing: dict[str, set[str]] = {}
        """What cannot be made again → of which cases or accounts."""
        self._last: dict[str, int] = {}
        self._of_cause: dict[tuple[str, str], list[Record]] = {}

    def note(self, record: Record) -> None:
        """An event of the service, in the order of the log."""
        case, cause = record.feedback_id, record.headers.get("ce_causationid")
        if case is not None:
            self._last[case] = record.offset
        if cause is not None and record.ce_id is not None:
            self._of_cause.setdefault((cause, record.type), []).append(record)

    def find(self, event: Event, cause: Record | None) -> str | None:
        """The id under which `event` stands in the log: empty where it does not and must not.

        None where it is to be emitted.
        """
        if event.topic != EVENTS or cause is None:
            return None
        if cause.source != self.service:
            if self._last.get(event.feedback_id, -1) <= cause.offset:
                return None
            if known := self._of_cause.get((cause.ce_id or "", event.type)):
                record = known.pop(0)
                ce_id = record.ce_id or ""
                self.echoed[ce_id] = record
                return ce_id
        return ""

    def as_emitted(self, event: Event, ce_id: str) -> Event:
        """`event` as it stands in the log: it was decided a moment after its cause was emitted."""
        record = self.echoed.get(ce_id)
        try:
            return event if record is None else record.event()
        except InvalidMessage:
            return event

    def miss(self, what: str, of: str) -> None:
        """The log does not say enough to make this again."""
        self.missing.setdefault(what, set()).add(of)

    def found(self, what: str, of: str) -> None:
        """It could be made again after all."""
        self.missing.get(what, set()).discard(of)


class CauseClock:
    """The time at which the event that is being handled was emitted."""

    def __init__(self, tx: Transaction, otherwise: Clock) -> None:
        self._tx, self._otherwise = tx, otherwise

    def now(self) -> datetime:
        """That moment; the present one where nothing is being handled."""
        cause = self._tx.cause
        return (cause and cause.time) or self._otherwise.now()
