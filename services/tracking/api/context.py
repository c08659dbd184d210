"""How what is shown depends on who reads it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Self

from starlette.requests import Request

from services.tracking.wording import Wording
from shared.moments import due_words, here, local
from shared.service import Runtime
from shared.web.auth import runtime_of
from shared.web.pages import choose_locale


def locale_of(request: Request) -> str:
    """The reader's language."""
    return choose_locale(request, runtime_of(request).settings.locale)


class ViewContext:
    """How this reader reads deadlines and departments."""

    def __init__(self, request: Request) -> None:
        self._begin(runtime_of(request), locale_of(request))

    @classmethod
    def of(cls, runtime: Runtime, locale: str) -> Self:
        """How whoever reads this language sees it now."""
        context = cls.__new__(cls)
        context._begin(runtime, locale)
        return context

    def _begin(self, runtime: Runtime, locale: str) -> None:
        self.locale = locale
        self._directory = runtime.directory
        self.signer = runtime.signer
        self.now = runtime.clock.now()
        self.name_of = partial(runtime.directory.department_name, locale=self.locale)
        self.category = partial(runtime.directory.category_name, locale=self.locale)
        self.wording = Wording(self.locale, self.say_due, self.name_of)

    @property
    def names(self) -> int:
        """Another number once a department is called otherwise, or a surge was found or judged."""
        found = tuple((one.surge_id, one.cases) for one in self._directory.surges.values())
        return hash((tuple(self._directory.departments.items()), found))

    @property
    def surges(self) -> list[dict[str, Any]]:
        """Of what suddenly more is said, as far as nobody has judged it, the newest first."""
        found = sorted(self._directory.surges.values(), key=lambda one: one.found_at, reverse=True)
        return [
            {
                "surge_id": one.surge_id,
                "matter": one.en if self.locale == "en" else one.zh,
                "found_at": local(one.found_at),
                "n": one.n,
                "minutes": one.minutes,
                "usual": one.usual,
                "cases": len(one.cases),
            }
            for one in found
        ]

    @staticmethod
    def local(moment: datetime) -> datetime:
        """As clocks in the library show it."""
        return here(moment)

    def say_due(self, due: str) -> str:
        """A deadline as seen from `now`, which a stream moves on."""
        return due_words(due, self.now, self.locale)
