"""What the tracking page says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.tracking.wording.board import group_words
from services.tracking.wording.journey import (
    PROMISES,
    goal,
    just_done,
    promise,
    sentence,
    shown_state,
    state_words,
    steps,
    takes_longer,
)
from services.tracking.wording.lines import Wording
from services.tracking.wording.messages import LOCALES
from shared.web.names import pick

__all__ = ["Wording", "page_words"]


def page_words(locale: str) -> Mapping[str, Any]:
    """What the templates call, in the reader's language."""
    return {
        "sentence": partial(sentence, locale=locale),
        "steps": partial(steps, locale=locale),
        "state_words": partial(state_words, locale=locale),
        "shown_state": shown_state,
        "goal_of": goal,
        "promised": promise,
        "takes_longer": takes_longer,
        "just_done": partial(just_done, locale=locale),
        "group_name": partial(group_words, locale=locale),
        "promise_name": partial(pick, None, PROMISES, locale=locale, locales=LOCALES),
    }
