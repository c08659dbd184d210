"""Whether what a reporter asked for has come of it already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.tracking.domain.view import Line
from shared.contracts.vocabulary import State

_ANSWERED = frozenset({State.REPLIED, State.CLOSED})
BECOMES: Mapping[str, tuple[str, frozenset[State]]] = {
    "supplement": ("feedback.supplemented", frozenset({State.WAITING_USER, State.REJECTED})),
    "urge": ("feedback.urged", frozenset()),
    "rate": ("feedback.rated", frozenset()),
    "reopen": ("feedback.reopen_requested", _ANSWERED),
    "appeal": ("feedback.appealed", _ANSWERED | {State.REJECTED}),
    "withdraw": ("feedback.withdrawn", frozenset(State) - {State.WITHDRAWN}),
}
"""What was done → its line, and the states in which nothing has come of it yet."""


def became(done: str, at: datetime, state: str, lines: Iterable[Line]) -> bool:
    """Whether it was done in this case, and moved it or was refused."""
    kind, before = BECOMES[done]
    types = {line.type for line in lines if line.at >= at}
    return kind in types and (state not in before or "case.request_refused" in types)
