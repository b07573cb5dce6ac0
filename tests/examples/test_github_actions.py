"""examples/github-actions.yml is a valid workflow, and its steps take the right way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from command_lines import parse
from pipelines import EXAMPLES, Pipeline, broken, follows, read_yaml

WORKFLOW = EXAMPLES / "github-actions.yml"
SCHEMA = "vendor.github-workflows"
BEFORE, AFTER = "--stage before", "--deployed now"


def test_it_follows_the_schema() -> None:
    assert follows(SCHEMA, WORKFLOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout-minutes:", "timeout-minute:"),
        ("persist-credentials: false\n", "persist-credentials: [false]\n"),
        ("        run: probekit", "        runs: probekit"),
        ("workflow_dispatch:", "workflow_dispatched:"),
    ],
)
def test_a_misspelt_key_is_found(tmp_path, old, new) -> None:
    assert not follows(SCHEMA, broken(WORKFLOW, old, new, tmp_path))


CONTEXT = {
    "inputs.release": "2.4.0",
    "inputs.commit": "3f2a9c1",
    "secrets.PROBE_KEY": "a secret",
}
STATUS = re.compile(r"\b(?:success|failure|always|cancelled)\(\)")


class Job:
    """The job of the workflow, step after step, as a runner takes them; actions do nothing and succeed."""

    def __init__(self, folder: Path, codes: Mapping[str, int]) -> None:
        self.pipeline, self.has_failed = Pipeline(folder, codes), False
        self.names: list[str] = []
        self.calls: list[Any] = []
        self._outcomes: dict[str, str] = {}
        self._outputs: dict[str, str] = {}

    def run(self) -> None:
        job = read_yaml(WORKFLOW)["jobs"]["deploy"]
        for number, step in enumerate(job["steps"]):
            outcome = "skipped"
            if self._is_due(step.get("if", "success()")):
                outcome = "success" if "uses" in step or self._run(step, job["env"]) else "failure"
            self.has_failed |= outcome == "failure"
            self._outcomes[step.get("id", str(number))] = outcome

    def _run(self, step: Mapping[str, Any], variables: Mapping[str, str]) -> bool:
        outputs = self.pipeline.folder / "outputs"
        outputs.write_text("", "utf-8")
        given = {name: filled(text) for name, text in {**variables, **step.get("env", {})}.items()}
        done = self.pipeline.run("bash", "-e", "-c", step["run"], GITHUB_OUTPUT=str(outputs), **given)
        self.names += done.names
        self.calls += done.calls
        for line in outputs.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            self._outputs[f"steps.{step['id']}.outputs.{name}"] = value
        return done.code == 0

    def _is_due(self, condition: str) -> bool:
        """Whether the step runs; without a function of the status, `success()` is meant as well."""
        text = condition.removeprefix("${{").removesuffix("}}").strip()
        if not STATUS.search(text):
            text = f"success() && ({text})"
        text = re.sub(r"steps\.(\w+)\.outcome", lambda found: repr(self._outcomes.get(found[1], "")), text)
        text = re.sub(r"steps\.\w+\.outputs\.\w+", lambda found: repr(self._outputs.get(found[0], "")), text)
        text = re.sub(r"!(?!=)", " not ", text).replace("&&", " and ").replace("||", " or ")
        functions = {
            "success": lambda: not self.has_failed,
            "failure": lambda: self.has_failed,
            "always": lambda: True,
            "cancelled": lambda: False,
        }
        return bool(eval(text.strip(), {"__builtins__": {}}, functions))  # noqa: S307  # a text of this repository


def filled(text: str) -> str:
    """A text with the values of its expressions."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: CONTEXT[found[1]], text)


DEPLOYED = ["pipx", "gate", "deployment start", "deploy.sh"]
FINISHED = [*DEPLOYED, "deployment finish", "verify"]
FAILED = [*DEPLOYED, "deployment finish --failed", "verify"]
ROLLED_BACK = ["rollback.sh", "deployment rolled-back", "verify rolled-back"]
TABLE = {
    "go": ({}, False, FINISHED),
    **{f"the gate answers {code}": ({BEFORE: code}, True, DEPLOYED[:2]) for code in (1, 10, 11, 20, 21, 30, 70, 75)},
    "the start is not recorded": ({"deployment start": 78}, True, DEPLOYED[:3]),
    "the end is not recorded": ({"deployment finish": 78}, True, FINISHED),
    **{f"the verification answers {code}": ({AFTER: code}, True, FINISHED) for code in (1, 10, 11, 21, 30, 70, 75)},
    "a rollback is ordered": ({AFTER: 20}, True, [*FINISHED, *ROLLED_BACK]),
    "the rollback fails": ({AFTER: 20, " rollback.sh ": 3}, True, [*FINISHED, "rollback.sh"]),
    "the deployment fails": ({" deploy.sh ": 20}, True, FAILED),
    "the deployment fails, and a rollback is ordered": (
        {" deploy.sh ": 3, AFTER: 20},
        True,
        [*FAILED, *ROLLED_BACK],
    ),
}


@pytest.mark.parametrize(("codes", "has_failed", "names"), TABLE.values(), ids=TABLE)
def test_the_workflow_takes_the_way_of_the_table(tmp_path, codes, has_failed, names) -> None:
    job = Job(tmp_path, codes)

    job.run()

    assert (job.has_failed, job.names) == (has_failed, names)
    options = [parse(call[1:]).params for call in job.calls if call[0] == "probekit"]
    verifications = [one for one in options if "reports" in one]
    assert verifications
    assert all(dict(one["reports"])["github"] is None for one in verifications)  # to stdout, and into the summary
    files = [file for one in verifications for _, file in one["reports"] if file is not None]
    assert {file.parent for file in files} == {Path("reports")}
    assert (tmp_path / "reports").is_dir()
    assert (tmp_path / read_yaml(WORKFLOW)["jobs"]["deploy"]["env"]["PROBEKIT_STATE"]).parent.is_dir()


def test_the_workflow_names_phase_release_and_commit(tmp_path) -> None:
    job = Job(tmp_path, {AFTER: 20})
    job.run()
    called = zip(job.names, job.calls, strict=True)
    options = {name: parse(call[1:]).params for name, call in called if call[0] == "probekit"}

    assert (options["gate"]["phase"], options["gate"]["release"]) == ("pre", "2.4.0")
    assert (options["deployment start"]["release"], options["deployment start"]["commit"]) == ("2.4.0", "3f2a9c1")
    assert (options["verify"]["phase"], options["verify"]["release"]) == (None, "2.4.0")
    assert options["verify rolled-back"]["release"] is None


def test_the_workflow_keeps_record_and_reports_whatever_happens() -> None:
    workflow = read_yaml(WORKFLOW)
    job = workflow["jobs"]["deploy"]
    kept = [
        step for step in job["steps"] if "upload-artifact" in step.get("uses", "") or "save" in step.get("uses", "")
    ]

    assert [step["if"] for step in kept] == ["${{ always() }}"] * 2
    assert job["env"]["PROBEKIT_STATE"].startswith(f"{kept[0]['with']['path']}/")
    fetched = next(step["with"] for step in job["steps"] if "cache/restore" in step.get("uses", ""))
    assert fetched["path"] == kept[0]["with"]["path"]
    assert fetched["key"] == kept[0]["with"]["key"]
    assert fetched["key"].startswith(fetched["restore-keys"])
    assert kept[1]["with"]["path"] == "reports"
    assert workflow["concurrency"]["cancel-in-progress"] is False
