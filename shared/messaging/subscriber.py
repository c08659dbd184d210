"""A member of a consumer group, as FastStream and aiokafka are asked for one."""

from __future__ import annotations

from typing import Any

from aiokafka import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.messaging.brokers import security_of
from shared.messaging.kafka_seams import bound_decoding, pack_fetches
from shared.messaging.subscription import Subscription

LINGER_BYTES = 64 * 1024
"""So much is handed over at once, also to who lets the broker gather."""


def new_subscriber(
    service: str,
    kafka: str,
    subscription: Subscription,
    *,
    group: str,
    instance: str,
    listener: ConsumerRebalanceListener,
) -> tuple[KafkaBroker, Any]:
    """The connection and the member `instance` of `group`; neither is started.

    Every offset is committed by us, after the database; what a stranger's transaction aborted is
    never seen.
    """
    # Adapters write to the broker too, and squeeze as they like.
    bound_decoding()
    pack_fetches()
    broker = KafkaBroker(
        str(kafka),
        security=security_for_faststream(kafka),
        consumer_only=True,
        apply_types=False,
        logger=None,
        request_timeout_ms=10_000,
        retry_backoff_ms=500,
        allow_auto_create_topics=False,
    )
    at_broker = subscription.linger_at_broker
    member = broker.subscriber(
        *subscription.topics,
        batch=True,
        group_id=group,
        group_instance_id=instance,
        auto_offset_reset="earliest",
        # No offset is committed but by us.
        ack_policy=AckPolicy.MANUAL,
        isolation_level="read_committed",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        max_poll_interval_ms=300_000,
        fetch_max_wait_ms=int(1_000 * subscription.linger) if at_broker else 500,
        fetch_min_bytes=LINGER_BYTES if at_broker else 1,
        listener=listener,
        title=f"{service}.log",
    )
    return broker, member


_SASL = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256, "PLAIN": SASLPlaintext}


def security_for_faststream(kafka: str) -> BaseSecurity | None:
    """What `client_options` says to aiokafka, in FastStream's words."""
    security = security_of(kafka)
    if security is None:
        return None
    use_ssl = security.tls is not None
    if security.mechanism is None:
        return BaseSecurity(security.tls, use_ssl)
    sasl = _SASL[security.mechanism]
    return sasl(security.user or "", security.password or "", security.tls, use_ssl)
