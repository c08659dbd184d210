"""The settings every process shares. Only a service's ``app.py`` and the commands read them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.db.address import parse_address
from shared.embeddings.source import parse_source
from shared.hosts import is_every_address
from shared.messaging.brokers import Brokers, parse_security
from shared.security import code_key


class Settings(BaseSettings):
    """``EXPRESS_*`` from the environment; see the table in the README."""

    model_config = SettingsConfigDict(env_prefix="EXPRESS_", extra="ignore", frozen=True)

    data: Path = Path(".data")
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8080, ge=1, le=65535)
    base_url: str = Field("", validate_default=True)
    kafka: str = ""
    kafka_security: str = Field("", repr=False)
    database: str = Field("", repr=False)
    secret: str = Field("", repr=False)
    code_secret: str = Field("", repr=False)
    locale: Literal["zh", "en"] = "zh"
    demo_password: str = Field("", repr=False)
    smtp: str = Field("", repr=False)
    wechat: str = Field("", repr=False)
    mail_from: str = ""
    mail_reply_to: str = ""
    reports: Literal["on", "off"] = "on"
    embeddings: str = "builtin"
    embeddings_key: str = Field("", repr=False)

    @field_validator("data")
    @classmethod
    def _directory(cls, value: Path) -> Path:
        try:
            there = next(one for one in (value, *value.absolute().parents) if one.exists())
            if not there.is_dir():
                raise ValueError(f"{there} is a file; must be a directory, or one that can be made")
        except OSError as error:
            raise ValueError(f"cannot be a directory: {error.strerror}") from None
        return value

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        return value.strip().removeprefix("[").removesuffix("]")

    @field_validator("base_url")
    @classmethod
    def _url(cls, value: str, info: ValidationInfo) -> str:
        host = str(info.data.get("host", ""))
        if not value and is_every_address(host):
            raise ValueError(
                f"is needed with EXPRESS_HOST={host}, which is every address of this machine: "
                "say how people reach it, e.g. http://192.0.2.1:8080"
            )
        if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[\w.~/-]*)?", value, re.ASCII):
            raise ValueError(
                "must be a URL such as https://feedback.example.edu "
                "or https://lib.example.edu/feedback"
            )
        try:
            parts = urlsplit(value)
            nobody = is_every_address(parts.hostname or "") or parts.port == 0
        except ValueError as error:
            raise ValueError(f"has no such port: {error}") from None
        if nobody:
            raise ValueError("must be an address that others can open, not every address")
        path = parts.path
        if "//" in path or {".", ".."} & set(path.split("/")):
            raise ValueError("must have a plain path, such as /feedback")
        return value.rstrip("/")

    @field_validator("kafka")
    @classmethod
    def _brokers(cls, value: str) -> str:
        brokers = [b.strip() for b in value.split(",")] if value.strip() else []
        for broker in brokers:
            host, _, port = broker.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError("must be host:port[,host:port]")
        return ",".join(brokers)

    @field_validator("kafka_security")
    @classmethod
    def _security(cls, value: str, info: ValidationInfo) -> str:
        servers = str(info.data.get("kafka", ""))
        if value and not servers and "kafka" in info.data:
            raise ValueError("is for the brokers of EXPRESS_KAFKA; the embedded one has no door")
        if value:
            parse_security(value, servers)
        return value

    @field_validator("database")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value:
            parse_address(value)
        return value

    @field_validator("secret", "code_secret")
    @classmethod
    def _long(cls, value: str) -> str:
        keys = _keys(value)
        if value and (not all(one.strip() for one in value.split(",")) or min(map(len, keys)) < 16):
            raise ValueError(
                "must have at least 16 characters; several keys, newest first, "
                "are separated by commas or line ends, with nothing left blank"
            )
        if len({*keys}) < len(keys):
            raise ValueError("has the same key twice; each once, the newest first")
        return value

    @field_validator("smtp")
    @classmethod
    def _mail(cls, value: str) -> str:
        schemes, account = r"(smtp|smtps|smtp\+starttls)", r"([^\s@]+@)?"
        if value and not re.fullmatch(rf"{schemes}://{account}[^\s/@]+:\d+/?(\?\S+)?", value):
            raise ValueError(
                "must be smtp+starttls://[user:password@]host:port, smtps://… or smtp://host:port"
            )
        return value

    @field_validator("mail_from", "mail_reply_to")
    @classmethod
    def _mailbox(cls, value: str) -> str:
        value = value.strip()
        if value and not re.fullmatch(r"[^\s@<>\"(),:;\\\[\]]+@[^\s@<>\"(),:;\\]+", value):
            raise ValueError("must be one address such as feedback@library.example.edu")
        return value

    @field_validator("embeddings")
    @classmethod
    def _embeddings(cls, value: str) -> str:
        parse_source(value)
        return value.strip()

    @property
    def brokers(self) -> Brokers | None:
        """The brokers that are given, and how they are spoken to; None: the embedded one."""
        if not self.kafka:
            return None
        given = self.kafka_security
        return Brokers(self.kafka, parse_security(given, self.kafka) if given else None)

    @property
    def url(self) -> str:
        """What links in messages begin with."""
        return self.base_url or self.own_url

    @property
    def own_url(self) -> str:
        """Where this process itself is reached from this machine, whatever is before it."""
        host = self.host
        if is_every_address(host):
            host = "::1" if ":" in host else "127.0.0.1"
        if ":" in host:
            host = f"[{host.replace('%', '%25')}]"  # a zone's sign is escaped (RFC 6874)
        return f"http://{host}:{self.port}"

    @property
    def base_path(self) -> str:
        """The path below which people see everything: ``/feedback``, or empty."""
        return urlsplit(self.url).path

    def signing_keys(self) -> tuple[str, ...]:
        """Keys of sessions and tokens, newest first: that one signs, each of them verifies.

        Where none is set, one is made once and kept in ``<data>/secret`` (mode 600).
        """
        if self.secret:
            return _keys(self.secret)
        try:
            return _keys(_kept(self.data / "secret", lambda: secrets.token_urlsafe(32)))
        except OSError as error:
            refuse(
                f"EXPRESS_DATA: {self.data / 'secret'} cannot be kept ({error.strerror}); "
                "or set EXPRESS_SECRET"
            )

    def code_keys(self) -> tuple[bytes, ...]:
        """Keys of tracking codes, newest first: codes stand on paper and outlive a secret.

        `code_secret` first. Without it the key is derived from the secret when the system first
        starts and kept in ``<data>/code-key``, so that a new secret changes no code; processes
        without a common data directory need the setting. What is kept there, and what the present
        secrets would give, verifies in any case.
        """
        derived = tuple(code_key(one) for one in self.signing_keys())
        given = tuple(code_key(one) for one in _keys(self.code_secret))
        kept: tuple[bytes, ...] = ()
        path = self.data / "code-key"
        with contextlib.suppress(OSError, ValueError):
            made = path.read_text().strip() if given else _kept(path, derived[-1].hex)
            kept = (bytes.fromhex(made),)
        return tuple(dict.fromkeys((*given, *kept, *reversed(derived))))

    def demo_secret(self) -> str:
        """The password of all demo accounts, made once where none is set."""
        return self.demo_password or _kept(
            self.data / "demo-password", lambda: secrets.token_urlsafe(9)
        )


def _keys(value: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in re.split(r"[,\r\n]", value) if one.strip())


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What stands in a file; made once, whoever comes first, and never read half."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path.read_text().strip()


Check = Callable[[Settings], None]
"""`ValueError`, in one line that names the variable, for what a service could not work with."""


def read_settings(*checks: Check) -> Settings:
    """The settings, or one line on standard error that names the variable and exit status 2."""
    try:
        settings = Settings()
        for check in checks:
            check(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = "EXPRESS_" + str(first["loc"][0]).upper()
        refuse(f"{name}: {first['msg'].removeprefix('Value error, ')}")
    except ValueError as error:
        refuse(str(error))
    return settings


def check_writable(data: Path, instead: str) -> None:
    """Make the directory for what is kept on this machine, or leave with exit status 2."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(data, os.W_OK | os.X_OK) else "no right to write there"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        refuse(f"EXPRESS_DATA: {data} cannot be used ({reason}); choose another, {instead}")


def refuse(sentence: str) -> NoReturn:
    """Say why this cannot start, in one line, and leave with exit status 2."""
    print(sentence, file=sys.stderr)
    raise SystemExit(2)


@contextlib.contextmanager
def refusing_file(path: Path | str) -> Iterator[None]:
    """What goes wrong with a file that a command was given is one line with the path as given.

    Around what touches this file only: an `OSError` of a server is not the file's.
    """
    try:
        yield
    except OSError as error:
        refuse(f"{path}: {error.strerror or error}")
    except UnicodeDecodeError:
        refuse(f"{path}: not text in UTF-8")
