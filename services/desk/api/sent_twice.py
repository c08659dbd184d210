"""A form that is sent twice, by a double click or once more from a kept page, makes one thing.

Each form that makes something new has a key. The id of what it makes is derived from the key, the
person and the words, so that the second time finds it; who has changed a word means another one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request

from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.web.auth import Staff

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


async def id_of(request: Request, tx: Transaction, person: Staff, fields: Mapping[str, Any]) -> str:
    """The id of what this request makes, the same where it is sent again; without a key a new one.

    Whoever sends it at the same moment waits here, and then finds what was made.
    """
    key = request.headers.get("idempotency-key") or fields.get("idempotency_key")
    if not key:
        return new_id()
    said = [request.url.path, person.username, key, fields]
    made = uuid5(NAMESPACE_URL, json.dumps(said, ensure_ascii=False, sort_keys=True, default=str))
    await tx.fetch(_LOCK, str(made))
    return str(made)
