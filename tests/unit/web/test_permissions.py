"""The table of permissions, whole: nobody gains or loses one unnoticed."""

from __future__ import annotations

from shared.contracts.vocabulary import Role
from shared.web.permissions import ROLES, Permission

TABLE = """
coordinator  write all_figures rules edit_rules deliveries again all_dates mailed every_case
leader       write all_figures rules deliveries all_dates every_case
admin        write rules edit_rules promises all_dates mailed
auditor      all_figures rules deliveries all_dates every_case mailed
clerk        write
student      write
liaison      write own_figures own_dates
handler      write own_figures own_dates
reviewer     write own_figures own_dates
"""
SHORT = {
    "write": Permission.WRITE_DOWN,
    "every_case": Permission.READ_EVERY_CASE,
    "rules": Permission.READ_RULES,
    "edit_rules": Permission.EDIT_RULES,
    "promises": Permission.EDIT_PROMISES,
    "deliveries": Permission.READ_DELIVERIES,
    "again": Permission.SEND_AGAIN,
    "all_figures": Permission.SEE_ALL_FIGURES,
    "all_dates": Permission.EXPLAIN_ALL_DATES,
    "own_dates": Permission.EXPLAIN_OWN_DATES,
    "mailed": Permission.SEE_MAILED_REPORTS,
    "own_figures": Permission.SEE_OWN_FIGURES,
}


def test_who_may_do_what() -> None:
    expected = {
        Role(role): {SHORT[one] for one in words}
        for role, *words in (line.split() for line in TABLE.strip().splitlines())
    }
    assert set(SHORT.values()) == set(Permission) == set(ROLES)
    for role in Role:
        assert {one for one in Permission if role in ROLES[one]} == expected[role], role
