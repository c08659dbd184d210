"""The manifests for a cluster, held against the code and against compose."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from kubernetes_validate import ValidationError, validate

from services.__main__ import NAMES
from shared.settings import Settings
from tests.integration.system import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
KUBERNETES = "1.37"


@cache
def manifests() -> list[dict[str, Any]]:
    return [
        one
        for path in sorted(FOLDER.glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text())
    ]


def the(kind: str, name: str) -> dict[str, Any]:
    (found,) = [
        m for m in manifests() if m["kind"] == kind and m["metadata"]["name"] == name
    ]  # exactly one
    return found


def container(owner: dict[str, Any]) -> dict[str, Any]:
    (only,) = owner["spec"]["template"]["spec"]["containers"]
    return dict(only)


def misspelt(manifest: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Copies of a manifest, in each of which one field has a name that does not exist."""

    def fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        pairs: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in pairs:
            # What stands in these is named by us, not by Kubernetes.
            if path and path[-1] in _FREE:
                return
            # Without these nobody knows which schema to ask.
            if isinstance(value, dict) and key not in ("apiVersion", "kind"):
                yield (*path, key)
            if isinstance(one, dict | list):
                yield from fields(one, (*path, key))

    for *owners, name in fields(manifest):
        broken = copy.deepcopy(manifest)
        owner: Any = broken
        for key in owners:
            owner = owner[key]
        owner[f"{name}Z"] = owner.pop(name)
        yield "/".join(map(str, (*owners, name))), broken


_FREE = {"labels", "matchLabels", "annotations", "data", "stringData", "limits", "requests"}


def test_a_cluster_of_a_current_version_takes_every_manifest() -> None:
    for manifest in manifests():
        assert validate(manifest, KUBERNETES, strict=True) == KUBERNETES


@pytest.mark.parametrize(
    ("kind", "name"), [("NetworkPolicy", "services"), ("PodDisruptionBudget", "desk")]
)
def test_a_wrong_name_of_a_field_is_noticed(kind: str, name: str) -> None:
    for field, broken in misspelt(the(kind, name)):
        with pytest.raises(ValidationError):
            validate(broken, KUBERNETES, strict=True)
            pytest.fail(f"nothing says that {field} has a wrong name")


def test_every_service_runs_alone_under_a_stable_name() -> None:
    for name in NAMES:
        owner = the("StatefulSet", name)
        assert container(owner)["args"] == ["python", "-m", f"services.{name}"]
        labels = owner["spec"]["template"]["metadata"]["labels"]
        assert owner["spec"]["selector"]["matchLabels"] == labels
        assert owner["spec"]["serviceName"] == name
        assert the("Service", name)["spec"]["selector"] == labels
        assert the("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"] == labels
        # It ends by itself within ten seconds.
        assert owner["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 10


def test_a_stuck_service_is_taken_out_and_only_a_dead_one_is_killed() -> None:
    for name in NAMES:
        probes = container(the("StatefulSet", name))
        assert probes["readinessProbe"]["httpGet"]["path"] == "/health/ready"
        # Readiness as liveness would kill every service while the broker is away.
        assert probes["livenessProbe"]["httpGet"]["path"] == "/health/live"


def test_settings_exist_and_are_accepted_and_secrets_are_apart() -> None:
    config = the("ConfigMap", "feedback-express")["data"]
    secret = the("Secret", "feedback-express")["stringData"]
    assert not set(config) & set(secret)
    given = {k: v for k, v in (config | secret).items() if k != "FORWARDED_ALLOW_IPS"}
    names = {key.removeprefix("EXPRESS_").lower() for key in given}
    assert names <= set(Settings.model_fields)
    assert {"secret", "database", "smtp", "wechat"} <= {
        key.removeprefix("EXPRESS_").lower() for key in secret
    }
    assert secret["EXPRESS_SECRET"] == ""
    Settings(**{k.removeprefix("EXPRESS_").lower(): v for k, v in given.items()})
    for name in NAMES:
        (port,) = container(the("StatefulSet", name))["ports"]
        assert str(port["containerPort"]) == config["EXPRESS_PORT"]


def test_the_gateway_is_the_one_of_compose() -> None:
    env = {e["name"]: e["value"] for e in container(the("Deployment", "gateway"))["env"]}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]
    assert set(env) == set(compose["environment"])
    for name in NAMES:
        host, _, port = env[f"GATEWAY_{name.upper()}"].partition(":")
        assert host.split(".")[0] == name
        assert int(port) == the("Service", name)["spec"]["ports"][0]["port"]
    assert container(the("Deployment", "gateway"))["image"] == compose["image"]
    (rule,) = the("Ingress", "feedback-express")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["backend"]["service"]["name"]) == ("/", "gateway")


def test_nothing_runs_with_rights_it_does_not_need() -> None:
    for owner in manifests():
        if owner["kind"] == "CronJob":
            owner = owner["spec"]["jobTemplate"]
        elif owner["kind"] not in ("StatefulSet", "Deployment", "Job"):
            continue
        pod = owner["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        security = container(owner)["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}


def test_the_nightly_backup_is_the_one_of_compose_and_has_all_that_set_up_has() -> None:
    backup = container(the("CronJob", "backup")["spec"]["jobTemplate"])
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["backup"]
    assert backup["args"] == compose["command"]
    assert backup["envFrom"] == container(the("Job", "setup"))["envFrom"]
    assert {"name": "backups", "mountPath": "/backups"} in backup["volumeMounts"]


def test_the_readme_applies_every_manifest() -> None:
    readme = (FOLDER.parent / "README.md").read_text()
    (loop,) = re.findall(r"for one in ([\w ]+ gateway); do echo -f", readme)
    named = set(re.findall(r"deploy/kubernetes/([\w.]+)\.yaml", readme)) | set(loop.split())
    there = {path.stem for path in FOLDER.glob("*.yaml")} - {"secret.example"}
    assert there <= named
