"""Events of desk that carry personal data, and what makes them forgotten."""

from __future__ import annotations

from shared.contracts.event import PRIVATE, ErasureAcknowledged, Event


class PrivateReplyWords(
    Event, type="private.reply_words.v1", owner="desk", topic=PRIVATE, shred=("text",)
):
    """Words for the reporter as staff wrote them, where masking changed what the log holds."""

    words_id: str
    text: str

    @property
    def key(self) -> str:
        """One entry per message."""
        return f"{self.feedback_id}/{self.words_id}"


class PrivateReplyWordsErased(
    Event, type="private.reply_words_erased.v1", owner="desk", topic=PRIVATE, shred=()
):
    """Tombstone of one `PrivateReplyWords`."""

    words_id: str

    @property
    def key(self) -> str:
        """That of the words."""
        return f"{self.feedback_id}/{self.words_id}"

    @property
    def tombstone(self) -> bool:
        """Always: compaction then removes what stood here."""
        return True


class PrivateErasedByDesk(
    ErasureAcknowledged, type="private.erased_by_desk.v1", owner="desk", topic=PRIVATE, shred=()
):
    """Desk has forgotten the personal data of a case."""
