"""The table of all facts: who tells each, and who does what with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.house import EVENTS, Reader, not_told_yet
from shared.contracts import DIRECTORY, INBOUND, REGISTER, Event

BEGIN = "<!-- from here written by: python -m schemas -->"
END = "<!-- up to here written by: python -m schemas -->"


class NoPlace(LookupError):
    """The page has no pair of markers for the table."""


def put_into(page: str, table: str) -> str:
    """The page with `table` between its markers."""
    between = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not between.search(page):
        raise NoPlace
    return between.sub(lambda _: f"{BEGIN}\n\n{table}\n{END}", page)


def facts_table(readers: Sequence[Reader]) -> str:
    """All facts by topic and owner; a handler's name says what the service does."""
    lines, silent = [], not_told_yet()
    for topic in sorted({f.topic for f in REGISTER.values()}, key=lambda t: (t != EVENTS, t)):
        lines += [f"### `{topic}`", "", "| fact | told by | what it says | who reacts, and how |"]
        lines += ["| --- | --- | --- | --- |"]
        facts = [f for f in REGISTER.values() if f.topic == topic]
        lines += [_line(fact, readers, told=fact.type not in silent) for fact in facts]
        lines.append("")
        if topic == EVENTS and (everything := [r for r in readers if r.takes_all]):
            names = " and ".join(
                f"{r.name} (`{r.intake.handlers[Event].__name__}`)" for r in everything
            )
            lines += [f"Besides, every one of these facts is taken by {names}.", ""]
    takers = [
        f"{r.name} (`{r.intake.raw[INBOUND].__name__}`)" for r in readers if INBOUND in r.intake.raw
    ]
    lines += [f"What programs send on `{INBOUND}` is taken by {', '.join(takers)}."]
    return "\n".join(lines) + "\n"


def _line(fact: type[Event], readers: Sequence[Reader], *, told: bool) -> str:
    reactions = [f"{r.name} `{handler}`" for r in readers if (handler := r.handler_of(fact))]
    if fact.topic == DIRECTORY:
        reactions.insert(0, "every process (`shared/messaging/directory.py`)")
    says = " ".join((fact.__doc__ or "").split()).replace("``", "`").replace("|", "\\|")
    owner = fact.owner if told else f"{fact.owner} (not told yet)"
    return f"| `{fact.type}` | {owner} | {says} | {' · '.join(reactions) or '–'} |"
