"""Codes from tomorrow: a reader keeps the value it knows and takes the rest for ``OTHER``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator

from shared.contracts.vocabulary import CaseType, Channel, Outcome, RefusalReason

E = TypeVar("E", bound=StrEnum)


def lenient(enum: type[E], other: E) -> BeforeValidator:
    """A validator under which an unknown code becomes `other` instead of an error."""

    known = enum._value2member_map_

    def take(value: Any) -> Any:
        try:
            return value if value in known else other
        except TypeError:
            return value  # an object or a list is no code at all: the enum refuses it

    # The published schema says that any text may stand here, and which ones are known.
    return BeforeValidator(take, json_schema_input_type=enum | str)


AnyChannel = Annotated[Channel, lenient(Channel, Channel.OTHER)]
AnyOutcome = Annotated[Outcome, lenient(Outcome, Outcome.OTHER)]
AnyRefusalReason = Annotated[RefusalReason, lenient(RefusalReason, RefusalReason.OTHER)]
AnyCaseType = Annotated[CaseType, lenient(CaseType, CaseType.OTHER)]
