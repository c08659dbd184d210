"""A comment on its way in, whatever channel it came on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationInfo

from services.intake.domain.pictures import Picture
from shared.contracts import REPORTER, Actor
from shared.contracts.inbound import (
    FeedbackBody,
    InboundContact,
    InboundFeedback,
    Name,
    WhenSaid,
    as_id,
)
from shared.contracts.intake import Contact, FeedbackReceived, PrivateDetails
from shared.contracts.refusal import Unacceptable
from shared.contracts.vocabulary import Channel
from shared.privacy import mask

SKEW = timedelta(seconds=5)
"""How far ahead of ours the clock of an adapter may be."""


def _known_or_none(value: Any, info: ValidationInfo) -> str | None:
    known = (info.context or {}).get("categories", ())
    return value if isinstance(value, str) and value in known else None


GROUPS = ("students", "teachers", "staff", "alumni", "visitors")
"""What a person may say they are, and is asked for, in this order; programs may know others."""


def _group_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value in GROUPS else None


ReporterGroup = Annotated[str | None, BeforeValidator(_group_or_none)]


def _id_or_none(value: Any) -> str | None:
    try:
        return as_id(value) if isinstance(value, str) else None
    except ValueError:
        return None


class PublicFeedback(FeedbackBody):
    """What anybody sends. A category we do not have is no reason to refuse a comment."""

    category: Annotated[str | None, BeforeValidator(_known_or_none)] = None
    incident: Annotated[str | None, BeforeValidator(_id_or_none)] = None
    reporter_group: ReporterGroup = None


def _blank_is_none(value: Any) -> Any:
    return None if value == "" else value


class DeskFeedback(FeedbackBody):
    """What staff enter for a person in front of them or on the telephone."""

    desk: Name = None
    on_behalf_of: Name = None
    occurred_at: WhenSaid = None
    reporter_group: ReporterGroup = None
    channel: Annotated[
        Literal[
            "desk",
            "phone",
            "wechat",
            "email",
            "class_group",
            "survey",
            "meeting",
            "proposal",
            "staff",
            "other",
        ]
        | None,
        BeforeValidator(_blank_is_none),
    ] = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A comment that is in order, with all it was given on arrival."""

    feedback_id: str
    tracking_code: str
    code_hash: str
    received_at: datetime
    channel: str
    text: str = field(repr=False)
    title: str = field(default="", repr=False)
    category: str | None = None
    place: str | None = None
    locale: str = "zh"
    anonymous: bool = False
    confidential: bool = False
    account: str | None = None
    source_message_id: str | None = None
    occurred_at: datetime | None = None
    reporter_group: str | None = None
    desk: str | None = None
    on_behalf_of: str | None = field(default=None, repr=False)
    entered_by: str | None = None
    contact: Contact = field(default=Contact(), repr=False)
    by: Actor = REPORTER
    erased: bool = False
    """Nobody is to know any more who it was."""
    incident: str | None = None
    """Of which incident it says that it is one more case."""
    pictures: tuple[Picture, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What every new comment is given: an id, a code, the moment of receipt."""

    feedback_id: str
    tracking_code: str
    code_hash: str
    received_at: datetime


def from_public(
    body: FeedbackBody, ticket: Ticket, *, channel: str, locale: str, **more: Any
) -> Submission:
    """A comment as its reporter sent it; `more` is what other channels know besides."""
    given = more.pop("contact", None) or _contact(body.contact, anonymous=body.anonymous)
    return Submission(
        feedback_id=ticket.feedback_id,
        tracking_code=ticket.tracking_code,
        code_hash=ticket.code_hash,
        received_at=ticket.received_at,
        channel=channel,
        text=body.text,
        title=body.title or "",
        category=body.category,
        place=body.place,
        locale=body.locale or locale,
        anonymous=body.anonymous,
        confidential=body.confidential,
        contact=given,
        incident=body.incident,
        **more,
    )


def from_adapter(body: InboundFeedback, ticket: Ticket, *, account: str, locale: str) -> Submission:
    """A comment that a program brings; `account` is whose, where the program does not say."""
    _not_in_the_future(body.occurred_at, ticket)
    account = body.account or account
    contact = _contact(body.contact, anonymous=body.anonymous)
    if contact.wechat_openid and body.channel == Channel.WECHAT:
        contact = contact.model_copy(update={"wechat_account": account})
    return from_public(
        body,
        ticket,
        channel=body.channel,
        locale=locale,
        account=account,
        source_message_id=body.source_message_id,
        occurred_at=body.occurred_at,
        reporter_group=body.reporter_group,
        contact=contact,
    )


def _not_in_the_future(said: datetime | None, ticket: Ticket) -> None:
    if said is not None and said > ticket.received_at + SKEW:
        words = ("说的时间不能是将来", "When it was said must not be in the future")
        raise Unacceptable(*words, errors={"occurred_at": " | ".join(words)})


def from_staff(body: DeskFeedback, ticket: Ticket, *, actor: Actor, locale: str) -> Submission:
    """A comment that a member of staff writes down."""
    _not_in_the_future(body.occurred_at, ticket)
    return from_public(
        body,
        ticket,
        occurred_at=body.occurred_at,
        channel=body.channel or Channel.DESK,
        locale=locale,
        desk=body.desk,
        reporter_group=body.reporter_group,
        on_behalf_of=None if body.anonymous else body.on_behalf_of,
        entered_by=actor.name,
        by=actor,
    )


def _contact(given: InboundContact | None, *, anonymous: bool) -> Contact:
    if given is None:
        return Contact()
    if anonymous:
        # Who they are is not kept; an address they left on purpose only serves to deliver.
        return Contact(email=given.email, wechat_openid=given.wechat_openid)
    return Contact(
        name=given.name,
        email=given.email,
        phone=given.phone,
        wechat_openid=given.wechat_openid,
    )


_ADDED = ("incident", "reporter_group")


def fingerprint(body: FeedbackBody, pictures: Sequence[Picture] = ()) -> str:
    """Equal for equal comments, however their JSON was written."""
    # A key of before there were these stands for the same body as after.
    unset = {name for name in _ADDED if getattr(body, name, None) is None}
    said = "\0".join([body.model_dump_json(exclude=unset), *(one.digest for one in pictures)])
    return hashlib.sha256(said.encode()).hexdigest()


def masked(words: str, submission: Submission) -> str:
    """`words` as the whole system may read them: without numbers, addresses, and who it is."""
    return mask(words, submission.contact.name, submission.on_behalf_of)


def received_event(submission: Submission) -> FeedbackReceived:
    """What the whole system may know of it: every word is masked."""
    contact = submission.contact
    reachable = (("email", contact.email), ("wechat", contact.wechat_openid))
    only_phone = ("phone",) if contact.phone and not submission.anonymous else ()
    return FeedbackReceived(
        feedback_id=submission.feedback_id,
        at=submission.received_at,
        by=submission.by,
        channel=submission.channel,
        account=submission.account,
        source_message_id=submission.source_message_id,
        title=masked(submission.title, submission) if submission.title else "",
        text=masked(submission.text, submission),
        category=submission.category,
        place=masked(submission.place, submission) if submission.place else None,
        locale=submission.locale,
        anonymous=submission.anonymous,
        confidential=submission.confidential,
        desk=mask(submission.desk) if submission.desk else None,
        on_behalf=submission.on_behalf_of is not None,
        entered_by=submission.entered_by,
        occurred_at=submission.occurred_at,
        reporter_group=submission.reporter_group,
        code_hash=submission.code_hash,
        reachable=tuple(name for name, address in reachable if address) or only_phone,
        incident=submission.incident,
        pictures=tuple(one.sent for one in submission.pictures),
    )


def private_details(submission: Submission) -> PrivateDetails:
    """What only desk and notification may know of it."""
    return PrivateDetails(
        feedback_id=submission.feedback_id,
        at=submission.received_at,
        by=submission.by,
        tracking_code=submission.tracking_code,
        title=submission.title,
        text=submission.text,
        contact=submission.contact,
        anonymous=submission.anonymous,
        confidential=submission.confidential,
        on_behalf_of=submission.on_behalf_of,
        locale=submission.locale,
    )
