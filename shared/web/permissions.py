"""Which roles may do what that is no action on a case: the one table of it.

What may be done to a case depends on its state and is desk's own table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.contracts.vocabulary import Role


class Permission(StrEnum):
    """Something that a page or a route lets a member of staff do."""

    WRITE_DOWN = "write down what somebody said"
    READ_EVERY_CASE = "read every case, also the confidential ones"
    READ_RULES = "read the routing rules"
    EDIT_RULES = "edit the routing rules"
    EDIT_PROMISES = "edit the policy and the calendar"
    EXPLAIN_ALL_DATES = "see why a date is what it is, in every case"
    EXPLAIN_OWN_DATES = "see why a date is what it is, where one's department has a part"
    READ_DELIVERIES = "see what became of messages"
    SEND_AGAIN = "send a message again"
    SEE_ALL_FIGURES = "see all figures"
    SEE_OWN_FIGURES = "see the figures of one's own department"
    SEE_MAILED_REPORTS = "see which reports are mailed, and what became of them"


_OFFICE = {Role.COORDINATOR, Role.LEADER, Role.AUDITOR}

ROLES: Mapping[Permission, frozenset[Role]] = {
    # Everybody but the auditor, who changes nothing.
    Permission.WRITE_DOWN: frozenset(Role) - {Role.AUDITOR},
    # An administrator runs the system and reads no mail.
    Permission.READ_EVERY_CASE: frozenset(_OFFICE),
    Permission.READ_RULES: frozenset(_OFFICE | {Role.ADMIN}),
    Permission.EDIT_RULES: frozenset({Role.COORDINATOR, Role.ADMIN}),
    Permission.EDIT_PROMISES: frozenset({Role.ADMIN}),
    Permission.EXPLAIN_ALL_DATES: frozenset(_OFFICE | {Role.ADMIN}),
    Permission.EXPLAIN_OWN_DATES: frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER}),
    Permission.READ_DELIVERIES: frozenset(_OFFICE),
    Permission.SEND_AGAIN: frozenset({Role.COORDINATOR}),
    Permission.SEE_ALL_FIGURES: frozenset(_OFFICE),
    Permission.SEE_OWN_FIGURES: frozenset({Role.LIAISON, Role.HANDLER, Role.REVIEWER}),
    Permission.SEE_MAILED_REPORTS: frozenset({Role.COORDINATOR, Role.ADMIN, Role.AUDITOR}),
}

REFUSALS: Mapping[Permission, tuple[str, str]] = {
    Permission.WRITE_DOWN: ("审计只看不改。", "An auditor reads and changes nothing."),
    Permission.READ_RULES: (
        "规则由协调人员和系统管理员维护。",
        "Coordinators and administrators look after the rules.",
    ),
    Permission.EDIT_RULES: (
        "规则由协调人员和系统管理员维护。",
        "Coordinators and administrators look after the rules.",
    ),
    Permission.EDIT_PROMISES: (
        "只有系统管理员可以修改。",
        "Only an administrator may change this.",
    ),
    Permission.READ_DELIVERIES: (
        "您的角色不能查看或重发通知。",
        "Your role may not see or resend messages.",
    ),
    Permission.SEND_AGAIN: (
        "您的角色不能查看或重发通知。",
        "Your role may not see or resend messages.",
    ),
    Permission.SEE_ALL_FIGURES: (
        "运行情况给协调人员、领导、审计和各部门看。",
        "The dashboard is for coordinators, leaders, auditors and departments.",
    ),
    Permission.SEE_MAILED_REPORTS: (
        "报告寄给了谁，由协调人员、审计和系统管理员查看。",
        "Coordinators, auditors and administrators see to whom reports are mailed.",
    ),
}
"""Why not, where it can be said better than by `FORBIDDEN`."""
FORBIDDEN = ("您的身份不能做这件事。", "Your role may not do this.")
