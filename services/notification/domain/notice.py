"""One message for one person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

REPORTER = "reporter"
STAFF = "staff:"
ABSENCE = "absence"
"""A message about no case: that somebody was entered as away."""
WORDS_ADDED = "supplemented"
FAREWELLS = frozenset({"recalled", "moved", "part_withdrawn"})
"""What tells people that a case is theirs no more."""


@dataclass(frozen=True)
class Notice:
    """One message for one person."""

    kind: str
    recipient: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def staff(self) -> str | None:
        """The account, where it is staff."""
        return staff_of(self.recipient)


def staff_of(recipient: str) -> str | None:
    """The account behind a recipient; None for the reporter."""
    return recipient.removeprefix(STAFF) if recipient.startswith(STAFF) else None


def is_for_the_department(kind: str, params: dict[str, Any]) -> bool:
    """Whether a notice to staff was meant for whoever works on the case in its department."""
    if kind == "new_work":
        return params.get("what") in ("accept", "assigned", "unassigned", "help", "sent_back")
    return kind in ("news", "warning", "breach")


def takes_leave(params: dict[str, Any]) -> bool:
    """Whether a notice tells its receiver that they cannot open the case any more."""
    return params.get("what") in FAREWELLS
