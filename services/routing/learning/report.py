"""What training gives back: a model, and how it compares with the one that is in use."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict

from services.routing.domain import Kinds, Model


class Quality(BaseModel):
    """What a model did with letters that it had not learned from; shares of 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    letters: int
    first: float
    three: float
    alone: float
    """How many it would send without a person, at `precision`."""
    precision: float
    offers: dict[int, float] = {}
    """How many it would send at other precisions, in percent."""


_FEWEST_SENT = 8
"""Fewer say nothing of how often what is sent is right."""


def falls_short(sent: int, right: int, promised: float) -> bool:
    """Whether of `sent` cases so few were `right` that chance (two standard errors) does not
    explain it, where `promised` of 1 ought to be."""
    missing = promised * sent - right
    return sent >= _FEWEST_SENT and missing > 2 * math.sqrt(sent * promised * (1 - promised))


class KindQuality(BaseModel):
    """How often type, or priority, was right on the latest cases; shares of 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    letters: int
    """On which both were judged; with too few nothing was learned of it."""
    new: float = 0.0
    running: float = 0.0
    taken: bool = False


class Trained(BaseModel):
    """A new version. `new` and `running` were judged on the same, latest letters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: Model
    new: Quality
    running: Quality
    seconds: float
    """Of the processor, all together."""
    unheard_of: int = 0
    """Of the latest letters those that say what none before them said; with too few of them it was
    judged on all, and is as sure as what is shipped."""
    kinds: Kinds | None = None
    """Types and priorities as they were learned; None where nothing is known of them."""
    kind_quality: dict[str, KindQuality] = {}
    """By ``type`` and ``priority``."""
    promised: float = 0.95
    """How much of what is sent ought to be right, of 1."""
    raised: Model | None = None
    """The running version with bars from which on it is right on these letters, or that nothing
    reaches; None where it keeps what is promised."""
    with_raised: Quality | None = None
    """What it does then."""

    @property
    def is_no_worse(self) -> bool:
        """Whether it may take the place of the running one: as often right at the first guess,
        and as often with one of three, but for one letter in two hundred; and what it sends, if
        anything, as often rightly, or as often as is promised."""
        slack, new, old = 0.005, self.new, self.running
        sends_well = not new.alone or new.precision >= min(old.precision, self.promised)
        return new.first >= old.first and new.three >= old.three - slack and sends_well
