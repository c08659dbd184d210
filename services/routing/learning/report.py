"""What training gives back: a model, and how it compares with the one that is in use."""

from __future__ import annotations

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
    kinds: Kinds | None = None
    """Types and priorities as they were learned; None where nothing is known of them."""
    kind_quality: dict[str, KindQuality] = {}
    """By ``type`` and ``priority``."""

    @property
    def is_no_worse(self) -> bool:
        """Whether it may take the place of the running one: as often right at the first guess,
        and as often with one of three, but for one letter in two hundred."""
        slack = 0.005
        return self.new.first >= self.running.first and self.new.three >= self.running.three - slack
