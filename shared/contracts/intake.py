"""Events of intake: what a reporter said, and says later. Texts are masked."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from shared.contracts.event import DIRECTORY, PRIVATE, DirectoryFact, Event
from shared.contracts.lenient import AnyChannel
from shared.contracts.vocabulary import Solved


class SentPicture(BaseModel):
    """A picture that the reporter sent: it lies with intake, and is shown at a signed address."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    picture_id: str
    width: int
    height: int
    """Pixels."""


class FeedbackReceived(
    Event, type="feedback.received.v1", owner="intake", shred=("title", "text", "place")
):
    """A comment came in on any channel. ``at`` is the moment of receipt."""

    channel: AnyChannel
    account: str | None = None
    source_message_id: str | None = None
    title: str = ""
    text: str
    category: str | None = None
    place: str | None = None
    locale: str = "zh"
    anonymous: bool = False
    confidential: bool = False
    desk: str | None = None
    on_behalf: bool = False
    entered_by: str | None = None
    occurred_at: datetime | None = None
    code_hash: str
    """SHA-256 (hex) of the tracking code, so that a reader can find the case by code."""
    reachable: tuple[str, ...] = ()
    """Channels a reply can go out on: ``email``, ``wechat``; the addresses are private. ``phone``
    alone: a person has to ring."""
    incident: str | None = None
    """The incident that the reporter says this is one more case of; desk decides."""
    reporter_group: str | None = None
    pictures: tuple[SentPicture, ...] = ()


class FeedbackSupplemented(Event, type="feedback.supplemented.v1", owner="intake", shred=("text",)):
    """The reporter added something."""

    text: str
    words_id: str
    """Names the `PrivateWords` that holds the text unmasked."""
    thanks: bool = False
    """Thanks alone: nobody is owed an answer to it."""
    unasked: bool = False
    """No answer to the question that the case waits for: said before it had reached them, or thanks
    alone in a chat."""
    pictures: tuple[SentPicture, ...] = ()


class FeedbackPicturesErased(Event, type="feedback.pictures_erased.v1", owner="intake", shred=()):
    """The pictures that were sent with this comment, and later, are gone: the person behind it was
    erased. Nobody shows them any more."""


class FeedbackSupplementMoved(Event, type="feedback.supplement_moved.v1", owner="intake", shred=()):
    """The reporter says that what they added was about something else: it is a comment of its own
    now. It stays where it stands, too."""

    words_id: str
    """Of the `FeedbackSupplemented`."""
    to: str
    """The new comment."""


class FeedbackIncidentNamed(Event, type="feedback.incident_named.v1", owner="intake", shred=()):
    """The reporter said later that it is one more case of an incident ("me too"); desk decides."""

    incident: str


class FeedbackReachableAgain(Event, type="feedback.reachable_again.v1", owner="intake", shred=()):
    """The reporter wrote in the chat again: words that could not be sent there before can be sent
    now. Emitted only where such words wait."""


class FeedbackUrged(Event, type="feedback.urged.v1", owner="intake", shred=()):
    """The reporter asked for speed (催办)."""


class FeedbackRated(Event, type="feedback.rated.v1", owner="intake", shred=("comment",)):
    """The reporter rated the reply, 1 to 5 stars, and said whether it was solved."""

    stars: int
    solved: Solved
    comment: str | None = None


class FeedbackReopenRequested(
    Event, type="feedback.reopen_requested.v1", owner="intake", shred=("reason",)
):
    """The reporter says it is not solved."""

    reason: str


class FeedbackAppealed(Event, type="feedback.appealed.v1", owner="intake", shred=("reason",)):
    """The reporter asks a leader to look again."""

    reason: str


class FeedbackWithdrawn(Event, type="feedback.withdrawn.v1", owner="intake", shred=()):
    """The reporter takes the comment back."""


class FeedbackProgressAsked(Event, type="feedback.progress_asked.v1", owner="intake", shred=()):
    """The reporter asked in the chat how far it is: the answer goes there."""


class FeedbackMattersAsked(Event, type="feedback.matters_asked.v1", owner="intake", shred=()):
    """The reporter wants to see all that they have with us: the link goes to the address on
    record, and whoever opens it there is who they say."""

    request_id: str
    until: datetime
    """Then the link is no good any more."""


class Contact(BaseModel):
    """How to reach the reporter. Personal data: only on ``feedback.private``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    wechat_account: str | None = None
    wechat_openid: str | None = None


class PrivateDetails(
    Event,
    type="private.details.v1",
    owner="intake",
    topic=PRIVATE,
    shred=("tracking_code", "title", "text", "contact", "on_behalf_of"),
):
    """What may not enter the log of a comment: its unmasked words and contact, the newest wins."""

    tracking_code: str
    title: str = ""
    text: str
    contact: Contact = Contact()
    anonymous: bool = False
    confidential: bool = False
    on_behalf_of: str | None = None
    locale: str = "zh"


class PrivateWords(Event, type="private.words.v1", owner="intake", topic=PRIVATE, shred=("text",)):
    """What the reporter said later, unmasked: one of these per supplement."""

    words_id: str
    text: str

    @property
    def key(self) -> str:
        """One entry per message, in the partition of its case."""
        return f"{self.feedback_id}/{self.words_id}"


class PrivateErased(Event, type="private.erased.v1", owner="intake", topic=PRIVATE, shred=()):
    """Tombstone: the personal data of a case is gone. There is one for every key of the case."""

    words_id: str | None = None
    """Whose entry it removes: that of these words, or (None) the `PrivateDetails`."""

    @property
    def key(self) -> str:
        """The key of the entry that it removes."""
        return f"{self.feedback_id}/{self.words_id}" if self.words_id else self.feedback_id

    @property
    def tombstone(self) -> bool:
        """Always: compaction then removes what stood here."""
        return True


class TokenIssued(
    DirectoryFact, type="directory.token.v1", owner="intake", topic=DIRECTORY, shred=()
):
    """An adapter token exists, or is revoked. Carries no secret."""

    token_id: str
    name: str
    revoked: bool = False

    @property
    def key(self) -> str:
        """One entry per token."""
        return f"token:{self.token_id}"
