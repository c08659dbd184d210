"""Plausible messages: invented cases, as they would stand in the log.

Nobody here exists; numbers are of the kind that is never given out. To add an example, add a line
and run ``python -m schemas``: what is frozen already stays as it is.
"""

from __future__ import annotations

from schemas.stories.alarms import alarms
from schemas.stories.conduct import conduct
from schemas.stories.database import database
from schemas.stories.flood import flood
from schemas.stories.people import Story
from schemas.stories.small_things import INBOUND_EXAMPLES, directory, small_things
from schemas.stories.twists import together, twists

__all__ = ["INBOUND_EXAMPLES", "stories"]


def stories() -> Story:
    """Name, headers and event of every example, in the order in which they were said."""
    yield from flood()
    yield from database()
    yield from conduct()
    yield from small_things()
    yield from directory()
    yield from twists()
    yield from together()
    yield from alarms()
