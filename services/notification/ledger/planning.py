"""Notices become rows of the ledger; an event that comes again adds none."""

from __future__ import annotations

from datetime import datetime

from services.notification import domain, ledger
from services.notification.deps import deps_of
from services.notification.domain import CONSOLE, REPORTER, STAFF, Case, Notice, State, delivery_id
from services.notification.store.cases import case_of, in_state, load
from services.notification.store.tables import DeliveryRow, PrivateRow, ReplyWordsRow
from shared.contracts import Event
from shared.ids import new_id
from shared.messaging.transaction import Transaction


def plan(
    tx: Transaction,
    event: Event,
    notice: Notice,
    case: Case,
    *,
    about: str | None = None,
    once: str | None = None,
    not_before: datetime | None = None,
) -> None:
    """Enter a notice in the ledger; `about` what is no case, once for each recipient. `once`: for
    each recipient, of whatever events it comes; it stands as the cause of what is emitted."""
    cause = tx.cause
    ce_id = about or once or (cause.ce_id if cause else None) or new_id()
    correlation_id = (cause.headers.get("ce_correlationid") if cause else None) or ce_id
    because, where = (ce_id, correlation_id), about or event.feedback_id
    _enter(tx, notice, case, where, event.at, because, not_before=not_before)


def just_told(tx: Transaction, event: Event, notice: Notice) -> bool:
    """Whether who is to look into late work is told of it already, as whoever is to do it."""
    clock = notice.params.get("clock")
    return notice.kind == "escalation" and any(
        row.kind in ("warning", "breach")
        and (row.recipient, row.event_at) == (notice.recipient, event.at)
        # What is out has no parameters left.
        and row.params.get("clock", clock) == clock
        for row in tx.rows(DeliveryRow).for_case(event.feedback_id)
    )


async def plan_for_followers(tx: Transaction, event: Event, case: Case) -> None:
    """Enter what the reporters hear whose cases were joined to this one, by however many steps."""
    cause, found = tx.cause, {event.feedback_id}
    ce_id = (cause.ce_id if cause else None) or new_id()
    correlation_id = (cause.headers.get("ce_correlationid") if cause else None) or ce_id
    left = list(case.followers)
    while left:
        near, left = [one for one in dict.fromkeys(left) if one not in found], []
        found.update(near)
        await load(tx, near)
        for feedback_id in near:
            follower = case_of(tx, feedback_id) or Case()
            left += follower.followers
            notice = domain.notice_of_date(event, case, follower, of=event.feedback_id)
            if notice is not None:
                # One event, one row for each of them.
                because = (f"{ce_id}/{feedback_id}", correlation_id)
                _enter(tx, notice, follower, feedback_id, event.at, because)


async def whose_date(tx: Transaction, case: Case) -> Case:
    """The case whose date its reporter waits for: that it was joined to in the end, or itself."""
    passed: set[str] = set()
    while case.into is not None and case.into not in passed:
        passed.add(case.into)
        await load(tx, [case.into])
        if (target := case_of(tx, case.into)) is None:
            break
        case = target
    return case


async def part_of(tx: Transaction, feedback_id: str, case: Case) -> int | None:
    """Which of the matters of its whole a case is; None where it is no part of one."""
    if case.parent is None:
        return None
    await load(tx, [case.parent])
    parts = (case_of(tx, case.parent) or Case()).parts
    return parts.index(feedback_id) + 1 if feedback_id in parts else None


def tell_unreached(tx: Transaction, row: DeliveryRow) -> None:
    """Words to the reporter ended without having arrived for certain: staff hear of it, once for
    this delivery, however often it is sent again."""
    case = case_of(tx, row.feedback_id) or Case()
    if row.recipient != REPORTER or row.kind not in domain.WORDS or case.erased:
        return
    uncertain = State(row.state) is State.UNCERTAIN
    people = deps_of(tx).people(tx.now)
    for notice in domain.unreached_notices(case, people, uncertain=uncertain):
        _enter(tx, notice, case, row.feedback_id, tx.now, (row.id, row.correlation_id))


