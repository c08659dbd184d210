"""Who looks: a signed-in person as the domain sees them."""

from __future__ import annotations

from services.desk.domain import Viewer
from services.desk.store import PersonRow
from shared.contracts.desk import PersonListed
from shared.web.auth import Staff, known_roles


def viewer_of(person: Staff) -> Viewer:
    """The person, and for whom they stand in, as visibility and permissions see them."""
    return Viewer(
        person.username,
        frozenset(person.roles),
        person.department,
        person.display,
        tuple(
            Viewer(one.username, frozenset(one.roles), one.department, one.display)
            for one in person.stands_in_for
        ),
    )


def viewer_listed(person: PersonListed | PersonRow) -> Viewer:
    """Somebody else, as they are listed; for whom they stand in does not count."""
    roles = frozenset(known_roles(person.all_roles))
    return Viewer(person.username, roles, person.department, person.display)
