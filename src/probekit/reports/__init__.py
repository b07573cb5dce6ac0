"""The report formats: each is a module or a package of its own here, and none decides anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Literal

from probekit.drawing import WIDTH
from probekit.files import PRIVATE

if TYPE_CHECKING:  # a command that only draws does not import the report
    from probekit.model.document import Place
    from probekit.model.report import Report
    from probekit.model.trend import PastResult

Show = Literal["failures", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A line of a file, as a reader of the report finds it."""

    uri: str  # relative to the working directory where it is inside, else a file: URL
    line: int = 1


def _unread(place: Place) -> Location:
    return Location(uri=place.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a format may use beyond the report: the form of a text for a person, and the lines of the configuration."""

    colour: bool = False
    width: int = WIDTH  # columns
    show: Show = "failures"  # all: also the items that passed, each with its value
    located: Callable[[Place], Location] = _unread  # reads the file of the place
    past: Callable[[], Sequence[PastResult]] = tuple  # reads the results of earlier runs, oldest first


PLAIN = View()


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a report; a module offers it as `FORMAT`."""

    name: str
    help: str  # what it is for, as a phrase
    render: Callable[[Report, View], str]
    # A variable of the environment -> a text that is appended to the file that it names.
    appended: Mapping[str, Callable[[Report, View], str]] = field(default_factory=dict)
    is_collected: bool = False  # a program of another user reads the file, such as a metrics agent

    @property
    def mode(self) -> int:
        """The mode of a new file: a report names addresses and versions, so only its owner may read it by default."""
        return 0o644 if self.is_collected else PRIVATE

    def text(self, report: Report, view: View = PLAIN) -> str:
        """Return the report in this format."""
        return self.render(report, view)


@cache
def format_names() -> tuple[str, ...]:
    """Return the names of all formats, sorted, without importing one."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))


def load_format(name: str) -> Format:
    """Import and return the format of that name.

    Raises:
        KeyError: there is none.
    """
    if name not in format_names():
        raise KeyError(name)
    form: Format = import_module(f"{__name__}.{name}").FORMAT
    return form
