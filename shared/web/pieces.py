"""Small pieces of markup that a page has by the hundred: written in Python, as a macro costs ten
times as much. Templates use them as ``ui.when(…)`` or, in long lists, as filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup, escape

from shared import moments
from shared.moments import Moment
from shared.web import names

OF_NOW = ("when", "moment", "by")
"""Pieces whose words depend on when they are read."""
Piece = Callable[..., Markup]


def pieces(locale: str, now: Callable[[], datetime], icons: str) -> Mapping[str, Piece]:
    """The pieces by name, in one language; `icons` is the address of the sheet of icons."""

    @lru_cache(maxsize=500)
    def icon(name: str, kind: str = "") -> Markup:
        """A symbol of ``icons.svg``, silent for who listens."""
        return Markup(
            '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>'
        ).format(f" {kind}" if kind else "", icons, name)

    @lru_cache(maxsize=500)
    def state(code: str, name: str = "") -> Markup:
        """A state by icon, colour and name."""
        shown = icon(names.STATE_ICONS.get(str(code), "merge" if code == names.SPLIT else "inbox"))
        return Markup('<span class="state state-{}">{}{}</span>').format(
            str(code).lower(), shown, name or names.state_name(code, locale)
        )

    @lru_cache(maxsize=100)
    def priority(code: str | None) -> Markup:
        """P1 to P4; nothing where none is set."""
        if not code:
            return Markup()
        return Markup('<span class="prio prio-{}" title="{}">{}</span>').format(
            code.lower(), names.pick("priority", names.PRIORITIES, code, locale), code
        )

    @lru_cache(maxsize=100)
    def channel(code: str | None) -> Markup:
        """The channel as an icon, named for who listens."""
        if not code:
            return Markup()
        name = names.pick("channel", names.CHANNELS, code, locale)
        shown = icon(names.CHANNEL_ICONS.get(code, "globe"))
        return Markup(
            '<span class="chan" title="{0}">{1}<span class="sr">{0}</span></span>'
        ).format(name, shown)

    def said(words: Callable[[Moment, datetime, str], str]) -> Piece:
        def piece(at: Moment) -> Markup:
            # Words of `moments` are ours: nothing in them needs escaping.
            return Markup(f"{_begin(at, locale)}{words(at, now(), locale)}</time>")

        return piece

    when, moment, by = map(said, (moments.ago_words, moments.moment_words, moments.due_words))

    def strong_by(at: Moment) -> Markup:
        return Markup(f"<strong>{by(at)}</strong>")

    return {
        "icon": icon,
        "state": state,
        "priority": priority,
        "channel": channel,
        "when": when,
        "moment": moment,
        "by": by,
        "strong_by": strong_by,
    }


@lru_cache(maxsize=5_000)
def _begin(at: Moment, locale: str) -> str:
    """The element up to its words: what does not depend on the time at which it is read."""
    return f'<time datetime="{escape(at)}" title="{moments.exact_words(at, locale)}">'
