"""Identifiers made on the client: ordered by time, so that indexes stay dense."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils import uuid7

from shared.nfkc import nfkc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id() -> str:
    """A UUIDv7 as text."""
    return str(uuid7())


def letters_and_digits(typed: str) -> str:
    """The ASCII letters and digits of an identifier that a person typed or pasted.

    Full-width ones count as what they look like; blanks, dashes of any kind and what cannot be
    seen do not count.
    """
    plain = nfkc(typed)
    return "".join([c for c in plain if c.isascii() and c.isalnum()])


def id_as_typed(typed: str) -> str:
    """The `new_id` that a person typed, however it came out; `typed` itself if it is none."""
    digits = letters_and_digits(typed)
    try:
        return str(UUID(digits)) if len(digits) == 32 else typed
    except ValueError:
        return typed


def ids_as_typed(typed: str) -> tuple[str, str]:
    """The first and the last `new_id` that a person may mean: of a whole one that, of a beginning
    all that begin so; `typed` twice where it is neither."""
    whole, digits = id_as_typed(typed), letters_and_digits(typed)
    with_words = any(c.isspace() or (c.isalnum() and not c.isascii()) for c in typed)
    if whole != typed or with_words or not 8 <= len(digits) <= 32:
        return whole, whole
    try:
        return str(UUID(digits.ljust(32, "0"))), str(UUID(digits.ljust(32, "f")))
    except ValueError:
        return typed, typed


def made_at(identifier: str) -> datetime | None:
    """When `new_id` made this one, by the time that is part of it, to the millisecond; None where
    it is none."""
    try:
        return _EPOCH + timedelta(milliseconds=UUID(identifier).int >> 80)
    except (ValueError, OverflowError):
        return None


def made_since(identifier: str, moment: datetime) -> bool:
    """Whether `new_id` made this one at `moment` or later; False where it is none."""
    made = made_at(identifier)
    return made is not None and made >= moment.replace(
        microsecond=moment.microsecond // 1000 * 1000
    )
