"""The formats of a report, each a module or package of its own here; none decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Literal

from probekit.drawing import WIDTH
from probekit.files import PRIVATE

if TYPE_CHECKING:  # a command that only draws needs no report
    from probekit.model.report import Report

Show = Literal["failures", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a report for a person is shown; other formats ignore it."""

    colour: bool = False
    width: int = WIDTH  # columns
    show: Show = "failures"  # all: the items that passed as well, each with its value


PLAIN = View()


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a report; a module offers it as `FORMAT`."""

    name: str
    render: Callable[[Report, View], str]
    is_collected: bool = False  # another user's program fetches the file, such as an agent that gathers metrics

    @property
    def mode(self) -> int:
        """The mode of a new file: a report names addresses and versions, so only its owner reads it by default."""
        return 0o644 if self.is_collected else PRIVATE

    def text(self, report: Report, view: View = PLAIN) -> str:
        """Return the report in this format."""
        return self.render(report, view)


@cache
def format_names() -> tuple[str, ...]:
    """The names of all formats, sorted; none is imported."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))


def load_format(name: str) -> Format:
    """The format of that name, imported now.

    Raises:
        KeyError: there is none.
    """
    if name not in format_names():
        raise KeyError(name)
    form: Format = import_module(f"{__name__}.{name}").FORMAT
    return form
