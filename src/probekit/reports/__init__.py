"""The formats of a report, each a module or package of its own here; none decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from probekit.files import PRIVATE
from probekit.model.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write a report; a module offers it as `FORMAT`."""

    name: str
    render: Callable[[Report], str]
    render_in_colour: Callable[[Report], str] | None = None  # for a terminal
    is_collected: bool = False  # another user's program fetches the file, such as an agent that gathers metrics

    @property
    def mode(self) -> int:
        """The mode of a new file: a report names addresses and versions, so only its owner reads it by default."""
        return 0o644 if self.is_collected else PRIVATE

    def text(self, report: Report, *, colour: bool = False) -> str:
        """The report in this format, in colour where that is asked for and the format has any."""
        return self.render_in_colour(report) if colour and self.render_in_colour else self.render(report)


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
