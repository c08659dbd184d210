"""Who gets which message because of which event."""

from __future__ import annotations

from services.notification.domain.addressees import People, and_substitutes, and_who_is_there
from services.notification.domain.cases import Case
from services.notification.domain.notice import STAFF, Notice
from services.notification.domain.to_reporters import to_reporter
from services.notification.domain.to_staff import to_staff
from shared.contracts import Event


def notices(event: Event, before: Case, case: Case, people: People) -> list[Notice]:
    """Whom `event` concerns; `before` is the case as it was, `case` as it is now.

    Nobody gets a message about what they did themselves.
    """
    itself = f"{STAFF}{event.by.name}" if event.by.name else None
    told = [n for n in to_staff(event, before, case, people) if n.recipient != itself]
    told = and_who_is_there(told, case.department, people)
    found = [*to_reporter(event, before, case), *and_substitutes(told, people)]
    return list({n.recipient: n for n in found if n.recipient != itself}.values())
