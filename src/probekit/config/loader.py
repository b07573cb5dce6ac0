"""Read probes.toml, with every mistake at once."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from probekit import checklist as checklists
from probekit.config.complaints import Complaints
from probekit.config.dotenv import read_dotenv
from probekit.config.references import target_of
from probekit.config.settings import File
from probekit.config.target import Config
from probekit.toml_file import ConfigError, FileProblem, line_of, parse, problems, text_of


def load(path: Path) -> Config:
    """The configuration in that file.

    Raises:
        ConfigError: every mistake in it, each with file, line and key.
    """
    return read(text_of(path), path)


def read(text: str, path: Path) -> Config:
    """The configuration in that text, which stands in that file; with the .env beside it."""
    document = parse(text, path)
    try:
        file = File.model_validate(document)
    except ValidationError as error:
        raise ConfigError(problems(error, File, path, text)) from None  # its cause holds what the user wrote
    try:
        checklist = checklists.load(file.checklist, relative_to=path.parent)
    except ConfigError as error:  # of a name that is none: which line says it
        at = line_of(text, ("checklist",))
        raise ConfigError([_placed(problem, path, at) for problem in error.problems]) from None
    complain = Complaints(path=path, text=text)
    targets = {
        name: target_of(name, environment, file.probes, checklist=checklist, complain=complain)
        for name, environment in file.env.items()
    }
    if complain.found:
        raise ConfigError(tuple(dict.fromkeys(complain.found)))
    return Config(
        path=path,
        text=text,
        digest=sha256(text.encode()).hexdigest(),
        checklist=checklist,
        targets=targets,
        dotenv=read_dotenv(path.parent),
    )


def _placed(problem: FileProblem, path: Path, line: int | None) -> FileProblem:
    """A problem with the checklist as a whole, where the configuration names it."""
    if problem.line is None and problem.found.startswith("no checklist"):
        return replace(problem, file=path, line=line, key="checklist")
    if problem.line is None and problem.found.startswith(("it cannot be read", "no file can")):
        return replace(problem, file=path, line=line, key="checklist", found=f"'{problem.file}': {problem.found}")
    return problem
