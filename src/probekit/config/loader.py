"""Read probes.toml and report all of its mistakes at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from probekit import checklist as checklists
from probekit.checklist import Checklist
from probekit.config.complaints import Complaints
from probekit.config.dotenv import Dotenv, read_dotenv
from probekit.config.inheritance import Inheritance
from probekit.config.origins import Node, Origins, table
from probekit.config.references import target_of
from probekit.config.secrets import secret_refs
from probekit.config.settings import File
from probekit.config.sources import read_sources
from probekit.config.substitution import Substituter
from probekit.config.target import Config, Target
from probekit.toml_file import ConfigError, FileProblem, text_of


def load(path: Path) -> Config:
    """The configuration in a file and in the files that it includes.

    Raises:
        ConfigError: every mistake in it, each with file, line and key.
    """
    return read(text_of(path), path)


def read(text: str, path: Path) -> Config:
    """The configuration in the text of that file, with the .env file in its folder."""
    try:
        return _read(text, path)
    except RecursionError:
        found = "tables are nested too deeply, or too many environments inherit one another"
        raise ConfigError([FileProblem(file=path, line=None, key="", found=found, expected="")]) from None


def _read(text: str, path: Path) -> Config:
    dotenv = cache(partial(read_dotenv, path.parent))
    document = _resolved(read_sources(text, path))
    written, substituter = _substituted(document, dotenv)
    origins = Origins(document=document, substitutions=substituter.done)
    complain = Complaints(origins=origins)
    try:
        file = File.model_validate(written)
    except ValidationError as error:
        complain.of_model(error, File, ())
        raise ConfigError(tuple(dict.fromkeys(complain.found))) from None  # its cause contains what the user wrote
    checklist = _checklist(file, path, origins)
    targets = {
        name: target_of(name, environment, checklist=checklist, complain=complain)
        for name, environment in file.env.items()
    }
    _check_variables(targets, complain)
    complain.stop()
    return Config(
        path=path,
        origins=origins,
        written=written,
        digest=sha256(json.dumps(written, sort_keys=True, default=str).encode()).hexdigest(),
        checklist=checklist,
        targets=targets,
        unset={name: tuple(found) for name, found in substituter.unset.items()},
        dotenv=dotenv(),
    )


def _resolved(file: Node) -> Node:
    """The document with all that its environments inherit.

    Raises:
        ConfigError: an environment cannot be resolved.
    """
    complain = Complaints(origins=Origins(document=file))
    environments = Inheritance(file=file, complain=complain).resolved()
    complain.stop()
    parts = {key: file.part(key) for key in file.value}
    if environments:
        parts["env"] = table(environments, file.part("env").origin)
    return table(parts, file.origin)


def _substituted(document: Node, dotenv: Callable[[], Dotenv]) -> tuple[dict[str, Any], Substituter]:
    """The document with the values of variables, without the environments whose variables are not set.

    Raises:
        ConfigError: a variable is used where none is allowed, or every environment has one that is not set.
    """

    def lookup(name: str) -> str | None:
        found = os.environ.get(name)
        return dotenv().values.get(name) if found is None else found

    complain = Complaints(origins=Origins(document=document))
    substituter = Substituter(lookup=lookup, complain=complain)
    written = dict(document.value)
    if "checklist" in written:
        written["checklist"] = substituter.of_file("checklist", written["checklist"])
    environments = written.get("env")
    if isinstance(environments, dict):
        found = {name: substituter.environment(name, one) for name, one in environments.items()}
        written["env"] = {name: one for name, one in found.items() if name not in substituter.unset}
    if complain.found or "" in substituter.unset or (environments and not written["env"]):
        complain.found.extend(problem for problems in substituter.unset.values() for problem in problems)
        complain.stop()
    return written, substituter


def _check_variables(targets: Mapping[str, Target], complain: Complaints) -> None:
    """Report each variable in a text that is also a secret of its environment, because texts are shown."""
    settings = {
        name: [one.environment, *(probe.source.config for probe in one.probes)] for name, one in targets.items()
    }
    secrets = {name: {secret.env for secret in secret_refs(found)} for name, found in settings.items()}
    for keys, one in complain.origins.substitutions.items():
        of_target = secrets.get(str(keys[1]), set()) if keys[0] == "env" else set()
        if shown := next((name for name in one.variables if name in of_target), None):
            found = f'the variable ${{{shown}}} is also a secret here, {{ env = "{shown}" }}'
            complain(keys, found, "another variable: this text is shown in reports")


def _checklist(file: File, path: Path, origins: Origins) -> Checklist:
    """The checklist that the file names; an unknown name is reported with its line."""
    try:
        return checklists.load(file.checklist, relative_to=path.parent)
    except ConfigError as error:
        raise ConfigError([_placed(problem, origins) for problem in error.problems]) from None


def _placed(problem: FileProblem, origins: Origins) -> FileProblem:
    """A problem with the checklist as a whole, at the line of the configuration that names it."""
    if problem.line is not None:
        return problem
    if problem.found.startswith("unknown checklist"):
        return origins.problem(("checklist",), problem.found, problem.expected, problem.hint)
    if problem.found.startswith(("cannot be read", "invalid file name")):
        found = f"'{problem.file}': {problem.found}"
        return origins.problem(("checklist",), found, problem.expected, problem.hint)
    return problem
