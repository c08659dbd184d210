"""Outbox rows the broker will never take: set aside, so that one row never stops a service.

Later events of the same case wait behind such a row, in order, as they do behind a dead letter:
the case gets no hole, and a row that is sent again is not older than what was sent meanwhile.
"""

from __future__ import annotations

from aiokafka import errors
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

TRIES = 3
"""Times a row is tried alone, each with a new producer, before it is set aside."""
REFUSED_IN_A_ROW = 20
"""After so many without one that was taken the fault is not the rows'."""

# Not retriable by aiokafka's word, but about the connection, the account or the producer.
_NOT_ABOUT_THE_ROW = (
    errors.AuthenticationFailedError,
    errors.BrokerNotAvailableError,
    errors.ClusterAuthorizationFailedError,
    errors.IllegalSaslStateError,
    errors.IllegalStateError,
    errors.InvalidProducerEpoch,
    errors.InvalidProducerIdMapping,
    errors.KafkaTimeoutError,
    errors.KafkaUnavailableError,
    errors.OutOfOrderSequenceNumber,
    errors.ProducerClosed,
    errors.ProducerFenced,
    errors.ReplicaNotAvailableError,
    errors.SaslAuthenticationFailed,
    errors.TopicAuthorizationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.UnsupportedVersionError,
)

SET_ASIDE = "UPDATE outbox SET refused = $2 WHERE id = $1 AND published_at IS NULL"
# Where only the newest counts, a refused row that was overtaken must not come back after it.
DROP_OVERTAKEN = """
DELETE FROM outbox o WHERE refused IS NOT NULL AND seq IS NULL AND EXISTS
  (SELECT 1 FROM outbox n WHERE n.topic = o.topic AND n.key = o.key AND n.id > o.id
   AND n.seq IS NULL AND n.published_at IS NOT NULL)
"""
FREE = "UPDATE outbox SET refused = NULL WHERE refused IS NOT NULL"


def is_refusal(error: BaseException) -> bool:
    """True when the broker, or the client before it, says no to the row itself."""
    if isinstance(error, errors.KafkaError):
        return not error.retriable and not isinstance(error, _NOT_ABOUT_THE_ROW)
    return isinstance(error, ValueError | TypeError | AssertionError | AttributeError)


def reason_of(error: BaseException) -> str:
    """What is written beside the row: never what stood in it."""
    return str(error)[:200] if isinstance(error, errors.KafkaError) else type(error).__name__


async def send_again(engine: AsyncEngine) -> int:
    """Let the relay try what was set aside once more; gives the number of rows."""
    async with engine.begin() as connection:
        await connection.execute(text(DROP_OVERTAKEN))
        return (await connection.execute(text(FREE))).rowcount
