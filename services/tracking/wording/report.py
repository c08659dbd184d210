"""A report in words: what its template is given, and the sentences of it as a mail says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from html.parser import HTMLParser
from typing import Any

from services.tracking.domain.measures import BY_DEPARTMENT
from services.tracking.wording.board import DAY_NAMES, reason_words
from services.tracking.wording.figures import figures
from services.tracking.wording.messages import translate
from shared.contracts.tracking import ReportFigure, ReportSection, ReportWords

Category = Callable[[str], str]


def said_context(report: Mapping[str, Any], locale: str, category: Category) -> dict[str, Any]:
    """What the sentences are made of; see ``report_said.html``."""
    english = locale == "en"
    return {
        "report": report,
        "figures": {one["key"]: one for one in figures(report, locale)},
        "earlier": {"from_": str(report["before"]["from"])[:10], "to": _last_before(report)},
        "day_names": [pair[english] for pair in DAY_NAMES],
        "by_department": [(one.key, one.name[english], one.unit) for one in BY_DEPARTMENT],
        "category_of": category,
        "reason_of": partial(reason_words, locale=locale),
    }


def report_words(
    render: Callable[..., str],
    report: Mapping[str, Any],
    *,
    locale: str,
    category: Category,
    department: str | None,
) -> ReportWords:
    """The report as it is told in one language; `render` gives the template of its sentences.

    Of a department: beside the median of all.
    """
    rows = report["departments"]["rows"] if department else []
    own = next((row for row in rows if row["department"] == department), None)
    context = said_context(report, locale, category)
    html = render(locale, "report_said.html", **context, own=own, behind=lambda *_, **__: "")
    means = translate("算的是：%(counts)s。分母是：%(base)s。", locale)
    return ReportWords(
        sections=sections_of(html),
        figures=tuple(
            ReportFigure(
                key=one["key"],
                name=one["name"],
                said=f"{one['said']} {one['unit']}".strip() if one["n"] else one["said"],
                n=one["n"],
                before=one["before"],
                before_n=one["before_n"],
                means=means % {"counts": one["counts"], "base": one["rests_on"]},
            )
            for one in context["figures"].values()
        ),
    )


def sections_of(html: str) -> tuple[ReportSection, ...]:
    """Headings and sentences of the template: what stands in its ``h2``, and in ``p`` or ``li``."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return tuple(ReportSection(heading=h, sentences=tuple(said)) for h, said in reader.found)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, list[str]]] = []
        self._words: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("h2", "p", "li"):
            self._words = []

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("h2", "p", "li") or self._words is None:
            return
        said = " ".join("".join(self._words).split())
        self._words = None
        if tag == "h2":
            self.found.append((said, []))
        elif said:
            self.found[-1][1].append(said)


def _last_before(report: Mapping[str, Any]) -> str:
    """The last day of the period before."""
    end = datetime.fromisoformat(str(report["before"]["to"]))
    return (end.date() - timedelta(days=1)).isoformat()
