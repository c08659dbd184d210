"""Codes from tomorrow: a reader keeps the value it knows and takes the rest for ``OTHER``."""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator

from shared.contracts.vocabulary import CaseType, Channel, Outcome

E = TypeVar("E", bound=StrEnum)


def lenient(enum: type[E], other: E) -> BeforeValidator:
    """A validator under which an unknown code becomes `other` instead of an error."""

    def take(value: Any) -> Any:
        if not isinstance(value, Hashable):
            return value  # an object or a list is no code at all: the enum refuses it
        return value if value in enum._value2member_map_ else other

    # The published schema says that any text may stand here, and which ones are known.
    return BeforeValidator(take, json_schema_input_type=enum | str)


AnyChannel = Annotated[Channel, lenient(Channel, Channel.OTHER)]
AnyOutcome = Annotated[Outcome, lenient(Outcome, Outcome.OTHER)]
AnyCaseType = Annotated[CaseType, lenient(CaseType, CaseType.OTHER)]