def _enter(
    tx: Transaction,
    notice: Notice,
    case: Case,
    feedback_id: str,
    at: datetime,
    because: tuple[str, str],
    *,
    not_before: datetime | None = None,
) -> None:
    """A row for what happened `at`; `because`: ids of its cause, and of what all began with."""
    name = delivery_id(because[0], notice.recipient)
    if tx.rows(DeliveryRow).get(name) is not None:
        return
    row = tx.rows(DeliveryRow).new(
        id=name,
        feedback_id=feedback_id,
        ce_id=because[0],
        correlation_id=because[1],
        recipient=notice.recipient,
        kind=notice.kind,
        state=State.READY,
        params=notice.params,
        sort_key=new_id(),
        message_id=deps_of(tx).message_id(name),
        event_at=at,
        planned_at=tx.now,
    )
    if notice.staff is None:
        _plan_for_reporter(tx, row, case)
    else:
        _plan_for_staff(tx, row, notice.staff, case, not_before)


def _plan_for_reporter(tx: Transaction, row: DeliveryRow, case: Case) -> None:
    private = tx.rows(PrivateRow).get(row.feedback_id)
    if domain.is_stale(row.kind, row.event_at, tx.now):
        ledger.suppress(tx, row, domain.STALE_REASON)
    elif row.kind == "receipt" and case.channel == "wechat" and case.account in deps_of(tx).wechat:
        ledger.suppress(tx, row, domain.ANSWERED_IN_CHAT)
    elif private is not None and _has_its_words(tx, row):
        release(tx, row, case, private)
    elif private is not None or (case.reachable and not case.erased):
        row.state = State.AWAITING_CONTACT
        tx.rows(DeliveryRow).upsert(row)
    else:
        ledger.suppress(tx, row, domain.PAGE_ONLY)


def _tell_to_ring(tx: Transaction, row: DeliveryRow, case: Case) -> None:
    """Words that cannot be sent, to somebody who can be rung: staff hear of it, once for each."""
    if "phone" not in case.reachable or row.kind not in domain.WORDS:
        return
    for notice in domain.ringing_notices(case, deps_of(tx).people(tx.now)):
        _enter(tx, notice, case, row.feedback_id, tx.now, (row.id, row.correlation_id))


def _plan_for_staff(
    tx: Transaction,
    row: DeliveryRow,
    staff: str,
    case: Case,
    not_before: datetime | None = None,
) -> None:
    deps = deps_of(tx)
    email = deps.email_of(staff)
    row.channel = "email" if email else CONSOLE
    if row.kind == domain.REPORT and (known := deps.mailed(row)) is not None:
        ledger.remember_mailed(tx, row, known)
    elif domain.is_stale(row.kind, row.event_at, tx.now):
        ledger.suppress(tx, row, domain.STALE_REASON)
    elif email:
        row.rate_limit_key, row.receiver = deps.rate_limit_key("email", email)
        at = _send_after(tx, row, case)
        ledger.ready(tx, row, at if not_before is None else max(at, not_before))
    else:
        ledger.on_the_console(tx, row)


async def release_waiting(tx: Transaction, feedback_id: str, case: Case) -> None:
    """The contact has come, or words: what has both by now goes its way."""
    private = tx.rows(PrivateRow).get(feedback_id)
    if private is None:
        return
    waiting = in_state(tx.rows(DeliveryRow).for_case(feedback_id), State.AWAITING_CONTACT)
    if any("words_id" in row.params for row in waiting):
        await tx.rows(ReplyWordsRow).load([feedback_id])
    for row in waiting:
        if _has_its_words(tx, row):
            release(tx, row, case, private)


def _has_its_words(tx: Transaction, row: DeliveryRow) -> bool:
    """True once the words are as staff wrote them; in the event they were masked."""
    words_id = row.params.get("words_id")
    if words_id is None:
        return True
    words = tx.rows(ReplyWordsRow).get(words_id)
    if words is None:
        return False
    row.params = {k: v for k, v in row.params.items() if k != "words_id"} | {"text": words.text}
    tx.rows(ReplyWordsRow).delete(words)
    return True


def release(tx: Transaction, row: DeliveryRow, case: Case, private: PrivateRow) -> None:
    """The contact is known: the delivery gets its channel, or there is none."""
    channels, own = _channels(tx, case, private, row.kind)
    if channels:
        _use(tx, row, case, private, channels[0])
        ledger.ready(tx, row, _send_after(tx, row, case))
    else:
        ledger.suppress(tx, row, domain.OWN_ADDRESS if own else domain.PAGE_ONLY)
        _tell_to_ring(tx, row, case)


