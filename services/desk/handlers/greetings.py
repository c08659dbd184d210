"""Who begins with a greeting says only later what it is about: the case is called by that then, and
counts for what it says."""

from __future__ import annotations

from functools import partial

from services.desk.deps import deps_of
from services.desk.domain import first_words
from services.desk.store import CaseRow, meanings, retitle, surges
from services.desk.store.messages import StaffWords
from shared.contracts.intake import FeedbackReceived, FeedbackSupplemented
from shared.contracts.vocabulary import State
from shared.greetings import says_nothing
from shared.messaging.transaction import Transaction


def title_of(event: FeedbackReceived) -> str:
    """What the reporter called it, or its first words."""
    return event.title if not says_nothing(event.title) else first_words(event.text)


async def entitle(event: FeedbackSupplemented, row: CaseRow, tx: Transaction) -> None:
    """Call a case in triage by what is added, where what was said before says nothing."""
    if row.state != State.TRIAGE or not says_nothing(row.title):
        return
    if event.thanks or says_nothing(event.text):
        return
    row.title = first_words(event.text)
    await retitle(tx, row.feedback_id, StaffWords(row.title, row.title))
    await meanings.forget(tx, row.feedback_id)
    await surges.forget(tx, row.feedback_id)
    tx.after_commit(partial(deps_of(tx).meaning.note, row.feedback_id))
    tx.after_commit(partial(deps_of(tx).received.note, row.feedback_id))
