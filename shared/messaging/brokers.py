"""Where the brokers are and how they are spoken to: one place for every client of Kafka."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from shared.hosts import is_loopback

_FORM = (
    "must be sasl_ssl://user:password@?mechanism=SCRAM-SHA-512&cafile=… "
    "or ssl://?cafile=…&certfile=…&keyfile=…, with user and password percent-encoded"
)
_SCHEMES = ("sasl_ssl", "ssl", "sasl_plaintext")
_SCRAM = ("SCRAM-SHA-512", "SCRAM-SHA-256")
_FILES = ("cafile", "certfile", "keyfile")


@dataclass(frozen=True)
class Security:
    """How a broker is spoken to. Made by `parse_security`."""

    protocol: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False)


class Brokers(str):
    """``host:port[,host:port]``, as a text anywhere, which knows how they are spoken to.

    A plain string is brokers that want neither password nor TLS.
    """

    security: Security | None

    def __new__(cls, servers: str, security: Security | None = None) -> Brokers:
        """The text is the servers alone, so that it may stand in logs and answers."""
        made = super().__new__(cls, servers)
        made.security = security
        return made


def security_of(kafka: str) -> Security | None:
    """How these brokers are spoken to; None where anybody may read along."""
    return kafka.security if isinstance(kafka, Brokers) else None


def client_options(kafka: str) -> dict[str, Any]:
    """What every client of aiokafka is told of the brokers and of who we are."""
    options: dict[str, Any] = {"bootstrap_servers": str(kafka)}
    security = security_of(kafka)
    if security is not None:
        options |= {"security_protocol": security.protocol, "ssl_context": security.tls}
        if security.mechanism:
            options |= {
                "sasl_mechanism": security.mechanism,
                "sasl_plain_username": security.user,
                "sasl_plain_password": security.password,
            }
    return options


def parse_security(value: str, servers: str) -> Security:
    """What ``EXPRESS_KAFKA_SECURITY`` says of `servers`.

    ValueError with one sentence that repeats nothing of user or password.
    """
    scheme, separator, rest = value.strip().partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _SCHEMES or "#" in rest:
        raise ValueError(_FORM)
    account, _, query = rest.partition("?")
    user, password = _account(account)
    if (user is None) != (scheme == "ssl"):
        raise ValueError(_FORM)
    options = _options(query)
    mechanism = _mechanism(scheme, options.pop("mechanism", None))
    if scheme == "sasl_plaintext":
        if not all(is_loopback(one) for one in _hosts(servers)):
            raise ValueError(
                "sasl_plaintext would let everybody on the way read along: "
                "it is for brokers on this machine, others need sasl_ssl"
            )
        if options:
            raise ValueError(f"{next(iter(options))} needs TLS: sasl_ssl or ssl")
        tls = None
    else:
        tls = _tls(options)
    return Security(scheme.upper(), user, password, mechanism, tls)


def _account(account: str) -> tuple[str | None, str | None]:
    if not account:
        return None, None
    user, colon, password = account.removesuffix("@").partition(":")
    if not account.endswith("@") or not (user and colon and password) or "/" in account:
        raise ValueError(_FORM)
    try:
        return unquote(user, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(_FORM) from None


def _options(query: str) -> dict[str, str]:
    try:
        options = dict(parse_qsl(query, strict_parsing=True)) if query else {}
    except ValueError:
        raise ValueError("what follows the ? must be option=value&option=value") from None
    known = ("mechanism", *_FILES)
    if not options.keys() <= set(known):
        raise ValueError(f"the options are {', '.join(known)}")
    return options


def _mechanism(scheme: str, wanted: str | None) -> str | None:
    if scheme == "ssl":
        if wanted is not None:
            raise ValueError("mechanism needs a user: sasl_ssl")
        return None
    # A password as it is may travel under TLS only.
    possible = (*_SCRAM, "PLAIN") if scheme == "sasl_ssl" else _SCRAM
    wanted = (wanted or _SCRAM[0]).upper()
    if wanted not in possible:
        raise ValueError(f"mechanism must be one of {', '.join(possible)}")
    return wanted


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    for name, path in options.items():
        if not Path(path).is_file():
            raise ValueError(f"{name}: there is no file {path}")
    if "keyfile" in options and "certfile" not in options:
        raise ValueError("keyfile needs certfile")
    name = "cafile"
    try:
        context = ssl.create_default_context(cafile=options.get("cafile"))
        if certfile := options.get("certfile"):
            name = "certfile, keyfile"
            # Never ask on a terminal: a key that wants a password is refused.
            context.load_cert_chain(certfile, options.get("keyfile"), password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "not PEM"
        raise ValueError(f"{name}: cannot be used ({reason})") from None
    return context


def _hosts(servers: str) -> Iterable[str]:
    return (one.rpartition(":")[0].strip("[] ") for one in servers.split(","))
