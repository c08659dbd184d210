"""The entry point for events."""

from __future__ import annotations

from dataclasses import replace

from services.notification import ledger
from services.notification.deps import deps_of
from services.notification.domain import (
    ABSENCE,
    ERASED,
    PENDING,
    REPORTER,
    WORDS_ADDED,
    Case,
    Notice,
    State,
    absence_notices,
    advance,
    as_it_is_now,
    becomes_urgent,
    by_when,
    gathered,
    notices,
    report_notices,
    surge_notices,
    to_send_again,
)
from services.notification.ledger import planning
from services.notification.store import (
    DeliveryRow,
    PrivateRow,
    ReplyWordsRow,
    case_of,
    keep_case,
    load,
)
from shared.contracts import PRIVATE, Event, desk, intake, routing, sla
from shared.contracts.tracking import ReportMade
from shared.messaging.directory import DirectoryEmpty
from shared.messaging.envelope import Record
from shared.messaging.subscription import Handler
from shared.messaging.transaction import Transaction

_MOVES_DATES = (sla.SlaPromisesChanged, sla.SlaBreached, desk.CaseBreachExplained)
_MOVES_PROMISES = (routing.RoutingDecision, sla.SlaPromisesChanged)


async def tell_people(event: Event, tx: Transaction) -> None:
    """Enter in the ledger whom this concerns; the sender does the rest."""
    before = case_of(tx, event.feedback_id) or Case()
    case = advance(before, event)
    if isinstance(event, desk.CaseSplitOff):
        # Its reporter has read the date of the whole.
        await load(tx, [event.parent])
        whole = case_of(tx, event.parent) or Case()
        case = case.model_copy(update={"announced_due": whole.announced_due})
    if case != before:
        keep_case(tx, event.feedback_id, case)
        if isinstance(event, _MOVES_PROMISES):
            planning.reconsider(tx, event.feedback_id, case)
    if getattr(event, "words_id", None) is not None:
        await tx.rows(ReplyWordsRow).load([event.feedback_id])
    for notice in notices(event, before, case, deps_of(tx).people(tx.now)):
        if notice.kind == "merged":
            notice = await _with_date(tx, notice, case)
        elif notice.kind == "status" and case.into is not None:
            whose = await planning.whose_date(tx, case)
            notice = replace(notice, params=notice.params | by_when(whose, event.at))
        if planning.just_told(tx, event, notice):
            continue
        at = None
        if notice.params.get("what") == WORDS_ADDED:
            if (at := gathered(case, notice.recipient, tx.now)) is None:
                continue
            case = case.model_copy(update={"words_told": case.words_told | {notice.recipient: at}})
            keep_case(tx, event.feedback_id, case)
        planning.plan(tx, event, notice, case, not_before=at)
    moves = isinstance(event, _MOVES_DATES) and not becomes_urgent(event, before)
    if case.followers and moves:
        await planning.plan_for_followers(tx, event, case)


async def _with_date(tx: Transaction, notice: Notice, case: Case) -> Notice:
    """With the date of what it was joined to, where that is later than the one they have read."""
    target = await planning.whose_date(tx, case)
    if target.due is None:
        return notice
    params = {**notice.params, "due": target.due.isoformat()}
    said = as_it_is_now(notice.kind, params, case, target)
    return replace(notice, params=said or {})


async def mail_report(event: ReportMade, tx: Transaction) -> None:
    """Enter in the ledger who is to read it: each once, however often it is told."""
    deps = deps_of(tx)
    if not deps.directory.loaded:
        raise DirectoryEmpty("who reads reports is not known yet")
    await tx.lock(event.report_id)
    await load(tx, [event.report_id])
    for notice in report_notices(event, deps.people(tx.now)):
        planning.plan(tx, event, notice, Case(), about=event.report_id)


async def tell_of_absence(event: desk.PersonListed, tx: Transaction) -> None:
    """Tell whom somebody else entered as away, and who is to stand in."""
    people = deps_of(tx).people(tx.now)
    if not (found := absence_notices(event, people.display)):
        return
    about = f"{ABSENCE}/{event.username}/{event.at.isoformat()}"
    await tx.lock(about)
    await load(tx, [about])
    for notice in found:
        planning.plan(tx, event, notice, Case(), about=about)


async def tell_of_surge(event: desk.SurgeListed, tx: Transaction) -> None:
    """Tell the office, once, that of one matter suddenly more is said; by its first case."""
    if event.status != "suggested" or not event.cases:
        return
    deps = deps_of(tx)
    if not deps.directory.loaded:
        raise DirectoryEmpty("who is in the office is not known yet")
    feedback_id = event.cases[0]
    await tx.lock(feedback_id)
    await load(tx, [feedback_id])
    case = case_of(tx, feedback_id) or Case()
    about = event.model_copy(update={"feedback_id": feedback_id})
    for notice in surge_notices(event, deps.people(tx.now)):
        planning.plan(tx, about, notice, case, once=event.surge_id)


