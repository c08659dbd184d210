"""Parts of pages as they were rendered last: what nothing moved in is not rendered again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Any

from markupsafe import Markup

Part = tuple[Markup, str]
"""``(what it says, by which it is known)``: HTML, and a short hash of it."""
MOST = 200
"""How many are kept."""


class Fragments:
    """The last rendering of each place: a part of the page, for those who look at the same."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Hashable, Part]] = {}

    def once(
        self, place: Hashable, made_of: tuple[Any, bytes], render: Callable[[], Markup]
    ) -> Part:
        """What was rendered there, if it was made of the same; else what `render` makes of it."""
        moment, said = made_of
        known_by = (moment, hashlib.sha256(said).digest())
        kept = self._kept.pop(place, None)
        if kept is None or kept[0] != known_by:
            html = render()
            kept = known_by, (html, hashlib.sha256(html.encode()).hexdigest()[:12])
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[place] = kept
        return kept[1]
