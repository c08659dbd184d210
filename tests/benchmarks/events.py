"""How many events an ordinary case leaves: said, routed, signed for, answered, rated."""

from __future__ import annotations

from collections import Counter

from services.__main__ import NAMES
from shared.contracts import EVENTS
from shared.db.address import parse_address
from shared.embedded import Servers
from shared.service import Runtime
from tests.benchmarks.cases import People
from tests.benchmarks.report import Report
from tests.benchmarks.site import running

GOAL = 24


async def run(servers: Servers, runtime: Runtime, report: Report) -> None:
    """One case, from the first word to the rating."""
    print("\nevents: one case, said, routed, accepted, assigned, answered, rated, closed")
    async with running(servers, runtime.settings.data) as site:
        people = People(site)
        case = await people.bring("rate")
        await people.leave()
        await site.quiet()
        found: Counter[str] = Counter()
        for name in NAMES:
            address = parse_address(site.database).database(f"express_{name}")
            connection = await address.connect(name="bench")
            rows = await connection.fetch(
                "SELECT headers->>'ce_type' AS type FROM outbox WHERE key = $1 AND topic = $2",
                case,
                EVENTS,
            )
            await connection.close()
            found.update(row["type"] for row in rows)
    for type_, number in found.most_common():
        print(f"  {number:>3}  {type_}")
    report.limit("events of an ordinary case", found.total(), "", goal=GOAL, fails=2 * GOAL)
