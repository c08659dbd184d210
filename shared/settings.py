"""The settings every process shares. Only a service's ``app.py`` and the commands read them."""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """``EXPRESS_*`` from the environment; see the table in the README."""

    model_config = SettingsConfigDict(env_prefix="EXPRESS_", extra="ignore", frozen=True)

    data: Path = Path(".data")
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8080, ge=1, le=65535)
    base_url: str = ""
    kafka: str = ""
    database: str = ""
    secret: str = ""
    locale: Literal["zh", "en"] = "zh"
    demo_password: str = ""
    smtp: str = ""
    wechat: str = ""

    @field_validator("base_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", value):
            raise ValueError("must be a URL such as https://feedback.example.edu")
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

    @field_validator("database")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and not re.match(r"postgres(ql)?://", value):
            raise ValueError("must be a PostgreSQL URL such as postgresql://user:password@host/")
        return value

    @field_validator("secret")
    @classmethod
    def _long(cls, value: str) -> str:
        if value and len(value) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @field_validator("smtp")
    @classmethod
    def _mail(cls, value: str) -> str:
        if value and not re.fullmatch(r"smtps?://([^\s@]+@)?[^\s/@]+:\d+/?", value):
            raise ValueError("must be smtp://[user:password@]host:port or smtps://…")
        return value

    @property
    def url(self) -> str:
        """What links in messages begin with."""
        return self.base_url or f"http://{self.host}:{self.port}"

    def signing_secret(self) -> str:
        """The secret; made once and kept in the data directory (mode 600) where none is set."""
        return self.secret or _kept(self.data / "secret", lambda: secrets.token_urlsafe(32))

    def demo_secret(self) -> str:
        """The password of all demo accounts, made once where none is set."""
        return self.demo_password or _kept(
            self.data / "demo-password", lambda: secrets.token_urlsafe(9)
        )


def _kept(path: Path, make: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        value = str(make())  # type: ignore[operator]
        file.write(value)
    return value


def read_settings() -> Settings:
    """The settings, or one line on standard error that names the variable and exit status 2."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "EXPRESS_" + str(first["loc"][0]).upper()
        refuse(f"{name}: {first['msg'].removeprefix('Value error, ')}")


def refuse(sentence: str) -> NoReturn:
    """Say why this cannot start, in one line, and leave with exit status 2."""
    print(sentence, file=sys.stderr)
    raise SystemExit(2)
