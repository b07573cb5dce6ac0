"""examples/Jenkinsfile follows Groovy's grammar, names directives that exist, and runs the gate.

Jenkins alone can validate a pipeline: its linter is a part of the server. So the directives come from a table.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from groovy_parser.parser import parse_groovy_content
from lark.exceptions import UnexpectedInput
from pipelines import EXAMPLES, Pipeline

TEXT = (EXAMPLES / "Jenkinsfile").read_text("utf-8")
SHELL_LINES = re.findall(r"^ +sh '(.*)'$", TEXT, re.MULTILINE)
ENVIRONMENT = "environment"  # holds names of variables
# The sections of a declarative pipeline, and what each may hold (jenkins.io/doc/book/pipeline/syntax).
DIRECTIVES = {
    "": {"pipeline"},
    "pipeline": {"agent", ENVIRONMENT, "options", "parameters", "triggers", "tools", "libraries", "stages", "post"},
    "agent": {"label"},
    "stages": {"stage"},
    "stage": {"agent", ENVIRONMENT, "options", "input", "when", "tools", "steps", "stages", "parallel", "post"},
    "post": {"always", "changed", "fixed", "regression", "aborted", "failure", "success", "unstable", "cleanup"},
    "options": {"disableConcurrentBuilds", "timeout", "buildDiscarder", "skipDefaultCheckout"},
    "parameters": {"string"},
    "steps": {"sh"},
    "always": {"junit", "archiveArtifacts"},
}


def unknown_directives(text: str) -> Iterator[str]:
    """Each directive that its section does not take; a section begins and ends on a line of its own."""
    sections = [""]
    for line in (line.partition(" //")[0].strip() for line in text.splitlines()):
        name = re.sub(r"\W.*", "", line)
        if name and sections[-1] != ENVIRONMENT and name not in DIRECTIVES.get(sections[-1], ()):
            yield f"{sections[-1]}: {name}"
        if line.endswith("{"):
            sections.append(name)
        elif line == "}":
            sections.pop()


def replaced(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def test_it_follows_the_grammar() -> None:
    assert parse_groovy_content(TEXT)


@pytest.mark.parametrize(("old", "new"), [("stages {", "stages "), ("'deploy' }", "'deploy }"), ("90,", "90")])
def test_a_mistake_of_grammar_is_found(old, new) -> None:
    with pytest.raises(UnexpectedInput):
        parse_groovy_content(replaced(old, new))


def test_it_names_directives_that_exist() -> None:
    assert list(unknown_directives(TEXT)) == []
    assert TEXT.count("{") == TEXT.count("}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("stages {", "stage {"),
        ("post {", "posts {"),
        ("always {", "ever {"),
        ("junit testResults", "junits testResults"),
        ("options {", "option {"),
        ("sh 'sh", "shell 'sh"),
    ],
)
def test_a_misspelt_directive_is_found(old, new) -> None:
    assert list(unknown_directives(replaced(old, new)))


@pytest.mark.parametrize("code", [0, 10, 20])
def test_its_script_runs_the_gate_and_ends_with_its_code(tmp_path, code) -> None:
    pipeline = Pipeline(tmp_path, {"--deployed now": code})
    shutil.copy(EXAMPLES / "gate.sh", tmp_path)
    (line,) = SHELL_LINES

    done = pipeline.run("sh", "-e", "-c", line, RELEASE="2.4.0", COMMIT="")

    assert done.code == code
    assert done.names[:2] == ["gate", "deployment start"]
    assert ("rollback.sh" in done.names) == (code == 20)
    assert ["deploy.sh", "2.4.0"] in done.calls


def test_jenkins_shows_and_keeps_what_the_gate_writes() -> None:
    assert "junit testResults: 'reports/*.xml', allowEmptyResults: true" in TEXT
    assert "archiveArtifacts artifacts: 'reports/*', allowEmptyArchive: true" in TEXT
