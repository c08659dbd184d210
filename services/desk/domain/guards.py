"""What forbids an action that the state alone would allow."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.desk.domain.actions import Action
from services.desk.domain.case import Asked, Case
from services.desk.domain.rights import (
    REOPEN_AT_MOST,
    REOPEN_WITHIN,
    appeal_refused,
    goes_on_elsewhere,
    is_put_back,
    reopening_refused,
)
from services.desk.domain.visibility import OF_A_DEPARTMENT
from shared.contracts import Actor
from shared.contracts.vocabulary import CaseType, RefusalReason, Role, State

RETURNS_BEFORE_ADJUDICATION = 2
RESTORE_WITHIN = timedelta(days=30)

Words = tuple[str, str]
"""Chinese, English."""


_OF_EVERYBODY = frozenset({Action.NOTE, Action.FINISH_PART})


def is_theirs(account: str | None, by: Actor) -> bool:
    """Whether this is the account of who acts, or of the absent in whose place they do."""
    return account is not None and account in (by.name, by.substitute_for)


def may_let_out(case: Case, by: Actor) -> bool:
    """Whether whoever acts may publish what is written after a reply was sent back: who sent it
    back, or a head of the department, but for their own draft."""
    held = case.sent_back
    if held is None or by.name == held.by:
        return True
    # Nor in the place of the head who sent it back: whoever wrote it does not agree to it.
    if is_theirs(held.drafted_by, by):
        return False
    return by.role == Role.REVIEWER or is_theirs(held.by, by)


def foreign(case: Case, action: Action, by: Actor) -> Words | None:
    """Why this is not for somebody of this department to do, whatever the state (403)."""
    if by.kind != "staff" or by.role not in OF_A_DEPARTMENT or action in _OF_EVERYBODY:
        return None
    if by.department == case.department or case.department is None:
        return None
    return "这一件由别的部门主办。", "Another department leads this."


def guard(case: Case, action: Action, by: Actor, at: datetime) -> Words | None:
    """What forbids it now, in both languages (409)."""
    match action:
        case Action.ROUTE if len(case.returned_by) >= RETURNS_BEFORE_ADJUDICATION:
            return "已经退回两次，由人裁定。", "It was returned twice; a person decides."
        case Action.RETURN:
            return _return(case)
        case Action.RESTORE | Action.UNMERGE:
            return _restore(case, action, by, at)
        case Action.SUPPLEMENT | Action.RATE | Action.WITHDRAW if goes_on_elsewhere(case):
            return (
                "这一件已经拆开、或者合回原来的一件办理，请对正在办理的来说。",
                "It was split, or put back into its whole; please speak of what goes on.",
            )
        case Action.RATE if case.replied_at is None or case.was_rejected:
            return "还没有答复可以评价。", "There is no reply to rate yet."
        case Action.SUPPLEMENT if case.state is State.REJECTED:
            return _restore(case, action, by, at)
        case Action.REPLY | Action.PROGRESS | Action.APPROVE | Action.SUBMIT:
            return _answer(case, action, by)
        case Action.AMEND if case.words_owed_since is not None:
            return (
                "用户在答复之后又说了话，请用答复或进展回应。",
                "The reporter has said something since; please answer that with a reply or a word "
                "of progress.",
            )
        case Action.AMEND if _speaks_unread(case, by):
            return (
                "这类答复要有人审，请负责人或办公室补充。",
                "Such replies are read by somebody else first: ask the head or the office to add "
                "to it.",
            )
        case Action.FOLLOW_UP if case.was_rejected:
            return (
                "这一件没有答复过，没有可以回访的；弄错了可以恢复。",
                "It was never answered, so there is nothing to follow up; it can be restored.",
            )
        case Action.CLOSE | Action.FALL_QUIET | Action.FOLLOW_UP if case.words_owed_since:
            return (
                "用户在答复之后又说了话，请先回应。",
                "The reporter has said something since the reply; please answer that first.",
            )
        case Action.CLAIM if case.state is not State.ACCEPTED and case.assignee is not None:
            return (
                "已经有人在办；可以请联络员改派。",
                "Somebody works on it already; the liaison can hand it over.",
            )
        case Action.ASSIGN if by.role == Role.HANDLER and not is_theirs(case.assignee, by):
            return (
                "只能把自己在办的转给别人。",
                "You can hand over what you work on yourself.",
            )
        case Action.UNASSIGN if case.assignee is None:
            return "这一件没有经办人。", "Nobody works on it."
        case Action.TIME_OUT if case.state is State.WAITING_EXTERNAL and not case.waiting_until:
            return "没有写明何时再看。", "There is no date to look again."
        case Action.REOPEN | Action.REQUEST_REOPENING:
            return _REOPENING.get(reopening_refused(case, at) or "")
        case Action.APPEAL if case.appeal_dismissed:
            return "馆领导已经复核过。", "A leader has looked at it again already."
        case Action.APPEAL if appeal_refused(case, at):
            return (
                "请先说明哪里没有解决，申请重新办理。",
                "Please ask for it to be reopened first, and say what is not solved.",
            )
        case Action.EXTEND | Action.GRANT_EXTENSION | Action.REFUSE_EXTENSION:
            return _extension(case, action, by, at)
        case Action.EXPLAIN_BREACH if not (case.breached or case.reasons_owed):
            return "没有超期的承诺。", "No promise was broken."
        case Action.FINISH_PART if not any(
            part.department == by.department and part.text is None for part in case.parts
        ):
            return "没有等本部门协办的事。", "Nothing waits for a part of your department."
        case Action.REMOVE_DEPARTMENT if not case.parts:
            return "没有部门协办这一件。", "No other department has a part in it."
        case Action.SPLIT if case.merged:
            return (
                "有别的反馈并在这一件里，请先撤销并案。",
                "Others are joined to it; please separate them first.",
            )
        case Action.UNLINK if not case.links:
            return "没有关联的反馈。", "It is linked to none."
        case Action.CONFIRM_ALARM | Action.DISMISS_ALARM if case.alarm is None:
            return "这一件没有警报。", "There is no alarm about it."
        case Action.CONFIRM_ALARM if case.alarm and case.alarm.emergency is True:
            return "已经确认是紧急情况。", "It was called an emergency already."
        case Action.DISMISS_ALARM if case.alarm and case.alarm.emergency is False:
            return "已经认定不是紧急情况。", "It was called no emergency already."
        case Action.REPEAT_ALARM if case.alarm is None or case.alarm.answered_at is not None:
            return "没有无人理会的警报。", "There is no alarm that nobody has answered."
        case Action.JOIN if case.incident_id is not None:
            return "已经归入一个事件。", "It belongs to an incident already."
        case Action.LEAVE | Action.ANSWER_INCIDENT if not case.incident_id:
            return "没有归入任何事件。", "It belongs to no incident."
    return None


def _return(case: Case) -> Words | None:
    if case.binding or case.department in case.returned_by:
        return (
            "这一件已经裁定由本部门办理，不能再退。",
            "This was decided bindingly; it cannot be returned again.",
        )
    if case.public_since_dispatch:
        return (
            "本部门已经对用户说过话，不能再退；可以请办公室改派。",
            "Your department has spoken to the reporter; ask the office to dispatch it again.",
        )
    return None


def _restore(case: Case, action: Action, by: Actor, at: datetime) -> Words | None:
    if case.state is State.CLOSED and not case.was_rejected:
        return (
            "这一件已经答复过；没有解决可以重新办理。",
            "It was answered; if that solved nothing, it can be reopened.",
        )
    if action is Action.UNMERGE and case.merged_into is None and not case.children:
        return "这一件没有并入别的反馈。", "It was not joined to another."
    if action is Action.UNMERGE and is_put_back(case):
        return (
            "它已经合回原来的一件；可以把那一件再拆开。",
            "It was put back into its whole, which can be split again.",
        )
    if by.kind != "system" and case.ended_at and at > case.ended_at + RESTORE_WITHIN:
        return (
            f"已经超过 {RESTORE_WITHIN.days} 天，不能再恢复；可以另提一件。",
            f"It is more than {RESTORE_WITHIN.days} days ago; please begin a new one.",
        )
    return None


def _speaks_unread(case: Case, by: Actor) -> bool:
    """Whether what is said after a reply that was read first would be read by nobody else: of who
    handles the case, also in the place of a head."""
    return case.needs_review and (by.role == Role.HANDLER or by.name == case.assignee)


def _answer(case: Case, action: Action, by: Actor) -> Words | None:
    if case.state is State.REPLIED and case.words_owed_since is None:
        if _speaks_unread(case, by):
            return (
                "已经答复过，用户没有新的话；要补充或更正，请负责人或办公室来。",
                "It is answered, and the reporter has said nothing since. To add to the reply or "
                "correct it, ask the head or the office.",
            )
        return (
            "已经答复过，用户没有新的话；可以补充或更正答复。",
            "It is answered, and the reporter has said nothing since. You can add to the reply, or "
            "correct it.",
        )
    inquiry = case.case_type in (None, CaseType.OTHER, CaseType.INQUIRY)
    if case.state is State.TRIAGE and by.role == Role.CLERK and not inquiry:
        return (
            "台口只能直接答复咨询；请交给办公室。",
            "A desk answers inquiries only; leave it to the office.",
        )
    if action is Action.REPLY and case.state is State.IN_PROGRESS and case.needs_review:
        return (
            "这类答复发出前要有人审，请送审。",
            "Such a reply is read by somebody else first; submit it for review.",
        )
    if action is Action.REPLY and _speaks_unread(case, by):
        return (
            "这类答复要有人审，请负责人来答复；也可以先告诉用户进展。",
            "Such replies are read by somebody else first: ask the head to answer, or tell the "
            "reporter how far it is.",
        )
    if action is Action.REPLY and not may_let_out(case, by):
        return (
            "负责人退回修改过这份答复：改好请再送审，同意后才发出去。",
            "A head sent this reply back: change it and submit it again; it goes out with a head's "
            "consent.",
        )
    # Neither as a substitute, nor in the place of who wrote it.
    if action is Action.APPROVE and case.review is not None and is_theirs(case.review.by, by):
        return "自己写的答复由别人来审。", "Somebody else has to approve what you wrote."
    return None


def _extension(case: Case, action: Action, by: Actor, at: datetime) -> Words | None:
    asked = case.extension
    pending = asked is not None and asked.state is Asked.PENDING
    if action is not Action.EXTEND:
        if not pending:
            return "没有延期申请。", "No more time was asked for."
        # More time is the head's to grant, their own too: they may be the only one. Who acts in
        # their place is not.
        if action is Action.GRANT_EXTENSION and by.substitute_for and asked and asked.by == by.name:
            return (
                "自己申请的延期，不能代负责人同意；请负责人或别人来。",
                "You cannot grant in the head's place what you asked for; ask the head or somebody "
                "else.",
            )
        return None
    if pending:
        return "已经申请延期，等负责人答复。", "More time was asked for; the head has not answered."
    if case.resolution_due is not None and case.resolution_due <= at:
        return (
            "期限已过，不能再延；请说明超期原因。",
            "The deadline has passed; please explain why instead.",
        )
    return None


_REOPENING: dict[str, Words] = {
    RefusalReason.NOT_POSSIBLE_NOW: ("没有答复可以重新办理。", "There is no reply to reopen."),
    RefusalReason.TOO_LATE: (
        f"答复已经超过 {REOPEN_WITHIN.days} 天，不能再重新办理。",
        f"The reply is more than {REOPEN_WITHIN.days} days old; it cannot be reopened.",
    ),
    RefusalReason.TOO_OFTEN: (
        f"已经重新办理过 {REOPEN_AT_MOST} 次，不能再重新办理。",
        f"It was reopened {REOPEN_AT_MOST} times already.",
    ),
}
