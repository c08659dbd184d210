"""Which of our departments a name in somebody's file means."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from shared.nfkc import nfkc


class DepartmentNames:
    """Our departments, found by code, Chinese or English name; nothing is guessed.

    ValueError for a name that two of them have."""

    def __init__(self, names: Mapping[str, tuple[str, str]]) -> None:
        self._names = dict(names)
        codes = {_plain(code): code for code in names}
        self._by_name: dict[str, str] = {}
        for code, both in names.items():
            for name in both:
                other = self._by_name.setdefault(_plain(name), code)
                if other != code and _plain(name) not in codes:
                    raise ValueError(f"{other} and {code} are both called {name!r}")
        self._by_name |= codes

    @property
    def codes(self) -> Collection[str]:
        """Of all of them."""
        return self._names.keys()

    def code_of(self, name: str) -> str | None:
        """The code of the department; None where it is none of ours."""
        return self._by_name.get(_plain(name))

    def called(self, code: str, locale: str) -> str:
        """What a department is called; the word itself where it is none of ours."""
        zh, en = self._names.get(code, (code, code))
        return zh if locale == "zh" else en


def _plain(name: str) -> str:
    """Without case, width and blanks."""
    return "".join(nfkc(name).casefold().split())
