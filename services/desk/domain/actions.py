"""What can be done to a case, and what each action is called."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What can be done to a case: by staff, by the reporter, by the system itself."""

    # The office.
    DISPATCH = "dispatch"
    RECALL = "recall"
    CORRECT = "correct"
    REJECT = "reject"
    SPAM = "spam"
    RESTORE = "restore"
    MERGE = "merge"
    UNMERGE = "unmerge"
    SPLIT = "split"
    LINK = "link"
    UNLINK = "unlink"
    JOIN = "join"
    LEAVE = "leave"
    ADD_DEPARTMENT = "add_department"
    REMOVE_DEPARTMENT = "remove_department"
    FOLLOW_UP = "follow_up"
    CONFIRM_ALARM = "confirm_alarm"
    DISMISS_ALARM = "dismiss_alarm"
    CLOSE = "close"
    REOPEN = "reopen"
    # The department.
    ACCEPT = "accept"
    RETURN = "return"
    ASSIGN = "assign"
    CLAIM = "claim"
    UNASSIGN = "unassign"
    PROGRESS = "progress"
    ASK = "ask"
    WAIT = "wait"
    RESUME = "resume"
    SUBMIT = "submit"
    REPLY = "reply"
    AMEND = "amend"
    EXTEND = "extend"
    FINISH_PART = "finish_part"
    EXPLAIN_BREACH = "explain_breach"
    # Its head.
    APPROVE = "approve"
    SEND_BACK = "send_back"
    GRANT_EXTENSION = "grant_extension"
    REFUSE_EXTENSION = "refuse_extension"
    # Leaders.
    SUPERVISE = "supervise"
    UPHOLD = "uphold"
    DISMISS = "dismiss"
    # Whoever sees it.
    NOTE = "note"

    OPEN = "open"
    ROUTE = "route"
    SUPPLEMENT = "supplement"
    RATE = "rate"
    REQUEST_REOPENING = "request_reopening"
    APPEAL = "appeal"
    WITHDRAW = "withdraw"
    FALL_QUIET = "fall_quiet"
    TIME_OUT = "time_out"
    REPEAT_ALARM = "repeat_alarm"
    ANSWER_INCIDENT = "answer_incident"


NOT_OFFERED = frozenset(
    {
        Action.OPEN,
        Action.ROUTE,
        Action.SUPPLEMENT,
        Action.RATE,
        Action.REQUEST_REOPENING,
        Action.APPEAL,
        Action.WITHDRAW,
        Action.FALL_QUIET,
        Action.TIME_OUT,
        Action.REPEAT_ALARM,
        Action.ANSWER_INCIDENT,
    }
)
"""What the reporter says elsewhere, what happens by itself, and what an incident does to each."""

ACTION_NAMES: dict[Action, tuple[str, str]] = {
    Action.DISPATCH: ("派单", "dispatched"),
    Action.RECALL: ("收回", "recalled"),
    Action.CORRECT: ("更正", "corrected"),
    Action.REJECT: ("不予受理", "rejected"),
    Action.SPAM: ("标为无效", "marked as invalid"),
    Action.RESTORE: ("恢复", "restored"),
    Action.MERGE: ("并案", "joined to another"),
    Action.UNMERGE: ("撤销并案", "separated again"),
    Action.SPLIT: ("拆分", "split"),
    Action.LINK: ("关联", "linked"),
    Action.UNLINK: ("取消关联", "unlinked"),
    Action.JOIN: ("归入事件", "joined to an incident"),
    Action.LEAVE: ("移出事件", "taken out of the incident"),
    Action.ADD_DEPARTMENT: ("请部门协办", "shared with another department"),
    Action.REMOVE_DEPARTMENT: ("取消协办", "taken from a second department"),
    Action.FOLLOW_UP: ("登记回访", "followed up"),
    Action.CONFIRM_ALARM: ("确认是紧急情况", "confirmed as an emergency"),
    Action.DISMISS_ALARM: ("认定不是紧急情况", "called no emergency"),
    Action.CLOSE: ("办结", "closed"),
    Action.REOPEN: ("重新办理", "reopened"),
    Action.ACCEPT: ("签收", "accepted"),
    Action.RETURN: ("退单", "returned"),
    Action.ASSIGN: ("指派", "assigned"),
    Action.CLAIM: ("认领", "claimed"),
    Action.UNASSIGN: ("放回本部门", "put back"),
    Action.PROGRESS: ("发布进展", "reported on"),
    Action.ASK: ("请用户补充", "asked about"),
    Action.WAIT: ("等待外部单位", "left waiting for somebody outside"),
    Action.RESUME: ("继续办理", "resumed"),
    Action.SUBMIT: ("送审", "submitted for review"),
    Action.REPLY: ("答复", "replied to"),
    Action.AMEND: ("补充答复", "added to"),
    Action.EXTEND: ("申请延期", "extended"),
    Action.FINISH_PART: ("完成协办", "finished in part"),
    Action.EXPLAIN_BREACH: ("说明超期原因", "explained"),
    Action.APPROVE: ("通过", "approved"),
    Action.SEND_BACK: ("退回修改", "sent back"),
    Action.GRANT_EXTENSION: ("同意延期", "given more time"),
    Action.REFUSE_EXTENSION: ("不同意延期", "refused more time"),
    Action.SUPERVISE: ("督办", "supervised"),
    Action.UPHOLD: ("认定复核成立", "upheld"),
    Action.DISMISS: ("维持原答复", "dismissed"),
    Action.NOTE: ("写备注", "noted"),
}
