"""What `deploy/` ships: it parses, it is confined, and it asks for nothing that the server does not have."""

import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from catalog.server import _GRACE as REQUESTS_GRACE
from catalog.settings import Settings
from catalog.supervision import _GRACE as PROJECTOR_GRACE
from tests.deploy.exposition import exposed

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
FIRST_KEY = DEPLOY / "kubernetes" / "first-key"
SERIES = re.compile(r"\b(?:lineward|http_server|process)_[a-z_]+\b")
# Of the Prometheus operator's definition of a rule group, what rule files share with it.
RULES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["groups"],
    "properties": {
        "groups": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "rules"],
                "properties": {
                    "name": {"type": "string"},
                    "rules": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["alert", "expr", "labels", "annotations"],
                            "properties": {
                                "alert": {"type": "string", "pattern": "^Lineward[A-Za-z]+$"},
                                "expr": {"type": "string", "minLength": 1},
                                "for": {"type": "string", "pattern": "^[1-9][0-9]*[mh]$"},
                                "labels": {
                                    "type": "object",
                                    "required": ["severity"],
                                    "properties": {"severity": {"enum": ["critical", "warning", "info"]}},
                                },
                                "annotations": {"type": "object", "required": ["summary", "runbook"]},
                            },
                        },
                    },
                },
            },
        }
    },
}


def documents(path: Path) -> list[Any]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each is not None]


def resources(folder: Path) -> dict[str, Any]:
    """What a kustomization lists, by kind."""
    (kustomization,) = documents(folder / "kustomization.yaml")
    found = [each for name in kustomization["resources"] for each in documents(folder / name)]
    assert {path.name for path in folder.iterdir()} == {"kustomization.yaml", *kustomization["resources"]}
    return {each["kind"]: each for each in found}


def rules() -> list[dict[str, Any]]:
    (file,) = documents(DEPLOY / "prometheus" / "alerts.yaml")
    return [rule for group in file["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "lineward.json").read_text())
    return found


def panel_expressions() -> Iterator[tuple[str, str]]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


EXPRESSIONS = [*((rule["alert"], rule["expr"]) for rule in rules()), *panel_expressions()]


# Metrics -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_series_that_is_asked_for_exists(where: str, expression: str) -> None:
    asked = set(SERIES.findall(re.sub(r"\bby \([^)]*\)", "", expression)))
    assert asked or expression.startswith("up{")
    assert asked <= exposed().keys()


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_label_that_is_asked_for_exists(where: str, expression: str) -> None:
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}
    labels = {label for series in SERIES.findall(expression) for label in exposed().get(series, ())}
    assert grouped <= labels | {"instance"}


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_counters_are_read_as_rates_and_brackets_close(where: str, expression: str) -> None:
    for series in SERIES.findall(expression):
        if series.endswith(("_total", "_bucket", "_sum", "_count")):
            assert re.search(rf"(rate|increase)\({series}", expression)
    for opening, closing in ("()", "[]", "{}"):
        assert expression.count(opening) == expression.count(closing)


def test_every_metric_is_documented_and_every_documented_one_exists() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    documented = set(re.findall(r"^\| `([a-z_]+)`", page, re.MULTILINE))
    names = {re.sub("_(bucket|sum|count)$", "", name) if "seconds_" in name or "size_" in name else name
             for name in exposed()}  # fmt: skip
    assert documented == {name for name in names if not name.startswith("process_")}


# Alerts and dashboard ----------------------------------------------------------------------------------------------


def test_the_alert_rules_have_the_form_of_rules() -> None:
    (file,) = documents(DEPLOY / "prometheus" / "alerts.yaml")
    jsonschema.validate(file, RULES)
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_leads_to_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}


@pytest.mark.parametrize("name", ["DiskFull", "ProjectionBehind", "CheckpointOld", "GateUndecided", "GraphDown"])
def test_what_production_must_not_miss_has_an_alert(name: str) -> None:
    assert f"Lineward{name}" in {rule["alert"] for rule in rules()}


def test_panels_have_their_own_ids_and_places() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells


def test_the_dashboard_names_no_data_source_of_ours() -> None:
    panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}


# Kubernetes --------------------------------------------------------------------------------------------------------


