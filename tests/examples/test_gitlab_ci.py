"""examples/gitlab-ci.yml is a valid pipeline that runs the gate, and ends with its exit code."""

from __future__ import annotations

import shutil

import pytest
from pipelines import EXAMPLES, Pipeline, broken, follows, read_yaml

FILE = EXAMPLES / "gitlab-ci.yml"
JOB = read_yaml(FILE)["deploy"]
SCHEMA = "vendor.gitlab-ci"


def test_it_follows_the_schema() -> None:
    assert follows(SCHEMA, FILE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  script:", "  scripts:"),
        ("resource_group:", "resource-group:"),
        ("junit:", "junits:"),
        ("when: always", "when: ever"),
    ],
)
def test_a_misspelt_key_is_found(tmp_path, old, new) -> None:
    assert not follows(SCHEMA, broken(FILE, old, new, tmp_path))


@pytest.mark.parametrize("code", [0, 10, 20])
def test_its_script_runs_the_gate_and_ends_with_its_code(tmp_path, code) -> None:
    pipeline = Pipeline(tmp_path, {"--deployed now": code})
    pipeline.program("python")
    shutil.copy(EXAMPLES / "gate.sh", tmp_path)
    script = "\n".join((*JOB["before_script"], *JOB["script"]))

    done = pipeline.run("sh", "-e", "-c", script, CI_COMMIT_TAG="2.4.0")

    assert done.code == code
    assert done.names[:3] == ["python", "gate", "deployment start"]
    assert ("rollback.sh" in done.names) == (code == 20)
    assert ["deploy.sh", "2.4.0"] in done.calls
    assert (tmp_path / JOB["cache"]["paths"][0]).is_dir()


def test_the_pipeline_shows_and_keeps_what_the_gate_writes() -> None:
    assert JOB["artifacts"]["reports"]["junit"] == "reports/*.xml"
    assert JOB["artifacts"]["paths"] == ["reports"]
    assert (JOB["artifacts"]["when"], JOB["cache"]["when"]) == ("always", "always")
    assert JOB["variables"]["PROBEKIT_STATE"] == f"$CI_PROJECT_DIR/{JOB['cache']['paths'][0]}/probekit.sqlite3"
