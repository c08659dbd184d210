"""What was written, masked and unmasked, as it is found and what it means."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, REAL, Index, String, Text, text
from sqlmodel import Field

from services.desk.store.tables.base import (
    DeskTable,
    digits_index,
    letters_index,
    once_index,
    sealed,
    searched,
)
from shared.db.tables import document, moment


class WordsRow(DeskTable, table=True):
    """The reporter's words, masked, and as the search sees them."""

    __tablename__ = "words"
    __table_args__ = (
        Index(
            "words_search",
            "search",
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        Index(
            "words_place",
            "search_place",
            postgresql_using="gin",
            postgresql_ops={"search_place": "gin_trgm_ops"},
        ),
        letters_index("words", "search"),
        letters_index("words", "search_place"),
        digits_index("words", "search"),
        digits_index("words", "search_place"),
    )

    feedback_id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    search: str = Field(sa_type=Text)
    search_place: str = searched()
    """Apart from the words, by which near-equal cases are found."""
    seal: str | None = sealed()


class MeaningRow(DeskTable, table=True):
    """What the masked beginning of a case means; see `store.meanings`."""

    __tablename__ = "meanings"
    __table_args__ = (
        Index("meanings_model", "model"),
        Index("meanings_things", "things", postgresql_using="gin"),
    )

    feedback_id: str = Field(primary_key=True)
    model: str
    at: datetime = moment()
    things: list[str] = Field(sa_type=ARRAY(String))
    vector: list[float] = Field(sa_type=ARRAY(REAL))


class MessageRow(DeskTable, table=True):
    """What was written in a case after its first words, by whomever.

    `kind`: ``note``, ``send_back`` (internal, see `INTERNAL`), ``reply``, ``progress``,
    ``question``, ``rejection``, ``verdict`` (on an appeal), ``follow_up`` (what was said on the
    telephone); ``supplement``, ``rating``, ``reopening``, ``appeal``
    are the reporter's. The text is masked; where that changed
    it, the words as they were written are found in `PrivateWordsRow` under `words_id`.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_of_case", "feedback_id", "at"),
        Index(
            "messages_search",
            "search",
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        letters_index("messages", "search"),
    )

    message_id: str = Field(primary_key=True)
    feedback_id: str
    kind: str
    at: datetime = moment()
    by: str | None = None
    text: str = Field(sa_type=Text)
    outcome: str | None = None
    words_id: str | None = None
    origin: str | None = None
    """Of a supplement: the joined case whose reporter wrote it."""
    rule: str | None = None
    """What a reply rests on, by name and version."""
    hash: str | None = None
    search: str = searched()


class PictureRow(DeskTable, table=True):
    """That the reporter sent a picture with a comment, or with words of later; it lies with intake.

    Gone when its sender is erased.
    """

    __tablename__ = "pictures"
    __table_args__ = (
        Index("pictures_origin", "origin", postgresql_where=text("origin IS NOT NULL")),
    )

    feedback_id: str = Field(primary_key=True)
    picture_id: str = Field(primary_key=True)
    """Those of a message come in the order of their ids."""
    message_id: str | None = None
    """None: it came with the comment."""
    width: int
    height: int
    origin: str | None = None
    """The case it was sent to, where that is another: one that is joined to this, or that this is
    a part of."""


INTERNAL = frozenset({"note", "send_back"})
"""Messages of staff to staff."""


class PrivateRow(DeskTable, table=True):
    """Unmasked words and contact; gone when the person is erased.

    `search_words` and `search_person` are how the search sees the words, and who it is: two,
    because not everybody who reads the words is shown the person.
    """

    __tablename__ = "private"
    __table_args__ = (
        *(
            Index(
                f"private_{column}",
                column,
                postgresql_using="gin",
                postgresql_ops={column: "gin_trgm_ops"},
            )
            for column in ("search_words", "search_person")
        ),
        *(letters_index("private", column) for column in ("search_words", "search_person")),
        once_index("private", "search_person"),
        digits_index("private", "search_person"),
    )

    feedback_id: str = Field(primary_key=True)
    title: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    contact: dict[str, Any] = document(default_factory=dict)
    on_behalf_of: str | None = None
    search_words: str = Field(default="", sa_type=Text)
    search_person: str = Field(default="", sa_type=Text)
    seal: str | None = sealed()
    """In the row it seals, so that an erasure leaves nothing by which words could be guessed."""


class PrivateWordsRow(DeskTable, table=True):
    """What was written later, unmasked, by the reporter or (where masking changed it) by staff.

    Gone when the person is erased.
    """

    __tablename__ = "private_words"

    words_id: str = Field(primary_key=True)
    feedback_id: str = Field(index=True)
    text: str = Field(sa_type=Text)
    published: bool = False
    """Staff's, and on ``feedback.private`` too: whoever writes to the reporter sends it."""
    seal: str | None = sealed()
