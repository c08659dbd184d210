"""How often a password may be tried."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from shared.contracts.refusal import TooMany
from shared.web.limits import Attempt, ConcurrencyLimit, Failures, attempt

_KEEP = 10_000
"""Pairs of account and address that are remembered."""


@dataclass
class SignInLimits:
    """The limits of signing in. Only failures count, and each counts before it happened."""

    here: Failures = field(default_factory=lambda: Failures(most=10, seconds=15 * 60))
    """Per account and address."""
    anywhere: Failures = field(default_factory=lambda: Failures(most=50, seconds=60 * 60))
    """Per account over all addresses: many machines that guess are no faster than a few."""
    from_there: Failures = field(default_factory=lambda: Failures(most=100, seconds=15 * 60))
    """Per address over all accounts, for one password tried with many names. A campus shares
    addresses: so many people do not mistype in a quarter of an hour."""
    hashing: ConcurrencyLimit = field(default_factory=lambda: ConcurrencyLimit(2, waiting=50))
    """Hashing takes memory and a core: a rush of sign-ins waits its turn, up to a length."""
    _trusted: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def attempt(self, account: str, address: str) -> AbstractAsyncContextManager[Attempt]:
        """One try; `TooMany` where there were too many."""
        limits = [(self.here, f"{account}|{address}")]
        if (account, address) not in self._trusted:
            limits += [(self.anywhere, account), (self.from_there, address)]
        return attempt(*limits, refusal=_too_many)

    def trust(self, account: str, address: str) -> None:
        """Somebody signed in from there: strangers, elsewhere or beside them, lock nobody out."""
        self._trusted[account, address] = None
        self._trusted.move_to_end((account, address))
        if len(self._trusted) > _KEEP:
            self._trusted.popitem(last=False)


def _too_many(wait: int) -> TooMany:
    return TooMany(
        "密码错的次数太多，请过一会儿再试。",
        "Too many wrong passwords. Please try again later.",
        retry_after=wait,
    )
