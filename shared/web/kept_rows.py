"""Rows of a list as markup. Whoever has the list open asks for them again every few seconds, and
most are as they were: they are kept for a moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from shared.web.pages import Pages

AT_MOST = 2_000
"""Rows of some two kilobytes each."""
FOR = timedelta(seconds=15)
"""What a row says of the time is rounded to minutes."""
_END = "</tr>"
"""Nobody's words hold it: they are escaped."""


class KeptRows:
    """Those of one template that were shown last, by all that they say.

    `template` renders ``items``, each as one ``<tr>``, and depends on nothing but what is given to
    `render` and the moment.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self._kept: OrderedDict[tuple[Any, ...], str] = OrderedDict()

    def render(
        self,
        pages: Pages,
        locale: str,
        items: Sequence[Mapping[str, Any]],
        *,
        now: datetime,
        **context: str | bool,
    ) -> Markup:
        """The rows of these `items` in their order, with what else the template needs to know."""
        about = (now.timestamp() // FOR.total_seconds(), locale, *context.values())
        keys = [(*about, repr(item)) for item in items]
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in self._kept}
        if new:
            made = pages.fragment(locale, self._template, items=list(new.values()), **context)
            for key, row in zip(new, made.split(_END)[:-1], strict=True):
                self._kept[key] = f"{row}{_END}"
        shown = []
        for key in keys:
            self._kept.move_to_end(key)
            shown.append(self._kept[key])
        while len(self._kept) > AT_MOST:
            self._kept.popitem(last=False)
        return Markup("".join(shown))
