"""Why the broker does not let us in: aiokafka says only that it found none."""

from __future__ import annotations

import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailed
from aiokafka.errors import UnsupportedSaslMechanismError as UnsupportedMechanism

from shared.messaging.brokers import client_options, security_of

_TIMEOUT_MS = 5_000


class BrokerRefused(KafkaConnectionError):  # type: ignore[misc]
    """A broker is there, and what ``EXPRESS_KAFKA_SECURITY`` says does not fit it."""

    def __str__(self) -> str:
        return f"EXPRESS_KAFKA_SECURITY: {self.args[0]}"


async def explained(error: KafkaError, kafka: str) -> KafkaError:
    """`error`, or `BrokerRefused` where one more try shows that the setting is what is wrong."""
    reason = await _refusal(kafka) if isinstance(error, KafkaConnectionError) else None
    return error if reason is None else BrokerRefused(reason)


async def _refusal(kafka: str) -> str | None:
    """What the first broker that answers has against us; None where none does, or none has."""
    options = client_options(kafka)
    user = getattr(security_of(kafka), "user", None)
    for server in options.pop("bootstrap_servers").split(","):
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_TIMEOUT_MS, **options
            )
        except ssl.SSLCertVerificationError as failure:
            return f"the certificate of {server} is not trusted ({failure.verify_message})"
        except ssl.SSLError as failure:
            return f"{server} speaks no TLS, or not with us ({failure.reason})"
        except UnsupportedMechanism:
            return f"{server} does not take this mechanism"
        except SaslAuthenticationFailed:
            return f"{server} does not accept the user {user} with this password"
        except (OSError, KafkaError, TimeoutError) as failure:
            if options.get("ssl_context") and isinstance(failure, ConnectionResetError):
                return f"{server} closes the connection; perhaps it speaks no TLS on this port"
            continue
        connection.close()
        return None
    return None
