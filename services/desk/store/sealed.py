"""What of a case stands in no chain: its rows under seal, and whether they are as written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.desk.store.seal_marks import Mark
from services.desk.store.tables import (
    CaseRow,
    DecisionRow,
    PrivateRow,
    PrivateWordsRow,
    WordsRow,
)
from shared.contracts.vocabulary import State
from shared.messaging.seals import SEAL, Sealer, Verdict

Pair = tuple[str, str]
SEALED: tuple[type[Any], ...] = (CaseRow, WordsRow, DecisionRow, PrivateRow, PrivateWordsRow)
_NAMES: dict[str, Pair] = {
    "cases": ("案卷", "the case"),
    "words": ("原话", "its words"),
    "decisions": ("分派依据", "what routing thought"),
    "private": ("未遮盖的原话和联系方式", "words and contact as given"),
    "private_words": ("后来未遮盖的话", "later words as written"),
}
_WEAK: dict[Verdict, Pair] = {
    Verdict.MISSING: ("", ""),
    Verdict.WITHOUT_KEY: ("（封签没有密钥）", " (sealed without a key)"),
    Verdict.KEY_UNKNOWN: ("（密钥已不在列）", " (sealed with a key that is listed no more)"),
}
"""Seals that prove nothing against whoever writes SQL, and what is said of them."""
_OF_REPORTERS = frozenset({"supplement"})
"""Messages whose unmasked words come by themselves, before or after."""


@dataclass(frozen=True, slots=True)
class SealedRows:
    """The sealed rows of one case, by table."""

    rows: Mapping[str, list[dict[str, Any]]]
    sealer: Sealer
    mark: Mark

    @property
    def erased(self) -> bool:
        """Whether contact and unmasked words were erased: they are gone, and nothing proves it."""
        return bool(self.rows["cases"][0]["erased"])

    @property
    def _always(self) -> bool:
        """Whether no other code than such as has a key has ever written in this case."""
        return self.mark.covers(self.rows["cases"][0]["feedback_id"])

    @property
    def _has_keys(self) -> bool:
        """Whether all rows of the case were sealed with a key: it began so, or its words were."""
        return (
            self._always
            or bool(self.rows["cases"][0]["keyed"])
            or any(
                self.sealer.verdict("words", row) is Verdict.AS_WRITTEN
                for row in self.rows["words"]
            )
        )

    @property
    def state(self) -> str:
        """Of the case, as its row says."""
        return str(self.rows["cases"][0]["state"])

    def not_covered(self) -> list[Pair]:
        """What nothing is proved of: not written since seals have a key."""
        found = []
        for table, rows in self.rows.items():
            verdicts = {self.sealer.verdict(table, row) for row in rows}
            for weak, (zh, en) in _WEAK.items():
                if weak in verdicts:
                    found.append((_NAMES[table][0] + zh, _NAMES[table][1] + en))
        return found

    def covered(self) -> list[Pair]:
        """What is proved, table by table."""
        return [
            _NAMES[table]
            for table, rows in self.rows.items()
            if rows and not {self.sealer.verdict(table, row) for row in rows} & _WEAK.keys()
        ]

    def differences(self, messages: list[Mapping[str, Any]]) -> Iterator[Pair]:
        """What is not as it was written; never the words themselves, which may be personal."""
        if self.mark.changed:
            yield (
                "封签从何时起有密钥（seal_marks），与写下时不同",
                "seal_marks: from when on seals have a key is not as it was written",
            )
        for table, rows in self.rows.items():
            zh, en = _NAMES[table]
            for row in rows:
                which = row.get("words_id") or row["feedback_id"]
                verdict = self.sealer.verdict(table, row)
                if verdict is Verdict.CHANGED:
                    yield (
                        f"{zh}（{table} {which}）与写下时不同",
                        f"{table}: {en} ({which}) is not as it was written",
                    )
                elif verdict is Verdict.WITHOUT_KEY and self._has_keys:
                    yield (
                        f"{zh}（{table} {which}）的封签没有密钥：这一件从一开始就有",
                        f"{table}: {en} ({which}) is sealed without the key that its case had",
                    )
                elif verdict is Verdict.MISSING and self._always:
                    yield (
                        f"{zh}（{table} {which}）的封签不见了",
                        f"{table}: {en} ({which}) has lost its seal",
                    )
                elif verdict is Verdict.KEY_UNKNOWN and self.mark.unknown(row[SEAL]):
                    yield (
                        f"{zh}（{table} {which}）的封签用的不是我们的密钥",
                        f"{table}: {en} ({which}) is sealed with a key that never was ours",
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
