"""What sla says in the stories, written short."""

from __future__ import annotations

from typing import Any

from shared.contracts.sla import Change, ClockChange, Promise, PromiseStatus, SlaPromisesChanged
from shared.contracts.vocabulary import Priority


def changed(
    when: dict[str, Any],
    priority: Priority,
    *clocks: tuple[Change, PromiseStatus, dict[str, Any]],
) -> SlaPromisesChanged:
    """What happened to these clocks, what each is since then, and the fields of both."""
    at = when["at"]
    ended = {Change.MET: at, Change.CANCELLED: at}
    return SlaPromisesChanged(
        **when,
        changes=tuple(ClockChange(change=change, at=at, **more) for change, _, more in clocks),
        promises=tuple(
            Promise(
                status=status,
                paused=status is PromiseStatus.PAUSED,
                ended=ended.get(change),
                **more,
            )
            for change, status, more in clocks
        ),
        priority=priority,
        policy_version=2,
    )
