"""What a learned model thinks of a comment: a probability for every department.

A softmax over two kinds of features: the vector of the comment's meaning, and its runs of one to
three characters, hashed. The weights are bytes with one scale each, so that a model is a small
file of JSON; applying it takes about a millisecond of plain Python.
"""

from __future__ import annotations

import base64
import math
import zlib
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING, Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    model_validator,
)

from services.routing.domain.text import fold

NOT_OURS = "not_ours"
"""The class of what belongs to another unit of the university."""
PRECISIONS = (80, 85, 90, 93, 95, 97, 98, 99)
"""How many in 100 have to be right of what is sent without a person: what can be chosen."""
NEVER = 1.01
"""No probability is as high."""
_MEASURED = 0.95
LONGEST_GRAM = 3
LONGEST_TEXT = 600
"""Characters whose runs count."""


def packed(weights: Sequence[float]) -> tuple[array[int], float]:
    """Weights as signed bytes, and what each has to be multiplied by."""
    scale = max((abs(w) for w in weights), default=0.0) / 127 or 1.0
    # Nine digits: what two runs of the same training differ by is less.
    scale = float(f"{scale:.9g}")
    return array("b", [round(w / scale) for w in weights]), scale


def _unpacked(given: array[int] | str) -> array[int]:
    if isinstance(given, array):
        return given
    found = array("b")
    found.frombytes(base64.b64decode(given, validate=True))
    return found


def _in_base64(weights: array[int]) -> str:
    return base64.b64encode(weights).decode()


if TYPE_CHECKING:
    _Bytes = array[int]
else:
    _Bytes = array  # has no arguments before Python 3.12
SignedBytes = Annotated[
    _Bytes, PlainValidator(_unpacked), PlainSerializer(_in_base64, return_type=str)
]
"""What `packed` makes; in JSON text in base64, in memory the bytes alone."""


class Model(BaseModel):
    """A trained model, as it is stored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    embedder: str
    """Whose vectors it was trained on; it says nothing about those of another."""
    classes: list[str] = Field(min_length=2)
    dimensions: int = Field(gt=0)
    buckets: int = Field(gt=0)
    meaning: SignedBytes
    """``classes x dimensions``."""
    meaning_scale: float
    mean: list[float]
    """Of the vectors it was trained on."""
    grams: SignedBytes
    """``buckets x classes``."""
    grams_scale: float
    bias: list[float]
    temperature: float = Field(gt=0)
    """What probabilities have to be flattened by to be true."""
    sure_at: float
    """From where on what it says was right in 95 of 100 cases it had not seen."""
    bars: dict[int, float] = {}
    """The same for other shares of right ones, in percent (`PRECISIONS`); 1.01 where there is no
    such probability."""
    categories: dict[str, str] = {}
    """The commonest category of each department, where the rules name none."""
    letters: int = 0

    @model_validator(mode="after")
    def _fits(self) -> Model:
        n = len(self.classes)
        if len(self.bias) != n or len(self.mean) != self.dimensions:
            raise ValueError("sizes differ")
        if len(self.meaning) != n * self.dimensions:
            raise ValueError("weights of meaning: wrong size")
        if len(self.grams) != n * self.buckets:
            raise ValueError("weights of characters: wrong size")
        return self

    def bar(self, precision: float) -> float:
        """From which probability on it may send, to be right in so many of 1 cases.

        One that was not measured is taken from the next higher one that was; a model that has
        measured none but 95 % guesses, by as much as the odds differ.
        """
        if precision == _MEASURED:
            return self.sure_at
        if self.bars or self.sure_at >= 1:
            return bar_among(self.bars, precision)
        return _likely(_odds(self.sure_at) + _odds(precision) - _odds(_MEASURED))

    def probabilities(self, vector: Sequence[float], title: str, text: str) -> dict[str, float]:
        """How likely each class is. ValueError for a vector of another length."""
        if len(vector) != self.dimensions:
            raise ValueError("a vector of another model")
        meaning, table = self.meaning, self.grams
        n, d = len(self.classes), self.dimensions
        centred = [x - m for x, m in zip(vector, self.mean, strict=True)]
        found = hashed(title, text, self.buckets)
        rows = [table[index * n : index * n + n] for index in found]
        sums = list(map(sum, zip(*rows, strict=True))) or [0] * n
        share = self.grams_scale / math.sqrt(len(found)) if found else 0.0
        logits = [
            self.bias[k]
            + self.meaning_scale * sum(map(mul, meaning[k * d : k * d + d], centred))
            + share * sums[k]
            for k in range(n)
        ]
        return dict(zip(self.classes, softmax(logits, self.temperature), strict=True))


def bar_among(bars: Mapping[int, float], precision: float) -> float:
    """From which probability on, by what was measured at this precision or the next higher one."""
    enough = [percent for percent in bars if percent >= 100 * precision - 1e-6]
    return bars[min(enough)] if enough else NEVER


def hashed(title: str, text: str, buckets: int) -> list[int]:
    """The buckets of a text's runs of characters, one for each different run.

    Where `buckets` is a power of 2, those of fewer are the remainders of these.
    """
    return [checksum % buckets for checksum in _checksums(title, text)]


@lru_cache(maxsize=1)
def _checksums(title: str, text: str) -> list[int]:
    # Each model of one comment asks for them in turn.
    said = fold(f"{title}\n{text}"[:LONGEST_TEXT])
    runs = {
        said[at : at + length]
        for length in range(1, LONGEST_GRAM + 1)
        for at in range(len(said) - length + 1)
    }
    return [zlib.crc32(run.encode("utf-8", "ignore")) for run in sorted(runs)]


def _odds(likely: float) -> float:
    return math.log(likely / (1 - likely))


def _likely(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def softmax(logits: Sequence[float], temperature: float = 1.0) -> list[float]:
    """Probabilities that add up to 1."""
    top = max(logits)
    powers = [math.exp((one - top) / temperature) for one in logits]
    total = math.fsum(powers)
    return [one / total for one in powers]
