"""What of a case stands in no chain: its rows under seal, and whether they are as written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.desk.store.tables import (
    CaseRow,
    DecisionRow,
    PrivateRow,
    PrivateWordsRow,
    WordsRow,
)
from shared.contracts.vocabulary import State
from shared.messaging.seals import SEAL, seal_of

Pair = tuple[str, str]
SEALED: tuple[type[Any], ...] = (CaseRow, WordsRow, DecisionRow, PrivateRow, PrivateWordsRow)
_NAMES: dict[str, Pair] = {
    "cases": ("案卷", "the case"),
    "words": ("原话", "its words"),
    "decisions": ("分派依据", "what routing thought"),
    "private": ("未遮盖的原话和联系方式", "words and contact as given"),
    "private_words": ("后来未遮盖的话", "later words as written"),
}
_OF_REPORTERS = frozenset({"supplement"})
"""Messages whose unmasked words come by themselves, before or after."""


@dataclass(frozen=True, slots=True)
class SealedRows:
    """The sealed rows of one case, by table."""

    rows: Mapping[str, list[dict[str, Any]]]

    @property
    def erased(self) -> bool:
        """Whether the reporter was erased: what was personal is gone, and nothing proves it."""
        return bool(self.rows["cases"][0]["erased"])

    @property
    def state(self) -> str:
        """Of the case, as its row says."""
        return str(self.rows["cases"][0]["state"])

    def not_covered(self) -> list[Pair]:
        """What nothing is proved of: not written since there are seals."""
        return [
            _NAMES[table]
            for table, rows in self.rows.items()
            if any(row[SEAL] is None for row in rows)
        ]

    def covered(self) -> list[Pair]:
        """What is proved, table by table."""
        return [
            _NAMES[table]
            for table, rows in self.rows.items()
            if rows and all(row[SEAL] is not None for row in rows)
        ]

    def differences(self, messages: list[Mapping[str, Any]]) -> Iterator[Pair]:
        """What is not as it was written; never the words themselves, which may be personal."""
        for table, rows in self.rows.items():
            zh, en = _NAMES[table]
            for row in rows:
                if row[SEAL] is not None and seal_of(table, row) != row[SEAL]:
                    which = row.get("words_id") or row["feedback_id"]
                    yield (
                        f"{zh}（{table} {which}）与写下时不同",
                        f"{table}: {en} ({which}) is not as it was written",
                    )
        if not self.rows["words"] and self.state != State.RECEIVED:
            yield "原话（words）不见了", "words: the row is gone"
        yield from self._missing(messages)

    def _missing(self, messages: list[Mapping[str, Any]]) -> Iterator[Pair]:
        kept = {row["words_id"] for row in self.rows["private_words"]}
        for message in messages:
            words_id = message.get("words_id")
            gone = words_id and words_id not in kept and message["kind"] not in _OF_REPORTERS
            if gone and not self.erased:
                yield (
                    f"后来未遮盖的话（private_words {words_id}）不见了",
                    f"private_words: {words_id} is gone",
                )
