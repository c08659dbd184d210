"""Large answers are written quickly, and read as they always were."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import JSONResponse

from shared.contracts.vocabulary import State
from shared.web.answers import QuickJSONResponse


@pytest.mark.parametrize(
    "content",
    [
        {"text": '三层东区217：“占座”\n\t"\\ / \x00\x1f\x7f\u2028 😀', "state": State.REPLIED},
        {"score": 0.93, "sure": 1.0, "count": 10**20, "none": None, "yes": True},
        {State.TRIAGE: ("a", ["b", {}])},
        [],
    ],
)
def test_the_bytes_are_the_same(content: Any) -> None:
    assert QuickJSONResponse(content).body == JSONResponse(content).body


def test_what_is_no_number_is_null() -> None:
    assert QuickJSONResponse([float("nan"), float("inf")]).body == b"[null,null]"