async def send_what_waited(event: intake.FeedbackReachableAgain, tx: Transaction) -> None:
    """The reporter wrote in the chat: what it did not take before goes out now, by itself, once."""
    private = tx.rows(PrivateRow).get(event.feedback_id)
    rows, case = tx.rows(DeliveryRow).for_case(event.feedback_id), case_of(tx, event.feedback_id)
    for row in to_send_again(rows, case or Case(), wrote=event.at, now=tx.now):
        if row.rate_limit_key and deps_of(tx).address(row, private):
            # Decided when they wrote: what the log knows of it since is news to an older ledger.
            ledger.send_again(tx, row, REPORTER, decided_at=event.at)


async def keep_contact(event: intake.PrivateDetails, tx: Transaction) -> None:
    """Keep how to reach the reporter, and release what waited for it."""
    case = case_of(tx, event.feedback_id) or Case()
    if case.erased:
        return
    tx.rows(PrivateRow).upsert(
        PrivateRow(
            feedback_id=event.feedback_id,
            tracking_code=event.tracking_code,
            email=event.contact.email,
            wechat_account=event.contact.wechat_account,
            wechat_openid=event.contact.wechat_openid,
        )
    )
    await planning.release_waiting(tx, event.feedback_id, case)


async def keep_reply_words(event: desk.PrivateReplyWords, tx: Transaction) -> None:
    """Keep staff's words until they are sent, and release what waited for them."""
    case = case_of(tx, event.feedback_id) or Case()
    if case.erased:
        return
    rows = tx.rows(ReplyWordsRow)
    await rows.load([event.feedback_id])
    rows.upsert(rows.new(words_id=event.words_id, feedback_id=event.feedback_id, text=event.text))
    await planning.release_waiting(tx, event.feedback_id, case)


def _case_in(key: bytes | None) -> str:
    """The case a key of ``feedback.private`` belongs to, which stands before its first slash."""
    return (key or b"").decode("utf-8", "replace").partition("/")[0]


async def forget_contact(record: Record, tx: Transaction) -> None:
    """The person is erased: the contact, what waits for them, and the traces of the address."""
    feedback_id = record.feedback_id or _case_in(record.key)
    if not feedback_id:
        return
    # Also of a case that is not known yet: a copy of the contact that comes late must find it here.
    case = case_of(tx, feedback_id) or Case()
    keep_case(
        tx, feedback_id, case.model_copy(update={"erased": True, "title": "", "instead": None})
    )
    private = tx.rows(PrivateRow).get(feedback_id)
    if private is not None:
        tx.rows(PrivateRow).delete(private)
    words = tx.rows(ReplyWordsRow)
    await words.load([feedback_id])
    for kept in words.for_case(feedback_id):
        words.delete(kept)
    rows = tx.rows(DeliveryRow)
    for row in rows.for_case(feedback_id):
        if row.recipient != "reporter":
            continue
        if State(row.state) in PENDING - {State.SENDING}:
            ledger.suppress(tx, row, ERASED)
        row.params, row.receiver, row.rate_limit_key = {}, "", ""
        rows.upsert(row)


HANDLERS: dict[type[Event], Handler] = {
    **dict.fromkeys(
        (
            intake.FeedbackReceived,
            intake.FeedbackSupplemented,
            intake.FeedbackUrged,
            intake.FeedbackMattersAsked,
            intake.FeedbackProgressAsked,
            intake.FeedbackAppealed,
            routing.FeedbackRouted,
            routing.FeedbackTriageNeeded,
            routing.FeedbackAlarmRaised,
            desk.CaseDispatched,
            desk.CaseReturned,
            desk.CaseAssigned,
            desk.CaseUnassigned,
            desk.CaseInfoRequested,
            desk.CaseReplied,
            desk.CaseRejected,
            desk.CaseClosed,
            desk.CaseReopened,
            desk.CaseWithdrawn,
            desk.CaseRequestRefused,
            desk.CaseRecalled,
            desk.CaseCorrected,
            desk.CaseMarkedAsSpam,
            desk.CaseRestored,
            desk.CaseMerged,
            desk.CaseAbsorbed,
            desk.CaseReleased,
            desk.CaseAnsweredThrough,
            desk.CaseUnmerged,
            desk.CaseWordsOwed,
            desk.CaseSplit,
            desk.CaseSplitOff,
            desk.CaseDepartmentAdded,
            desk.CaseDepartmentRemoved,
            desk.CasePartFinished,
            desk.CaseNoted,
            desk.CaseResumed,
            desk.CaseProgressed,
            desk.CaseExtensionAsked,
            desk.CaseExtensionGranted,
            desk.CaseExtensionRefused,
            desk.CaseReplySubmitted,
            desk.CaseReplySentBack,
            desk.CaseSupervised,
            desk.CaseBreachExplained,
            desk.CaseAlarmUnanswered,
            desk.CaseAppealed,
            desk.CaseAppealUpheld,
            desk.CaseAppealDismissed,
            sla.SlaPromisesChanged,
            sla.SlaWarned,
            sla.SlaBreached,
            sla.EscalationRaised,
        ),
        tell_people,
    ),
    intake.FeedbackReachableAgain: send_what_waited,
    intake.PrivateDetails: keep_contact,
    desk.PrivateReplyWords: keep_reply_words,
    ReportMade: mail_report,
    desk.PersonListed: tell_of_absence,
    desk.SurgeListed: tell_of_surge,
}
TOMBSTONES = {PRIVATE: forget_contact}
