from __future__ import annotations

import pytest

from services.routing.domain import RuleSet
from services.routing.seeds import load_rules


@pytest.fixture(scope="session")
def shipped() -> RuleSet:
    return RuleSet(load_rules())
