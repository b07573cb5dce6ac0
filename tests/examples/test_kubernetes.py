"""examples/kubernetes-cronjob.yaml follows the schemas, is restricted, and configures a probekit that starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from command_lines import parse
from pipelines import EXAMPLES, broken
from ruamel.yaml import YAML

from probekit.config.loader import load

FILE = EXAMPLES / "kubernetes-cronjob.yaml"


def objects(file: Path) -> dict[str, Any]:
    """The objects of a manifest by their kinds."""
    return {one["kind"]: one for one in YAML(typ="safe", pure=True).load_all(file.read_text("utf-8"))}


OBJECTS = objects(FILE)
CRONJOB = OBJECTS["CronJob"]["spec"]
JOB = CRONJOB["jobTemplate"]["spec"]
POD = JOB["template"]["spec"]
(CONTAINER,) = POD["containers"]
OLDEST = "1.27"  # in which `timeZone` of a CronJob is stable


def validate(found: dict[str, Any], version: str) -> None:
    import kubernetes_validate  # noqa: PLC0415  # 108 MB of schemas, which only make test-services installs

    for one in found.values():
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.services
def test_every_object_follows_its_schema() -> None:
    import kubernetes_validate  # noqa: PLC0415  # as above

    assert sorted(OBJECTS) == ["ConfigMap", "CronJob", "PersistentVolumeClaim"]
    for version in (OLDEST, kubernetes_validate.latest_version()):
        validate(OBJECTS, version)


@pytest.mark.services
def test_each_misspelt_key_is_found(tmp_path) -> None:
    import kubernetes_validate  # noqa: PLC0415  # as above

    for old, new in (
        ("concurrencyPolicy:", "concurencyPolicy:"),
        ("readOnlyRootFilesystem:", "readonlyRootFilesystem:"),
        ("secretKeyRef:", "secretRef:"),
        ("backoffLimit: 0", "backoffLimit: none"),
        ("accessModes:", "accessMode:"),
    ):
        wrong = objects(broken(FILE, old, new, tmp_path))
        with pytest.raises(kubernetes_validate.ValidationError):
            validate(wrong, OLDEST)


def test_it_keeps_to_the_restricted_level_of_pod_security() -> None:
    """Kubernetes' page "Pod Security Standards", level Restricted; and nothing is written but the state."""
    pod, container = POD["securityContext"], CONTAINER["securityContext"]

    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["readOnlyRootFilesystem"] is True
    assert {key for volume in POD["volumes"] for key in volume if key != "name"} == {
        "configMap",
        "persistentVolumeClaim",
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(POD)
    assert POD["automountServiceAccountToken"] is False


def test_its_user_is_that_of_the_image() -> None:
    dockerfile = (EXAMPLES.parent / "Dockerfile").read_text("utf-8")

    assert f"\nUSER {POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}\n" in dockerfile
    assert POD["securityContext"]["fsGroup"] == POD["securityContext"]["runAsGroup"]
    assert '\nENTRYPOINT ["probekit"]\n' in dockerfile
    assert "command" not in CONTAINER


def test_one_run_at_a_time_each_measured_once(tmp_path) -> None:
    environment = loaded(tmp_path)

    assert CRONJOB["concurrencyPolicy"] == "Forbid"
    assert (JOB["backoffLimit"], POD["restartPolicy"]) == (0, "Never")
    assert JOB["activeDeadlineSeconds"] > environment.deadline
    assert CRONJOB["schedule"].split() == ["*/5", "*", "*", "*", "*"]
    assert CRONJOB["startingDeadlineSeconds"] < 300  # seconds until the next run


def loaded(folder: Path) -> Any:
    """The environment of the ConfigMap."""
    (folder / "probes.toml").write_text(OBJECTS["ConfigMap"]["data"]["probes.toml"], "utf-8")
    config = load(folder / "probes.toml")
    assert not config.unset
    return config.targets["prod"].environment


def test_its_configuration_loads_and_its_secrets_are_given(tmp_path) -> None:
    text = OBJECTS["ConfigMap"]["data"]["probes.toml"]
    given = {one["name"] for one in CONTAINER["env"] if "secretKeyRef" in one.get("valueFrom", {})}

    assert loaded(tmp_path).base_url == "https://app.example.com"
    assert set(re.findall(r'env = "(\w+)"', text)) == given


def mounted() -> Iterator[tuple[str, str]]:
    for volume in CONTAINER["volumeMounts"]:
        yield volume["mountPath"], volume["name"]


def test_its_arguments_name_what_is_mounted() -> None:
    options = parse(CONTAINER["args"]).params
    variables = {one["name"]: one.get("value") for one in CONTAINER["env"]}
    volumes = dict(mounted())

    assert (options["environment"], options["machine_only"], options["no_settle"]) == ("prod", True, True)
    assert volumes[str(options["config"].parent)] == "config"
    assert options["config"].name in OBJECTS["ConfigMap"]["data"]
    assert volumes[str(Path(variables["PROBEKIT_STATE"]).parent)] == "state"
    assert volumes[variables["XDG_STATE_HOME"]] == "state"
    names = {
        volume["name"]: volume.get("configMap", {}).get("name") or volume["persistentVolumeClaim"]["claimName"]
        for volume in POD["volumes"]
    }
    kinds = {"config": "ConfigMap", "state": "PersistentVolumeClaim"}
    assert names == {volume: OBJECTS[kind]["metadata"]["name"] for volume, kind in kinds.items()}


@pytest.mark.parametrize(("old", "new"), [("--machine-only", "--machines-only"), ("--env=prod", "--envs=prod")])
def test_a_wrong_option_is_found(tmp_path, old, new) -> None:
    wrong = objects(broken(FILE, old, new, tmp_path))["CronJob"]
    (container,) = wrong["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]

    with pytest.raises(click.UsageError):
        parse(container["args"])
