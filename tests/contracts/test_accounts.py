"""What the broker lets each account do, held against what its service reads and writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.__main__ import NAMES, builds
from services.tracking.store.generation import group_of
from shared.contracts import DIRECTORY, EVENTS, INBOUND, INBOUND_REJECTED, PRIVATE, REGISTER
from shared.messaging.topics import TOPICS
from tests.fakes.kafka import Rule, rules, run_accounts
from tests.support import make_runtime

# Beside the events it owns, and those that it subscribes to.
_READS_TOO = {"intake": {PRIVATE}}  # who follows an erasure reads the answers
_WRITES_TOO = {"intake": {INBOUND_REJECTED}}


def topics(granted: list[Rule], account: str, operation: str) -> set[str]:
    return {
        rule.name
        for rule in granted
        if (rule.account, rule.operation, rule.kind) == (account, operation, "--topic")
    }


@pytest.fixture(scope="module")
def granted() -> list[Rule]:
    return rules("services")


@pytest.mark.parametrize("name", NAMES)
def test_a_service_may_do_what_it_does_and_no_more(
    granted: list[Rule], name: str, tmp_path: Path
) -> None:
    runtime = make_runtime("postgresql://nobody@127.0.0.1:1/", "127.0.0.1:1", tmp_path)
    service = builds()[name](runtime)
    reads = {*service.subscription.topics, DIRECTORY} | _READS_TOO.get(name, set())
    assert topics(granted, name, "Read") == reads
    writes = {event.topic for event in REGISTER.values() if event.owner == name}
    assert topics(granted, name, "Write") == writes | _WRITES_TOO.get(name, set())
    own = [rule for rule in granted if rule.account == name]
    assert {rule.operation for rule in own} <= {"Read", "Write"}
    (group,) = [rule for rule in own if rule.kind == "--group"]
    assert group.operation == "Read"
    if name == "tracking":
        assert (group.pattern, group_of(7).startswith(group.name)) == ("prefixed", True)
    else:
        assert (group.pattern, group.name) == ("literal", service.group)


def test_set_up_makes_every_topic_and_sends_a_lost_log_again(granted: list[Rule]) -> None:
    for operation in ("Create", "Write", "DescribeConfigs", "AlterConfigs"):
        assert topics(granted, "setup", operation) == TOPICS.keys()
    # Who brings restored databases up to the log reads it, and sets the places of the groups.
    assert topics(granted, "setup", "Read") == {EVENTS, PRIVATE, DIRECTORY, INBOUND}
    assert {rule.account for rule in granted} == {*NAMES, "setup"}


def test_an_adapter_hands_in_and_does_nothing_else() -> None:
    assert rules("adapter", "kiosk") == [Rule("kiosk", "Write", "--topic", INBOUND)]


def test_one_account_for_all_may_what_each_may(granted: list[Rule]) -> None:
    whole = rules("whole", "express")
    (topic,) = {rule.name for rule in whole if rule.kind == "--topic"}
    assert all(name.startswith(topic) for name in TOPICS)
    of_topics = {r.operation for r in granted if r.kind == "--topic"}
    assert {r.operation for r in whole if r.kind == "--topic"} == of_topics
    groups = {(r.name, r.pattern) for r in granted if r.kind == "--group" and r.account in NAMES}
    assert {(r.name, r.pattern) for r in whole if r.kind == "--group"} == groups


def test_a_password_stands_in_no_list_of_processes() -> None:
    (command,) = run_accounts(["password", "desk"], given="a-long-password\n")
    *words, given = command
    assert given == "SCRAM-SHA-512=[password=a-long-password]"
    assert "a-long-password" not in " ".join(words)
    assert words[words.index("--entity-name") + 1] == "desk"
    (command,) = run_accounts(["lock", "desk"])
    assert command[command.index("--delete-config") + 1] == "SCRAM-SHA-512"
