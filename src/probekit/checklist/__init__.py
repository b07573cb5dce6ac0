"""Load a checklist, built in or a user's own, from TOML files into checked items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from probekit.checklist.reader import read
from probekit.checklist.shape import BaselineRow, Blank, Criterion, ProbeRequirement, Role, SignOff, Success
from probekit.checklist.source import Source
from probekit.files import is_folder
from probekit.model.checklist import Deadline, Item, Row
from probekit.model.document import Document
from probekit.model.success import SuccessCriterion
from probekit.toml_file import ConfigError, FileProblem, nearest

__all__ = [
    "BaselineRow",
    "Blank",
    "Checklist",
    "Criterion",
    "ProbeRequirement",
    "Role",
    "SignOff",
    "Success",
    "built_in",
    "load",
]

OWN_SECTION: Final = "own.checks"  # section of the items of the user's own probes
NONE: Final = "none"  # the name of the checklist without items
_DATA: Final = Path(__file__).parent.parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The items of a checklist and everything that they refer to."""

    name: str
    title: str
    version: str
    items: tuple[Item, ...]  # in the document's order
    probes: Mapping[str, ProbeRequirement]
    phases: Mapping[str, str]
    sections: Mapping[str, str]
    facts: Mapping[str, str]
    success: Success | None
    criteria: tuple[Criterion, ...]
    rows: tuple[Row, ...]
    baseline: tuple[BaselineRow, ...]
    roles: tuple[Role, ...]
    signoffs: tuple[SignOff, ...]
    fields: tuple[Blank, ...]
    escalate_after: Deadline

    @property
    def full_title(self) -> str:
        """The title with the version, as reports show it."""
        return f"{self.title} {self.version}".rstrip()

    @property
    def success_criteria(self) -> tuple[SuccessCriterion, ...]:
        """The document's success criteria in its order, each with the ids of its items."""
        groups = self.success.groups if self.success else ()
        return tuple(
            SuccessCriterion(
                id=one.id,
                group=groups[one.group - 1],
                text=one.text,
                items=tuple(item.id for item in self.items if one.id in item.criteria),
            )
            for one in self.criteria
        )

    @property
    def document(self) -> Document:
        """The headings, lines and signatures of the document; an own check has no line."""
        return Document(
            phases=self.phases,
            sections=self.sections,
            lines={item.id: item.text for item in self.items if not item.is_own},
            signers={one.item: one.signer for one in self.signoffs},
        )

    def select(self, prefix: str) -> tuple[Item, ...]:
        """The item with that id, or all items whose id begins with those whole words."""
        return tuple(item for item in self.items if item.id == prefix or item.id.startswith(f"{prefix}."))

    def with_own(self, probes: Mapping[str, ProbeRequirement], items: Sequence[Item]) -> Checklist:
        """Return the checklist with the user's own probes and items, which are not part of its document."""
        if not probes:
            return self
        phase = OWN_SECTION.partition(".")[0]
        return replace(
            self,
            items=(*self.items, *items),
            probes={**self.probes, **probes},
            phases={**self.phases, phase: "Own checks"},
            sections={**self.sections, OWN_SECTION: "Own checks"},
        )


def load(name: str | Path, relative_to: Path | None = None) -> Checklist:
    """The built-in checklist of that name, or the user's own at the path of a file or folder.

    "none" is the checklist without items: only the user's own probes and the served release are verified.

    Raises:
        ConfigError: the checklist does not exist or has mistakes, each with file and line.
    """
    if name == NONE:
        return _without_items()
    path = _path(name, relative_to or Path())
    return _built_in(path) if path.parent == _DATA else _read(path)


@cache
def _built_in(path: Path) -> Checklist:
    """Return the built-in checklist, read once in a process: a command may ask for it twice, at 40 ms each."""
    return _read(path)


def _read(path: Path) -> Checklist:
    source = Source.of(path)
    document, items, rows = read(source)
    return Checklist(
        name=document.name,
        title=document.title,
        version=document.version,
        items=items,
        probes=document.probes,
        phases=document.phases,
        sections=document.sections,
        facts=document.facts,
        success=document.success,
        criteria=document.criterion,
        rows=rows,
        baseline=document.baseline,
        roles=document.role,
        signoffs=document.signoff,
        fields=document.field,
        escalate_after=Deadline(minutes=document.escalate_after),
    )


def _without_items() -> Checklist:
    """Return the checklist for a user with own checks only."""
    release = ProbeRequirement(
        help="the version that the target serves",
        layer="application",
        metrics={"other_versions": ""},
        release_guard=True,
    )
    return Checklist(
        name=NONE,
        title="own checks only",
        version="",
        items=(),
        probes={"release": release},
        phases={},
        sections={},
        facts={},
        success=None,
        criteria=(),
        rows=(),
        baseline=(),
        roles=(),
        signoffs=(),
        fields=(),
        escalate_after=Deadline(minutes=10),
    )


def built_in() -> tuple[str, ...]:
    """The names of the checklists in the package."""
    return tuple(sorted(folder.parent.name for folder in _DATA.glob("*/checklist.toml")))


def _path(name: str | Path, folder: Path) -> Path:
    if isinstance(name, str):
        if name in built_in():
            return _DATA / name
        is_path = "/" in name or name.endswith(".toml") or (name not in ("", ".", "..") and is_folder(folder / name))
        if not is_path:
            raise _unknown(name)
    return folder / name


def _unknown(name: str) -> ConfigError:
    expected = (
        f'a built-in one ({", ".join(built_in())}), "none", or the path of a .toml file or of a folder of .toml files'
    )
    hint = nearest(name, (*built_in(), NONE))
    problem = FileProblem(file=Path(name), line=None, key="", found="unknown checklist", expected=expected, hint=hint)
    return ConfigError([problem])
