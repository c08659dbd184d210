"""How many streams may be open at once: together, of one case, and from one address."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

TOTAL = 1_000
PER_CASE = 20
"""One reporter, with tabs and telephones."""
PER_ADDRESS = 200
"""A campus shares addresses."""


@dataclass
class OpenStreams:
    """Counts the streams of this process. One is taken before it is opened, never after."""

    total: int = TOTAL
    per_case: int = PER_CASE
    per_address: int = PER_ADDRESS
    _cases: Counter[str] = field(default_factory=Counter)
    _addresses: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return self._cases.total()

    def take(self, feedback_id: str, address: str) -> StreamSlot | None:
        """A slot for one more, or None."""
        full = (
            len(self) >= self.total
            or self._cases[feedback_id] >= self.per_case
            or self._addresses[address] >= self.per_address
        )
        if full:
            return None
        self._cases[feedback_id] += 1
        self._addresses[address] += 1
        return StreamSlot(self, feedback_id, address)

    def give_back(self, feedback_id: str, address: str) -> None:
        """One has ended."""
        for counter, key in ((self._cases, feedback_id), (self._addresses, address)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]


@dataclass
class StreamSlot:
    """A slot for one stream; giving it back twice changes nothing."""

    streams: OpenStreams
    feedback_id: str
    address: str
    _taken: bool = True

    def release(self) -> None:
        """The stream has ended."""
        if self._taken:
            self._taken = False
            self.streams.give_back(self.feedback_id, self.address)
