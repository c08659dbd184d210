"""Figures as people read them: the value, what it rests on, and how it moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.tracking.domain.measures import MEASURES, Measure, Unit

LEADING = ("response_rate", "on_time", "resolution_rate", "satisfaction")
"""The four that stand first, large."""


def figures(board: Mapping[str, Any], locale: str) -> list[dict[str, Any]]:
    """Every measure as a line: ``{key, name, said, n, before, moved, good, counts, rests_on}``."""
    english = locale == "en"
    found = []
    for key, measure in MEASURES.items():
        now, before = board[key], board["before"][key]
        moved = _moved(measure, now, before)
        found.append(
            {
                "key": key,
                "name": measure.name[english],
                "said": said(measure, now),
                "unit": "h" if measure.unit is Unit.HOURS else "",
                "n": now["n"],
                "before": said(measure, before),
                "before_n": before["n"],
                "moved": None if moved is None else _move_words(measure, moved),
                "good": None if not moved else (moved < 0) == measure.less_is_better,
                "counts": measure.counts[english],
                "rests_on": measure.rests_on[english],
                "leading": key in LEADING,
            }
        )
    return sorted(found, key=lambda one: not one["leading"])


def said(measure: Measure, figure: Mapping[str, Any]) -> str:
    """``93%``, ``1.4``, ``2.0 / 7.5``; nothing measured: –."""
    if measure.unit is Unit.HOURS:
        if not figure["n"]:
            return "–"
        return f"{figure['p50']:.1f} / {figure['p90']:.1f}"
    rate = figure["rate"]
    if rate is None:
        return "–"
    return f"{100 * rate:.0f}%" if measure.unit is Unit.RATE else f"{rate:.1f}"


def _moved(measure: Measure, now: Mapping[str, Any], before: Mapping[str, Any]) -> float | None:
    """By how much it moved, where there is something on both sides."""
    name = "p50" if measure.unit is Unit.HOURS else "rate"
    if now[name] is None or before[name] is None:
        return None
    moved: float = now[name] - before[name]
    return round(moved, 4)


def _move_words(measure: Measure, moved: float) -> str:
    """``+4`` (points of a rate) or ``−0.5``; what rounds to nothing is ±0."""
    rounded = round(100 * moved) if measure.unit is Unit.RATE else round(moved, 1)
    if not rounded:
        return "±0"
    return f"{'+' if rounded > 0 else '−'}{abs(rounded)}"
