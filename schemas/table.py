"""The table of all events: who emits each, and who does what with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.readers import EVENTS, Reader, not_emitted_yet
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


def events_table(readers: Sequence[Reader]) -> str:
    """All events by topic and owner; a handler's name says what the service does."""
    lines, silent = [], not_emitted_yet()
    for topic in sorted({f.topic for f in REGISTER.values()}, key=lambda t: (t != EVENTS, t)):
        lines += [f"### `{topic}`", "", "| event | emitted by | meaning | who reacts, and how |"]
        lines += ["| --- | --- | --- | --- |"]
        events = [f for f in REGISTER.values() if f.topic == topic]
        lines += [_line(event, readers, emitted=event.type not in silent) for event in events]
        lines.append("")
        if topic == EVENTS and (everything := [r for r in readers if r.takes_all]):
            names = " and ".join(
                f"{r.name} (`{r.subscription.handlers[Event].__name__}`)" for r in everything
            )
            lines += [f"Besides, every one of these events is taken by {names}.", ""]
    takers = [
        f"{r.name} (`{r.subscription.raw[INBOUND].__name__}`)"
        for r in readers
        if INBOUND in r.subscription.raw
    ]
    lines += [f"What programs send on `{INBOUND}` is taken by {', '.join(takers)}."]
    return "\n".join(lines) + "\n"


def _line(event: type[Event], readers: Sequence[Reader], *, emitted: bool) -> str:
    reactions = [f"{r.name} `{handler}`" for r in readers if (handler := r.handler_of(event))]
    if event.topic == DIRECTORY:
        reactions.insert(0, "every process (`shared/messaging/directory.py`)")
    says = " ".join((event.__doc__ or "").split()).replace("``", "`").replace("|", "\\|")
    owner = event.owner if emitted else f"{event.owner} (not emitted yet)"
    return f"| `{event.type}` | {owner} | {says} | {' · '.join(reactions) or '–'} |"
