"""Which pictures were sent with a case; who sees the case is shown them."""

from __future__ import annotations

from collections.abc import Iterable

from services.desk.store.tables import CaseRow, PictureRow
from shared.contracts.intake import SentPicture
from shared.messaging.transaction import Transaction


def keep_pictures(
    tx: Transaction,
    row: CaseRow,
    pictures: Iterable[SentPicture],
    *,
    message_id: str | None = None,
    origin: str | None = None,
) -> None:
    """Keep that these came with a message of the case (None: with its first words); see
    `PictureRow`. Of whoever was erased none is kept."""
    rows = tx.rows(PictureRow)
    for one in () if row.erased else pictures:
        rows.upsert(
            rows.new(
                feedback_id=row.feedback_id,
                picture_id=one.picture_id,
                message_id=message_id,
                width=one.width,
                height=one.height,
                origin=origin,
            )
        )


async def pictures_of_comment(tx: Transaction, feedback_id: str) -> list[SentPicture]:
    """Those that came with the first words."""
    rows = tx.rows(PictureRow)
    await rows.load([feedback_id])
    found = (one for one in rows.for_case(feedback_id) if one.message_id is None)
    return [
        SentPicture(picture_id=one.picture_id, width=one.width, height=one.height)
        for one in sorted(found, key=lambda one: one.picture_id)
    ]


async def forget_pictures(tx: Transaction, feedback_id: str) -> None:
    """Forget those that were sent to this case, wherever they are shown."""
    rows = tx.rows(PictureRow)
    # Besides what stands in the table, what this very batch has kept and not written yet.
    await rows.load([feedback_id])
    for one in list(rows.for_case(feedback_id)):
        if one.origin is None:
            rows.delete(one)
    await tx.fetch("DELETE FROM pictures WHERE origin = $1", feedback_id)
