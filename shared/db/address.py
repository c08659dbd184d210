"""How a PostgreSQL URL becomes a connection: one place, for SQLAlchemy and for the bare driver.

A URL may say what libpq's URLs may. asyncpg reads most of it; what it would send to the server as
an unknown parameter is translated here, or refused in one sentence.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import asyncpg

from shared.db.errors import DatabaseNotReady

CONNECT_TIMEOUT = 5.0
"""Seconds, where the URL does not say ``connect_timeout``."""

_READ_BY_THE_DRIVER = {
    "gsslib",
    "host",
    "krbsrvname",
    "passfile",
    "password",
    "port",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "target_session_attrs",
    "user",
}
_SENT_TO_THE_SERVER = {"application_name", "options"}
_READ_HERE = {"connect_timeout", "dbname", "fallback_application_name", "hostaddr"}
# What the driver does anyhow may be asked for; anything else these options could say may not.
_DONE_ANYHOW = {
    "channel_binding": {"prefer", "disable"},
    "client_encoding": {"utf8", "utf-8", "auto"},
    "gssencmode": {"prefer", "disable"},
    "keepalives": {"0"},
    "load_balance_hosts": {"disable"},
    "replication": {"0", "off", "false", "no"},
    "sslcertmode": {"allow"},
    "sslcompression": {"0"},
    "sslsni": {"1"},
}
_FILES = ("passfile", "sslcert", "sslcrl", "sslkey", "sslrootcert")


class DatabaseRefused(DatabaseNotReady):
    """The server cannot be used as ``EXPRESS_DATABASE`` says; waiting would not help."""


@dataclass(frozen=True)
class Address:
    """A database of a PostgreSQL server. Made by `parse_address`."""

    server: str
    """Users, hosts and ports, as the URL has them."""
    name: str
    query: str
    timeout: float | None = CONNECT_TIMEOUT
    """Seconds; None waits for ever."""
    application_name: str | None = None
    """By the URL's word; else each connection says what it is for."""

    def database(self, name: str) -> Address:
        """Another database of the same server."""
        return replace(self, name=name)

    @property
    def dsn(self) -> str:
        """The URL as the driver reads it."""
        query = f"?{self.query}" if self.query else ""
        return f"postgresql://{self.server}/{quote(self.name)}{query}"

    def arguments(
        self,
        *,
        name: str,
        role: str | None = None,
        command_timeout: float | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """What `asyncpg.connect` is called with.

        `name` is what the server sees as ``application_name``. Times are UTC on every connection,
        whatever the server is set to.
        """
        own = {"application_name": self.application_name or name, "TimeZone": "UTC"}
        if role:
            own["role"] = role
        return {
            "dsn": self.dsn,
            "timeout": self.timeout,
            "command_timeout": command_timeout,
            "server_settings": own | dict(settings or {}),
        }

    async def connect(
        self, *, name: str, role: str | None = None, command_timeout: float | None = None
    ) -> asyncpg.Connection:
        """A connection of its own. `DatabaseRefused` where trying again would not help."""
        try:
            return await asyncpg.connect(
                **self.arguments(name=name, role=role, command_timeout=command_timeout)
            )
        except (
            asyncpg.ClientConfigurationError,
            asyncpg.InvalidAuthorizationSpecificationError,
            # What `options` says and the server does not know.
            asyncpg.CantChangeRuntimeParamError,
            asyncpg.InvalidParameterValueError,
            asyncpg.PostgresSyntaxError,
            asyncpg.UndefinedObjectError,
            ssl.SSLError,
            ConnectionError,
        ) as error:
            refused = not isinstance(error, ConnectionError) or "rejected SSL" in str(error)
            if not refused:
                raise
            raise DatabaseRefused(f"EXPRESS_DATABASE: {' '.join(str(error).split())}") from error


def parse_address(url: str) -> Address:
    """The address of the server `url`. ValueError with one sentence where it cannot be used."""
    parts = urlsplit(url)
    if parts.fragment:
        raise ValueError("a # in it must be written %23")
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError("must be a PostgreSQL URL such as postgresql://user:password@host/")
    for place in parts.netloc.rpartition("@")[2].split(","):
        port = place.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"{port} is no port")
    options = _options(parts.query)
    for name, value in options.items():
        _check(name, value)
    kept = {n: v for n, v in options.items() if n in _READ_BY_THE_DRIVER or n == "options"}
    if "hostaddr" in options:
        if parts.hostname or "host" in options:
            raise ValueError("hostaddr is not supported beside a host")
        kept["host"] = options["hostaddr"]
    name = unquote(parts.path.strip("/")) or options.get("dbname") or "postgres"
    return Address(
        parts.netloc,
        name,
        urlencode(kept, safe="/", quote_via=quote),
        _timeout(options.get("connect_timeout")),
        options.get("application_name") or options.get("fallback_application_name"),
    )


def _options(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, strict_parsing=True, keep_blank_values=True)) if query else {}
    except ValueError:
        raise ValueError("what follows the ? must be option=value&option=value") from None


def _check(name: str, value: str) -> None:
    if name in _DONE_ANYHOW:
        if value.lower() not in _DONE_ANYHOW[name]:
            possible = " or ".join(sorted(_DONE_ANYHOW[name]))
            raise ValueError(f"{name}={value} is not supported, only {possible}")
    elif name not in _READ_BY_THE_DRIVER | _SENT_TO_THE_SERVER | _READ_HERE:
        raise ValueError(f"the option {name} is not supported; leave it out")
    if name in _FILES and value and not Path(value).expanduser().is_file():
        raise ValueError(f"{name}: there is no file {value}")
    if name == "sslmode" and value not in _SSL_MODES:
        raise ValueError(f"sslmode must be one of {', '.join(_SSL_MODES)}")


_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def _timeout(value: str | None) -> float | None:
    """As libpq reads it: whole seconds, at least 2; 0 and less wait for ever."""
    if value is None:
        return CONNECT_TIMEOUT
    try:
        seconds = int(value)
    except ValueError:
        raise ValueError("connect_timeout must be a whole number of seconds") from None
    return float(max(seconds, 2)) if seconds > 0 else None