def pod(folder: Path) -> Any:
    found = resources(folder)
    return found["StatefulSet" if "StatefulSet" in found else "Job"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("folder", [BASE, FIRST_KEY], ids=lambda path: path.name)
def test_a_pod_is_confined(folder: Path) -> None:
    spec = pod(folder)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/lineward", "/tmp"}


@pytest.mark.parametrize("folder", [BASE, FIRST_KEY], ids=lambda path: path.name)
def test_every_mount_has_its_volume(folder: Path) -> None:
    spec = pod(folder)
    claimed = resources(folder).get("StatefulSet", {"spec": {}})["spec"].get("volumeClaimTemplates", ())
    names = {volume["name"] for volume in spec["volumes"]} | {each["metadata"]["name"] for each in claimed}
    assert {mount["name"] for mount in spec["containers"][0]["volumeMounts"]} == names


def test_there_is_one_writer() -> None:
    spec = resources(BASE)["StatefulSet"]["spec"]
    assert spec["replicas"] == 1
    assert spec["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_the_first_key_goes_where_the_server_looks() -> None:
    claim = pod(FIRST_KEY)["volumes"][0]["persistentVolumeClaim"]["claimName"]
    stateful = resources(BASE)["StatefulSet"]
    (template,) = stateful["spec"]["volumeClaimTemplates"]
    assert claim == f"{template['metadata']['name']}-{stateful['metadata']['name']}-0"


def test_probes_ask_what_they_mean() -> None:
    container = pod(BASE)["containers"][0]
    asked = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
    assert asked == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_there_is_time_to_drain() -> None:
    container = pod(BASE)["containers"][0]
    sleeps = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod(BASE)["terminationGracePeriodSeconds"] > sleeps + REQUESTS_GRACE + PROJECTOR_GRACE
    assert int(unit()["Service"]["TimeoutStopSec"]) > REQUESTS_GRACE + PROJECTOR_GRACE


@pytest.mark.parametrize("folder", [BASE, FIRST_KEY], ids=lambda path: path.name)
def test_kustomize_builds_it(folder: Path) -> None:
    """Where the tool is at hand; the tests above read the files themselves."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return
    built = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=True, timeout=60)
    found = [each["kind"] for each in yaml.safe_load_all(built.stdout)]
    assert set(resources(folder)) <= set(found)


# Settings ----------------------------------------------------------------------------------------------------------


def test_only_settings_that_exist_are_set() -> None:
    known = {f"LINEWARD_{name.upper()}" for name in Settings.model_fields}
    files = (path for path in DEPLOY.rglob("*") if path.is_file())
    named = {name for path in files for name in re.findall(r"\b(LINEWARD_[A-Z_]+)=", path.read_text())}
    assert named
    assert named <= known


def test_the_image_the_unit_and_the_pod_keep_their_data_in_one_place() -> None:
    image = (DEPLOY / "Containerfile").read_text()
    data = re.findall(r"LINEWARD_DATA=(\S+)", image + "\n" + (DEPLOY / "systemd" / "lineward.service").read_text())
    assert set(data) == {"/var/lib/lineward/data"}


# The image and the unit --------------------------------------------------------------------------------------------


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "systemd" / "lineward.service")
    return parser


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictNamespaces", "yes"),
        ("SystemCallArchitectures", "native"),
        ("UMask", "0077"),
        ("DynamicUser", "yes"),
        ("StateDirectoryMode", "0700"),
        ("KillSignal", "SIGTERM"),
    ],
)
def test_the_unit_is_confined(directive: str, value: str) -> None:
    assert unit()["Service"][directive] == value


def test_the_image_runs_as_nobody_in_particular() -> None:
    image = (DEPLOY / "Containerfile").read_text()
    stages = re.split(r"^FROM .*$", image, flags=re.MULTILINE)
    final = stages[-1]
    assert len(stages) == 3
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert pod(BASE)["securityContext"]["runAsUser"] == 10001
    assert not re.search(r"\b(pip|apt-get|curl|wget)\b", final)
    assert re.search(r'^ENTRYPOINT \["lineward"\]$', final, re.MULTILINE)
    assert "/livez" in final


def test_the_image_installs_by_the_lock() -> None:
    image = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes" in image
    assert "--constraint requirements.lock" in image
    copied = re.findall(r"^COPY (.+) \S+$", image, re.MULTILINE)
    for source in (each for line in copied if not line.startswith("--from") for each in line.split()):
        assert (ROOT / source).exists(), source
