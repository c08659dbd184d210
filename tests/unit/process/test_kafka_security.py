"""``EXPRESS_KAFKA_SECURITY``: what it becomes, what is refused, and that nothing repeats it."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from faststream.kafka.security import parse_security as as_faststream_tells_aiokafka

from shared.messaging.brokers import Brokers, client_options, parse_security
from shared.messaging.subscriber import security_for_faststream
from shared.settings import Settings
from tests.fakes.certificates import Authority

SERVERS = "one.example.edu:9093,two.example.edu:9093"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_user_and_password_may_hold_anything(authority: Authority) -> None:
    value = f"sasl_ssl://desk%3A%E5%8F%B0:p%40ss%2Fw%3Frd%23%25@?cafile={authority.file}"
    options = client_options(Brokers(SERVERS, parse_security(value, SERVERS)))
    context = options.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert options == {
        "bootstrap_servers": SERVERS,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "desk:台",
        "sasl_plain_password": "p@ss/w?rd#%",
    }


def test_a_certificate_may_be_the_account(authority: Authority) -> None:
    certificate, key = authority.issue("desk")
    value = f"ssl://?cafile={authority.file}&certfile={certificate}&keyfile={key}"
    options = client_options(Brokers(SERVERS, parse_security(value, SERVERS)))
    assert options["security_protocol"] == "SSL"
    assert "sasl_mechanism" not in options


def test_brokers_without_security_are_told_nothing_of_it() -> None:
    assert client_options("127.0.0.1:9092") == {"bootstrap_servers": "127.0.0.1:9092"}


@pytest.mark.parametrize(
    "value",
    [
        "sasl_ssl://u:p@?mechanism=SCRAM-SHA-512",
        "sasl_ssl://u:p@?mechanism=scram-sha-256",
        "sasl_ssl://u:p@?mechanism=PLAIN",
        "sasl_ssl://u:p@",
        "ssl://",
        "SSL://?",
    ],
)
def test_faststream_is_told_the_same_as_aiokafka(value: str) -> None:
    brokers = Brokers(SERVERS, parse_security(value, SERVERS))
    told = as_faststream_tells_aiokafka(security_for_faststream(brokers))
    assert client_options(brokers) == {"bootstrap_servers": SERVERS} | told


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("SECRET", "must be sasl_ssl"),
        ("kafka://user:SECRET@", "must be sasl_ssl"),
        ("sasl_ssl://", "must be sasl_ssl"),
        ("sasl_ssl://user@", "must be sasl_ssl"),
        ("sasl_ssl://:SECRET@", "must be sasl_ssl"),
        ("sasl_ssl://user:SECRET", "must be sasl_ssl"),
        ("sasl_ssl://user:SECRET@broker:9093", "must be sasl_ssl"),
        ("sasl_ssl://user:SEC#RET@", "must be sasl_ssl"),
        ("sasl_ssl://user:SEC?RET@", "must be sasl_ssl"),
        ("sasl_ssl://user:SEC/RET@", "must be sasl_ssl"),
        ("sasl_ssl://user:%FFSECRET@", "must be sasl_ssl"),
        ("ssl://user:SECRET@", "must be sasl_ssl"),
        ("ssl://?mechanism=PLAIN", "needs a user"),
        ("sasl_ssl://user:SECRET@?mechanism=GSSAPI", "mechanism must be one of"),
        ("sasl_ssl://user:SECRET@?SECRET=1", "the options are"),
        ("sasl_ssl://user:SECRET@?SECRET", "option=value"),
        ("sasl_ssl://user:SECRET@?cafile=/nowhere", "there is no file /nowhere"),
        ("ssl://?keyfile={file}", "keyfile needs certfile"),
        ("ssl://?cafile={file}", "cafile: cannot be used"),
        ("ssl://?certfile={file}", "certfile, keyfile: cannot be used"),
        ("ssl://?certfile={locked}", "certfile, keyfile: cannot be used"),
        ("sasl_plaintext://user:SECRET@", "read along"),
    ],
)
def test_a_wrong_value_is_one_sentence_without_the_password(
    value: str, sentence: str, tmp_path: Path, authority: Authority
) -> None:
    file, locked = tmp_path / "something", tmp_path / "locked.pem"
    file.write_text("not a certificate")
    locked.write_text(authority.file.read_text() + _LOCKED)
    with pytest.raises(ValueError, match=re.escape(sentence)) as refused:
        parse_security(value.format(file=file, locked=locked), SERVERS)
    assert "SECRET" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("servers", ["127.0.0.1:9092,[::1]:9092", "localhost:9092"])
def test_a_password_may_travel_in_clear_inside_this_machine(servers: str) -> None:
    assert parse_security("sasl_plaintext://user:SECRET@", servers).tls is None
    with pytest.raises(ValueError, match="mechanism must be"):
        parse_security("sasl_plaintext://user:SECRET@?mechanism=PLAIN", servers)
    with pytest.raises(ValueError, match="needs TLS"):
        parse_security(f"sasl_plaintext://user:SECRET@?cafile={__file__}", servers)


def test_the_setting_belongs_to_given_brokers_and_is_named_when_it_is_wrong() -> None:
    assert Settings(kafka="", kafka_security="").brokers is None
    program = "from shared.settings import read_settings; read_settings()"
    for servers, value in (("", "ssl://"), (SERVERS, "sasl_plaintext://user:SECRET@")):
        environment = {"EXPRESS_KAFKA": servers, "EXPRESS_KAFKA_SECURITY": value}
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("EXPRESS_KAFKA_SECURITY: ")
        assert "SECRET" not in line + done.stdout


def test_settings_show_no_secret() -> None:
    secret = "SECRET-of-sixteen-characters"
    settings = Settings(
        kafka=SERVERS,
        kafka_security=f"sasl_ssl://user:{secret}@",
        database=f"postgresql://user:{secret}@db/",
        secret=secret,
        code_secret=secret,
        demo_password=secret,
        smtp=f"smtps://user:{secret}@mail.example.edu:465",
        wechat=secret,
    )
    assert secret not in repr(settings) + str(settings)
    assert secret not in repr(settings.brokers) + repr(
        settings.brokers and settings.brokers.security
    )


def test_nothing_else_says_to_a_client_where_the_broker_is() -> None:
    """A client that is made without the setting would speak in clear to a broker with TLS."""
    found = [
        str(path.relative_to(ROOT))
        for folder in ("shared", "services")
        for path in (ROOT / folder).rglob("*.py")
        if "bootstrap_servers" in path.read_text()
    ]
    # The embedded broker asks itself whether it is up; its own listener wants no password.
    assert sorted(found) == [
        "shared/embedded/kafka.py",
        "shared/messaging/brokers.py",
        "shared/messaging/connecting.py",
    ]


_LOCKED = """
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgQY3JGW5H6wgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDcNqzqlXCQ9Kz4ZrxGZz8gEgZA=
-----END ENCRYPTED PRIVATE KEY-----
"""
