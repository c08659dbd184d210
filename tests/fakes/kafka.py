"""A broker with passwords: the embedded one with a second listener, ACLs and accounts."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest

from shared.embedded import EmbeddedKafka
from shared.messaging.brokers import Brokers, parse_security
from tests.fakes.certificates import Authority
from tests.integration.system import ROOT, free_ports

# The inner listener is for the broker itself and for the test as its administrator.
_PROPERTIES = """\
listeners=PLAINTEXT://{{host}}:{{port}},CONTROLLER://{{host}}:{{controller_port}},SASL_SSL://{{host}}:{secure}
advertised.listeners=PLAINTEXT://{{host}}:{{port}},SASL_SSL://{{host}}:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login} required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
"""
_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"
_TYPES = {"--topic": 2, "--group": 3}
_PATTERNS = {"literal": 3, "prefixed": 4}
_OPERATIONS = {
    "Read": 3,
    "Write": 4,
    "Create": 5,
    "Alter": 7,
    "Describe": 8,
    "DescribeConfigs": 10,
    "AlterConfigs": 11,
}
_ALLOW = 3


@dataclass(frozen=True)
class Rule:
    """An account may do something to a topic or group."""

    account: str
    operation: str
    kind: str
    name: str
    pattern: str = "literal"


def rules(*arguments: str) -> list[Rule]:
    """What ``deploy/kafka/accounts.sh`` grants with these arguments: it is run, with tools that
    write down how they were called."""
    said = run_accounts(arguments)
    found = []
    for command in said:
        assert command[0] == "kafka-acls.sh", command
        options = command[command.index("--add") + 1 :]
        values: dict[str, list[str]] = {}
        for name, value in zip(options[::2], options[1::2], strict=True):
            values.setdefault(name, []).append(value)
        (account,) = values["--allow-principal"]
        (pattern,) = values.get("--resource-pattern-type", ["literal"])
        for kind in _TYPES:
            for operation, name in product(values["--operation"], values.get(kind, [])):
                found.append(Rule(account.removeprefix("User:"), operation, kind, name, pattern))
    return found


def run_accounts(arguments: Iterable[str], given: str = "") -> list[list[str]]:
    """The commands the script runs with standard input `given`, instead of Kafka's tools.

    What a command would read from its own standard input is its last word.
    """
    with tempfile.TemporaryDirectory() as directory:
        record = Path(directory) / "record"
        for name in ("kafka-acls.sh", "kafka-configs.sh"):
            tool = Path(directory) / name
            tool.write_text(_TOOL.format(record=shlex.quote(str(record))))
            tool.chmod(0o700)
        environment = {"PATH": f"{directory}:{os.environ['PATH']}"}
        subprocess.run(
            ["sh", ROOT / "deploy" / "kafka" / "accounts.sh", *arguments],
            env=environment | {"KAFKA": "broker:9093", "ADMIN": "admin.properties"},
            input=given,
            text=True,
            check=True,
        )
        return [one.split("\x1f")[:-1] for one in record.read_text().split("\x1e")[:-1]]


_TOOL = """\
#!/bin/sh
{{
    printf '%s\\037' "${{0##*/}}" "$@"
    case "$*" in */dev/stdin*) printf '%s\\037' "$(cat)" ;; esac
    printf '\\036'
}} >> {record}
"""


class SecuredKafka:
    """The broker; `passwords` are those of its accounts, made when its log is formatted."""

    def __init__(self, data: Path, authority: Authority, passwords: Mapping[str, str]) -> None:
        self.authority, self.passwords = authority, passwords
        inner, secure = free_ports(2)
        certificate, key = authority.issue("broker", "127.0.0.1")
        keystore = data / "keystore.pem"
        keystore.write_bytes(key.read_bytes() + certificate.read_bytes())
        accounts = [
            f"--add-scram=SCRAM-SHA-512=[name={name},password={password}]"
            for name, password in passwords.items()
        ]
        self._server = EmbeddedKafka(
            data,
            port=inner,
            properties=_PROPERTIES.format(secure=secure, keystore=keystore, login=_LOGIN),
            format_options=accounts,
        )
        self.inner = f"127.0.0.1:{inner}"
        self.address = f"127.0.0.1:{secure}"

    def url(self, account: str, *, password: str | None = None, cafile: Path | None = None) -> str:
        """``EXPRESS_KAFKA_SECURITY`` of an account."""
        secret = quote(password or self.passwords[account], safe="")
        return f"sasl_ssl://{account}:{secret}@?cafile={cafile or self.authority.file}"

    def brokers(self, account: str, **other: Any) -> Brokers:
        """The secured listener, as that account sees it."""
        return Brokers(self.address, parse_security(self.url(account, **other), self.address))

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def grant(self, granted: Iterable[Rule]) -> None:
        """Let accounts do what these rules say."""
        client = AIOKafkaClient(bootstrap_servers=self.inner)
        await client.bootstrap()
        try:
            for rule in granted:
                request = CreateAclsRequest(
                    _TYPES[rule.kind],
                    rule.name,
                    _PATTERNS[rule.pattern],
                    f"User:{rule.account}",
                    "*",
                    _OPERATIONS[rule.operation],
                    _ALLOW,
                )
                answer = await client.send(client.get_random_node(), request)
                assert [code for code, *_ in answer.creation_responses] == [0], (rule, answer)
        finally:
            await client.close()
