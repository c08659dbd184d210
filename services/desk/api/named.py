"""Which case a person means who types a code, a number or the beginning of one, or an address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from services.desk.domain import Action, Viewer, sees
from services.desk.store import related
from shared.ids import id_as_typed, ids_as_typed
from shared.messaging.transaction import Transaction
from shared.security import code_hash, code_in

OTHER: Mapping[Action, str] = {Action.MERGE: "into", Action.LINK: "to", Action.UNLINK: "to"}
"""Action → the field of its body that names another case."""
NOT_FOUND = (
    "没有找到，或者不止一件：请写查询码或编号（前 8 位以上，几件开头一样时多写几位），"
    "也可以贴那一件的网址。",
    "There is no such case, or more than one. Please give its tracking code or its number (8 "
    "characters or more; more of them where several begin alike), or paste its address.",
)
_MOST = 200
_WHOLE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ADDRESS = re.compile(r"/(?:cases|track)/([^/?#\s]+)")


def out_of_address(typed: str) -> str:
    """What the address of a case's page names, the staff's or the reporter's, wherever it stands in
    `typed`; `typed` itself where there is none."""
    return unquote(found[1]) if (found := _ADDRESS.search(typed)) else typed


async def case_named(tx: Transaction, viewer: Viewer, typed: str, *, but: str = "") -> str:
    """The id of the one case that this viewer sees and that is named so, `but` another; `typed`
    itself, as an id where it is one, if there is none, or more than one."""
    said = out_of_address(typed).strip()
    whole = id_as_typed(said)
    if _WHOLE.fullmatch(whole) or len(said) > _MOST:
        return whole
    first, last = ids_as_typed(said)
    cases = await related.cases_called(tx, first, last, code_hash(code_in(said)))
    ids = [one.feedback_id for one in cases if sees(viewer, one) and one.feedback_id != but]
    return ids[0] if len(ids) == 1 else whole


async def cases_named(tx: Transaction, viewer: Viewer, typed: Sequence[str]) -> list[str]:
    """The same of each."""
    return [await case_named(tx, viewer, one) for one in typed]


async def with_other_named(
    tx: Transaction, viewer: Viewer, action: Action, fields: Mapping[str, Any], *, of: str = ""
) -> dict[str, Any]:
    """The body of an action on a case, with the other one that it names by its id."""
    name = OTHER.get(action, "")
    said = fields.get(name)
    if not isinstance(said, str) or not said.isprintable():
        return dict(fields)
    return {**fields, name: await case_named(tx, viewer, said, but=of)}
