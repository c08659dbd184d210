"""What a URL of the database may say, and what is said about one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.db import parse_address
from shared.db.address import CONNECT_TIMEOUT


def dsn(url: str) -> str:
    return parse_address(url).dsn


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("postgres://u:p%40@h:5433", "postgresql://u:p%40@h:5433/postgres"),
        ("postgresql://h/main?sslmode=require", "postgresql://h/main?sslmode=require"),
        ("postgresql://h1:1,h2:2/", "postgresql://h1:1,h2:2/postgres"),
        ("postgresql://u@[::1]:5432/", "postgresql://u@[::1]:5432/postgres"),
        ("postgresql://u@/db?host=/a/b%20c", "postgresql://u@/db?host=/a/b%20c"),
        ("postgresql://%2Fvar%2Frun/db", "postgresql://%2Fvar%2Frun/db"),
        ("postgresql://?host=h&port=1&user=u&dbname=d", "postgresql:///d?host=h&port=1&user=u"),
        ("postgresql://?hostaddr=192.0.2.1", "postgresql:///postgres?host=192.0.2.1"),
        ("postgresql://h/?options=-c%20a%3Db", "postgresql://h/postgres?options=-c%20a%3Db"),
    ],
)
def test_an_address_is_passed_on_as_it_was_given(given: str, read: str) -> None:
    assert dsn(given) == read


@pytest.mark.parametrize(
    "quiet",
    [
        "channel_binding=prefer",
        "channel_binding=disable",
        "gssencmode=disable",
        "sslsni=1",
        "client_encoding=UTF8",
        "keepalives=0",
        "application_name=a",
        "connect_timeout=3",
    ],
)
def test_what_the_driver_does_anyhow_may_be_asked_for(quiet: str) -> None:
    assert dsn(f"postgresql://h/d?{quiet}") == "postgresql://h/d"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://h/", "PostgreSQL URL"),
        ("postgresql://u:p#x@h/", "%23"),
        ("postgresql://h/?sslmode", "option=value"),
        ("postgresql://h/?sslmode=always", "sslmode must be one of disable, allow"),
        ("postgresql://h/?channel_binding=require", "channel_binding=require is not supported"),
        ("postgresql://h:port/", "port is no port"),
        ("postgresql://u@h1:1,h2:65536/", "65536 is no port"),
        ("postgresql://u@[::1]:0/", "0 is no port"),
        ("postgresql://h/?connect_timeout=soon", "connect_timeout must be a whole number"),
        ("postgresql://h/?sslrootcert=/no/such.pem", "sslrootcert: there is no file /no/such.pem"),
        ("postgresql://h/?keepalives_idle=5", "the option keepalives_idle is not supported"),
        ("postgresql://h/?hostaddr=192.0.2.1", "hostaddr is not supported beside a host"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("?", ".")) as caught:
        parse_address(url)
    assert "\n" not in str(caught.value)
    assert "p#x" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", CONNECT_TIMEOUT),
        ("?connect_timeout=30", 30.0),
        ("?connect_timeout=1", 2.0),
        ("?connect_timeout=0", None),
    ],
)
def test_the_timeout_is_read_as_libpq_reads_it(said: str, seconds: float | None) -> None:
    assert parse_address(f"postgresql://h/d{said}").timeout == seconds


def test_files_that_are_there_are_passed_on(tmp_path: Path) -> None:
    file = tmp_path / "root.pem"
    file.touch()
    assert dsn(f"postgresql://h/d?sslrootcert={file}").endswith(f"sslrootcert={file}")


def test_every_connection_is_in_utc_and_says_what_it_is_for() -> None:
    address = parse_address("postgresql://h/")
    settings = address.database("d").arguments(name="relay.desk", role="r")["server_settings"]
    assert settings == {"application_name": "relay.desk", "TimeZone": "UTC", "role": "r"}
    named = parse_address("postgresql://h/?application_name=library")
    assert named.arguments(name="x")["server_settings"]["application_name"] == "library"
