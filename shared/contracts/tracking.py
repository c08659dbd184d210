"""What tracking tells: a report on a period that is over, ready to be read.

It stands in the directory, the newest of each kind and department. Its figures are sums: nobody is
named in it, and no case.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from shared.contracts.event import DIRECTORY, DirectoryFact


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ReportFigure(_Part):
    """A measure as people read it."""

    key: str
    name: str
    said: str
    """``93%``, ``1.4``, ``2.0 / 7.5 h`` (working hours: median / nine of ten); –: nothing
    measured."""
    n: int
    """What it rests on."""
    before: str
    """The same in the period before; for a department: of all departments, the median."""
    before_n: int | None = None
    means: str
    """How it is counted."""


class ReportSection(_Part):
    """What came, what was kept, what broke and why, what changed."""

    heading: str
    sentences: tuple[str, ...]


class ReportWords(_Part):
    """A report in one language."""

    sections: tuple[ReportSection, ...]
    figures: tuple[ReportFigure, ...]


class ReportMade(
    DirectoryFact, type="directory.report.v1", owner="tracking", topic=DIRECTORY, shred=()
):
    """A week, month or term is over, and this is what there is to tell of it: of the whole library,
    or of one department beside the median of all."""

    kind: str
    """``week``, ``month`` or ``term``."""
    first: date
    """Its first day, by the calendar of the library."""
    last: date
    """Its last day."""
    department: str | None = None
    """None: the whole library."""
    zh: ReportWords
    en: ReportWords

    @property
    def report_id(self) -> str:
        """What is sent once to each reader, however often it is told."""
        return f"report/{self.kind}/{self.first}/{self.department or '*'}"

    @property
    def key(self) -> str:
        """One entry per kind and department: the newest."""
        return f"report:{self.kind}:{self.department or '*'}"
