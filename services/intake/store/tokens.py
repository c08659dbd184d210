"""Adapters' tokens: issued once, kept only as a fingerprint, revoked through the directory."""

from __future__ import annotations

from services.intake.store.tables import TokenRow
from shared.contracts.intake import TokenIssued
from shared.ids import new_id
from shared.messaging.transaction import Transaction
from shared.security import Signer, secret_hash


async def issue_token(tx: Transaction, signer: Signer, name: str) -> tuple[TokenIssued, str]:
    """A new token for the adapter `name`: what the log knows of it, and the token, shown once."""
    token_id = new_id()
    value = signer.adapter_token(token_id, name)
    issued = TokenIssued(at=tx.now, token_id=token_id, name=name)
    tx.rows(TokenRow).insert(token_row(value, issued))
    tx.emit(issued)
    return issued, value


def token_row(value: str, issued: TokenIssued) -> TokenRow:
    """What is kept of a token."""
    return TokenRow(
        token_id=issued.token_id,
        name=issued.name,
        fingerprint=secret_hash(value),
        issued_at=issued.at,
    )


async def revoke_tokens(tx: Transaction, name: str) -> int:
    """Revoke all tokens of `name`; says how many were in use."""
    revoked = await tx.connection.exec_driver_sql(
        "UPDATE tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL "
        "RETURNING token_id",
        (name, tx.now),
    )
    ids = [token_id for (token_id,) in revoked]
    for token_id in ids:
        tx.emit(TokenIssued(at=tx.now, token_id=token_id, name=name, revoked=True))
    return len(ids)