def reconsider(tx: Transaction, feedback_id: str, case: Case) -> None:
    """The promise is known, or has moved: receipts that wait for it go a moment from now."""
    for row in in_state(tx.rows(DeliveryRow).for_case(feedback_id), State.READY):
        if domain.says_by_when(row.kind, row.params) and not row.attempts:
            ledger.ready(tx, row, _send_after(tx, row, case))


def plan_elsewhere(tx: Transaction, row: DeliveryRow) -> bool:
    """The same message in a row of its own, on a channel that was not tried yet; False where there
    is none."""
    other = _copy(tx, row, row.recipient, row.turn + 1)
    if other is None:
        # Sent again by hand after the other way was taken: that row says what became of it.
        return True
    case = case_of(tx, row.feedback_id) or Case()
    if row.recipient != REPORTER:
        if row.channel != CONSOLE:
            other.channel = CONSOLE
            ledger.on_the_console(tx, other)
        return True
    private = tx.rows(PrivateRow).get(row.feedback_id)
    if private is None:
        return False
    tried = {
        r.channel
        for r in tx.rows(DeliveryRow).for_case(row.feedback_id)
        if (r.ce_id, r.recipient) == (row.ce_id, row.recipient)
    }
    for channel in _channels(tx, case, private, row.kind)[0]:
        if channel not in tried:
            _use(tx, other, case, private, channel)
            ledger.ready(tx, other, tx.now)
            return True
    return False


def hand_on(tx: Transaction, row: DeliveryRow, case: Case) -> None:
    """Keep back what its receiver could not open any more; the department gets one instead.

    Where the case has moved on, its new department had an event of its own; the office, which
    fetched it back or got it back, knows, and words for a department are none for it.
    """
    params = row.params
    ledger.suppress(tx, row, domain.NO_LONGER_THEIRS)
    theirs = domain.is_for_the_department(row.kind, params) and not domain.takes_leave(params)
    if case.department is None or not theirs:
        return
    known = {
        r.recipient
        for r in tx.rows(DeliveryRow).for_case(row.feedback_id)
        if r.ce_id == row.ce_id or (r.kind == row.kind and r.sort_key > row.sort_key)
    }
    for name in domain.entrance(deps_of(tx).people(tx.now), case.department):
        other = _copy(tx, row, f"{STAFF}{name}", 0, params)
        if other is not None and other.recipient not in known:
            _plan_for_staff(tx, other, name, case)


def _send_after(tx: Transaction, row: DeliveryRow, case: Case) -> datetime:
    quiet = domain.quiet_hours(deps_of(tx).directory.quiet_hours)
    return domain.send_after(row.kind, case, row.planned_at, tx.now, quiet, params=row.params)


def _copy(
    tx: Transaction,
    row: DeliveryRow,
    recipient: str,
    turn: int,
    params: dict[str, object] | None = None,
) -> DeliveryRow | None:
    name = delivery_id(row.ce_id, recipient, turn)
    if tx.rows(DeliveryRow).get(name) is not None:
        return None
    same = row.model_dump(include={"feedback_id", "ce_id", "correlation_id", "kind", "event_at"})
    said = row.params if params is None else params
    return DeliveryRow(
        **same,
        id=name,
        recipient=recipient,
        state=State.READY,
        params={k: v for k, v in said.items() if k != "short"},
        sort_key=row.sort_key,
        turn=turn,
        message_id=deps_of(tx).message_id(name),
        planned_at=tx.now,
    )


def _channels(
    tx: Transaction, case: Case, private: PrivateRow, kind: str
) -> tuple[list[str], bool]:
    """Channels to this reporter, best first; and whether the address is one of ours."""
    own = bool(private.email) and deps_of(tx).is_own(private.email or "")
    found = domain.channels(case, private.contact, kind)
    return [c for c in found if not (c == "email" and own)], own


def _use(tx: Transaction, row: DeliveryRow, case: Case, private: PrivateRow, channel: str) -> None:
    deps = deps_of(tx)
    row.channel = channel
    address = deps.address(row, private) or ""
    account = deps.account(case, private)
    row.rate_limit_key, row.receiver = deps.rate_limit_key(channel, address, account)
